"""Languages of the pages. English is the language of the source; others are catalogues in ``locales/``."""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path

from markupsafe import Markup

from escape_score.errors import UsageError
from escape_score.report.text.decimals import Writer, kept

SOURCE_LANGUAGE = "en"
MINUS = "−"
"""The one minus sign of all pages; tables and the command line have the one of the keyboard."""
_FIXED = tuple(f"z,.{decimals}f" for decimals in range(10))
"""How Python writes a number by its decimals."""
_CATALOGUE = "locales/{lang}/LC_MESSAGES/escape_score.po"


@dataclass(frozen=True)
class Language:
    """One language: its catalogue and how it writes numbers.

    Parameters
    ----------
    lang
        Language code, as ``lang`` of the page.
    catalogue
        Translations; in English each text stays as it is.
    decimal, group, percent
        Marks before decimals, between thousands and after percent.
    known
        Texts that the catalogue has, also those that are the same in both languages.
    """

    lang: str
    catalogue: gettext.NullTranslations
    decimal: str = "."
    group: str = ","
    percent: str = "%"
    known: frozenset[str] = frozenset()

    def gettext(self, message: str) -> str:
        """Translate a text of the source; empty text stays empty, where a catalogue has its header."""
        if self.lang == SOURCE_LANGUAGE:
            return message
        return self.catalogue.gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Translate a text that has a plural."""
        return self.catalogue.ngettext(singular, plural, n)

    def find(self, message: str) -> str | None:
        """Translate a text of the catalogue; None where it has none."""
        return self.gettext(message) if message in self.known else None

    def number(self, text: str) -> str:
        """Write a number given in Python's notation (``-1,234.5``) with this language's marks."""
        return text.replace("-", MINUS) if self._is_plain else text.translate(self._marks)

    @cached_property
    def _is_plain(self) -> bool:
        """Whether all marks but the minus are Python's."""
        return (self.decimal, self.group, self.percent) == (".", ",", "%")

    @cached_property
    def _marks(self) -> dict[int, str]:
        """Marks for those of Python; a page has thousands of numbers."""
        return dict(zip(map(ord, ".,%-"), (self.decimal, self.group, self.percent, MINUS), strict=True))

    @property
    def gap(self) -> str:
        """Space between a number and a sign such as percent or less than; empty in English."""
        return self.percent.removesuffix("%")

    def fixed(self, value: float, decimals: int) -> str:
        """Write a number with fixed decimals and grouped thousands; a negative zero loses its sign."""
        return self.fixed_to[decimals](value)

    def signed(self, value: float, decimals: int) -> str:
        """Write a number as :meth:`fixed` does, with its sign; what is rounded to zero has none."""
        return self.signed_to[decimals](value)

    def between(self, low: str, high: str) -> str:
        """Write an interval between two ends that are written, such as ``[−0.3, 1.2]``."""
        return self._between % (low, high)

    @cached_property
    def _between(self) -> str:
        text = self.gettext("[{low}, {high}]").replace("%", "%%")
        return text.format(low="%s", high="%s")

    @cached_property
    def fixed_to(self) -> tuple[Writer, ...]:
        """What :meth:`fixed` does, by decimals: for many numbers."""
        return tuple(kept(decimals)(partial(self._fixed, form)) for decimals, form in enumerate(_FIXED))

    @cached_property
    def signed_to(self) -> tuple[Writer, ...]:
        """What :meth:`signed` does, by decimals: for many numbers."""
        return tuple(kept(decimals)(partial(self._signed, form)) for decimals, form in enumerate(_FIXED))

    def _fixed(self, form: str, value: float) -> str:
        return self.number(format(value, form))

    def _signed(self, form: str, value: float) -> str:
        text = format(value, f"+{form}")
        return self.number(text[1:] if text == format(0.0, f"+{form}") else text)


@cache
def translations(lang: str) -> Language:
    """Load a language.

    Its catalogue and marks. Raises UsageError: there is no catalogue for the language: an English page must
    not claim another one.
    """
    if lang not in languages():
        choice = " or ".join(languages())
        message = f"--lang {lang}: reports have no such language; use {choice}"
        raise UsageError(message)
    if lang == SOURCE_LANGUAGE:
        return Language(lang, gettext.NullTranslations())
    from babel import Locale

    locale = Locale.parse(lang)
    symbols, percent = locale.number_symbols["latn"], locale.percent_formats[None].pattern.rpartition("0")[2]
    percent = percent.replace("\u00a0", "\u202f")  # the narrow space, as the catalogues have it
    catalogue, known = _catalogue(lang)
    return Language(lang, catalogue, symbols["decimal"], symbols["group"], percent, known)


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages that pages can be written in, English first."""
    others = (path.parts[-3] for path in Path(__file__).parents[1].glob(_CATALOGUE.format(lang="*")))
    return (SOURCE_LANGUAGE, *sorted(others))


def _catalogue(lang: str) -> tuple[gettext.NullTranslations, frozenset[str]]:
    """Compile a catalogue in memory, so that no compiled copy can be older than its source."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    path = Path(__file__).parents[1] / _CATALOGUE.format(lang=lang)
    source, compiled = read_po(io.BytesIO(path.read_bytes()), locale=lang), io.BytesIO()
    write_mo(compiled, source)
    compiled.seek(0)
    known = (message.id for message in source if message.string)
    texts = (text[0] if isinstance(text, tuple | list) else text for text in known)
    return gettext.GNUTranslations(compiled), frozenset(texts)


def translate_record_text(text: str, words: Language) -> str:
    """Translate a text that a record carries, such as the title of a mechanism.

    The translation, or the text itself where the catalogue has none.
    """
    if words.lang == SOURCE_LANGUAGE:
        return text
    return words.find(text) or text


def record_markup(text: str, words: Language) -> Markup:
    """Translate a text that a record carries; what stays English is marked as English.

    Escaped text, inside ``<span lang="en">`` where the page has another language and the catalogue no
    translation.
    """
    if not text or words.lang == SOURCE_LANGUAGE:
        return Markup.escape(text)
    translated = words.find(text)
    if translated is None:
        return Markup('<span lang="{}">{}</span>').format(SOURCE_LANGUAGE, text)
    return Markup.escape(translated)
