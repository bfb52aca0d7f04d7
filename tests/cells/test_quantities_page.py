"""The page of quantities is the table in words."""

from __future__ import annotations

import runpy
from pathlib import Path

from escape_score.library.cell_quantities import load_quantities

PAGE = Path(__file__).resolve().parents[2] / "docs" / "build_cell_quantities.py"
quantities_markdown = runpy.run_path(str(PAGE))["quantities_markdown"]


def test_page_is_what_the_table_says(repo_root: Path) -> None:
    page = (repo_root / "docs" / "cell-quantities.md").read_text(encoding="utf-8")
    assert page == quantities_markdown(), "write the page again with `make quantities`"


def test_page_names_every_quantity_once_in_each_table() -> None:
    text = quantities_markdown()
    for quantity in load_quantities():
        assert text.count(f"\n| `{quantity}`") == 2
