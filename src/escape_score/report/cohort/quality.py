"""Quality of a cohort: measures of its samples, their flags, and what made their profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from markupsafe import Markup

from escape_score.model.record import Call, EscapeProfile, NoteRecord
from escape_score.report.facts import Fact
from escape_score.report.messages import note_markup
from escape_score.report.text.i18n import Language, translate_record_text
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
    _flags: dict[str, list[NoteRecord]] = field(default_factory=dict)
    _made_by: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, profile: EscapeProfile, words: Language) -> None:
        """Count one profile."""
        for name, value in _measured(profile).items():
            if value is not None:
                self._values.setdefault(name, []).append(value)
        for flag in profile.flags:
            self._flags.setdefault(flag.code, []).append(flag)
        for fact in _origin(profile, words):
            self._made_by.setdefault(fact.label, Counter())[fact.value] += 1

    def rows(self, words: Language) -> Iterator[QualityRow]:
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

    def flags(self, words: Language) -> tuple[tuple[FlagSummary, ...], tuple[FlagSummary, ...]]:
        """Flags that change how the numbers may be read, and those that do not; each by name."""
        cautions = tuple(name for name in sorted(self._flags) if matters(self._flags[name][0]))
        others = tuple(name for name in sorted(self._flags) if name not in cautions)
        first, second = (
            tuple(_flag_summary(name, self._flags[name], words) for name in names)
            for names in (cautions, others)
        )
        return first, second

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


def _flag_summary(name: str, found: Sequence[NoteRecord], words: Language) -> FlagSummary:
    return FlagSummary(
        flag=name,
        sentence=note_markup(found[0], words),
        n_samples=len(found),
        is_same_everywhere=all(one == found[0] for one in found),
    )


def _distinct(values: Counter[str]) -> str:
    return ", ".join(values)
