"""The page of a comparison: all of the record in words, in both languages, and nothing loaded."""

from __future__ import annotations

import base64
import re

import pytest
from tests.statistics.gathered import gathered, response, three_cohorts

from escape_score.report import render_comparison
from escape_score.report.comparison import comparison_view
from escape_score.report.text.i18n import translations
from escape_score.statistics.comparison import compare_cohorts

RECORD = compare_cohorts(three_cohorts(), title="Two <b>and</b> one")
ENGLISH = re.compile(r"\b(the|cohorts|pooled|higher|samples|of|in)\b")
AREAS = {"immunoresistance_index": (0.8, 0.2), "stroma": (-1.4, 0.2)}


def test_view_has_every_question_with_its_measures() -> None:
    view = comparison_view(RECORD, translations("en"))
    assert view.headline == "3 cohorts with 90 samples; 9 pooled effects."
    assert [table.title for table in view.questions] == [
        "Response: 3 cohorts",
        "Overall survival: 2 cohorts",
        "Groups of msi: MSI and MSS, 2 cohorts",
    ]
    assert [len(table.rows) for table in view.questions] == [3, 3, 3]
    of_response, of_survival, _ = view.questions
    assert of_response.note == (
        "Not pooled for some measures (number of measures): west (not tested: too few samples have a "
        "value, or all are equal; 1)."
    )
    assert of_survival.note == "Cohorts not pooled: west (no such labels, or too few samples with them)."
    (caution,) = view.cautions
    assert "Scored against the cohort itself: west" in caution


def test_rows_say_effect_interval_direction_and_differences() -> None:
    cohorts = [gathered(name, of_response=response(AREAS)) for name in ("a", "b", "c")]
    (table,) = comparison_view(compare_cohorts(cohorts), translations("en")).questions
    first, second = table.rows
    assert str(first.title) == "TGF-beta and matrix programme"
    assert dict(zip(table.headings, first.cells, strict=True)) == {
        "AUROC": "0.20",
        "95 % interval": "[0.13, 0.29]",
        "Direction": "higher in responders",
        "Prediction interval": "[0.05, 0.52]",
        "FDR": "0.013",
        "Samples": "90",
        "I²": "0 % [0, 0]",
        "τ²": "0.000",
        "p of Q": "1.000",
        "Shift, in the measure’s unit": "1.00 [−0.27, 2.27]",
        "In each cohort": "a\u00a00.20 · b\u00a00.20 · c\u00a00.20",
    }
    assert first.is_found
    assert second.cells[:3] == ("0.69", "[0.58, 0.79]", "higher in non-responders")


def test_calls_have_counts_shares_and_intervals() -> None:
    (block,) = comparison_view(RECORD, translations("en")).calls
    assert block.lines[0].cells == (
        "6: 20 % [10, 37]",
        "3: 10 % [3, 26]",
        "20: 67 % [49, 81]",
        "1: 3 % [1, 17]",
    )
    assert [line.cohort for line in block.lines] == ["north", "south <b>\\u202e", "west"]


def test_figures_name_their_numbers() -> None:
    view = comparison_view(RECORD, translations("en"))
    figure = view.questions[0].figures[0]
    data = base64.b64decode(figure.data.rpartition(",")[2]).decode()
    lines = [line.split("\t") for line in data.splitlines()]
    assert lines[0] == ["measure", "cohort", "auroc", "low", "high", "weight", "q_value"]
    assert [line[1] for line in lines if line[0] == "cyt"] == [
        *("north", "south <b>\\u202e", "west"),
        *("pooled, random effects", "prediction"),
    ]
    assert figure.picture.count('class="pooled"') == 2
    assert figure.picture.count('class="fixed"') == 1
    assert figure.picture.count('class="predicted"') == 2
    assert 'aria-label="AUROC in every cohort and pooled, for: Immunoresistance index' in figure.picture
    (calls,) = view.figures
    assert calls.picture.count('class="called"') == 1 + 3


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_page_is_whole_and_loads_nothing(lang: str) -> None:
    page = render_comparison(RECORD, lang=lang)
    assert page == render_comparison(RECORD, lang=lang)
    assert f'<html lang="{lang}">' in page
    assert "Two &lt;b&gt;and&lt;/b&gt; one" in page
    assert "<b>and</b>" not in page
    assert "\u202e" not in page
    assert "default-src 'none'" in page
    assert re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page) == []
    assert "{" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


def test_french_page_has_no_english_sentence() -> None:
    page = render_comparison(RECORD, lang="fr")
    body = re.sub(r"<(style|script)>.*?</\1>|<code>.*?</code>", "", page, flags=re.DOTALL)
    texts = re.findall(r">([^<>]+)<", body)
    assert [one for one in texts if ENGLISH.search(one)] == []
    assert "Réponse\u00a0: 3 cohortes" in page


def test_page_without_a_question_says_so() -> None:
    page = render_comparison(compare_cohorts([gathered("a"), gathered("b")]))
    assert "No effect was pooled: no label with enough samples is in two cohorts." in page
    assert "Comparison of a, b" in page
