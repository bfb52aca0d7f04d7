"""Cautions of a sample's page: each said once, the most severe first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from escape_score.model.record import AxisProfile, NoteRecord
from escape_score.report.messages import is_in_language, note_markup, shared_sentence
from escape_score.report.text.i18n import SOURCE_LANGUAGE, Language, translate_record_text
from escape_score.report.text.wording import matters

_SEVERITIES = ("error", "caution", "note")
_EXPECTED = (("units_suspect", "not_whole"),)
"""Cautions that are usual for many inputs. They are shown with the processing of the input."""


@dataclass(frozen=True)
class Caution:
    """One caution; ``code`` is empty where it is not a flag."""

    text: Markup
    code: str


@dataclass(frozen=True)
class Reason:
    """Why mechanisms were not evaluable: one reason, and all mechanisms that it concerns.

    ``mechanisms``: anchor and title of each.
    """

    text: Markup
    mechanisms: tuple[tuple[str, str], ...]


def is_caution(flag: NoteRecord) -> bool:
    """Whether a flag belongs to the cautions of a page."""
    return matters(flag) and (flag.code, flag.params.get("kind")) not in _EXPECTED


def cautions_of(
    flags: Iterable[NoteRecord], remarks: Iterable[NoteRecord], words: Language
) -> tuple[Caution, ...]:
    """Flags and remarks in one list. Notes of one code and kind are one line, as are equal sentences."""
    groups: dict[tuple[str, object], list[NoteRecord]] = {}
    is_flag: dict[tuple[str, object], bool] = {}
    for note, is_one in (*((flag, True) for flag in flags), *((remark, False) for remark in remarks)):
        key = note.code, note.params.get("kind")
        groups.setdefault(key, []).append(note)
        is_flag[key] = is_one
    ordered = sorted(groups.items(), key=lambda pair: _SEVERITIES.index(pair[1][0].severity.value))
    return tuple(Caution(_shared(notes, words), key[0] if is_flag[key] else "") for key, notes in ordered)


def _shared(notes: Sequence[NoteRecord], words: Language) -> Markup:
    if len(notes) == 1:
        return note_markup(notes[0], words)
    text = shared_sentence(notes, words)
    if is_in_language(notes[0], words):
        return Markup.escape(text)
    return Markup('<span lang="{}">{}</span>').format(SOURCE_LANGUAGE, text)


def reasons_of(axes: Iterable[tuple[str, AxisProfile]], words: Language) -> tuple[Reason, ...]:
    """Reasons of the calls of some mechanisms, each once; ``axes`` are pairs of anchor and mechanism."""
    found: dict[Markup, list[tuple[str, str]]] = {}
    for anchor, axis in axes:
        named = (anchor, translate_record_text(axis.title, words))
        found.setdefault(note_markup(axis.call_reason, words), []).append(named)
    return tuple(Reason(text, tuple(named)) for text, named in found.items())
