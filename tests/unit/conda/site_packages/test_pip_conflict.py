"""A constraint in the person's own settings of pip is named as that, and not as a conflict of packages."""

from __future__ import annotations

from ansible_collections.hpc.pytorch.plugins.module_utils._conda.site_packages.pip_conflict import beyond_settings

# pip 26.3, with constraint = FILE in pip.conf.
EXCLUDED = """ERROR: Cannot install torch==9.9.9 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested torch==9.9.9
    The user requested (constraint) torch<=2.14.1

To fix this you could try to:
1. loosen the range of package versions you've specified
"""
PACKAGES = """
The conflict is caused by:
    fancyai 1.0 depends on torch>=2.99
    other 2.0 depends on torch<2
"""


def test_the_constraint_and_what_it_excludes_are_named() -> None:
    error = beyond_settings(EXCLUDED)
    assert error is not None and error.expected.endswith("pip's settings: torch<=2.14.1")
    assert error.found == "torch==9.9.9" and "pip config list" in error.remedy


def test_a_conflict_of_packages_is_another_error() -> None:
    assert beyond_settings(PACKAGES) is None and beyond_settings("ERROR: No matching distribution found") is None
