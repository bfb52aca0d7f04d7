"""Gene lengths: those a user gives, and those that are shipped."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from escape_score.errors import EscapeScoreError, FileMissingError, InputFaultsError, MatrixInvalidError
from escape_score.genes import GeneTable, load_gene_table
from escape_score.genes.lengths import MAX_FAULTS, GeneLengths, open_gene_lengths, read_gene_lengths
from escape_score.library.files import resource_path


@pytest.fixture(scope="module")
def table() -> GeneTable:
    return GeneTable.from_renames(["TP53", "B2M"], {"P53": "TP53"})


def lengths_of(lengths: GeneLengths, *names: str) -> list[float]:
    return [float(length) for length in lengths.of_genes(names, [None] * len(names))]


def written(folder: Path, text: str) -> Path:
    path = folder / "l.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path, table: GeneTable) -> tuple[str, ...]:
    with pytest.raises(InputFaultsError) as caught:
        read_gene_lengths(path, table)
    return caught.value.lines


@pytest.mark.parametrize("header", ["", "gene\tlength\n", "gene_symbol\tlength_bp\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read_gene_lengths_takes_names_of_any_age(
    header: str, end: str, tmp_path: Path, table: GeneTable
) -> None:
    path = tmp_path / "l.tsv"
    text = f"{header}P53\t250.5\n\nB2M\t1e3\nNOBODY\t7\n\n".replace("\n", end)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert lengths_of(read_gene_lengths(path, table), "TP53", "B2M", "P53") == [250.5, 1000.0, 250.5]


@pytest.mark.parametrize(
    "text",
    [
        "length\tgene\n100\tTP53\n5\tB2M\n",
        "chr\tgene\tbp\n17\tTP53\t100\n15\tB2M\t5\n",
        "gene_name,chrom,start,end,Exon Length\nTP53,17,1,9000,100\nB2M,15,1,80,5\n",
        "seqnames;start;end;width;symbol\n17;1;100;100;TP53\n15;1;5;5;B2M\n",
        "gene_id\ttranscript_id(s)\tlength\teffective_length\tTPM\nTP53\tx\t300\t100\t2\nB2M\ty\t205\t5\t9\n",
        "# Program:featureCounts v2\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\n"
        "TP53\t17\t1;8\t4;9\t+\t100\t7\nB2M\t15\t1\t5\t-\t5\t0\n",
        "TP53\tchr17\t100\nB2M\tchr15\t5\n",
        "chr\tlength\nTP53\t17\t100\nB2M\t15\t5\n",
    ],
)
def test_columns_are_found_by_name_wherever_they_are(text: str, tmp_path: Path, table: GeneTable) -> None:
    assert lengths_of(read_gene_lengths(written(tmp_path, text), table), "TP53", "B2M") == [100.0, 5.0]


def test_positions_are_lengths_only_if_requested(tmp_path: Path, table: GeneTable) -> None:
    path = written(tmp_path, "chr\tstart\tend\tgene\n17\t101\t200\tTP53\n15\t1\t5\tB2M\n")
    (fault,) = faults_of(path, table)
    assert "no column of lengths (columns: chr, start, end, gene)" in fault
    assert "--lengths-from-positions" in fault
    found = read_gene_lengths(path, table, from_positions=True)
    assert lengths_of(found, "TP53", "B2M") == [100.0, 5.0]


def test_an_end_before_the_start_is_a_fault(tmp_path: Path, table: GeneTable) -> None:
    path = written(tmp_path, "gene\tstart\tend\nTP53\t9\t2\n")
    with pytest.raises(InputFaultsError) as caught:
        read_gene_lengths(path, table, from_positions=True)
    assert caught.value.lines == (f"{path}: end 2 is before start 9 (line 2); check the columns",)


def test_numbers_without_names_are_not_guessed(tmp_path: Path, table: GeneTable) -> None:
    (fault,) = faults_of(written(tmp_path, "TP53\t5\t300\nB2M\t9\t12\n"), table)
    assert "2 columns hold numbers; name them in a header" in fault


def test_a_column_a_sample_gives_every_sample_its_own(tmp_path: Path, table: GeneTable) -> None:
    text = "gene_id\tgene_name\ts1\ts2\nTP53\tTP53\t100\t200.5\nB2M\tB2M\t5\t6\n"
    found = read_gene_lengths(written(tmp_path, text), table)
    assert found.sample_ids == ("s1", "s2")
    assert found.of_samples(["s2", "s1"]).of_genes(["B2M", "NO"], [None, "TP53"]).tolist() == [
        [6.0, 200.5],
        [5.0, 100.0],
    ]
    assert found.of_samples(["s2"]).of_genes(["B2M"], [None]).tolist() == [[6.0]]
    with pytest.raises(MatrixInvalidError, match=r"l\.tsv: no gene lengths for samples 's3'; name"):
        found.of_samples(["s1", "s3"])


@pytest.mark.parametrize("second", ["TP53\t200", "tp53\t200", "TP53 \t200"])
def test_a_gene_with_two_lengths_is_refused(second: str, tmp_path: Path, table: GeneTable) -> None:
    (fault,) = faults_of(written(tmp_path, f"gene\tlength\nTP53\t100\nB2M\t5\n{second}\n"), table)
    assert fault.endswith("l.tsv: gene TP53 has different lengths (100 in line 2, 200 in line 4); keep one")


def test_an_id_with_two_lengths_is_refused(tmp_path: Path, table: GeneTable) -> None:
    ids = "ENSG00000141510.1\t100\nENSG00000141510.2\t200\n"
    (fault,) = faults_of(written(tmp_path, f"gene_id\tlength\n{ids}"), table)
    assert "gene ENSG00000141510.1 has different lengths (100 in line 2, 200 in line 3)" in fault


def test_two_names_of_a_gene_keep_their_lengths(tmp_path: Path, table: GeneTable) -> None:
    path = written(tmp_path, "gene\tlength\nP53\t100\nTP53\t200\n")
    found = read_gene_lengths(path, table)
    assert found.of_genes(["P53", "TP53", "ENSG0"], ["TP53"] * 3).tolist() == [100.0, 200.0, 200.0]


def test_the_same_length_given_twice_is_no_fault(tmp_path: Path, table: GeneTable) -> None:
    path = written(tmp_path, "gene\tlength\nTP53\t100\nP53\t100\n")
    assert lengths_of(read_gene_lengths(path, table), "TP53") == [100.0]


def test_several_ids_of_a_gene_keep_their_lengths(tmp_path: Path) -> None:
    ids = ["ENSG00000141510", "ENSG00000999999"]
    table = GeneTable(current={"TP53": ("TP53",)}, ensembl=dict.fromkeys(ids, ("TP53",)))
    path = written(tmp_path, f"gene_id\tlength\n{ids[0]}\t100\n{ids[1]}\t300\n")
    found = read_gene_lengths(path, table)
    assert found.of_genes([*ids, "p53"], ["TP53", "TP53", "TP53"]).tolist() == [100.0, 300.0, 200.0]


def test_an_effective_length_of_0_is_a_gene_without_length(tmp_path: Path, table: GeneTable) -> None:
    path = written(tmp_path, "gene_id\tlength\teffective_length\nTP53\t9\t0.00\nB2M\t300\t5\n")
    np.testing.assert_array_equal(lengths_of(read_gene_lengths(path, table), "TP53", "B2M"), [np.nan, 5.0])


def test_faults_are_at_most_20_lines(tmp_path: Path, table: GeneTable) -> None:
    faults = faults_of(written(tmp_path, "gene\tlength\n" + "TP53\tbad\n" * 500), table)
    assert len(faults) == MAX_FAULTS == 20
    assert "481 more faults" in faults[-1]


def test_effective_lengths_are_those_that_their_script_makes() -> None:
    made = runpy.run_path(str(resource_path("genes", "build_lengths.py")))["effective_lengths"]()
    lines = [f"{symbol}\t{length:g}" for symbol, length in made.sort_index().items()]
    assert resource_path("genes", "effective_lengths.tsv").read_text("utf-8").splitlines()[1:] == lines


def test_shipped_lengths_are_effective_ones_where_measured() -> None:
    rows = resource_path("genes", "effective_lengths.tsv").read_text("utf-8").splitlines()[1:]
    measured = {symbol: float(length) for symbol, length in (row.split("\t") for row in rows)}
    shipped = load_gene_table().length_by_symbol
    assert len(measured) > 14_000
    assert measured.items() <= shipped.items()
    assert len(shipped) > 40_000


def test_open_gene_lengths_reads_a_file_once_until_it_changes(tmp_path: Path) -> None:
    first = open_gene_lengths(written(tmp_path, "TP53\t100\n"))
    assert open_gene_lengths(tmp_path / "l.tsv") is first
    second = open_gene_lengths(written(tmp_path, "TP53\t200\n"))
    assert first is not None
    assert second is not None
    assert [lengths_of(one, "TP53") for one in (first, second)] == [[100.0], [200.0]]
    assert first.sha256 != second.sha256


def test_read_gene_lengths_names_a_missing_file(tmp_path: Path, table: GeneTable) -> None:
    with pytest.raises(FileMissingError, match=r"l\.tsv: table of gene lengths not found \(no such file\)"):
        read_gene_lengths(tmp_path / "l.tsv", table)


@pytest.mark.parametrize("bad", ["0", "-5", "nan", "inf", "1e999", "long", ""])
def test_read_gene_lengths_names_every_bad_line(bad: str, tmp_path: Path, table: GeneTable) -> None:
    path = tmp_path / "l.tsv"
    path.write_text(f"gene\tlength\nTP53\t{bad}\nB2M\t5\nonly\n", encoding="utf-8")
    with pytest.raises(InputFaultsError) as caught:
        read_gene_lengths(path, table)
    assert [line.startswith(f"{path}: ") for line in caught.value.lines] == [True, True]
    assert "(line 2)" in caught.value.lines[0]
    assert "(line 4)" in caught.value.lines[1]


@pytest.mark.parametrize("content", [b"", b"gene\tlength\n", b"gene\teffective_length\nTP53\t0\n"])
def test_read_gene_lengths_refuses_a_file_without_lengths(
    content: bytes, tmp_path: Path, table: GeneTable
) -> None:
    path = tmp_path / "l.tsv"
    path.write_bytes(content)
    with pytest.raises(InputFaultsError) as caught:
        read_gene_lengths(path, table)
    assert caught.value.lines == (f"{path}: no gene lengths; give gene and length",)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00rubbish", b"TP53\t5\xff\n", b"TP53\t5\0\n"])
def test_read_gene_lengths_refuses_what_is_no_text(content: bytes, tmp_path: Path, table: GeneTable) -> None:
    path = tmp_path / "l.tsv"
    path.write_bytes(content)
    with pytest.raises(EscapeScoreError, match=r"l\.tsv|faults"):
        read_gene_lengths(path, table)


def test_read_gene_lengths_refuses_a_folder(tmp_path: Path, table: GeneTable) -> None:
    with pytest.raises(EscapeScoreError, match="is not a regular file"):
        read_gene_lengths(tmp_path, table)
