from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from tests.report.conftest import made

from escape_score.model.notes import Code, Severity
from escape_score.model.record import (
    ApproachRecord,
    AxisChange,
    AxisProfile,
    Call,
    EscapeProfile,
    EvidenceLevel,
    GeneEvidence,
    Interval,
    LinkRecord,
    NoteRecord,
    PairedChange,
)
from escape_score.report import render_sample
from escape_score.report.facts import sheet_facts
from escape_score.report.sample.approaches import ApproachGroup
from escape_score.report.sample.view import Mechanism, link_name, link_statement, sample_view, score_drawing
from escape_score.report.text.i18n import translations

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]


def axis_of(profile: EscapeProfile, name: str) -> AxisProfile:
    return next(axis for axis in profile.axes if axis.axis == name)


def test_sample_view_is_frozen(make_profile: ProfileFactory) -> None:
    view = sample_view(make_profile(), WORDS)
    with pytest.raises(FrozenInstanceError):
        view.uncounted = "other"  # type: ignore[misc]


def test_sample_view_shows_every_mechanism_once_detected_ones_first(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    groups = sample_view(profile, WORDS).groups
    titles = [row.axis.title for rows in groups.values() for row in rows]
    assert sorted(titles) == sorted(axis.title for axis in profile.axes)
    assert {call: {row.axis.call for row in rows} for call, rows in groups.items()} == {
        call: {call} for call in (*Call, None)
    }
    assert list(groups) == [
        Call.DETECTED,
        Call.BORDERLINE,
        Call.NOT_DETECTED,
        Call.NOT_EVALUABLE,
        None,
    ]
    assert titles[0] == "MHC class I loss, one component"


def test_page_leaves_out_a_call_that_no_mechanism_has(empty_profile: EscapeProfile) -> None:
    groups = sample_view(empty_profile, WORDS).groups
    assert [call for call, rows in groups.items() if rows] == [Call.NOT_EVALUABLE, None]
    html = render_sample(empty_profile)
    assert [
        summary.partition(" (")[0] for summary in re.findall(r'class="rest">\n<summary>(.*?):', html)
    ] == [
        "Not evaluable",
        "Descriptive only",
    ]
    assert '<table class="mechanisms stacked"' not in html


def test_sample_view_shows_approaches_with_their_mechanism(make_profile: ProfileFactory) -> None:
    approach = ApproachRecord(
        mechanism="exclusion",
        approach="stroma and TGF-β",
        statement="Seen in mice.",
        level=EvidenceLevel.LABORATORY,
        citation="Tauriello 2018, Nature",
        doi="10.1038/nature25492",
    )
    view = sample_view(make_profile(approaches=(approach,)), WORDS)
    shown = {row.axis.title: row.approaches for row in view.groups[Call.DETECTED] if row.approaches}
    assert shown == {"Exclusion of effector cells by stroma": (ApproachGroup("", (approach,)),)}
    html = render_sample(make_profile(approaches=(approach,)))
    assert html.count('<span class="level">laboratory or animals</span>') == 1


def test_sample_view_counts_calls(make_profile: ProfileFactory) -> None:
    assert [len(rows) for rows in sample_view(make_profile(), WORDS).groups.values()] == [3, 1, 12, 5, 2]
    counts = re.search(r'<dl class="tiles counts">(.*?)</dl>', render_sample(make_profile()), re.DOTALL)
    assert counts is not None
    assert re.findall(r"<dd>(\d+)</dd>", counts[1]) == ["3", "1", "12", "5"]


def test_sample_view_parts_flags_that_matter_from_bookkeeping(make_profile: ProfileFactory) -> None:
    unknown = NoteRecord(code="not_known_yet", severity=Severity.CAUTION)
    flags = (made(Code.RENAMED_SYMBOLS, n=1, names=["a"]), unknown)
    view = sample_view(make_profile(flags=flags), WORDS)
    assert [flag.code for flag in view.flags] == ["not_known_yet"]
    assert [flag.code for flag in view.notes] == ["renamed_symbols"]


@pytest.mark.parametrize(("fraction", "is_beyond"), [(None, False), (0.8, False), (0.81, True)])
def test_sample_view_marks_a_high_leukocyte_fraction(
    make_profile: ProfileFactory, fraction: float | None, is_beyond: bool
) -> None:
    view = sample_view(make_profile(leukocyte_fraction=fraction), WORDS)
    assert view.is_beyond_leukocyte_limit is is_beyond


def test_sample_view_titles_index_blocks_like_their_mechanisms(make_profile: ProfileFactory) -> None:
    title, block = sample_view(make_profile(), WORDS).blocks[0]
    assert (title, block.weight, block.score) == ("Lack of effector T cells", 0.5, 1.64)


def test_sheet_facts_write_values_in_words() -> None:
    facts = sheet_facts({"msi": True, "tmb": 7.25, "site": "liver"}, WORDS)
    assert [(fact.label, fact.value) for fact in facts] == [
        ("MSI", "yes"),
        ("TMB", "7.25"),
        ("Site", "liver"),
    ]


def test_page_writes_the_numbers_of_a_mechanism(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    number = [axis.axis for axis in profile.axes].index("mhc1_loss") + 1
    section = section_of(render_sample(profile), number)
    said = re.findall(r"<dd>([^<]*)", section)
    assert said[:5] == ["+0.96", "[0.5, 1.5]", "[0.6, 1.4]", "+1.50", "87 (n = 592) "]
    assert said[-2:] == ["+1.46", "90 %"]
    assert "not detected</span>" in section


def test_page_says_in_words_what_is_not_evaluable(empty_profile: EscapeProfile) -> None:
    number = [axis.axis for axis in empty_profile.axes].index("stroma") + 1
    said = re.findall(r"<dd>([^<]*)", section_of(render_sample(empty_profile), number))
    assert said[:3] == ["not evaluable", "no interval", "no interval"]
    assert "no percentile " in said
    assert score_drawing(Mechanism(empty_profile.axes[0], None, "", ()), WORDS) == ""


def section_of(html: str, number: int) -> str:
    """The folded details of a mechanism."""
    return html.partition(f'id="mechanism-{number}"')[2].partition("</section>")[0]


@pytest.mark.parametrize(
    ("n_genes", "more"), [(0, []), (3, []), (8, ["and 5 more"]), (12, ["and 9 more", "4 more genes"])]
)
def test_page_counts_genes_left_out(make_profile: ProfileFactory, n_genes: int, more: list[str]) -> None:
    gene = GeneEvidence(gene_symbol="TAP1", component="mhc1", z=-2.04, log2_tpm=3.1, direction=-1)
    changed = {"evidence": (gene,) * n_genes, "opposing": (), "call": Call.DETECTED}
    html = render_sample(
        make_profile(axes=(axis_of(make_profile(), "mhc1_loss").model_copy(update=changed),))
    )
    assert re.findall(r'class="more">(and \d more|\d more genes)', html) == more
    assert html.count("<i>TAP1</i>&nbsp;−2.0") == min(n_genes, 3)
    assert html.count(">TAP1</th><td>mhc1</td>") == min(n_genes, 8)


@pytest.mark.parametrize(
    ("is_suspected", "kinds", "said"),
    [
        (None, (), None),
        (False, (), None),
        (True, (), "Confirm MSI or mismatch repair by an assay."),
        (True, ("stable_but_seen",), "Confirm MSI or mismatch repair by an assay."),
        (True, ("high",), "The RNA is consistent with this: MLH1 and EPM2AIP1 are low"),
        (False, ("high", "high_not_seen"), ""),
    ],
)
def test_sample_view_puts_mismatch_repair_above_everything(
    make_profile: ProfileFactory, is_suspected: bool | None, kinds: tuple[str, ...], said: str | None
) -> None:
    notes = tuple(made(Code.MSI, kind, given="MSI-H") for kind in kinds)
    profile = make_profile(msi_suspected=is_suspected, notes=notes)
    view, html = sample_view(profile, WORDS), render_sample(profile)
    assert ('<aside class="msi"' in html) is (said is not None)
    assert view.remarks == ()
    if said is None:
        assert view.msi is None
        return
    assert view.msi is not None
    assert view.msi.notes == notes
    assert said in view.msi.text
    assert html.index('class="msi"') < html.index('class="headline"')


def test_sample_view_names_decisive_losses_that_the_index_does_not_count(
    make_profile: ProfileFactory, empty_profile: EscapeProfile
) -> None:
    decisive = ("mhc1_loss", "mhc1_weakest_link")
    view = sample_view(make_profile(decisive_mechanisms=decisive), WORDS)
    assert view.uncounted == "The index does not count: MHC class I loss, one component."
    assert sample_view(make_profile(decisive_mechanisms=()), WORDS).uncounted == ""
    no_index = make_profile(decisive_mechanisms=decisive, index=empty_profile.index)
    assert sample_view(no_index, WORDS).uncounted == ""


def test_page_gives_no_class_of_a_provisional_profile(
    make_profile: ProfileFactory, empty_profile: EscapeProfile, matched_profile: EscapeProfile
) -> None:
    shown = [sample_view(one, WORDS) for one in (make_profile(), empty_profile, matched_profile)]
    assert [(view.phenotype, view.archetype) for view in shown] == [
        ("not given", "not given"),
        ("not evaluable", "not evaluable"),
        ("inflamed", "inflamed"),
    ]


def test_page_shows_adjusted_values_only_where_the_score_is_adjusted(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile())
    numbers = {axis.axis: at for at, axis in enumerate(make_profile().axes, start=1)}
    assert ">Adjusted</th>" in section_of(html, numbers["exclusion"])
    assert ">Adjusted</th>" not in section_of(html, numbers["stroma"])


def test_page_shows_what_only_describes_the_tumour_without_a_threshold(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile())
    assert html.count("descriptive only</span>") == 2
    assert "Descriptive only (2):" in html
    section = section_of(html, 1)
    assert "Descriptive only; no call is made." in section
    assert "Detected from" not in section
    axis = make_profile().axes[0]
    drawing = score_drawing(Mechanism(axis, axis.interval, "", ()), WORDS)
    assert drawing
    assert "threshold" not in drawing


def test_sample_view_says_the_reason_once(empty_profile: EscapeProfile) -> None:
    view = sample_view(empty_profile, WORDS)
    assert view.verdict.reason_flag == "sample_empty"
    assert view.flags == ()


def link(name: str, z: float | None, detectable: float | None, *, is_evaluable: bool) -> LinkRecord:
    return LinkRecord(link=name, z=z, detectable_sd=detectable, is_evaluable=is_evaluable)


@pytest.mark.parametrize(
    ("record", "name", "statement"),
    [
        (
            link("B2M", 0.31, 2.54, is_evaluable=True),
            "B2M",
            "A five-fold loss of B2M could be detected in this sample.",
        ),
        (
            link("TAP1+TAP2", -0.04, 0.61, is_evaluable=False),
            "TAP1 and TAP2 together",
            "A five-fold loss of TAP1 and TAP2 together could not be detected reliably in this "
            "sample. A loss is therefore not excluded.",
        ),
        (
            link("HLA-A", None, None, is_evaluable=False),
            "HLA-A",
            "HLA-A was not measured, or its expected level is not known. Its loss cannot be assessed.",
        ),
    ],
)
def test_link_statement_says_whether_a_loss_could_be_seen(
    record: LinkRecord, name: str, statement: str
) -> None:
    assert (link_name(record, WORDS), link_statement(record, WORDS)) == (name, statement)


def test_page_has_the_links_only_where_there_are_any(make_profile: ProfileFactory) -> None:
    profile = make_profile()
    links = (link("B2M", 0.31, 2.54, is_evaluable=True),)
    axes = tuple(
        axis.model_copy(update={"links": links if axis.axis == "mhc1_weakest_link" else ()})
        for axis in profile.axes
    )
    for lang, sentence in {
        "en": "A five-fold loss of B2M could be detected in this sample.",
        "fr": "Une perte d’un facteur cinq de B2M serait détectable dans cet échantillon.",
    }.items():
        assert render_sample(make_profile(axes=axes), lang=lang).count(sentence) == 1
    assert "five-fold loss of B2M" not in render_sample(profile)


CHANGE = PairedChange(
    earlier_sample_id="<b>S1</b>",
    earlier_timepoint="baseline",
    timepoint="week 6",
    index=AxisChange(axis="immunoresistance_index", delta=-12.0, interval=Interval(low=-20, high=-4)),
    axes=(
        AxisChange(axis="stroma", delta=0.5, interval=Interval(low=-0.1, high=1.1)),
        AxisChange(axis="mhc1_weakest_link", delta=1.0, interval=None),
    ),
)


def test_sample_view_names_changes(make_profile: ProfileFactory) -> None:
    (changes,) = sample_view(make_profile(changes=(CHANGE,)), WORDS).changes
    assert changes.caption == "Since <b>S1</b> (baseline to week 6)"
    assert changes.rows[1] == ("TGF-beta and matrix programme", CHANGE.axes[0])


def test_page_says_which_changes_are_clear(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile(changes=(CHANGE,))).partition("Since &lt;b&gt;S1")[2]
    shown = re.findall(r'<td class="number">(.*?)</td>', html.partition("</table>")[0])
    assert shown == ["<b>−12.00</b>", "[−20.0, −4.0]", "+0.50", "[−0.1, 1.1]", "+1.00", "no interval"]


def test_page_shows_changes_remarks_and_percentile_intervals(make_profile: ProfileFactory) -> None:
    plain = make_profile()
    axis = plain.axes[3].model_copy(update={"percentile_interval": Interval(low=38, high=55)})
    reference = plain.reference.model_copy(
        update={"withheld": (made(Code.WITHHELD, "percentiles"),), "untrusted_genes": ("HLA-A",)}
    )
    said = make_profile(
        changes=(CHANGE,),
        notes=(made(Code.MSI, "high", given="<MSS>"),),
        axes=(*plain.axes[:3], axis, *plain.axes[4:]),
        reference=reference,
    )
    page = render_sample(said)
    for text in (
        "Change since earlier samples of this patient",
        "Since &lt;b&gt;S1&lt;/b&gt; (baseline to week 6)",
        "Microsatellite status in the sample sheet: &lt;MSS&gt;.",
        "Percentiles and index are not given.",
        "Left out by the reference",
        "90 % interval [38, 55]",
    ):
        assert text in page
    assert "Change since earlier samples" not in render_sample(plain)


@pytest.mark.parametrize(
    ("is_declared", "kind", "said"),
    [
        (True, "declared", "(declared)"),
        (False, "layout", "(stated by the file)"),
        (False, "tpm", "(inferred from the numbers)"),
    ],
)
def test_page_says_where_the_unit_is_from(
    is_declared: bool, kind: str, said: str, make_profile: ProfileFactory
) -> None:
    profile = make_profile()
    evidence = profile.input.unit_evidence
    source = profile.input.model_copy(
        update={
            "unit_is_declared": is_declared,
            "unit_evidence": evidence.model_copy(
                update={"params": {**evidence.params, "kind": kind, "unit": "tpm"}}
            ),
        }
    )
    assert said in render_sample(profile.model_copy(update={"input": source}))
