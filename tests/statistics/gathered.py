"""Made-up cohorts to compare: areas, hazard ratios and group effects that are given."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from escape_score.model.record import Call, Status
from escape_score.model.record_comparison import ComparedCohort, Count, StatusCount
from escape_score.model.record_statistics import (
    CohortStatistics,
    ConfidenceInterval,
    EffectName,
    Expectation,
    Group,
    GroupComparison,
    GroupRow,
    GroupTest,
    Measure,
    MeasureKind,
    ResponseRow,
    ResponseStatistics,
    SurvivalRow,
    SurvivalStatistics,
)
from escape_score.statistics.comparison import GatheredCohort
from escape_score.statistics.ranks import Z_95

INDEX = Measure(
    measure="immunoresistance_index",
    title="Immunoresistance index",
    kind=MeasureKind.INDEX,
    unit="0-100",
    expects=Expectation.RESISTANCE,
)
STROMA = INDEX.model_copy(
    update={
        "measure": "stroma",
        "title": "TGF-beta and matrix programme",
        "kind": MeasureKind.AXIS,
        "unit": "SD",
    }
)
CYT = Measure(
    measure="cyt",
    title="Cytolytic activity",
    kind=MeasureKind.PUBLISHED,
    unit="log2",
    expects=Expectation.RESPONSE,
)
MEASURES = {one.measure: one for one in (INDEX, STROMA, CYT)}
CALLS = Counter({Call.DETECTED: 6, Call.BORDERLINE: 3, Call.NOT_DETECTED: 20, Call.NOT_EVALUABLE: 1})
Effects = Mapping[str, tuple[float, float]]
"""Effect on the scale of pooling and its standard error, by measure."""


def expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def around(value: float, error: float) -> tuple[float, float, float]:
    return value - Z_95 * error, value, value + Z_95 * error


def response(effects: Effects, *, shift: float = 1.0) -> ResponseStatistics:
    """Areas with the logits and standard errors given."""
    rows = []
    for name, effect in effects.items():
        low, area, high = map(expit, around(*effect))
        rows.append(
            ResponseRow(
                measure=MEASURES[name],
                n_responders=12,
                n_nonresponders=18,
                auroc=area,
                interval=ConfidenceInterval(low=low, high=high),
                interval_method="DeLong, logit scale",
                median_responders=0.0,
                median_nonresponders=shift,
                shift=shift,
                shift_interval=ConfidenceInterval(low=shift - 1, high=shift + 1),
                n_evaluable=30,
                higher_in="NR",
                adjusted=None,
                p_value=0.5,
                q_value=0.5,
            )
        )
    return ResponseStatistics(
        n_samples=30,
        n_responders=12,
        n_nonresponders=18,
        left_out=(),
        findings=(),
        n_untested=0,
        rows=tuple(rows),
        boxes=(),
        curves=(),
    )


def survival(effects: Effects, endpoint: str = "os") -> SurvivalStatistics:
    """Hazard ratios with the logarithms and standard errors given."""
    rows = []
    for name, effect in effects.items():
        low, ratio, high = map(math.exp, around(*effect))
        rows.append(
            SurvivalRow(
                measure=MEASURES[name],
                n=28,
                n_events=15,
                hazard_ratio=ratio,
                interval=ConfidenceInterval(low=low, high=high),
                concordance=0.6,
                p_value=0.5,
                q_value=0.5,
            )
        )
    return SurvivalStatistics(
        endpoint=endpoint,
        n_samples=28,
        n_events=15,
        left_out=(),
        findings=(),
        n_untested=0,
        rows=tuple(rows),
        curves=None,
    )


def groups(
    effects: Effects, *, column: str = "msi", names: tuple[str, ...] = ("MSI", "MSS"), is_paired: bool = False
) -> GroupComparison:
    """Rank-biserial correlations whose areas have the logits and standard errors given."""
    rows = []
    for name, effect in effects.items():
        low, middle, high = (2 * expit(one) - 1 for one in around(*effect))
        rows.append(
            GroupRow(
                measure=MEASURES[name],
                groups=tuple(Group(group=group, n=15, median=0.0) for group in names),
                n_evaluable=30,
                higher_in=names[-1],
                test=GroupTest.WILCOXON if is_paired else GroupTest.MANN_WHITNEY,
                effect_name=EffectName.RANK_BISERIAL if len(names) == 2 else EffectName.EPSILON_SQUARED,
                effect=middle,
                effect_interval=ConfidenceInterval(low=low, high=high),
                shift=None,
                shift_interval=None,
                p_value=0.5,
                q_value=0.5,
            )
        )
    return GroupComparison(
        column=column,
        groups=names,
        n_samples=30,
        left_out=(),
        findings=(),
        n_untested=0,
        rows=tuple(rows),
        boxes=(),
    )


def gathered(
    name: str,
    *,
    of_response: ResponseStatistics | None = None,
    of_survival: Sequence[SurvivalStatistics] = (),
    comparisons: Sequence[GroupComparison] = (),
    status: Status = Status.REFERENCE_MATCHED,
    sample_ids: Sequence[str] | None = None,
    **facts: object,
) -> GatheredCohort:
    """A cohort of 30 samples with what is given."""
    known: dict[str, object] = {
        "cohort": name,
        "n_samples": 30,
        "n_patients": 30,
        "tumour_types": (Count(label="melanoma", n_samples=28),),
        "unit": "tpm",
        "reference": "ours",
        "reference_sha256": "a" * 64,
        "reference_choice": None,
        "statuses": (StatusCount(status=status, n_samples=30),),
        "package_version": "1",
        "genesets_sha256": "b" * 64,
        "statistics_sha256": "c" * 64,
    }
    statistics = CohortStatistics(
        cohort=name,
        seed=1,
        n_samples=30,
        n_patients=30,
        left_out=(),
        comparisons=tuple(comparisons),
        response=of_response,
        survival=tuple(of_survival),
        n_tests=1,
        map=None,
        correlation=None,
        notes=(),
    )
    ids = [f"{name}-{at}" for at in range(30)] if sample_ids is None else sample_ids
    return GatheredCohort(
        ComparedCohort.model_validate(known | facts),
        statistics,
        {"stroma": (STROMA.title, CALLS)},
        frozenset(ids),
    )


def three_cohorts() -> list[GatheredCohort]:
    """Cohorts that answer all kinds of questions, one of them with its own reference and fewer labels."""
    lists = (
        {"immunoresistance_index": (1.2, 0.4), "stroma": (0.1, 0.5), "cyt": (0.9, 0.4)},
        {"immunoresistance_index": (0.9, 0.3), "stroma": (-0.4, 0.4), "cyt": (0.2, 0.3)},
        {"immunoresistance_index": (1.6, 0.5), "cyt": (0.6, 0.5)},
    )
    return [
        gathered(
            "north",
            of_response=response(lists[0]),
            of_survival=[survival(lists[0])],
            comparisons=[groups(lists[0])],
        ),
        gathered(
            "south <b>\u202e",
            of_response=response(lists[1]),
            of_survival=[survival(lists[1])],
            comparisons=[groups(lists[1])],
        ),
        gathered(
            "west",
            of_response=response(lists[2]),
            comparisons=[groups(lists[2], names=("MSI", "MSS", "not known"))],
            status=Status.COHORT_RELATIVE,
            reference="cohort",
            reference_sha256="d" * 64,
        ),
    ]


def every_note() -> list[list[GatheredCohort]]:
    """Lists of cohorts that raise every note of a comparison between them."""
    index = "immunoresistance_index"
    effects: Effects = {index: (0.5, 0.3), "stroma": (0.2, 0.3)}
    perfect = response({"stroma": (0.2, 0.3)})
    perfect = perfect.model_copy(
        update={"rows": tuple(row.model_copy(update={"auroc": 1.0}) for row in perfect.rows)}
    )
    other = response({"stroma": (0.2, 0.3)})
    measure = STROMA.model_copy(update={"unit": "other"})
    other = other.model_copy(
        update={"rows": tuple(row.model_copy(update={"measure": measure}) for row in other.rows)}
    )
    three = groups(effects, column="site", names=("lung", "liver", "skin"))
    shared = ["S1", "S2"]
    return [
        three_cohorts(),
        [
            gathered("a", of_response=response(effects), sample_ids=shared),
            gathered("b", of_response=response(effects), sample_ids=shared, package_version="2"),
            gathered("c", of_response=perfect, reference_sha256="e" * 64, genesets_sha256="f" * 64),
            gathered("d", of_response=other, sample_ids=shared[:1]),
        ],
        [gathered("a", of_survival=[survival(effects)]), gathered("b", of_survival=[survival(effects)])],
        [gathered(name, comparisons=[three]) for name in "ab"],
    ]
