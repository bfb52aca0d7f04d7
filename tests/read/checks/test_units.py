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
from tests.read.transformations import changed, cpm, estimated, log2_plus, normalised, rlog, voom, vst, whole

from escape_score.errors import UnitAmbiguousError, UnitContradictedError
from escape_score.model.notes import Code
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read.checks.units import UnitVerdict, decide_unit
from escape_score.reference.read import read_length_factors

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
    assert f"Values below 0, which count as 0: {is_negative.sum()} (" in in_english(verdict.notes[0])


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


# --- units that differ by gene length; frames are samples × genes of real tumours ---------------------------

MADE_OF_COUNTS: dict[str, tuple[Change, set[Code]]] = {
    "counts": (whole, set()),
    "estimated_counts": (estimated, set()),
    "normalised_counts": (normalised, {Code.UNITS_GUESSED}),
    "cpm": (cpm, {Code.UNITS_GUESSED}),
    "log2(cpm+1)": (lambda counts: log2_plus(1)(cpm(counts)), {Code.UNITS_GUESSED}),
    "tcga_rsem": (lambda counts: counts, set()),
    "log2(tcga_rsem+1)": (log2_plus(1), set()),
}


def decide_rows(frame: pd.DataFrame, unit: str = "auto") -> UnitVerdict:
    return decide(frame.T, unit)


@pytest.mark.parametrize("unit", MADE_OF_COUNTS)
@pytest.mark.parametrize("n_samples", [8, 1])
def test_decide_unit_knows_values_that_grow_with_gene_length(
    demo_counts: pd.DataFrame, unit: str, n_samples: int
) -> None:
    change, flags = MADE_OF_COUNTS[unit]
    frame = change(demo_counts).iloc[:n_samples]
    verdict = decide_rows(frame)
    assert (verdict.decision.unit, flags_of(verdict)) == (unit, flags)
    assert flags_of(decide_rows(frame, unit)) == set()


@pytest.mark.parametrize("unit", ["tpm", "log2(x+1)", "log2(x+0.001)", "ln(x+1)", "fpkm"])
def test_decide_unit_knows_values_divided_by_gene_length(demo_tpm: pd.DataFrame, unit: str) -> None:
    frame = UNITS[unit](demo_tpm.iloc[:4].T).T
    verdict = decide_rows(frame)
    assert (verdict.decision.unit, flags_of(verdict)) == (
        unit,
        {Code.UNITS_GUESSED} if unit == "fpkm" else set(),
    )


@pytest.mark.parametrize("scale", [1e6, 1e4])
def test_decide_unit_says_when_tpm_or_cpm_is_open(demo_tpm: pd.DataFrame, scale: float) -> None:
    lengths = pd.Series(read_length_factors()).reindex(demo_tpm.columns).fillna(1000.0)
    between = demo_tpm * np.sqrt(lengths)
    between = between.div(between.sum(axis=1), axis=0) * scale
    verdict = decide_rows(between)
    assert (verdict.decision.unit, flags_of(verdict)) == ("tpm", {Code.UNITS_GUESSED})


def test_decide_unit_refuses_large_sums_of_unclear_length_bias(demo_tpm: pd.DataFrame) -> None:
    lengths = pd.Series(read_length_factors()).reindex(demo_tpm.columns).fillna(1000.0)
    with pytest.raises(UnitAmbiguousError, match="normalised_counts, estimated_counts or fpkm"):
        decide_rows((demo_tpm * np.sqrt(lengths)).mul(np.linspace(1, 2, len(demo_tpm)), axis=0))


def test_decide_unit_flags_umi_counts_read_as_counts(demo_tpm: pd.DataFrame) -> None:
    umi = (demo_tpm * 2).round()
    for declared in ("auto", "counts"):
        verdict = decide_rows(umi, declared)
        assert (verdict.decision.unit, flags_of(verdict)) == ("counts", {Code.UNITS_SUSPECT})
        assert "use --units umi" in in_english(verdict.notes[0])
    assert flags_of(decide_rows(umi, "umi")) == set()
    with pytest.raises(UnitContradictedError, match="3' counts are whole numbers"):
        decide_rows(demo_tpm * 3.3, "umi")


@pytest.mark.parametrize(
    ("change", "declared", "fitting"),
    [
        (cpm, "tpm", "cpm"),
        (normalised, "fpkm", "estimated_counts, normalised_counts, tcga_rsem"),
        (lambda counts: log2_plus(1)(cpm(counts)), "log2(x+1)", "log2(cpm+1), log2(tcga_rsem+1)"),
        (vst, "log2(x+1)", "log2(cpm+1), log2(tcga_rsem+1)"),
        (whole, "umi", "counts"),
    ],
)
def test_decide_unit_flags_length_bias_in_a_unit_without(
    demo_counts: pd.DataFrame, change: Change, declared: str, fitting: str
) -> None:
    verdict = decide_rows(change(demo_counts), declared)
    assert flags_of(verdict) == {Code.UNITS_SUSPECT}
    assert in_english(verdict.notes[0]).endswith(f"These fit: {fitting}.")


@pytest.mark.parametrize(
    ("unit", "declared", "fitting"),
    [("tpm", "cpm", "tpm"), ("log2(x+1)", "log2(cpm+1)", "log2(x+1)"), ("fpkm", "tcga_rsem", "tpm, fpkm")],
)
def test_decide_unit_flags_a_length_bias_that_is_not_there(
    demo_tpm: pd.DataFrame, unit: str, declared: str, fitting: str
) -> None:
    verdict = decide_rows(UNITS[unit](demo_tpm.iloc[:4].T).T, declared)
    assert flags_of(verdict) == {Code.UNITS_SUSPECT}
    assert in_english(verdict.notes[0]).endswith(f"These fit: {fitting}.")


@pytest.mark.parametrize(
    ("change", "declared", "said"),
    [
        (whole, "fpkm", "whole numbers.*--units counts"),
        (cpm, "estimated_counts", "adds up to 1e6.*--units cpm"),
        (normalised, "cpm", "sums far above 1e6.*normalised_counts"),
        (lambda c: log2_plus(1)(normalised(c)), "log2(cpm+1)", "far above 1e6.*normalised_counts"),
        (lambda c: log2_plus(1)(whole(c)), "log2(x+1)", r"2\^x - 1 gives whole numbers.*--units counts"),
        (lambda c: changed(c, np.log1p(whole(c))), "ln(x+1)", r"e\^x - 1 gives whole numbers"),
        (lambda c: c.rank(axis=1), "counts", "spread like ranks"),
        (lambda c: c.rank(axis=1, pct=True) * 100, "tpm", "spread like ranks"),
        (rlog, "log2(x+1)", "too many negative"),
        (voom, "log2(cpm+1)", "too many negative.*give the matrix before the logarithm"),
    ],
)
def test_decide_unit_refuses_what_other_programs_make_of_counts(
    demo_counts: pd.DataFrame, change: Change, declared: str, said: str
) -> None:
    with pytest.raises(UnitContradictedError, match=said):
        decide_rows(change(demo_counts), declared)
    if change not in (whole, cpm, normalised):
        with pytest.raises(UnitAmbiguousError):
            decide_rows(change(demo_counts))


def test_decide_unit_names_the_pseudocount_of_a_logarithm(demo_tpm: pd.DataFrame) -> None:
    logs = log2_plus(0.25)(demo_tpm)
    with pytest.raises(UnitAmbiguousError, match=r"are at -2 = log2\(0.25\): undo it as 2\^x - 0.25"):
        decide_rows(logs)
    with pytest.raises(
        UnitContradictedError, match=r"undo it as 2\^x - 0.25 and declare the result with --units"
    ):
        decide_rows(logs, "log2(x+1)")


def test_decide_unit_does_not_choose_between_panels_of_nanostring_and_of_sequencing(
    demo_tpm: pd.DataFrame,
) -> None:
    panel = whole(demo_tpm.T.iloc[::30]).clip(lower=0)
    assert decide(panel).decision.unit == "counts"
    with pytest.raises(
        UnitAmbiguousError, match=r"none of them 0.*declare it with --units: nanostring or counts"
    ):
        decide(panel + 12)
    for unit in ("nanostring", "counts"):
        assert decide(panel + 12, unit).decision.unit == unit


def test_decide_unit_refuses_counts_among_other_samples(
    demo_counts: pd.DataFrame, demo_tpm: pd.DataFrame
) -> None:
    frame = demo_tpm.mul(np.linspace(0.5, 2, len(demo_tpm)), axis=0)
    frame.iloc[2] = (demo_tpm.iloc[2] * 20).round()
    with pytest.raises(UnitAmbiguousError, match=f"mixed units: '{frame.index[2]}' hold whole numbers"):
        decide_rows(frame)


def test_decide_unit_flags_sums_behind_a_logarithm(demo_tpm: pd.DataFrame) -> None:
    verdict = decide_rows(log2_plus(1)(demo_tpm * 3.3), "log2(x+1)")
    assert flags_of(verdict) == {Code.UNITS_SUSPECT}
    assert "TPM add up to 1e6" in in_english(verdict.notes[0])
