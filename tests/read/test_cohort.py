"""The stage as a whole: every format gives the same cohort, and every fault is told."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from escape_score.errors import (
    FileMissingError,
    FileUnreadableError,
    InputError,
    InputFaultsError,
    MatrixInvalidError,
    SampleSheetInvalidError,
)
from escape_score.genes import load_gene_table
from escape_score.model.cohort import Cohort
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.read import ReadLimits, count_samples, read_cohort

MakeFrame = Callable[..., pd.DataFrame]
Writer = Callable[[pd.DataFrame, Path], None]

SYMBOLS = sorted(load_gene_table().current)


def write_h5ad(frame: pd.DataFrame, path: Path, *, form: Callable[[np.ndarray], object] = np.asarray) -> None:
    values = form(frame.to_numpy(dtype=float).T)
    obs, var = pd.DataFrame(index=list(frame.columns)), pd.DataFrame(index=list(frame.index))
    ad.AnnData(values, obs=obs, var=var).write_h5ad(path)


def write_gct(frame: pd.DataFrame, path: Path, *, version: str) -> None:
    n_genes, n_samples = frame.shape
    sizes = f"{n_genes}\t{n_samples}" + ("\t1\t2" if version == "1.3" else "")
    table = frame.rename_axis("NAME").reset_index()
    table.insert(1, "Description", "na")
    header, body = "\t".join(table.columns), table.to_csv(sep="\t", index=False, header=False)
    about = "".join(f"{name}\tna{chr(9)}{chr(9).join('7' * n_samples)}\n" for name in ("dose", "time"))
    text = f"#{version}\n{sizes}\n{header}\n" + (about if version == "1.3" else "") + body
    path.write_text(text, encoding="utf-8")


WRITERS: dict[str, Writer] = {
    "tsv": lambda frame, path: frame.to_csv(path, sep="\t", index_label="gene"),
    "csv.gz": lambda frame, path: frame.to_csv(path, compression="gzip", index_label="gene"),
    "parquet index": lambda frame, path: frame.to_parquet(path),
    "parquet column": lambda frame, path: (
        frame.rename_axis("gene").reset_index().to_parquet(path, index=False)
    ),
    "parquet dictionary": lambda frame, path: (
        frame.rename_axis("gene").reset_index().astype({"gene": "category"}).to_parquet(path, index=False)
    ),
    "parquet row groups": lambda frame, path: frame.to_parquet(path, row_group_size=2),
    "tsv.zst": lambda frame, path: frame.to_csv(path, sep="\t", compression="zstd", index_label="gene"),
    "utf-16": lambda frame, path: frame.to_csv(path, sep="\t", encoding="utf-16", index_label="gene"),
    "quoted": lambda frame, path: frame.to_csv(path, quoting=csv.QUOTE_ALL, index_label="gene"),
    "european": lambda frame, path: frame.to_csv(path, sep=";", decimal=",", index_label="gene"),
    "gct 1.2": lambda frame, path: write_gct(frame, path, version="1.2"),
    "gct 1.3": lambda frame, path: write_gct(frame, path, version="1.3"),
    "xlsx": lambda frame, path: frame.to_excel(path, engine="openpyxl", index_label="gene"),
    "feather": lambda frame, path: frame.rename_axis("gene").reset_index().to_feather(path),
    "feather zstd": lambda frame, path: (
        frame.rename_axis("gene").reset_index().to_feather(path, compression="zstd", chunksize=2)
    ),
    "h5ad dense": write_h5ad,
    "h5ad csr": lambda frame, path: write_h5ad(frame, path, form=sparse.csr_matrix),
    "h5ad csc": lambda frame, path: write_h5ad(frame, path, form=sparse.csc_matrix),
}


def values_of(cohort: Cohort) -> np.ndarray:
    return cohort.source.block(0, len(cohort.sample_ids))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    n_genes, n_samples = draw(st.integers(2, 12)), draw(st.integers(1, 5))
    cells = st.floats(0, 1e6, allow_subnormal=False) | st.just(np.nan)
    values = draw(hnp.arrays(float, (n_genes, n_samples), elements=cells))
    values[:2] = [[60.0], [0.5]]
    names = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=8).filter(
        lambda x: '"' not in x
    )
    unused = names.filter(lambda name: name not in SYMBOLS and not name.startswith("#"))
    samples = draw(st.lists(unused, min_size=n_samples, max_size=n_samples, unique=True))
    genes = draw(st.lists(st.sampled_from(SYMBOLS[:500]), min_size=n_genes, max_size=n_genes, unique=True))
    return pd.DataFrame(values, index=genes, columns=[f"s{name}" for name in samples])


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(frame=frames())
def test_read_cohort_gives_back_what_was_written(tmp_path: Path, form: str, frame: pd.DataFrame) -> None:
    path = tmp_path / "matrix"
    WRITERS[form](frame, path)
    cohort = read_cohort(path, cohort="c", units=ExpressionUnit.FPKM)
    assert cohort.sample_ids == tuple(frame.columns)
    assert cohort.source.gene_ids == tuple(frame.index)
    tolerance = 1e-14 if form == "xlsx" else 0.0  # openpyxl writes fewer digits than a float64 has
    assert np.allclose(values_of(cohort), frame.to_numpy().T, rtol=tolerance, atol=0, equal_nan=True)
    assert count_samples(path) == frame.shape[1]
    assert cohort.input_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", WRITERS)
def test_read_cohort_hands_out_blocks(tmp_path: Path, make_tpm: MakeFrame, form: str) -> None:
    frame = make_tpm(n_samples=5)
    WRITERS[form](frame, tmp_path / "matrix")
    source = read_cohort(tmp_path / "matrix", cohort="c").source
    pieces = [source.block(start, min(start + 2, 5)) for start in range(0, 5, 2)]
    tolerance = 1e-14 if form == "xlsx" else 0.0
    assert np.allclose(np.concatenate(pieces), frame.to_numpy().T, rtol=tolerance, atol=0)
    assert source.block(1, 3).dtype == np.float64


def test_read_cohort_joins_sheet_by_id(tmp_path: Path, make_tpm: MakeFrame) -> None:
    make_tpm(n_samples=3).to_csv(tmp_path / "m.tsv", sep="\t")
    (tmp_path / "s.tsv").write_text("sample_id\tresponse\nP02\tPD\nP00\tCR\nghost\tCR\n", encoding="utf-8")
    cohort = read_cohort(tmp_path / "m.tsv", cohort="c", samples=tmp_path / "s.tsv")
    assert [record.response for record in cohort.samples] == ["R", "", "NR"]
    assert [note.code for note in cohort.flags.cohort] == [Code.SHEET_ROWS_UNUSED]
    assert [note.code for note in cohort.flags.of_sample("P01")] == [Code.NO_METADATA, Code.SHEET_ROWS_UNUSED]


def test_read_cohort_tells_faults_of_matrix_and_sheet_together(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm()
    (frame - frame.to_numpy().mean()).to_csv(tmp_path / "m.tsv", sep="\t")
    (tmp_path / "s.tsv").write_text("sample_id\nX1\n", encoding="utf-8")
    with pytest.raises(InputFaultsError) as caught:
        read_cohort(tmp_path / "m.tsv", cohort="c", samples=tmp_path / "s.tsv")
    assert "m.tsv" in caught.value.lines[0]
    assert "no sample_id in common" in caught.value.lines[1]


def test_read_cohort_tells_sheet_fault_beside_unreadable_matrix(tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("", encoding="utf-8")
    with pytest.raises(InputFaultsError) as caught:
        read_cohort(tmp_path / "none.tsv", cohort="c", samples=tmp_path / "s.tsv")
    assert [type(fault) for fault in caught.value.faults] == [FileMissingError, SampleSheetInvalidError]


def test_read_cohort_recognises_transposed_matrix(tmp_path: Path, make_tpm: MakeFrame) -> None:
    for form in ("tsv", "parquet index", "h5ad dense"):
        WRITERS[form](make_tpm().T, tmp_path / form)
        with pytest.raises(MatrixInvalidError, match=r"looks transposed.*samples belong in (columns|obs)"):
            read_cohort(tmp_path / form, cohort="c")


@pytest.mark.parametrize(
    ("name_of", "said"),
    [
        (str, "row numbers"),
        (lambda at: f"ENSMUSG{at:011d}", "mouse"),
        (lambda at: f"{at}_at", "probes"),
        (lambda at: f"thing{at}", "no recognisable human gene"),
    ],
)
def test_read_cohort_refuses_rows_that_are_no_genes(
    tmp_path: Path, make_tpm: MakeFrame, name_of: Callable[[int], str], said: str
) -> None:
    frame = make_tpm()
    frame.index = [name_of(at) for at in range(len(frame))]
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    with pytest.raises(MatrixInvalidError, match=said):
        read_cohort(tmp_path / "m.tsv", cohort="c")


def test_read_cohort_refuses_too_many_samples(tmp_path: Path, make_tpm: MakeFrame) -> None:
    make_tpm(n_samples=5).to_csv(tmp_path / "m.tsv", sep="\t")
    with pytest.raises(MatrixInvalidError, match="too large"):
        read_cohort(tmp_path / "m.tsv", cohort="c", limits=ReadLimits(max_samples=4))


def test_read_cohort_refuses_infinite_cell_of_binary_format(tmp_path: Path, make_tpm: MakeFrame) -> None:
    frame = make_tpm()
    frame.iloc[5, 2] = -np.inf
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(MatrixInvalidError, match=rf"infinite.*gene {frame.index[5]}, sample P02"):
        read_cohort(tmp_path / "m.parquet", cohort="c")


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_read_cohort_refuses_what_is_no_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "m.tsv")
    with pytest.raises(FileUnreadableError, match=r"folder|not a regular file"):
        read_cohort(tmp_path / "m.tsv", cohort="c")


@pytest.mark.parametrize("form", ["parquet index", "h5ad dense", "h5ad csr", "xlsx", "feather"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
def test_read_cohort_refuses_cut_binary_file(
    tmp_path: Path, make_tpm: MakeFrame, form: str, part: float
) -> None:
    path = tmp_path / "matrix"
    WRITERS[form](make_tpm(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FileUnreadableError, match=r"damaged or truncated"):
        read_cohort(path, cohort="c")


def test_read_cohort_refuses_damaged_parquet_pages(tmp_path: Path, make_tpm: MakeFrame) -> None:
    path = tmp_path / "m.parquet"
    make_tpm(n_genes=3_000).to_parquet(path, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[1_000] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(FileUnreadableError, match="damaged"):
        read_cohort(path, cohort="c")


def test_read_cohort_refuses_numbers_stored_as_text_in_parquet(tmp_path: Path, make_tpm: MakeFrame) -> None:
    make_tpm().astype(str).to_parquet(tmp_path / "m.parquet")
    with pytest.raises(MatrixInvalidError, match=r"stored as text .*'P00'"):
        read_cohort(tmp_path / "m.parquet", cohort="c")


def test_read_cohort_reads_parquet_beside_annotation_and_prefixes(
    tmp_path: Path, make_tpm: MakeFrame
) -> None:
    frame = make_tpm(n_samples=2).set_axis(["P1", "P1.baseline"], axis=1)
    frame = frame.assign(length=np.arange(len(frame)), description="text").reset_index()
    frame.to_parquet(tmp_path / "m.parquet", index=False)
    cohort = read_cohort(tmp_path / "m.parquet", cohort="c")
    assert cohort.sample_ids == ("P1", "P1.baseline")
    assert np.array_equal(values_of(cohort), frame[["P1", "P1.baseline"]].to_numpy().T)


def test_read_cohort_refuses_parquet_without_genes(tmp_path: Path, make_tpm: MakeFrame) -> None:
    make_tpm().to_parquet(tmp_path / "m.parquet", index=False)
    with pytest.raises(MatrixInvalidError, match="no gene column"):
        read_cohort(tmp_path / "m.parquet", cohort="c")


def test_read_cohort_refuses_long_parquet_by_its_footer(tmp_path: Path) -> None:
    n_rows = 200_000
    table = pa.table(
        {"gene": pa.DictionaryArray.from_arrays(np.zeros(n_rows, "int32"), ["B2M"]), "A": np.zeros(n_rows)}
    )
    pq.write_table(table, tmp_path / "m.parquet")
    with pytest.raises(MatrixInvalidError, match="too large, 200000 gene rows"):
        read_cohort(tmp_path / "m.parquet", cohort="c")


def test_read_cohort_reads_german_thousands(tmp_path: Path) -> None:
    counts = pd.DataFrame(
        np.random.default_rng(0).integers(0, 5_000, (300, 3)),
        sorted(load_gene_table().current)[:300],
        ["A", "B", "C"],
    )
    written = counts.map(lambda count: f"{count:,}".replace(",", "."))
    written.to_csv(tmp_path / "m.tsv", sep="\t", index_label="gene")
    cohort = read_cohort(tmp_path / "m.tsv", units="counts", cohort="c")
    np.testing.assert_array_equal(cohort.source.block(0, 3), counts.to_numpy().T)


def test_read_cohort_refuses_points_that_may_be_either(tmp_path: Path) -> None:
    (tmp_path / "m.tsv").write_text("gene\tA\tB\nCD8A\t1.060\t12\nB2M\t7\t15\nTP53\t3\t8\n")
    with pytest.raises(InputError, match="thousands separator"):
        read_cohort(tmp_path / "m.tsv", units="counts", cohort="c")
