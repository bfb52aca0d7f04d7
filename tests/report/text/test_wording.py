from __future__ import annotations

import pytest

from escape_score.model.record import Call, Status
from escape_score.report.text.i18n import translations
from escape_score.report.text.wording import Badge, badge, badge_markup, enumerate_words

WORDS = translations("en")


def test_badge_of_a_call_differs_by_word_and_by_symbol() -> None:
    badges = [badge(call, WORDS) for call in Call]
    assert len({one.word for one in badges}) == len({one.symbol for one in badges}) == len(Call)


def test_badge_of_a_status_differs_by_word_and_by_symbol() -> None:
    badges = [badge(status, WORDS) for status in Status]
    assert len({one.word for one in badges}) == len({one.symbol for one in badges}) == len(Status)


def test_badge_explains_its_term_except_on_paper() -> None:
    shown = badge(Status.PROVISIONAL, WORDS)
    assert 'popovertarget="term-provisional"' in badge_markup(shown, WORDS)
    assert badge_markup(shown, WORDS, is_printed=True).striptags() == f"{shown.symbol} {shown.word}"


def test_badge_is_escaped() -> None:
    assert "<b>" not in badge_markup(Badge("<b>", "<b>", "<b>"), WORDS)


@pytest.mark.parametrize(
    ("items", "n_more", "text"),
    [((), 0, ""), (("A",), 0, "A"), (("A, b", "C"), 0, "A, b; C"), (("A", "B"), 4, "A; B; and 4 more")],
)
def test_enumerate_words_joins_by_semicolons(items: tuple[str, ...], n_more: int, text: str) -> None:
    assert enumerate_words(items, n_more, WORDS) == text
