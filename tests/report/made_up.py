"""Statistics of a made-up cohort, as ``cohort.json`` has them."""

from __future__ import annotations

from collections.abc import Sequence

from escape_score.model.notes import Code, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    AdjustedRow,
    Box,
    BoxPlot,
    Clustering,
    CohortStatistics,
    ConfidenceInterval,
    EffectName,
    EstimateName,
    Expectation,
    FTest,
    Group,
    GroupComparison,
    GroupRow,
    GroupTest,
    InteractionRatio,
    InteractionRow,
    LeftOut,
    Measure,
    MeasureKind,
    Merge,
    ResponseRow,
    ResponseStatistics,
    RocCurve,
    SurvivalCurve,
    SurvivalCurves,
    SurvivalRow,
    SurvivalStatistics,
)


def measure(name: str, kind: MeasureKind = MeasureKind.AXIS) -> Measure:
    return Measure(measure=name, title=name, kind=kind, unit="SD", expects=Expectation.RESISTANCE)


def interval(low: float, high: float) -> ConfidenceInterval:
    return ConfidenceInterval(low=low, high=high)


def box(group: str, values: tuple[float, float, float, float]) -> Box:
    low, lower, upper, high = values
    return Box(
        group=group,
        n=len(values),
        low=low,
        lower=lower,
        median=(lower + upper) / 2,
        upper=upper,
        high=high,
        values=values,
    )


RESPONSE = ResponseStatistics(
    n_samples=30,
    n_responders=12,
    n_nonresponders=18,
    left_out=(LeftOut(reason=NoteRecord.of(note(Code.LEFT_OUT, "treated")), n_samples=2),),
    findings=(NoteRecord.of(note(Code.STATISTICS, "responders", n=12, n_all=18)),),
    n_untested=3,
    boxes=(
        BoxPlot(
            measure=measure("stroma"),
            boxes=(box("R", (-1.5, -0.25, 0.5, 1.75)), box("NR", (0.125, 0.75, 1.25, 4.5))),
        ),
    ),
    curves=(
        RocCurve(
            measure=measure("stroma"),
            auroc=0.71,
            interval=interval(0.55, 0.9),
            false_positive=(0.0, 0.25, 1.0),
            true_positive=(0.0, 0.75, 1.0),
            grid=(0.0, 1.0),
            low=(0.0, 0.9),
            high=(0.5, 1.0),
        ),
    ),
    rows=tuple(
        ResponseRow(
            measure=measure(name, kind),
            n_responders=12,
            n_nonresponders=18,
            auroc=0.71,
            interval=interval(low, 0.9),
            interval_method="DeLong",
            median_responders=0.31,
            median_nonresponders=0.52,
            shift=0.2,
            shift_interval=interval(0.1, 0.3),
            n_evaluable=30,
            higher_in="NR",
            adjusted=None,
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
    n_untested=0,
    curves=SurvivalCurves(
        measure=measure("treg"),
        cut=41.5,
        times=(0.0, 400.0, 800.0),
        curves=tuple(
            SurvivalCurve(
                is_high=is_high,
                n=14,
                n_events=n_events,
                days=(0.0, 200.0, 750.0),
                survival=(1.0, 0.8, last),
                low=(1.0, 0.6, 0.1),
                high=(1.0, 0.95, 0.7),
                censored=(333.0,),
                at_risk=(14, 9, 2),
            )
            for is_high, n_events, last in ((True, 7, 0.3), (False, 4, 0.5))
        ),
    ),
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
    n_untested=0,
    boxes=(),
    rows=(
        GroupRow(
            measure=measure("wnt"),
            n_evaluable=20,
            higher_in="b",
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
        n_tests=4,
        map=None,
        correlation=None,
        notes=(),
    )
    return empty.model_copy(update=changes)


def clustering(axes: Sequence[str], sample_ids: Sequence[str]) -> Clustering:
    """Neighbours are joined from the left to the right."""
    return Clustering(
        axes=tuple(axes),
        sample_ids=tuple(sample_ids),
        n_unplaced=0,
        n_missing=0,
        axis_tree=chain(len(axes)),
        sample_tree=chain(len(sample_ids)),
    )


def chain(n_leaves: int) -> tuple[Merge, ...]:
    ends = [0, *range(n_leaves, 2 * n_leaves - 2)]
    return tuple(Merge(first=end, second=at, height=float(at)) for at, end in enumerate(ends, start=1))


def modelled(ratio: float, q_value: float) -> InteractionRow:
    """An interaction with the column of arms."""
    return InteractionRow(
        column="<b>arm",
        groups=("A", "B"),
        covariates=("age",),
        n=28,
        n_events=11,
        ratios=(InteractionRatio(group="B", ratio=ratio, interval=ConfidenceInterval(low=0.5, high=3.0)),),
        statistic=1.0,
        df=1,
        p_value=q_value,
        q_value=q_value,
    )


def adjusted(name: EstimateName, test: FTest | None = None) -> AdjustedRow:
    """A model with two covariates."""
    return AdjustedRow(
        covariates=("purity", "site\u202e"),
        n=27,
        n_events=None if test else 11,
        estimate_name=name,
        estimate=0.254,
        interval=ConfidenceInterval(low=0.1, high=0.5),
        test=test,
    )
