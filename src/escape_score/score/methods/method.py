"""What is known of a method: one record, in the file that computes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from inspect import signature

from escape_score.model.method_choice import MethodName
from escape_score.score.kernels.ranks import RankScorer
from escape_score.score.kernels.values import MethodScores

Score = Callable[..., MethodScores]
"""``score(values, sets, *, min_coverage=0.7, threads=1)``, with options of its own besides."""


class Scope(StrEnum):
    """What a score depends on."""

    SAMPLE = "sample"
    """The sample alone: it is the same number alone and among others."""
    COHORT = "cohort"
    """All samples scored together."""


class Needs(StrEnum):
    """What values must be for a method to mean something."""

    GENE_ORDER = "gene_order"
    """Comparable between the genes of a sample, such as TPM on any scale; not raw counts of bulk samples."""
    LOG_VALUES = "log_values"
    """On a log scale, comparable between samples."""


@dataclass(frozen=True)
class Method:
    """One scoring method.

    Attributes
    ----------
    value_range
        Least and greatest value that a score can take.
    doi
        Publication of the method.
    score
        Scores ``sets`` in ``values``, shape (n_samples, n_genes). ``min_coverage``: least fraction, above 0,
        of a set's genes that must be columns; ``threads``: samples are shared out over so many. Every method
        refuses NaN and a matrix that the sets were not laid over, with a MatrixInvalidError.
    of_ranks
        The part of ``score`` after ranking, for methods that can share one ranking; takes its own options.
    by_gseapy
        As ``score`` without its own options, computed by gseapy.
    reads_all_genes
        Whether scores of all samples together also depend on genes that are in no set.
    """

    name: MethodName
    scope: Scope
    value_range: tuple[float, float]
    needs: Needs
    doi: str
    description: str
    score: Score = field(repr=False)
    of_ranks: RankScorer | None = field(default=None, repr=False)
    by_gseapy: Score | None = field(default=None, repr=False)
    reads_all_genes: bool = False

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Keyword options of ``score`` that not every method has."""
        parameters = signature(self.score).parameters.values()
        own = (option.name for option in parameters if option.kind is option.KEYWORD_ONLY)
        return tuple(name for name in own if name not in {"min_coverage", "threads"})
