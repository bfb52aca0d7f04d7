"""Terms are explained on the pages in the words of the glossary, for keyboard and touch."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, statistics

from escape_score.model.record import EscapeProfile
from escape_score.report import render_cohort, render_sample, render_summary
from escape_score.report.text.i18n import translations
from escape_score.report.text.terms import TERMS, explained

GLOSSARY = (Path(__file__).resolve().parents[3] / "docs" / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TERMS)
def test_glossary_has_the_words_of_the_pages(name: str) -> None:
    meanings = [line.split(" | ")[1] for line in GLOSSARY.splitlines() if line.count(" | ") == 1]
    assert [one for one in meanings if one.startswith(TERMS[name][1])] != []


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_term_has_its_explanation_once(lang: str, matched_profile: EscapeProfile) -> None:
    found = statistics(response=RESPONSE, survival=(SURVIVAL,), comparisons=(GROUPS,))
    pages = {
        "sample": render_sample(matched_profile, lang=lang),
        "cohort": render_cohort([matched_profile], statistics=lambda: found, lang=lang),
    }
    words = translations(lang)
    wanted = {
        "sample": {"reference", "reference-matched", "interval", "percentile", "coverage", "index"},
        "cohort": {"archetype", "phenotype", "auroc", "fdr", "hazard-ratio", "concordance"},
    }
    for page, html in pages.items():
        opened = set(re.findall(r'popovertarget="term-([a-z-]+)"', html))
        explanations = re.findall(r'id="term-([a-z-]+)" popover><b>(.+?)</b> (.+?)</div>', html)
        assert opened >= wanted[page]
        assert opened <= {name for name, *_ in explanations}
        assert len({name for name, *_ in explanations}) == len(explanations)
        for name, term, meaning in explanations:
            assert [term, meaning.replace("&#39;", "'")] == [words.gettext(one) for one in TERMS[name]]


def test_heading_without_a_term_stays_as_it_is() -> None:
    assert explained("Status", translations("en")) == "Status"


def test_summary_on_paper_has_no_buttons(make_profile: Callable[..., EscapeProfile]) -> None:
    assert "<button" not in render_summary(make_profile())
