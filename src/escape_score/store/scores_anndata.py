"""Scores of a result as AnnData, by the habits of scanpy: what is measured in var, what is known in obs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from anndata.io import write_elem

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.files import resource_path, table_rows
from escape_score.library.gene_sets import load_signatures
from escape_score.model.cohort import FloatArray, sheet_columns
from escape_score.model.notes import NoteLog
from escape_score.model.profiles import INDEX, CohortProfiles
from escape_score.model.scores import PUBLISHED, REFERENCE_Z, SignatureScores
from escape_score.store.hdf5_output import column_key, replacing_hdf5
from escape_score.store.layers import named_layers
from escape_score.store.manifest import ResultHeader
from escape_score.store.tables import flag_names

MORE_RESISTANCE = "more resistance"
MORE_EXPRESSION = "more expression of its genes"
SD_UNIT = "SD of the reference"
NUMBERS = ("os_days", "os_event", "pfs_days", "pfs_event", "purity", "tmb")
"""Columns of a sample sheet that hold numbers; events are 0 or 1."""


@dataclass(frozen=True)
class Variable:
    """One column of X: its name, its description in var, its values and coverage, shape (n_samples,)."""

    name: str
    kind: str
    axis: str
    method: str
    unit: str
    higher_means: str
    values: FloatArray
    coverage: FloatArray


def scores_anndata(
    scores: SignatureScores, profiles: CohortProfiles, flags: NoteLog, header: ResultHeader
) -> ad.AnnData:
    """Lay index, axes and signatures of a cohort out as one AnnData object.

    ``X`` has shape (n_samples, n_variables), NaN = not evaluable; layer ``coverage`` is the fraction of genes
    measured.
    """
    variables = [*_index_and_axes(profiles), *_signatures(scores)]
    described = ("kind", "axis", "method", "unit", "higher_means")
    var = pd.DataFrame(
        {column: [getattr(variable, column) for variable in variables] for column in described},
        index=pd.Index([variable.name for variable in variables], dtype=object),
    )
    values = np.column_stack([variable.values for variable in variables])
    var["highly_variable"] = np.logical_not(np.isnan(values).any(axis=0))
    facts = header.model_dump(exclude={"parameters", "versions", "labels"}, exclude_none=True)
    return ad.AnnData(
        X=values,
        obs=_obs(scores, profiles, flags),
        var=var,
        layers={"coverage": np.column_stack([variable.coverage for variable in variables])},
        uns={"escape_score": {**facts, "parameters": header.parameters, "versions": header.versions}},
    )


def _index_and_axes(profiles: CohortProfiles) -> Iterator[Variable]:
    """The index, then every axis, each followed by its unadjusted version where there is one."""
    index = profiles.index.index
    share = (~np.isnan(profiles.index.blocks)).mean(axis=1)
    yield Variable(INDEX, "index", "", REFERENCE_Z, "0 to 100", MORE_RESISTANCE, index, share)
    for axis in profiles.axes:
        what = (axis.axis, REFERENCE_Z, SD_UNIT, MORE_RESISTANCE)
        yield Variable(axis.axis, "axis", *what, axis.score, axis.coverage)
        if axis.raw is not None:
            yield Variable(f"{axis.axis}_raw", "unadjusted axis", *what, axis.raw, axis.coverage)


def _signatures(scores: SignatureScores) -> Iterator[Variable]:
    """Every signature by every method, named ``method:signature``."""
    published = table_rows(resource_path("genesets", "published.tsv"))
    axis_of, unit_of = _axes_of_components(), {row["score_id"]: row["unit"] for row in published}
    values = _columns([scores.values, *(table.values for table in scores.beside)])
    coverage = _columns([scores.coverage, *(table.coverage for table in scores.beside)])
    named = zip(scores.all_names, scores.all_methods, values, coverage, strict=True)
    for name, method, of_samples, covered in named:
        signature = name.removeprefix(f"{method}:")
        is_published = method == PUBLISHED
        kind = "published score" if is_published else "signature"
        unit = unit_of[signature] if is_published else SD_UNIT if method == REFERENCE_Z else "score"
        what = (axis_of.get(signature, ""), method, unit, MORE_EXPRESSION)
        yield Variable(f"{method}:{signature}", kind, *what, of_samples, covered)


def _columns(matrices: Sequence[FloatArray]) -> Iterator[FloatArray]:
    """Columns of several matrices, one after the other, none of them copied."""
    return (matrix[:, column] for matrix in matrices for column in range(matrix.shape[1]))


def _axes_of_components() -> Mapping[str, str]:
    """Axis that each component belongs to, where it is one axis."""
    axes = load_axis_catalogue().axes
    names = {axis.axis for axis in axes}
    by_term = {term.name: axis.axis for axis in reversed(axes) for term in (*axis.terms, *axis.raw_terms)}
    components = load_signatures().components
    return {c.signature_id: c.signature_id for c in components if c.signature_id in names} | by_term


def _obs(scores: SignatureScores, profiles: CohortProfiles, flags: NoteLog) -> pd.DataFrame:
    """What is known of every sample; numbers as numbers, words as categories."""
    samples = scores.facts.samples
    obs = pd.DataFrame(index=pd.Index(scores.sample_ids, dtype=object))
    for name in ("status", "archetype", "phenotype"):
        obs[name] = pd.Categorical([str(word) for word in getattr(profiles, name)])
    obs["flags"] = [",".join(flag_names(flags, sample_id)) for sample_id in scores.sample_ids]
    obs["leukocyte_fraction"] = profiles.leukocyte_fraction
    obs["reference_distance"] = scores.placement.distance
    for name, values in sheet_columns(samples).items():
        if name in NUMBERS:
            obs[name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        else:
            obs[column_key(name, obs)] = pd.Categorical(
                ["" if value is None else str(value) for value in values]
            )
    return obs


def write_anndata(path: Path, adata: ad.AnnData) -> None:
    """Write an AnnData object as h5ad: the same bytes for the same content, whole or not at all."""
    with replacing_hdf5(path) as output:
        output.handle.attrs["encoding-type"], output.handle.attrs["encoding-version"] = "anndata", "0.1.0"
        for name in ("X", "obs", "var", "uns", "layers", "obsm", "varm", "obsp", "varp"):
            content = named_layers(adata) if name == "layers" else getattr(adata, name)
            write_elem(output.handle, name, content if name in {"X", "obs", "var"} else dict(content))
            output.check_disk()
