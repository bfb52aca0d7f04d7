from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.battery.case import Case, Expect
from tests.battery.registry import CASES, CATEGORIES
from tests.battery.runner import flags_in, problems_of, run_case

MIN_CASES = 250


def _parameter(case: Case) -> object:
    return pytest.param(case, id=case.case_id, marks=() if case.is_fast else pytest.mark.slow)


@pytest.mark.parametrize("case", [_parameter(case) for case in CASES])
def test_case_ends_as_expected(case: Case, tmp_path: Path) -> None:
    inputs, outcome = run_case(case, tmp_path)
    assert problems_of(case, inputs, outcome) == []


def test_battery_has_enough_cases() -> None:
    assert len(CASES) >= MIN_CASES


def test_case_ids_are_unique() -> None:
    assert [name for name, n in Counter(case.case_id for case in CASES).items() if n > 1] == []


def test_every_case_is_named_after_its_category() -> None:
    assert [c.case_id for c in CASES if not c.case_id.startswith(f"{c.category}-")] == []


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_fast_case(category: str) -> None:
    assert any(case.is_fast for case in CASES if case.category == category)


def test_every_expectation_is_used() -> None:
    assert {case.expect for case in CASES} == set(Expect)


def test_every_error_must_name_its_problem() -> None:
    assert [case.case_id for case in CASES if case.expect is Expect.ERROR and not case.mention] == []


def test_every_warning_has_a_flag() -> None:
    assert [case.case_id for case in CASES if case.expect is Expect.WARN and not case.flag] == []


def test_flags_of_warnings_are_not_raised_by_the_clean_cohort(tmp_path: Path) -> None:
    clean = next(case for case in CASES if case.case_id == "controls-tsv")
    _, outcome = run_case(clean, tmp_path)
    raised = {flag for path in outcome.made if path.suffix == ".json" for flag in flags_in(path)}
    assert raised == {"cohort_too_small"}


def test_readme_counts_are_true() -> None:
    readme = (Path(__file__).parent / "README.md").read_text().splitlines()
    for category in CATEGORIES:
        cases = [case for case in CASES if case.category == category]
        counts = [sum(case.expect is expect for case in cases) for expect in Expect]
        figures = [*counts, len(cases), sum(case.is_fast for case in cases)]
        assert f"| {category} | {' | '.join(map(str, figures))} |" in readme
