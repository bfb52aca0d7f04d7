"""Weakest links against a slow computation."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from escape_score.catalogue import load_thresholds
from escape_score.cli.outputs import ProfiledCohort
from escape_score.model.cohort import Cohort
from escape_score.profile.weakest_link import weakest_link

NAN = float("nan")
CHAINS = {"mhc1_weakest_link": "weakest_link_mhc1", "ifng_machinery": "ifng_machinery"}
NAMES = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize("axis", CHAINS)
def test_weakest_link_agrees_with_a_slow_computation(axis: str, demo: ProfiledCohort) -> None:
    context, reference, genes = demo.maker.context, demo.reference, demo.scores.genes
    for row in range(8):
        z = dict(zip(genes.gene_symbols, genes.z[row].tolist(), strict=True))
        spreads = dict(zip(reference.genes.symbols, reference.genes.spread.tolist(), strict=True))
        distance = demo.scores.placement.distance[row]
        excess = math.sqrt(max(0.0, distance**2 - reference.anchor_distance**2))
        residuals = {}
        for gene in context.components[CHAINS[axis]]:
            fit = reference.weakest_links[gene]
            expected = (
                fit.intercept
                + fit.ifng_slope * context.terms.values["ifng_response"][row]
                + fit.leukocyte_slope * context.terms.values["leukocyte"][row]
            )
            residuals[gene] = (z[gene] - expected) / math.hypot(fit.spread, excess / spreads[gene])
        centre = statistics.median(residuals.values()) if axis == "mhc1_weakest_link" else 0.0
        weakest = min(residuals, key=lambda gene: residuals[gene])
        found = demo.profiles.axis(axis)
        assert found.score[row] == pytest.approx(centre - residuals[weakest], abs=1e-10)
        assert found.weakest_gene[row] == weakest
        assert found.coverage[row] == 1.0


@pytest.mark.parametrize(
    ("row", "is_centred", "score", "gene"),
    [
        ([1.0, 2.0, -3.0, 0.0, 1.0], False, 3.0, "c"),
        ([1.0, 2.0, -3.0, 0.0, 1.0], True, 4.0, "c"),
        ([-4.0, -4.0, -4.0, -4.0, -4.0], True, 0.0, "a"),
        ([-4.0, -4.0, -4.0, -4.0, -4.0], False, 4.0, "a"),
        ([NAN, 2.0, -3.0, 0.0, 1.0], False, 3.0, "c"),
        ([NAN, NAN, -3.0, 0.0, 1.0], False, NAN, ""),
        ([NAN] * 5, True, NAN, ""),
    ],
)
def test_weakest_link_needs_four_links(row: list[float], is_centred: bool, score: float, gene: str) -> None:
    link = weakest_link(
        NAMES, np.array([row]), n_chain=6, is_centred=is_centred, thresholds=load_thresholds()
    )
    np.testing.assert_allclose(link.score, [score])
    assert link.gene.tolist() == [gene]
    assert link.coverage.tolist() == [sum(not math.isnan(v) for v in row) / 6]


@pytest.mark.parametrize("gene", ["B2M", "HLA-B", "TAP1"])
def test_a_lost_gene_is_named(
    gene: str,
    demo_tpm: pd.DataFrame,
    *,
    make_cohort: Callable[..., Cohort],
    run_engine: Callable[..., ProfiledCohort],
) -> None:
    lost = demo_tpm.copy()
    lost[gene] /= 200
    axis = run_engine(make_cohort(lost)).profiles.axis("mhc1_weakest_link")
    assert axis.weakest_gene.tolist() == [gene] * 8
    assert (axis.score > 3).all()
