"""Delimited text in the dialects people send, and what must never be read over."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from escape_score.errors import EscapeScoreError, FileUnreadableError, InputFaultsError, MatrixInvalidError
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format
from escape_score.read.formats.reader import MatrixReading
from escape_score.read.request import ReadRequest

WriteText = Callable[..., Path]

ROWS = [
    "gene\tA\tB",
    "CD8A\t1.5\t0",
    "B2M\t250\t1e3",
    "GZMB\t.25\t7",
]
VALUES = [[1.5, 250.0, 0.25], [0.0, 1000.0, 7.0]]


def open_matrix(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> MatrixReading:
    return choose_format(probe_path(path, limits)).open_matrix(path, ReadRequest(limits=limits))


def assert_plain(path: Path) -> None:
    source = open_matrix(path).source
    assert source.sample_ids == ("A", "B")
    assert source.gene_ids == ("CD8A", "B2M", "GZMB")
    assert np.array_equal(source.block(0, 2), VALUES)


@pytest.mark.parametrize("delimiter", ["\t", ",", ";", " ", "|"])
def test_open_matrix_finds_delimiter(write_text: WriteText, delimiter: str) -> None:
    assert_plain(write_text([row.replace("\t", delimiter) for row in ROWS]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_open_matrix_reads_encodings_and_line_ends(write_text: WriteText, encoding: str, end: str) -> None:
    assert_plain(write_text(ROWS, encoding=encoding, end=end))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["A\tB", *ROWS[1:]], id="R writes the header one short"),
        pytest.param(["\tA\tB", *ROWS[1:]], id="empty corner"),
        pytest.param(["#gene\tA\tB", *ROWS[1:]], id="the header starts with a hash"),
        pytest.param(["# by us", "", *ROWS[:2], "# half way", "  ", *ROWS[2:], ""], id="comments and blanks"),
        pytest.param([f"{row}\t\t" for row in ROWS], id="trailing tabs"),
        pytest.param([ROWS[0], *(f"{row}\t" for row in ROWS[1:])], id="trailing tab below the header only"),
        pytest.param(['"gene"\t"A"\t"B"', '"CD8A"\t"1.5"\t"0"', *ROWS[2:]], id="quotes"),
        pytest.param([*ROWS, "\t\t"], id="a row without content"),
        pytest.param(
            ["gene;A;B", "CD8A;1,5;0", "B2M;250;1e3", "GZMB;0,25;7"], id="decimal comma"
        ),
        pytest.param(
            ["gene\tdescription\tA\tlength\tB", "CD8A\tsome text\t1.5\t900\t0", "B2M\tmore\t250\t800\t1e3",
             "GZMB\t\t.25\t700\t7"],
            id="annotation columns",
        ),
        pytest.param(
            ["\tsymbol\tA\tB", "0\tCD8A\t1.5\t0", "1\tB2M\t250\t1e3", "2\tGZMB\t.25\t7"], id="row numbers"
        ),
    ],
)  # fmt: skip
def test_open_matrix_reads_dialect(write_text: WriteText, lines: list[str]) -> None:
    assert_plain(write_text(lines))


def test_open_matrix_needs_no_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "matrix.tsv"
    path.write_text("\n".join(ROWS), encoding="utf-8")
    assert_plain(path)


def test_open_matrix_names_annotation_columns(write_text: WriteText) -> None:
    path = write_text(["gene\tEntrez_Gene_Id\tA\tnote", "CD8A\t925\t1.5\tx", "B2M\t567\t3\ty"])
    assert open_matrix(path).annotation_columns == ("Entrez_Gene_Id", "note")


def test_open_matrix_tells_content_from_name(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.tsv.gz", tmp_path / "packed.csv"
    text = "".join(f"{row}\n" for row in ROWS).encode()
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text[:20]) + gzip.compress(text[20:]))
    assert_plain(plain)
    assert_plain(packed)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_open_matrix_reads_encoding_without_its_mark(write_text: WriteText, encoding: str) -> None:
    lines = [row.replace("gene\tA", "gene\tPréA") for row in ROWS]
    source = open_matrix(write_text(lines, encoding=encoding)).source
    assert source.sample_ids == ("PréA", "B")
    assert source.block(0, 2).tolist() == VALUES


def test_open_matrix_reads_windows_text_that_shows_far_down(tmp_path: Path) -> None:
    lines = [*ROWS, *(f"G{at}\t1\t2" for at in range(200_000)), "Génε"[:3] + "\t1\t2"]
    path = tmp_path / "m.tsv"
    path.write_bytes("\n".join(lines).encode("cp1252"))
    limits = ReadLimits(max_genes=300_000)
    assert open_matrix(path, limits).source.gene_ids[-1] == "Gén"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow decodes the comment
def test_open_matrix_reads_a_comment_in_windows_text_far_down(tmp_path: Path) -> None:
    lines = [*ROWS, *(f"G{at}\t1\t2" for at in range(20_000)), "# après", "MYC\t1\t2"]
    path = tmp_path / "m.tsv"
    path.write_bytes("\n".join(lines).encode("cp1252"))
    assert open_matrix(path).source.gene_ids[-1] == "MYC"


def test_open_matrix_reads_wide_header_with_old_mac_ends(tmp_path: Path) -> None:
    names = [f"TCGA-AA-{at:04d}-01A-11R-0000-07" for at in range(3_000)]
    path = tmp_path / "m.tsv"
    path.write_text("\r".join(["gene\t" + "\t".join(names), "CD8A" + "\t1" * 3_000, ""]), newline="")
    assert open_matrix(path).source.sample_ids == tuple(names)


@pytest.mark.parametrize(
    "lines",
    [
        ["gene\tA\tB", "CD8A\t1.5\t0", "B2M\t1,250.0\t1,000", "GZMB\t.25\tNA"],
        ["gene;A;B", "CD8A;1,5;0", "B2M;1.250,0;1.000", "GZMB;0,25;"],
        ["gene,A,B", 'CD8A,"1.5",0', 'B2M,"1,250.0","1,000"', "GZMB,.25,NA"],
        ["gene\tA\tB", "CD8A\t1,5\t0", "B2M\t1 250,0\t1 000", "GZMB\t0,25\tNA"],
    ],
)
def test_open_matrix_reads_thousands(write_text: WriteText, lines: list[str]) -> None:
    block = open_matrix(write_text(lines)).source.block(0, 2)
    assert np.array_equal(block, [[1.5, 1250.0, 0.25], [0.0, 1000.0, np.nan]], equal_nan=True)


def test_open_matrix_names_cell_that_breaks_the_grouping(write_text: WriteText) -> None:
    path = write_text(["gene\tA\tB", "CD8A\t1,234.5\t0", "B2M\t1,23.5\t1"])
    with pytest.raises(MatrixInvalidError, match=r"'1,23\.5' is not numeric \(gene B2M, sample A, line 3\)"):
        open_matrix(path)


def test_open_matrix_tells_decimal_comma_below_many_zeros(write_text: WriteText) -> None:
    lines = ["gene;A", *(f"G{at};0" for at in range(300)), "CD8A;1,5"]
    assert open_matrix(write_text(lines)).source.block(0, 1)[0, -1] == 1.5


def test_open_matrix_flags_padding(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv.gz"
    path.write_bytes(gzip.compress("".join(f"{row}\n" for row in ROWS).encode()) + bytes(512))
    assert [note.code for note in open_matrix(path).notes] == [Code.TRAILING_BYTES]
    assert_plain(path)


def test_open_matrix_survives_stray_quote(write_text: WriteText) -> None:
    lines = [*ROWS, 'JAK1"\t1\t2', *(f"G{at}\t1\t2" for at in range(50_000))]
    path = write_text(lines)
    try:
        assert len(open_matrix(path).source.gene_ids) == 50_004
    except EscapeScoreError as error:
        assert str(path) in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", ["00123", "NA", "TRUE", "1e5", "-5", "../x", "Pt1. ", "∅ é"])
def test_open_matrix_keeps_sample_ids_as_text(write_text: WriteText, name: str) -> None:
    path = write_text([f"gene\t{name}\tB", *ROWS[1:]])
    assert open_matrix(path).source.sample_ids == (name, "B")


def test_open_matrix_keeps_gene_named_na(write_text: WriteText) -> None:
    assert open_matrix(write_text([*ROWS, "NA\t1\t2"])).source.gene_ids[-1] == "NA"


@pytest.mark.parametrize("cell", ["", "NA", "NaN", "nan", "N/A"])
def test_open_matrix_reads_missing_cells(write_text: WriteText, cell: str) -> None:
    block = open_matrix(write_text([*ROWS, f"JAK1\t{cell}\t2"])).source.block(0, 2)
    assert np.isnan(block[0, 3])
    assert block[1, 3] == 2.0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("TRUE", "not numeric"),
        ("1.2.3", "not numeric"),
        ("2021-03-01", "not numeric"),
        ("#REF!", "not numeric"),
        ("1,234", "not numeric"),
        ("0x1F", "not numeric"),
        ("inf", "infinite"),
        ("-Infinity", "infinite"),
        ("1e999", "infinite"),
    ],
)
def test_open_matrix_names_place_of_bad_cell(write_text: WriteText, cell: str, said: str) -> None:
    path = write_text(["# comment", *ROWS[:3], f"JAK1\t1\t{cell}", *ROWS[3:]])
    with pytest.raises(MatrixInvalidError, match=rf"{said} .*gene JAK1, sample B, line 5") as caught:
        open_matrix(path)
    assert str(path) in str(caught.value)


def test_open_matrix_names_several_bad_cells(write_text: WriteText) -> None:
    path = write_text([*ROWS, "JAK1\tx\t1", "JAK2\t1\ty"])
    with pytest.raises(InputFaultsError) as caught:
        open_matrix(path)
    assert [line.split("line ")[1][:1] for line in caught.value.lines] == ["5", "6"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*ROWS[:2], "B2M\t1\t2\t3", *ROWS[2:]], "line 3 has 4 fields"),
        ([*ROWS[:2], "B2M\t1", *ROWS[2:]], "line 3 has 2 fields"),
        ([*ROWS, "JAK1\t1"], "line 5 has 2 fields .* truncated"),
        ([*ROWS[:3], ROWS[0], *ROWS[3:]], "line 4 repeats the header"),
        ([ROWS[0]], "no gene rows"),
        (["gene\tA\tA ", *ROWS[1:]], "duplicate sample names"),
        (["gene\tA\x00\tB", *ROWS[1:]], "control character"),
        ([*ROWS, "JAK1\t1\x002\t3"], "not numeric"),
        (["gene,note,A", *(f'{gene},"two\nlines",1' for gene in "ABCDEFGHIJ")], "quoted name or description"),
        (["gene\t\tB", *ROWS[1:]], "sample name is empty"),
        (["gene\t \tB", *ROWS[1:]], "sample name is empty"),
        (["CD8A\t1.5\t0.5", *ROWS[2:]], "no header"),
        (["gene\tA\tB\tC\tD", *ROWS[1:]], "header .* has 5 fields"),
        ([*(f"{row}\t" for row in ROWS), *(f"{gene}\t1\t2\t" for gene in "ABCDEFGHIJ" * 10), "JAK1\t1\t2\tx"],
         "column without a name"),
    ],
)  # fmt: skip
def test_open_matrix_refuses_shape(write_text: WriteText, lines: list[str], said: str) -> None:
    with pytest.raises(MatrixInvalidError, match=said):
        open_matrix(write_text(lines))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n  \n\t\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"Please", "no columns"),
        (b"PK\x03\x04\x00\x00\x00", "zip file"),
        (bytes(range(256)) * 4, "no known format"),
    ],
)
def test_open_matrix_refuses_what_is_no_table(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "matrix.tsv"
    path.write_bytes(content)
    with pytest.raises(FileUnreadableError, match=said):
        open_matrix(path)


@pytest.mark.parametrize("part", [0.3, 0.9, 0.9999])
def test_open_matrix_refuses_cut_gzip(tmp_path: Path, part: float) -> None:
    packed = gzip.compress("".join(f"{row}\n" for row in [*ROWS, *ROWS[1:] * 3_000]).encode(), 1)
    path = tmp_path / "matrix.tsv.gz"
    path.write_bytes(packed[: int(len(packed) * part)])
    with pytest.raises(FileUnreadableError, match="truncated gzip"):
        open_matrix(path)


def test_open_matrix_refuses_gzip_with_wrong_checksum(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress("".join(f"{row}\n" for row in ROWS).encode()))
    packed[-8] ^= 1
    path = tmp_path / "matrix.tsv.gz"
    path.write_bytes(bytes(packed))
    with pytest.raises(FileUnreadableError, match=r"corrupt gzip .*CRC"):
        open_matrix(path)


def test_open_matrix_refuses_bomb(tmp_path: Path) -> None:
    path = tmp_path / "matrix.tsv.gz"
    path.write_bytes(gzip.compress(("\n".join(ROWS) + "\nJAK1\t0\t0" * 20_000).encode()))
    limits = ReadLimits(max_expansion_ratio=20, ratio_floor_bytes=100_000)
    with pytest.raises(FileUnreadableError, match="too large once unpacked"):
        open_matrix(path, limits)


@pytest.mark.parametrize(
    "limits", [ReadLimits(max_file_bytes=10), ReadLimits(max_genes=2), ReadLimits(max_line_bytes=8)]
)
def test_open_matrix_keeps_to_limits(write_text: WriteText, limits: ReadLimits) -> None:
    with pytest.raises(EscapeScoreError, match=r"too large|longer than"):
        open_matrix(write_text(ROWS), limits)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([["A", "B", "gene"], ["1.5", "0", "CD8A"], ["250", "1e3", "B2M"], [".25", "7", "GZMB"]],
                     id="genes last"),
        pytest.param([["A", "name", "B"], ["1.5", "CD8A", "0"], ["250", "B2M", "1e3"], [".25", "GZMB", "7"]],
                     id="genes between samples"),
        pytest.param([["probe", "chr", "what", "A", "B"], ["11715100_at", "2", "CD8A", "1.5", "0"],
                      ["11715101_at", "15", "B2M", "250", "1e3"], ["11715102_at", "14", "GZMB", ".25", "7"]],
                     id="probes first"),
        pytest.param([["ID", "no", "HGNC", "A", "B"], ["7892501", "5", "CD8A", "1.5", "0"],
                      ["7892502", "3", "B2M", "250", "1e3"], ["7892503", "9", "GZMB", ".25", "7"]],
                     id="numbers of probes first"),
        pytest.param([["", "title", "gene", "A", "B"], ["1", "some", "CD8A", "1.5", "0"],
                      ["2", "text", "B2M", "250", "1e3"], ["3", "here", "GZMB", ".25", "7"]],
                     id="row numbers and text first"),
        pytest.param([["NAME", "DESCRIPTION", "A", "B"], ["CD8A", "NA", "1.5", "0"],
                      ["B2M", "NA", "250", "1e3"], ["GZMB", "", ".25", "7"]], id="GSEA"),
        pytest.param([["gene", "baseMean", "padj", "A", "B"], ["CD8A", "3.5", "NA", "1.5", "0"],
                      ["B2M", "1", ".5", "250", "1e3"], ["GZMB", "2", ".1", ".25", "7"]], id="DESeq2"),
    ],
)  # fmt: skip
def test_open_matrix_finds_gene_column_anywhere(write_text: WriteText, rows: list[list[str]]) -> None:
    assert_plain(write_text(["\t".join(row) for row in rows]))


def test_open_matrix_keeps_ensembl_ids_that_come_first(write_text: WriteText) -> None:
    lines = ["gene_id\tgene_name\tA", "ENSG00000153563\tCD8A\t1", "ENSG00000166710\tB2M\t2"]
    assert open_matrix(write_text(lines)).source.gene_ids == ("ENSG00000153563", "ENSG00000166710")


def test_open_matrix_names_a_gene_without_symbol_by_its_id(write_text: WriteText) -> None:
    lines = ["Hugo_Symbol\tEntrez_Gene_Id\tA", "CD8A\t925\t1", "\t567\t2", "GZMB\t3002\t3", "\t\t4"]
    reading = open_matrix(write_text(lines))
    assert reading.source.gene_ids == ("CD8A", "567", "GZMB", "")
    assert reading.annotation_columns == ("Entrez_Gene_Id",)


FIREHOSE = [
    "Hybridization REF\tTCGA-1\tTCGA-2",
    "gene_id\tnormalized_count\tnormalized_count",
    "CD8A|925\t1.5\t0",
    "B2M|567\t250\t1e3",
]
RSEM = [
    "\t".join(["Hybridization REF", *["TCGA-1"] * 3, *["TCGA-2"] * 3]),
    "\t".join(["gene_id", *["raw_count", "scaled_estimate", "transcript_id"] * 2]),
    "CD8A|925\t15\t0.25\tuc002.1\t30\t0.5\tuc002.1",
    "B2M|567\t45\t0.75\tuc001.1\t30\t0.5\tuc001.1",
]


def test_open_matrix_reads_second_header_of_firehose(write_text: WriteText) -> None:
    reading = open_matrix(write_text(FIREHOSE))
    assert reading.source.sample_ids == ("TCGA-1", "TCGA-2")
    assert reading.source.gene_ids == ("CD8A|925", "B2M|567")
    assert reading.source.block(0, 2).tolist() == [[1.5, 250.0], [0.0, 1000.0]]
    assert reading.unit is None


@pytest.mark.parametrize(
    ("units", "unit", "values"),
    [
        ("auto", "tpm", [[250_000, 750_000], [500_000, 500_000]]),
        ("tpm", "tpm", [[250_000, 750_000], [500_000, 500_000]]),
        ("counts", "counts", [[15, 45], [30, 30]]),
    ],
)
def test_open_matrix_reads_one_quantity_of_firehose(
    write_text: WriteText, units: str, unit: str, values: list[list[float]]
) -> None:
    path = write_text(RSEM)
    request = ReadRequest(units=ExpressionUnit(units))
    reading = choose_format(probe_path(path, DEFAULT_LIMITS)).open_matrix(path, request)
    assert reading.source.sample_ids == ("TCGA-1", "TCGA-2")
    assert reading.source.block(0, 2).tolist() == values
    assert reading.unit == unit


@pytest.mark.parametrize("second", ["gene_id\tbeta\tbeta", "gene_id\traw_count\traw_count"])
def test_open_matrix_refuses_quantity_of_firehose(write_text: WriteText, second: str) -> None:
    path = write_text([FIREHOSE[0], second, *FIREHOSE[2:]])
    with pytest.raises(MatrixInvalidError, match="no readable quantity in the second header line"):
        choose_format(probe_path(path, DEFAULT_LIMITS)).open_matrix(
            path, ReadRequest(units=ExpressionUnit.TPM)
        )


def test_open_matrix_reads_text_that_ends_within_a_character(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_bytes("\n".join([*ROWS, "é"]).encode()[:-1])
    with pytest.raises(MatrixInvalidError, match=r"line 5 has 1 fields .* truncated"):
        open_matrix(path)
