from __future__ import annotations

import pytest

from escape_score.errors import UsageError
from escape_score.report.text.i18n import translate_record_text, translations


def test_translations_of_english_return_the_text() -> None:
    assert translations("en").gettext("detected") == "detected"


@pytest.mark.parametrize("lang", ["tlh", "../..", ""])
def test_translations_refuse_a_language_without_catalogue(lang: str) -> None:
    with pytest.raises(UsageError, match="no such language; use en"):
        translations(lang)


def test_translate_record_text_keeps_empty_text_empty() -> None:
    assert translate_record_text("", translations("en")) == ""
