"""Genes that speak for and against a mechanism."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.model.scores import GeneValues
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.axes import AxisModel
from escape_score.profile.evidence import AxisGene, axis_genes, gene_evidence
from escape_score.profile.stage import axis_models

LIMITS = load_thresholds().evidence


def test_gene_evidence_ranks_signs_and_cuts() -> None:
    z = np.array([[3.0, -4.0, 0.5, 0.49, np.nan, 1.0, 1.0, 2.0, 2.5, -0.6]])
    genes = GeneValues(tuple("abcdefghij"), z - 1, z)
    members = tuple(AxisGene(s, i, "x", -1 if s == "b" else 1) for i, s in enumerate(genes.gene_symbols))
    found, opposing = gene_evidence(members, genes, 0, LIMITS)
    assert [(g.gene_symbol, g.z, g.direction) for g in found] == [
        ("b", -4.0, -1),
        ("a", 3.0, 1),
        ("i", 2.5, 1),
        ("h", 2.0, 1),
        ("f", 1.0, 1),
    ]
    assert [g.gene_symbol for g in opposing] == ["j"]
    assert found[0].log2_tpm == 0.0  # −5 would be no level
    assert found[1].log2_tpm == 2.0


@pytest.mark.parametrize("axis", axis_models(load_axis_catalogue()), ids=lambda axis: axis.definition.axis)
def test_axis_genes_are_those_of_its_components_once(axis: AxisModel, demo: Profiles) -> None:
    context = demo.maker.context
    found = axis_genes(axis.evidence(context), context.design.components, demo.scores.genes)
    symbols = [gene.gene_symbol for gene in found]
    assert len(symbols) == len(set(symbols)) > 0
    for gene in found:
        assert gene.gene_symbol in context.design.components[gene.component]
        assert demo.scores.genes.gene_symbols[gene.column] == gene.gene_symbol


def test_evidence_points_where_the_score_does(demo: Profiles) -> None:
    """Where a mechanism is the mean of one component, strong scores have more genes for than against."""
    plain = {"angiogenesis": 1, "wnt": 1, "mhc2_loss": -1}
    seen = 0
    for record in demo.maker.records():
        for axis in record.axes:
            if axis.axis in plain and axis.score is not None and abs(axis.score) > 1.5:
                more, fewer = (
                    (axis.evidence, axis.opposing) if axis.score > 0 else (axis.opposing, axis.evidence)
                )
                assert len(more) > len(fewer)
                seen += 1
            for gene in axis.evidence:
                assert gene.z * gene.direction > 0
            for gene in axis.opposing:
                assert gene.z * gene.direction < 0
    assert seen >= 3
