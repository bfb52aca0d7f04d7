"""Models with covariates and interactions: the numbers of R, and when there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from tests.statistics.conftest import GOLDEN, RESISTANCE, MakeColumns, measure_of

from escape_score.config import StatisticsConfig
from escape_score.config.formula import ModelFormula, formula_of, parse_formula
from escape_score.errors import UsageError
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    AdjustedRow,
    EstimateName,
    Expectation,
    GroupComparison,
    InteractionRow,
    MeasureKind,
    ResponseStatistics,
    SurvivalStatistics,
)
from escape_score.pipeline.profiles import in_english
from escape_score.statistics.adjusted import (
    Outcome,
    adjusted_groups,
    adjusted_row,
    response_outcome,
    survival_outcome,
)
from escape_score.statistics.columns import CohortColumns
from escape_score.statistics.compute import compute_statistics
from escape_score.statistics.covariates import Covariates
from escape_score.statistics.interactions import interaction_row

Sheet = Sequence[Mapping[str, str | float | bool]]
DEFAULT = formula_of(("purity", "site", "cancer_type"), None)
BY_ARM = parse_formula("~ score * arm + purity + site")


@pytest.fixture(scope="module")
def known() -> Mapping[str, float]:
    """What R makes of the patients of ``adjusted_data.tsv``."""
    table = pd.read_csv(GOLDEN / "adjusted__r_4.2.2.tsv", sep="\t")
    return dict(zip(table["statistic"], table["value"], strict=True))


@pytest.fixture(scope="module")
def patients() -> CohortColumns:
    """Patients that R was given."""
    table = pd.read_csv(GOLDEN / "adjusted_data.tsv", sep="\t", keep_default_na=False)
    sheet = [
        {
            **{name: row[name] for name in ("site", "arm", "response") if row[name]},
            **({"purity": float(row["purity"])} if row["purity"] else {}),
            "older": "1" if int(row["age"]) > 60 else "0",
            "os_days": float(row["days"]),
            "os_event": bool(row["event"]),
        }
        for row in table.to_dict("records")
    ]
    values = pd.to_numeric(table["score"]).to_numpy(dtype=np.float64)[:, None]
    return CohortColumns("c", (RESISTANCE,), tuple(sheet), values)


def of_r(known: Mapping[str, float], name: str) -> list[float]:
    return [known[name], known[f"{name}_low"], known[f"{name}_high"]]


def numbers_of(found: AdjustedRow | None) -> list[float]:
    assert found is not None
    return [found.estimate, found.interval.low, found.interval.high]


def adjusted(columns: CohortColumns, outcome: Outcome, formula: ModelFormula) -> AdjustedRow | None:
    return adjusted_row(outcome, columns.values[:, 0], Covariates(columns, formula)).row


def why_not(reason: NoteRecord | None) -> str:
    return "" if reason is None else in_english(reason)


def test_adjusted_odds_ratio_is_that_of_glm(patients: CohortColumns, known: Mapping[str, float]) -> None:
    found = adjusted(patients, response_outcome(patients), DEFAULT)
    np.testing.assert_allclose(numbers_of(found), of_r(known, "odds"), rtol=1e-6)
    assert found is not None
    assert (found.covariates, found.n, found.estimate_name) == (
        ("purity", "site"),
        known["odds_n"],
        EstimateName.ODDS_RATIO,
    )


def test_adjusted_hazard_ratio_is_that_of_coxph(patients: CohortColumns, known: Mapping[str, float]) -> None:
    found = adjusted(patients, survival_outcome(patients, "os"), DEFAULT)
    np.testing.assert_allclose(numbers_of(found), of_r(known, "hazard"), rtol=1e-5)
    assert found is not None
    assert (found.n_events, found.estimate_name) == (known["hazard_events"], EstimateName.HAZARD_RATIO)


def test_products_and_categories_of_a_formula_are_those_of_r(
    patients: CohortColumns, known: Mapping[str, float]
) -> None:
    formula = parse_formula("~ score + purity * site + C(older)")
    found = adjusted(patients, response_outcome(patients), formula)
    np.testing.assert_allclose(numbers_of(found), of_r(known, "products"), rtol=1e-6)


def test_adjusted_difference_of_two_groups_is_that_of_lm(
    patients: CohortColumns, known: Mapping[str, float]
) -> None:
    covariates = Covariates(patients, DEFAULT)
    found = adjusted_groups(patients.texts("response"), ("NR", "R"), patients.values[:, 0], covariates).row
    np.testing.assert_allclose(numbers_of(found), of_r(known, "difference"), rtol=1e-8)


def test_f_of_more_groups_is_that_of_lm(patients: CohortColumns, known: Mapping[str, float]) -> None:
    groups = ("anti-PD1", "chemo", "combination")
    covariates = Covariates(patients, DEFAULT)
    found = adjusted_groups(patients.texts("arm"), groups, patients.values[:, 0], covariates).row
    np.testing.assert_allclose(numbers_of(found), of_r(known, "eta"), rtol=1e-6, atol=1e-9)
    assert found is not None
    assert found.test is not None
    np.testing.assert_allclose((found.test.f, found.test.p_value), (known["f"], known["f_p"]), rtol=1e-8)


@pytest.mark.parametrize(
    ("name", "outcome_of"),
    [("odds", response_outcome), ("hazard", lambda columns: survival_outcome(columns, "os"))],
)
def test_interaction_is_that_of_r(
    patients: CohortColumns,
    known: Mapping[str, float],
    name: str,
    outcome_of: Callable[[CohortColumns], Outcome],
) -> None:
    found, _ = interaction_row(outcome_of(patients), patients.values[:, 0], Covariates(patients, BY_ARM))
    assert found is not None
    assert found.groups == ("anti-PD1", "chemo", "combination")
    for one in found.ratios:
        got = [one.ratio, one.interval.low, one.interval.high]
        np.testing.assert_allclose(got, of_r(known, f"{name}_{one.group}"), rtol=1e-5)
    np.testing.assert_allclose(found.statistic, known[f"{name}_statistic"], rtol=1e-5)
    np.testing.assert_allclose(found.p_value, known[f"{name}_p"], rtol=1e-4)
    assert (found.df, found.covariates) == (2, ("purity", "site"))


def test_rates_count_interactions_and_f_tests(patients: CohortColumns) -> None:
    config = StatisticsConfig(formula="~ score * arm + purity + site", groups=["arm", "older"])
    found = compute_statistics(patients, config, seed=1)
    assert found.response is not None
    tests: list[tuple[float, float]] = []
    parts: list[ResponseStatistics | SurvivalStatistics | GroupComparison]
    parts = [found.response, *found.survival, *found.comparisons]
    for part in parts:
        for row in part.rows:
            tests.append((row.p_value, row.q_value))
            if row.adjusted is not None and row.adjusted.test is not None:
                tests.append((row.adjusted.test.p_value, row.adjusted.test.q_value))
            product: InteractionRow | None = getattr(row, "interaction", None)
            tests += [] if product is None else [(product.p_value, product.q_value)]
    assert found.n_tests == len(tests) == 7
    p_values, q_values = np.array(tests).T
    np.testing.assert_allclose(q_values, false_discovery_control(p_values))
    assert [one.column for one in found.comparisons] == ["arm", "older"]
    assert found.formula == "~ score * arm + purity + site"
    said = in_english(*found.survival[0].findings)
    assert "The association differs between the groups of arm for 1 of 1 measures" in said
    assert "Interaction tests have low power" in said


def test_no_interaction_is_worded_as_no_evidence(patients: CohortColumns) -> None:
    found = compute_statistics(patients, StatisticsConfig(interaction="older", adjust=[]), seed=1)
    assert found.response is not None
    said = in_english(*found.response.findings)
    assert "No evidence that the association differs between the groups of older" in said


def confounded(n: int = 200) -> tuple[Sheet, np.ndarray]:
    """Response follows the site alone, and so does the measure."""
    random = np.random.default_rng(4)
    site = random.integers(0, 2, n)
    measured = site * 2 + random.normal(size=n)
    responds = random.random(n) < np.where(site, 0.75, 0.25)
    sheet = [
        {"response": "R" if yes else "NR", "site": "ab"[at], "purity": float(pure)}
        for yes, at, pure in zip(responds, site, random.random(n), strict=True)
    ]
    return sheet, measured


def columns_of(sheet: Sheet, values: np.ndarray) -> CohortColumns:
    return CohortColumns("c", (RESISTANCE,), tuple(dict(row) for row in sheet), values[:, None])


def test_adjusted_odds_ratio_takes_a_confounder_out() -> None:
    columns = columns_of(*confounded())
    found = adjusted(columns, response_outcome(columns), DEFAULT)
    assert found is not None
    assert (found.covariates, found.n) == (("purity", "site"), 200)
    assert found.interval.low < 1 < found.interval.high
    assert found.interval.low < found.estimate < found.interval.high
    alone = replace(columns, sheet=tuple({**row, "site": "a"} for row in columns.sheet))
    crude = adjusted(alone, response_outcome(alone), DEFAULT)
    assert crude is not None
    assert crude.interval.low > 1


def varied(**changes: Sequence[str | float]) -> CohortColumns:
    """The confounded patients with other columns; one value stands for all."""
    sheet, values = confounded()
    rows = [
        {**row, **{name: of[at % len(of)] for name, of in changes.items()}} for at, row in enumerate(sheet)
    ]
    return columns_of(rows, values)


@pytest.mark.parametrize(
    ("columns", "adjust", "reason"),
    [
        (varied(site=["a"], purity=[0.5]), ("purity", "site"), "no covariate varies"),
        (
            varied().rows(range(40)),
            ("purity", "site"),
            "fewer than 10 events, or patients with the rarer response, per term",
        ),
        (
            varied(batch=[*"abcdefghijkl"]),
            ("batch",),
            "fewer than 10 events, or patients with the rarer response, per term",
        ),
        (varied(double=[0.25]), ("nothing",), ""),
    ],
)
def test_there_is_no_adjusted_model_without_enough_to_fit_it(
    columns: CohortColumns, adjust: tuple[str, ...], reason: str
) -> None:
    covariates = Covariates(columns, formula_of(adjust, None))
    found = adjusted_row(response_outcome(columns), columns.values[:, 0], covariates)
    assert found.row is None
    assert why_not(found.reason).startswith(reason)
    assert bool(reason) is bool(why_not(found.reason))


def test_a_covariate_that_follows_from_others_gives_no_model() -> None:
    columns = varied()
    rows = tuple({**row, "twice": 2 * float(row["purity"])} for row in columns.sheet)
    both = Covariates(replace(columns, sheet=rows), formula_of(("purity", "twice"), None))
    found = adjusted_row(response_outcome(columns), columns.values[:, 0], both)
    assert "follows from the others" in why_not(found.reason)
    labels = columns.texts("site")
    same = Covariates(
        replace(columns, sheet=tuple({**row, "ward": row["site"]} for row in rows)),
        formula_of(("ward",), None),
    )
    groups = adjusted_groups(labels, ("a", "b"), columns.values[:, 0], same)
    assert "follows from the others" in why_not(groups.reason)


def test_a_covariate_that_separates_the_outcomes_gives_no_model() -> None:
    columns = varied()
    rows = tuple({**row, "known": row["response"]} for row in columns.sheet)
    covariates = Covariates(replace(columns, sheet=rows), formula_of(("known",), None))
    for outcome in (response_outcome(columns), _follow_up(columns)):
        found = adjusted_row(outcome, columns.values[:, 0], covariates)
        assert "no finite estimate" in why_not(found.reason)


def _follow_up(columns: CohortColumns) -> Outcome:
    """Only patients without response die."""
    response = response_outcome(columns)
    days = np.random.default_rng(0).exponential(300, len(columns.sheet)) + 1
    return Outcome(response.is_known, ~response.is_event, days)


@pytest.mark.parametrize(
    ("arms", "n", "reason"),
    [
        ("a", 200, "fewer than two groups"),
        ("ab", 40, "fewer than 10 events, or patients with the rarer response, per term"),
        ("a" * 32 + "b", 200, "fewer than 5 events, or patients with the rarer response, in a group"),
    ],
)
def test_there_is_no_interaction_without_enough_events(arms: str, n: int, reason: str) -> None:
    columns = varied(arm=[*arms]).rows(range(n))
    covariates = Covariates(columns, formula_of((), "arm"))
    found = interaction_row(response_outcome(columns), columns.values[:, 0], covariates)
    assert found.row is None
    assert why_not(found.reason).startswith(reason)
    assert interaction_row(response_outcome(columns), columns.values[:, 0], Covariates(columns, DEFAULT)) == (
        None,
        None,
    )


@given(factor=st.floats(1e-3, 1e3), offset=st.floats(-100, 100))
@settings(max_examples=15, deadline=None)
def test_units_of_a_covariate_and_of_the_measure_change_nothing(factor: float, offset: float) -> None:
    columns = varied(arm=[*"ababb"])
    rows = tuple({**row, "purity": float(row["purity"]) * factor + offset} for row in columns.sheet)
    other = replace(columns, sheet=rows, values=columns.values * factor + offset)
    formula = parse_formula("~ score * arm + purity")
    pairs = []
    for one in (columns, other):
        outcome, covariates, values = response_outcome(one), Covariates(one, formula), one.values[:, 0]
        product = interaction_row(outcome, values, covariates).row
        groups = adjusted_groups(one.texts("site"), ("a", "b"), values, covariates).row
        assert product is not None
        pairs.append(
            [
                *numbers_of(adjusted_row(outcome, values, covariates).row),
                *numbers_of(groups),
                product.ratios[0].ratio,
                product.statistic,
            ]
        )
    np.testing.assert_allclose(pairs[0], pairs[1], rtol=1e-6)


def test_order_of_samples_changes_no_model() -> None:
    columns = varied(arm=[*"ababb"])
    order = np.random.default_rng(3).permutation(len(columns.sheet)).tolist()
    found = [
        interaction_row(response_outcome(one), one.values[:, 0], Covariates(one, BY_ARM)).row
        for one in (columns, columns.rows(order))
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].ratios[0].ratio == pytest.approx(found[1].ratios[0].ratio, rel=1e-8)


def test_groups_are_those_that_are_named(make_columns: MakeColumns) -> None:
    sheet = [{"site": "ab"[at % 2], "grade": "123"[at % 3], "stage": str(at % 4)} for at in range(60)]
    columns = make_columns(sheet, np.random.default_rng(1).normal(size=60).tolist())

    def compared(config: StatisticsConfig) -> list[GroupComparison]:
        return list(compute_statistics(columns, config, seed=1).comparisons)

    assert [one.column for one in compared(StatisticsConfig())] == ["site", "grade", "stage"]
    assert [one.column for one in compared(StatisticsConfig(groups=["stage"]))] == ["stage"]
    (stage,) = compared(StatisticsConfig(groups=["stage"], adjust=["site"]))
    # a group of stage is of one site
    assert all("follows from the others" in why_not(row.not_adjusted) for row in stage.rows)
    (grade,) = compared(StatisticsConfig(groups=["grade"], adjust=["site"]))
    assert [row.adjusted.covariates for row in grade.rows if row.adjusted] == [("site",)] * 2


def test_a_column_that_is_named_must_have_values(make_columns: MakeColumns) -> None:
    columns = make_columns([{"treatment": "ab"[at % 2]} for at in range(20)], range(20))
    with pytest.raises(UsageError, match=r"no column 'tratment'.*did you mean 'treatment'"):
        compute_statistics(columns, StatisticsConfig(interaction="tratment"), seed=1)
    assert compute_statistics(columns, StatisticsConfig(), seed=1).response is None


def test_numbers_are_no_groups_unless_named() -> None:
    axis = measure_of("a", Expectation.RESISTANCE, MeasureKind.AXIS)
    sheet: Sheet = [{"age": float(40 + at % 3)} for at in range(60)]
    columns = CohortColumns("c", (axis,), tuple(map(dict, sheet)), np.arange(60.0)[:, None])
    assert compute_statistics(columns, seed=1).comparisons == ()
    named = compute_statistics(columns, StatisticsConfig(groups=["age"]), seed=1)
    assert [one.groups for one in named.comparisons] == [("40", "41", "42")]
