"""The template engine, set up once a language so that no template can switch escaping off by accident."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from escape_score.report.text.i18n import Language, translations


@cache
def environment(lang: str) -> Environment:
    """Return the template engine of one language.

    Parameters
    ----------
    lang
        Language code, see :func:`escape_score.report.text.i18n.translations`.

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


def make_environment(words: Language) -> Environment:
    """Build a template engine around a catalogue.

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


def script_of(engine: Environment) -> Markup:
    """Read the script of a cohort's page; it sorts, filters and points, and the page can be read without."""
    loader = engine.loader
    if loader is None:
        return Markup("")
    return Markup(loader.get_source(engine, "cohort.js")[0])


def source_hash(script: str) -> str:
    """Digest by which a page's content security policy lets one script run and no other.

    Such as ``sha256-…``, as Content Security Policy Level 3 has it.
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
