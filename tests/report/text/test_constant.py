from __future__ import annotations

import gettext

import pytest
from jinja2 import DictLoader

from escape_score.report.render import make_environment
from escape_score.report.text.i18n import Language


class Capitals(gettext.NullTranslations):
    """Writes every text in capitals."""

    def gettext(self, message: str) -> str:
        """Return the text in capitals."""
        return message.upper()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% trans %}a{% endtrans %}", "A"),
        ("{% trans %}90 % of it{% endtrans %}", "90 % OF IT"),
        ("{% trans %}\n  two\n  lines\n{% endtrans %}", "TWO LINES"),
        ("<b>{% trans %}a{% endtrans %}</b>{% trans %}b{% endtrans %}", "<b>A</b>B"),
        ("{% trans %}a & b{% endtrans %}", "A & B"),
        ("{% for one in (1, 2) %}{% trans %}a{% endtrans %}{{ one }}{% endfor %}", "A1A2"),
    ],
)
def test_texts_of_templates_are_translated(source: str, text: str) -> None:
    engine = make_environment(Language("xx", Capitals()))
    engine.loader = DictLoader({"page": source})
    assert engine.get_template("page").render() == text
