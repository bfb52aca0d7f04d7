"""10x folders of both generations, and what does not fit in them."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import io as scipy_io
from scipy import sparse

from escape_score.errors import FileMissingError, FileUnreadableError, InputError, MatrixInvalidError
from escape_score.genes import load_gene_table
from escape_score.model.units import ExpressionUnit
from escape_score.read import ReadLimits, count_samples, read_cohort
from escape_score.read.formats.mtx import TENX_FOLDER
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest

GENES = ("CD8A", "B2M", "GZMB", "JAK1")
ENSEMBL = ("ENSG00000153563", "ENSG00000166710", "ENSG00000100453", "ENSG99999999999")
VALUES = np.array([[60.0, 0.0, 2.5, 1.0], [0.0, 7.0, 0.0, 1e3], [500.0, 0.0, 0.0, 0.0]])


def write_folder(folder: Path, *, is_old: bool = False, kinds: tuple[str, ...] = ()) -> Path:
    folder.mkdir(exist_ok=True)
    kinds = kinds or ("Gene Expression",) * len(GENES)
    fields = [
        [ident, gene] if is_old else [ident, gene, kind]
        for ident, gene, kind in zip(ENSEMBL, GENES, kinds, strict=True)
    ]
    scipy_io.mmwrite(folder / "matrix.mtx", sparse.coo_matrix(VALUES.T))
    names = "genes.tsv" if is_old else "features.tsv"
    (folder / names).write_text("".join("\t".join(row) + "\n" for row in fields), encoding="utf-8")
    (folder / "barcodes.tsv").write_text("A-1\nB-1\nC-1\n", encoding="utf-8")
    if not is_old:
        for path in list(folder.iterdir()):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "m", is_old=True)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize("is_file", [True, False])
def test_read_cohort_reads_folder(tmp_path: Path, is_old: bool, is_file: bool) -> None:
    path = write_folder(tmp_path / "m", is_old=is_old)
    path = next(path.glob("matrix.mtx*")) if is_file else path
    cohort = read_cohort(path, cohort="c", units=ExpressionUnit.FPKM)
    assert cohort.sample_ids == ("A-1", "B-1", "C-1")
    assert cohort.source.gene_ids == (*ENSEMBL[:3], "JAK1")
    assert np.array_equal(cohort.source.block(0, 3), VALUES)
    assert np.array_equal(cohort.source.block(1, 2), VALUES[1:2])
    assert count_samples(path) == 3
    symbols = [mapping.gene_symbol for mapping in load_gene_table().map_genes(cohort.source.gene_ids)]
    assert symbols == list(GENES)


def test_read_cohort_digests_all_parts(folder: Path) -> None:
    before = read_cohort(folder, cohort="c", units=ExpressionUnit.FPKM).input_sha256
    lines = sorted(
        f"{path.name}\t{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in folder.iterdir()
    )
    assert before == hashlib.sha256("".join(lines).encode()).hexdigest()
    edit(folder / "barcodes.tsv", "A-1", "A-2")
    assert read_cohort(folder, cohort="c", units=ExpressionUnit.FPKM).input_sha256 != before


def test_open_matrix_reads_prefixed_files(folder: Path) -> None:
    for path in list(folder.iterdir()):
        path.rename(path.with_name("GSM1_" + path.name))
    assert TENX_FOLDER.open_matrix(folder, DEFAULT_REQUEST).source.sample_ids == ("A-1", "B-1", "C-1")


def test_open_matrix_leaves_out_what_is_no_gene(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path / "m", kinds=("Gene Expression", "Antibody Capture", "Gene Expression", "Custom")
    )
    source = TENX_FOLDER.open_matrix(path, DEFAULT_REQUEST).source
    assert source.gene_ids == (ENSEMBL[0], ENSEMBL[2])
    assert np.array_equal(source.block(0, 3), VALUES[:, [0, 2]])


def test_open_matrix_refuses_folder_without_genes(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "m", kinds=("Peaks",) * 4)
    with pytest.raises(MatrixInvalidError, match=r"no feature is of type 'Gene Expression' .*'Peaks'"):
        TENX_FOLDER.open_matrix(path, DEFAULT_REQUEST)


SIZES = "4 3 6"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("genes.tsv", f"{ENSEMBL[3]}\tJAK1\n", "", "4 rows by 3 columns, beside it are 3 features"),
        ("barcodes.tsv", "C-1\n", "", "3 columns, beside it are 4 features and 2 barcodes"),
        ("barcodes.tsv", "C-1", "A-1", "duplicate sample names"),
        ("genes.tsv", ENSEMBL[1], "", "feature without an id"),
        ("matrix.mtx", SIZES, "4 3 7", "6 entries where line 3 promises 7"),
        ("matrix.mtx", SIZES, "4 3 5", "more than 5 entries where line 3 promises 5"),
        ("matrix.mtx", SIZES, "2000000000 2000000000 1", "dimensions do not match"),
        ("matrix.mtx", SIZES, f"{'9' * 40} 3 6", "too large"),
        ("matrix.mtx", SIZES, "4 3 99", "99 entries are more than 4 rows by 3 columns"),
        ("matrix.mtx", SIZES, "4 3", "should hold the dimensions"),
        ("matrix.mtx", "coordinate real", "array real", "'matrix array real general'"),
        ("matrix.mtx", "general", "symmetric", "symmetric"),
        ("matrix.mtx", "\n3 1 ", "\n5 1 ", "lies outside the 4 rows"),
        ("matrix.mtx", "\n3 1 ", "\n0 1 ", "lies outside the 4 rows"),
        ("matrix.mtx", "\n3 1 ", "\n1 1 ", "given twice"),
        ("matrix.mtx", "\n3 1 ", "\n3 1 x", "line .* is no entry"),
        ("matrix.mtx", "\n3 1 ", "\n3 ", "line .* is no entry"),
    ],
)
def test_open_matrix_refuses(folder: Path, name: str, old: str, new: str, said: str) -> None:
    edit(folder / name, old, new)
    with pytest.raises(InputError, match=said) as caught:
        TENX_FOLDER.open_matrix(folder, DEFAULT_REQUEST)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_open_matrix_refuses_cut_matrix(folder: Path, part: float) -> None:
    content = (folder / "matrix.mtx").read_bytes()
    (folder / "matrix.mtx").write_bytes(content[: int(len(content) * part)])
    with pytest.raises(MatrixInvalidError, match=r"truncated|dimensions|kind"):
        TENX_FOLDER.open_matrix(folder, DEFAULT_REQUEST)


@pytest.mark.parametrize("name", ["barcodes.tsv", "genes.tsv"])
def test_open_matrix_refuses_folder_without_names(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(MatrixInvalidError, match=rf"no file .*{name} beside matrix\.mtx"):
        TENX_FOLDER.open_matrix(folder / "matrix.mtx", DEFAULT_REQUEST)


@pytest.mark.parametrize("name", ["barcodes.tsv", "genes.tsv", "matrix.mtx"])
def test_read_cohort_does_not_wait_for_a_pipe_in_the_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(FileUnreadableError, match="not a regular file"):
        read_cohort(folder, cohort="c")


def test_read_cohort_refuses_dangling_link_in_the_folder(folder: Path) -> None:
    (folder / "genes.tsv").unlink()
    (folder / "genes.tsv").symlink_to("nowhere.tsv")
    with pytest.raises(FileMissingError, match=r"genes\.tsv"):
        read_cohort(folder, cohort="c")


def test_open_matrix_refuses_two_matrices(folder: Path) -> None:
    (folder / "raw_matrix.mtx").write_bytes((folder / "matrix.mtx").read_bytes())
    with pytest.raises(MatrixInvalidError, match=r"several matrices .*'matrix\.mtx', 'raw_matrix\.mtx'"):
        TENX_FOLDER.open_matrix(folder, DEFAULT_REQUEST)


@pytest.mark.parametrize(
    "limits", [ReadLimits(max_genes=3), ReadLimits(max_samples=2), ReadLimits(max_expanded_bytes=99)]
)
def test_open_matrix_keeps_to_limits(folder: Path, limits: ReadLimits) -> None:
    with pytest.raises(MatrixInvalidError, match="too large"):
        TENX_FOLDER.open_matrix(folder, ReadRequest(limits=limits))
