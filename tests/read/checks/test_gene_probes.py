"""Figures of known genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.read.matrices import facts_of

from escape_score.model.cohort import FloatArray
from escape_score.read.checks.gene_probes import GeneProbes
from escape_score.reference.read import read_length_factors


def slopes(frame: pd.DataFrame) -> FloatArray:
    return facts_of(frame.T).known.length_slope


def test_length_slope_falls_by_one_when_values_are_divided_by_length(demo_tpm: pd.DataFrame) -> None:
    lengths = pd.Series(read_length_factors()).reindex(demo_tpm.columns).fillna(1000.0)
    counts = demo_tpm * lengths
    np.testing.assert_allclose(slopes(counts) - slopes(demo_tpm), 1.0, atol=1e-9)
    np.testing.assert_allclose(slopes(counts * 7.3), slopes(counts), atol=1e-9)
    assert (np.abs(slopes(demo_tpm)) < 0.35).all()


def test_response_is_one_for_tumours_of_the_reference(demo_tpm: pd.DataFrame) -> None:
    np.testing.assert_allclose(facts_of(demo_tpm.T).known.response, 1.0, atol=0.15)
    shuffled = demo_tpm.set_axis(np.random.default_rng(0).permutation(demo_tpm.columns), axis=1)
    assert (np.abs(facts_of(shuffled.T).known.response) < 0.35).all()


def test_figures_are_unknown_for_a_panel(demo_tpm: pd.DataFrame) -> None:
    known = facts_of(demo_tpm.iloc[:, :700].T).known
    assert np.isnan(known.length_slope).all()
    assert np.isnan(known.low_end).all()


def test_figures_leave_missing_values_out(demo_tpm: pd.DataFrame) -> None:
    gaps = demo_tpm.mask(np.random.default_rng(1).random(demo_tpm.shape) < 0.2)
    np.testing.assert_allclose(slopes(gaps), slopes(demo_tpm), atol=0.1)


def test_probes_leave_genes_of_several_rows_out(demo_tpm: pd.DataFrame) -> None:
    genes = tuple(demo_tpm.columns)
    once, twice = GeneProbes.of(genes), GeneProbes.of((*genes, *genes[:10_000]))
    assert 0 < len(twice.anchors) < len(once.anchors)
    assert {genes[at] for at in twice.overall} <= set(genes[10_000:])


def test_anchor_zeros_count_missed_anchors(demo_tpm: pd.DataFrame) -> None:
    probes = GeneProbes.of(tuple(demo_tpm.columns))
    frame = demo_tpm.copy()
    frame.iloc[0, probes.anchors[:50]] = 0.0
    zeros = facts_of(frame.T).known.anchor_zeros
    assert zeros[0] == pytest.approx(50 / len(probes.anchors))
    assert (zeros[1:] == 0).all()


def test_whole_share_sees_counts_behind_a_logarithm(demo_counts: pd.DataFrame) -> None:
    reads = demo_counts.round()
    known = facts_of(pd.DataFrame(np.log2(reads + 1)).round(3).T).known
    assert (known.whole_behind_log2 > 0.95).all()
    assert np.isnan(known.whole_share).all()
    assert (facts_of(pd.DataFrame(np.log1p(reads)).T).known.whole_behind_ln > 0.95).all()
    assert (facts_of((reads * 1.37).T).known.whole_share < 0.3).all()
