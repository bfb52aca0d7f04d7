"""One lost link: named where it can be seen, not evaluable where it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.model.cohort import Cohort, FloatArray
from escape_score.model.profiles import AxisValues, LinkScores
from escape_score.model.record import Call
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.mhc.axes import link_losses
from escape_score.profile.mhc.presentation import PresentationState

LIMITS = load_thresholds().links
PAIRS = load_axis_catalogue().class_one.lost_together
NEAR = np.array([0.0])
CHAIN = ("B2M", "HLA-A", "HLA-B", "HLA-C", "TAP1", "TAP2", "TAPBP")
StateOf = Callable[..., PresentationState]


def losses_of(state: PresentationState, excess: FloatArray = NEAR) -> tuple[AxisValues, LinkScores]:
    """What is found, and its links."""
    found = link_losses(state, CHAIN, excess, LIMITS, lost_together=PAIRS)
    assert found.links is not None
    return found, found.links


@pytest.mark.parametrize("gene", CHAIN)
def test_a_lost_link_is_named(gene: str, state_of: StateOf) -> None:
    found, links = losses_of(state_of({gene: -3.0}))
    assert found.weakest_gene.tolist() == [gene]
    k = links.names.index(gene)
    expected = links.z[0, k] - LIMITS.link_shift_weight * links.detectable_sd[0, k]
    assert found.score[0] >= expected > 1.0


def test_a_lost_transporter_is_named_by_its_lower_half(state_of: StateOf) -> None:
    found, links = losses_of(state_of({"TAP1": -2.0, "TAP2": -2.5}))
    pair, ranked = links.names.index("TAP1+TAP2"), links.z[0]
    assert ranked[pair] == ranked.max()
    lower = max(("TAP1", "TAP2"), key=lambda gene: ranked[links.names.index(gene)])
    assert found.weakest_gene.tolist() == [lower]


def test_a_whole_chain_that_is_down_is_no_weak_link(state_of: StateOf) -> None:
    down = dict.fromkeys(state_of().gene_symbols, -1.5)
    whole = losses_of(state_of(down))[0].score[0]
    single = losses_of(state_of({"HLA-A": -1.5}))[0].score[0]
    assert whole < single


@pytest.mark.parametrize(
    ("unit", "excess", "is_evaluable"),
    [(5.0, 0.0, True), (5.0, 0.59, True), (5.0, 0.6, False), (500.0, 0.0, False), (math.nan, 0.0, False)],
)
def test_link_losses_where_a_loss_could_not_be_seen(
    unit: float, excess: float, *, is_evaluable: bool, state_of: StateOf
) -> None:
    found, links = losses_of(state_of(unit=unit, excess=excess), np.array([excess]))
    assert np.isfinite(found.score).tolist() == [is_evaluable]
    assert (found.weakest_gene[0] != "") == is_evaluable
    assert links.is_evaluable.any() == is_evaluable


def test_link_losses_need_four_links(state_of: StateOf) -> None:
    for n_missing, is_known in ((3, True), (4, False)):
        state = state_of(dict.fromkeys(CHAIN[:n_missing], math.nan))
        found, links = losses_of(state)
        assert np.isfinite(found.score[0]) == is_known
        assert found.coverage[0] == pytest.approx((7 - n_missing) / 7)
        assert not links.is_evaluable[0, :n_missing].any()


@pytest.mark.parametrize("gene", ["HLA-B", "TAP1", "HLA-A"])
def test_a_lost_gene_is_detected_in_a_cohort(
    gene: str,
    demo_tpm: pd.DataFrame,
    *,
    make_cohort: Callable[..., Cohort],
    run_engine: Callable[..., Profiles],
) -> None:
    lost = demo_tpm.copy()
    lost[gene] /= 200
    axis = run_engine(make_cohort(lost)).profiles.axis("mhc1_weakest_link")
    assert axis.weakest_gene.tolist() == [gene] * 8
    assert axis.call.tolist() == [Call.DETECTED] * 8


def test_links_of_a_sample_do_not_depend_on_its_company(
    demo: Profiles,
    demo_tpm: pd.DataFrame,
    *,
    make_cohort: Callable[..., Cohort],
    run_engine: Callable[..., Profiles],
) -> None:
    together = run_engine(make_cohort(demo_tpm)).profiles.axis("mhc1_weakest_link")
    for row in range(3):
        alone = run_engine(make_cohort(demo_tpm.iloc[[row]])).profiles.axis("mhc1_weakest_link")
        assert alone.links is not None
        assert together.links is not None
        assert alone.score[0] == together.score[row]
        np.testing.assert_array_equal(alone.links.z[0], together.links.z[row])
        np.testing.assert_array_equal(alone.links.detectable_sd[0], together.links.detectable_sd[row])
    assert demo.profiles.axis("ifng_machinery").links is None
