"""The statistics of a cohort as they are published: ``cohort.json``, and what its page may show of them.

Like :mod:`escape_score.model.record`, this module needs nothing but pydantic.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from escape_score.model.record import NoteRecord, Record

STATISTICS_VERSION = "2"


class MeasureKind(StrEnum):
    """Where a number of a sample comes from; published scores are the baselines."""

    INDEX = "index"
    AXIS = "axis"
    PUBLISHED = "published"
    CELLS = "cells"
    """A quantity of single cells, made from all cells of a patient."""


class Expectation(StrEnum):
    """What a larger value is expected to go with."""

    RESISTANCE = "resistance"
    RESPONSE = "response"


class GroupTest(StrEnum):
    """How groups were compared."""

    MANN_WHITNEY = "Mann-Whitney U"
    KRUSKAL_WALLIS = "Kruskal-Wallis"
    WILCOXON = "Wilcoxon signed-rank, paired"


class EffectName(StrEnum):
    """Effect sizes: rank-biserial in [-1, 1], epsilon squared in [0, 1]; 0 = no difference in both."""

    RANK_BISERIAL = "rank-biserial correlation"
    EPSILON_SQUARED = "epsilon squared"


class ConfidenceInterval(Record):
    """A 95 % confidence interval."""

    low: float
    high: float


class LeftOut(Record):
    """Samples that a statistic does not count, and why."""

    reason: NoteRecord
    n_samples: int = Field(ge=1)


class Measure(Record):
    """A number that every sample may have."""

    measure: str = Field(
        description="immunoresistance_index, or the id of an axis, a published score or a quantity of cells"
    )
    title: str
    kind: MeasureKind
    unit: str
    expects: Expectation | None = Field(
        description="what a larger value is expected to go with; None where nothing is expected"
    )


class Group(Record):
    """One group of samples in one measure."""

    group: str
    n: int = Field(ge=1, description="samples with a value")
    median: float


class GroupRow(Record):
    """One measure compared between groups."""

    measure: Measure
    groups: tuple[Group, ...] = Field(
        description="groups with enough values; in a pair the second is the later"
    )
    test: GroupTest
    effect_name: EffectName
    effect: float = Field(description="rank-biserial: positive = larger in the second group")
    effect_interval: ConfidenceInterval | None = Field(
        description="DeLong, Newcombe or seeded bootstrap; None where not defined"
    )
    shift: float | None = Field(description="Hodges-Lehmann, second minus first group, in the measure's unit")
    shift_interval: ConfidenceInterval | None
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over the rows of one comparison")


class GroupComparison(Record):
    """All measures compared between the groups of one column of the sample sheet."""

    column: str
    groups: tuple[str, ...]
    n_samples: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    rows: tuple[GroupRow, ...]


class ResponseRow(Record):
    """How well one measure separates responders from the others."""

    measure: Measure
    n_responders: int
    n_nonresponders: int
    auroc: float = Field(
        ge=0,
        le=1,
        description="0.5 = chance; above: as expected, or larger in responders where nothing is expected",
    )
    interval: ConfidenceInterval
    interval_method: str
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1)


class ResponseStatistics(Record):
    """Response against the index, the axes and the published scores."""

    n_samples: int
    n_responders: int
    n_nonresponders: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    rows: tuple[ResponseRow, ...]


class SurvivalRow(Record):
    """One measure alone in a Cox model."""

    measure: Measure
    n: int
    n_events: int
    hazard_ratio: float = Field(gt=0, description="per SD of the measure in this cohort; above 1 = shorter")
    interval: ConfidenceInterval
    concordance: float = Field(ge=0, le=1, description="0.5 = chance; above where it goes as expected")
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1)


class SurvivalStatistics(Record):
    """One endpoint against the index, the axes and the published scores."""

    endpoint: str = Field(description="os or pfs")
    n_samples: int
    n_events: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    rows: tuple[SurvivalRow, ...]


class CohortStatistics(Record):
    """What the sample sheet's labels say about a cohort's scores; empty where there are too few labels."""

    schema_version: str = STATISTICS_VERSION
    cohort: str
    seed: int
    confidence_level: float = 0.95
    n_samples: int
    n_patients: int = Field(description="samples counted: one a patient, before treatment")
    left_out: tuple[LeftOut, ...]
    comparisons: tuple[GroupComparison, ...]
    response: ResponseStatistics | None
    survival: tuple[SurvivalStatistics, ...]
    notes: tuple[NoteRecord, ...] = Field(
        description="what was not computed and why, and how to read the rest"
    )
