"""What the page of a cohort shows; profiles are read once and only a row of text is kept of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import TypeVar

from markupsafe import Markup

from escape_score.model.record import (
    Archetype,
    Call,
    EscapeProfile,
    FlagRecord,
    IndexProfile,
    Phenotype,
    Quantiles,
    ReferenceMatch,
    Status,
)
from escape_score.report.distribution import distribution
from escape_score.report.facts import Fact
from escape_score.report.heatmap import Column, Heatmap, column_of, heatmap_of
from escape_score.report.i18n import Words, record_markup, translate_record_text
from escape_score.report.numbers import (
    format_fraction,
    format_index,
    format_interval,
    format_log2,
    format_score,
)
from escape_score.report.slug import checked_slug
from escape_score.report.verdict import detected_first
from escape_score.report.visible import visible_profile, visible_text
from escape_score.report.wording import (
    Badge,
    archetype_word,
    enumerate_words,
    match_word,
    matters,
    phenotype_word,
    status_badge,
)

K = TypeVar("K", bound=StrEnum | None)

N_LEADING = 3
"""Mechanisms that the sentence on top of the page, and a row of the table, name."""


@dataclass(frozen=True)
class SampleRow:
    """One sample in the table.

    ``page`` is the file name of its own page, ``index_order`` what the column is sorted by, ``keys`` the
    classes and mechanisms that a filter can ask for.
    """

    sample_id: str
    page: str
    index: str
    index_order: str
    interval: str
    phenotype: str
    archetype: str
    status: Badge
    n_flags: int
    n_detected: int
    detected: str
    keys: str


@dataclass(frozen=True)
class MechanismSummary:
    """One mechanism over the cohort; ``median_score`` over the samples where it is evaluable."""

    key: str
    title: str
    group: str
    n_detected: int
    n_not_detected: int
    n_not_evaluable: int
    median_score: str
    drawing: Markup


@dataclass(frozen=True)
class FlagSummary:
    """One flag over the cohort, with the sentence of the first sample that has it."""

    flag: str
    sentence: Markup
    n_samples: int
    is_same_everywhere: bool


@dataclass(frozen=True)
class Tally:
    """A label, the filter's key for it, how many samples it holds for and their share in percent."""

    label: str
    key: str
    n_samples: int
    share: str


@dataclass(frozen=True)
class QualityRow:
    """A measure of quality over the samples that have it."""

    label: str
    lowest: str
    middle: str
    highest: str


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
    matches: tuple[Tally, ...]
    quality: tuple[QualityRow, ...]
    heatmap: Heatmap | None
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

    key: str
    title: str
    group: str
    quantiles: Quantiles
    calls: Counter[Call] = field(default_factory=Counter)
    scores: list[float] = field(default_factory=list)

    def summary(self, words: Words) -> MechanismSummary:
        """Close the tally."""
        middle = format_score(median(self.scores) if self.scores else None, words)
        return MechanismSummary(
            key=self.key,
            title=self.title,
            group=self.group,
            n_detected=self.calls[Call.DETECTED],
            n_not_detected=self.calls[Call.NOT_DETECTED],
            n_not_evaluable=self.calls[Call.NOT_EVALUABLE],
            median_score=middle,
            drawing=distribution(self.scores, self.quantiles, alternative=self._alternative(middle, words)),
        )

    def _alternative(self, middle: str, words: Words) -> str:
        if self.quantiles is None:
            return words.gettext("scores of the cohort, median {middle}").format(middle=middle)
        low, _, median_of_reference, _, high = (format_score(value, words) for value in self.quantiles)
        return words.gettext(
            "scores of the cohort, median {middle}; 90 % of the reference lie from {low} to {high}, "
            "median {reference}"
        ).format(middle=middle, low=low, high=high, reference=median_of_reference)


@dataclass
class _Collected:
    """Running totals over the profiles; lives only inside :func:`cohort_view`."""

    rows: list[SampleRow] = field(default_factory=list)
    statuses: Counter[Status] = field(default_factory=Counter)
    phenotypes: Counter[Phenotype | None] = field(default_factory=Counter)
    archetypes: Counter[Archetype | None] = field(default_factory=Counter)
    matches: Counter[ReferenceMatch | None] = field(default_factory=Counter)
    columns: list[Column] = field(default_factory=list)
    quality: dict[str, list[float]] = field(default_factory=dict)
    mechanisms: dict[str, _MechanismTally] = field(default_factory=dict)
    flags: dict[str, Counter[str]] = field(default_factory=dict)
    cohorts: Counter[str] = field(default_factory=Counter)
    made_by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, slug: str, words: Words) -> None:
        """Count one profile and keep its row."""
        self.columns.append(column_of(profile, len(self.rows)))
        self.statuses[profile.status] += 1
        self.phenotypes[profile.phenotype] += 1
        self.archetypes[profile.archetype] += 1
        self.cohorts[profile.cohort] += 1
        self.matches[profile.reference.match] += 1
        self._add_mechanisms(profile, words)
        self._add_quality(profile)
        self.rows.append(self._row(profile, slug, words))
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
            statuses=_tallies(self.statuses, lambda key: status_badge(key, words).word, "s"),
            phenotypes=_tallies(self.phenotypes, lambda key: phenotype_word(key, words), "p"),
            archetypes=_tallies(self.archetypes, lambda key: archetype_word(key, words), "a"),
            matches=_tallies(self.matches, lambda key: match_word(key, words), "r"),
            quality=tuple(self._quality_rows(words)),
            heatmap=heatmap_of(self.columns, [item.title for item in mechanisms], words),
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
                key = f"m{len(self.mechanisms)}"
                tally = _MechanismTally(key, title, group, axis.reference_quantiles)
                self.mechanisms[axis.axis] = tally
            tally.calls[axis.call] += 1
            if axis.score is not None:
                tally.scores.append(axis.score)

    def _add_quality(self, profile: EscapeProfile) -> None:
        measured = {
            "distance": profile.reference.distance,
            "anchors": profile.reference.n_anchors,
            "leukocytes": profile.leukocyte_fraction,
            "evaluable": sum(axis.call is not Call.NOT_EVALUABLE for axis in profile.axes),
        }
        for name, value in measured.items():
            if value is not None:
                self.quality.setdefault(name, []).append(value)

    def _quality_rows(self, words: Words) -> Iterator[QualityRow]:
        """Lowest, median and highest value of each measure."""
        _ = words.gettext
        shown: tuple[tuple[str, str, Callable[[float], str]], ...] = (
            ("distance", _("Distance from the reference"), lambda value: format_log2(value, words)),
            ("anchors", _("Anchor genes measured"), lambda value: words.fixed(value, 0)),
            ("leukocytes", _("Leukocyte fraction of the RNA"), lambda value: format_fraction(value, words)),
            ("evaluable", _("Mechanisms evaluable"), lambda value: words.fixed(value, 0)),
        )
        for name, label, write in shown:
            values = self.quality.get(name, [])
            if values:
                yield QualityRow(label, write(min(values)), write(median(values)), write(max(values)))

    def _row(self, profile: EscapeProfile, slug: str, words: Words) -> SampleRow:
        found = detected_first(profile.axes)
        titles = tuple(self.mechanisms[axis.axis].title for axis in found)
        keys = (
            _key("s", profile.status),
            _key("p", profile.phenotype),
            _key("a", profile.archetype),
            *(self.mechanisms[axis.axis].key for axis in found),
        )
        return SampleRow(
            sample_id=profile.sample_id,
            page=f"samples/{slug}.html",
            index=format_index(profile.index.score, words),
            index_order="" if profile.index.score is None else f"{profile.index.score:.3f}",
            interval=_index_interval(profile.index, words),
            phenotype=phenotype_word(profile.phenotype, words),
            archetype=archetype_word(profile.archetype, words),
            status=status_badge(profile.status, words),
            n_flags=sum(matters(flag) for flag in profile.flags),
            n_detected=len(found),
            detected=enumerate_words(titles[:N_LEADING], max(0, len(titles) - N_LEADING), words),
            keys=" ".join(keys),
        )


def _key(kind: str, value: StrEnum | None) -> str:
    """What a filter calls a class: a word of our own, never text from outside."""
    return f"{kind}-{value.value}" if value is not None else f"{kind}-none"


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


def _tallies(counts: Counter[K], word_of: Callable[[K], str], kind: str) -> tuple[Tally, ...]:
    """Only what occurs, most frequent first."""
    n_samples = counts.total()
    return tuple(
        Tally(word_of(value), _key(kind, value), n, f"{100 * n / n_samples:.1f}")
        for value, n in counts.most_common()
    )


def _distinct(values: Counter[str]) -> str:
    return ", ".join(values)
