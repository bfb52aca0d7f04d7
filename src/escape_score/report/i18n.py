"""Languages of the pages. English is the language of the source; others are catalogues in ``locales/``."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from escape_score.errors import UsageError

SOURCE_LANGUAGE = "en"
_DOMAIN = "escape_score"


@cache
def translations(lang: str) -> gettext.NullTranslations:
    """Load the catalogue of a language.

    Parameters
    ----------
    lang
        Language code; ``en`` needs no catalogue.

    Returns
    -------
    gettext.NullTranslations
        The catalogue; for English one that returns each text as it is.

    Raises
    ------
    UsageError
        There is no catalogue for the language: an English page must not claim another one.
    """
    if lang == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    locales = Path(__file__).parent / "locales"
    try:
        return gettext.translation(_DOMAIN, localedir=locales, languages=[lang])
    except OSError as error:
        message = f"--lang {lang}: reports have no such language; use {SOURCE_LANGUAGE}"
        raise UsageError(message) from error


def translate_record_text(text: str, words: gettext.NullTranslations) -> str:
    """Translate a fixed text that a record carries, such as the title of a mechanism.

    Parameters
    ----------
    text
        English; empty text stays empty, where a catalogue would answer with its own header.
    words
        Translations of the page.

    Returns
    -------
    str
        The translation, or the text itself where the catalogue has none.
    """
    return words.gettext(text) if text else ""
