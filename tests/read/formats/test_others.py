"""Files that cannot be read are named, with what to do instead."""

from __future__ import annotations

import gzip
import lzma
import sqlite3
import zipfile
from pathlib import Path

import h5py
import pytest

from escape_score.errors import FileUnreadableError
from escape_score.read import read_cohort


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04", mtime=0), r"R data \(rds\).*write.table"),
        (lzma.compress(b"X\n\x00\x00\x00\x02"), r"R data \(rds\).*write.table"),
        (b"A\n3\n262402\n", r"R data \(rds\).*write.table"),
        (gzip.compress(b"RDX3\nX\n", mtime=0), r"R data \(RData\).*write.table"),
        (b"@\x00\x00\x00\x04\x00\x00\x00rest", r"CEL\).*RMA.*--units array"),
        (b"[CEL]\nVersion=3\n", r"CEL\).*RMA"),
        (gzip.compress(b";\x01\x00\x00\x00\x01", mtime=0), r"CEL\).*RMA"),
        (b"IDAT\x03\x00", r"idat\)"),
        (gzip.compress(b"BAM\x01\x10\x00", mtime=0), r"aligned reads.*featureCounts"),
        (b"@HD\tVN:1.6\n@SQ\tSN:1\n", r"aligned reads.*featureCounts"),
        (gzip.compress(b"@SRR1.1 1\nNACGT\n+\nIIIII\n", mtime=0), r"FASTQ.*salmon"),
        (b">ENST1\nACGT\n", "FASTA"),
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", "VCF"),
        (b"##description: evidence-based annotation\n", "GTF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"old Excel workbook.*save it as xlsx"),
        (b"7z\xbc\xaf\x27\x1c", "unpack it"),
        (b"\x80\x05\x95", "never opened"),
        (b"\x93NUMPY\x01\x00", "numpy array"),
    ],
)
def test_read_cohort_names_what_it_does_not_read(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "matrix.tsv"
    path.write_bytes(content)
    with pytest.raises(FileUnreadableError, match=rf"^{path}: .*{said}") as caught:
        read_cohort(path)
    assert len(caught.value.lines) == 1


def test_read_cohort_names_containers(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "db").executescript("CREATE TABLE t (a)").close()
    with h5py.File(tmp_path / "h5seurat", "w") as file:
        file.create_group("assays/RNA")
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("counts.tsv", "gene\tA\nB2M\t1\n")
    (tmp_path / "zarr").mkdir()
    (tmp_path / "zarr" / ".zgroup").write_text("{}")
    for name, said in (
        ("db", "SQLite database.*export"),
        ("h5seurat", "h5Seurat file.*h5ad"),
        ("zip", "'counts.tsv'.*unpack it"),
        ("zarr", "zarr store.*h5ad"),
    ):
        with pytest.raises(FileUnreadableError, match=said):
            read_cohort(tmp_path / name)


def test_read_cohort_reads_a_table_whose_corner_looks_like_a_magic(tmp_path: Path) -> None:
    path = tmp_path / "m.tsv"
    path.write_text("IDs\tA\nB2M\t70\nCD8A\t3.5\n")
    assert read_cohort(path, units="fpkm").source.gene_ids == ("B2M", "CD8A")
