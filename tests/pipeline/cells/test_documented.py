"""The page on single cells names every column and every gate."""

from __future__ import annotations

from pathlib import Path

from escape_score.config import CellsConfig
from escape_score.pipeline.profiles import Profiles


def page(root: Path) -> str:
    """Text of the page."""
    return (root / "docs" / "cells.md").read_text(encoding="utf-8")


def test_every_column_of_the_tables_is_named(profiled: Profiles, repo_root: Path) -> None:
    assert profiled.cells is not None
    found = profiled.cells
    tables = (found.quantities_table(), found.compartments_table(), found.labels_table())
    columns = {column for table in tables for column in table.columns}
    assert {column for column in columns if f"`{column}`" not in page(repo_root)} == set()


def test_gates_have_their_defaults(repo_root: Path) -> None:
    for gate in ("min_umi", "min_genes", "max_mitochondrial", "min_cells"):
        assert f"| `cells.{gate}` | {getattr(CellsConfig(), gate)} |" in page(repo_root)
