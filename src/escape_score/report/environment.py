"""The template engine, set up once a language so that no template can switch escaping off by accident."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from escape_score.report.i18n import Words, translations


@cache
def environment(lang: str) -> Environment:
    """Return the template engine of one language.

    Parameters
    ----------
    lang
        Language code, see :func:`escape_score.report.i18n.translations`.

    Returns
    -------
    jinja2.Environment
        Escapes always; an undefined name is an error.

    Raises
    ------
    UsageError
        There is no catalogue for the language.
    """
    return make_environment(translations(lang))


def make_environment(words: Words) -> Environment:
    """Build a template engine around a catalogue.

    Parameters
    ----------
    words
        Translations of the page.

    Returns
    -------
    jinja2.Environment
        Escapes always; an undefined name is an error.
    """
    engine = Environment(
        loader=PackageLoader("escape_score.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    engine.policies["ext.i18n.trimmed"] = True
    # The extension adds this method when it is loaded, which no type of jinja2 says.
    engine.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    return engine
