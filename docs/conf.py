"""The documentation site: Markdown pages, and the reference of the package from its docstrings."""

import csv
import zlib
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from escape_score import __version__

BUILD = Path(__file__).parents[1] / "build"

project = "escape_score"
author = "The escape_score authors"
copyright = "The escape_score authors"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
]
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["build"]
templates_path = ["templates"]

html_theme = "furo"
html_title = f"escape_score {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False

# Notebooks are stored without outputs. They are run when the site is built, and again when a cell changes.
nb_execution_mode = "cache"
nb_execution_cache_path = str(BUILD / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 600

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "substitution"]
myst_substitutions = {"version": release}

# Lines of output have no prompt, so that a block is copied as it is shown.
copybutton_exclude = ".linenos, .gp, .go"

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_preprocess_types = True
napoleon_use_ivar = True


def local_inventories(table: Path, folder: Path) -> dict[str, tuple[str, str]]:
    """Inventories of other projects with the names that our pages link to; no network is needed."""
    folder.mkdir(parents=True, exist_ok=True)
    with table.open(encoding="utf-8", newline="") as file:
        names = list(csv.DictReader(file, delimiter="\t"))
    mapping = {}
    for (name, site), rows in groupby(names, key=itemgetter("project", "site")):
        head = f"# Sphinx inventory version 2\n# Project: {name}\n# Version:\n# Compressed with zlib.\n"
        entries = "".join(f"{row['name']} {row['role']} 1 {row['page']} -\n" for row in rows)
        (folder / f"{name}.inv").write_bytes(head.encode() + zlib.compress(entries.encode()))
        mapping[name] = (site, str(folder / f"{name}.inv"))
    return mapping


intersphinx_mapping = local_inventories(Path(__file__).with_name("external_names.tsv"), BUILD / "inventories")
