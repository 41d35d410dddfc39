"""What is collected here only on request: a real conda, mamba or micromamba is on no package index."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("HPC_TEST_CONDA") else ["test_real_conda.py"]
