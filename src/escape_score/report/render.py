"""Pages as text: a view of finished texts put into a template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from escape_score.model.record import EscapeProfile
from escape_score.model.record_statistics import CohortStatistics
from escape_score.report.cohort.statistics import statistics_view
from escape_score.report.cohort.view import cohort_view
from escape_score.report.environment import environment, script_of, source_hash
from escape_score.report.sample.view import sample_view
from escape_score.report.text.i18n import SOURCE_LANGUAGE, translations


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
    page = sample_view(profile, translations(lang))
    return environment(lang).get_template("sample.html.j2").render(page=page, lang=lang)


def no_statistics() -> CohortStatistics | None:
    """Statistics of a cohort without labels."""
    return None


def render_cohort(
    profiles: Iterable[EscapeProfile],
    *,
    skipped: Sequence[tuple[str, str]] = (),
    statistics: Callable[[], CohortStatistics | None] = no_statistics,
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
    words = translations(lang)
    page = cohort_view(profiles, words, skipped=skipped)
    labels = statistics_view(statistics(), words)
    engine = environment(lang)
    script = script_of(engine)
    return engine.get_template("cohort.html.j2").render(
        page=page, labels=labels, lang=lang, script=script, script_hash=source_hash(script)
    )
