"""Identifiers recognised by their spelling."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.genes.table import ensembl_gene_id, entrez_id, is_excel_date, is_excel_serial


@given(st.integers(0, 10**11 - 1), st.integers(1, 30), st.sampled_from(["", "_PAR_Y", "_2", "_2_PAR_Y"]))
def test_ensembl_gene_id_drops_version_and_marks(number: int, version: int, mark: str) -> None:
    bare = f"ENSG{number:011d}"
    assert ensembl_gene_id(bare) == ensembl_gene_id(f"{bare}.{version}{mark}") == bare


@pytest.mark.parametrize(
    "name",
    ["ENSMUSG00000060971", "ENST00000376809", "ENSG0000020650", "ENSG000002065033", "ENSG00000206503.x", ""],
)
def test_ensembl_gene_id_refuses_other_ids(name: str) -> None:
    assert ensembl_gene_id(name) is None


@pytest.mark.parametrize("name", ["0", "-1", "1.5", "1e5", "007", "LOC", "LOC12x", "12345678901", ""])
def test_entrez_id_refuses_other_numbers(name: str) -> None:
    assert entrez_id(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "1-Mar",
        "01-Mar",
        "1-mar",
        "Mar-01",
        "Sep-02",
        "1-Mar-20",
        "2001-03-01",
        "2001-03-01 00:00:00",
        "3/1/2001",
        "01.03.2001",
    ],
)
def test_is_excel_date_knows_the_usual_formats(name: str) -> None:
    assert is_excel_date(name)


@pytest.mark.parametrize(
    "name", ["MARCH1", "MARCH-I", "SEPT2", "DEC1", "Mar", "2001-03", "1-Foo", "3/1.2001", ""]
)
def test_is_excel_date_leaves_symbols(name: str) -> None:
    assert not is_excel_date(name)


@given(st.dates(date(1990, 1, 1), date(2040, 12, 31)))
def test_is_excel_serial_is_true_on_days_named_like_genes(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    named = (day.month, day.day) in {(3, n) for n in range(1, 12)} | {(9, n) for n in range(1, 16)} | {
        (12, 1)
    }
    assert is_excel_serial(str(serial)) is named


def test_is_excel_serial_counts_as_spreadsheets_do() -> None:
    assert is_excel_serial("43891")  # 1 March 2020
    assert date(1899, 12, 30) + timedelta(days=43891) == date(2020, 3, 1)
    assert not is_excel_serial("61")  # 1 March 1900
