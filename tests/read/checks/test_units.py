"""Units told by the numbers, and declared units that the numbers contradict."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.read.matrices import facts_of

from escape_score.errors import UnitAmbiguousError, UnitContradictedError
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read.checks.units import UnitVerdict, decide_unit

MakeFrame = Callable[..., pd.DataFrame]
Change = Callable[[pd.DataFrame], pd.DataFrame]
Array = npt.NDArray[np.float64]

SCALES = np.array([0.4, 1.7, 3.1, 0.9])


def mapped(frame: pd.DataFrame, change: Callable[[Array], Array]) -> pd.DataFrame:
    """The frame with its values changed."""
    return pd.DataFrame(change(frame.to_numpy(dtype=float)), index=frame.index, columns=frame.columns)


UNITS: dict[str, Change] = {
    "tpm": lambda tpm: tpm,
    "counts": lambda tpm: (tpm * 20 * SCALES).round(),
    "fpkm": lambda tpm: tpm * SCALES,
    "log2(x+1)": lambda tpm: mapped(tpm + 1, np.log2),
    "log2(x+0.001)": lambda tpm: mapped(tpm + 0.001, np.log2),
    "ln(x+1)": lambda tpm: mapped(tpm, np.log1p),
}


def decide(frame: pd.DataFrame, unit: str = "auto") -> UnitVerdict:
    return decide_unit(facts_of(frame), ExpressionUnit(unit))


def flags_of(verdict: UnitVerdict) -> set[Code]:
    return {note.code for note in verdict.notes}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n_samples", [4, 1])
def test_decide_unit_tells_unit_of_transcriptome(make_tpm: MakeFrame, unit: str, n_samples: int) -> None:
    frame = UNITS[unit](make_tpm(n_genes=6_000)).iloc[:, :n_samples]
    verdict = decide(frame)
    assert verdict.decision.unit == unit
    assert not verdict.decision.is_declared
    assert flags_of(verdict) == ({Code.UNITS_GUESSED} if unit == "fpkm" else set())


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n_genes", [6_000, 150])
def test_decide_unit_accepts_right_declaration(make_tpm: MakeFrame, unit: str, n_genes: int) -> None:
    frame = UNITS[unit](make_tpm(n_genes=6_000)).iloc[:n_genes]
    verdict = decide(frame, unit)
    assert (verdict.decision.unit, verdict.decision.is_declared) == (unit, True)
    assert flags_of(verdict) == set()


@settings(max_examples=40)
@given(
    unit=st.sampled_from(sorted(UNITS)),
    n_genes=st.integers(30, 3_000),
    n_samples=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_decide_unit_never_takes_a_panel_for_another_log(
    make_tpm: MakeFrame, unit: str, n_genes: int, n_samples: int, seed: int
) -> None:
    chosen = np.random.default_rng(seed).choice(6_000, n_genes, replace=False)
    frame = UNITS[unit](make_tpm(n_genes=6_000)).iloc[chosen, :n_samples]
    decide(frame, unit)
    try:
        decided = decide(frame).decision.unit
    except UnitAmbiguousError:
        return
    assert decided == unit or not (decided.is_log or ExpressionUnit(unit).is_log)


@pytest.mark.parametrize(
    ("true", "declared"),
    [
        ("tpm", "counts"),
        ("tpm", "log2(x+1)"),
        ("tpm", "log2(x+0.001)"),
        ("tpm", "ln(x+1)"),
        ("counts", "tpm"),
        ("counts", "log2(x+1)"),
        ("fpkm", "ln(x+1)"),
        ("log2(x+1)", "tpm"),
        ("log2(x+1)", "counts"),
        ("log2(x+1)", "ln(x+1)"),
        ("log2(x+1)", "log2(x+0.001)"),
        ("log2(x+0.001)", "log2(x+1)"),
        ("log2(x+0.001)", "fpkm"),
        ("log2(x+0.001)", "array"),
        ("ln(x+1)", "log2(x+1)"),
        ("ln(x+1)", "fpkm"),
    ],
)
def test_decide_unit_refuses_wrong_declaration(make_tpm: MakeFrame, true: str, declared: str) -> None:
    with pytest.raises(UnitContradictedError, match=r"m\.tsv: declared unit .* contradicts the numbers"):
        decide(UNITS[true](make_tpm(n_genes=6_000)), declared)


@pytest.mark.parametrize("unit", [unit for unit in ExpressionUnit if unit is not ExpressionUnit.AUTO])
def test_decide_unit_refuses_zscores_whatever_is_declared(make_tpm: MakeFrame, unit: str) -> None:
    logs = mapped(make_tpm() + 1, np.log2)
    zscores = logs.sub(logs.mean(axis=1), axis=0).div(logs.std(axis=1) + 1e-9, axis=0)
    with pytest.raises(UnitContradictedError, match="z-scored"):
        decide(zscores, unit)
    with pytest.raises(UnitAmbiguousError, match="z-scored"):
        decide(zscores)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tpm: mapped(tpm + 1, np.log10), r"log10\(x\+1\), which is not read"),
        (lambda tpm: mapped(tpm + 1, np.log2).iloc[:200], "no single one fits"),
        (lambda tpm: mapped(tpm + 0.5, np.log2), "the lowest not"),
        (lambda tpm: tpm * 0, "no sample holds two different values"),
        (lambda tpm: tpm - tpm.median(axis=1).median() * 50, "too many negative values"),
        (lambda tpm: tpm.assign(P01=np.log2(tpm["P01"] + 1)), "mixed units: 'P01' look like log"),
        (lambda tpm: tpm.assign(P01=tpm["P01"] * 7), "mixed units: 'P00', 'P02', 'P03' add up"),
    ],
)
def test_decide_unit_refuses_to_guess(make_tpm: MakeFrame, change: Change, said: str) -> None:
    with pytest.raises(UnitAmbiguousError, match=said):
        decide(change(make_tpm(n_genes=6_000)))


def test_decide_unit_refuses_declared_unit_of_mixture(make_tpm: MakeFrame) -> None:
    tpm = make_tpm(n_genes=6_000)
    with pytest.raises(UnitContradictedError, match="mixed units: 'P01'"):
        decide(tpm.assign(P01=np.log2(tpm["P01"] + 1)), "tpm")
    assert flags_of(decide(tpm.assign(P01=tpm["P01"] * 7), "tpm")) == {Code.MIXED_UNITS}


def test_decide_unit_undoes_single_cell_scale(make_tpm: MakeFrame) -> None:
    assert (
        decide(mapped(make_tpm(n_genes=6_000), lambda tpm: np.log1p(tpm / 100))).decision.unit
        is ExpressionUnit.LN_PLUS_1
    )


def test_decide_unit_tells_tpm_that_lost_genes(make_tpm: MakeFrame) -> None:
    tpm = make_tpm(n_genes=6_000)
    verdict = decide(tpm.loc[tpm.max(axis=1) < tpm.to_numpy().max() / 3])
    assert verdict.decision.unit is ExpressionUnit.TPM
    assert flags_of(verdict) == {Code.UNITS_GUESSED}


def test_decide_unit_leaves_samples_with_missing_values_out(make_tpm: MakeFrame) -> None:
    tpm = make_tpm(n_genes=6_000)
    tpm.iloc[:3_000, 1] = np.nan
    assert decide(tpm).decision.unit is ExpressionUnit.TPM


@pytest.mark.parametrize(
    ("fraction", "depth", "is_allowed"),
    [(0.005, 0.01, True), (0.03, 1e-4, True), (0.03, 10.0, False), (0.08, 1e-4, False)],
)
def test_decide_unit_allows_few_tiny_negatives(
    make_tpm: MakeFrame, fraction: float, depth: float, is_allowed: bool
) -> None:
    tpm = make_tpm(n_genes=6_000)
    is_negative = np.random.default_rng(2).random(tpm.shape) < fraction
    tpm = tpm.mask(is_negative, -depth)
    if not is_allowed:
        with pytest.raises(UnitContradictedError, match="too many negative"):
            decide(tpm, "fpkm")
        return
    verdict = decide(tpm, "fpkm")
    assert flags_of(verdict) == {Code.UNITS_SUSPECT}
    assert f"{is_negative.sum()} values are below 0" in in_english(verdict.notes[0])


@pytest.mark.parametrize("unit", ["array", "nanostring"])
@pytest.mark.parametrize("scale", [1.0, 4_000.0])
def test_decide_unit_accepts_arrays_in_either_scale(unit: str, scale: float) -> None:
    values = np.random.default_rng(3).uniform(2, 14, (300, 3)) * scale
    frame = pd.DataFrame(values, index=[f"G{at}" for at in range(300)], columns=list("ABC"))
    assert decide(frame, unit).decision.unit == unit


@pytest.mark.parametrize("unit", ["tpm", "counts"])
def test_decide_unit_flags_odd_declaration(make_tpm: MakeFrame, unit: str) -> None:
    assert flags_of(decide(make_tpm(n_genes=6_000) * 3 * SCALES, unit)) == {Code.UNITS_SUSPECT}


def test_decide_unit_evidence_has_figures(make_tpm: MakeFrame) -> None:
    assert "sums of samples 1e+06" in in_english(decide(make_tpm(n_genes=6_000)).decision.evidence)
