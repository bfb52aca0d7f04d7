"""Genes that speak for and against a mechanism."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.model.scores import GeneValues
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.axes import AxisModel, MeanAxis
from escape_score.profile.evidence import (
    AxisGene,
    AxisGenes,
    SampleGenes,
    axis_genes,
    denominator_genes,
    gene_evidence,
)
from escape_score.profile.stage import axis_models

LIMITS = load_thresholds().evidence


def test_gene_evidence_ranks_signs_and_cuts() -> None:
    adjusted = np.array([[3.0, -4.0, 0.5, 0.49, np.nan, 1.0, 1.0, 2.0, 2.5, -0.6]])
    z = adjusted + 0.25
    genes = GeneValues(tuple("abcdefghij"), z - 1, z)
    members = tuple(AxisGene(s, i, "x", -1 if s == "b" else 1) for i, s in enumerate(genes.gene_symbols))
    found, opposing = gene_evidence(AxisGenes(members, (), adjusted), SampleGenes.of(genes, 0), LIMITS)
    assert [(g.gene_symbol, g.adjusted, g.z, g.direction) for g in found] == [
        ("b", -4.0, -3.75, -1),
        ("a", 3.0, 3.25, 1),
        ("i", 2.5, 2.75, 1),
        ("h", 2.0, 2.25, 1),
        ("f", 1.0, 1.25, 1),
    ]
    assert [g.gene_symbol for g in opposing] == ["j"]
    assert found[0].log2_tpm == 0.0  # −4.75 would be no level
    assert found[1].log2_tpm == 2.25


def test_denominator_genes_are_the_most_unusual_ones_first() -> None:
    z = np.array([[0.1, -3.0, np.nan, 2.0, 0.2, 0.3, 0.4]])
    genes = GeneValues(tuple("abcdefg"), z, z)
    below = tuple(AxisGene(s, i, "cells", -1) for i, s in enumerate(genes.gene_symbols))
    found = denominator_genes(AxisGenes((), below, np.empty((1, 0))), SampleGenes.of(genes, 0), LIMITS)
    assert [(g.gene_symbol, g.adjusted) for g in found] == [(s, None) for s in "bdgfe"]


@pytest.mark.parametrize("axis", axis_models(load_axis_catalogue()), ids=lambda axis: axis.definition.axis)
def test_axis_genes_are_those_of_its_components_once(axis: AxisModel, demo: Profiles) -> None:
    context = demo.maker.context
    sources = tuple(axis.evidence(context))
    found = axis_genes(sources, context.design.components, demo.scores)
    symbols = [gene.gene_symbol for gene in found.members]
    assert len(symbols) == len(set(symbols)) > 0
    assert found.adjusted.shape == (len(demo.scores.sample_ids), len(symbols))
    for gene in (*found.members, *found.denominator):
        assert gene.gene_symbol in context.design.components[gene.component]
        assert demo.scores.genes.gene_symbols[gene.column] == gene.gene_symbol
    for gene in found.denominator:
        assert -gene.direction in {one.direction for one in sources if gene.component in one.denominators}
    assert bool(found.denominator) == (axis.definition.adjusted_for is not None)


ONE_COMPONENT = [
    model
    for model in axis_models(load_axis_catalogue())
    if type(model) is MeanAxis and len(model.definition.terms) == 1
]


@pytest.mark.parametrize("axis", ONE_COMPONENT, ids=lambda axis: axis.definition.axis)
def test_mean_of_the_adjusted_genes_is_the_score(axis: MeanAxis, demo: Profiles) -> None:
    """Of axes that are one component, adjusted or not; the class I model weighs its genes unequally."""
    context, terms = demo.maker.context, axis.definition.terms
    found = axis_genes(axis.evidence(context), context.design.components, demo.scores)
    location, spread = demo.reference.term_stats[terms[0].name]
    expected = terms[0].sign * (np.nanmean(found.adjusted, axis=1) - location) / spread
    score = demo.profiles.axis(axis.definition.axis).score
    known = ~np.isnan(score)
    assert known.sum() > 4
    np.testing.assert_allclose(score[known], expected[known], atol=1e-9)


def test_weakest_gene_is_the_one_farthest_below_its_expectation(demo: Profiles) -> None:
    context, axis = demo.maker.context, demo.profiles.axis("ifng_machinery")
    model = next(one for one in axis_models(load_axis_catalogue()) if one.definition.axis == "ifng_machinery")
    found = axis_genes(model.evidence(context), context.design.components, demo.scores)
    symbols = [gene.gene_symbol for gene in found.members]
    lowest = [symbols[column] for column in np.nanargmin(found.adjusted, axis=1)]
    assert lowest == list(axis.weakest_gene)
    np.testing.assert_allclose(np.nanmin(found.adjusted, axis=1), -axis.score)


def test_evidence_points_where_the_score_does(demo: Profiles) -> None:
    """Where a mechanism is far from the centre, more genes speak for it than against it, or the reverse."""
    seen = 0
    for record in demo.maker.records():
        for axis in record.axes:
            is_weakest = axis.axis in {"mhc1_weakest_link", "ifng_machinery"}
            if axis.score is not None and abs(axis.score) > 1.5 and not is_weakest:
                more, fewer = (
                    (axis.evidence, axis.opposing) if axis.score > 0 else (axis.opposing, axis.evidence)
                )
                assert sum(abs(g.adjusted or 0) for g in more) > sum(abs(g.adjusted or 0) for g in fewer)
                seen += 1
            for gene in axis.evidence:
                assert gene.adjusted is not None
                assert gene.adjusted * gene.direction > 0
            for gene in axis.opposing:
                assert gene.adjusted is not None
                assert gene.adjusted * gene.direction < 0
    assert seen >= 10
