"""Published scores against the programs whose numbers they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.golden.published_data import MISSING
from tests.score.published.scored import as_table, scored

from escape_score.model.cohort import FloatArray
from escape_score.score.published import load_published

GOLDEN = Path(__file__).parents[2] / "golden"
TOLERANCE = 1e-12
"""Relative; the programs agree to some 3e-15."""
IPS_COLUMNS = {"MHC": "ips_mhc", "CP": "ips_cp", "EC": "ips_ec", "SC": "ips_sc", "AZ": "ips_az", "IPS": "ips"}
SIGN_FREE = {"chemokine12_messina"}


def golden(name: str, variant: str = "full") -> pd.DataFrame:
    table = pd.read_csv(GOLDEN / name, sep="\t").rename(columns=IPS_COLUMNS)
    if "variant" in table:
        table = table[table["variant"] == variant].drop(columns="variant")
    return table.set_index("sample_id").reset_index(drop=True)


def with_sign_of(expected: FloatArray, computed: FloatArray) -> FloatArray:
    signed: FloatArray = expected * np.sign(expected @ computed)
    return signed


def assert_equal(computed: pd.Series[float], expected: FloatArray) -> None:
    np.testing.assert_allclose(computed, expected, rtol=TOLERANCE, atol=TOLERANCE, err_msg=str(computed.name))


@pytest.mark.parametrize("variant", ["full", "missing"])
@pytest.mark.parametrize("name", ["published_scores__easier_1.1.0.tsv", "published_scores__r_4.2.2.tsv"])
def test_score_published_agrees_with_the_program(name: str, variant: str, log2_tpm: pd.DataFrame) -> None:
    kept = log2_tpm if variant == "full" else log2_tpm.drop(columns=list(MISSING))
    computed, expected = as_table(scored(kept)), golden(name, variant)
    for score_id in expected:
        column = expected[score_id].to_numpy(float)
        if score_id in SIGN_FREE:
            column = with_sign_of(column, computed[score_id].to_numpy(float))
        assert_equal(computed[score_id], column)


def test_score_published_agrees_with_immunophenogram(log2_tpm: pd.DataFrame) -> None:
    computed, expected = as_table(scored(log2_tpm)), golden("published_ips__immunophenogram_1.0.tsv")
    for score_id in IPS_COLUMNS.values():
        assert_equal(computed[score_id], expected[score_id].to_numpy(float))
    assert not np.signbit(computed["ips"]).any()
    assert set(expected["ips"]) >= {0, 10}
    assert ((expected["ips"] > 0) & (expected["ips"] < 10)).any()


def test_golden_files_hold_every_score_that_names_one() -> None:
    for score in load_published().scores:
        if score.golden:
            assert score.score_id in golden(score.golden), score.score_id


def test_chemokine12_rises_with_the_mean_of_its_scaled_genes(log2_tpm: pd.DataFrame) -> None:
    genes = [gene.gene_symbol for gene in load_published().score("chemokine12_messina").genes]
    scaled = (log2_tpm[genes] - log2_tpm[genes].mean()) / log2_tpm[genes].std()
    computed = as_table(scored(log2_tpm, "chemokine12_messina"))["chemokine12_messina"]
    assert np.corrcoef(computed, scaled.mean(axis=1))[0, 1] > 0.5
