"""What joins the parts of a profile: calls know where a loss would be hidden."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from escape_score.model.axes import Axis
from escape_score.model.record import Archetype, Call, Phenotype, Provenance
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile import RecordMaker, build_context, profile_cohort, profile_scored, stage

PROVENANCE = Provenance(package_version="0", reference_sha256="", genesets_sha256="", seed=1)


def test_a_loss_that_would_not_show_is_not_called_absent(demo: Profiles) -> None:
    """The limit of detection of every second sample is set so low that no loss would reach the threshold."""
    context = demo.maker.context
    chain = context.class_one.chain
    assert chain is not None
    is_blind = np.arange(len(chain.z)) % 2 == 0
    blind = replace(chain, detectable_sd=np.where(is_blind, 0.4, chain.detectable_sd))
    found = profile_cohort(replace(context, class_one=replace(context.class_one, chain=blind)))
    usual, axis = demo.profiles.axis("mhc1_loss"), found.axis("mhc1_loss")
    is_absent = usual.call == Call.NOT_DETECTED.value
    assert (is_absent & is_blind).any()
    assert (axis.call[is_absent & is_blind] == Call.NOT_EVALUABLE.value).all()
    assert (axis.call[~(is_absent & is_blind)] == usual.call[~(is_absent & is_blind)]).all()
    np.testing.assert_array_equal(axis.score, usual.score)
    record = replace(demo.maker, profiles=found).record(int(np.flatnonzero(is_absent & is_blind)[0]))
    reason = next(axis.call_reason for axis in record.axes if axis.axis == "mhc1_loss")
    assert "would hardly be visible here" in in_english(reason)


def test_no_tumour_of_the_reference_hides_the_loss_of_the_chain(demo: Profiles) -> None:
    for axis in demo.profiles.axes:
        if axis.axis == "mhc1_loss":
            assert axis.is_hidden is not None
            assert not axis.is_hidden.any()
        else:
            assert axis.is_hidden is None


def test_links_of_a_chain_that_was_not_counted_say_nothing(demo: Profiles) -> None:
    context = demo.maker.context
    is_uncounted = np.arange(len(context.scores.sample_ids)) == 1
    infiltrate = replace(context.class_one.infiltrate, is_mhc1_unquantified=is_uncounted)
    class_one = replace(context.class_one, infiltrate=infiltrate)
    found = profile_cohort(replace(context, class_one=class_one)).axis("mhc1_weakest_link").links
    usual = demo.profiles.axis("mhc1_weakest_link").links
    assert found is not None
    assert usual is not None
    assert np.isnan(found.z[1]).all()
    assert np.isnan(found.detectable_sd[1]).all()
    assert not found.is_evaluable[1].any()
    np.testing.assert_array_equal(found.z[~is_uncounted], usual.z[~is_uncounted])


def test_a_reference_without_the_class_one_model_judges_no_loss(demo: Profiles) -> None:
    context = demo.maker.context
    bare = replace(demo.reference, presentation=None)
    found = profile_cohort(build_context(demo.scores, bare, context.design))
    for axis in ("mhc1_loss", "mhc1_weakest_link"):
        assert np.isnan(found.axis(axis).score).all()
        assert found.axis(axis).links is None
        assert found.axis(axis).is_hidden is None
    np.testing.assert_array_equal(found.axis("stroma").score, demo.profiles.axis("stroma").score)


def test_an_axis_of_kind_mean_needs_a_definition_only(demo: Profiles) -> None:
    """Two components of which the reference knows location and spread make an axis; it has no percentile."""
    context = demo.maker.context
    catalogue = context.design.catalogue
    like = catalogue.axis("wnt").model_dump()
    terms = ({"name": "wnt"}, {"name": "cd8", "sign": -1})
    new = Axis.model_validate(like | {"axis": "wnt_without_cd8", "terms": terms})
    axes = (*catalogue.axes, new)
    design = replace(context.design, catalogue=catalogue.model_copy(update={"axes": axes}))
    found = profile_cohort(build_context(demo.scores, demo.reference, design))
    axis = found.axis("wnt_without_cd8")
    each = [context.standardised(term) for term in new.terms]
    np.testing.assert_allclose(axis.score, (each[0] + each[1]) / 2)
    assert (axis.bounds.low < axis.score).all()
    assert (axis.coverage == 1).all()
    assert np.isnan(axis.percentile).all()
    genes = RecordMaker(build_context(demo.scores, demo.reference, design), found, PROVENANCE)
    assert {gene.component for gene in genes.genes_of_axis[-1].members} == {"wnt", "cd8"}
    for before, after in zip(demo.profiles.axes, found.axes[:-1], strict=True):
        np.testing.assert_array_equal(before.score, after.score)
        np.testing.assert_array_equal(before.bounds.low, after.bounds.low)


def test_archetype_follows_the_axes_that_the_catalogue_names(demo: Profiles) -> None:
    context = demo.maker.context
    catalogue = context.design.catalogue
    always = catalogue.axis("wnt").model_copy(update={"threshold": -99.0})
    axes = tuple(always if axis.axis == "wnt" else axis for axis in catalogue.axes)
    named = catalogue.archetype.model_copy(update={"presentation": ("mhc1_loss", "wnt")})
    changed = catalogue.model_copy(update={"axes": axes, "archetype": named})
    found = profile_cohort(replace(context, design=replace(context.design, catalogue=changed)))
    is_other = (demo.profiles.phenotype != Phenotype.DESERT) & (found.axis("wnt").call == Call.DETECTED)
    assert is_other.any()
    assert (found.archetype[is_other] == Archetype.ANTIGEN_PRESENTATION_DEFICIENT).all()
    np.testing.assert_array_equal(found.phenotype, demo.profiles.phenotype)


@pytest.mark.parametrize("n", [1, 7, 59, 60])
def test_profiles_of_some_samples_at_a_time_are_those_of_all_at_once(
    demo: Profiles, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    monkeypatch.setattr(stage, "SAMPLES_AT_A_TIME", n)
    context = demo.maker.context
    found = profile_scored(demo.scores, demo.reference, context.design)
    whole = profile_cohort(build_context(demo.scores, demo.reference, context.design))
    assert_same(found, whole)


def assert_same(found: object, wanted: object) -> None:
    """Equal in every column to the last bit, through objects in objects."""
    assert type(found) is type(wanted)
    if isinstance(wanted, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    elif is_dataclass(wanted) and not isinstance(wanted, type):
        for one in fields(wanted):
            assert_same(getattr(found, one.name), getattr(wanted, one.name))
    elif isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        for one, other in zip(found, wanted, strict=True):
            assert_same(one, other)
    else:
        assert found == wanted
