"""Ambient RNA from exclusive markers: the share put in, and what must not move it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from tests.cells.presentation_data import MALIGNANT, MYELOID, Tumour, make_patient, rows_of, without_genes

from escape_score.cells.ambient import (
    ambient_counts,
    ambient_share,
    exclusive_genes,
    exclusive_markers,
    with_ambient,
)
from escape_score.cells.presentation import quantity_genes
from escape_score.model.cells import CODE_OF, Compartment


def test_markers_are_genes_of_other_compartments_that_no_quantity_uses() -> None:
    genes = exclusive_genes()
    used = {gene for group in quantity_genes().values() for gene in group}
    assert len(set(genes)) == len(genes)
    assert not used & set(genes)
    others = {marker.compartment for marker in exclusive_markers()}
    assert not others & {Compartment.MALIGNANT, Compartment.EPITHELIAL, Compartment.UNASSIGNED}


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.25])
def test_the_share_put_in_is_found(share: float) -> None:
    found = with_ambient(make_patient(Tumour(ambient=share, n_malignant=300))).ambient[0]
    assert found == pytest.approx(share, rel=0.2)


def test_doublets_among_the_malignant_cells_do_not_move_it() -> None:
    cells = make_patient(Tumour(ambient=0.04))
    codes = cells.codes.copy()
    codes[cells.rows(MYELOID)[:12]] = CODE_OF[MALIGNANT]
    plain, mixed = with_ambient(cells).ambient[0], with_ambient(replace(cells, codes=codes)).ambient[0]
    assert mixed == pytest.approx(plain, rel=0.1)


def test_a_marker_that_malignant_cells_express_does_not_move_it() -> None:
    cells = make_patient(Tumour(ambient=0.04))
    counts = cells.counts.toarray()
    at = cells.columns(["CD14"])
    counts[np.ix_(cells.rows(MALIGNANT), at)] += 20.0
    expressed = replace(cells, counts=sp.csr_array(counts), sample_counts=counts.sum(axis=0).reshape(1, -1))
    assert with_ambient(expressed).ambient[0] == pytest.approx(with_ambient(cells).ambient[0], rel=0.1)


def test_each_sample_has_its_own_share() -> None:
    clean, dirty = make_patient(Tumour(ambient=0.02)), make_patient(Tumour(ambient=0.2), seed=1)
    n_clean = len(clean.codes)
    both = replace(
        clean,
        sample_ids=("A", "B"),
        counts=sp.csr_array(sp.vstack([clean.counts, dirty.counts])),
        n_umi=np.concatenate([clean.n_umi, dirty.n_umi]),
        codes=np.concatenate([clean.codes, dirty.codes]),
        sample_of=np.repeat(np.array([0, 1], dtype=np.int32), [n_clean, len(dirty.codes)]),
        sample_counts=np.vstack([clean.sample_counts, dirty.sample_counts]),
        sample_umi=np.concatenate([clean.sample_umi, dirty.sample_umi]),
        ambient=np.full(2, np.nan),
    )
    apart = [with_ambient(one).ambient[0] for one in (clean, dirty)]
    np.testing.assert_array_equal(with_ambient(both).ambient, apart)


def test_the_share_is_unknown_with_four_malignant_cells_and_known_with_five() -> None:
    cells = make_patient(Tumour(depth=20_000.0))
    others = np.flatnonzero(cells.codes != CODE_OF[MALIGNANT])
    few, enough = (
        with_ambient(rows_of(cells, np.concatenate([cells.rows(MALIGNANT)[:n], others]))) for n in (4, 5)
    )
    assert np.isnan(few.ambient[0])
    assert enough.ambient[0] > 0


def test_the_share_is_unknown_without_counts_of_markers() -> None:
    cells = without_genes(make_patient(), exclusive_genes())
    assert np.isnan(with_ambient(cells).ambient[0])
    assert np.isnan(with_ambient(make_patient(Tumour(n_immune=0))).ambient[0])


def test_the_order_of_cells_and_markers_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    counts, totals, soup = (
        rng.poisson(2.0, (30, 6)).astype(float),
        rng.uniform(1e3, 1e4, 30),
        np.full(6, 5e-3),
    )
    soup[:3] *= 2
    rows, columns = rng.permutation(30), rng.permutation(6)
    shuffled = ambient_share(counts[rows][:, columns], totals[rows], soup[columns])
    assert shuffled == pytest.approx(ambient_share(counts, totals, soup), rel=1e-12)


def test_counts_of_markers_are_those_that_the_share_was_made_from() -> None:
    cells = with_ambient(make_patient(Tumour(ambient=0.08)))
    seen = cells.sums(exclusive_genes(), cells.rows(MALIGNANT)).sum()
    assert ambient_counts(cells)[0] == pytest.approx(seen, rel=0.15)
