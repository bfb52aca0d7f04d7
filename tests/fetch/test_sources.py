"""The tables of public matrices: the shipped one, and one of the user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fetch.conftest import ROW, table_of

from escape_score.errors import FileUnreadableError, UsageError, attempt
from escape_score.library.files import resource_path
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.units import ExpressionUnit
from escape_score.reference.sources import (
    COLUMNS,
    USER_TABLE,
    find_public_matrix,
    public_matrices,
    read_public_matrices,
)

URL = "https://hub.example/file.tsv.gz"
VALID = ROW | {"urls": URL}
cells = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\t\r\n"), max_size=12)


def test_shipped_table_has_every_project_with_two_addresses() -> None:
    shipped = read_public_matrices(resource_path("reference", "sources.tsv"))
    codes = {one.type: " ".join(one.sample_codes) for one in shipped}
    assert len(codes) == 33
    assert {code: taken for code, taken in codes.items() if taken != "01"} == {"LAML": "03", "SKCM": "01 06"}
    names = load_tumour_types().names
    for one in shipped:
        assert one.name == f"gdc-{one.type.lower()}"
        assert one.project == f"TCGA-{one.type}"
        assert one.tumour_type in names.values()
        assert len(one.types) == 1
        file = f"download/TCGA-{one.type}.star_tpm.tsv.gz"
        hubs = ("https://gdc-hub.s3.us-east-1.amazonaws.com", "https://gdc.xenahubs.net")
        assert one.urls == tuple(f"{hub}/{file}" for hub in hubs)
        assert (one.unit, one.first_column) == (ExpressionUnit.LOG2_PLUS_1, "Ensembl_ID")
        assert "doi:10.1038/s41587-020-0546-8" in one.citation


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SKCM", "SKCM"),
        ("skcm", "SKCM"),
        ("gdc-skcm", "SKCM"),
        ("TCGA-SKCM", "SKCM"),
        ("melanoma", "SKCM"),
        ("mélanome", "SKCM"),
        ("uveal melanoma", "UVM"),
        ("COAD", "COAD"),
        ("tcga-read", "READ"),
        ("ccRCC", "KIRC"),
        ("lung adenocarcinoma", "LUAD"),
    ],
)
def test_names_of_a_type_find_its_matrix(text: str, found: str) -> None:
    assert find_public_matrix(text).type == found


@pytest.mark.parametrize(
    ("text", "several"),
    [("lung", "LUAD .*LUSC"), ("colorectal", "COAD .*READ"), ("RCC", "KICH .*KIRC .*KIRP")],
)
def test_name_of_several_types_is_refused_with_them(text: str, several: str) -> None:
    with pytest.raises(UsageError, match=f"'{text}' names several matrices; give one of {several}"):
        find_public_matrix(text)


@pytest.mark.parametrize("text", ["", "  ", "SCLC", "nothing of the kind"])
def test_unknown_type_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"has no known matrix; give one of ACC, BLCA, .*, UVM, or add a row to "
    ):
        find_public_matrix(text)


def test_rows_of_the_user_are_added_and_win(write_sources: Callable[..., Path]) -> None:
    write_sources(URL)
    assert len(public_matrices()) == 34
    assert find_public_matrix("demo").urls == (URL,)
    write_sources(URL, type="skcm", name="gdc-skcm")
    assert len(public_matrices()) == 33
    assert find_public_matrix("cutaneous melanoma").urls == (URL,)


def test_two_types_with_one_name_are_refused(write_sources: Callable[..., Path]) -> None:
    data = write_sources(URL, name="gdc-skcm")
    with pytest.raises(
        FileUnreadableError, match=f"^{data / USER_TABLE}: column name: two rows have 'gdc-skcm'"
    ):
        public_matrices()


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("type", "", "not one word"),
        ("name", "../x", "not a name of letters"),
        ("tumour_type", "", "not filled in"),
        ("urls", "", "at least 1 item"),
        ("urls", "ftp://hub.example/x", "not an address that begins with https:// or http://"),
        ("urls", "https://me:secret@hub.example/x", "must not contain a user name or password"),
        ("urls", "http://[", "Invalid IPv6 URL"),
        ("unit", "kg", "Input should be 'auto', 'counts'"),
        ("unit", "auto", "must be named"),
        ("sample_codes", "01 11", "not a sample type of a tumour"),
        ("min_samples", "9", "greater than or equal to 10"),
        ("max_mb", "much", "valid integer"),
        ("max_mb", "5000", "less than or equal to 4096"),
        ("sha256", "abc", "not a sha256"),
    ],
)
def test_cell_that_cannot_be_used_is_named(column: str, cell: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.tsv"
    path.write_text(table_of(VALID, VALID | {"type": "B", column: cell}), encoding="utf-8")
    with pytest.raises(FileUnreadableError) as caught:
        read_public_matrices(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: line 3, column {column}, cell {cell!r}: ")
    assert problem in line
    assert line.endswith("; correct the cell")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: column type is missing; the columns are type, name, "),
        ("type\tcolour\n", "line 1: column name is missing"),
        (table_of(VALID).replace("assay", "colour"), "line 1: column 'colour' is not known"),
        (table_of(VALID).replace("assay", "citation"), "line 1: column citation is there twice"),
        (table_of(VALID) + "SKCM\n", "line 3 has not as many cells as the header; put one tab"),
        (table_of(VALID, VALID), "column type: two rows have 'DEMO'"),
        (table_of(VALID) + "x" * 200_000, "not a tab-separated table"),
    ],
)
def test_malformed_table_is_refused_in_one_line(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "sources.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileUnreadableError) as caught:
        read_public_matrices(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: {problem}")


def test_malformed_table_of_the_user_ends_with_one_line(
    write_sources: Callable[..., Path], refused: Callable[..., tuple[str, ...]]
) -> None:
    data = write_sources(URL, unit="kg")
    (line,) = refused(3, "reference", "fetch", "SKCM")
    assert line.startswith(f"error: {data / USER_TABLE}: line 2, column unit, cell 'kg': ")


@given(st.dictionaries(st.sampled_from(COLUMNS), cells))
def test_any_cells_are_understood_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, changed: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-sources.tsv"
    path.write_text(table_of(VALID | changed), encoding="utf-8", newline="")
    read = attempt(lambda: read_public_matrices(path))
    for fault in read.faults:
        assert len(fault.lines) == 1
        assert str(fault).startswith(f"{path}: ")
    row = VALID | changed
    for found in (one for matrices in read.results for one in matrices):
        for column in ("type", "name", "tumour_type", "project", "citation", "sha256"):
            assert getattr(found, column) == row.get(column, "").strip()
        assert list(found.urls) == row["urls"].split()
        assert list(found.sample_codes) == row["sample_codes"].split()
