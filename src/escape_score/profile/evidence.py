"""Which genes speak for and against a mechanism in one sample, adjusted as its score is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan

import numpy as np
from pydantic import TypeAdapter

from escape_score.model.cohort import FloatArray
from escape_score.model.record import GeneEvidence
from escape_score.model.scores import GeneValues, SignatureScores
from escape_score.model.thresholds import EvidenceLimits
from escape_score.profile.axes import EvidenceSource


@dataclass(frozen=True)
class AxisGene:
    """One gene of an axis: where its values are, and in which direction it counts."""

    gene_symbol: str
    column: int
    component: str
    direction: int


@dataclass(frozen=True)
class AxisGenes:
    """Genes measured in a cohort that carry an axis, each once, and those that it is relative to.

    ``adjusted``: shape (n_samples, n_members), their distance from what the rest of the score lets expect.
    """

    members: tuple[AxisGene, ...]
    denominator: tuple[AxisGene, ...]
    adjusted: FloatArray = field(repr=False)


def axis_genes(
    sources: Iterable[EvidenceSource], components: Mapping[str, tuple[str, ...]], scores: SignatureScores
) -> AxisGenes:
    """Find the genes of an axis in a cohort."""
    column_of = {symbol: i for i, symbol in enumerate(scores.genes.gene_symbols)}
    found: dict[str, tuple[AxisGene, FloatArray]] = {}
    below: dict[str, AxisGene] = {}
    for source in sources:
        symbols = [s for s in components[source.component] if s in column_of and s not in found]
        z = np.take(scores.genes.z, [column_of[s] for s in symbols], axis=1)
        adjusted = source.above_expected(z, symbols, scores)
        for symbol, values in zip(symbols, adjusted.T, strict=True):
            gene = AxisGene(symbol, column_of[symbol], source.component, source.direction)
            found[symbol] = (gene, values)
        for name in source.denominators:
            for symbol in (s for s in components[name] if s in column_of):
                below.setdefault(symbol, AxisGene(symbol, column_of[symbol], name, -source.direction))
    members = tuple(gene for gene, _ in found.values())
    columns = [values for _, values in found.values()]
    values = np.column_stack(columns) if columns else np.empty((len(scores.sample_ids), 0))
    return AxisGenes(members, tuple(below.values()), values)


@dataclass(frozen=True)
class SampleGenes:
    """Values of one sample as numbers of Python, as its mechanisms look at each gene several times.

    As in :class:`escape_score.model.scores.GeneValues`, but no level is below 0.
    """

    row: int
    log2_tpm: list[float] = field(repr=False)
    z: list[float] = field(repr=False)

    @classmethod
    def of(cls, values: GeneValues, row: int) -> SampleGenes:
        """Values of the sample in one row."""
        return cls(row, np.maximum(values.log2_tpm[row], 0.0).tolist(), values.z[row].tolist())


def gene_evidence(
    genes: AxisGenes, sample: SampleGenes, limits: EvidenceLimits
) -> tuple[tuple[GeneEvidence, ...], tuple[GeneEvidence, ...]]:
    """Strongest genes for and against a mechanism in one sample, adjusted as its score is.

    At most ``limits.evidence_genes`` each, that differ from what is expected by at least
    ``limits.evidence_z``, strongest first.
    """
    pairs = zip(genes.adjusted[sample.row].tolist(), genes.members, strict=True)
    strong = [(value, gene) for value, gene in pairs if abs(value) >= limits.evidence_z]
    strong.sort(key=lambda pair: (-abs(pair[0]), pair[1].gene_symbol))

    def most(*, is_for: bool) -> tuple[GeneEvidence, ...]:
        chosen = [pair for pair in strong if (pair[0] * pair[1].direction > 0) is is_for]
        return _records(((gene, value) for value, gene in chosen[: limits.evidence_genes]), sample)

    return most(is_for=True), most(is_for=False)


def denominator_genes(
    genes: AxisGenes, sample: SampleGenes, limits: EvidenceLimits
) -> tuple[GeneEvidence, ...]:
    """Genes that the score is relative to, those farthest from the centre of the reference first."""
    z = sample.z
    measured = [gene for gene in genes.denominator if not isnan(z[gene.column])]
    measured.sort(key=lambda gene: (-abs(z[gene.column]), gene.gene_symbol))
    return _records(((gene, None) for gene in measured[: limits.evidence_genes]), sample)


_EVIDENCE = TypeAdapter(tuple[GeneEvidence, ...])


def _records(genes: Iterable[tuple[AxisGene, float | None]], sample: SampleGenes) -> tuple[GeneEvidence, ...]:
    """Records of genes with their adjusted values; a sample has some 160, so a group is checked at once."""
    return _EVIDENCE.validate_python(
        tuple(
            {
                "gene_symbol": gene.gene_symbol,
                "component": gene.component,
                "z": sample.z[gene.column],
                "log2_tpm": sample.log2_tpm[gene.column],
                "direction": gene.direction,
                "adjusted": adjusted,
            }
            for gene, adjusted in genes
        )
    )
