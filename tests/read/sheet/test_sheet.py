"""Sample sheets: text stays text, doubtful cells are flagged, wrong ones refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputFaultsError,
    SampleSheetInvalidError,
    UsageError,
)
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, NoteLog
from escape_score.pipeline.profiles import in_english
from escape_score.read.sheet import (
    SampleSheet,
    join_sheet,
    open_sheet,
    read_sample_sheet,
    require_named,
    response_of,
)
from escape_score.read.sheet.cells import sample_type_of
from escape_score.read.sheet.columns import KNOWN, MAX_GROUP_COLUMNS, group_columns
from escape_score.read.sheet.sheet import respelt_ids


def read(
    folder: Path, text: str, *, encoding: str = "utf-8", columns: Mapping[str, str] = MappingProxyType({})
) -> SampleSheet:
    path = folder / "s.tsv"
    path.write_bytes(text.encode(encoding))
    return read_sample_sheet(path, columns)


def only(folder: Path, text: str, **options: Any) -> SampleRecord:  # noqa: ANN401
    """The record of a sheet of one sample."""
    (record,) = read(folder, text, **options).records
    return record


def flags_of(sheet: SampleSheet) -> set[tuple[str, Code]]:
    return {(sample, note.code) for sample, note in sheet.flags.by_sample}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["51.5", "62", "70", ""], [51.5, 62.0, 70.0, None]),
        (["1", "2", "1", "2"], ["1", "2", "1", "2"]),
        (["A", "B", "C", "D"], ["A", "B", "C", "D"]),
    ],
)
def test_a_column_that_is_named_is_kept_as_numbers_or_labels(
    values: list[str], kept: list[str | float | None]
) -> None:
    table = pd.DataFrame({"sample_id": [*"abcd"], "mine": values})
    sheet = open_sheet(table, {"mine": "mine"})
    assert sheet is not None
    assert [record.known.get("mine") for record in sheet.records] == kept


def test_free_text_is_not_kept_and_a_missing_column_is_refused() -> None:
    ids = [f"s{at}" for at in range(30)]
    table = pd.DataFrame({"sample_id": ids, "remarks": [f"text {at}" for at in range(30)], "age": range(30)})
    for name, problem in (("remarks", "no column 'remarks'"), ("agee", "did you mean 'age'")):
        sheet = open_sheet(table, {name: name})
        records, _ = join_sheet(sheet, ids)
        assert all(name not in record.known for record in records)
        with pytest.raises(UsageError, match=problem):
            require_named({name: name}, records, sheet)


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
        ("DCB", "R"), ("NDB", "NR"), ("Durable clinical benefit", "R"), ("no durable benefit", "NR"),
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
        ("os_event", "perhaps", Code.BAD_SURVIVAL),
        ("os_event", "0:DECEASED", Code.BAD_SURVIVAL),
        ("os_months", "-3", Code.BAD_SURVIVAL),
        ("sample_type", "plasma", Code.UNKNOWN_LABEL),
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
    sheet = read(tmp_path, "sample_id\tos_event\nA\tperhaps\nB\t1\n")
    assert [record.os_event for record in sheet.records] == [None, True]
    assert flags_of(sheet) == {("A", Code.BAD_SURVIVAL)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n ,,\n", "empty"),
        ("sample_id\tsite\n", "empty below its header"),
        ("tube\tsite\nA\tLung\n", "no column sample_id .*tube, site.*--map sample_id=COLUMN"),
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


def said(flags: NoteLog, code: Code) -> str:
    (one,) = (note for note in flags.cohort if note.code is code)
    return in_english(one)


@pytest.mark.parametrize(
    "name",
    ["sample_id", "Sample_ID", "SampleID", "sample", "Sample", "sample id", "samples", "", "Unnamed: 0"],
)
def test_sample_ids_are_found_by_their_usual_names(tmp_path: Path, name: str) -> None:
    assert only(tmp_path, f"{name}\tsite\nA\tx\n") == SampleRecord("A", site="x")


def test_sample_ids_may_be_row_names_of_r(tmp_path: Path) -> None:
    assert read(tmp_path, "site\tmsi\nA\tx\tMSS\nB\ty\tMSS\n").records == (
        SampleRecord("A", site="x", msi="MSS"),
        SampleRecord("B", site="y", msi="MSS"),
    )


def test_the_exact_name_goes_before_others(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample\tsample_id\nlane\tA\n")
    assert sheet.records == (SampleRecord("A"),)
    assert "(1): sample (sample_id?)" in said(sheet.flags, Code.SHEET_COLUMNS_UNUSED)


@pytest.mark.parametrize(
    ("column", "days"),
    [
        ("os_days", 2.0), ("OS_MONTHS", 60.875), ("OS (months)", 60.875), ("os_years", 730.5),
        ("Overall survival (months)", 60.875), ("os months", 60.875),
    ],
)  # fmt: skip
def test_survival_is_in_days_months_or_years(tmp_path: Path, column: str, days: float) -> None:
    assert only(tmp_path, f"sample_id\t{column}\nA\t2\n").os_days == pytest.approx(days)
    named = column.replace("OS", "PFS").replace("os", "pfs").replace("Overall", "Progression-free")
    assert only(tmp_path, f"sample_id\t{named}\nA\t2\n").pfs_days == pytest.approx(days)


@pytest.mark.parametrize(
    ("word", "event"),
    [
        ("1:DECEASED", True), ("0:LIVING", False), ("Dead", True), ("alive", False), ("DECEASED", True),
        ("1", True), ("0", False), ("censored", False), ("1:PROGRESSION", True),
        ("0:CENSORED", False), ("", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("column", ["os_event", "OS_STATUS", "vital_status", "status", "dead", "Vital"])
def test_events_are_words_or_digits(tmp_path: Path, column: str, word: str, event: bool | None) -> None:
    assert only(tmp_path, f"sample_id\t{column}\nA\t{word}\n").os_event is event


def test_lines_above_the_header_of_cbioportal_are_left_out(tmp_path: Path) -> None:
    above = "#Patient Identifier\tSample Identifier\tOverall, Survival\n#STRING\tSTRING\tNUMBER\n#1\t1\t1\n"
    text = f"{above}PATIENT_ID\tSAMPLE_ID\tOS_MONTHS\nP\tA\t2\n"
    assert only(tmp_path, text) == SampleRecord("A", patient_id="P", os_days=60.875)
    with pytest.raises(SampleSheetInvalidError, match=r"\(line 5\)"):
        read(tmp_path, text.replace("\tA\t", "\t\t"))


def test_measurements_are_no_groups(tmp_path: Path) -> None:
    rows = [f"S{i}\t{i % 2 + 1}\t{i % 2 + 0.5}\t{i % 6}" for i in range(12)]
    sheet = read(tmp_path, "\n".join(["sample_id\tgrade\tscore\tcount", *rows]))
    assert {record.groups for record in sheet.records} == {(("grade", "1"),), (("grade", "2"),)}


def test_a_status_of_something_else_is_not_survival(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tstatus\nA\tprimary\nB\tdead\n")
    assert [record.os_event for record in sheet.records] == [None, None]
    assert flags_of(sheet) == set()


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Primary Tumor", "tumour"), ("tumour", "tumour"), ("Metastatic", "tumour"), ("01", "tumour"),
        ("1", "tumour"), ("06", "tumour"), ("Solid Tissue Normal", "normal"),
        ("adjacent normal tumor bed", "normal"),
        ("11", "normal"), ("cell line", "cell line"), ("Cell-Line", "cell line"), ("", ""),
    ],
)  # fmt: skip
def test_sample_types_are_words_or_codes(tmp_path: Path, word: str, kind: str) -> None:
    assert only(tmp_path, f"sample_id\tsample_type\nA\t{word}\n").sample_type == kind


@pytest.mark.parametrize(
    ("sample_id", "kind"),
    [
        ("TCGA-A6-2675-01", "tumour"), ("TCGA-A6-2675-11A-01R-1723-07", "normal"),
        ("TCGA.A6.2675.06B", "tumour"),
        ("TCGA-A6-2675", ""), ("P-01", ""), ("TCGA-A6-2675-20A", ""),
    ],
)  # fmt: skip
def test_sample_types_are_read_from_barcodes(tmp_path: Path, sample_id: str, kind: str) -> None:
    assert join_sheet(None, (sample_id,))[0][0].sample_type == kind
    empty = read(tmp_path, f"sample_id\tsample_type\n{sample_id}\t\n")
    assert join_sheet(empty, (sample_id,))[0][0].sample_type == kind
    own = read(tmp_path, f"sample_id\tsample_type\n{sample_id}\tcell line\n")
    assert join_sheet(own, (sample_id,))[0][0].sample_type == "cell line"


@pytest.mark.parametrize(
    "ours",
    [
        "P-1.bam", "P-1.sorted.bam", "/data/run 2/P-1.bam", "C:\\bams\\P-1.bam", "P.1",
        "P-1Aligned.sortedByCoord.out.bam",
        "P-1_Aligned.out.bam", "out/P.1.sorted.dedup.bam",
    ],
)  # fmt: skip
def test_ids_that_differ_in_spelling_are_matched_and_named(tmp_path: Path, ours: str) -> None:
    sheet = read(tmp_path, "sample_id\tsite\nP-1\tx\nQ\ty\n")
    for theirs, mine in (("P-1", ours), (ours, "P-1")):
        changed = SampleSheet("s.tsv", (SampleRecord(theirs, site="x"), *sheet.records[1:]))
        records, flags = join_sheet(changed, (mine, "Q"))
        assert records == (SampleRecord(mine, site="x"), SampleRecord("Q", site="y"))
        assert f"Sample ids matched in spite of a different spelling (1): {theirs} = {mine}" in said(
            flags, Code.SHEET_IDS_RESPELT
        )
        assert flags.by_sample == ()


def test_the_x_of_r_is_no_part_of_an_id(tmp_path: Path) -> None:
    records, _ = join_sheet(read(tmp_path, "sample_id\tsite\n01-A\tx\nX\ty\n"), ("X01.A", "X"))
    assert [record.site for record in records] == ["x", "y"]


def test_ids_that_could_be_several_are_not_matched(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tsite\nP-1\tx\nP.1\ty\nQ\tz\n")
    records, flags = join_sheet(sheet, ("a/P-1.bam", "Q"))
    assert [record.site for record in records] == ["", "z"]
    assert {note.code for note in flags.cohort} == {Code.SHEET_ROWS_UNUSED}
    two = read(tmp_path, "sample_id\tsite\nP-1\tx\nQ\tz\n")
    records, _ = join_sheet(two, ("a/P-1.bam", "b/P-1.bam", "Q"))
    assert [record.site for record in records] == ["", "", "z"]
    records, _ = join_sheet(two, ("P-1", "b/P-1.bam", "Q"))
    assert [record.site for record in records] == ["x", "", "z"]


def test_flags_of_respelt_ids_keep_their_sample(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tpurity\nP-1\t7\n")
    _, flags = join_sheet(sheet, ("P-1.bam",))
    assert [(name, note.code) for name, note in flags.by_sample] == [("P-1.bam", Code.PURITY_OUT_OF_RANGE)]


def test_columns_that_are_not_read_are_named_once(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tbatch\tResponce\tPuirty\nA\t1\tR\t0.5\nB\t2\tNR\t0.4\n")
    text = said(sheet.flags, Code.SHEET_COLUMNS_UNUSED)
    assert "(3): Responce (response?), Puirty (purity?), batch." in text
    assert [record.response for record in sheet.records] == ["", ""]


def test_a_sheet_of_known_columns_has_no_note(tmp_path: Path) -> None:
    assert read(tmp_path, "Sample\tOS_MONTHS\tOS_STATUS\nA\t1\t1:DECEASED\n").flags == NoteLog()


def test_columns_are_named_by_the_user(tmp_path: Path) -> None:
    text = "Barcode\tsample\tBenefit\tfollow up\nA\tlane\tDCB\t2\n"
    columns = {"sample_id": "Barcode", "response": "benefit", "pfs_months": "follow up"}
    assert only(tmp_path, text, columns=columns) == SampleRecord("A", response="R", pfs_days=60.875)


def test_a_column_named_by_the_user_replaces_the_one_of_that_name(tmp_path: Path) -> None:
    sheet = read(tmp_path, "sample_id\tsite\torgan\nA\tx\tlung\n", columns={"site": "organ"})
    assert sheet.records == (SampleRecord("A", site="lung"),)
    assert "(1): site" in said(sheet.flags, Code.SHEET_COLUMNS_UNUSED)


def test_names_that_do_not_exist_are_refused_together(tmp_path: Path) -> None:
    columns = {"outcome": "x", "response": "Benefit", "site": "Organ"}
    with pytest.raises(InputFaultsError) as caught:
        read(tmp_path, "sample_id\tsite\nA\tx\ny\n", columns=columns)
    unknown, *missing, width = caught.value.lines
    assert unknown.startswith("--map outcome=x: unknown column 'outcome'; use one of sample_id")
    assert all(name in unknown for name in KNOWN)
    assert [line.split("(--map")[0] for line in missing] == [
        f"{tmp_path}/s.tsv: no column 'Benefit' ",
        f"{tmp_path}/s.tsv: no column 'Organ' ",
    ]
    assert all("'sample_id', 'site'" in line for line in missing)
    assert "line 3 has 1 fields" in width


def test_other_columns_may_be_groups(tmp_path: Path) -> None:
    rows = [
        f"S{i}\tP{i // 2}\t{'AB'[i // 2 % 2]}\tname of {i // 2}\t19{50 + i // 2}-01-02\tsame\t{i}"
        for i in range(8)
    ]
    header = "sample_id\tpatient_id\tarm\tname\tborn\torgan\tnumber"
    sheet = read(tmp_path, "\n".join([header, *rows]))
    assert [record.groups for record in sheet.records[::2]] == [(("arm", arm),) for arm in "ABAB"]
    assert "(5): arm, name, born, organ, number" in said(sheet.flags, Code.SHEET_COLUMNS_UNUSED)


def test_so_many_groups_are_kept(tmp_path: Path) -> None:
    names = [f"group {i}" for i in range(30)]
    rows = ["\t".join([f"S{i}", *("ab"[i % 2] for _ in names)]) for i in range(4)]
    sheet = read(tmp_path, "\n".join(["\t".join(["sample_id", *names]), *rows]))
    assert [name for name, _ in sheet.records[0].groups] == names[:MAX_GROUP_COLUMNS]


def test_workbooks_are_read_as_text_is(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"Sample_ID": ["001", "B"], "OS_MONTHS": [2, 4.5], "site": ["Köln", None], "age": [5, 7]}
    )
    path = tmp_path / "s.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"about": ["this study"]}).to_excel(book, sheet_name="read me", index=False)
        table.to_excel(book, sheet_name="samples", index=False)
    table.to_csv(tmp_path / "s.csv", index=False)
    workbook, text = read_sample_sheet(path), read_sample_sheet(tmp_path / "s.csv")
    assert workbook.records == text.records
    assert workbook.records[0] == SampleRecord("001", site="Köln", os_days=60.875)
    assert workbook.flags == text.flags


def test_workbooks_with_faults_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.xlsx"
    with pd.ExcelWriter(path) as book:
        for name in ("one", "two"):
            pd.DataFrame({"sample_id": ["A"]}).to_excel(book, sheet_name=name, index=False)
    with pytest.raises(SampleSheetInvalidError, match=r"s\.xlsx: several sheets .*'one', 'two'"):
        read_sample_sheet(path)
    pd.DataFrame({"tube": ["A"]}).to_excel(path, index=False)
    with pytest.raises(SampleSheetInvalidError, match=r"s\.xlsx: .*no column sample_id \(columns: tube\)"):
        read_sample_sheet(path)
    pd.DataFrame().to_excel(path, index=False)
    with pytest.raises(SampleSheetInvalidError, match="empty"):
        read_sample_sheet(path)
    path.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(FileUnreadableError, match="damaged"):
        read_sample_sheet(path)


def test_tables_in_memory_have_the_same_names() -> None:
    table = pd.DataFrame({"SampleID": ["A"], "OS_STATUS": ["1:DECEASED"], "who": ["x"]})
    sheet = open_sheet(table, {"site": "who"})
    assert sheet is not None
    assert sheet.records == (SampleRecord("A", os_event=True, site="x"),)
    by_index = open_sheet(table.set_index("SampleID"))
    assert by_index is not None
    assert by_index.records == (SampleRecord("A", os_event=True),)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["B/T1", "A/T2"], ["A/T1", "B/T2"]),
        (["P1/pre"], ["P2/pre"]),
        (["P1-CD8-"], ["P1-CD8+"]),
        (["患者一"], ["患者二"]),
    ],
)
def test_ids_of_two_patients_are_never_one(theirs: list[str], ours: list[str]) -> None:
    assert respelt_ids(theirs, ours) == {}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("patient name", ["Ada", "Ada", "Bo", "Bo", "Cy", "Cy"]),
        ("visit day", ["2020-01-02", "2020-01-02", "2021-03-04", "2021-03-04", "", ""]),
        ("grade", ["low", "low", "high", "high", "high", "rare finding of one patient"]),
    ],
)
def test_what_may_identify_a_patient_is_no_group(name: str, values: list[str]) -> None:
    patients = [f"P{at}" for at in range(6)]
    assert group_columns({name: values}, patients) == ()
    assert group_columns({"arm": ["a", "a", "b", "b", "b", "a"]}, patients) == ("arm",)


@pytest.mark.parametrize("word", ["Non-tumor", "tumor-free", "not tumour", "primary tumour, no normal"])
def test_sample_type_is_not_guessed_where_a_word_is_denied(word: str) -> None:
    assert sample_type_of(word) is None


def test_sample_type_takes_single_letters_alone_only() -> None:
    assert (sample_type_of("T"), sample_type_of("N"), sample_type_of("T cell")) == ("tumour", "normal", None)


def test_response_of_takes_no_word_with_a_number() -> None:
    assert response_of("R0") is None
    assert response_of("R") == "R"
