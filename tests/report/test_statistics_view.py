"""Statistics of labels on the cohort's page: all of the JSON, and nothing where there is no label."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from escape_score.model.record import EscapeProfile
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
from escape_score.report import render_cohort
from escape_score.report.i18n import translations
from escape_score.report.statistics_view import statistics_tables

MakeProfile = Callable[..., EscapeProfile]


def measure(name: str, kind: MeasureKind = MeasureKind.AXIS) -> Measure:
    return Measure(measure=name, title=name, kind=kind, unit="SD", expects=Expectation.RESISTANCE)


def interval(low: float, high: float) -> ConfidenceInterval:
    return ConfidenceInterval(low=low, high=high)


RESPONSE = ResponseStatistics(
    n_samples=30,
    n_responders=12,
    n_nonresponders=18,
    left_out=(LeftOut(reason="under treatment", n_samples=2),),
    sentence="",
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
    sentence="",
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
    sentence="",
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


def test_statistics_tables_show_response_survival_and_groups() -> None:
    found = statistics(response=RESPONSE, survival=(SURVIVAL,), comparisons=(GROUPS,))
    response, survival, groups = statistics_tables(found, translations("en"))
    assert (response.title, response.note) == (
        "Response: 12 responders, 30 samples",
        "Samples not counted: 2 (under treatment).",
    )
    assert [(row.cells, row.is_clear, row.is_baseline) for row in response.rows] == [
        (("0.71", "[0.55, 0.90]", "< 0.001"), True, False),
        (("0.71", "[0.45, 0.90]", "0.200"), False, True),
    ]
    assert survival.title == "Overall survival: 28 samples, 11 events"
    assert survival.rows[0].cells == ("1.63", "[1.05, 2.51]", "0.62", "0.210")
    assert groups.rows[0].cells == ("a\\u202e -0.50 (9) · b 1.25 (11)", "0.40", "no interval", "0.600")


@pytest.mark.parametrize("found", [None, statistics()])
def test_statistics_tables_are_none_without_labels(found: CohortStatistics | None) -> None:
    assert statistics_tables(found, translations("en")) == ()


def test_render_cohort_asks_for_statistics_once_the_profiles_were_read(make_profile: MakeProfile) -> None:
    seen: list[str] = []

    def profiles() -> list[EscapeProfile]:
        seen.append("profiles")
        return [make_profile()]

    def asked() -> CohortStatistics:
        seen.append("statistics")
        return statistics(comparisons=(GROUPS,))

    html = render_cohort(iter(profiles()), statistics=asked, lang="fr")
    assert seen == ["profiles", "statistics"]
    assert "Groupes selon &lt;i&gt;site" in html
    assert "Groupes selon" not in render_cohort([make_profile()], lang="fr")
