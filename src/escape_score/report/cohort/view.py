"""What the page of a cohort shows; profiles are read once and only a row of text is kept of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from escape_score.model.record import Archetype, Call, EscapeProfile, Phenotype, ReferenceMatch, Status
from escape_score.model.record_statistics import Clustering
from escape_score.report.cohort.cells import PatientCollector, PatientTable
from escape_score.report.cohort.heatmap import Column, Heatmap, column_of, heatmap_of
from escape_score.report.cohort.quality import FlagSummary, QualityTally
from escape_score.report.cohort.rows import (
    Filter,
    MechanismTally,
    SampleRow,
    Tally,
    count_mechanisms,
    rows_with_filters,
    rows_with_sheet,
    sample_row,
    tallies_of,
)
from escape_score.report.facts import Fact, all_labels, sheet_labels
from escape_score.report.messages import visible_markup
from escape_score.report.text.i18n import Language, record_markup
from escape_score.report.text.numbers import format_count
from escape_score.report.text.visible import checked_slug, visible_profile, visible_text
from escape_score.report.text.wording import enumerate_words, match_word, unit_warning

SHOWN: dict[str, Any] = {
    **dict.fromkeys(("sample_id", "cohort", "schema_version", "flags", "cells", "metadata"), True),
    "provenance": True,
    "reference": {"name"},
    "input": {"unit", "input_sha256", "matrix_sha256"},
    "axes": {"__all__": {"axis", "title", "group"}},
}
"""Texts of a record that the page of a cohort shows; the rest of its texts are on pages of samples only."""
N_LEADING = 3
"""Mechanisms that the sentence on top of the page names."""


@dataclass(frozen=True)
class CohortView:
    """Everything that the page of a cohort shows, as text."""

    title: str
    headline: str
    units: tuple[str, ...]
    summary: str
    choice: Markup
    advice: tuple[Markup, ...]
    statuses: tuple[Tally, ...]
    phenotypes: tuple[Tally, ...]
    archetypes: tuple[Tally, ...]
    match_title: str
    matches: tuple[Tally, ...]
    quality: tuple[tuple[str, str, str, str], ...]
    heatmap: Heatmap | None
    has_labels: bool
    further: Markup
    counted: str
    patients: PatientTable | None
    rows: tuple[SampleRow, ...]
    filters: tuple[Filter, ...]
    mechanisms: tuple[MechanismTally, ...]
    flags: tuple[FlagSummary, ...]
    notes: tuple[FlagSummary, ...]
    skipped: tuple[tuple[str, Markup], ...]
    provenance: tuple[Fact, ...]


def cohort_view(
    profiles: Iterable[EscapeProfile],
    words: Language,
    *,
    skipped: Sequence[tuple[str, str]] = (),
    clustering: Callable[[], Clustering | None] = lambda: None,
) -> CohortView:
    """Prepare the page of a cohort; every text from outside has its invisible characters escaped.

    ``clustering`` is asked once all profiles were read.
    """
    collected = CohortCollector(words)
    for profile in profiles:
        collected.add(profile)
    return collected.finished(skipped, clustering())


@dataclass
class CohortCollector:
    """What the page of a cohort shows of the profiles so far."""

    words: Language
    rows: list[SampleRow] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    phenotypes: Counter[Phenotype | None] = field(default_factory=Counter)
    archetypes: Counter[Archetype | None] = field(default_factory=Counter)
    matches: Counter[ReferenceMatch | None] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    sheet_columns: set[str] = field(default_factory=set)
    n_own: int = 0
    cohorts: Counter[str] = field(default_factory=Counter)
    mechanisms: dict[str, MechanismTally] = field(default_factory=dict)
    quality: QualityTally = field(default_factory=QualityTally)
    patients: PatientCollector = field(default_factory=PatientCollector)
    choice: Markup = Markup()  # noqa: RUF009 - a text, and texts do not change
    advice: tuple[Markup, ...] = ()

    def add(self, given: EscapeProfile) -> None:
        """Count one profile and keep its row."""
        profile, slug, words = visible_profile(given, shown=SHOWN), checked_slug(given), self.words
        self.columns.append(column_of(profile, len(self.rows), sheet_labels(profile, words)))
        self.labels.append(all_labels(profile, words))
        self.statuses[profile.status] += 1
        self.phenotypes[profile.phenotype] += 1
        self.archetypes[profile.archetype] += 1
        self.matches[profile.reference.match] += 1
        self.cohorts[profile.cohort] += 1
        if warning := unit_warning(profile, words):
            self.units[warning] += 1
        self.sheet_columns.update(profile.metadata)
        self.n_own += profile.reference.is_cohort
        if profile.reference.choice is not None and not self.choice:  # that of all samples
            self.choice = visible_markup(profile.reference.choice, words)
            self.advice = tuple(visible_markup(one, words) for one in profile.reference.advice)
        count_mechanisms(self.mechanisms, profile.axes, words)
        self.quality.add(profile, words)
        self.patients.add(profile, slug, words)
        self.rows.append(sample_row(profile, slug, self.mechanisms, words))

    def finished(
        self, skipped: Sequence[tuple[str, str]] = (), clustering: Clustering | None = None
    ) -> CohortView:
        """Turn the totals into the view."""
        words = self.words
        titles = {axis: item.title for axis, item in self.mechanisms.items()}
        mechanisms = tuple(self.mechanisms.values())
        flags, notes = self.quality.flags(words)
        pageless = {visible_text(who) for who, _ in skipped}
        linked = [replace(row, page="") if row.sample_id in pageless else row for row in self.rows]
        labelled, filters = rows_with_filters(linked, self.labels)
        sheets = [column.sheet for column in self.columns]
        rows, further = rows_with_sheet(labelled, sheets, filters, words)
        return CohortView(
            title=", ".join(self.cohorts) or words.gettext("Cohort without samples"),
            headline=_headline(self.statuses, words),
            units=tuple(_warnings_of_units(self.units, len(self.rows), words)),
            summary=_summary_sentence(mechanisms, len(self.rows), words),
            choice=self.choice,
            advice=self.advice,
            statuses=tallies_of(self.statuses, "s", words),
            phenotypes=tallies_of(self.phenotypes, "p", words),
            archetypes=tallies_of(self.archetypes, "a", words),
            match_title=self._match_title(words),
            matches=tallies_of(self.matches, "r", words, match_word),
            quality=tuple(self.quality.rows(words)),
            heatmap=heatmap_of(self.columns, titles, words, clustering),
            has_labels=any(row.sheet for row in rows),
            further=further,
            counted=_counted(self.sheet_columns, words),
            patients=self.patients.table(pageless, words),
            rows=rows,
            filters=filters,
            mechanisms=mechanisms,
            flags=flags,
            notes=notes,
            skipped=tuple(
                (visible_text(who), record_markup(visible_text(why), words)) for who, why in skipped
            ),
            provenance=self.quality.provenance(),
        )

    def _match_title(self, words: Language) -> str:
        if self.rows and self.n_own == len(self.rows):
            return words.gettext("Match with its reference (this cohort)")
        return words.gettext("Match with the reference")


def _counted(columns: Container[str], words: Language) -> str:
    """Which samples statistics count, as far as the sample sheet shows it."""
    _ = words.gettext
    has_patients, has_times = "patient_id" in columns, "timepoint" in columns
    if has_patients and has_times:
        return _("One sample per patient, before treatment where the sample sheet gives a time point.")
    if has_patients:
        return _("One sample per patient. The sample sheet gives no time points.")
    if has_times:
        return _(
            "Only samples before treatment, where the sample sheet gives a time point. The sample sheet "
            "names no patients, so each sample counts."
        )
    return _("Each sample counts: the sample sheet gives neither patients nor time points.")


def _headline(statuses: Counter[Status], words: Language) -> str:
    n_samples = statuses.total()
    if not n_samples:
        return words.gettext("No samples.")
    if statuses[Status.COHORT_RELATIVE] == n_samples:
        sentence = words.ngettext(
            "{n} sample, compared with this cohort itself.",
            "{n} samples, each compared with this cohort itself.",
            n_samples,
        )
        return sentence.format(n=format_count(n_samples, words))
    counts = ", ".join(counted_status(key, statuses[key], words) for key in Status if statuses[key])
    sentence = words.ngettext("{n} sample: {counts}.", "{n} samples: {counts}.", n_samples)
    return sentence.format(n=format_count(n_samples, words), counts=counts)


def _warnings_of_units(found: Counter[str], n_samples: int, words: Language) -> Iterator[str]:
    """Units that are probably wrong, with the number of samples where it is not all."""
    for warning, n in found.items():
        counted = words.gettext("{sentence} ({n} of {n_all} samples)")
        yield warning if n == n_samples else counted.format(sentence=warning, n=n, n_all=n_samples)


def counted_status(status: Status, n: int, words: Language) -> str:
    """Write a number of samples with their status, which agrees with the number in some languages."""
    one_and_many = {
        Status.REFERENCE_MATCHED: words.ngettext("{n} reference-matched", "{n} reference-matched", n),
        Status.COHORT_RELATIVE: words.ngettext("{n} cohort-relative", "{n} cohort-relative", n),
        Status.PROVISIONAL: words.ngettext("{n} provisional", "{n} provisional", n),
        Status.NOT_EVALUABLE: words.ngettext("{n} not evaluable", "{n} not evaluable", n),
    }
    return one_and_many[status].format(n=format_count(n, words))


def _summary_sentence(mechanisms: tuple[MechanismTally, ...], n_samples: int, words: Language) -> str:
    if not n_samples:
        return words.gettext("There is no profile to show.")
    not_found = (Call.BORDERLINE, Call.NOT_DETECTED)
    found = [
        (item.calls[Call.DETECTED], sum(item.calls[call] for call in not_found), item.title)
        for item in mechanisms
    ]
    leading = sorted((item for item in found if item[0]), key=lambda item: -item[0])[:N_LEADING]
    if not leading:
        return words.gettext("No mechanism was detected in any sample.")
    named = tuple(
        words.gettext("{title} ({n} of {n_evaluable})").format(
            title=title, n=format_count(n, words), n_evaluable=format_count(n + n_not, words)
        )
        for n, n_not, title in leading
    )
    return words.gettext("Detected most often, among the samples where evaluable: {names}.").format(
        names=enumerate_words(named, 0, words)
    )
