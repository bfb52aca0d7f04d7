"""Pages as text: a view put into a template, whose filters write values in the page's language."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from functools import cache, lru_cache, partial
from inspect import signature
from types import CodeType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup

from escape_score.model.record import EscapeProfile
from escape_score.model.record_comparison import CohortComparison
from escape_score.model.record_statistics import CohortStatistics
from escape_score.report import facts
from escape_score.report.cohort.rows import scores_drawing
from escape_score.report.cohort.statistics import statistics_view
from escape_score.report.cohort.view import CohortCollector
from escape_score.report.comparison import comparison_view
from escape_score.report.figures.frame import page_rules
from escape_score.report.messages import note_markup
from escape_score.report.sample import approaches, figures, genes
from escape_score.report.sample import view as sample
from escape_score.report.sample.summary import summary_view
from escape_score.report.text import i18n, numbers, terms, wording
from escape_score.report.text.constant import ConstantTexts
from escape_score.report.text.escaping import written
from escape_score.report.text.i18n import SOURCE_LANGUAGE, Language, translations
from escape_score.report.text.visible import VisibleProfile, visible_profile

FILTERS: dict[str, Callable[..., object]] = {
    "note": note_markup,
    "text": i18n.translate_record_text,
    "marked": i18n.record_markup,
    "badge": wording.badge,
    "badge_markup": wording.badge_markup,
    "word": wording.word_of,
    "score": numbers.format_score,
    "z": numbers.format_z,
    "interval": numbers.format_interval,
    "percentile": numbers.format_percentile,
    "fraction": numbers.format_fraction,
    "index": numbers.format_index,
    "count": numbers.format_count,
    "value": numbers.format_value,
    "header_facts": facts.header_facts,
    "assay_facts": facts.assay_facts,
    "sheet_facts": facts.sheet_facts,
    "quality_facts": facts.quality_facts,
    "provenance_facts": facts.provenance_facts,
    "term": terms.term_markup,
    "explained": terms.explained,
    "genes_drawing": figures.genes_drawing,
    "gene_tables": genes.gene_tables,
    "leading_genes": genes.leading_genes,
    "score_drawing": sample.score_drawing,
    "index_drawing": sample.index_drawing,
    "raw_score": sample.format_raw,
    "evidence": approaches.evidence_words,
    "percentile_range": sample.percentile_range,
    "link_name": sample.link_name,
    "link_statement": sample.link_statement,
    "scores_drawing": scores_drawing,
}
"""How a template writes a value of a record; each takes the language of the page as ``words``."""

REPEATED = ("text", "marked", "badge", "badge_markup", "term", "fraction", "percentile")
"""Filters of values that most pages of a cohort have in common: an engine keeps what they wrote."""


class PageTemplate(Template):
    """A template that puts its values on the page by :func:`written`: a page has two thousand."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],  # jinja2's name
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        """Make a template of compiled code, in which ``escape`` is a global name."""
        template = super().from_code(environment, code, globals, uptodate)
        template.root_render_func.__globals__["escape"] = written
        return template


class PageCode(CodeGenerator):
    """Code of a template that reads ``a.b`` as Python does: a page reads sixteen hundred attributes."""

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # jinja2's name
        """Write an attribute; jinja2 would also look for an item of that name."""
        self.visit(node.node, frame)
        self.write(f".{node.attr}")


@cache
def environment(lang: str) -> Environment:
    """Return the template engine of a language; raises UsageError where there is no catalogue."""
    return make_environment(translations(lang))


def make_environment(words: Language) -> Environment:
    """Build a template engine around a catalogue.

    It always escapes, which no template can switch off by accident; an undefined name is an error.
    """
    engine = Environment(
        loader=PackageLoader("escape_score.report", "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[ConstantTexts],
    )
    engine.template_class = PageTemplate
    engine.code_generator_class = PageCode
    engine.policies["ext.i18n.trimmed"] = True
    engine.extend(words=words)
    # The extension adds this method when it is loaded, which no type of jinja2 says.
    engine.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    writers = {name: in_language(write, words) for name, write in FILTERS.items()}
    # typed, as members of two enumerations with the same text are equal
    kept = {name: lru_cache(maxsize=4096, typed=True)(writers[name]) for name in REPEATED}
    engine.filters |= writers | kept
    engine.globals["css"] = cache(partial(css_of, engine))
    engine.filters |= {"leaves_out": numbers.leaves_out, "fixed": words.fixed}
    return engine


def in_language(write: Callable[..., object], words: Language) -> Callable[..., object]:
    """Give a filter the language of its engine; ``partial`` takes longer than most filters themselves."""
    match list(signature(write).parameters):
        case [_, "words"]:
            return lambda value: write(value, words)
        case [_, "words", *_]:
            return lambda value, **options: write(value, words, **options)
        case _:
            return partial(write, words=words)


def render_sample(profile: EscapeProfile, *, lang: str = SOURCE_LANGUAGE) -> str:
    """Render the page of one sample.

    Parameters
    ----------
    profile
        The profile as published; the page shows nothing else.
    lang
        Language code of the page.

    Returns
    -------
    str
        A whole HTML document that loads nothing; it expects to lie in ``samples/`` beside ``index.html``.

    Raises
    ------
    ResultInvalidError
        The slug of the profile cannot name a file.
    UsageError
        There is no catalogue for the language.
    """
    return render_visible(visible_profile(profile), lang=lang)


def render_visible(shown: VisibleProfile, *, lang: str) -> str:
    """Render the page of one sample whose texts are visible already; see :func:`render_sample`."""
    page = sample.view_of_visible(shown, translations(lang))
    return environment(lang).get_template("sample.html.j2").render(page=page, lang=lang)


def render_summary(profile: EscapeProfile, *, lang: str = SOURCE_LANGUAGE) -> str:
    """Render the summary of one sample, which is printed on one A4 page.

    Parameters
    ----------
    profile
        The profile as published; the page shows nothing else.
    lang
        Language code of the page.

    Returns
    -------
    str
        A whole HTML document that loads nothing.

    Raises
    ------
    ResultInvalidError
        The slug of the profile cannot name a file.
    UsageError
        The language has no catalogue.
    """
    page = summary_view(profile, translations(lang))
    return environment(lang).get_template("summary.html.j2").render(page=page, lang=lang)


def render_cohort(
    profiles: Iterable[EscapeProfile],
    *,
    skipped: Sequence[tuple[str, str]] = (),
    statistics: Callable[[], CohortStatistics | None] = lambda: None,
    lang: str = SOURCE_LANGUAGE,
) -> str:
    """Render the page of a cohort.

    Parameters
    ----------
    profiles
        Profiles of one cohort in the order of the table; any iterable, read once, one profile held at a time.
    skipped
        Samples that failed, without a profile or without a page: pairs of sample id and reason.
    statistics
        Asked once all profiles were read: what the labels of the sample sheet say about the scores.
    lang
        Language code of the page.

    Returns
    -------
    str
        A whole HTML document that loads nothing, with links to ``samples/<slug>.html``.

    Raises
    ------
    ResultInvalidError
        The slug of a profile cannot name a file.
    UsageError
        There is no catalogue for the language.
    """
    page = CohortPage(lang)
    for profile in profiles:
        page.add(profile)
    return page.render(skipped=skipped, statistics=statistics())


class CohortPage:
    """The page of a cohort whose profiles pass by one after the other; see :func:`render_cohort`."""

    def __init__(self, lang: str = SOURCE_LANGUAGE) -> None:
        self.lang, self._words = lang, translations(lang)
        self._collected = CohortCollector(self._words)

    def add(self, profile: EscapeProfile) -> None:
        """Keep what the page shows of one more profile."""
        self._collected.add(profile)

    def render(self, *, skipped: Sequence[tuple[str, str]], statistics: CohortStatistics | None) -> str:
        """Return the HTML document of all profiles that were added."""
        words, engine = self._words, environment(self.lang)
        labels, script = statistics_view(statistics, words), script_of(engine, "cohort.js", "figures.js")
        clustering = None if statistics is None else statistics.clustering
        return engine.get_template("cohort.html.j2").render(
            page=self._collected.finished(skipped, clustering),
            labels=labels,
            terms=terms.terms_of(terms.of_cohort(has_tables=bool(labels.tables)), words),
            rules=page_rules(),
            lang=self.lang,
            script=script,
            script_hash=source_hash(script),
        )


def render_comparison(comparison: CohortComparison, *, lang: str = SOURCE_LANGUAGE) -> str:
    """Render the page of a comparison of cohorts.

    Parameters
    ----------
    comparison
        As published in ``comparison.json``; the page shows nothing else.
    lang
        Language code of the page.

    Returns
    -------
    str
        A whole HTML document that loads nothing.

    Raises
    ------
    UsageError
        The language has no catalogue.
    """
    words, engine = translations(lang), environment(lang)
    script = script_of(engine, "figures.js")
    return engine.get_template("comparison.html.j2").render(
        page=comparison_view(comparison, words),
        rules=page_rules(),
        lang=lang,
        script=script,
        script_hash=source_hash(script),
    )


def script_of(engine: Environment, *names: str) -> Markup:
    """Read the script of a page; it sorts, filters and saves pictures, and the page can be read without."""
    loader = engine.loader
    return Markup("").join(Markup(loader.get_source(engine, name)[0]) for name in names if loader is not None)


def css_of(engine: Environment, name: str) -> Markup:
    """Read a style sheet without comments and blanks, as every page carries it."""
    loader = engine.loader
    text = "" if loader is None else loader.get_source(engine, name)[0]
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return Markup(re.sub(r"(?<=[:,]) ", "", re.sub(r"\s*([{};])\s*", r"\1", text)).strip())


def source_hash(script: str) -> str:
    """Digest, such as ``sha256-…``, by which a page's content security policy lets one script run alone."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
