"""The tables of a result: profiles, scores and qc, as TSV for eyes and parquet for programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet as pq

from escape_score.model.notes import NoteLog
from escape_score.model.profiles import Bounds, CohortProfiles
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.store.atomic import replacing

FAILED = "failed"
"""Last column of ``qc.tsv``: why a sample has no profile or no page; filled when a result is finished."""


def profiles_table(
    scores: SignatureScores, profiles: CohortProfiles, flags: NoteLog, reference: Reference
) -> pd.DataFrame:
    """One row a sample with the columns of the contract; NaN or empty text = not evaluable."""
    columns: dict[str, object] = {
        "sample_id": list(scores.sample_ids),
        "cohort": [scores.facts.name] * len(scores.sample_ids),
        "immunoresistance_index": profiles.index.index,
        **_bounds("immunoresistance_index", profiles.index.bounds),
        "archetype": profiles.archetype,
        "phenotype": profiles.phenotype,
        "status": profiles.status,
        "flags": [",".join(flag_names(flags, sample_id)) for sample_id in scores.sample_ids],
    }
    for axis in profiles.axes:
        columns[axis.axis] = axis.score
        if axis.raw is not None:
            columns[f"{axis.axis}_raw"] = axis.raw
        columns[f"{axis.axis}_percentile"] = axis.percentile
        columns |= _bounds(axis.axis, axis.bounds)
        columns[f"{axis.axis}_coverage"] = axis.coverage
        columns[f"{axis.axis}_call"] = axis.call
    columns["mhc1_weakest_gene"] = profiles.axis("mhc1_weakest_link").weakest_gene
    columns["leukocyte_fraction"] = profiles.leukocyte_fraction
    columns["reference"] = [reference.name] * len(scores.sample_ids)
    return pd.DataFrame(columns)


def _bounds(name: str, bounds: Bounds) -> dict[str, object]:
    """Columns of both intervals."""
    return {f"{name}_{end}": getattr(bounds, end) for end in ("low", "high", "low_within", "high_within")}


def flag_names(flags: NoteLog, sample_id: str) -> list[str]:
    """Flags of one sample by name, each once."""
    return list(dict.fromkeys(one.code.value for one in flags.of_sample(sample_id)))


def scores_table(scores: SignatureScores) -> pd.DataFrame:
    """Samples × scores: the signatures, then what was scored beside the axes as ``method:score``."""
    table = pd.DataFrame(scores.all_values, columns=scores.all_names)
    table.insert(0, "sample_id", list(scores.sample_ids))
    return table


def qc_table(
    scores: SignatureScores,
    profiles: CohortProfiles,
    flags: NoteLog,
    reference: Reference,
    *,
    in_words: Callable[..., str],
) -> pd.DataFrame:
    """What is known of each sample's input, and its flags in words."""
    facts, placement, n = scores.facts, scores.placement, len(scores.sample_ids)
    return pd.DataFrame(
        {
            "sample_id": list(scores.sample_ids),
            "unit": [facts.unit.unit.value] * n,
            "unit_is_declared": [facts.unit.is_declared] * n,
            "unit_evidence": [in_words(facts.unit.evidence)] * n,
            "n_genes": [facts.n_genes] * n,
            "coverage": sum(axis.coverage for axis in profiles.axes) / len(profiles.axes),
            "n_anchors": placement.n_anchors,
            "anchor_offset_log2": placement.offset_log2,
            "reference": [reference.name] * n,
            "reference_distance": placement.distance,
            "reference_match": profiles.match,
            "leukocyte_fraction": profiles.leukocyte_fraction,
            "status": profiles.status,
            "flags": [",".join(flag_names(flags, sample_id)) for sample_id in scores.sample_ids],
            "flags_in_words": [in_words(*flags.of_sample(sample_id)) for sample_id in scores.sample_ids],
            FAILED: [""] * n,
        }
    )


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table for programs: float64, text as it is."""
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), temporary, compression="zstd")
