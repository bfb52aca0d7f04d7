"""The rule by which ``auto`` chooses what a cohort is measured against.

==== ======================================================== ===========================================
rule reference                                                where
==== ======================================================== ===========================================
a    one that the user fitted and keeps                       it matches 80 % of the samples, well or
                                                              moderately
b    a shipped or fetched one, own tumour type first          it matches 80 % of the samples well, or
                                                              moderately where (c) is not possible
c    the cohort itself, shrunk towards the closest of (b)     20 tumours or more of one pipeline
d    the closest of (b); samples far from it are provisional  else
==== ======================================================== ===========================================

Among several the own tumour type comes first, then the smallest median distance. A reference that a config or
the command line names is taken as it is. Between pipelines a moderate match leaves many calls not evaluable
(docs/references.md), so that a cohort of 20 is better compared with itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from escape_score.model.thresholds import AutoLimits
from escape_score.reference.known import Origin


class Rule(StrEnum):
    """Why a reference was taken."""

    NAMED = "named"
    KEPT = "kept"
    TYPE = "type"
    CLOSEST = "closest"
    COHORT = "cohort"
    PROVISIONAL = "provisional"


@dataclass(frozen=True)
class Candidate:
    """How a cohort is placed on a reference.

    Attributes
    ----------
    distance
        Median distance of the samples, log2.
    share_good, share_matched
        Share of the samples that it matches well, and well or moderately; 0-1.
    is_own_type
        Whether it is of the tumour type that the sample sheet gives for all samples.
    """

    name: str
    origin: Origin
    distance: float
    share_good: float
    share_matched: float
    is_own_type: bool = False


@dataclass(frozen=True)
class Decision:
    """What is taken by which rule: the candidate itself, or what the cohort is shrunk towards."""

    rule: Rule
    candidate: Candidate


def decide(candidates: Sequence[Candidate], *, can_be_own: bool, limits: AutoLimits) -> Decision:
    """Apply the rule.

    Parameters
    ----------
    candidates
        References that can be named; at least one of them is shipped.
    can_be_own
        Whether the cohort has enough tumours of one pipeline to be its own reference.

    Returns
    -------
    Decision
        With the rule ``COHORT`` the candidate is the closest of the shipped and fetched ones.
    """
    least = limits.matched_fraction
    kept = [c for c in candidates if c.origin is Origin.FITTED and c.share_matched >= least]
    public = [c for c in candidates if c.origin is not Origin.FITTED]
    matching = [c for c in public if (c.share_good if can_be_own else c.share_matched) >= least]
    if kept:
        return Decision(Rule.KEPT, _nearest(kept))
    if matching:
        found = _nearest(matching)
        return Decision(Rule.TYPE if found.is_own_type else Rule.CLOSEST, found)
    return Decision(Rule.COHORT if can_be_own else Rule.PROVISIONAL, closest(public))


def closest(candidates: Iterable[Candidate]) -> Candidate:
    """The candidate of the smallest median distance."""
    return min(candidates, key=lambda one: (one.distance, one.name))


def _nearest(candidates: Iterable[Candidate]) -> Candidate:
    """The own tumour type first, then the smallest median distance."""
    return min(candidates, key=lambda one: (not one.is_own_type, one.distance, one.name))
