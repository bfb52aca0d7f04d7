"""Samples in rows, in every format: read with the option, and refused without it in words that name it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from escape_score.errors import InputError, MatrixInvalidError
from escape_score.genes import load_gene_table
from escape_score.model.cohort import Cohort
from escape_score.pipeline.inspection import inspect_input
from escape_score.read import ReadLimits, ReadRequest, count_samples, read_cohort

MakeFrame = Callable[..., pd.DataFrame]
Write = Callable[[pd.DataFrame, Path], None]


def write_h5ad(form: Callable[[np.ndarray], Any]) -> Write:
    """Genes in obs and samples in var."""

    def write(rows: pd.DataFrame, path: Path) -> None:
        obs, var = pd.DataFrame(index=list(rows.columns)), pd.DataFrame(index=list(rows.index))
        ad.AnnData(form(rows.to_numpy().T), obs=obs, var=var).write_h5ad(path)

    return write


WRITERS: dict[str, Write] = {
    "tsv": lambda rows, path: rows.to_csv(path, sep="\t", index_label="sample"),
    "csv.gz": lambda rows, path: rows.to_csv(path, compression="gzip"),
    "R": lambda rows, path: rows.to_csv(path, sep="\t", header=True, index_label=False),
    "xlsx": lambda rows, path: rows.to_excel(path, engine="openpyxl", index_label="sample"),
    "parquet": lambda rows, path: rows.to_parquet(path),
    "parquet column": lambda rows, path: rows.rename_axis("s").reset_index().to_parquet(path, index=False),
    "feather": lambda rows, path: rows.rename_axis("sample").reset_index().to_feather(path),
    "h5ad dense": write_h5ad(np.asarray),
    "h5ad csr": write_h5ad(sparse.csr_matrix),
    "h5ad csc": write_h5ad(sparse.csc_matrix),
}


def values_of(cohort: Cohort) -> np.ndarray:
    return cohort.source.block(0, len(cohort.sample_ids))


@pytest.mark.parametrize("form", WRITERS)
def test_read_cohort_reads_samples_in_rows(tmp_path: Path, make_tpm: MakeFrame, form: str) -> None:
    rows = make_tpm(n_genes=40, n_samples=5).T.map(lambda value: float(f"{value:.12g}"))
    WRITERS[form](rows, tmp_path / "m")
    cohort = read_cohort(tmp_path / "m", units="fpkm", transpose=True)
    assert cohort.sample_ids == tuple(rows.index)
    assert cohort.source.gene_ids == tuple(rows.columns)
    assert values_of(cohort).tolist() == rows.to_numpy().tolist()
    assert cohort.source.block(2, 4).tolist() == rows.to_numpy()[2:4].tolist()
    assert count_samples(tmp_path / "m", request=ReadRequest(transpose=True)) == 5


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("limits", [ReadLimits(), ReadLimits(max_samples=100)])
def test_read_cohort_names_the_option_before_any_limit(
    tmp_path: Path, make_tpm: MakeFrame, form: str, limits: ReadLimits
) -> None:
    WRITERS[form](make_tpm(n_genes=200, n_samples=8).T, tmp_path / "m")
    with pytest.raises(MatrixInvalidError, match=r"looks transposed \(genes such as .*; use --transpose"):
        read_cohort(tmp_path / "m", units="tpm", limits=limits)
    (finding,) = inspect_input(tmp_path / "m", ReadRequest(limits=limits)).findings
    assert "--transpose" in finding.text


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("limits", [ReadLimits(), ReadLimits(max_samples=100)])
def test_read_cohort_refuses_the_option_where_genes_are_in_rows(
    tmp_path: Path, make_tpm: MakeFrame, form: str, limits: ReadLimits
) -> None:
    frame = make_tpm(n_genes=200, n_samples=8)
    if "h5ad" not in form:  # anndata warns of a name that is there twice
        frame = frame.set_axis([*frame.index[:-1], frame.index[0]])
    WRITERS[form](frame, tmp_path / "m")
    with pytest.raises(MatrixInvalidError, match=r"looks transposed.*; leave --transpose out"):
        read_cohort(tmp_path / "m", units="tpm", transpose=True, limits=limits)


def test_read_cohort_says_transposed_where_a_gene_is_twice(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows = make_tpm(n_genes=60).T
    rows.columns = [rows.columns[0], rows.columns[0], *rows.columns[2:]]
    rows.to_csv(tmp_path / "m.csv")
    with pytest.raises(MatrixInvalidError, match="looks transposed"):
        read_cohort(tmp_path / "m.csv")
    cohort = read_cohort(tmp_path / "m.csv", transpose=True)
    assert cohort.source.gene_ids == tuple(rows.columns)


def test_read_cohort_takes_entrez_ids_in_columns_for_genes(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows, entrez = make_tpm(n_genes=60).T, list(load_gene_table().entrez)[:60]
    rows.set_axis(entrez, axis=1).to_csv(tmp_path / "m.csv")
    with pytest.raises(MatrixInvalidError, match="looks transposed"):
        read_cohort(tmp_path / "m.csv")
    assert read_cohort(tmp_path / "m.csv", transpose=True).source.gene_ids == tuple(entrez)


def test_read_cohort_does_not_take_numbered_samples_for_genes(tmp_path: Path) -> None:
    values = np.arange(1.0, 1201.0).reshape(40, 30)
    frame = pd.DataFrame(values, [f"thing{at}" for at in range(40)], [str(at) for at in range(1, 31)])
    frame.to_csv(tmp_path / "m.csv")
    with pytest.raises(MatrixInvalidError, match="no recognisable human gene"):
        read_cohort(tmp_path / "m.csv")


def test_read_cohort_reads_columns_as_depmap_names_them(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows = make_tpm(n_genes=60).T
    rows.set_axis([f"{gene} ({at})" for at, gene in enumerate(rows.columns)], axis=1).to_csv(
        tmp_path / "m.csv"
    )
    with pytest.raises(MatrixInvalidError, match="looks transposed"):
        read_cohort(tmp_path / "m.csv")
    assert read_cohort(tmp_path / "m.csv", transpose=True).sample_ids == tuple(rows.index)


@pytest.mark.parametrize("form", ["tsv", "xlsx", "parquet column", "feather"])
def test_read_cohort_leaves_out_what_describes_samples(
    tmp_path: Path, make_tpm: MakeFrame, form: str
) -> None:
    rows = make_tpm(n_genes=40)
    rows = rows.rename(index={rows.index[0]: "GC"}).T  # a gene that is also the name of a column on genes
    table = rows.copy()
    table.insert(0, "site", "colon")
    table["os_days"], table["note"] = 200.0, "x"
    WRITERS[form](table, tmp_path / "m")
    cohort = read_cohort(tmp_path / "m", units="tpm", transpose=True)
    assert cohort.source.gene_ids == tuple(rows.columns)


def test_read_cohort_finds_sample_ids_behind_row_numbers(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows = make_tpm(n_genes=40).T
    rows.rename_axis("sample").reset_index().to_csv(tmp_path / "m.csv")
    assert read_cohort(tmp_path / "m.csv", transpose=True).sample_ids == tuple(rows.index)


def test_read_cohort_names_place_of_bad_cell_of_samples_in_rows(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows = make_tpm(n_genes=40, n_samples=5).T.astype(object)
    rows.iloc[2, 7] = "low"
    rows.to_csv(tmp_path / "m.csv")
    with pytest.raises(MatrixInvalidError, match=rf"sample P02, gene {rows.columns[7]}, line 4"):
        read_cohort(tmp_path / "m.csv", transpose=True)
    rows.to_excel(tmp_path / "m.xlsx")
    with pytest.raises(MatrixInvalidError, match=rf"sample P02, gene {rows.columns[7]}, cell I4"):
        read_cohort(tmp_path / "m.xlsx", transpose=True)


def test_read_cohort_refuses_samples_in_rows_with_one_name(tmp_path: Path, make_tpm: MakeFrame) -> None:
    rows = make_tpm(n_genes=40).T.set_axis(["A", "B", "A", "C"])
    rows.to_csv(tmp_path / "m.csv")
    with pytest.raises(MatrixInvalidError, match="duplicate sample names"):
        read_cohort(tmp_path / "m.csv", transpose=True)


@pytest.mark.parametrize("head", ["#1.2\n1\t1\nNAME\tDescription\tA\nB2M\tna\t5\n"])
def test_read_cohort_refuses_the_option_for_gct(tmp_path: Path, head: str) -> None:
    (tmp_path / "m.gct").write_text(head)
    with pytest.raises(InputError, match=r"fixed places by its definition.*leave --transpose out"):
        read_cohort(tmp_path / "m.gct", transpose=True)


def test_read_cohort_reads_a_wide_text(tmp_path: Path) -> None:
    genes = sorted(load_gene_table().current)[:20_000]
    lines = ["\t".join(["sample", *genes])]
    lines += [
        f"S{row}\t" + "\t".join(str(((row * at) % 97) ** 5) for at in range(20_000)) for row in range(30)
    ]
    (tmp_path / "m.tsv").write_text("\n".join(lines) + "\n")
    cohort = read_cohort(tmp_path / "m.tsv", units="counts", transpose=True)
    assert values_of(cohort)[29, 35] == ((29 * 35) % 97) ** 5


@pytest.mark.parametrize("comment", ["", "#"])
def test_count_samples_of_samples_in_rows_is_what_is_read(tmp_path: Path, comment: str) -> None:
    genes = sorted(load_gene_table().current)[:40]
    lines = [comment + ",".join(["sample", *genes])]
    lines += [",".join([f"S{row}", *(str((row + at) % 9) for at in range(40))]) for row in range(3)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join([*lines, "," * 40]) + "\n")
    request = ReadRequest(transpose=True)
    assert count_samples(path, request=request) == len(
        read_cohort(path, units="counts", transpose=True).sample_ids
    )


def test_read_cohort_takes_genes_on_both_sides_of_the_names_and_no_column_of_a_sheet(tmp_path: Path) -> None:
    genes = sorted(load_gene_table().current)[:40]
    header = ["patient", *genes[:3], "sample_id", *genes[3:]]
    lines = [",".join(header)]
    lines += [
        ",".join([str(row), "5", "7", "9", f"S{row}", *(str(at % 9) for at in range(37))])
        for row in range(1, 4)
    ]
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    cohort = read_cohort(tmp_path / "m.csv", units="counts", transpose=True)
    assert set(cohort.source.gene_ids) == set(genes)
