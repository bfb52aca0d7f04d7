"""The workbook of a result, read back by openpyxl and pandas."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, adjusted, modelled, statistics

from escape_score.cli import main
from escape_score.errors import UsageError
from escape_score.export.tables import ResultTables, read_tables
from escape_score.export.xlsx import FILE, xlsx_files
from escape_score.model.record_statistics import EstimateName, FTest

Workbook = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def book(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("xlsx") / "o"
    assert main(["export", str(finished), "--format", "xlsx", "--out", str(out)]) == 0
    return out / FILE


def test_sheets_have_the_tables_of_the_result(book: Path, finished: Path) -> None:
    sheets: Workbook = pd.read_excel(book, sheet_name=None)
    assert list(sheets) == ["profiles", "scores", "qc", "columns", "statistics"]
    for name in ("profiles", "scores"):
        real = pd.read_parquet(finished / f"{name}.parquet")
        real = real.mask(real == "")
        pd.testing.assert_frame_equal(sheets[name], real, check_dtype=False, rtol=1e-12)
    qc = pd.read_csv(finished / "qc.tsv", sep="\t")
    pd.testing.assert_frame_equal(sheets["qc"], qc, check_dtype=False)
    columns = sheets["columns"]
    listed = columns.loc[columns["table"] == "profiles", "column"].tolist()
    assert listed == list(sheets["profiles"])
    assert columns["meaning"].notna().all()
    assert list(sheets["statistics"])[:2] == ["comparison", "measure"]


def test_numbers_are_numbers_and_the_header_stays_in_view(book: Path) -> None:
    page = openpyxl.load_workbook(book)["profiles"]
    header = [cell.value for cell in page[1]]
    assert page.freeze_panes == "B2"
    assert page["A1"].font.bold
    column = header.index("immunoresistance_index") + 1
    assert all(page.cell(row, column).data_type == "n" for row in range(2, page.max_row + 1))
    assert page.column_dimensions["A"].width >= 11


def test_same_result_gives_the_same_bytes(finished: Path) -> None:
    tables = read_tables(finished)
    first = xlsx_files(finished, tables)[FILE]
    time.sleep(2.1)  # a zip file counts time in steps of two seconds
    assert xlsx_files(finished, tables)[FILE] == first


def test_no_text_is_a_formula_or_breaks_the_file(
    hostile: ResultTables, finished: Path, tmp_path: Path
) -> None:
    names = ["=cmd()", "+1+1", "@x", "-12", "a\x07b", "é 样", "#N/A", "x" * 200]
    profiles = hostile.profiles.set_index(pd.Index(names, name="sample_id"))
    scores = hostile.scores.set_index(profiles.index)
    made = xlsx_files(finished, ResultTables("=cmd()", "1", profiles, scores))[FILE]
    (tmp_path / FILE).write_bytes(made)
    page = openpyxl.load_workbook(tmp_path / FILE)["profiles"]
    assert all(cell.data_type != "f" for row in page.iter_rows() for cell in row)
    assert [row[0].value for row in page.iter_rows(min_row=2)] == [
        *("'=cmd()", "'+1+1", "'@x", "-12", "a\\u0007b", "é 样", "#N/A", "x" * 200),
    ]
    assert {row[1].value for row in page.iter_rows(min_row=2)} == {"'=cmd()"}


def test_models_are_beside_the_unadjusted_numbers(finished: Path, tmp_path: Path) -> None:
    test = FTest(f=3.4, df_groups=2, df_residual=22, p_value=0.01, q_value=0.02)
    groups = GROUPS.rows[0].model_copy(update={"adjusted": adjusted(EstimateName.ETA_SQUARED, test)})
    models = {"adjusted": adjusted(EstimateName.HAZARD_RATIO), "interaction": modelled(1.5, 0.3)}
    found = statistics(
        response=RESPONSE,
        survival=(SURVIVAL.model_copy(update={"rows": (SURVIVAL.rows[0].model_copy(update=models),)}),),
        comparisons=(GROUPS.model_copy(update={"rows": (groups,)}),),
    )
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    (copy / "cohort.json").write_text(found.model_dump_json(), encoding="utf-8")
    (tmp_path / FILE).write_bytes(xlsx_files(copy, read_tables(finished))[FILE])
    page = openpyxl.load_workbook(tmp_path / FILE)["statistics"]
    header, *rows = (tuple(row) for row in page.iter_rows(values_only=True))
    of_groups, *of_response, of_survival = (dict(zip(header, row, strict=True)) for row in rows)
    assert of_groups["adjusted_for"] == "purity, site\u202e"
    assert (of_groups["adjusted_value"], of_groups["adjusted_n"]) == (0.254, 27)
    assert (of_groups["adjusted_p_value"], of_groups["adjusted_q_value"]) == (0.01, 0.02)
    assert of_groups["interaction_with"] is None
    assert all(row["adjusted_for"] is row["adjusted_value"] is None for row in of_response)
    assert (of_survival["adjusted_low"], of_survival["adjusted_high"]) == (0.1, 0.5)
    assert of_survival["adjusted_p_value"] is None
    assert of_survival["interaction_with"] == "<b>arm"
    assert of_survival["interaction_ratios"] == "B / A: 1.5 [0.5, 3]"
    assert (of_survival["interaction_n"], of_survival["interaction_q_value"]) == (28, 0.3)


def test_an_older_result_without_dictionary_is_exported_too(finished: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    (copy / "columns.json").unlink()
    (copy / "cohort.json").unlink()
    (tmp_path / FILE).write_bytes(xlsx_files(copy, read_tables(finished))[FILE])
    sheets: Workbook = pd.read_excel(tmp_path / FILE, sheet_name=None)
    assert list(sheets) == ["profiles", "scores", "qc", "columns"]
    assert sheets["columns"].empty


def test_more_columns_than_a_sheet_holds_are_refused(finished: Path, tables: ResultTables) -> None:
    wide = pd.DataFrame(np.zeros((1, 16_384)), index=pd.Index(["a"], name="sample_id"))
    with pytest.raises(UsageError, match="scores has 16385 columns, and a sheet 16384 at most"):
        xlsx_files(finished, ResultTables("c", "1", tables.profiles, wide))
