"""Language for the enumerations and flags of a record. Every text here can be translated."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from markupsafe import Markup, escape

from escape_score.model.record import (
    Archetype,
    Call,
    EscapeProfile,
    EvidenceLevel,
    InputRecord,
    NoteRecord,
    Phenotype,
    ReferenceMatch,
    Status,
)
from escape_score.report.messages import N_
from escape_score.report.text.i18n import Language
from escape_score.report.text.terms import TERMS, term_markup

# desert, excluded and inflamed are the same word as phenotype and as archetype
_WORDS: dict[StrEnum, str] = {
    Call.DETECTED: N_("detected"),
    Call.BORDERLINE: N_("borderline"),
    Call.NOT_DETECTED: N_("not detected"),
    Call.NOT_EVALUABLE: N_("not evaluable"),
    Status.REFERENCE_MATCHED: N_("reference-matched"),
    Status.COHORT_RELATIVE: N_("cohort-relative"),
    Status.PROVISIONAL: N_("provisional"),
    Status.NOT_EVALUABLE: N_("not evaluable"),
    Phenotype.DESERT: N_("desert"),
    Phenotype.EXCLUDED: N_("excluded"),
    Phenotype.INFLAMED: N_("inflamed"),
    Archetype.ANTIGEN_PRESENTATION_DEFICIENT: N_("antigen-presentation-deficient"),
    Archetype.SUPPRESSIVE: N_("suppressive"),
    Archetype.EXHAUSTED: N_("exhausted"),
    ReferenceMatch.GOOD: N_("good match"),
    ReferenceMatch.MODERATE: N_("moderate match"),
    ReferenceMatch.POOR: N_("poor match"),
    EvidenceLevel.RANDOMISED_POSITIVE: N_("randomised trial, positive"),
    EvidenceLevel.RANDOMISED_NEGATIVE: N_("randomised trial, negative"),
    EvidenceLevel.SINGLE_ARM: N_("trial without a control"),
    EvidenceLevel.PATIENT_COHORT: N_("observation in patients"),
    EvidenceLevel.LABORATORY: N_("laboratory or animals"),
}
_SYMBOLS: dict[StrEnum, tuple[str, str]] = {
    Call.DETECTED: ("▲", "found"),
    Call.BORDERLINE: ("△", "maybe"),
    Call.NOT_DETECTED: ("○", "clear"),
    Call.NOT_EVALUABLE: ("✕", "unknown"),
    Status.REFERENCE_MATCHED: ("✓", "good"),
    Status.COHORT_RELATIVE: ("◎", "good"),
    Status.PROVISIONAL: ("◐", "caution"),
    Status.NOT_EVALUABLE: ("✕", "unknown"),
}


_UNITS = {
    "counts": N_("counts"),
    "estimated_counts": N_("estimated counts"),
    "normalised_counts": N_("normalised counts"),
    "umi": N_("counts of molecules (UMI)"),
    "tpm": N_("TPM"),
    "fpkm": N_("FPKM"),
    "cpm": N_("CPM"),
    "tcga_rsem": N_("RSEM (TCGA)"),
    "array": N_("microarray"),
    "nanostring": N_("NanoString"),
}
_LOGARITHM = ("log", "ln")
_WRONG_UNIT = ("umi", "no_length_bias", "length_bias", "low", "sums")
"""Kinds of the flag of a suspect unit that concern the unit itself, not single values or the platform."""


class Badge(NamedTuple):
    """A state as word and symbol, so that colour, named by a class of CSS, never carries it alone.

    ``term`` is its name in the glossary, empty where the word is plain.
    """

    word: str
    symbol: str
    css_class: str
    term: str = ""


def badge(state: Call | Status | None, words: Language) -> Badge:
    """Word, symbol and colour of a call or a status; of no call, that the axis only describes the tumour."""
    if state is None:
        return Badge(words.gettext("descriptive only"), "·", "context")
    term = state.value if isinstance(state, Status) and state.value in TERMS else ""
    return Badge(word_of(state, words), *_SYMBOLS[state], term)


def badge_markup(shown: Badge, words: Language, *, is_printed: bool = False) -> Markup:
    """Write a badge; its term opens its explanation, except on paper."""
    said = term_markup(shown.term, words) if shown.term and not is_printed else escape(shown.word)
    symbol = f'<span aria-hidden="true">{escape(shown.symbol)}</span>'
    return Markup(f'<span class="badge {escape(shown.css_class)}">{symbol} {said}</span>')


def word_of(value: StrEnum | None, words: Language) -> str:
    """Name of a class of a record; of none, that it is not evaluable."""
    return words.gettext("not evaluable") if value is None else words.gettext(_WORDS[value])


def unit_word(unit: str, words: Language) -> str:
    """Name of a unit for a reader who declares none; the unit as it is declared is in the details."""
    if unit.startswith(_LOGARITHM):
        return words.gettext("logarithms")
    return words.gettext(_UNITS.get(unit, unit))


def match_word(match: ReferenceMatch | None, words: Language) -> str:
    """Name of how near a sample lies to its reference."""
    return words.gettext("match not known") if match is None else word_of(match, words)


def yes_or_no(value: bool, words: Language) -> str:
    """Write a truth value in words."""
    return words.gettext("yes") if value else words.gettext("no")


def unit_origin(source: InputRecord, words: Language) -> str:
    """Where the unit of an input comes from: declared, stated by the file or inferred."""
    if source.unit_is_declared:
        return words.gettext("declared")
    is_stated = source.unit_evidence.params.get("kind") == "layout"
    return words.gettext("stated by the file") if is_stated else words.gettext("inferred from the numbers")


def is_wrong_unit(flag: NoteRecord) -> bool:
    """Whether a flag reports that the values do not fit their unit."""
    return flag.code == "units_suspect" and flag.params.get("kind") in _WRONG_UNIT


def unit_warning(profile: EscapeProfile, words: Language) -> str:
    """Sentence of a unit that is probably wrong; empty where no flag reports it."""
    if not any(map(is_wrong_unit, profile.flags)):
        return ""
    return words.gettext(
        "The unit of the input is probably wrong ({origin}: {unit}). Levels and calls may be wrong."
    ).format(origin=unit_origin(profile.input, words), unit=unit_word(profile.input.unit, words))


def matters(note: NoteRecord) -> bool:
    """Whether a note changes how the numbers may be read, so that it belongs on the first screen."""
    return note.severity != "note"


def enumerate_words(items: tuple[str, ...], n_more: int, words: Language) -> str:
    """Join items in a sentence, such as ``A; B; and 4 more``: titles of mechanisms may hold commas."""
    rest = (words.ngettext("and {n} more", "and {n} more", n_more).format(n=n_more),) if n_more else ()
    return words.gettext("; ").join(items + rest)
