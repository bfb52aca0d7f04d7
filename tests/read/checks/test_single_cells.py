"""Signs of single cells: two of three are needed, and bulk never shows two."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.cells import adata_of, barcodes, make_cells, make_obs

import escape_score as es
from escape_score.errors import SingleCellsError
from escape_score.model.cohort import InMemoryMatrix
from escape_score.read.checks.single_cells import (
    MAX_DETECTED,
    CellGlance,
    Grouping,
    find_grouping,
    glance_at,
    has_barcode,
    refuse_cells,
    runs,
)


def glance_of(rows: pd.DataFrame, obs: pd.DataFrame | None = None) -> CellGlance:
    source = InMemoryMatrix(tuple(rows.index), tuple(rows.columns), rows.to_numpy(dtype=float))
    return glance_at(source, Grouping() if obs is None else grouping_of(obs))


def grouping_of(obs: pd.DataFrame) -> Grouping:
    return find_grouping(obs.columns, lambda name: [str(cell) for cell in obs[name]])


def logs(cells: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log1p(cells.to_numpy()), index=cells.index, columns=cells.columns)


def named(prefix: str, n: int = 60) -> list[str]:
    return [f"{prefix}{number}" for number in range(n)]


@pytest.mark.parametrize(
    "name",
    [
        "AAACCTGAGAAACCAT-1",
        "P1_AAACCTGAGAAACCAT",
        "AAACCTGAGAAA",
        "CID4465_AAACGGGTCATCGATG",
        "s1:ACGTACGTACGTAC",
    ],
)
def test_barcodes_of_cells_are_found(name: str) -> None:
    assert has_barcode(name)


@pytest.mark.parametrize(
    "name",
    [
        *("TCGA-AA-3502-01A-01R-1410-07", "GSM3439456", "SRR1039508", "CATTAGA", "P1_A01", "hn_cell1", "S1"),
        "12acacaa-caca-4caa-acac-acaacacaacaa",
        "S12_ATTACTCG-TATAGCCT_L001",
    ],
)
def test_names_of_samples_hold_no_barcode(name: str) -> None:
    assert not has_barcode(name)


@pytest.mark.parametrize(
    ("names", "described", "is_counts", "n_signs"),
    [
        (None, True, True, 3),
        (None, False, True, 2),
        (None, True, False, 2),
        ("cell", True, True, 2),
        ("cell", False, True, 1),
        (None, False, False, 1),
        ("cell", True, False, 1),
        ("cell", False, False, 0),
    ],
)
def test_two_of_three_signs_are_refused(
    names: str | None, *, described: bool, is_counts: bool, n_signs: int
) -> None:
    cells = make_cells(named(names) if names else None)
    glance = glance_of(cells if is_counts else logs(cells), make_obs(cells.index) if described else None)
    assert len(glance.signs()) == n_signs
    if n_signs < 2:
        refuse_cells("m.h5ad", glance)
    else:
        with pytest.raises(SingleCellsError):
            refuse_cells("m.h5ad", glance)


def test_line_names_rows_signs_samples_and_remedy() -> None:
    cells = make_cells()
    with pytest.raises(SingleCellsError) as caught:
        refuse_cells("m.h5ad", glance_of(cells, make_obs(cells.index, sample="Patient_ID")))
    (line,) = caught.value.lines
    for part in (
        *(
            "m.h5ad: the 60 rows look like single cells of 3 samples",
            "whole numbers, 81 % are 0",
            "genes detected",
        ),
        *("100 % of the names contain a cell barcode", "'Patient_ID' and 'cell_type'"),
        *("use escape-score cells m.h5ad --sample-column Patient_ID", "--as-samples", "as_samples=True"),
    ):
        assert part in line


def test_sample_column_is_named_without_types() -> None:
    cells = make_cells()
    with pytest.raises(SingleCellsError, match=r"cells of 3 samples .*--sample-column sample, or"):
        refuse_cells("m.h5ad", glance_of(cells, make_obs(cells.index)[["sample"]]))


def bulk_counts(n_genes: int, n_detected: int, n: int = 12) -> pd.DataFrame:
    values = np.random.default_rng(3).poisson(50.0, (n, n_genes)) + 1
    values[:, n_detected:] = 0
    return pd.DataFrame(values, index=named("S", n), columns=[f"g{at}" for at in range(n_genes)])


BULK: dict[str, Callable[[], pd.DataFrame]] = {
    "counts of 60,000 genes": lambda: bulk_counts(60_000, 25_000),
    "QuantSeq": lambda: bulk_counts(60_000, 12_000),
    "NanoString": lambda: bulk_counts(770, 700),
    "panel": lambda: bulk_counts(2_500, 2_400),
    "deep pseudo-bulk": lambda: bulk_counts(30_000, 14_000),
}


@pytest.mark.parametrize("kind", BULK)
def test_bulk_shows_no_sign_even_where_patients_and_clusters_repeat(kind: str) -> None:
    bulk = BULK[kind]()
    obs = pd.DataFrame({"patient": [*"AABBCCDDEEFF"], "cluster": [*"112233112233"]}, index=bulk.index)
    assert glance_of(bulk, obs).signs() == ()


@pytest.mark.parametrize("n_samples", [5, 20])
def test_pseudo_bulk_of_each_sample_and_type_is_not_refused(n_samples: int) -> None:
    rows = make_cells(named("S", n_samples * 8), n=n_samples * 8)
    obs = make_obs(rows.index, n_samples=n_samples, n_types=8)
    assert not obs.duplicated().any()
    glance = glance_of(rows, obs)
    assert glance.grouping == Grouping("sample", n_samples)
    assert len(glance.signs()) == 1
    assert es.from_anndata(adata_of(rows, obs), units="umi").sample_ids == tuple(rows.index)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"sample_id": "ab", "leiden_0.5": "12"}, ("sample_id", "leiden_0.5")),
        ({"orig.ident": "ab", "seurat_clusters": "12"}, ("orig.ident", "seurat_clusters")),
        ({"donor_id": "ab", "CellType": "12"}, ("donor_id", "CellType")),
        ({"patient": "aa", "Sample": "ab", "celltype_major": "12"}, ("Sample", "celltype_major")),
        ({"sample_type": "ab", "annotation": "12"}, ("", "")),
        ({"batch": "ab", "cluster": "12"}, ("", "")),
        ({"patient": "ab", "response": "12"}, ("patient", "")),
    ],
)
def test_columns_of_samples_and_types_are_found(columns: dict[str, str], expected: tuple[str, str]) -> None:
    at = np.arange(40)
    obs = pd.DataFrame(
        {name: [values[(at_ >> bit) & 1] for at_ in at] for bit, (name, values) in enumerate(columns.items())}
    )
    found = grouping_of(obs)
    assert (found.sample_column, found.type_column) == expected


def test_unique_ids_and_a_row_for_each_value_are_no_groups() -> None:
    obs = pd.DataFrame({"sample": named("S", 40), "cell_type": ["T"] * 40})
    assert grouping_of(obs) == Grouping()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_rows_alone_never_count(n: int) -> None:
    assert len(glance_of(make_cells(named("S", n), n=n)).signs()) <= 1


@pytest.mark.parametrize("n", [1, 100, 128, 129, 100_000])
def test_runs_are_within_the_matrix_and_do_not_overlap(n: int) -> None:
    found = list(runs(n, size=32, n_runs=4))
    assert found[0][0] == 0
    assert found[-1][1] == n
    assert all(stop <= start for (_, stop), (start, _) in pairwise(found))


def test_detected_genes_of_bulk_are_no_sign() -> None:
    assert len(glance_of(bulk_counts(40_000, MAX_DETECTED - 1)).signs()) == 1
    assert glance_of(bulk_counts(40_000, MAX_DETECTED)).signs() == ()


@given(
    names=st.lists(st.text(max_size=20), min_size=6, max_size=6),
    n_added=st.integers(0, 200),
    seed=st.integers(0, 99),
)
def test_bulk_of_fractions_is_never_like_counts_of_cells(names: list[str], n_added: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.zeros((6, 40 + n_added))
    values[:, :10] = rng.integers(0, 50, (6, 10)) + 0.5
    glance = glance_of(pd.DataFrame(values, index=names, columns=named("g", values.shape[1])))
    assert not glance.values.is_like_cells
    assert len(glance.signs()) <= 1


@given(n_barcodes=st.integers(0, 30))
def test_barcodes_count_only_if_most_names_have_one(n_barcodes: int) -> None:
    names = [*barcodes(30)[:n_barcodes], *named("S", 30 - n_barcodes)]
    signs = glance_of(logs(make_cells(names, n=30))).signs()
    assert len(signs) == (n_barcodes > 15)
