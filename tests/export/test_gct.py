"""GCT 1.3, read by a second reader made from the format's description."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from escape_score.export.gct import COLUMN_FIELDS, ROW_FIELDS, gct_files
from escape_score.export.tables import ResultTables


def parsed(text: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Values (rows × samples), row fields and column fields of a GCT 1.3."""
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t"))
    assert lines[0] == ["#1.3"]
    n_rows, n_columns, n_row_fields, n_column_fields = map(int, lines[1])
    header, fields, body = lines[2], lines[3 : 3 + n_column_fields], lines[3 + n_column_fields :]
    assert len(body) == n_rows
    assert {len(line) for line in (header, *fields, *body)} == {1 + n_row_fields + n_columns}
    at = 1 + n_row_fields
    row_ids, samples = [line[0] for line in body], header[at:]
    values = pd.DataFrame([line[at:] for line in body], row_ids, samples).replace("NA", "nan").astype(float)
    rows = pd.DataFrame([line[1:at] for line in body], row_ids, header[1:at])
    columns = pd.DataFrame([line[at:] for line in fields], [line[0] for line in fields], samples).T
    return values, rows, columns


@pytest.mark.parametrize("which", ["tables", "hostile"])
def test_gct_files_hold_profiles_and_scores(which: str, request: pytest.FixtureRequest) -> None:
    tables: ResultTables = request.getfixturevalue(which)
    files = gct_files(tables)
    assert list(files) == ["profiles.gct", "scores.gct"]
    for text, table in zip(files.values(), (tables.profiles, tables.scores), strict=True):
        values, rows, columns = parsed(text)
        assert list(values.columns) == tables.sample_ids
        expected = table[list(values.index)].T
        np.testing.assert_allclose(values.to_numpy(), expected.to_numpy(np.float64), rtol=1e-8)
        assert tuple(rows.columns) == ROW_FIELDS
        assert tuple(columns.columns) == COLUMN_FIELDS
    assert list(parsed(files["scores.gct"])[0].index) == list(tables.scores.columns)


def test_gct_has_the_unadjusted_twins_beside_the_axes(tables: ResultTables) -> None:
    values, rows, _ = parsed(gct_files(tables)["profiles.gct"])
    assert values.index[0] == "immunoresistance_index"
    assert values.index.tolist().index("mhc1_loss_raw") == values.index.tolist().index("mhc1_loss") + 1
    assert rows.loc["stroma", "unit"] == "reference SD"


def test_gct_writes_gaps_and_formulas_as_what_they_are(hostile: ResultTables) -> None:
    text = gct_files(hostile)["profiles.gct"]
    values, _, columns = parsed(text)
    assert values.iloc[:, -1].isna().all()
    assert columns["phenotype"].iloc[-1] == "NA"
    assert set(columns["cohort"]) == {"'=cmd()"}
    assert "nan" not in text
