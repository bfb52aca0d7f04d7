"""What the sample sheet adds to a record: other samples of the patient, and the microsatellite status."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import Interval

_BEFORE, _DURING, _AFTER = range(3)
TIME_WORDS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(("baseline", "pre", "before", "screening", "diagnosis", "primary", "untreated"), _BEFORE)
    | dict.fromkeys(("on", "during", "ontreatment"), _DURING)
    | dict.fromkeys(("post", "after", "progression", "relapse", "recurrence", "posttreatment"), _AFTER)
)
"""First word of a timepoint to its place in time."""

MSI_HIGH = frozenset({"msih", "msihigh", "msi", "high", "dmmr", "mmrd", "h", "unstable", "instable"})
MSS = frozenset({"mss", "msil", "msilow", "stable", "pmmr", "mmrp", "low", "l"})
"""Words of a sheet, letters alone; MSI-low is treated as stable in the clinic."""

NUMBERED = re.compile(r"([a-z_ .-]*?)\s*([-+]?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Pairing:
    """Who is compared with whom in a cohort.

    Attributes
    ----------
    earlier
        Row to the rows of the patient's earlier samples it is compared with: the first, and the one before.
    notes
        Row to the reason why it is not compared although the patient has other samples.
    """

    earlier: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    notes: Mapping[int, Note] = field(default_factory=dict)


def pair_samples(samples: Sequence[SampleRecord]) -> Pairing:
    """Order the samples of every patient in time.

    They come from one cohort, so from one pipeline; only those with a patient and a timepoint can be paired.
    Timepoints are ordered as numbers where all of a patient are numbers behind the same word (0, 6; week 2,
    week 6; T1, T2), else by known words (baseline, pre < on < post, progression). Where neither holds, or two
    samples have the same time, none of the patient is paired.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(samples):
        if sample.patient_id:
            rows_of[sample.patient_id].append(row)
    earlier: dict[int, tuple[int, ...]] = {}
    notes: dict[int, Note] = {}
    for rows in (rows for rows in rows_of.values() if len(rows) > 1):
        times = [samples[row].timepoint for row in rows]
        order = time_order(times)
        reason = _reason_against(times, order)
        if reason is not None:
            notes |= dict.fromkeys(rows, reason)
            continue
        ordered = [row for _, row in sorted(zip(order or (), rows, strict=True))]
        for before, row in pairwise(ordered):
            earlier[row] = tuple(dict.fromkeys((ordered[0], before)))
    return Pairing(earlier, notes)


def time_order(timepoints: Sequence[str]) -> tuple[float, ...] | None:
    """Places in time of some timepoints, smaller = earlier; None where they cannot be ordered."""
    numbered = [NUMBERED.fullmatch(text.strip().lower()) for text in timepoints]
    if all(numbered) and len({match[1].strip() for match in numbered if match}) == 1:
        return tuple(float(match[2]) for match in numbered if match)
    words = [re.sub(r"[^a-z ]", " ", text.lower()).split() for text in timepoints]
    places = [TIME_WORDS.get(word[0]) if word else None for word in words]
    known = [float(place) for place in places if place is not None]
    return tuple(known) if len(known) == len(places) else None


def _reason_against(times: Sequence[str], order: Sequence[float] | None) -> Note | None:
    """Why samples of a patient cannot be paired; None where they can."""
    if not all(times):
        return note(Code.UNPAIRED, "missing")
    if order is None:
        return note(Code.UNPAIRED, "no_order", names=times)
    if max(Counter(order).values()) > 1:
        return note(Code.UNPAIRED, "same_time", names=times)
    return None


def change_interval(
    earlier: float, earlier_interval: Interval | None, later: float, later_interval: Interval | None
) -> Interval | None:
    """Interval of ``later - earlier``, at the level of both intervals; None where either is missing.

    Errors of both samples are taken as independent, and the distances to the ends of both intervals are added
    as squares, which recovers the variance of the difference also on a bounded scale such as the index
    (MOVER, Zou and Donner 2008, doi:10.1002/sim.3095). Samples that lack the same genes share a part of their
    error, so the interval is rather too wide. It holds measurement, not the variation between two places of a
    tumour.
    """
    if earlier_interval is None or later_interval is None:
        return None
    down = math.hypot(later - later_interval.low, earlier_interval.high - earlier)
    up = math.hypot(later_interval.high - later, earlier - earlier_interval.low)
    return Interval(low=later - earlier - down, high=later - earlier + up)


def msi_notes(sample: SampleRecord, suspected: str) -> Iterator[Note]:
    """Hold the mismatch-repair proxy against the microsatellite status of the sheet.

    Nothing is said where its ``msi`` is empty or no known word. ``suspected``: yes, no, or empty text.
    """
    word, given = re.sub(r"[^a-z]", "", sample.msi.lower()), sample.msi
    if word in MSI_HIGH:
        yield note(Code.MSI, "high", given=given)
    if word in MSI_HIGH and suspected == "no":
        yield note(Code.MSI, "high_not_seen", given=given)
    if word in MSS and suspected == "yes":
        yield note(Code.MSI, "stable_but_seen", given=given)
