"""Which genes speak for and against a mechanism in one sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from escape_score.model.record import GeneEvidence
from escape_score.model.scores import GeneValues
from escape_score.model.thresholds import EvidenceLimits


@dataclass(frozen=True)
class AxisGene:
    """One gene of an axis: where its values are, and in which direction it counts."""

    gene_symbol: str
    column: int
    component: str
    direction: int


def axis_genes(
    evidence: Iterable[tuple[str, int]], components: Mapping[str, tuple[str, ...]], genes: GeneValues
) -> tuple[AxisGene, ...]:
    """Genes measured in a cohort that carry an axis, each once; ``evidence``: components, directions."""
    column_of = {symbol: i for i, symbol in enumerate(genes.gene_symbols)}
    found: dict[str, AxisGene] = {}
    for component, direction in evidence:
        for symbol in components[component]:
            if symbol in column_of and symbol not in found:
                found[symbol] = AxisGene(symbol, column_of[symbol], component, direction)
    return tuple(found.values())


def gene_evidence(
    members: tuple[AxisGene, ...], genes: GeneValues, row: int, limits: EvidenceLimits
) -> tuple[tuple[GeneEvidence, ...], tuple[GeneEvidence, ...]]:
    """Strongest genes for and against a mechanism in one sample.

    At most ``limits.evidence_genes`` each, with |z| of at least ``limits.evidence_z``, strongest first.
    """
    signed = [(gene.direction * genes.z[row, gene.column], gene) for gene in members]
    strong = [(value, gene) for value, gene in signed if abs(value) >= limits.evidence_z]
    strong.sort(key=lambda pair: (-abs(pair[0]), pair[1].gene_symbol))
    most = limits.evidence_genes
    found = [_record(gene, genes, row) for value, gene in strong if value > 0]
    opposing = [_record(gene, genes, row) for value, gene in strong if not value > 0]
    return tuple(found[:most]), tuple(opposing[:most])


def _record(gene: AxisGene, genes: GeneValues, row: int) -> GeneEvidence:
    return GeneEvidence(
        gene_symbol=gene.gene_symbol,
        component=gene.component,
        z=float(genes.z[row, gene.column]),
        log2_tpm=float(np.maximum(genes.log2_tpm[row, gene.column], 0.0)),
        direction=gene.direction,
    )
