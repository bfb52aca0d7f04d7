"""Gene lengths a user gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from escape_score.errors import EscapeScoreError, FileMissingError, InputFaultsError
from escape_score.genes import GeneTable
from escape_score.genes.lengths import read_gene_lengths


@pytest.fixture(scope="module")
def table() -> GeneTable:
    return GeneTable.from_renames(["TP53", "B2M"], {"P53": "TP53"})


@pytest.mark.parametrize("header", ["", "gene\tlength\n", "gene_symbol\tlength_bp\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read_gene_lengths_takes_symbols_and_the_longest_of_several(
    header: str, end: str, tmp_path: Path, table: GeneTable
) -> None:
    path = tmp_path / "l.tsv"
    text = f"{header}TP53\t100\nP53\t250.5\n\nB2M\t1e3\nNOBODY\t7\n\n".replace("\n", end)
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_gene_lengths(path, table) == {"TP53": 250.5, "B2M": 1000.0}


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


@pytest.mark.parametrize("content", [b"", b"gene\tlength\n"])
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
