"""The table of published scores, and what scoring takes and gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from escape_score.errors import UsageError, unknown_name
from escape_score.library.files import resource_path, table_records, table_rows
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Note
from escape_score.score.methods import Scope

MIN_SAMPLES = 10
"""Fewest samples that a cohort-scope score compares.

One sample is at most a ninth of the scale of ranks then, and it is what your own reference needs too.
"""
MIN_GENES = 10_000
"""Fewest measured genes for a z over all genes of a sample.

Whole transcriptomes have some 15,000 and more. A panel has at most some 2,500, chosen because they are
expressed and vary: their mean and spread are no background, and a tumour gets another z on every panel.
"""


class Formula(StrEnum):
    """How the genes of a score become a number."""

    MEAN_LOG2 = "mean_log2"
    GEOMETRIC_MEAN = "geometric_mean"
    EXP_MEAN_LOG2 = "exp_mean_log2"
    SAMPLE_RANK = "sample_rank"
    FIRST_COMPONENT = "first_component"
    IPS_CLASS = "ips_class"
    IPS_SUM = "ips_sum"
    IPS_SATURATED = "ips_saturated"
    PAIR_COUNT = "pair_count"
    GSVA = "gsva"
    """Needs the whole matrix; left to :mod:`escape_score.score.methods`."""


class ScoreNeeds(StrEnum):
    """What expression must be for a score to mean what its publication says."""

    TPM = "tpm"
    """TPM of the sample: the number is on their scale."""
    LOG_SCALE = "log_scale"
    """Any log scale, the same for all samples."""
    GENE_ORDER = "gene_order"
    """Comparable between the genes of a sample."""
    SAMPLE_ORDER = "sample_order"
    """Comparable between samples, gene by gene."""


@dataclass(frozen=True)
class PublishedGene:
    """One gene of one list.

    Attributes
    ----------
    part
        Class of the immunophenoscore, or pair of IMPRES; empty elsewhere.
    role
        Factor of the immunophenoscore, side of a pair, or ``"member"``.
    weight
        1 or −1.
    published_symbol
        Name in the publication, where it differs from the approved one.
    """

    gene_list: str
    gene_symbol: str
    part: str
    role: str
    weight: int
    published_symbol: str
    source: str


@dataclass(frozen=True)
class PublishedScore:
    """One named formula: a row of ``resources/genesets/published.tsv``.

    Attributes
    ----------
    formula, offset, part
        Formula, what it adds to TPM before a logarithm, and the class of genes it is restricted to.
    words
        The formula in words.
    low, high
        Range of values.
    program, program_version, golden
        Whose number it is, and the file of that program's numbers it is compared with; empty if none.
    differs
        What the same name means elsewhere.
    """

    score_id: str
    title: str
    formula: Formula
    offset: float
    part: str
    genes: tuple[PublishedGene, ...] = field(repr=False)
    words: str
    unit: str
    low: float
    high: float
    scope: Scope
    needs: ScoreNeeds
    version: str
    source: str
    pmid: str
    doi: str
    terms: str
    program: str
    program_version: str
    golden: str
    differs: str


@dataclass(frozen=True)
class PublishedTable:
    """All published scores, in the order of the table."""

    scores: tuple[PublishedScore, ...]

    @property
    def score_ids(self) -> tuple[str, ...]:
        """Names of all scores."""
        return tuple(score.score_id for score in self.scores)

    def score(self, score_id: str) -> PublishedScore:
        """Return one score by its name; UsageError where no score has it."""
        for score in self.scores:
            if score.score_id == score_id:
                return score
        raise UsageError(unknown_name("published score", score_id, self.score_ids))

    def only(self, score_ids: Iterable[str]) -> PublishedTable:
        """Keep the named scores, in the order named; UsageError where no score has one of the names."""
        return PublishedTable(tuple(self.score(score_id) for score_id in score_ids))


@cache
def load_published() -> PublishedTable:
    """Read the shipped table: every named formula with its genes, and the program whose number it is.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the tables.
    """
    genes = table_records(resource_path("genesets", "published_genes.tsv"), PublishedGene)
    reader = TypeAdapter(PublishedScore)
    return PublishedTable(
        tuple(
            reader.validate_python({**row, "genes": _genes_of(row, genes)})
            for row in table_rows(resource_path("genesets", "published.tsv"))
        )
    )


def _genes_of(row: dict[str, str], genes: Iterable[PublishedGene]) -> tuple[PublishedGene, ...]:
    """Genes of a score's list, or of one part of it."""
    return tuple(g for g in genes if g.gene_list == row["gene_list"] and row["part"] in {"", g.part})


@dataclass(frozen=True)
class CollectedExpression:
    """What published scores need of some samples: a few hundred genes, and how all genes are spread.

    Attributes
    ----------
    log2_tpm
        Shape (n_samples, n_needed), log2(TPM + 1), in the order of ``PublishedPlan.gene_symbols``; NaN where
        a gene is not measured or not in the matrix.
    mean, sd
        Shape (n_samples,): over all measured genes of a sample, ``sd`` with n − 1; NaN below 2 genes.
    n_measured
        Shape (n_samples,): genes that are not NaN.
    """

    log2_tpm: FloatArray = field(repr=False)
    mean: FloatArray = field(repr=False)
    sd: FloatArray = field(repr=False)
    n_measured: npt.NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """Values of one score, shape (n_samples,), NaN = not evaluable, and why, for the case that none is."""

    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    reason: Note


@dataclass(frozen=True)
class SkippedScore:
    """A score that no sample has, and why."""

    score_id: str
    reason: Note


@dataclass(frozen=True)
class PublishedScores:
    """Published scores of a cohort.

    Attributes
    ----------
    score_ids
        Names of the columns: all scores of the plan but those of formula ``gsva``.
    values
        Shape (n_samples, n_scores), in the unit of each score; NaN = not evaluable.
    coverage
        Shape (n_samples, n_scores), 0–1: fraction of the genes used (of the pairs, for IMPRES).
    skipped
        Scores evaluable in no sample, in the order of the plan.
    """

    score_ids: tuple[str, ...]
    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    skipped: tuple[SkippedScore, ...]
