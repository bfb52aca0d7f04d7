"""Quality of a cohort: measures of its samples, their flags, and what made their profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

from markupsafe import Markup

from escape_score.model.record import EscapeProfile, NoteRecord
from escape_score.report.facts import Fact
from escape_score.report.messages import N_, note_markup
from escape_score.report.text.i18n import Language, translate_record_text
from escape_score.report.text.numbers import format_fraction, format_index, format_log2
from escape_score.report.text.wording import matters


@dataclass(frozen=True)
class FlagSummary:
    """One flag over the cohort, with the sentence of the first sample that has it."""

    flag: str
    sentence: Markup
    n_samples: int
    is_same_everywhere: bool


@dataclass
class FlagTally:
    """One flag so far: its first note, how many samples have it, and whether all say the same."""

    first: NoteRecord
    n_samples: int = 0
    is_same: bool = True

    def add(self, flag: NoteRecord) -> None:
        """Count the flag of one sample; no note but the first is kept, as a cohort can be large."""
        self.n_samples += 1
        self.is_same = self.is_same and flag == self.first


_MEASURES: tuple[
    tuple[str, Callable[[EscapeProfile], float | None], Callable[[float, Language], str]], ...
] = (
    (N_("Distance from the reference"), lambda profile: profile.reference.distance, format_log2),
    (N_("Anchor genes measured"), lambda profile: profile.reference.n_anchors, format_index),
    (N_("Leukocyte fraction of the RNA"), lambda profile: profile.leukocyte_fraction, format_fraction),
    (
        N_("Mechanisms evaluable"),
        lambda profile: sum(axis.is_evaluable for axis in profile.axes),
        format_index,
    ),
)
"""What is known of the quality of a sample: its name, its value, and how the value is written."""


@dataclass
class QualityTally:
    """Measures of quality, flags and origins of the samples so far."""

    _values: dict[str, list[float]] = field(default_factory=dict)
    _flags: dict[str, FlagTally] = field(default_factory=dict)
    _made_by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, words: Language) -> None:
        """Count one profile."""
        for name, get, _ in _MEASURES:
            if (value := get(profile)) is not None:
                self._values.setdefault(name, []).append(value)
        for flag in profile.flags:
            self._flags.setdefault(flag.code, FlagTally(flag)).add(flag)
        for fact in _origin(profile, words):
            self._made_by.setdefault(fact.label, Counter())[fact.value] += 1

    def rows(self, words: Language) -> Iterator[tuple[str, str, str, str]]:
        """Name, lowest, median and highest value of each measure, over the samples that have it."""
        for name, _, write in _MEASURES:
            if values := self._values.get(name):
                low, middle, high = (write(of(values), words) for of in (min, median, max))
                yield words.gettext(name), low, middle, high

    def flags(self, words: Language) -> tuple[tuple[FlagSummary, ...], tuple[FlagSummary, ...]]:
        """Flags that change how the numbers may be read, and those that do not; each by name."""
        found = [_flag_summary(name, self._flags[name], words) for name in sorted(self._flags)]
        cautions = {name for name, tally in self._flags.items() if matters(tally.first)}
        return (
            tuple(flag for flag in found if flag.flag in cautions),
            tuple(flag for flag in found if flag.flag not in cautions),
        )

    def provenance(self) -> tuple[Fact, ...]:
        """What made the profiles; several values where they differ."""
        return tuple(Fact(label, ", ".join(values)) for label, values in self._made_by.items())


def _origin(profile: EscapeProfile, words: Language) -> tuple[Fact, ...]:
    _ = words.gettext
    return (
        Fact(_("Input unit"), translate_record_text(profile.input.unit, words)),
        Fact(_("Input, sha256"), profile.input.sha256),
        Fact(_("Reference"), profile.reference.name),
        Fact(_("Reference, sha256"), profile.provenance.reference_sha256),
        Fact(_("Gene sets, sha256"), profile.provenance.genesets_sha256),
        Fact(_("Version of escape_score"), profile.provenance.package_version),
        Fact(_("Version of the record"), profile.schema_version),
        Fact(_("Seed"), str(profile.provenance.seed)),
    )


def _flag_summary(name: str, tally: FlagTally, words: Language) -> FlagSummary:
    return FlagSummary(
        flag=name,
        sentence=note_markup(tally.first, words),
        n_samples=tally.n_samples,
        is_same_everywhere=tally.is_same,
    )
