"""Excel workbooks: which sheet is read, what its cells may hold, and workbooks made to do harm."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from escape_score.errors import FileUnreadableError, InputError, InputFaultsError, MatrixInvalidError
from escape_score.model.cohort import MatrixSource
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.read import ReadLimits, count_samples, read_cohort
from escape_score.read.files.limits import DEFAULT_LIMITS
from escape_score.read.formats.xlsx import XLSX
from escape_score.read.request import ReadRequest

MakeFrame = Callable[..., pd.DataFrame]
Rows = Sequence[Sequence[object]]

ROWS: Rows = [["gene", "A", "B"], ["CD8A", 1.5, 0], ["B2M", 250, 1000], ["GZMB", 0.25, 7]]
VALUES = [[1.5, 250.0, 0.25], [0.0, 1000.0, 7.0]]
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
TARGETS = {
    "worksheet": "worksheets/sheet1.xml",
    "sharedStrings": "sharedStrings.xml",
}
HEAD = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>gene</t></is></c>'
    '<c r="B1" t="inlineStr"><is><t>A</t></is></c></row>'
)


def write_book(path: Path, sheets: Mapping[str, Rows]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def relations(parts: Mapping[str, str]) -> str:
    rows = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(parts.items())
    )
    return f'<Relationships xmlns="{PACKAGE}">{rows}</Relationships>'


def write_raw(path: Path, sheet: str, *, prolog: str = "", shared: str = "", namespace: str = MAIN) -> Path:
    """A workbook of one sheet, its XML as given."""
    sheets = '<sheets><sheet name="S" sheetId="1" r:id="r0"/></sheets>'
    book = f'<workbook xmlns="{namespace}" xmlns:r="{OFFICE}">{sheets}</workbook>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", relations({"officeDocument": "xl/workbook.xml"}))
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", relations(TARGETS))
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{namespace}">{shared}</sst>')
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'{prolog}<worksheet xmlns="{namespace}"><sheetData>{sheet}</sheetData></worksheet>',
        )
    return path


def source_of(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> MatrixSource:
    return XLSX.open_matrix(path, ReadRequest(limits=limits)).source


def assert_plain(path: Path) -> None:
    source = source_of(path)
    assert source.sample_ids == ("A", "B")
    assert source.gene_ids == ("CD8A", "B2M", "GZMB")
    assert source.block(0, 2).tolist() == VALUES
    assert count_samples(path) == 2


def gene_row(number: int, *cells: str) -> str:
    name = f'<c r="A{number}" t="inlineStr"><is><t>CD8A</t></is></c>'
    return f'<row r="{number}">{name}{"".join(cells)}</row>'


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(ROWS, id="plain"),
        pytest.param([["Table S1: expression"], [], *ROWS], id="title above"),
        pytest.param([[], [], *([None, None, *row] for row in ROWS)], id="not at A1"),
        pytest.param(
            [[None, "Table S1"], [None, None, "by us"], [], *([None, *row] for row in ROWS)],
            id="titles, not at A1",
        ),
        pytest.param([[None, at, *row] for at, row in zip(["", 1, 2, 3], ROWS, strict=True)], id="numbered"),
        pytest.param([["probe", *ROWS[0]], *([f"x{at}", *row] for at, row in enumerate(ROWS[1:]))], id="ids"),
        pytest.param([[*row[1:], row[0]] for row in ROWS], id="genes last"),
        pytest.param([[*row, None, None] for row in ROWS], id="blank columns"),
        pytest.param([*ROWS, [], [None, " "]], id="blank rows"),
        pytest.param([[row[0], "text", *row[1:]] for row in ROWS], id="description"),
        pytest.param([[row[0], *map(str, row[1:])] for row in ROWS], id="numbers as text"),
    ],
)
def test_open_matrix_reads_sheet(tmp_path: Path, rows: Rows) -> None:
    assert_plain(write_book(tmp_path / "m.xlsx", {"S": rows}))


def test_open_matrix_refuses_workbook_named_like_text(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match=r"m\.csv: content is an Excel workbook"):
        source_of(write_book(tmp_path / "m.csv", {"S": ROWS}))


@pytest.mark.parametrize("name", ["m", "m.xls", "m.dat"])
def test_open_matrix_reads_workbook_of_any_other_name(tmp_path: Path, name: str) -> None:
    book = write_book(tmp_path / "book.xlsx", {"S": ROWS})
    assert_plain(book.rename(tmp_path / name))


def test_open_matrix_chooses_the_only_matrix(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {
        "README": [["made by us"], ["second line", "more"]],
        "clinical": [["sample_id", "age", "os_days"], ["A", 61, 300], ["B", 57, 20]],
        "expression": ROWS,
        "empty": [],
    }
    assert_plain(write_book(tmp_path / "m.xlsx", sheets))


def test_open_matrix_refuses_to_choose_between_matrices(tmp_path: Path) -> None:
    path = write_book(tmp_path / "m.xlsx", {"counts": ROWS, "notes": [["x"]], "tpm": ROWS})
    with pytest.raises(MatrixInvalidError, match=r"m\.xlsx: several sheets .*'counts', 'tpm'.* --sheet"):
        source_of(path)


@pytest.mark.parametrize("name", ["tpm 2", " TPM 2 "])
def test_open_matrix_reads_the_sheet_named(tmp_path: Path, name: str) -> None:
    doubled = [ROWS[0], *([gene, 2 * a, 2 * b] for gene, a, b in ROWS[1:])]  # type: ignore[operator]
    path = write_book(
        tmp_path / "m.xlsx", {"counts": doubled, "notes": [["x"]], "tpm 2": ROWS, "Tpm 3": ROWS}
    )
    source = XLSX.open_matrix(path, ReadRequest(sheet=name)).source
    assert source.block(0, 2).tolist() == VALUES
    assert count_samples(path, request=ReadRequest(sheet=name)) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fpkm", r"no sheet 'fpkm' \(sheets: 'counts', 'notes'\).* --sheet"),
        ("notes", "no sheet .* is a matrix"),
    ],
)
def test_open_matrix_refuses_a_sheet_that_is_no_matrix(tmp_path: Path, name: str, said: str) -> None:
    path = write_book(tmp_path / "m.xlsx", {"counts": ROWS, "notes": [["x"]]})
    with pytest.raises(MatrixInvalidError, match=said):
        XLSX.open_matrix(path, ReadRequest(sheet=name))


def test_open_matrix_names_a_gene_without_symbol_by_its_id(tmp_path: Path) -> None:
    rows: Rows = [["Hugo_Symbol", "Entrez_Gene_Id", "A"], ["CD8A", 925, 1], [None, 567, 2], ["GZMB", 3002, 3]]
    path = write_book(tmp_path / "m.xlsx", {"S": rows})
    assert source_of(path).gene_ids == ("CD8A", "567", "GZMB")


@pytest.mark.parametrize("number", [0, 2803, 1250.625, 29_000])
def test_open_matrix_reads_numbers_in_the_style_of_dates(tmp_path: Path, number: float) -> None:
    book = openpyxl.Workbook()
    for row in [*ROWS, ["SEPTIN1", number, 3]]:
        book.active.append(row)
    book.active["B5"].number_format = "yyyy-mm-dd"
    book.save(tmp_path / "m.xlsx")
    assert source_of(tmp_path / "m.xlsx").block(0, 1)[0, -1] == number


@pytest.mark.parametrize("rows", [[], [["gene", "A"]], [["a", "b"], ["c", "d"]]])
def test_open_matrix_refuses_book_without_matrix(tmp_path: Path, rows: Rows) -> None:
    with pytest.raises(MatrixInvalidError, match=r"no sheet .* is a matrix .*'S'"):
        source_of(write_book(tmp_path / "m.xlsx", {"S": rows}))


def test_open_matrix_keeps_names_as_shown(tmp_path: Path) -> None:
    rows: Rows = [["gene", "00123", 7.0, "TRUE"], [925, 1, 2, None], ["B2M", 3, None, 60], ["NA", 1, 1, 1]]
    source = source_of(write_book(tmp_path / "m.xlsx", {"S": rows}))
    assert source.sample_ids == ("00123", "7", "TRUE")
    assert source.gene_ids == ("925", "B2M", "NA")
    assert np.isnan(source.block(0, 3)).tolist() == [[False] * 3, [False, True, False], [True, False, False]]


def test_read_cohort_writes_genes_that_became_dates_as_dates(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm()
    rows: list[list[object]] = [
        ["gene", *frame.columns],
        *([gene, *row] for gene, row in zip(frame.index, frame.to_numpy().tolist(), strict=True)),
    ]
    rows[7][0] = dt.datetime(2020, 3, 1)
    rows[9][0] = dt.date(2020, 9, 2)
    path = write_book(tmp_path / "m.xlsx", {"S": rows})
    genes = read_cohort(path, cohort="c", units=ExpressionUnit.TPM).source.gene_ids
    assert (genes[6], genes[8]) == ("2020-03-01", "2020-09-02")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("#REF!", "error of a formula"),
        ("#N/A", "error of a formula"),
        (True, "truth value"),
        (dt.datetime(2021, 3, 5), "a date"),
        ("=1+1", "formula whose value was not saved"),
        ("1,234", "thousands"),
        ("low", "not numeric"),
        ("1e999", "infinite"),
    ],
)
def test_open_matrix_names_place_of_bad_cell(tmp_path: Path, cell: object, said: str) -> None:
    path = write_book(tmp_path / "m.xlsx", {"S": [*ROWS, ["JAK1", 3, cell]]})
    with pytest.raises(
        MatrixInvalidError, match=rf"m\.xlsx: .*{said}.*sample B, gene JAK1, cell C5 of sheet 'S'"
    ):
        source_of(path)


def test_open_matrix_names_several_bad_cells(tmp_path: Path) -> None:
    path = write_book(tmp_path / "m.xlsx", {"S": [*ROWS, ["JAK1", "x", "y"], ["JAK2", "z", 1]]})
    with pytest.raises(InputFaultsError) as caught:
        source_of(path)
    assert [line.partition("cell ")[2][:3] for line in caught.value.lines] == ["'x'", "'y'", "'z'"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["gene", "A", "A "], "duplicate sample names"),
        (["gene", "A", None], "is empty"),
        (["gene", "A", "@x"], "formula"),
    ],
)
def test_open_matrix_refuses_sample_names(tmp_path: Path, header: list[object], said: str) -> None:
    with pytest.raises(MatrixInvalidError, match=said):
        source_of(write_book(tmp_path / "m.xlsx", {"S": [header, *ROWS[1:]]}))


def test_open_matrix_reads_shared_and_rich_text_without_phonetics(tmp_path: Path) -> None:
    shared = "<si><t>gene</t></si><si><r><t>A</t></r><r><t>1</t></r><rPh sb='0' eb='1'><t>x</t></rPh></si>"
    sheet = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>' + gene_row(2, '<c r="B2"><v>5</v></c>')
    source = source_of(write_raw(tmp_path / "m.xlsx", sheet, shared=shared))
    assert source.sample_ids == ("A1",)
    assert source.block(0, 1).tolist() == [[5.0]]


def test_open_matrix_reads_strict_workbook(tmp_path: Path) -> None:
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    sheet = HEAD + gene_row(2, '<c r="B2"><v>5</v></c>')
    assert source_of(write_raw(tmp_path / "m.xlsx", sheet, namespace=strict)).block(0, 1).tolist() == [[5.0]]


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (gene_row(2, '<c r="XFD2"><v>1</v></c>'), "sample name is empty|no sheet"),
        (gene_row(2, '<c r="ZZZZ2"><v>1</v></c>'), "'ZZZZ' is not a valid column name"),
        (gene_row(2, '<c r="XFE2"><v>1</v></c>'), "no column of a worksheet"),
        (gene_row(2, '<c r="B2" t="s"><v>99</v></c>'), "cell B2: no shared text 99"),
        (gene_row(2, '<c r="B2" t="s"><v>-1</v></c>'), "cell B2: no shared text -1"),
        (gene_row(99_999_999, '<c r="B2"><v>1</v></c>'), "too large"),
        (gene_row(2, '<c r="B2"><v>1</v>'), "damaged"),
    ],
)
def test_open_matrix_refuses_hostile_cells(tmp_path: Path, sheet: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"m\.xlsx: .*(?:{said})"):
        source_of(write_raw(tmp_path / "m.xlsx", HEAD + sheet))


def test_open_matrix_refuses_entities(tmp_path: Path) -> None:
    prolog = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    path = write_raw(tmp_path / "m.xlsx", HEAD + gene_row(2, '<c r="B2"><v>&b;</v></c>'), prolog=prolog)
    with pytest.raises(FileUnreadableError, match="document type or entity"):
        source_of(path)


def test_open_matrix_refuses_sheet_out_of_proportion(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "m.xlsx", HEAD + "<row/>" * 2_000_000)
    limits = ReadLimits(ratio_floor_bytes=1_000_000)
    with pytest.raises(FileUnreadableError, match=r"too large once unpacked .*200-fold"):
        source_of(path, limits)


def test_open_matrix_refuses_mostly_blank_sheet(tmp_path: Path) -> None:
    header = "".join(f"<c><v>{at}</v></c>" for at in range(2_000))
    rows = "".join(gene_row(at, '<c r="B2"><v>1</v></c>') for at in range(2, 3_000))
    path = write_raw(tmp_path / "m.xlsx", f'<row r="1"><c t="str"><v>gene</v></c>{header}</row>{rows}')
    with pytest.raises(MatrixInvalidError, match=r"too large .* need"):
        source_of(path, ReadLimits(ratio_floor_bytes=1_000_000))


def test_open_matrix_refuses_tag_without_end(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "m.xlsx", HEAD + f'<row r="{"1" * 3_000_000}')
    with pytest.raises(FileUnreadableError, match="tag is longer"):
        source_of(path, ReadLimits(max_line_bytes=1_000_000))


def test_open_matrix_keeps_to_limits(tmp_path: Path) -> None:
    path = write_book(tmp_path / "m.xlsx", {"S": ROWS})
    for limits in (ReadLimits(max_genes=1), ReadLimits(max_samples=1)):
        with pytest.raises(MatrixInvalidError, match="too large"):
            source_of(path, limits)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}, "OpenDocument"),
        ({"_rels/.rels": relations({"officeDocument": "xl/workbook.bin"})}, "binary Excel workbook"),
        ({"table.tsv": "gene\tA\n"}, "'table.tsv'.*unpack it"),
        ({}, "without an Excel workbook"),
    ],
)
def test_open_matrix_refuses_other_zip_files(tmp_path: Path, parts: Mapping[str, str], said: str) -> None:
    with zipfile.ZipFile(tmp_path / "m.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(FileUnreadableError, match=said):
        source_of(tmp_path / "m.xlsx")


@pytest.mark.parametrize("part", [0.01, 0.2, 0.5, 0.8, 0.95, 0.999])
def test_open_matrix_refuses_cut_workbook(tmp_path: Path, part: float) -> None:
    path = write_book(tmp_path / "m.xlsx", {"S": ROWS})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FileUnreadableError, match="truncated zip"):
        source_of(path)


def test_open_matrix_never_reads_other_numbers_from_damaged_workbook(
    tmp_path: Path, make_tpm: MakeFrame
) -> None:
    path = tmp_path / "m.xlsx"
    make_tpm().to_excel(path)
    wanted, content = source_of(path).block(0, 4), path.read_bytes()
    for at in range(60, len(content), len(content) // 60):
        damaged = bytearray(content)
        damaged[at] ^= 4
        path.write_bytes(bytes(damaged))
        try:
            assert np.array_equal(source_of(path).block(0, 4), wanted)
        except InputError as error:
            assert "m.xlsx" in str(error)  # noqa: PT017


def test_open_matrix_keeps_rows_and_cells_in_any_order(tmp_path: Path) -> None:
    cell = '<c r="{}"><v>{}</v></c>'
    head = HEAD.replace("</row>", '<c r="AB1" t="str"><v>B</v></c></row>')
    rows = gene_row(5, cell.format("AB5", 1), cell.format("B5", 2)), gene_row(3, cell.format("B3", 3))
    source = source_of(
        write_raw(tmp_path / "m.xlsx", head + "".join(rows) + gene_row(3, cell.format("AB3", 4)))
    )
    assert source.gene_ids == ("CD8A",) * 3
    found = source.block(0, 2)
    assert np.array_equal(found, [[2, 3, np.nan], [1, np.nan, 4]], equal_nan=True)


def test_open_matrix_takes_saved_values_of_formulas(tmp_path: Path) -> None:
    sheet = (
        HEAD + gene_row(2, '<c r="B2"><f>2+3</f><v>5</v></c>') + gene_row(3, '<c r="B3" t="odd"><v>6</v></c>')
    )
    assert source_of(write_raw(tmp_path / "m.xlsx", sheet)).block(0, 1).tolist() == [[5.0, 6.0]]


@pytest.mark.slow
def test_open_matrix_refuses_row_without_bounds(tmp_path: Path) -> None:
    path = write_raw(tmp_path / "m.xlsx", HEAD + gene_row(2, "<c/>" * 1_100_000))
    with pytest.raises(FileUnreadableError, match="a row has more than"):
        source_of(path)


@pytest.mark.parametrize("state", ["visible", "hidden", "veryHidden"])
def test_open_matrix_reads_hidden_sheet_too(tmp_path: Path, state: str) -> None:
    path = write_book(tmp_path / "m.xlsx", {"notes": [["made by us"]], "S": ROWS})
    book = openpyxl.load_workbook(path)
    book["S"].sheet_state = state
    book.save(path)
    assert_plain(path)


def test_read_cohort_tells_old_workbook(tmp_path: Path) -> None:
    (tmp_path / "m.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(FileUnreadableError, match=r"xls\), or one with a password"):
        read_cohort(tmp_path / "m.xls", cohort="c")


def test_read_cohort_of_workbook_has_no_flags(tmp_path: Path, make_tpm: MakeFrame) -> None:
    make_tpm(n_genes=6_000).to_excel(tmp_path / "m.xlsx")
    cohort = read_cohort(tmp_path / "m.xlsx", cohort="c")
    assert cohort.unit.unit is ExpressionUnit.TPM
    assert Code.UNITS_GUESSED not in {note.code for note in cohort.flags.cohort}
