"""What to see beside the scores: the sheet's word against the program's, and what is withheld."""

from __future__ import annotations

import re
from collections.abc import Iterator

from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import AxisProfile, Call, ReferenceMatch

MMR_AXIS = "mmr_deficiency"
MSI_HIGH = frozenset({"msih", "msihigh", "msi", "high", "dmmr", "mmrd", "h", "unstable", "instable"})
MSS = frozenset({"mss", "msil", "msilow", "stable", "pmmr", "mmrp", "low", "l"})
"""Words of a sheet, letters alone; MSI-low is treated as stable in the clinic."""


def msi_notes(sample: SampleRecord, axes: tuple[AxisProfile, ...]) -> Iterator[Note]:
    """Hold the mismatch-repair proxy against the microsatellite status of the sheet.

    Parameters
    ----------
    sample
        Its ``msi``; nothing is said where it is empty or no known word.
    axes
        Mechanisms of the sample.
    """
    word, given = re.sub(r"[^a-z]", "", sample.msi.lower()), sample.msi
    call = next((axis.call for axis in axes if axis.axis == MMR_AXIS), Call.NOT_EVALUABLE)
    if word in MSI_HIGH:
        yield note(Code.MSI, "high", given=given)
    if word in MSI_HIGH and call is Call.NOT_DETECTED:
        yield note(Code.MSI, "high_not_seen", given=given)
    if word in MSS and call is Call.DETECTED:
        yield note(Code.MSI, "stable_but_seen", given=given)


def withheld_by(match: ReferenceMatch | None) -> tuple[Note, ...]:
    """What a match to the reference forbids."""
    if match is ReferenceMatch.GOOD:
        return ()
    provisional = (note(Code.WITHHELD, "levels"), note(Code.WITHHELD, "calls"))
    if match is ReferenceMatch.MODERATE:
        return provisional
    return (*provisional, note(Code.WITHHELD, "percentiles"))
