"""The statistics of a cohort as they are published: ``cohort.json``, and what its page may show of them.

Like :mod:`escape_score.model.record`, this module needs nothing but pydantic.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from escape_score.model.record import NoteRecord, Record

STATISTICS_VERSION = "4"


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


class EstimateName(StrEnum):
    """What an adjusted model estimates."""

    ODDS_RATIO = "odds ratio per SD"
    HAZARD_RATIO = "hazard ratio per SD"
    DIFFERENCE = "difference in SD"
    """Second minus first group."""
    ETA_SQUARED = "partial eta squared"
    """Share of the variance that groups explain and covariates do not, in [0, 1]."""


class ConfidenceInterval(Record):
    """A 95 % confidence interval."""

    low: float
    high: float


class FTest(Record):
    """Whether more than two groups differ in a linear model."""

    f: float = Field(ge=0)
    df_groups: int = Field(ge=1)
    df_residual: int = Field(ge=1)
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


class AdjustedRow(Record):
    """One measure in a model with covariates.

    Logistic for response, Cox for survival, linear for the groups of a column.
    """

    covariates: tuple[str, ...] = Field(description="columns of the sample sheet in the model")
    n: int = Field(ge=1, description="samples with a value and all covariates")
    n_events: int | None = Field(
        description="the fewer of responders and non-responders; deaths or progressions; None for groups"
    )
    estimate_name: EstimateName
    estimate: float = Field(description="SD are those of the measure in these samples")
    interval: ConfidenceInterval
    test: FTest | None = Field(None, description="for more than two groups; None otherwise")


class InteractionRatio(Record):
    """How the effect of a measure in one group compares with that in the first group."""

    group: str
    ratio: float = Field(gt=0, description="ratio of odds or hazard ratios per SD; 1 = the same effect")
    interval: ConfidenceInterval = Field(description="Wald")


class InteractionRow(Record):
    """Whether the association of a measure with the outcome differs between the groups of a column."""

    column: str
    groups: tuple[str, ...] = Field(description="the first is the one that others are compared with")
    covariates: tuple[str, ...]
    n: int = Field(ge=1)
    n_events: int
    ratios: tuple[InteractionRatio, ...] = Field(description="one for every group but the first")
    test: str = Field("likelihood ratio", description="of the model with interaction against that without")
    statistic: float = Field(ge=0)
    df: int = Field(ge=1)
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


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


class Box(Record):
    """One group of a box plot."""

    group: str
    n: int = Field(ge=1)
    low: float = Field(description="lowest value within 1.5 interquartile ranges below the lower quartile")
    lower: float
    median: float
    upper: float
    high: float = Field(description="highest value within 1.5 interquartile ranges above the upper quartile")
    values: tuple[float, ...] = Field(description="sorted, four decimals; empty for more than 200 samples")


class BoxPlot(Record):
    """One leading measure by group."""

    measure: Measure
    boxes: tuple[Box, ...]


class GroupRow(Record):
    """One measure compared between groups."""

    measure: Measure
    groups: tuple[Group, ...] = Field(
        description="groups with enough values; in a pair the second is the later"
    )
    n_evaluable: int = Field(ge=1, description="samples with a value; only these are tested")
    higher_in: str | None = Field(
        description="of two groups the one with larger values, of more the one with the highest median; "
        "None where they are equal"
    )
    test: GroupTest
    effect_name: EffectName
    effect: float = Field(description="rank-biserial: positive = larger in the second group")
    effect_interval: ConfidenceInterval | None = Field(
        description="DeLong, Newcombe or seeded bootstrap; None where not defined"
    )
    shift: float | None = Field(description="Hodges-Lehmann, second minus first group, in the measure's unit")
    shift_interval: ConfidenceInterval | None
    adjusted: AdjustedRow | None = None
    not_adjusted: NoteRecord | None = Field(
        None, description="why there is no adjusted model; None for pairs, which have none"
    )
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


class GroupComparison(Record):
    """All measures compared between the groups of one column of the sample sheet."""

    column: str
    groups: tuple[str, ...]
    n_samples: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    n_untested: int = Field(ge=0, description="measures without enough values, or with equal ones")
    rows: tuple[GroupRow, ...]
    boxes: tuple[BoxPlot, ...] = Field(description="the index and the measures with the largest effects")


class RocCurve(Record):
    """A ROC curve in the direction of the area."""

    measure: Measure
    auroc: float
    interval: ConfidenceInterval
    false_positive: tuple[float, ...]
    true_positive: tuple[float, ...]
    grid: tuple[float, ...] = Field(description="false positive rates of the band")
    low: tuple[float, ...] = Field(description="2.5 % of bootstrap curves at the grid; empty without a band")
    high: tuple[float, ...]


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
    median_responders: float
    median_nonresponders: float
    shift: float = Field(description="Hodges-Lehmann, non-responders minus responders, in the measure's unit")
    shift_interval: ConfidenceInterval
    n_evaluable: int = Field(ge=1, description="samples with a value; only these are tested")
    higher_in: str | None = Field(description="R, NR, or None where they are equal")
    adjusted: AdjustedRow | None = None
    not_adjusted: NoteRecord | None = Field(None, description="why there is no adjusted model")
    interaction: InteractionRow | None = None
    no_interaction: NoteRecord | None = Field(
        None, description="why there is no model of the interaction; None where none was requested"
    )
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


class ResponseStatistics(Record):
    """Response against the index, the axes and the published scores."""

    n_samples: int
    n_responders: int
    n_nonresponders: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    n_untested: int = Field(ge=0, description="measures without enough values, or with equal ones")
    rows: tuple[ResponseRow, ...]
    boxes: tuple[BoxPlot, ...] = Field(description="the index and the measures with the largest effects")
    curves: tuple[RocCurve, ...] = Field(description="the index, the best axis and the best published score")


class SurvivalCurve(Record):
    """Kaplan-Meier estimate of one half of the samples; steps down at each time."""

    is_high: bool = Field(description="above the median of the measure")
    n: int = Field(ge=1)
    n_events: int = Field(ge=0)
    days: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    censored: tuple[float, ...] = Field(description="days at which samples are censored")
    at_risk: tuple[int, ...] = Field(description="samples still observed at each of the times of the table")


class SurvivalCurves(Record):
    """Samples above and up to the median of one measure."""

    measure: Measure
    cut: float
    times: tuple[float, ...] = Field(description="days at which the numbers at risk are counted")
    curves: tuple[SurvivalCurve, ...]


class SurvivalRow(Record):
    """One measure alone in a Cox model."""

    measure: Measure
    n: int
    n_events: int
    hazard_ratio: float = Field(gt=0, description="per SD of the measure in this cohort; above 1 = shorter")
    interval: ConfidenceInterval
    concordance: float = Field(ge=0, le=1, description="0.5 = chance; above where it goes as expected")
    adjusted: AdjustedRow | None = None
    not_adjusted: NoteRecord | None = Field(None, description="why there is no adjusted model")
    interaction: InteractionRow | None = None
    no_interaction: NoteRecord | None = Field(
        None, description="why there is no model of the interaction; None where none was requested"
    )
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


class SurvivalStatistics(Record):
    """One endpoint against the index, the axes and the published scores."""

    endpoint: str = Field(description="os or pfs")
    n_samples: int
    n_events: int
    left_out: tuple[LeftOut, ...]
    findings: tuple[NoteRecord, ...] = Field(description="what was compared and found")
    n_untested: int = Field(ge=0, description="measures without enough values, or without a model")
    rows: tuple[SurvivalRow, ...]
    curves: SurvivalCurves | None = Field(description="by the median of the index")


class MapPoint(Record):
    """One sample on the map."""

    sample_id: str
    x: float
    y: float
    group: str = Field(description="its label in the column of the map; empty where it has none")


class SampleMap(Record):
    """Principal components of the scores of mechanisms, all samples."""

    measures: tuple[str, ...] = Field(description="axes that are evaluable in every sample shown")
    shares: tuple[float, float] = Field(description="of the variance, first and second component")
    column: str = Field(description="column of the sample sheet that marks points; empty without one")
    points: tuple[MapPoint, ...]


class Correlation(Record):
    """Spearman correlations of mechanisms over the patients counted."""

    titles: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...] = Field(
        description="None with fewer than 10 samples that have both"
    )


class Merge(Record):
    """Two branches that are joined: a place of the order, or the number of leaves plus that of a merge."""

    first: int
    second: int
    height: float = Field(description="distance of the two branches")


class Clustering(Record):
    """Orders by hierarchical clustering, average linkage; neighbours are alike."""

    axes: tuple[str, ...] = Field(description="mechanisms in order, by 1 − Spearman correlation")
    sample_ids: tuple[str, ...] = Field(
        description="samples in order, by Euclidean distance over the mechanisms evaluable in both"
    )
    n_unplaced: int = Field(ge=0, description="samples without any score, the last of the order")
    n_missing: int = Field(ge=0, description="scores that are not evaluable among the samples clustered")
    axis_tree: tuple[Merge, ...]
    sample_tree: tuple[Merge, ...] = Field(description="empty with more than 200 samples")


class CohortStatistics(Record):
    """What the sample sheet's labels say about a cohort's scores; empty where there are too few labels."""

    schema_version: str = STATISTICS_VERSION
    cohort: str
    seed: int
    formula: str = Field("~ score", description="the model of every measure, which is called score in it")
    confidence_level: float = 0.95
    n_samples: int
    n_patients: int = Field(description="samples counted: one a patient, before treatment")
    left_out: tuple[LeftOut, ...]
    comparisons: tuple[GroupComparison, ...]
    response: ResponseStatistics | None
    survival: tuple[SurvivalStatistics, ...]
    n_tests: int = Field(ge=0, description="tests over which the false discovery rate is controlled")
    map: SampleMap | None
    correlation: Correlation | None
    clustering: Clustering | None = Field(
        default=None, description="None with fewer than 10 samples with a score, or more than 5,000"
    )
    notes: tuple[NoteRecord, ...] = Field(
        description="what was not computed and why, and how to read the rest"
    )
