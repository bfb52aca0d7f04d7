"""Cohorts for the scripts beside this one, as harmonised by the package.

A folder of cohorts holds one folder each with ``expression.parquet`` (genes × samples) and, where there are
labels, ``samples.tsv``. None of it is part of the project. The reference's own tumours come from the wheel
that the reference is built from.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from escape_score.genes import load_gene_table
from escape_score.genes.lengths import read_gene_lengths
from escape_score.harmonise import harmonise, harmonise_cohort
from escape_score.model.cohort import FloatArray, HarmonisedCohort, InMemoryMatrix, iter_blocks
from escape_score.model.method_choice import MethodChoice
from escape_score.model.profiles import CohortProfiles, IndexScores
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.profile.index import profile_index
from escape_score.read import read_cohort
from escape_score.reference.known import DEFAULT_REFERENCE
from escape_score.reference.read import load_reference

ROOT = Path(__file__).parents[1]
WHEELS = ROOT / "build" / "wheels"
OUT = ROOT / "build" / "validation"
LENGTHS = ROOT / "resources" / "reference" / DEFAULT_REFERENCE / "length_factors.tsv"
UNITS = {
    "vanallen2015": "tpm",
    "hugo2016": "fpkm",
    "liu2019_subset": "log2(x+0.001)",
    "imvigor210_subset": "log2(x+0.001)",
}
"""Units of known cohorts; others are guessed."""


@dataclass(frozen=True)
class Profiled:
    """A cohort with all that the package reports; ``index`` also where the profiles withhold it."""

    cohort: HarmonisedCohort
    scores: SignatureScores
    profiles: CohortProfiles
    index: IndexScores


def in_memory(
    cohort: HarmonisedCohort,
    values: FloatArray,
    *,
    symbols: Sequence[str] | None = None,
    rows: Sequence[int] | None = None,
    reads_per_tpm: FloatArray | None = None,
) -> HarmonisedCohort:
    """The same cohort with other values, genes or samples; ``values`` has the shape of those."""
    samples = cohort.samples if rows is None else tuple(cohort.samples[row] for row in rows)
    symbols = tuple(cohort.gene_symbols if symbols is None else symbols)
    ids = tuple(sample.sample_id for sample in samples)
    return replace(
        cohort,
        samples=samples,
        source=InMemoryMatrix(ids, symbols, values),
        reads_per_tpm=reads_per_tpm,
        is_targeted_panel=len(symbols) < WHOLE_TRANSCRIPTOME,
    )


WHOLE_TRANSCRIPTOME = 8000
"""As the harmonise stage: fewer genes are a targeted panel."""


def values_of(cohort: HarmonisedCohort) -> FloatArray:
    """log2(TPM + 1) of all samples, shape (n_samples, n_genes)."""
    return np.concatenate([block for _, block in iter_blocks(cohort.source)])


def cohort_folders(folder: Path | None) -> list[Path]:
    """Folders of tumour cohorts with an expression matrix, in the order of their names."""
    if folder is None or not folder.is_dir():
        print(f"cohorts: {folder}: no such folder; what needs cohorts is skipped")
        return []
    for name in sorted(set(UNITS) - {path.parent.name for path in folder.glob("*/expression.parquet")}):
        print(f"{name}: not in {folder}, skipped")
    return [folder / name for name in UNITS if (folder / name / "expression.parquet").is_file()]


def from_folder(folder: Path, units: str | None = None) -> HarmonisedCohort:
    """Read and harmonise one cohort."""
    path = folder / "expression.parquet"
    unit = ExpressionUnit(units or UNITS.get(folder.name, "auto"))
    cohort = read_cohort(path, cohort=folder.name, units=unit)
    harmonised = harmonise(cohort)
    return in_memory(harmonised, values_of(harmonised))


def labels_of(folder: Path, sample_ids: Sequence[str]) -> pd.DataFrame:
    """Labels of a cohort as text, in the order of its samples."""
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    return sheet.set_index("sample_id").reindex(list(sample_ids)).fillna("")


def builder() -> ModuleType:
    """The script that builds the reference."""
    path = ROOT / "resources" / "reference" / "build_reference.py"
    spec = importlib.util.spec_from_file_location("build_reference", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def reference_tumours(wheels: Path) -> HarmonisedCohort | None:
    """The 592 tumours of the reference; None, with a word, where their wheel is not there."""
    if not list(wheels.glob("TumorDecon-*.whl")):
        print(f"tcga: no TumorDecon wheel in {wheels}, skipped; make reference downloads it")
        return None
    script, genes = builder(), load_gene_table()
    cohort = script.make_cohort(script.read_expression(script.fetch_wheel(wheels, "TumorDecon")))
    harmonised = harmonise_cohort(cohort, genes, gene_lengths=read_gene_lengths(LENGTHS, genes))
    return replace(in_memory(harmonised, values_of(harmonised)), name="tcga")


def profiled(cohort: HarmonisedCohort, *, has_published: bool = False) -> Profiled:
    """Score and profile a cohort the way ``escape-score run`` does."""
    reference, choice = load_reference(), MethodChoice(has_published=has_published)
    scores = score(cohort, reference, choice=choice)
    result = profile_scores(scores, reference)
    return Profiled(cohort, scores, result.profiles, profile_index(result.maker.context))


def table_of(cohort: HarmonisedCohort, reference: Reference | None = None) -> pd.DataFrame:
    """The table of profiles; against the shipped reference where none is given."""
    used = load_reference() if reference is None else reference
    scores = score(cohort, used, choice=MethodChoice(has_published=False))
    return profile_scores(scores, used).to_frame()
