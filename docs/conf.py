"""The documentation site: Markdown pages, and the reference of the package from its docstrings."""

from escape_score import __version__

project = "escape_score"
author = "The escape_score authors"
copyright = "The escape_score authors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["build"]

html_theme = "furo"
html_title = f"escape_score {release}"
html_copy_source = False
html_show_sourcelink = False

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "none"  # signatures stay short; the docstrings say types, shapes and units
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
