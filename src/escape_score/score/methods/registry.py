"""The methods by name, with what a user needs to choose one; kernels are loaded when one is first called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module
from math import inf
from types import MappingProxyType
from typing import Protocol, cast

from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.methods.model import MethodScores, SetIndex, Values


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


class Score(Protocol):
    """Kernel of a method, with the options that all have; its own ones are those of ``score_<method>``."""

    def __call__(
        self,
        values: Values,
        sets: SetIndex,
        *,
        min_coverage: float = DEFAULT_MIN_COVERAGE,
        threads: int = 1,
    ) -> MethodScores:
        """Score sets in samples."""


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
        Its kernel.
    """

    name: str
    scope: Scope
    value_range: tuple[float, float]
    needs: Needs
    doi: str
    description: str
    score: Score = field(repr=False)


@dataclass(frozen=True)
class _Lazy:
    """A kernel that is imported, and compiled or taken from the cache, when it is first called."""

    name: str

    def __call__(
        self,
        values: Values,
        sets: SetIndex,
        *,
        min_coverage: float = DEFAULT_MIN_COVERAGE,
        threads: int = 1,
    ) -> MethodScores:
        """Score sets in samples."""
        module = import_module(f"escape_score.score.methods.{self.name}")
        score = cast("Score", getattr(module, f"score_{self.name}"))
        return score(values, sets, min_coverage=min_coverage, threads=threads)


_METHODS = (
    Method(
        "ssgsea",
        Scope.SAMPLE,
        (-inf, inf),
        Needs.GENE_ORDER,
        "10.1038/nature08460",
        "weighted walk down the genes of a sample; grows with the number of genes",
        _Lazy("ssgsea"),
    ),
    Method(
        "gsva",
        Scope.COHORT,
        (-1.0, 1.0),
        Needs.LOG_VALUES,
        "10.1186/1471-2105-14-7",
        "walk down the genes of a sample, ordered by where it stands among the cohort",
        _Lazy("gsva"),
    ),
    Method(
        "singscore",
        Scope.SAMPLE,
        (-inf, 0.5),
        Needs.GENE_ORDER,
        "10.1186/s12859-018-2435-4",
        "centred mean rank, equal values at their least rank",
        _Lazy("singscore"),
    ),
    Method(
        "zscore",
        Scope.COHORT,
        (-inf, inf),
        Needs.LOG_VALUES,
        "10.1371/journal.pcbi.1000217",
        "sum of z across the cohort over the root of the number of genes",
        _Lazy("zscore"),
    ),
    Method(
        "ucell",
        Scope.SAMPLE,
        (0.0, 1.0),
        Needs.GENE_ORDER,
        "10.1016/j.csbj.2021.06.043",
        "Mann-Whitney U among the highest 1,500 genes, for single cells",
        _Lazy("ucell"),
    ),
    Method(
        "aucell",
        Scope.SAMPLE,
        (0.0, 1.0),
        Needs.GENE_ORDER,
        "10.1038/nmeth.4463",
        "area under the recovery curve among the highest 5 % of genes, for single cells",
        _Lazy("aucell"),
    ),
    Method(
        "mean_rank",
        Scope.SAMPLE,
        (0.0, 1.0),
        Needs.GENE_ORDER,
        "10.1186/s12859-018-2435-4",
        "mean rank between least and greatest, equal values at their mean rank",
        _Lazy("mean_rank"),
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _METHODS})
"""All methods by name."""
