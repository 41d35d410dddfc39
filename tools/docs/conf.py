# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the docs site. Its sources are put together by build.py; nothing is fetched from a network."""

from __future__ import annotations

import os

project = "hpc.pytorch"
copyright = "hpc.pytorch contributors"
release = version = os.environ["DOCS_VERSION"]
html_title = "hpc.pytorch %s" % version

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton"]
root_doc = "index"
exclude_patterns = ["_build"]
myst_heading_anchors = 4
# GitHub takes an alert's first line as such, and a table of contents in front matter for nothing.
myst_enable_extensions = ["colon_fence"]

# References to Ansible's own documentation would need its inventory from the network: they stay text.
suppress_warnings = ["ref.ref", "misc.highlighting_failure"]
nitpicky = False

html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
# A command is copied without its prompt and output.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_exclude = ".linenos, .gp, .go, .c1"
