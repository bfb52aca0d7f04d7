"""Adjusted scores exist only where their denominator does, and follow their own genes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.library.axes import load_axis_catalogue, load_design, load_thresholds
from escape_score.model.axes import Axis, Contrast
from escape_score.model.cohort import Cohort
from escape_score.model.record import Call
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile.domain import Outside, count_above

MakeCohort = Callable[..., Cohort]
RunEngine = Callable[..., Profiles]

DESIGN, LIMITS = load_design(), load_thresholds().domain
CONTRASTS = {contrast.contrast: contrast for contrast in load_axis_catalogue().contrasts}
RATIOS = [
    axis for axis in load_axis_catalogue().axes if axis.terms and all(t.name in CONTRASTS for t in axis.terms)
]
SINGLE = [axis for axis in RATIOS if len({CONTRASTS[t.name].denominator for t in axis.terms}) == 1]


def own_genes(axis: Axis) -> list[str]:
    """Genes of the numerators that no denominator has."""
    parts = [CONTRASTS[term.name] for term in axis.terms]
    below = {gene for part in parts for gene in DESIGN.components[part.denominator]}
    return [g for part in parts for g in DESIGN.components[part.numerator] if g not in below]


def times(table: pd.DataFrame, genes: Iterable[str], factor: float) -> pd.DataFrame:
    """The table with some genes multiplied, those of them that it has."""
    changed = table.copy()
    changed[[gene for gene in genes if gene in table]] *= factor
    return changed


@pytest.fixture(scope="module")
def unchanged(demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine) -> Profiles:
    """Profiles of the tumours as they are."""
    return run_engine(make_cohort(demo_tpm))


@pytest.mark.parametrize("factor", [1.5, 64.0])
@pytest.mark.parametrize("axis", RATIOS, ids=lambda axis: axis.axis)
def test_no_score_falls_when_its_own_genes_rise(
    axis: Axis,
    factor: float,
    *,
    unchanged: Profiles,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
) -> None:
    more = times(demo_tpm, own_genes(axis), factor)
    before = unchanged.profiles.axis(axis.axis).score
    after = run_engine(make_cohort(more)).profiles.axis(axis.axis).score
    both = ~np.isnan(before) & ~np.isnan(after)
    assert both.sum() > 4
    assert (after[both] > before[both]).all()


@pytest.mark.parametrize("factor", [1.5, 16.0])
def test_the_loss_of_class_one_falls_when_its_genes_rise(
    factor: float,
    *,
    unchanged: Profiles,
    demo_tpm: pd.DataFrame,
    make_cohort: MakeCohort,
    run_engine: RunEngine,
) -> None:
    more = times(demo_tpm, DESIGN.components["mhc1"], factor)
    before = unchanged.profiles.axis("mhc1_loss")
    after = run_engine(make_cohort(more)).profiles.axis("mhc1_loss")
    both = ~np.isnan(before.score) & ~np.isnan(after.score)
    assert both.sum() > 4
    assert (after.score[both] < before.score[both]).all()


@pytest.mark.parametrize("axis", SINGLE, ids=lambda axis: axis.axis)
def test_no_score_exists_without_its_denominator(
    axis: Axis, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    contrast = CONTRASTS[axis.terms[0].name]
    none = times(demo_tpm, DESIGN.components[contrast.denominator], 0.0)
    result = run_engine(make_cohort(none))
    found = result.profiles.axis(axis.axis)
    assert np.isnan(found.score).all()
    assert set(found.found) == {Call.NOT_EVALUABLE}
    assert set(found.reason) == {Outside.FEW}
    reason = next(a.call_reason for a in result.maker.record(0).axes if a.axis == axis.axis)
    assert f"relative to {axis.adjusted_for}" in in_english(reason)


@pytest.mark.parametrize("contrast", [c for c in CONTRASTS.values() if c.beside], ids=lambda c: c.contrast)
def test_few_t_cells_among_many_leukocytes_are_no_denominator(
    contrast: Contrast, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    """Leukocytes rise, T cells stay as they are: their genes may then be those of other cells."""
    only = set(DESIGN.components[contrast.beside]) - set(DESIGN.components[contrast.denominator])
    many = times(demo_tpm, sorted(only), 32.0)
    outside = run_engine(make_cohort(many)).maker.context.outside[contrast.contrast]
    assert np.isin(outside, [Outside.FEW_BESIDE, Outside.FEW]).all()
    assert (outside == Outside.FEW_BESIDE).any()


def test_a_silent_numerator_is_never_above_the_centre(
    demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    """Few leukocytes and no granulocytes at all would give a high ratio, made of nothing."""
    cold = times(demo_tpm, DESIGN.components["leukocyte"], 0.2)
    cold = times(cold, DESIGN.components["mdsc"], 0.0)
    found = run_engine(make_cohort(cold))
    scores, outside = found.profiles.axis("mdsc"), found.maker.context.outside["mdsc_per_leukocyte"]
    assert (outside == Outside.SILENT).any()
    location, spread = found.reference.term_stats["mdsc_per_leukocyte"]
    known = ~np.isnan(scores.score)
    assert (scores.score[known] * spread + location <= max(location, 0)).all()


def test_interferon_beyond_the_reference_gives_no_loss(demo: Profiles) -> None:
    context = demo.maker.context
    beyond = np.full(len(demo.scores.sample_ids), LIMITS.most_interferon_z + 0.01)
    beyond[0] = LIMITS.most_interferon_z
    class_one = replace(context.class_one, interferon=beyond)
    assert class_one.is_uncovered.tolist() == [False] + [True] * 7


@settings(max_examples=50)
@given(level=st.floats(0, 3), row=st.integers(0, 7), name=st.sampled_from(["tcell", "cd8", "effector"]))
def test_count_above_counts_measured_genes_alone(level: float, row: int, name: str, demo: Profiles) -> None:
    members = DESIGN.components[name]
    values = demo.scores.genes.log2_tpm[row, demo.scores.genes.columns(members)].tolist()
    above, measured = count_above(demo.scores, members, level)
    assert (above[row], measured[row]) == (sum(value > level for value in values), len(values))


@pytest.mark.parametrize(("n_silent", "is_few"), [(0, False), (1, False), (2, True)])
def test_one_of_two_genes_is_enough_for_a_denominator(
    n_silent: int, is_few: bool, *, demo_tpm: pd.DataFrame, make_cohort: MakeCohort, run_engine: RunEngine
) -> None:
    fewer = demo_tpm.copy()
    fewer[list(DESIGN.components["cd8"])] = 5.0
    fewer[list(DESIGN.components["cd8"][:n_silent])] = 0.0
    outside = run_engine(make_cohort(fewer)).maker.context.outside["treg_per_cd8"]
    assert set(outside == Outside.FEW) == {is_few}
