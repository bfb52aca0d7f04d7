"""Which methods a user wants in addition to the axes, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_MIN_COVERAGE = 0.7


class MethodName(StrEnum):
    """Methods in addition to the axes' own; each is a module of ``escape_score.score.methods``."""

    SSGSEA = "ssgsea"
    GSVA = "gsva"
    SINGSCORE = "singscore"
    ZSCORE = "zscore"
    UCELL = "ucell"
    AUCELL = "aucell"
    MEAN_RANK = "mean_rank"


class Engine(StrEnum):
    """Whose program computes ssGSEA and GSVA."""

    OWN = "escape_score"
    GSEAPY = "gseapy"


class Ties(StrEnum):
    """Places of equal values of one sample in its order.

    The programs that we compare with break ties by the order of the genes in the file, each its own
    way; at 12 % zeros this moves an ssGSEA score by up to 7 % of the largest one.
    """

    MID = "mid"
    """All at their mean rank; the score does not depend on the order of genes."""
    GSEAPY = "gseapy"
    """As gseapy: the later gene ranks higher."""
    GSVA = "gsva"
    """As R GSVA: the earlier gene ranks higher; in ssGSEA mean ranks are also cut to whole numbers."""


@dataclass(frozen=True)
class MethodChoice:
    """What to score in addition to the axes: methods over every signature, and published formulas.

    Attributes
    ----------
    methods
        None twice.
    min_coverage
        Least fraction, in (0, 1], of a signature's genes that must be measured.
    threads
        Samples are shared out over so many.
    """

    methods: tuple[MethodName, ...] = ()
    engine: Engine = Engine.OWN
    ties: Ties = Ties.MID
    min_coverage: float = DEFAULT_MIN_COVERAGE
    has_published: bool = True
    threads: int = 1


DEFAULT_CHOICE = MethodChoice()
