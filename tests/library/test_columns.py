"""The data dictionary has every column of real results, and nothing else."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest

from escape_score.errors import ResourceInvalidError
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.cell_quantities import load_quantities
from escape_score.library.columns import TABLES, columns_of, describe, load_rows
from escape_score.model.cohort import SAMPLE_COLUMNS
from escape_score.store.columns import columns_text
from escape_score.store.manifest import read_manifest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "build_columns.py"
OPTIONAL = {"published score", "map", "sheet column", "cells", "quantity", "called quantity"}
"""Families of which a result of bulk expression may have none, or some."""


def real_columns(folder: Path) -> dict[str, list[str]]:
    """Columns as they are in the files, by table."""
    found = {}
    for name in TABLES:
        file, _, part = name.partition(": ")
        if part and (folder / file).exists():
            found[name] = [str(column) for column in getattr(ad.read_h5ad(folder / file), part)]
        elif (folder / f"{file}.parquet").exists():
            found[name] = list(map(str, pd.read_parquet(folder / f"{file}.parquet")))
        elif (folder / f"{file}.tsv").exists():
            found[name] = list(map(str, pd.read_csv(folder / f"{file}.tsv", sep="\t")))
    return found


def described_columns(folder: Path) -> dict[str, list[str]]:
    tables = json.loads((folder / "columns.json").read_text(encoding="utf-8"))["tables"]
    return {name: [column["column"] for column in table["columns"]] for name, table in tables.items()}


def required(table: str) -> set[str]:
    """Columns that every result with this table has."""
    rows = [row for row in load_rows() if row.table == table and row.for_each in OPTIONAL]
    ends = tuple(row.column.partition("}")[2] for row in rows if "{" in row.column)
    optional = {row.column for row in rows}
    cells = {f"cells_{name}{end}" for name in load_quantities() for end in ends}
    names = set(columns_of(table)) - optional - cells
    return {name for name in names if not name.startswith("published:")}


def test_every_column_of_a_bulk_result_is_described_in_its_order(finished: Path) -> None:
    real = real_columns(finished)
    assert described_columns(finished) == real
    assert real.keys() == {"profiles", "scores", "qc", "scores.h5ad: obs", "scores.h5ad: var"}
    assert "columns.json" in {entry.path for entry in read_manifest(finished).files}


def test_nothing_is_described_that_no_result_has(finished: Path) -> None:
    for table, columns in real_columns(finished).items():
        assert required(table) <= set(columns)


def test_what_is_said_of_words_and_empty_cells_holds(finished: Path) -> None:
    for name in ("profiles", "scores", "qc"):
        table = pd.read_csv(finished / f"{name}.tsv", sep="\t")
        for column in describe(name, list(map(str, table))):
            cells = table[column.column]
            assert column.empty != "never" or cells.notna().all(), column.column
            if column.type == "number":
                assert cells.dtype.kind in "fi" or cells.isna().all(), column.column
            if column.values == "0 to 1":
                assert cells.dropna().between(0, 1).all()
            if column.column.endswith("_call") or column.column in {"archetype", "phenotype", "status"}:
                assert set(cells.dropna()) <= set(column.values.split(", "))


def test_every_text_is_filled_in() -> None:
    for table in TABLES:
        for name, column in columns_of(table).items():
            texts = [column.meaning, column.values, column.unit, column.empty]
            assert not any("{" in text or "}" in text for text in texts), name
            assert column.type in {"number", "text", "true or false"}
            assert column.meaning.endswith((".", ").")), name
            assert column.empty


def test_axes_quantities_and_sheet_are_taken_from_their_tables() -> None:
    columns = columns_of("profiles")
    for axis in load_axis_catalogue().axes:
        assert axis.title in columns[axis.axis].meaning
        assert (axis.adjusted_for or "") in columns[axis.axis].meaning
        assert ("detected" in columns[f"{axis.axis}_call"].values) is not axis.is_context
    for name, one in load_quantities().items():
        assert (f"cells_{name}_call" in columns) is (one.threshold is not None)
    sheet = {row.column for row in load_rows() if row.for_each == "sheet column"}
    assert sheet == set(SAMPLE_COLUMNS)


def test_columns_with_names_of_the_user_are_described() -> None:
    own, scored, odd = describe("scores", ["my set", "ssgsea:my set", "my:set"])
    assert "your own" in own.meaning
    assert "my set" in scored.meaning
    assert "ssgsea" in scored.meaning
    assert "your own" in odd.meaning
    (group,) = describe("scores.h5ad: obs", ["batch"])
    assert group.column == "batch"


def test_a_column_without_a_row_is_a_fault() -> None:
    with pytest.raises(ResourceInvalidError, match=r"columns\.tsv: column nope of table qc"):
        describe("qc", ["sample_id", "nope"])


def test_json_is_the_same_bytes_each_time() -> None:
    tables = {name: list(columns_of(name)) for name in TABLES}
    assert columns_text(tables) == columns_text(tables)


def test_page_is_what_the_dictionary_says(repo_root: Path) -> None:
    page = (repo_root / "docs" / "columns.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(PAGE))["columns_markdown"]()
    assert page == made, "write the page again with `make columns`"
