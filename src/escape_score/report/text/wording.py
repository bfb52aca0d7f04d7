"""Language for the enumerations and flags of a record. Every text here can be translated."""

from __future__ import annotations

from dataclasses import dataclass

from escape_score.model.record import (
    Archetype,
    Call,
    EvidenceLevel,
    NoteRecord,
    Phenotype,
    ReferenceMatch,
    Status,
)
from escape_score.report.text.i18n import Language


@dataclass(frozen=True)
class Badge:
    """A state as word and symbol, so that colour alone never carries it.

    Parameters
    ----------
    word
        The state in words.
    symbol
        One character that repeats it.
    css_class
        Name of its colour.
    """

    word: str
    symbol: str
    css_class: str


def call_badge(call: Call, words: Language) -> Badge:
    """Word and symbol of a call."""
    _ = words.gettext
    return {
        Call.DETECTED: Badge(_("detected"), "▲", "found"),
        Call.NOT_DETECTED: Badge(_("not detected"), "○", "clear"),
        Call.NOT_EVALUABLE: Badge(_("not evaluable"), "✕", "unknown"),
    }[call]


def status_badge(status: Status, words: Language) -> Badge:
    """Word and symbol of a status."""
    _ = words.gettext
    return {
        Status.REFERENCE_MATCHED: Badge(_("reference-matched"), "✓", "good"),
        Status.PROVISIONAL: Badge(_("provisional"), "◐", "caution"),
        Status.NOT_EVALUABLE: Badge(_("not evaluable"), "✕", "unknown"),
    }[status]


def phenotype_word(phenotype: Phenotype | None, words: Language) -> str:
    """Name of a phenotype, or that there is none."""
    _ = words.gettext
    if phenotype is None:
        return _("not evaluable")
    return {
        Phenotype.DESERT: _("desert"),
        Phenotype.EXCLUDED: _("excluded"),
        Phenotype.INFLAMED: _("inflamed"),
    }[phenotype]


def archetype_word(archetype: Archetype | None, words: Language) -> str:
    """Name of an archetype, or that there is none."""
    _ = words.gettext
    if archetype is None:
        return _("not evaluable")
    return {
        Archetype.ANTIGEN_PRESENTATION_DEFICIENT: _("antigen-presentation-deficient"),
        Archetype.DESERT: _("desert"),
        Archetype.EXCLUDED: _("excluded"),
        Archetype.SUPPRESSIVE: _("suppressive"),
        Archetype.EXHAUSTED: _("exhausted"),
        Archetype.INFLAMED_RESPONSIVE: _("inflamed-responsive"),
    }[archetype]


def match_word(match: ReferenceMatch | None, words: Language) -> str:
    """Name of how near a sample lies to its reference."""
    _ = words.gettext
    if match is None:
        return _("match not known")
    return {
        ReferenceMatch.GOOD: _("good match"),
        ReferenceMatch.MODERATE: _("moderate match"),
        ReferenceMatch.POOR: _("poor match"),
    }[match]


def level_word(level: EvidenceLevel, words: Language) -> str:
    """Name of what kind of study ties an approach to a mechanism."""
    _ = words.gettext
    return {
        EvidenceLevel.RANDOMISED_POSITIVE: _("randomised trial, positive"),
        EvidenceLevel.RANDOMISED_NEGATIVE: _("randomised trial, negative"),
        EvidenceLevel.SINGLE_ARM: _("trial without a control"),
        EvidenceLevel.PATIENT_COHORT: _("observation in patients"),
        EvidenceLevel.LABORATORY: _("laboratory or animals"),
    }[level]


def yes_or_no(value: bool, words: Language) -> str:
    """Write a truth value in words."""
    _ = words.gettext
    return _("yes") if value else _("no")


def matters(note: NoteRecord) -> bool:
    """Whether a note changes how the numbers may be read, so that it belongs on the first screen."""
    return note.severity != "note"


def enumerate_words(items: tuple[str, ...], n_more: int, words: Language) -> str:
    """Join items in a sentence; by semicolons, as titles of mechanisms may hold commas.

    Such as ``A; B`` or ``A; B; and 4 more``.
    """
    rest = (words.ngettext("and {n} more", "and {n} more", n_more).format(n=n_more),) if n_more else ()
    return words.gettext("; ").join(items + rest)
