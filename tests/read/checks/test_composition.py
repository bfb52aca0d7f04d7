"""Samples whose RNA is of few kinds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from tests.read.matrices import facts_of
from tests.read.transformations import degraded, whole

from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read.checks.composition import composition_notes, largest_shares
from escape_score.reference.read import read_length_factors

MakeFrame = Callable[..., pd.DataFrame]
Array = npt.NDArray[np.float64]
UNITS: dict[ExpressionUnit, Callable[[Array], Array]] = {
    ExpressionUnit.TPM: lambda x: x,
    ExpressionUnit.COUNTS: lambda x: np.rint(x * 20),
    ExpressionUnit.LOG2_PLUS_1: lambda x: np.log2(x + 1),
    ExpressionUnit.LOG2_PLUS_0001: lambda x: np.log2(x + 0.001),
    ExpressionUnit.LN_PLUS_1: np.log1p,
}


def flagged(frame: pd.DataFrame, unit: ExpressionUnit = ExpressionUnit.TPM) -> dict[str, set[Code]]:
    found: dict[str, set[Code]] = {}
    for sample, note in composition_notes(facts_of(frame), unit):
        found.setdefault(sample, set()).add(note.code)
    return found


@pytest.fixture
def tumours(make_tpm: MakeFrame) -> pd.DataFrame:
    """Whole transcriptomes: one ordinary, one swamped by a gene, one with few genes detected."""
    frame = make_tpm(n_genes=12_000, n_samples=3)
    rest = frame["P01"].sum() - frame["P01"].iloc[0]
    frame.loc[frame.index[0], "P01"] = 3 * rest
    frame.loc[frame.index[7_000:], "P02"] = 0.0
    return frame * 1e6 / frame.sum()


@pytest.mark.parametrize("unit", UNITS)
def test_composition_notes_name_samples_of_few_kinds(tumours: pd.DataFrame, unit: ExpressionUnit) -> None:
    values = pd.DataFrame(UNITS[unit](tumours.to_numpy()), tumours.index, tumours.columns)
    assert flagged(values, unit) == {"P01": {Code.COMPOSITION_OUTLIER}, "P02": {Code.FEW_GENES}}
    shares = largest_shares(facts_of(values), unit)
    np.testing.assert_allclose(shares, tumours.max() / tumours.sum(), rtol=1e-3)


def test_composition_notes_say_the_share(tumours: pd.DataFrame) -> None:
    notes = dict(composition_notes(facts_of(tumours), ExpressionUnit.TPM))
    assert "One gene makes up 75% of the RNA" in in_english(notes["P01"])
    assert in_english(notes["P02"]).startswith("Only ")


def test_a_sample_alone_gets_the_same_notes(tumours: pd.DataFrame) -> None:
    assert flagged(tumours[["P01"]]) == {"P01": {Code.COMPOSITION_OUTLIER}}


@pytest.mark.parametrize("unit", [ExpressionUnit.ARRAY, ExpressionUnit.NANOSTRING])
def test_signals_of_a_platform_are_not_judged(tumours: pd.DataFrame, unit: ExpressionUnit) -> None:
    assert flagged(tumours, unit) == {}


def test_a_panel_is_not_judged(tumours: pd.DataFrame) -> None:
    assert flagged(tumours.iloc[:5_000]) == {}


def test_noise_below_zero_is_no_detection(tumours: pd.DataFrame) -> None:
    noisy = tumours.copy()
    noisy.iloc[-1] = -0.01
    assert flagged(noisy) == flagged(tumours)


def test_an_empty_sample_is_left_to_its_own_flag(tumours: pd.DataFrame) -> None:
    assert flagged(tumours.assign(P03=0.0, P04=np.nan)).keys() == {"P01", "P02"}


def test_composition_notes_flag_degraded_rna(demo_counts: pd.DataFrame) -> None:
    frame = whole(demo_counts)
    frame.iloc[1] = degraded(demo_counts).iloc[1]
    found = flagged(frame.T, ExpressionUnit.COUNTS)
    assert set(found) == {frame.index[1]}
    assert Code.DEGRADED_RNA in found[frame.index[1]]


def test_composition_notes_flag_an_unusual_length_slope(demo_tpm: pd.DataFrame) -> None:
    lengths = pd.Series(read_length_factors()).reindex(demo_tpm.columns).fillna(1000.0)
    frame = demo_tpm.copy()
    frame.iloc[0] /= lengths**1.3
    frame.iloc[1] *= lengths**2
    notes = dict(composition_notes(facts_of(frame.T), ExpressionUnit.TPM))
    assert set(notes) == set(frame.index[:2])
    assert "gene length" in in_english(notes[frame.index[0]])
