"""Sixty tumours of the bundled cohort in memory, and fits on parts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.fit import ReferenceLabel, fit_reference
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.cohort import Cohort, FloatArray, HarmonisedCohort, InMemoryMatrix
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.reference.read import load_reference


@pytest.fixture(scope="session")
def sixty(repo_root: Path, demo_lengths: Path, make_cohort: Callable[..., Cohort]) -> HarmonisedCohort:
    """The bundled cohort in log2(TPM + 1), held whole."""
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    matrix = matrix.set_index("gene") if "gene" in matrix else matrix
    cohort = make_cohort(matrix.T.astype(np.float64), ExpressionUnit.COUNTS)
    found = harmonise(cohort, gene_lengths=open_gene_lengths(demo_lengths))
    return with_values(found, found.source.block(0, len(found.sample_ids)))


def with_values(cohort: HarmonisedCohort, values: FloatArray) -> HarmonisedCohort:
    return replace(cohort, source=InMemoryMatrix(cohort.sample_ids, cohort.gene_symbols, values))


@pytest.fixture(scope="session")
def take() -> Callable[..., HarmonisedCohort]:
    """Some samples of a cohort, and its genes in another order."""

    def take(
        cohort: HarmonisedCohort, rows: Sequence[int], columns: Sequence[int] | None = None
    ) -> HarmonisedCohort:
        columns = range(len(cohort.gene_symbols)) if columns is None else columns
        values = cohort.source.block(0, len(cohort.sample_ids))[np.ix_(list(rows), list(columns))]
        samples = tuple(cohort.samples[row] for row in rows)
        ids = tuple(sample.sample_id for sample in samples)
        symbols = tuple(cohort.gene_symbols[column] for column in columns)
        reads = None if cohort.reads_per_tpm is None else cohort.reads_per_tpm[list(rows)]
        source = InMemoryMatrix(ids, symbols, values)
        return replace(cohort, samples=samples, source=source, reads_per_tpm=reads)

    return take


@pytest.fixture(scope="session")
def fit() -> Callable[..., Reference]:
    """Fit a reference as the command line does."""

    def fit(cohort: HarmonisedCohort, min_samples: int = 10) -> Reference:
        return fit_reference(
            cohort,
            load_reference(),
            design=load_design(),
            label=ReferenceLabel("lab", "a laboratory's tumours", "colorectal", "RNA-seq", {"input": "none"}),
            min_samples=min_samples,
        )

    return fit


@pytest.fixture(scope="session")
def change() -> Callable[..., HarmonisedCohort]:
    """The same cohort with log2 fold changes of its genes, applied to TPM."""

    def change(cohort: HarmonisedCohort, log2_fold: pd.Series) -> HarmonisedCohort:
        values = cohort.source.block(0, len(cohort.sample_ids))
        folds = log2_fold.reindex(list(cohort.gene_symbols)).fillna(0.0).to_numpy()
        return with_values(cohort, np.log2((np.exp2(values) - 1) * np.exp2(folds) + 1))

    return change
