"""What the page of a cohort shows; profiles are read once and only a row of text is kept of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from markupsafe import Markup

from escape_score.model.record import (
    Archetype,
    Call,
    EscapeProfile,
    FlagRecord,
    IndexProfile,
    Phenotype,
    Status,
)
from escape_score.report.facts import Fact
from escape_score.report.i18n import Words, record_markup, translate_record_text
from escape_score.report.numbers import format_index, format_interval, format_score
from escape_score.report.slug import checked_slug
from escape_score.report.verdict import detected_first
from escape_score.report.visible import visible_profile, visible_text
from escape_score.report.wording import (
    Badge,
    archetype_word,
    enumerate_words,
    matters,
    phenotype_word,
    status_badge,
)

N_LEADING = 3
"""Mechanisms that the sentence on top of the page names."""


@dataclass(frozen=True)
class SampleRow:
    """One sample in the table; ``page`` is the file name of its own page."""

    sample_id: str
    page: str
    index: str
    interval: str
    phenotype: str
    archetype: str
    status: Badge
    n_flags: int
    n_detected: int
    detected: str


@dataclass(frozen=True)
class MechanismSummary:
    """One mechanism over the cohort; ``median_score`` over the samples where it is evaluable."""

    title: str
    group: str
    n_detected: int
    n_not_detected: int
    n_not_evaluable: int
    median_score: str


@dataclass(frozen=True)
class FlagSummary:
    """One flag over the cohort, with the sentence of the first sample that has it."""

    flag: str
    sentence: Markup
    n_samples: int
    is_same_everywhere: bool


@dataclass(frozen=True)
class Tally:
    """A label and how many samples it holds for."""

    label: str
    n_samples: int


@dataclass(frozen=True)
class SkippedSample:
    """A sample without a profile, and why."""

    sample_id: str
    reason: str


@dataclass(frozen=True)
class CohortView:
    """Everything that the page of a cohort shows, as text."""

    title: str
    headline: str
    summary: str
    statuses: tuple[Tally, ...]
    phenotypes: tuple[Tally, ...]
    archetypes: tuple[Tally, ...]
    rows: tuple[SampleRow, ...]
    mechanisms: tuple[MechanismSummary, ...]
    flags: tuple[FlagSummary, ...]
    notes: tuple[FlagSummary, ...]
    skipped: tuple[SkippedSample, ...]
    provenance: tuple[Fact, ...]


def cohort_view(
    profiles: Iterable[EscapeProfile],
    words: Words,
    *,
    skipped: Sequence[tuple[str, str]] = (),
) -> CohortView:
    """Prepare the page of a cohort.

    Parameters
    ----------
    profiles
        Any iterable, read once; the rows keep its order.
    words
        Translations of the page.
    skipped
        Samples without a profile: pairs of sample id and reason.

    Returns
    -------
    CohortView
        Finished texts; every text from outside has its invisible characters escaped.

    Raises
    ------
    ResultInvalidError
        The slug of a profile cannot name a file.
    """
    collected = _Collected()
    for profile in profiles:
        collected.add(visible_profile(profile), checked_slug(profile), words)
    return collected.finished(words, skipped)


@dataclass
class _MechanismTally:
    """Calls and scores of one mechanism so far."""

    title: str
    group: str
    calls: Counter[Call] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    def summary(self, words: Words) -> MechanismSummary:
        """Close the tally."""
        return MechanismSummary(
            title=self.title,
            group=self.group,
            n_detected=self.calls[Call.DETECTED],
            n_not_detected=self.calls[Call.NOT_DETECTED],
            n_not_evaluable=self.calls[Call.NOT_EVALUABLE],
            median_score=format_score(median(self.scores) if self.scores else None, words),
        )


@dataclass
class _Collected:
    """Running totals over the profiles; lives only inside :func:`cohort_view`."""

    rows: list[SampleRow] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    phenotypes: Counter[Phenotype | None] = field(default_factory=Counter)
    archetypes: Counter[Archetype | None] = field(default_factory=Counter)
    mechanisms: dict[str, _MechanismTally] = field(default_factory=dict)
    flags: dict[str, Counter[str]] = field(default_factory=dict)
    cohorts: Counter[str] = field(default_factory=Counter)
    made_by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, slug: str, words: Words) -> None:
        """Count one profile and keep its row."""
        self.rows.append(_row(profile, slug, words))
        self.statuses[profile.status] += 1
        self.phenotypes[profile.phenotype] += 1
        self.archetypes[profile.archetype] += 1
        self.cohorts[profile.cohort] += 1
        self._add_mechanisms(profile, words)
        for flag in profile.flags:
            self.flags.setdefault(flag.flag, Counter())[flag.sentence] += 1
        for fact in _origin(profile, words):
            self.made_by.setdefault(fact.label, Counter())[fact.value] += 1

    def finished(self, words: Words, skipped: Sequence[tuple[str, str]]) -> CohortView:
        """Turn the totals into the view."""
        mechanisms = tuple(tally.summary(words) for tally in self.mechanisms.values())
        flags = tuple(_flag_summary(name, self.flags[name], words) for name in sorted(self.flags))
        return CohortView(
            title=", ".join(self.cohorts) or words.gettext("Cohort without samples"),
            headline=_headline(self.statuses, words),
            summary=_summary_sentence(mechanisms, len(self.rows), words),
            statuses=tuple(Tally(status_badge(key, words).word, self.statuses[key]) for key in Status),
            phenotypes=_tallies(
                [(phenotype_word(key, words), self.phenotypes[key]) for key in (*Phenotype, None)]
            ),
            archetypes=_tallies(
                [(archetype_word(key, words), self.archetypes[key]) for key in (*Archetype, None)]
            ),
            rows=tuple(self.rows),
            mechanisms=mechanisms,
            flags=tuple(flag for flag in flags if _matters(flag)),
            notes=tuple(flag for flag in flags if not _matters(flag)),
            skipped=tuple(SkippedSample(visible_text(who), visible_text(why)) for who, why in skipped),
            provenance=tuple(Fact(label, _distinct(values)) for label, values in self.made_by.items()),
        )

    def _add_mechanisms(self, profile: EscapeProfile, words: Words) -> None:
        for axis in profile.axes:
            tally = self.mechanisms.get(axis.axis)
            if tally is None:
                title, group = (translate_record_text(text, words) for text in (axis.title, axis.group))
                tally = self.mechanisms[axis.axis] = _MechanismTally(title, group)
            tally.calls[axis.call] += 1
            if axis.score is not None:
                tally.scores.append(axis.score)


def _row(profile: EscapeProfile, slug: str, words: Words) -> SampleRow:
    detected = tuple(translate_record_text(axis.title, words) for axis in detected_first(profile.axes))
    return SampleRow(
        sample_id=profile.sample_id,
        page=f"samples/{slug}.html",
        index=format_index(profile.index.score, words),
        interval=_index_interval(profile.index, words),
        phenotype=phenotype_word(profile.phenotype, words),
        archetype=archetype_word(profile.archetype, words),
        status=status_badge(profile.status, words),
        n_flags=len(profile.flags),
        n_detected=len(detected),
        detected=enumerate_words(detected, 0, words),
    )


def _index_interval(index: IndexProfile, words: Words) -> str:
    """Empty where there is no index, as the cell already says so."""
    return "" if index.score is None else format_interval(index.interval, words, decimals=0)


def _origin(profile: EscapeProfile, words: Words) -> tuple[Fact, ...]:
    _ = words.gettext
    return (
        Fact(_("Input unit"), profile.input.unit),
        Fact(_("Input, sha256"), profile.input.input_sha256),
        Fact(_("Reference"), profile.reference.name),
        Fact(_("Reference, sha256"), profile.provenance.reference_sha256),
        Fact(_("Gene sets, sha256"), profile.provenance.genesets_sha256),
        Fact(_("Version of escape_score"), profile.provenance.package_version),
        Fact(_("Version of the record"), profile.schema_version),
        Fact(_("Seed"), str(profile.provenance.seed)),
    )


def _flag_summary(name: str, sentences: Counter[str], words: Words) -> FlagSummary:
    return FlagSummary(
        flag=name,
        sentence=record_markup(next(iter(sentences)), words),
        n_samples=sentences.total(),
        is_same_everywhere=len(sentences) == 1,
    )


def _matters(flag: FlagSummary) -> bool:
    return matters(FlagRecord(flag=flag.flag, sentence=flag.sentence))


def _headline(statuses: Counter[Status], words: Words) -> str:
    n_samples = statuses.total()
    if not n_samples:
        return words.gettext("No samples.")
    counts = ", ".join(f"{statuses[key]} {status_badge(key, words).word}" for key in Status if statuses[key])
    sentence = words.ngettext("{n} sample: {counts}.", "{n} samples: {counts}.", n_samples)
    return sentence.format(n=n_samples, counts=counts)


def _summary_sentence(mechanisms: tuple[MechanismSummary, ...], n_samples: int, words: Words) -> str:
    if not n_samples:
        return words.gettext("There is no profile to show.")
    found = sorted((item for item in mechanisms if item.n_detected), key=lambda item: -item.n_detected)
    if not found:
        return words.gettext("No mechanism was detected in any sample.")
    named = tuple(
        words.gettext("{title} ({n} of {n_evaluable})").format(
            title=item.title, n=item.n_detected, n_evaluable=item.n_detected + item.n_not_detected
        )
        for item in found[:N_LEADING]
    )
    return words.gettext("Detected most often, among the samples where evaluable: {names}.").format(
        names=enumerate_words(named, 0, words)
    )


def _tallies(pairs: list[tuple[str, int]]) -> tuple[Tally, ...]:
    """Only what occurs, most frequent first."""
    found = sorted((pair for pair in pairs if pair[1]), key=lambda pair: -pair[1])
    return tuple(Tally(label, n_samples) for label, n_samples in found)


def _distinct(values: Counter[str]) -> str:
    return ", ".join(values)
