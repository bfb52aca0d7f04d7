"""Sample sheets: text stays text, doubtful cells are flagged, wrong ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputFaultsError,
    SampleSheetInvalidError,
)
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code
from escape_score.pipeline.profiles import in_english
from escape_score.read.sheet import SampleSheet, join_sheet, read_sample_sheet, response_of


def read(folder: Path, text: str, *, encoding: str = "utf-8") -> SampleSheet:
    path = folder / "s.tsv"
    path.write_bytes(text.encode(encoding))
    return read_sample_sheet(path)


def flags_of(sheet: SampleSheet) -> set[tuple[str, Code]]:
    return {(sample, note.code) for sample, note in sheet.flags.by_sample}


def test_read_sample_sheet_reads_every_column(tmp_path: Path) -> None:
    header = (
        "sample_id\tpatient_id\ttimepoint\tcancer_type\tresponse\tos_days\tos_event\tpfs_days\tpfs_event\tpurity"
        "\tmsi\ttmb\tpdl1_ihc\tsite\tmine"
    )
    row = "001\t7\tpre\tSKCM\tPartial Response\t607.0\t1\t90\tFALSE\t0.35\tMSS\t12.5\t>50 %\tLung\tx"
    assert read(tmp_path, f"{header}\n{row}\n").records == (
        SampleRecord(
            "001", "7", "pre", "SKCM", "R", 607.0, True, 90.0, False, 0.35, "MSS", 12.5, ">50 %", "Lung"
        ),
    )


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read_sample_sheet_reads_dialects(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    lines = [["Sample_ID", "site"], ["NA", "Köln"], ["1e5", ""], []]
    sheet = read(tmp_path, end.join(delimiter.join(line) for line in lines), encoding=encoding)
    assert sheet.records == (SampleRecord("NA", site="Köln"), SampleRecord("1e5"))


@pytest.mark.parametrize(
    ("word", "response"),
    [
        ("R", "R"), ("CR", "R"), ("partial response", "R"), ("CR/PR", "R"), ("Responder", "R"),
        ("NR", "NR"), ("SD", "NR"), ("Progressive Disease", "NR"), ("non-responder", "NR"), ("pd", "NR"),
        ("NE", ""), ("not evaluable", ""), ("maybe", None), ("long-survival", None),
    ],
)  # fmt: skip
def test_response_of_knows_words(word: str, response: str | None) -> None:
    assert response_of(word) == response


@pytest.mark.parametrize(
    ("column", "cell", "flag"),
    [
        ("response", "maybe", Code.UNKNOWN_LABEL),
        ("os_days", "-3", Code.BAD_SURVIVAL),
        ("pfs_days", "soon", Code.BAD_SURVIVAL),
        ("os_days", "inf", Code.BAD_SURVIVAL),
        ("os_event", "dead", Code.BAD_SURVIVAL),
        ("purity", "70", Code.PURITY_OUT_OF_RANGE),
        ("purity", "-0.1", Code.PURITY_OUT_OF_RANGE),
    ],
)
def test_read_sample_sheet_flags_and_leaves_out(tmp_path: Path, column: str, cell: str, flag: Code) -> None:
    sheet = read(tmp_path, f"sample_id\t{column}\nA\t{cell}\nB\t\n")
    assert flags_of(sheet) == {("A", flag)}
    assert sheet.records == (SampleRecord("A"), SampleRecord("B"))


@pytest.mark.parametrize("column", ["os_event", "pfs_event"])
def test_read_sample_sheet_refuses_events_coded_one_two(tmp_path: Path, column: str) -> None:
    said = rf"s\.tsv: {column} is coded 1/2 \(sample B, line 3\); code it 0/1"
    with pytest.raises(SampleSheetInvalidError, match=said):
        read(tmp_path, f"sample_id\t{column}\nA\t1\nB\t2\nC\t\n")


def test_read_sample_sheet_flags_event_that_is_no_word_for_one(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tos_event\nA\tdead\nB\t1\n")
    assert [record.os_event for record in sheet.records] == [None, True]
    assert flags_of(sheet) == {("A", Code.BAD_SURVIVAL)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n ,,\n", "empty"),
        ("sample_id\tsite\n", "empty below its header"),
        ("sample\tsite\nA\tLung\n", "no column sample_id .*sample, site"),
        ("sample_id\tsite\tsite\nA\tx\ty\n", "duplicate columns"),
        ("sample_id\tsite\nA\n", "line 2 has 1 fields"),
        ("sample_id\tsite\nA\tx\ty\n", "line 2 has 3 fields"),
        ("sample_id\tsite\n\tx\n", r"sample_id is empty \(line 2\)"),
        ("sample_id\tresponse\nA\tR\nB\tR\nA\tNR\n", r"duplicate rows of sample A conflict \(lines 2, 4\)"),
        ("sample_id\ttmb\nA\tmany\n", r"tmb 'many' is no number \(sample A, line 2\)"),
        ("sample_id\ttmb\nA\t-1\n", "tmb"),
        ("sample_id\tpurity\nA\thigh\n", "purity"),
    ],
)
def test_read_sample_sheet_refuses(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SampleSheetInvalidError, match=said) as caught:
        read(tmp_path, text)
    assert "s.tsv" in str(caught.value)


def test_read_sample_sheet_tells_all_faults(tmp_path: Path) -> None:
    with pytest.raises(InputFaultsError) as caught:
        read(tmp_path, "sample_id\ttmb\tpurity\nA\tx\ty\nB\t1\t1\nB\t2\t1\n")
    assert len(caught.value.lines) == 3


def test_read_sample_sheet_refuses_what_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match="not found"):
        read_sample_sheet(tmp_path / "none.tsv")
    with pytest.raises(FileUnreadableError, match="not a regular file"):
        read_sample_sheet(tmp_path)
    with pytest.raises(FileUnreadableError, match="no text file"):
        read(tmp_path, "sample_id\x00")


def test_read_sample_sheet_keeps_one_of_equal_rows(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tsite\nA\tx\nA\tx\n")
    assert sheet.records == (SampleRecord("A", site="x"),)
    assert [note.code for note in sheet.flags.cohort] == [Code.SHEET_DUPLICATE_ROWS]


def test_join_sheet_follows_the_matrix(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tsite\tpurity\nB\tx\t9\nghost\ty\t8\nA \tz\t\n")
    records, flags = join_sheet(sheet, ("A", "C", "B "))
    assert records == (SampleRecord("A", site="z"), SampleRecord("C"), SampleRecord("B ", site="x"))
    assert [note.code for note in flags.cohort] == [Code.SHEET_ROWS_UNUSED]
    assert "ghost" in in_english(flags.cohort[0])
    assert [(sample, note.code) for sample, note in flags.by_sample] == [
        ("B ", Code.PURITY_OUT_OF_RANGE),
        ("C", Code.NO_METADATA),
    ]


def test_join_sheet_refuses_sheet_of_other_samples(tmp_path: Path) -> None:
    with pytest.raises(SampleSheetInvalidError, match="no sample_id in common"):
        join_sheet(read(tmp_path, "sample_id\nX\n"), ("A", "B"))


def test_join_sheet_needs_no_sheet() -> None:
    records, flags = join_sheet(None, ("A", "B"))
    assert records == (SampleRecord("A"), SampleRecord("B"))
    assert (flags.cohort, flags.by_sample) == ((), ())


@given(
    st.permutations(["A", "00123", "NA", "1e5", "TRUE"]), st.permutations(["A", "00123", "NA", "1e5", "TRUE"])
)
def test_join_sheet_order_of_rows_does_not_matter(rows: list[str], samples: list[str]) -> None:
    sheet = SampleSheet("s.tsv", tuple(SampleRecord(row, site=f"of {row}") for row in rows))
    records, _ = join_sheet(sheet, samples)
    assert [(record.sample_id, record.site) for record in records] == [
        (name, f"of {name}") for name in samples
    ]
