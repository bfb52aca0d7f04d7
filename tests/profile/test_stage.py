"""What joins the parts of a profile: calls know where a loss would be hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from escape_score.model.record import Call
from escape_score.pipeline.outputs import ProfiledCohort
from escape_score.profile.stage import profile_cohort


def test_a_loss_that_would_not_show_is_not_called_absent(demo: ProfiledCohort) -> None:
    """The limit of detection of every second sample is set so low that no loss would reach the threshold."""
    context = demo.maker.context
    chain = context.terms.chain
    assert chain is not None
    is_blind = np.arange(len(chain.z)) % 2 == 0
    blind = replace(chain, detectable_sd=np.where(is_blind, 0.4, chain.detectable_sd))
    found = profile_cohort(replace(context, terms=replace(context.terms, chain=blind)))
    usual, axis = demo.profiles.axis("mhc1_loss"), found.axis("mhc1_loss")
    is_absent = usual.call == Call.NOT_DETECTED.value
    assert (is_absent & is_blind).any()
    assert (axis.call[is_absent & is_blind] == Call.NOT_EVALUABLE.value).all()
    assert (axis.call[~(is_absent & is_blind)] == usual.call[~(is_absent & is_blind)]).all()
    np.testing.assert_array_equal(axis.score, usual.score)
    record = replace(demo.maker, profiles=found).record(int(np.flatnonzero(is_absent & is_blind)[0]))
    reason = next(axis.call_reason for axis in record.axes if axis.axis == "mhc1_loss")
    assert "would hardly show here" in reason


def test_no_tumour_of_the_reference_hides_the_loss_of_the_chain(demo: ProfiledCohort) -> None:
    for axis in demo.profiles.axes:
        if axis.axis == "mhc1_loss":
            assert axis.is_hidden is not None
            assert not axis.is_hidden.any()
        else:
            assert axis.is_hidden is None


def test_links_of_a_chain_that_was_not_counted_say_nothing(demo: ProfiledCohort) -> None:
    context = demo.maker.context
    is_uncounted = np.arange(len(context.scores.sample_ids)) == 1
    terms = replace(context.terms, is_mhc1_unquantified=is_uncounted)
    found = profile_cohort(replace(context, terms=terms)).axis("mhc1_weakest_link").links
    usual = demo.profiles.axis("mhc1_weakest_link").links
    assert found is not None
    assert usual is not None
    assert np.isnan(found.z[1]).all()
    assert np.isnan(found.detectable_sd[1]).all()
    assert not found.is_evaluable[1].any()
    np.testing.assert_array_equal(found.z[~is_uncounted], usual.z[~is_uncounted])
