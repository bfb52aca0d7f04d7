"""The documentation site: Markdown pages, and the reference of the package from its docstrings."""

from pathlib import Path

from escape_score import __version__

project = "escape_score"
author = "The escape_score authors"
copyright = "The escape_score authors"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
exclude_patterns = ["build"]

html_theme = "furo"
html_title = f"escape_score {release}"
html_copy_source = False
html_show_sourcelink = False

# Notebooks are stored without outputs. They are run when the site is built, and again when a cell changes.
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 300

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "none"  # signatures stay short; the docstrings say types, shapes and units
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
