from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from tests.report.conftest import made

from escape_score.model.notes import Code, Severity
from escape_score.model.record import (
    ApproachRecord,
    AxisProfile,
    Call,
    EscapeProfile,
    EvidenceLevel,
    GeneEvidence,
    NoteRecord,
)
from escape_score.report.sample.mechanisms import mechanism_view
from escape_score.report.sample.view import sample_view
from escape_score.report.text.i18n import translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]


def axis_of(profile: EscapeProfile, name: str) -> AxisProfile:
    return next(axis for axis in profile.axes if axis.axis == name)


def test_sample_view_is_frozen(make_profile: ProfileFactory) -> None:
    view = sample_view(make_profile(), WORDS)
    with pytest.raises(FrozenInstanceError):
        view.sample_id = "other"  # type: ignore[misc]


def test_sample_view_shows_every_mechanism_once_detected_ones_first(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    view = sample_view(profile, WORDS)
    titles = [row.title for group in view.groups for row in group.mechanisms]
    assert sorted(titles) == sorted(axis.title for axis in profile.axes)
    assert [group.call.word for group in view.groups] == ["detected", "not detected", "not evaluable"]
    assert view.groups[0].mechanisms[0].title == "MHC class I loss, one component"


def test_sample_view_leaves_out_a_call_that_no_mechanism_has(empty_profile: EscapeProfile) -> None:
    assert [group.call.word for group in sample_view(empty_profile, WORDS).groups] == ["not evaluable"]


def test_sample_view_shows_approaches_with_their_mechanism(make_profile: ProfileFactory) -> None:
    approach = ApproachRecord(
        mechanism="stroma",
        approach="stroma and TGF-β",
        statement="Seen in mice.",
        level=EvidenceLevel.LABORATORY,
        citation="Tauriello 2018, Nature",
        doi="10.1038/nature25492",
    )
    view = sample_view(make_profile(approaches=(approach,)), WORDS)
    shown = {row.title: [item.level for item in row.approaches] for row in view.detected if row.approaches}
    assert shown == {"TGF-beta and matrix programme": ["laboratory or animals"]}


def test_sample_view_counts_calls(make_profile: ProfileFactory) -> None:
    counts = sample_view(make_profile(), WORDS).counts
    assert (counts.n_detected, counts.n_not_detected, counts.n_not_evaluable) == (6, 13, 4)


def test_sample_view_parts_flags_that_matter_from_bookkeeping(make_profile: ProfileFactory) -> None:
    unknown = NoteRecord(code="not_known_yet", severity=Severity.CAUTION)
    flags = (made(Code.RENAMED_SYMBOLS, n=1, names=["a"]), unknown)
    view = sample_view(make_profile(flags=flags), WORDS)
    assert [flag.flag for flag in view.flags] == ["not_known_yet"]
    assert [flag.flag for flag in view.notes] == ["renamed_symbols"]


@pytest.mark.parametrize(("fraction", "is_beyond"), [(None, False), (0.8, False), (0.81, True)])
def test_sample_view_marks_a_high_leukocyte_fraction(
    make_profile: ProfileFactory, fraction: float | None, is_beyond: bool
) -> None:
    view = sample_view(make_profile(leukocyte_fraction=fraction), WORDS)
    assert view.is_beyond_leukocyte_limit is is_beyond


def test_sample_view_titles_index_blocks_like_their_mechanisms(make_profile: ProfileFactory) -> None:
    block = sample_view(make_profile(), WORDS).index.blocks[0]
    assert (block.title, block.weight, block.score) == ("Lack of effector T cells", "0.5", "+1.64")


def test_sample_view_writes_sheet_values_in_words(make_profile: ProfileFactory) -> None:
    sheet = sample_view(make_profile(metadata={"msi": True, "tmb": 7.25, "site": "liver"}), WORDS).sheet
    assert [(fact.label, fact.value) for fact in sheet] == [
        ("msi", "yes"),
        ("tmb", "7.25"),
        ("site", "liver"),
    ]


def test_mechanism_view_formats_the_record(make_profile: ProfileFactory) -> None:
    row = mechanism_view(axis_of(make_profile(), "mhc1_loss"), 13, WORDS)
    assert (row.score, row.interval, row.interval_within) == ("+0.96", "[-0.3, 2.3]", "[0.6, 1.4]")
    assert (row.raw_score, row.percentile, row.coverage) == ("+1.46", "P87 of 592", "90 %")
    assert (row.anchor, row.threshold, row.call.word) == ("mechanism-13", "+1.50", "not detected")


def test_mechanism_view_says_in_words_what_is_not_evaluable(empty_profile: EscapeProfile) -> None:
    row = mechanism_view(axis_of(empty_profile, "mhc1_loss"), 1, WORDS)
    assert (row.score, row.interval, row.percentile) == ("not evaluable", "no interval", "no percentile")
    assert row.bar == ""


@pytest.mark.parametrize(
    ("n_genes", "n_more_than_row", "n_more_than_details"), [(0, 0, 0), (3, 0, 0), (8, 5, 0), (12, 9, 4)]
)
def test_mechanism_view_counts_genes_left_out(
    make_profile: ProfileFactory, n_genes: int, n_more_than_row: int, n_more_than_details: int
) -> None:
    gene = GeneEvidence(gene_symbol="TAP1", component="mhc1", z=-2.04, log2_tpm=3.1, direction=-1)
    axis = axis_of(make_profile(), "mhc1_loss").model_copy(update={"evidence": (gene,) * n_genes})
    genes = mechanism_view(axis, 1, WORDS).evidence
    assert len(genes.in_row) + genes.n_more_than_row == n_genes
    assert (genes.n_more_than_row, genes.n_more_than_details) == (n_more_than_row, n_more_than_details)


@pytest.mark.parametrize(("score", "is_said"), [(2.0, True), (-0.3, False)])
def test_sample_view_says_beside_the_index_that_msi_outweighs_it(
    make_profile: ProfileFactory, score: float, is_said: bool
) -> None:
    axes = tuple(
        axis.model_copy(update={"score": score, "call": Call.DETECTED if is_said else Call.NOT_DETECTED})
        if axis.axis == "mmr_deficiency"
        else axis
        for axis in make_profile().axes
    )
    assert ("confirm MSI" in sample_view(make_profile(axes=axes), WORDS).override) is is_said


def test_sample_view_says_the_reason_once(empty_profile: EscapeProfile) -> None:
    view = sample_view(empty_profile, WORDS)
    assert view.verdict.reason_flag == "sample_empty"
    assert view.flags == ()
