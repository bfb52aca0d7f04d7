"""The engine against an independent program; ``golden/make_reference_z.py`` says how the values were made."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from escape_score.model.units import ExpressionUnit
from escape_score.pipeline import stages as pipeline
from escape_score.read import read_cohort
from escape_score.reference.read import load_reference
from escape_score.store.tables import profiles_table

GOLDEN = Path(__file__).parents[1] / "golden" / "reference_z__oracle_proto-0.2.tsv"


@pytest.fixture(scope="module")
def golden() -> pd.DataFrame:
    return pd.read_csv(GOLDEN, sep="\t", index_col="sample_id")


@pytest.fixture(scope="module")
def ours(repo_root: Path, demo_lengths: Path) -> pd.DataFrame:
    matrix = repo_root / "resources" / "demo" / "expression.parquet"
    cohort = read_cohort(matrix, name="demo", declared_unit=ExpressionUnit.COUNTS)
    harmonised = pipeline.harmonise(cohort, gene_lengths=demo_lengths, min_genes=1, source=matrix)
    reference = load_reference()
    scores = pipeline.score(harmonised, reference, pipeline.UserGeneSets(), source=matrix)
    profiles, maker = pipeline.profile(scores, reference, genesets_sha256="", seed=1)
    return profiles_table(scores, profiles, maker.flags, reference).set_index("sample_id")


def test_profile_cohort_agrees_with_the_oracle(ours: pd.DataFrame, golden: pd.DataFrame) -> None:
    numbers = golden.select_dtypes("number")
    assert len(numbers) == 4
    assert not numbers.isna().any(axis=None)
    differences = (ours.loc[golden.index, numbers.columns].astype(float) - numbers).abs().max()
    assert differences[differences > 1e-6].to_dict() == {}


@pytest.mark.parametrize("column", ["phenotype"])
def test_profile_cohort_names_the_same_as_the_oracle(
    column: str, ours: pd.DataFrame, golden: pd.DataFrame
) -> None:
    assert ours.loc[golden.index, column].astype(str).to_dict() == golden[column].to_dict()
