"""A sentence of the program finds its pattern, and its figures stay in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from escape_score.profile.calls import NO_SCORE
from escape_score.report.text.i18n import record_markup, translate_record_text, translations
from escape_score.report.text.sentences import translate_sentence
from escape_score.score.published.scoring import NEEDED

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "escape_score"
FRENCH = translations("fr")
SHORTEST = 12
"""Shorter texts are words inside a sentence."""


def template_of(node: ast.expr) -> str | None:
    """Text of a literal, with 7 for what an f-string or ``format`` fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{n}", "7").replace("{names}", "7")
    if isinstance(node, ast.JoinedStr):
        return "".join(template_of(part) or "" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return template_of(node.value) if isinstance(node.value, ast.IfExp) else "7"
    if isinstance(node, ast.IfExp):
        return template_of(node.body)
    return None


def flag_sentences() -> Iterator[tuple[str, str]]:
    """Every sentence that a flag is made with, by its place in the source."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            named = {
                target.id: assigned.value
                for assigned in ast.walk(function)
                if isinstance(assigned, ast.Assign)
                for target in assigned.targets
                if isinstance(target, ast.Name)
            }
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                name = getattr(call.func, "id", "")
                if name not in {"FlagNote", "_named"} or len(call.args) < 2:
                    continue
                sentence = call.args[-1]
                literal = named.get(sentence.id) if isinstance(sentence, ast.Name) else sentence
                text = template_of(literal) if literal is not None else None
                if text is not None and len(text) >= SHORTEST:
                    yield f"{path.name}:{call.lineno}", text


def tabled_sentences() -> Iterator[tuple[str, str]]:
    """Sentences that stand in a tuple behind their flag, by their place in the source."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Tuple):
                continue
            for flag, sentence in pairwise(node.elts):
                is_flag = isinstance(flag, ast.Attribute) and getattr(flag.value, "id", "") == "Flag"
                text = template_of(sentence) if is_flag else None
                if text is not None:
                    yield f"{path.name}:{sentence.lineno}", text


SENTENCES = dict((*flag_sentences(), *tabled_sentences()))


def call_reasons() -> Iterator[str]:
    """Every sentence that a call is explained with, from the source."""
    tree = ast.parse((PACKAGE / "profile" / "calls.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        text = template_of(node.value) if isinstance(node, ast.Return) and node.value is not None else None
        if text is not None:
            yield text


REASONS = list(call_reasons())


def test_flag_sentences_are_found() -> None:
    assert len(SENTENCES) > 30
    assert len(list(tabled_sentences())) > 2
    assert len(REASONS) > 5


@pytest.mark.parametrize("place", SENTENCES)
def test_every_flag_sentence_has_a_translation(place: str) -> None:
    assert translate_sentence(SENTENCES[place], FRENCH.find, FRENCH.number) is not None


@pytest.mark.parametrize("reason", NEEDED.values())
def test_every_need_of_a_published_score_has_a_translation(reason: str) -> None:
    assert translate_sentence(reason, FRENCH.find, FRENCH.number) is not None


@pytest.mark.parametrize("reason", [*NO_SCORE.values(), *REASONS])
def test_every_reason_of_a_call_has_a_translation(reason: str) -> None:
    assert translate_sentence(reason, FRENCH.find, FRENCH.number) is not None


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("Score 1.25 is below the threshold 1.5.", "Le score 1,25 est inférieur au seuil 1,5."),
        (
            "Score -0.50 reaches the threshold -1, but its interval holds the reference's centre.",
            "Le score -0,50 atteint le seuil -1, mais son intervalle contient le centre de la référence.",
        ),
        ("In this sample all genes are 0; it is not scored.", None),
        (
            "2 old symbols or aliases were renamed: A → B, C and 59 more.",
            "2 anciens symboles ou alias ont été renommés\u00a0: A → B, C et 59 autres.",
        ),
        (
            "Scored with less than 60% of their genes, so less surely: A.",
            "Calculés avec moins de 60\u202f% de leurs gènes, donc avec moins de certitude\u00a0: A.",
        ),
        ("40 % of its genes are measured", "40\u202f% de ses gènes sont mesurés"),
    ],
)
def test_translate_record_text_puts_figures_back(english: str, french: str | None) -> None:
    translated = translate_record_text(english, FRENCH)
    assert translated == french if french else "tous les gènes sont à 0" in translated
    assert translate_record_text(english, translations("en")) == english


@pytest.mark.parametrize("text", ["Refer to the ward.", "Note: look again", "{n} rows", "<b>Score</b>"])
def test_record_markup_marks_what_stays_english(text: str) -> None:
    markup = record_markup(text, FRENCH)
    assert markup.startswith('<span lang="en">')
    assert markup.striptags() == text.replace("<b>", "<b>") or "&lt;b&gt;" in markup


def test_record_markup_marks_nothing_in_english() -> None:
    assert record_markup("Refer to the ward.", translations("en")) == "Refer to the ward."
