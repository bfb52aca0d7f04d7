"""What to see beside the scores: the sheet's word against the program's, and what is withheld."""

from __future__ import annotations

import re
from collections.abc import Iterator

from escape_score.model.cohort import SampleRecord
from escape_score.model.record import AxisProfile, Call, ReferenceMatch

MMR_AXIS = "mmr_deficiency"
MSI_HIGH = frozenset({"msih", "msihigh", "msi", "high", "dmmr", "mmrd", "h", "unstable", "instable"})
MSS = frozenset({"mss", "msil", "msilow", "stable", "pmmr", "mmrp", "low", "l"})
"""Words of a sheet, letters alone; MSI-low is treated as stable in the clinic."""


def msi_notes(sample: SampleRecord, axes: tuple[AxisProfile, ...]) -> Iterator[str]:
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
        yield (
            f"Microsatellite status of the sheet: {given}. Tumours of this kind have an approved "
            "immunotherapy; read this before the index, which does not know it."
        )
    if word in MSI_HIGH and call is Call.NOT_DETECTED:
        yield (
            f"The sheet says {given}, but MLH1 is not silenced in RNA. The assay counts: the proxy misses "
            "MSH2, MSH6 and PMS2 loss and germline Lynch syndrome."
        )
    if word in MSS and call is Call.DETECTED:
        yield (
            f"The sheet says {given}, but MLH1 and EPM2AIP1 are silenced in RNA as in mismatch-repair "
            "deficient tumours. Check that sheet and sample belong together, and the assay."
        )


def withheld_by(match: ReferenceMatch | None) -> tuple[str, ...]:
    """What a match to the reference forbids, one sentence each."""
    if match is ReferenceMatch.GOOD:
        return ()
    provisional = (
        "Levels are provisional; compare samples inside the cohort.",
        "Weakest links are not called, other mechanisms only where the absolute interval decides.",
    )
    if match is ReferenceMatch.MODERATE:
        return provisional
    return (*provisional, "Percentiles and archetype are not given.")
