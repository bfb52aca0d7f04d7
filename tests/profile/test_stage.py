"""What joins the parts of a profile: calls know where a loss would be hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from escape_score.model.axes import Axis
from escape_score.model.record import Archetype, Call, Phenotype, Provenance
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.profile import RecordMaker, build_context, profile_cohort

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
