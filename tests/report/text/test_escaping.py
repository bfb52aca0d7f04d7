from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from escape_score.report.text.escaping import escaped, safe, written


@given(st.text(st.sampled_from("ab<>&\"'−é")))
def test_texts_are_escaped_as_markupsafe_does(text: str) -> None:
    assert written(text) == escape(text)
    assert (escaped(text), type(escaped(text))) == (escape(text), Markup)


@given(st.one_of(st.none(), st.integers(), st.floats(), st.text().map(Markup)))
def test_other_values_are_written_as_markupsafe_does(value: object) -> None:
    assert written(value) == escape(value)


def test_safe_text_is_not_escaped_again() -> None:
    assert type(safe("<b>")) is Markup
    assert escape(safe("<b>")) == "<b>"
