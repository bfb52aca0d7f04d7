"""A comparison of cohorts as it is published: ``comparison.json``, and what its page may show.

Like :mod:`escape_score.model.record`, this module needs nothing but pydantic.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from escape_score.model.record import Call, NoteRecord, Record, Status
from escape_score.model.record_statistics import ConfidenceInterval, Measure

COMPARISON_VERSION = "1"


class QuestionKind(StrEnum):
    """What a label is asked."""

    RESPONSE = "response"
    SURVIVAL = "survival"
    GROUPS = "groups"
    PAIRS = "pairs"
    """Two samples of the same patients."""


class PooledEffectName(StrEnum):
    """Effects that are pooled; each is added on a scale of its own."""

    AUROC = "auroc"
    """On the logit scale; 0.5 = no difference."""
    RANK_BISERIAL = "rank_biserial"
    """As the logit of its AUROC, (1 + r) / 2; 0 = no difference."""
    HAZARD_RATIO = "hazard_ratio"
    """On the logarithmic scale; 1 = no difference."""


class PoolingModel(StrEnum):
    """How the effects of cohorts were combined."""

    RANDOM = "random effects"
    FIXED = "fixed effect"
    """Two cohorts: an average of these two, which says nothing of others."""


class Count(Record):
    """How many samples have a label."""

    label: str
    n_samples: int = Field(ge=1)


class StatusCount(Record):
    """How many samples have a status."""

    status: Status
    n_samples: int = Field(ge=1)


class ComparedCohort(Record):
    """One cohort as its result describes it."""

    cohort: str = Field(description="name on the page; each name is there once")
    n_samples: int = Field(ge=1)
    n_patients: int = Field(ge=0, description="samples that its statistics count: one a patient")
    tumour_types: tuple[Count, ...] = Field(description="of the sample sheet, the most frequent first")
    unit: str
    reference: str
    reference_sha256: str
    reference_choice: NoteRecord | None = Field(description="why this reference was taken")
    statuses: tuple[StatusCount, ...]
    package_version: str
    genesets_sha256: str
    statistics_sha256: str = Field(description="of cohort.json; of its text for a result in memory")


class Share(Record):
    """Samples with one call."""

    call: Call
    n: int = Field(ge=0)
    share: float = Field(ge=0, le=1, description="of the samples of the cohort that the mechanism is in")
    interval: ConfidenceInterval = Field(description="Wilson; takes samples as independent")


class CohortCalls(Record):
    """Calls of one mechanism in one cohort."""

    cohort: str
    n_samples: int = Field(ge=1)
    shares: tuple[Share, ...] = Field(description="one a call")


class MechanismCalls(Record):
    """Calls of one mechanism in every cohort."""

    axis: str
    title: str
    cohorts: tuple[CohortCalls, ...]


class CohortEffect(Record):
    """The effect of one measure in one cohort."""

    cohort: str
    n: int = Field(ge=1, description="samples with a value")
    effect: float
    interval: ConfidenceInterval = Field(description="as in cohort.json")
    standard_error: float = Field(
        gt=0, description="on the scale of pooling: width of the interval there, over 2 × 1.96"
    )
    weight: float = Field(ge=0, le=1, description="share of the pooled effect")


class NotPooled(Record):
    """A cohort that is not part of a pooled effect, and why."""

    cohort: str
    reason: NoteRecord


class Heterogeneity(Record):
    """How far cohorts differ beyond chance, on the scale of pooling."""

    q: float = Field(ge=0, description="Cochran's Q")
    p_value: float = Field(ge=0, le=1, description="of Q, chi-squared with one degree fewer than cohorts")
    tau_squared: float = Field(ge=0, description="variance between cohorts, Paule-Mandel")
    i_squared: float = Field(ge=0, le=1, description="share of the variance that is between cohorts")
    i_squared_interval: ConfidenceInterval = Field(description="Q profile")


class PooledShift(Record):
    """Hodges-Lehmann shift over cohorts with one reference, in the measure's unit."""

    n_cohorts: int = Field(ge=2)
    model: PoolingModel
    shift: float
    interval: ConfidenceInterval


class PooledRow(Record):
    """One measure over all cohorts that have it."""

    measure: Measure
    cohorts: tuple[CohortEffect, ...] = Field(min_length=2)
    left_out: tuple[NotPooled, ...]
    model: PoolingModel
    effect: float
    interval: ConfidenceInterval = Field(
        description="95 %: Hartung-Knapp-Sidik-Jonkman, or normal for the fixed effect"
    )
    prediction: ConfidenceInterval | None = Field(
        description="95 % for the effect in another cohort; None with fewer than three"
    )
    heterogeneity: Heterogeneity
    higher_in: str | None = Field(
        description="R or NR, the group with larger values, or shorter or longer survival; None where equal"
    )
    shift: PooledShift | None = Field(description="only for cohorts with the same reference")
    p_value: float = Field(ge=0, le=1)
    q_value: float = Field(ge=0, le=1, description="Benjamini-Hochberg over all tests of this file")


class Question(Record):
    """One label that at least two cohorts have, against all measures."""

    kind: QuestionKind
    label: str = Field(description="column of the sample sheet, or os or pfs")
    groups: tuple[str, ...] = Field(
        description="the two groups; the effect is positive if larger in the second"
    )
    effect_name: PooledEffectName
    cohorts: tuple[str, ...] = Field(min_length=2)
    left_out: tuple[NotPooled, ...] = Field(description="cohorts without this label, or with other groups")
    findings: tuple[NoteRecord, ...] = Field(default=(), description="what was found")
    n_untested: int = Field(ge=0, description="measures that fewer than two cohorts have an effect of")
    rows: tuple[PooledRow, ...]


class CohortComparison(Record):
    """Several cohorts: what they are, their calls, and effects over them."""

    schema_version: str = COMPARISON_VERSION
    title: str
    confidence_level: float = 0.95
    cohorts: tuple[ComparedCohort, ...] = Field(min_length=2)
    cautions: tuple[NoteRecord, ...] = Field(description="what must be known before cohorts are compared")
    calls: tuple[MechanismCalls, ...]
    questions: tuple[Question, ...]
    n_tests: int = Field(ge=0, description="tests over which the false discovery rate is controlled")
    notes: tuple[NoteRecord, ...] = Field(description="how to read it, and what could not be pooled")

    def __repr__(self) -> str:
        names = ", ".join(one.cohort for one in self.cohorts)
        return f"CohortComparison({names}: {len(self.questions)} questions)"

    __str__ = __repr__
