"""Stage objects as AnnData files, which every tool of the field reads.

Matrices are written and read in blocks of samples. What is not a matrix travels as JSON in
``uns["escape_score"]``, made and checked by pydantic from the frozen objects themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan, nan
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from pydantic import TypeAdapter, ValidationError

from escape_score.errors import FileMissingError, FileUnreadableError, OutputUnwritableError
from escape_score.model.cohort import (
    Cohort,
    FloatArray,
    GeneChange,
    HarmonisedCohort,
    MatrixSource,
    SampleRecord,
    SampleTotals,
    iter_blocks,
    sheet_columns,
)
from escape_score.model.notes import Note, NoteLog
from escape_score.model.scores import (
    CohortFacts,
    GeneValues,
    MethodTable,
    Placement,
    ReferenceChoice,
    SignatureScores,
)
from escape_score.model.units import UnitDecision
from escape_score.store.hdf5_output import column_key, replacing_hdf5

META = "uns/escape_score"
ANNDATA_GROUPS = ("layers", "obsm", "varm", "obsp", "varp")
CHUNK_SAMPLES = 16
_SHARED_FIELDS = ("name", "unit", "samples", "input_sha256", "matrix_sha256", "flags")
COHORT_FIELDS = (*_SHARED_FIELDS, "gene_lengths")
HARMONISED_FIELDS = (*_SHARED_FIELDS, "is_targeted_panel", "gene_changes", "parameters")
SCORES_FIELDS = (
    *("facts", "reference", "reference_sha256", "reference_choice", "signature_ids", "skipped", "flags"),
)
Meta = TypeVar("Meta")


class Stage(StrEnum):
    """Stages whose cohort files look alike."""

    READ = "read"
    HARMONISE = "harmonise"


@dataclass(frozen=True)
class CohortMeta:
    """What a cohort file holds beside its matrix.

    Attributes
    ----------
    stage
        Stage that wrote it: a cohort as read must not be scored, nor a harmonised one be harmonised again.
    linear_totals, largest
        What was seen of a cohort as read.
    reads_per_tpm
        Of a harmonised cohort; empty where they are not known.
    """

    stage: Stage
    name: str
    gene_ids: tuple[str, ...] = field(repr=False)
    unit: UnitDecision
    samples: tuple[SampleRecord, ...] = field(repr=False)
    input_sha256: str | None
    matrix_sha256: str | None
    flags: NoteLog
    linear_totals: tuple[float | None, ...] = field(default=(), repr=False)
    largest: float | None = None
    reads_per_tpm: tuple[float | None, ...] = field(default=(), repr=False)
    is_targeted_panel: bool = False
    gene_changes: tuple[GeneChange, ...] = field(default=(), repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    gene_lengths: Mapping[str, float] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ScoresMeta:
    """What a scores file holds beside its matrices."""

    facts: CohortFacts
    reference: str
    reference_sha256: str
    reference_choice: ReferenceChoice | None
    signature_ids: tuple[str, ...]
    skipped: tuple[tuple[str, Note], ...]
    gene_symbols: tuple[str, ...]
    flags: NoteLog
    genesets_sha256: str
    beside: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, Note], ...]], ...] = field(
        default=(), repr=False
    )


@dataclass(frozen=True, eq=False)
class H5adMatrix:
    """Rows of the matrix of a stage file, read only when asked for."""

    path: Path
    sample_ids: tuple[str, ...] = field(repr=False)
    gene_ids: tuple[str, ...] = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``."""
        with h5py.File(self.path, "r") as handle:
            return np.asarray(handle["X"][start:stop], dtype=np.float64)


def write_cohort(path: Path, cohort: Cohort) -> None:
    """Write a cohort as read: ``cohort.h5ad``."""
    source = cohort.source
    meta = CohortMeta(
        stage=Stage.READ,
        gene_ids=source.gene_ids,
        linear_totals=_without_nan(cohort.totals.linear_total),
        largest=None if isnan(cohort.totals.largest) else cohort.totals.largest,
        **_fields(cohort, COHORT_FIELDS),
    )
    # ids as read can be there twice, so rows are numbered
    index = pd.Index([str(i) for i in range(len(source.gene_ids))], dtype=object)
    var = pd.DataFrame({"gene_id": pd.array(list(source.gene_ids), dtype=object)}, index=index)
    _write(path, var, source, meta)


def read_cohort_file(path: Path) -> Cohort:
    """Read ``cohort.h5ad``; its matrix stays on disk."""
    meta = _read_cohort_meta(path, Stage.READ)
    totals = SampleTotals(
        np.array(meta.linear_totals, dtype=np.float64), nan if meta.largest is None else meta.largest
    )
    source = _matrix(path, meta)
    return Cohort(source=source, totals=totals, label=str(path), **_fields(meta, COHORT_FIELDS))


def write_harmonised(path: Path, cohort: HarmonisedCohort) -> None:
    """Write a harmonised cohort: ``harmonised.h5ad``."""
    meta = CohortMeta(
        stage=Stage.HARMONISE,
        gene_ids=cohort.gene_symbols,
        reads_per_tpm=() if cohort.reads_per_tpm is None else _without_nan(cohort.reads_per_tpm),
        **_fields(cohort, HARMONISED_FIELDS),
    )
    var = pd.DataFrame(index=pd.Index(cohort.gene_symbols, dtype=object))
    _write(path, var, cohort.source, meta)


def read_harmonised(path: Path) -> HarmonisedCohort:
    """Read ``harmonised.h5ad``; its matrix stays on disk."""
    meta = _read_cohort_meta(path, Stage.HARMONISE)
    return HarmonisedCohort(
        source=_matrix(path, meta),
        label=str(path),
        reads_per_tpm=np.array(meta.reads_per_tpm, dtype=np.float64) if meta.reads_per_tpm else None,
        **_fields(meta, HARMONISED_FIELDS),
    )


def _fields(holder: object, names: Sequence[str]) -> dict[str, Any]:
    """What an object and what is stored of it have in common."""
    return {name: getattr(holder, name) for name in names}


def _without_nan(values: FloatArray) -> tuple[float | None, ...]:
    """Values as JSON can hold them."""
    return tuple(None if isnan(value) else value for value in values.tolist())


def write_scores(path: Path, scores: SignatureScores, *, genesets_sha256: str) -> None:
    """Write all scores: ``scores.h5ad``; X = scores, layer ``coverage``, gene values in obsm."""
    meta = ScoresMeta(
        gene_symbols=scores.genes.gene_symbols,
        genesets_sha256=genesets_sha256,
        beside=tuple((table.name, table.score_ids, table.skipped) for table in scores.beside),
        **_fields(scores, SCORES_FIELDS),
    )
    obs = _obs(scores.facts.samples)
    for name, values in vars(scores.placement).items():
        obs[name] = values
    with replacing_hdf5(path) as output:
        handle = output.handle
        _start(handle, obs, _scores_var(scores), meta)
        write_elem(handle, "X", scores.all_values)
        write_elem(handle["layers"], "coverage", scores.all_coverage)
        write_elem(handle["obsm"], "gene_z", scores.genes.z)
        write_elem(handle["obsm"], "gene_log2_tpm", scores.genes.log2_tpm)


def _scores_var(scores: SignatureScores) -> pd.DataFrame:
    """Columns of the scores: what each is a score of, and by which method."""
    return pd.DataFrame(
        {"method": pd.array(scores.all_methods, dtype=object)},
        index=pd.Index(scores.all_names, dtype=object),
    )


def read_scores(path: Path) -> tuple[SignatureScores, ScoresMeta]:
    """Read ``scores.h5ad``."""
    meta = _read_meta(path, ScoresMeta)
    with h5py.File(path, "r") as handle:
        values, coverage = handle["X"][()], handle["layers/coverage"][()]
        n_signatures = len(meta.signature_ids)
        placement = Placement(**{name: handle["obs"][name][()] for name in Placement.__dataclass_fields__})
        genes = GeneValues(meta.gene_symbols, handle["obsm/gene_log2_tpm"][()], handle["obsm/gene_z"][()])
    scores = SignatureScores(
        values=values[:, :n_signatures],
        coverage=coverage[:, :n_signatures],
        placement=placement,
        genes=genes,
        beside=_read_beside(meta, values, coverage),
        **_fields(meta, SCORES_FIELDS),
    )
    return scores, meta


def _read_beside(meta: ScoresMeta, values: FloatArray, coverage: FloatArray) -> tuple[MethodTable, ...]:
    """Cut the columns after the signatures into their tables."""
    tables, start = [], len(meta.signature_ids)
    for name, score_ids, skipped in meta.beside:
        columns = slice(start, start + len(score_ids))
        tables.append(MethodTable(name, score_ids, values[:, columns], coverage[:, columns], skipped))
        start = columns.stop
    return tuple(tables)


def require_stage_file(out: Path, *inputs: Path | None) -> None:
    """Refuse to replace an input, or a file that no stage wrote; OutputUnwritableError."""
    if not out.exists():
        return
    if any(path is not None and path.exists() and path.samefile(out) for path in inputs):
        raise OutputUnwritableError.at(out, "is an input of this stage; name another file")
    try:
        with h5py.File(out) as handle:
            is_ours = META in handle
    except OSError:
        is_ours = False
    if not is_ours:
        raise OutputUnwritableError.at(out, "exists and is not a file of a stage; name another file")


def _read_cohort_meta(path: Path, stage: Stage) -> CohortMeta:
    meta = _read_meta(path, CohortMeta)
    if meta.stage is not stage:
        msg = (
            f"{path}: was written by the stage {meta.stage}, not {stage}; give the file of the stage {stage}"
        )
        raise FileUnreadableError(msg)
    return meta


def _matrix(path: Path, meta: CohortMeta) -> H5adMatrix:
    return H5adMatrix(path, tuple(sample.sample_id for sample in meta.samples), meta.gene_ids)


def _obs(samples: Sequence[SampleRecord]) -> pd.DataFrame:
    """Samples with those columns of the sheet that say anything, as text."""
    obs = pd.DataFrame(index=pd.Index([sample.sample_id for sample in samples], dtype=object))
    for name, values in sheet_columns(samples).items():
        obs[column_key(name, obs)] = ["" if value is None else str(value) for value in values]
    return obs


def _write(path: Path, var: pd.DataFrame, source: MatrixSource, meta: CohortMeta) -> None:
    """Write a file whose matrix comes in blocks."""
    shape = (len(source.sample_ids), len(source.gene_ids))
    with replacing_hdf5(path) as output:
        handle = output.handle
        _start(handle, _obs(meta.samples), var, meta)
        x = handle.create_dataset(
            "X",
            shape,
            np.float64,
            chunks=(min(CHUNK_SAMPLES, shape[0]), shape[1]),
            compression="lzf",
            shuffle=True,
        )
        x.attrs["encoding-type"], x.attrs["encoding-version"] = "array", "0.2.0"
        for start, block in iter_blocks(source):
            x[start : start + len(block)] = block
            output.check_disk()


def _start(handle: h5py.File, obs: pd.DataFrame, var: pd.DataFrame, meta: CohortMeta | ScoresMeta) -> None:
    handle.attrs["encoding-type"], handle.attrs["encoding-version"] = "anndata", "0.1.0"
    write_elem(handle, "obs", obs)
    write_elem(handle, "var", var)
    for group in ANNDATA_GROUPS:
        write_elem(handle, group, {})
    write_elem(handle, "uns", {"escape_score": TypeAdapter(type(meta)).dump_json(meta).decode("utf-8")})


def _read_meta(path: Path, kind: type[Meta]) -> Meta:
    if not path.is_file():
        msg = f"{path}: no such file; run the stage before first"
        raise FileMissingError(msg)
    try:
        with h5py.File(path, "r") as handle:
            text: Any = handle[META][()]
        return TypeAdapter(kind).validate_json(text)
    except (OSError, KeyError, ValidationError) as error:
        msg = f"{path}: not a file of this program's stages, or damaged; run the stage before again"
        raise FileUnreadableError(msg) from error
