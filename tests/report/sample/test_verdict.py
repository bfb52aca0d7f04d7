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
from escape_score.report.sample.verdict import detected_first, verdict_of
from escape_score.report.text.i18n import translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]


def test_verdict_of_desert_says_it_once(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(), WORDS).headline == "Few effector T cells reach this tumour (desert)."


def test_verdict_of_joins_phenotype_and_archetype(make_profile: ProfileFactory) -> None:
    profile = make_profile(phenotype=Phenotype.INFLAMED, archetype=Archetype.SUPPRESSIVE)
    assert verdict_of(profile, WORDS).headline == (
        "Effector T cells are present in this tumour (inflamed); main finding: excess of suppressive cells."
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
        "Detected, 6 of 19 evaluable mechanisms: MHC class I loss, one component (B2M, +4.62); "
        "Exclusion of effector cells by stroma (+1.81); Lack of effector T cells (+1.64); and 3 more."
    )


def test_verdict_of_says_when_none_was_detected(make_profile: ProfileFactory) -> None:
    axes = tuple(axis for axis in make_profile().axes if axis.call is Call.NOT_DETECTED)
    assert verdict_of(make_profile(axes=axes), WORDS).findings == (
        "None of the 13 evaluable mechanisms was detected."
    )


def test_verdict_of_explains_a_provisional_status(make_profile: ProfileFactory) -> None:
    assert verdict_of(make_profile(), WORDS).caution == (
        "Provisional: levels cannot be read in absolute terms because "
        "the sample lies 1.64 log2 from the reference tcga-crc-v1 (poor match)."
    )


def test_verdict_of_names_lifted_low_values_and_not_the_distance(make_profile: ProfileFactory) -> None:
    profile = make_profile(status=Status.PROVISIONAL)
    reference = profile.reference.model_copy(update={"match": ReferenceMatch.POOR})
    found = NoteRecord.of(note(Code.FLOOR_SUSPECT, "silent", level=0.7))
    lifted = profile.model_copy(update={"reference": reference, "flags": (*profile.flags, found)})
    text = verdict_of(lifted, WORDS).caution
    assert "its low values are not those of its unit" in text
    assert "the sample lies" not in text


def test_verdict_of_lists_every_reason_of_a_provisional_status(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    source = profile.input.model_copy(update={"is_targeted_panel": True, "unit": "nanostring"})
    caution = verdict_of(make_profile(input=source), WORDS).caution
    assert "targeted panel" in caution
    assert "nanostring values have another scale" in caution


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


def test_detected_first_orders_by_score(make_profile: ProfileFactory) -> None:
    axes: tuple[AxisProfile, ...] = detected_first(make_profile().axes)
    scores = [axis.score for axis in axes if axis.score is not None]
    assert {axis.call for axis in axes} == {Call.DETECTED}
    assert scores == sorted(scores, reverse=True)
