"""One sample a patient, taken before treatment: patients are independent, their samples are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from escape_score.library.files import resource_path, table_rows
from escape_score.model.notes import Code, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import LeftOut
from escape_score.statistics.columns import CohortColumns

_NUMBERED = re.compile(r"(d|day|w|wk|week|m|month) ?(\d+)")
_FIRST_DOSE = {"d": 1, "day": 1}
"""Last number of each unit that is not later than the first dose; 0 for weeks and months."""


class Timepoint(StrEnum):
    """When a sample was taken, as far as its sheet says."""

    BASELINE = "baseline"
    LATER = "later"
    NOT_STATED = "not stated"
    UNKNOWN_WORD = "unknown word"


@dataclass(frozen=True)
class CountedSamples:
    """Positions of the samples that count, one a patient, and what was left out."""

    baseline: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    n_without_patient: int


@dataclass(frozen=True)
class TimepointPairs:
    """Positions of each patient's sample before treatment and of the first later one."""

    before: tuple[int, ...]
    later: tuple[int, ...]


def timepoint_of(word: str) -> Timepoint:
    """Translate a sheet's word for a timepoint; case and punctuation do not count."""
    plain = " ".join(re.findall(r"[a-z]+|[0-9]+", word.lower()))
    if not plain:
        return Timepoint.NOT_STATED if not word.strip() else Timepoint.UNKNOWN_WORD
    known = _words().get(plain)
    if known is not None:
        return known
    if re.search(r"[a-z]\s*[-−]\s*\d+\s*$", word.lower()):
        return Timepoint.BASELINE if _NUMBERED.fullmatch(plain) else Timepoint.UNKNOWN_WORD
    numbered = _NUMBERED.fullmatch(plain)
    if numbered is None:
        return Timepoint.UNKNOWN_WORD
    is_baseline = int(numbered[2]) <= _FIRST_DOSE.get(numbered[1], 0)
    return Timepoint.BASELINE if is_baseline else Timepoint.LATER


def counted_samples(columns: CohortColumns) -> CountedSamples:
    """Choose one sample a patient: the first said to be before treatment, else the first without a timepoint.

    Samples without ``patient_id`` count as patients of their own.
    """
    timepoints = [timepoint_of(word) for word in columns.texts("timepoint")]
    chosen: dict[str, int] = {}
    reasons: Counter[str] = Counter()
    for is_stated in (True, False):
        wanted = Timepoint.BASELINE if is_stated else Timepoint.NOT_STATED
        for at, (patient, timepoint) in enumerate(zip(_patients(columns), timepoints, strict=True)):
            if timepoint is wanted and chosen.setdefault(patient, at) != at:
                reasons["repeated"] += 1
    reasons["treated"] = timepoints.count(Timepoint.LATER)
    reasons["unknown_timepoint"] = timepoints.count(Timepoint.UNKNOWN_WORD)
    return CountedSamples(
        baseline=tuple(sorted(chosen.values())),
        left_out=left_out(reasons),
        n_without_patient=columns.texts("patient_id").count(""),
    )


def timepoint_pairs(columns: CohortColumns, baseline: Sequence[int]) -> TimepointPairs:
    """Pair the sample that counts of each patient with that patient's first later one."""
    patients, named = _patients(columns), columns.texts("patient_id")
    first_later: dict[str, int] = {}
    for at, word in enumerate(columns.texts("timepoint")):
        if named[at] and timepoint_of(word) is Timepoint.LATER:
            first_later.setdefault(patients[at], at)
    before = tuple(at for at in baseline if patients[at] in first_later)
    return TimepointPairs(before, tuple(first_later[patients[at]] for at in before))


def left_out(reasons: Mapping[str, int]) -> tuple[LeftOut, ...]:
    """Reasons that hold for any sample, by their kind; further values of a reason follow a colon."""
    return tuple(LeftOut(reason=_reason(kind), n_samples=n) for kind, n in reasons.items() if n)


def _reason(kind: str) -> NoteRecord:
    kind, _, value = kind.partition(":")
    return NoteRecord.of(note(Code.LEFT_OUT, kind, **({"value": value} if value else {})))


def _patients(columns: CohortColumns) -> list[str]:
    """A key for each sample's patient; no patient is named like a sample without one."""
    return [
        f"patient {name}" if name else f"sample {at}" for at, name in enumerate(columns.texts("patient_id"))
    ]


@cache
def _words() -> Mapping[str, Timepoint]:
    rows = table_rows(resource_path("timepoint_words.tsv"))
    return MappingProxyType({row["word"]: Timepoint(row["timepoint"]) for row in rows})
