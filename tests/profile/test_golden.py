"""The engine against an independent program; ``golden/make_reference_z.py`` says how the values were made."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.read import read_cohort
from escape_score.reference.read import load_reference

GOLDEN = Path(__file__).parents[1] / "golden" / "reference_z__oracle_proto-0.2.tsv"


@pytest.fixture(scope="module")
def golden() -> pd.DataFrame:
    return pd.read_csv(GOLDEN, sep="\t", index_col="sample_id")


@pytest.fixture(scope="module")
def ours(repo_root: Path, demo_lengths: Path) -> pd.DataFrame:
    matrix = repo_root / "resources" / "demo" / "expression.parquet"
    cohort = read_cohort(matrix, cohort="demo", units=ExpressionUnit.COUNTS)
    harmonised = harmonise(cohort, gene_lengths=open_gene_lengths(demo_lengths))
    reference = load_reference()
    scores = score(harmonised, reference)
    result = profile_scores(scores, reference)
    return result.to_frame()


def test_profile_cohort_agrees_with_the_oracle(ours: pd.DataFrame, golden: pd.DataFrame) -> None:
    numbers = golden.select_dtypes("number")
    assert len(numbers) == 4
    assert not numbers.isna().any(axis=None)
    assert ours.loc[golden.index, numbers.columns].notna().all(axis=None)
    differences = (ours.loc[golden.index, numbers.columns].astype(float) - numbers).abs().max()
    assert differences[differences > 1e-6].to_dict() == {}


@pytest.mark.parametrize("column", ["phenotype"])
def test_profile_cohort_names_the_same_as_the_oracle(
    column: str, ours: pd.DataFrame, golden: pd.DataFrame
) -> None:
    assert ours.loc[golden.index, column].astype(str).to_dict() == golden[column].to_dict()
