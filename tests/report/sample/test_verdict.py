from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from escape_score.model.notes import Code, note
from escape_score.model.record import (
    Archetype,
    AxisProfile,
    Call,
    EscapeProfile,
    NoteRecord,
    Phenotype,
    ReferenceMatch,
    Status,
)
from escape_score.report.sample.verdict import STROMA_AXES, called_first, verdict_of
from escape_score.report.text.i18n import translations

WORDS = translations("en")
INFLAMED = "T cells and effector T cells together are higher than in most tumours of the reference (inflamed)"
ProfileFactory = Callable[..., EscapeProfile]


def called(profile: EscapeProfile, **calls: Call) -> EscapeProfile:
    """The profile with other calls of some axes."""
    axes = tuple(
        axis.model_copy(update={"call": calls.get(axis.axis, axis.call), "score": axis.score or 1.0})
        for axis in profile.axes
    )
    return profile.model_copy(update={"axes": axes})


def test_verdict_of_desert_says_it_once(matched_profile: EscapeProfile) -> None:
    desert = {"phenotype": Phenotype.DESERT, "archetype": Archetype.DESERT}
    assert verdict_of(matched_profile.model_copy(update=desert), WORDS).headline == (
        "This tumour has few T cells (immune desert)."
    )


def test_verdict_of_joins_phenotype_and_archetype(matched_profile: EscapeProfile) -> None:
    profile = matched_profile.model_copy(update={"archetype": Archetype.SUPPRESSIVE})
    assert verdict_of(profile, WORDS).headline == (f"{INFLAMED}; main finding: excess of suppressive cells.")


def test_verdict_of_leads_with_losses_that_suffice_alone(matched_profile: EscapeProfile) -> None:
    found = called(matched_profile, mhc1_loss=Call.DETECTED, mhc1_weakest_link=Call.DETECTED)
    one = found.model_copy(update={"decisive_mechanisms": ("mhc1_weakest_link",)})
    assert verdict_of(one, WORDS).headline == (
        "Defect detected that can cause immune escape on its own: MHC class I loss, one component (B2M). "
        f"{INFLAMED}."
    )
    two = found.model_copy(update={"decisive_mechanisms": ("mhc1_loss", "mhc1_weakest_link")})
    assert verdict_of(two, WORDS).headline.startswith(
        "Defects detected that can each cause immune escape on their own: MHC class I loss, whole chain; MHC"
    )


@pytest.mark.parametrize(
    ("calls", "sentence"),
    [
        *(
            ({**dict.fromkeys(STROMA_AXES, Call.NOT_DETECTED), name: call}, sentence)
            for name in STROMA_AXES
            for call, sentence in (
                (Call.DETECTED, "The stroma programme of this tumour is high relative to its T cells"),
                (Call.BORDERLINE, "The stroma programme of this tumour may be high relative to its T cells"),
            )
        ),
        (
            {"stroma": Call.NOT_DETECTED, "effector_absence": Call.DETECTED},
            "This tumour has few effector T cells, but is not an immune desert",
        ),
        (
            {"stroma": Call.NOT_EVALUABLE, "effector_absence": Call.BORDERLINE},
            "This tumour may have few effector T cells, but is not an immune desert",
        ),
        (
            {"stroma": Call.NOT_DETECTED},
            "This tumour has an intermediate level of T cells, which pathologists most often classify as",
        ),
    ],
)
def test_verdict_of_an_excluded_tumour_says_what_the_calls_permit(
    matched_profile: EscapeProfile, calls: dict[str, Call], sentence: str
) -> None:
    excluded = {"phenotype": Phenotype.EXCLUDED, "archetype": Archetype.EXCLUDED}
    profile = called(matched_profile.model_copy(update=excluded), **calls)
    assert verdict_of(profile, WORDS).headline.startswith(sentence)


def test_verdict_of_a_provisional_profile_names_no_phenotype(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(decisive_mechanisms=()), WORDS).headline == (
        "Phenotype and main mechanism are not given: levels of this sample are provisional."
    )
    assert verdict_of(make_profile(), WORDS).headline == (
        "Defect detected that can cause immune escape on its own: MHC class I loss, one component (B2M)."
    )


@pytest.mark.parametrize(
    ("phenotype", "archetype", "status"), list(product((*Phenotype, None), (*Archetype, None), Status))
)
def test_verdict_of_has_a_sentence_for_every_state(
    make_profile: ProfileFactory, phenotype: Phenotype | None, archetype: Archetype | None, status: Status
) -> None:
    verdict = verdict_of(make_profile(phenotype=phenotype, archetype=archetype, status=status), WORDS)
    assert all(part.endswith(".") and ".." not in part for part in (verdict.headline, verdict.findings))
    assert "None" not in verdict.text


def test_verdict_of_names_the_strongest_and_counts_the_rest(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(), WORDS).findings == (
        "3 of 16 evaluable mechanisms detected: MHC class I loss, one component (B2M, +4.62); "
        "Exclusion of effector cells by stroma (+1.81); Lack of effector T cells (+1.64). "
        "Borderline: TGF-beta and matrix programme (+1.38)."
    )
    more = called(make_profile(), stroma=Call.DETECTED, mdsc=Call.DETECTED)
    assert "; Lack of effector T cells (+1.64); and 2 more." in verdict_of(more, WORDS).findings


def test_verdict_of_says_what_is_usual_in_the_reference(
    make_profile: ProfileFactory, matched_profile: EscapeProfile
) -> None:
    sentence = "On average, 1.2 mechanisms are detected in a tumour of the reference."
    for profile, is_said in ((matched_profile, True), (make_profile(), False)):
        known = profile.reference.model_copy(update={"typical_detections": 1.2})
        said = verdict_of(profile.model_copy(update={"reference": known}), WORDS).findings
        assert (sentence in said) is is_said
        assert "On average" not in verdict_of(profile, WORDS).findings


def test_verdict_of_says_when_none_was_detected(make_profile: ProfileFactory) -> None:
    axes = tuple(axis for axis in make_profile().axes if axis.call is Call.NOT_DETECTED)
    assert verdict_of(make_profile(axes=axes), WORDS).findings == (
        "None of the 12 evaluable mechanisms was detected."
    )


def test_verdict_of_counts_no_axis_that_only_describes(make_profile: ProfileFactory) -> None:
    axes = tuple(axis for axis in make_profile().axes if axis.call is None)
    assert len(axes) == 2
    assert verdict_of(make_profile(axes=axes), WORDS).findings == "No mechanism is evaluable."


def test_verdict_of_explains_a_provisional_status(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(), WORDS).caution == (
        "Provisional: levels cannot be read in absolute terms because "
        "the sample differs from the reference tcga-crc-v1 (moderate match)."
    )


def test_verdict_of_names_lifted_low_values_and_not_the_distance(make_profile: ProfileFactory) -> None:
    profile = make_profile(status=Status.PROVISIONAL)
    reference = profile.reference.model_copy(update={"match": ReferenceMatch.POOR})
    found = NoteRecord.of(note(Code.FLOOR_SUSPECT, "silent", level=0.7))
    lifted = profile.model_copy(update={"reference": reference, "flags": (*profile.flags, found)})
    text = verdict_of(lifted, WORDS).caution
    assert "its low values are not those of its unit" in text
    assert "the sample is" not in text
    no_index = {"index": profile.index.model_copy(update={"score": None, "interval": None})}
    assert verdict_of(lifted.model_copy(update=no_index), WORDS).index == (
        "The immunoresistance index is not given: the low values of the sample are not those of its unit."
    )


def test_verdict_of_a_distant_sample_says_why_there_is_no_index(make_profile: ProfileFactory) -> None:
    plain = make_profile()
    reference = plain.reference.model_copy(update={"match": ReferenceMatch.POOR})
    index = plain.index.model_copy(update={"score": None, "interval": None})
    assert verdict_of(make_profile(reference=reference, index=index), WORDS).index == (
        "The immunoresistance index is not given: the sample is too far from the reference."
    )


def test_verdict_of_lists_every_reason_of_a_provisional_status(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    source = profile.input.model_copy(update={"is_targeted_panel": True, "unit": "nanostring"})
    caution = verdict_of(make_profile(input=source), WORDS).caution
    assert "targeted panel" in caution
    assert "NanoString values have another scale" in caution


def test_verdict_of_points_to_the_flags_where_the_record_has_no_other_reason(
    make_profile: ProfileFactory,
) -> None:
    reference = make_profile().reference.model_copy(update={"match": ReferenceMatch.GOOD})
    assert "because the flags below" in verdict_of(make_profile(reference=reference), WORDS).caution


def test_verdict_of_an_empty_sample_gives_the_reason(empty_profile: EscapeProfile) -> None:
    verdict = verdict_of(empty_profile, WORDS)
    assert verdict.text == (
        "This sample could not be evaluated. No mechanism is evaluable. "
        "The immunoresistance index is not evaluable."
    )
    assert verdict.caution == "Reason: All genes of this sample are 0; it is not scored."


def test_verdict_of_calls_the_index_exploratory(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(), WORDS).index == (
        "Immunoresistance index 73 of 100 (90 % interval [42, 97]), exploratory."
    )


def test_called_first_orders_by_score(make_profile: ProfileFactory) -> None:
    axes: tuple[AxisProfile, ...] = called_first(make_profile().axes)
    scores = [axis.score for axis in axes if axis.score is not None]
    assert {axis.call for axis in axes} == {Call.DETECTED}
    assert scores == sorted(scores, reverse=True)
