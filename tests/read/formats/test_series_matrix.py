"""GEO series matrices: their table as a matrix, and their head as a sample sheet."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from escape_score.errors import InputError, MatrixInvalidError, SampleSheetInvalidError
from escape_score.model.units import ExpressionUnit
from escape_score.read import count_samples, read_cohort
from escape_score.read.files.series_matrix import series_sheet
from escape_score.read.sheet.rows import read_rows

ROWS = [["CD8A", "1.5", "0"], ["B2M", "250", "1e3"], ["GZMB", ".25", "7"]]


def series(
    rows: Sequence[Sequence[str]] = ROWS,
    *,
    kind: str = "Expression profiling by high throughput sequencing",
    extra: Sequence[str] = (),
) -> str:
    """A series matrix of two samples."""
    lines = [
        '!Series_title\t"a series"',
        f'!Series_type\t"{kind}"',
        '!Series_supplementary_file\t"ftp://geo/GSE1_counts.txt.gz"',
        *(f'!Series_relation\t"relation {at}"' for at in range(150)),
        "",
        '!Sample_title\t"tumour one"\t"tumour two"',
        '!Sample_geo_accession\t"GSM1"\t"GSM2"',
        '!Sample_source_name_ch1\t"colon"\t"liver"',
        '!Sample_characteristics_ch1\t"response: PD"\t"response: CR"',
        '!Sample_characteristics_ch1\t"age: 61"\t"Sex: F"',
        '!Sample_characteristics_ch1\t"free text"\t""',
        '!Sample_platform_id\t"GPL570"\t"GPL570"',
        *extra,
        "!series_matrix_table_begin",
        '"ID_REF"\t"GSM1"\t"GSM2"',
        *("\t".join([f'"{gene}"', *cells]) for gene, *cells in rows),
        "!series_matrix_table_end",
        "",
    ]
    return "\n".join(lines)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read_cohort_reads_table_and_head(tmp_path: Path, pack: type[bytes], end: str) -> None:
    path = tmp_path / "GSE1_series_matrix.txt.gz"
    path.write_bytes(pack(series().replace("\n", end).encode()))
    cohort = read_cohort(path, units="fpkm", samples=path)
    assert cohort.sample_ids == ("GSM1", "GSM2")
    assert cohort.source.gene_ids == ("CD8A", "B2M", "GZMB")
    assert cohort.source.block(0, 2).tolist() == [[1.5, 250, 0.25], [0, 1000, 7]]
    assert [sample.response for sample in cohort.samples] == ["NR", "R"]
    assert count_samples(path) == 2


def test_read_rows_has_every_characteristic_in_a_column(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path / "s.txt", series()), {}).rows
    assert [dict(row.cells) for row in rows] == [
        {
            **{"sample_id": "GSM1", "title": "tumour one", "source_name": "colon", "response": "PD"},
            **{"age": "61", "sex": "", "characteristics": "free text"},
        },
        {
            **{"sample_id": "GSM2", "title": "tumour two", "source_name": "liver", "response": "CR"},
            **{"age": "", "sex": "F", "characteristics": ""},
        },
    ]


def test_series_sheet_keeps_all_values_of_one_characteristic(tmp_path: Path) -> None:
    extra = ['!Sample_characteristics_ch1\t"response: after 3 months"\t"response: CR"']
    extra += ['!Sample_characteristics_ch1\t"sample_id: x: y"\t"note:"']
    _, rows = series_sheet(write(tmp_path / "s.txt", series(extra=extra)))
    assert [row["response"] for row in rows] == ["PD; after 3 months", "CR"]
    assert [row["sample_id"] for row in rows] == ["GSM1", "GSM2"]
    assert [row["characteristic sample_id"] for row in rows] == ["x: y", ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (series().replace("!Sample_geo_accession", "!Sample_x"), "without !Sample_geo_accession"),
        (series().replace('"colon"\t', ""), "line 157 has 1 cells for 2 samples"),
    ],
)
def test_series_sheet_refuses_damaged_head(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SampleSheetInvalidError, match=said):
        series_sheet(write(tmp_path / "s.txt", text))


@pytest.mark.parametrize(
    ("kind", "extra", "unit"),
    [
        ("Expression profiling by array", [], ExpressionUnit.ARRAY),
        ("Other", ['!Sample_hyb_protocol\t"nCounter PanCancer"\t"same"'], ExpressionUnit.NANOSTRING),
    ],
)
def test_read_cohort_takes_the_unit_of_the_technique(
    tmp_path: Path, kind: str, extra: list[str], unit: ExpressionUnit
) -> None:
    path = write(tmp_path / "s.txt", series(kind=kind, extra=extra))
    assert read_cohort(path).unit.unit is unit
    assert read_cohort(path, units="fpkm").unit.unit is ExpressionUnit.FPKM


@pytest.mark.parametrize("names", [["1007_s_at", "1053_at", "117_at"], ["CUST_1", "CUST_2", "CUST_3"], "123"])
def test_read_cohort_names_platform_of_probes(tmp_path: Path, names: Sequence[str]) -> None:
    rows = [[name, *row[1:]] for name, row in zip(names, ROWS, strict=True)]
    path = write(tmp_path / "s.txt", series(rows, kind="Expression profiling by array"))
    with pytest.raises(
        MatrixInvalidError, match=r"named by probes of an array, such as .*platform GPL570\); map"
    ):
        read_cohort(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (series([]), r"no values.*supplementary files of the series \(ftp://geo/GSE1_counts.txt.gz\)"),
        (series().partition("!series_matrix_table_begin")[0], "no values"),
        (series().rpartition("!series")[0], "does not end with .*truncated"),
        (series([*ROWS, ["JAK1", "1", "low"]]), "'low' is not numeric .gene JAK1, sample GSM2, line 167"),
    ],
)
def test_read_cohort_refuses_series_matrix(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_cohort(write(tmp_path / "s.txt", text), units="fpkm")


def test_read_cohort_refuses_to_transpose_series_matrix(tmp_path: Path) -> None:
    with pytest.raises(MatrixInvalidError, match="leave --transpose out"):
        read_cohort(write(tmp_path / "s.txt", series()), transpose=True)
