"""Statistics of a made-up cohort, as ``cohort.json`` has them."""

from __future__ import annotations

from escape_score.model.notes import Code, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    CohortStatistics,
    ConfidenceInterval,
    EffectName,
    Expectation,
    Group,
    GroupComparison,
    GroupRow,
    GroupTest,
    LeftOut,
    Measure,
    MeasureKind,
    ResponseRow,
    ResponseStatistics,
    SurvivalRow,
    SurvivalStatistics,
)


def measure(name: str, kind: MeasureKind = MeasureKind.AXIS) -> Measure:
    return Measure(measure=name, title=name, kind=kind, unit="SD", expects=Expectation.RESISTANCE)


def interval(low: float, high: float) -> ConfidenceInterval:
    return ConfidenceInterval(low=low, high=high)


RESPONSE = ResponseStatistics(
    n_samples=30,
    n_responders=12,
    n_nonresponders=18,
    left_out=(LeftOut(reason=NoteRecord.of(note(Code.LEFT_OUT, "treated")), n_samples=2),),
    findings=(NoteRecord.of(note(Code.STATISTICS, "responders", n=12, n_all=18)),),
    rows=tuple(
        ResponseRow(
            measure=measure(name, kind),
            n_responders=12,
            n_nonresponders=18,
            auroc=0.71,
            interval=interval(low, 0.9),
            interval_method="DeLong",
            p_value=0.04,
            q_value=q,
        )
        for name, kind, low, q in (
            ("stroma", MeasureKind.AXIS, 0.55, 0.0001),
            ("cyt", MeasureKind.PUBLISHED, 0.45, 0.2),
        )
    ),
)
SURVIVAL = SurvivalStatistics(
    endpoint="os",
    n_samples=28,
    n_events=11,
    left_out=(),
    findings=(),
    rows=(
        SurvivalRow(
            measure=measure("treg"),
            n=28,
            n_events=11,
            hazard_ratio=1.63,
            interval=interval(1.05, 2.51),
            concordance=0.62,
            p_value=0.03,
            q_value=0.21,
        ),
    ),
)
GROUPS = GroupComparison(
    column="<i>site",
    groups=("a", "b"),
    n_samples=20,
    left_out=(),
    findings=(),
    rows=(
        GroupRow(
            measure=measure("wnt"),
            groups=(Group(group="a\u202e", n=9, median=-0.5), Group(group="b", n=11, median=1.25)),
            test=GroupTest.MANN_WHITNEY,
            effect_name=EffectName.RANK_BISERIAL,
            effect=0.4,
            effect_interval=None,
            shift=1.5,
            shift_interval=None,
            p_value=0.5,
            q_value=0.6,
        ),
    ),
)


def statistics(**changes: object) -> CohortStatistics:
    empty = CohortStatistics(
        cohort="c",
        seed=1,
        n_samples=30,
        n_patients=30,
        left_out=(),
        comparisons=(),
        response=None,
        survival=(),
        notes=(),
    )
    return empty.model_copy(update=changes)
