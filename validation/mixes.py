"""Tumours mixed with immune cells in known shares, antigen presentation turned down in half of them.

Mix = (1 − f) · tumour + f · immune cells, both in TPM; f, the immune share of the RNA, is uniform on 0–60 %;
the tumour's genes of the loss are multiplied by 0.2 in half of the mixes beforehand; every gene gets noise of
0.2 log2. With induction, the tumour's interferon genes rise by 2 log2 · f / 0.6 and its MHC class I genes by
1 log2 · f / 0.6, as they do where T cells are many.

Cohorts come from a folder that is no part of this repository; a cohort that is not there is skipped.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pandas as pd

from escape_score.genes import load_gene_table
from escape_score.genes.lengths import GeneLengths, read_gene_lengths
from escape_score.harmonise import harmonise_cohort
from escape_score.library.axes import load_design
from escape_score.model.cohort import Cohort, HarmonisedCohort, InMemoryMatrix, SampleRecord
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.values import gather_facts

ROOT = Path(__file__).parents[1]
N_MIXES = 60
IMMUNE_SHARE_MAX = 0.6
NOISE_LOG2 = 0.2
LOSS = 0.2
INDUCED_IFNG_LOG2, INDUCED_MHC_LOG2 = 2.0, 1.0
CELLS_PER_PROFILE = 50
NOT_IMMUNE = ("Fibroblast", "Endothelial")

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def as_cohort(tpm: pd.DataFrame, unit: ExpressionUnit = ExpressionUnit.TPM, name: str = "mixes") -> Cohort:
    """A cohort from samples × genes."""
    ids = tuple(str(sample) for sample in tpm.index)
    source = InMemoryMatrix(ids, tuple(str(gene) for gene in tpm.columns), tpm.to_numpy(np.float64))
    return Cohort(
        name=name,
        source=source,
        unit=UnitDecision(unit, is_declared=True, evidence="validation"),
        samples=tuple(SampleRecord(sample_id) for sample_id in ids),
        input_sha256="0" * 64,
        totals=totals_of(gather_facts(source, label=name), unit),
    )


def harmonised(cohort: Cohort, lengths: GeneLengths | dict[str, float] | None = None) -> HarmonisedCohort:
    """Bring a cohort to log2(TPM + 1), as the program does."""
    return harmonise_cohort(cohort, load_gene_table(), gene_lengths=lengths)


def tpm_of(cohort: HarmonisedCohort) -> pd.DataFrame:
    """Samples × approved symbols in TPM; genes that were not measured in a sample are 0."""
    values = np.exp2(cohort.source.block(0, len(cohort.sample_ids))) - 1.0
    table = pd.DataFrame(np.nan_to_num(values), list(cohort.sample_ids), list(cohort.gene_symbols))
    return table.mul(1e6 / table.sum(axis=1), axis=0)


def read_tpm(folder: Path, unit: ExpressionUnit) -> pd.DataFrame | None:
    """A cohort's expression in TPM; None, with a word, where the folder is not there."""
    path = folder / "expression.parquet"
    if not path.is_file():
        print(f"skipped: {folder} holds no expression.parquet")
        return None
    return tpm_of(harmonised(as_cohort(pd.read_parquet(path).T, unit)))


def build_script() -> ModuleType:
    """The script that builds the shipped reference; it knows where its tumours come from."""
    spec = importlib.util.spec_from_file_location(
        "build_reference", ROOT / "resources" / "reference" / "build_reference.py"
    )
    if spec is None or spec.loader is None:
        sys.exit("error: resources/reference/build_reference.py: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_reference"] = module
    spec.loader.exec_module(module)
    return module


@cache
def colorectal_tumours(wheels: Path) -> pd.DataFrame:
    """The 592 tumours of the shipped reference, in TPM."""
    script = build_script()
    expression = script.read_expression(script.fetch_wheel(wheels, "TumorDecon"))
    lengths = ROOT / "resources" / "reference" / script.NAME / "length_factors.tsv"
    cohort = as_cohort(expression, ExpressionUnit.COUNTS)
    return tpm_of(harmonised(cohort, read_gene_lengths(lengths, load_gene_table())))


@dataclass(frozen=True)
class ImmuneSource:
    """Immune cells: ``draw(rng, n)`` gives n profiles in TPM; ``mean`` is pure leukocytes."""

    name: str
    mean: pd.DataFrame = field(repr=False)
    draw: Callable[[np.random.Generator, int], pd.DataFrame] = field(repr=False)


def blood(folder: Path) -> ImmuneSource | None:
    """Blood mononuclear cells, one of the donors a mix (Finotello 2019)."""
    tpm = read_tpm(folder / "finotello2019_pbmc9_flow", ExpressionUnit.TPM)
    if tpm is None:
        return None

    def draw(rng: np.random.Generator, n: int) -> pd.DataFrame:
        return tpm.iloc[rng.choice(len(tpm), n)].reset_index(drop=True)

    return ImmuneSource("blood", tpm, draw)


def typed_cells(folder: Path) -> tuple[pd.DataFrame, pd.Series] | None:
    """Single cells of head and neck tumours (Puram 2017) in TPM, and their types; None where not there."""
    path = folder / "puram2017_hnscc_cells180"
    if not (path / "expression.parquet").is_file():
        print(f"skipped: {path} holds no expression.parquet")
        return None
    cells = np.exp2(pd.read_parquet(path / "expression.parquet").T) - 1.0
    tpm = tpm_of(harmonised(as_cohort(cells)))
    types = pd.read_csv(path / "samples.tsv", sep="\t", index_col="sample_id")["celltypes"].reindex(tpm.index)
    return tpm, types


def immune_cells(folder: Path) -> ImmuneSource | None:
    """Immune cells of head and neck tumours, 50 cells pooled a mix (Puram 2017)."""
    typed = typed_cells(folder)
    if typed is None:
        return None
    tpm, types = typed
    immune = tpm[~types.isin(NOT_IMMUNE)]

    def pool(rows: npt.NDArray[np.int64]) -> pd.Series:
        total = immune.iloc[rows].sum()
        return total / total.sum() * 1e6

    def draw(rng: np.random.Generator, n: int) -> pd.DataFrame:
        profiles = [pool(rng.choice(len(immune), CELLS_PER_PROFILE)) for _ in range(n)]
        return pd.DataFrame(profiles).reset_index(drop=True)

    return ImmuneSource("tumour-infiltrating", pool(np.arange(len(immune))).to_frame().T, draw)


@dataclass(frozen=True)
class Mixes:
    """Mixes with what is true of them."""

    tpm: pd.DataFrame = field(repr=False)
    immune_share: Floats = field(repr=False)
    is_lost: Bools = field(repr=False)


def mix(
    tumours: pd.DataFrame,
    source: ImmuneSource,
    lost: tuple[str, ...],
    *,
    seed: int,
    is_induced: bool = False,
) -> Mixes:
    """Mix tumours with immune cells; ``lost`` are the genes turned down in half of the mixes."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(tumours), N_MIXES, replace=len(tumours) < N_MIXES)
    tumour = tumours.iloc[rows].reset_index(drop=True)
    immune = source.draw(rng, N_MIXES)
    shared = tumour.columns.intersection(immune.columns)
    tumour, immune = tumour[shared].copy(), immune[shared]
    share = rng.uniform(0.0, IMMUNE_SHARE_MAX, N_MIXES)
    is_lost = rng.permutation(np.arange(N_MIXES) < N_MIXES // 2)
    if is_induced:
        induce(tumour, share)
    for gene in lost:
        tumour[gene] *= np.where(is_lost, LOSS, 1.0)
    mixed = tumour.mul(1 - share, axis=0) + immune.mul(share, axis=0)
    mixed *= np.exp2(rng.normal(0.0, NOISE_LOG2, mixed.shape))
    mixed.index = pd.Index([f"mix{i:02d}" for i in range(N_MIXES)])
    return Mixes(mixed.mul(1e6 / mixed.sum(axis=1), axis=0), share, is_lost)


def induce(tumour: pd.DataFrame, share: Floats) -> None:
    """Raise a tumour's interferon and MHC class I genes with its infiltrate, in place."""
    components = load_design().components
    strength = share / IMMUNE_SHARE_MAX
    responding = set(components["ifng_response"])
    for genes, log2_rise in (
        (responding, INDUCED_IFNG_LOG2),
        (set(components["mhc1"]) - responding, INDUCED_MHC_LOG2),
    ):
        for gene in sorted(genes & set(tumour.columns)):
            tumour[gene] *= np.exp2(log2_rise * strength)


def auroc(score: Floats, is_positive: Bools) -> float:
    """Area under the ROC curve of those that have a score; NaN where a class has fewer than 3."""
    known = ~np.isnan(score)
    ranks = pd.Series(score[known]).rank().to_numpy()
    positive = is_positive[known]
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if min(n_positive, n_negative) < 3:
        return float("nan")
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))
