"""Formulas: what is allowed, and that nothing else is ever evaluated."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.config import RunConfig, StatisticsConfig
from escape_score.config.formula import parse_formula
from escape_score.errors import ConfigInvalidError


@pytest.mark.parametrize(
    ("text", "written", "interaction"),
    [
        ("~score", "~ score", None),
        ("~ score * treatment + purity + C(site)", "~ score * treatment + purity + C(site)", "treatment"),
        ("~ 1 + purity*site + score", "~ score + purity + site + purity:site", None),
        (
            "~ (score + purity):treatment + score + treatment",
            "~ score * treatment + purity:treatment",
            "treatment",
        ),
        ("~ score * C(arm)", "~ score * arm", "arm"),
        ("~ score + `age at surgery` + Größe.2", "~ score + `age at surgery` + Größe.2", None),
    ],
)
def test_formula_is_read_and_written(text: str, written: str, interaction: str | None) -> None:
    found = parse_formula(text)
    assert (str(found), found.interaction) == (written, interaction)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "begins with '~'"),
        ("score + purity", "begins with '~'"),
        ("~", "missing at its end"),
        ("~ purity", "score is not in it"),
        ("~ score + 0", "0 is not allowed"),
        ("~ score - 1", "'-' is not allowed"),
        ("~ score + purity**2", "missing before '*'"),
        ("~ score + log(purity)", r"log\(…\) is not allowed"),
        ("~ score + __import__('os')", r"__import__\(…\) is not allowed"),
        ("~ score + {purity + 1}", "'{' is not allowed"),
        ("~ score + `purity`(1)", "is not allowed"),
        ("~ score + C(purity + 1)", "is not allowed"),
        ("~ score + purity site", "operator is missing"),
        ("~ (score + purity", "parentheses do not match"),
        ("~ score)", "parentheses do not match"),
        ("~ score * (arm + site)", "more than one column"),
        ("~ score * arm * site", "more than one column"),
        ("~ score + score:arm", "needs arm itself"),
        ("y ~ score", "begins with '~'"),
        ("~ score + " + " + ".join("abcdefghijklm"), "12 at most"),
        ("~ score * a * b * c * d * e * f * g", "at most"),
        ("~ score" + " + a" * 500, "1000 at most"),
    ],
)
def test_formula_refuses_what_is_not_allowed(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_formula(text)


@given(st.text(alphabet="~+*:()C10 ab`.score_'[{,=-", max_size=30))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        found = parse_formula(text)
    except ValueError as error:
        refused = str(error)
    else:
        assert parse_formula(str(found)) == found
        return
    assert refused.count("\n") == 0


def test_numbers_of_the_groups_of_an_interaction_are_labels() -> None:
    assert str(parse_formula("~ score * arm + C(arm)").covariates[0][0]) == "C(arm)"
    assert parse_formula("~ score * arm + C(arm)") == parse_formula("~ score * arm")


@pytest.mark.parametrize("name", ["os_days", "response", "a=b", " "])
def test_statistics_refuse_columns_with_another_use(name: str) -> None:
    with pytest.raises(ConfigInvalidError, match=r"^--(adjust|group-by) " + re.escape(name)):
        RunConfig().overridden(adjust=[name])
    with pytest.raises(ConfigInvalidError, match=r"^--group-by"):
        RunConfig().overridden(groups=[name])


def test_a_formula_excludes_the_keys_that_it_replaces() -> None:
    with pytest.raises(ConfigInvalidError, match=r"--formula ~ score \+ purity: .*one or the other"):
        RunConfig().overridden(adjust=["site"], formula="~ score + purity")


def test_columns_that_are_named_are_those_to_keep() -> None:
    assert StatisticsConfig().named == ()
    assert StatisticsConfig(groups=["arm"], interaction="arm").named == ("arm",)
    config = RunConfig(statistics=StatisticsConfig(adjust=["age", "purity"], groups=["age"]))
    assert config.statistics.named == ("age", "purity")
    assert config.reading.columns == ["age=age"]
