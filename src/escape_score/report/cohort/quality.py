"""Quality of a cohort: measures of its samples, their flags, and what made their profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from markupsafe import Markup

from escape_score.model.record import Call, EscapeProfile, FlagRecord
from escape_score.report.facts import Fact
from escape_score.report.text.i18n import Words, record_markup
from escape_score.report.text.numbers import format_fraction, format_log2
from escape_score.report.text.wording import matters


@dataclass(frozen=True)
class FlagSummary:
    """One flag over the cohort, with the sentence of the first sample that has it."""

    flag: str
    sentence: Markup
    n_samples: int
    is_same_everywhere: bool


@dataclass(frozen=True)
class QualityRow:
    """A measure of quality over the samples that have it."""

    label: str
    lowest: str
    middle: str
    highest: str


@dataclass
class QualityTally:
    """Measures of quality, flags and origins of the samples so far."""

    _values: dict[str, list[float]] = field(default_factory=dict)
    _flags: dict[str, Counter[str]] = field(default_factory=dict)
    _made_by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, words: Words) -> None:
        """Count one profile."""
        for name, value in _measured(profile).items():
            if value is not None:
                self._values.setdefault(name, []).append(value)
        for flag in profile.flags:
            self._flags.setdefault(flag.flag, Counter())[flag.sentence] += 1
        for fact in _origin(profile, words):
            self._made_by.setdefault(fact.label, Counter())[fact.value] += 1

    def rows(self, words: Words) -> Iterator[QualityRow]:
        """Lowest, median and highest value of each measure."""
        _ = words.gettext
        shown: tuple[tuple[str, str, Callable[[float], str]], ...] = (
            ("distance", _("Distance from the reference"), lambda value: format_log2(value, words)),
            ("anchors", _("Anchor genes measured"), lambda value: words.fixed(value, 0)),
            ("leukocytes", _("Leukocyte fraction of the RNA"), lambda value: format_fraction(value, words)),
            ("evaluable", _("Mechanisms evaluable"), lambda value: words.fixed(value, 0)),
        )
        for name, label, write in shown:
            values = self._values.get(name, [])
            if values:
                yield QualityRow(label, write(min(values)), write(median(values)), write(max(values)))

    def flags(self, words: Words) -> tuple[tuple[FlagSummary, ...], tuple[FlagSummary, ...]]:
        """Flags that change how the numbers may be read, and those that do not; each by name."""
        flags = [_flag_summary(name, self._flags[name], words) for name in sorted(self._flags)]
        return tuple(flag for flag in flags if _matters(flag)), tuple(
            flag for flag in flags if not _matters(flag)
        )

    def provenance(self) -> tuple[Fact, ...]:
        """What made the profiles; several values where they differ."""
        return tuple(Fact(label, _distinct(values)) for label, values in self._made_by.items())


def _measured(profile: EscapeProfile) -> dict[str, float | None]:
    """What is known of the quality of one sample."""
    return {
        "distance": profile.reference.distance,
        "anchors": profile.reference.n_anchors,
        "leukocytes": profile.leukocyte_fraction,
        "evaluable": sum(axis.call is not Call.NOT_EVALUABLE for axis in profile.axes),
    }


def _origin(profile: EscapeProfile, words: Words) -> tuple[Fact, ...]:
    _ = words.gettext
    return (
        Fact(_("Input unit"), profile.input.unit),
        Fact(_("Input, sha256"), profile.input.sha256),
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


def _distinct(values: Counter[str]) -> str:
    return ", ".join(values)
