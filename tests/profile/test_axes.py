"""Weakest links against a slow computation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from escape_score.library.axes import load_thresholds
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.axes import weakest_link

NAN = float("nan")
NAMES = ("a", "b", "c", "d", "e")


def test_weakest_link_agrees_with_a_slow_computation(demo: Profiles) -> None:
    context, reference, genes = demo.maker.context, demo.reference, demo.scores.genes
    for row in range(8):
        z = dict(zip(genes.gene_symbols, genes.z[row].tolist(), strict=True))
        spreads = dict(zip(reference.genes.symbols, reference.genes.spread.tolist(), strict=True))
        distance = demo.scores.placement.distance[row]
        excess = math.sqrt(max(0.0, distance**2 - reference.anchor_distance**2))
        residuals = {}
        for gene in context.design.components["ifng_machinery"]:
            fit = reference.weakest_links[gene]
            expected = (
                fit.intercept
                + fit.ifng_slope * context.terms["ifng_response"][row]
                + fit.leukocyte_slope * context.terms["leukocyte"][row]
            )
            residuals[gene] = (z[gene] - expected) / math.hypot(fit.spread, excess / spreads[gene])
        weakest = min(residuals, key=lambda gene: residuals[gene])
        found = demo.profiles.axis("ifng_machinery")
        assert found.score[row] == pytest.approx(-residuals[weakest], abs=1e-10)
        assert found.weakest_gene[row] == weakest
        assert found.coverage[row] == 1.0


@pytest.mark.parametrize(
    ("row", "score", "gene"),
    [
        ([1.0, 2.0, -3.0, 0.0, 1.0], 3.0, "c"),
        ([-4.0, -4.0, -4.0, -4.0, -4.0], 4.0, "a"),
        ([NAN, 2.0, -3.0, 0.0, 1.0], 3.0, "c"),
        ([NAN, NAN, -3.0, 0.0, 1.0], NAN, ""),
        ([NAN] * 5, NAN, ""),
    ],
)
def test_weakest_link_needs_four_links(row: list[float], score: float, gene: str) -> None:
    link = weakest_link(NAMES, np.array([row]), n_chain=6, limits=load_thresholds().links)
    np.testing.assert_allclose(link.score, [score])
    assert link.weakest_gene.tolist() == [gene]
    assert link.coverage.tolist() == [sum(not math.isnan(v) for v in row) / 6]
