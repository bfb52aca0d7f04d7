"""Phenotype, archetype, match and status: rules fixed beforehand, with ``thresholds.tsv``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.profiles import TextArray
from escape_score.model.record import Archetype, Call, Phenotype, ReferenceMatch, Status
from escape_score.model.thresholds import MatchLimits, PhenotypeLimits


def _choose(n: int, rules: list[tuple[npt.NDArray[np.bool_], str]]) -> TextArray:
    """Apply rules in order; a later one overrides."""
    out = np.full(n, "", dtype=object)
    for applies, value in rules:
        out[applies] = value
    return out


def call_phenotype(
    t_level: FloatArray, stroma: FloatArray, lack: TextArray, limits: PhenotypeLimits
) -> TextArray:
    """Desert, excluded or inflamed; empty where T cells or stroma are not evaluable.

    ``lack``: calls of the lack of effector T cells. A level that contradicts them is intermediate.
    """
    t, known = limits, ~(np.isnan(t_level) | np.isnan(stroma))
    is_lack = np.isin(lack, [Call.DETECTED, Call.BORDERLINE])
    few = (t_level < -t.phenotype_t) & (lack != Call.NOT_DETECTED)
    many = (t_level > t.phenotype_t) & ~is_lack
    return _choose(
        len(t_level),
        [
            (known, Phenotype.EXCLUDED),
            (known & few, Phenotype.DESERT),
            (known & many, Phenotype.INFLAMED),
            (known & few & (stroma > t.phenotype_stroma), Phenotype.EXCLUDED),
            (known & many & (stroma - t_level > t.phenotype_stroma_over_t), Phenotype.EXCLUDED),
        ],
    )


def call_archetype(
    phenotype: TextArray,
    *,
    exhaustion: npt.NDArray[np.bool_],
    suppressive: npt.NDArray[np.bool_],
    presentation: npt.NDArray[np.bool_],
) -> TextArray:
    """The dominant resistance mechanism; each argument says where that mechanism is detected.

    Order: antigen presentation (unless desert) before everything; then the phenotype; inside inflamed tumours
    suppressive before exhausted.
    """
    known, inflamed = phenotype != "", phenotype == Phenotype.INFLAMED
    return _choose(
        len(phenotype),
        [
            (phenotype == Phenotype.DESERT, Archetype.DESERT),
            (phenotype == Phenotype.EXCLUDED, Archetype.EXCLUDED),
            (inflamed, Archetype.INFLAMED),
            (inflamed & exhaustion, Archetype.EXHAUSTED),
            (inflamed & suppressive, Archetype.SUPPRESSIVE),
            (
                known & (phenotype != Phenotype.DESERT) & presentation,
                Archetype.ANTIGEN_PRESENTATION_DEFICIENT,
            ),
        ],
    )


def match_of(distance: FloatArray, own_distance: float, limits: MatchLimits) -> TextArray:
    """How well a sample's anchors meet the reference; empty where it could not be placed.

    ======== ===============================================================================================
    good     nothing is withheld
    moderate levels are provisional; neither phenotype nor archetype are given, and mechanisms are called only
             where the absolute interval decides
    poor     the same, and neither percentiles nor index are given
    ======== ===============================================================================================

    ``distance``: scaled MAD of the anchors of each sample, log2; ``own_distance``: that of the tumours of the
    reference. Those of a mixed cohort are farther from their own median, as are new tumours of their kind.
    """
    good, moderate = match_limits(own_distance, limits)
    return _choose(
        len(distance),
        [
            (~np.isnan(distance), ReferenceMatch.POOR),
            (distance < moderate, ReferenceMatch.MODERATE),
            (distance < good, ReferenceMatch.GOOD),
        ],
    )


def match_limits(own_distance: float, limits: MatchLimits) -> tuple[float, float]:
    """Distances below which a match is good, and moderate; log2."""
    good = max(limits.reference_good, limits.reference_good_ratio * own_distance)
    excess = float(np.hypot(own_distance, limits.reference_moderate_excess))
    return good, max(limits.reference_moderate, excess, good)


def withheld_by(match: ReferenceMatch | None, *, is_relative: bool = False) -> tuple[Note, ...]:
    """What a match to the reference forbids; ``is_relative``: the cohort is its own reference."""
    if match is ReferenceMatch.GOOD:
        return ()
    provisional = (note(Code.WITHHELD, "levels"), note(Code.WITHHELD, "calls"))
    if match is ReferenceMatch.MODERATE:
        return provisional[1:] if is_relative else provisional
    return (*provisional, note(Code.WITHHELD, "percentiles"))


def msi_suspected(found: TextArray) -> TextArray:
    """Whether the proxy of mismatch repair suggests a deficiency: yes, no, or empty text."""
    rules = [(found == Call.NOT_DETECTED, "no"), (np.isin(found, [Call.DETECTED, Call.BORDERLINE]), "yes")]
    return _choose(len(found), rules)


def status_of(match: TextArray, index: FloatArray, phenotype: TextArray, *, is_relative: bool) -> TextArray:
    """How far a profile's levels can be read; not evaluable where there is neither index nor phenotype.

    Both as they would be if the match forbade nothing. ``is_relative``: the cohort is its own reference. Its
    samples are of the reference's pipeline, so that a moderate match is enough.
    """
    is_near = match == ReferenceMatch.GOOD
    near = Status.COHORT_RELATIVE if is_relative else Status.REFERENCE_MATCHED
    return _choose(
        len(match),
        [
            (np.ones(len(match), dtype=bool), Status.PROVISIONAL),
            (is_near | (is_relative & (match == ReferenceMatch.MODERATE)), near),
            (np.isnan(index) & (phenotype == ""), Status.NOT_EVALUABLE),
        ],
    )
