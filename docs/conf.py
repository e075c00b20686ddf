"""The documentation site, which `make docs` builds.

Its source folder is the project's own: pages are the files that one reads in a checkout, and links
between them hold in both places. `docs/site` adds what is made from the code.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ["NUMBA_DISABLE_JIT"] = "1"  # kernels are described, not compiled

import neus  # noqa: E402

project = "neus"
author = copyright = "the authors of neus"
version = release = neus.__version__

root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "config/README.md",
    "benchmarks/results/*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
_READ = {"docs", "config", "benchmarks"}
exclude_patterns = [
    *sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in _READ),
    "docs/_site",
]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.site.extension"]
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
myst_fence_as_directive = ["math"]  # as GitHub writes it
math_number_all = True

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
default_role = "code"  # single backticks in docstrings are names
napoleon_use_ivar = True

html_theme = "furo"
html_title = "neus"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
templates_path = []
highlight_language = "none"
html_math_renderer = "mathml"
# The colours of the page of results.
html_theme_options = {
    "light_css_variables": {
        "color-background-primary": "#fbfaf7",
        "color-background-secondary": "#f4f1ea",
        "color-foreground-primary": "#1f1d1a",
        "color-brand-primary": "#1b6076",
        "color-brand-content": "#1b6076",
        "color-brand-visited": "#1b6076",
    },
    "dark_css_variables": {
        "color-background-primary": "#161512",
        "color-background-secondary": "#1e1c19",
        "color-foreground-primary": "#ece8e0",
        "color-brand-primary": "#82c4d8",
        "color-brand-content": "#82c4d8",
        "color-brand-visited": "#82c4d8",
    },
}
