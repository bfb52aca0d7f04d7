from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.report.conftest import ParsedPage, made

from escape_score.model.notes import Code
from escape_score.model.record import Call, EscapeProfile, Status
from escape_score.report.cohort.view import cohort_view
from escape_score.report.render import render_cohort
from escape_score.report.text.i18n import translations
from escape_score.report.text.numbers import format_score

WORDS = translations("en")
ProfileFactory = Callable[..., EscapeProfile]


def test_cohort_view_counts_samples_by_status(sample_profiles: tuple[EscapeProfile, ...]) -> None:
    view = cohort_view(sample_profiles, WORDS)
    assert view.headline == "4 samples: 1 reference-matched, 2 provisional, 1 not evaluable."
    assert [(tally.label, tally.n_samples) for tally in view.phenotypes] == [
        ("not evaluable", 3),
        ("inflamed", 1),
    ]


def test_cohort_page_names_a_wrong_unit_on_top(make_profile: ProfileFactory) -> None:
    wrong = made(Code.UNITS_SUSPECT, "sums", sums="3e6 to 4e6")
    suspect = make_profile("A", flags=(wrong,))
    assert cohort_view([make_profile("B", flags=())], WORDS).units == ()
    (line,) = cohort_view([suspect], WORDS).units
    assert line.startswith("The unit of the input is probably wrong (")
    (line,) = cohort_view([suspect, make_profile("B", flags=())], WORDS).units
    assert line.endswith("(1 of 2 samples)")
    head = (
        render_cohort([suspect]).partition('<p class="headline">')[2].partition('<section class="samples"')[0]
    )
    assert "<strong>The unit of the input is probably wrong (" in head


def test_cohort_that_is_its_own_reference_is_described_as_such(make_profile: ProfileFactory) -> None:
    reference = make_profile().reference.model_copy(update={"is_cohort": True})
    own = [make_profile(f"S{at}", status=Status.COHORT_RELATIVE, reference=reference) for at in range(1200)]
    view = cohort_view(own, WORDS)
    assert view.headline == "1,200 samples, each compared with this cohort itself."
    assert view.match_title == "Match with its reference (this cohort)"
    mixed = cohort_view([*own[:2], make_profile("other")], WORDS)
    assert mixed.headline == "3 samples: 2 cohort-relative, 1 provisional."
    assert mixed.match_title == "Match with the reference"


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "Each sample counts: "),
        ({"patient_id": "P"}, "One sample per patient. The sample sheet gives no time points."),
        ({"timepoint": "pre"}, "Only samples before treatment, where the sample sheet gives a time point."),
        (
            {"patient_id": "P", "timepoint": "pre"},
            "One sample per patient, before treatment where the sample sheet gives a time point.",
        ),
    ],
)
def test_cohort_view_says_of_the_samples_that_count_what_the_sheet_has(
    metadata: dict[str, str], said: str, make_profile: ProfileFactory
) -> None:
    assert cohort_view([make_profile(metadata=metadata)], WORDS).counted.startswith(said)


def test_filter_of_detected_mechanisms_has_only_those_that_are_called(make_profile: ProfileFactory) -> None:
    _, chosen = render_cohort([make_profile()]).split('<select name="d">')
    options, _ = chosen.split("</select>", 1)
    assert "TGF-beta and matrix programme" in options
    assert "Loss of tumour antigens" not in options


def test_cohort_view_reads_an_iterator_once(make_profile: ProfileFactory) -> None:
    view = cohort_view((make_profile(f"S{number}") for number in range(3)), WORDS)
    assert [row.sample_id for row in view.rows] == ["S0", "S1", "S2"]


def test_cohort_view_links_rows_to_slugs(hostile_profile: EscapeProfile) -> None:
    (row,) = cohort_view([hostile_profile], WORDS).rows
    assert row.page == f"samples/{hostile_profile.slug}.html"
    assert row.sample_id == '<script>alert(1)</script>"\\u202egnp.exe'


def test_cohort_view_sums_up_each_mechanism(
    make_profile: ProfileFactory, empty_profile: EscapeProfile
) -> None:
    profile = make_profile()
    shifted = tuple(
        axis.model_copy(update={"score": None if axis.score is None else axis.score + 1})
        for axis in profile.axes
    )
    view = cohort_view([profile, make_profile("other", axes=shifted), empty_profile], WORDS)
    stroma = next(item for item in view.mechanisms if item.title == "TGF-beta and matrix programme")
    assert [stroma.calls[call] for call in Call] == [0, 2, 0, 1]
    assert format_score(stroma.median, WORDS) == "+1.88"


def test_cohort_view_counts_no_call_of_what_only_describes(
    make_profile: ProfileFactory, parse_page: Callable[[str], ParsedPage]
) -> None:
    (antigens, *_) = cohort_view([make_profile()], WORDS).mechanisms
    assert (antigens.title, antigens.calls.total()) == ("Loss of tumour antigens", 0)
    assert antigens.median == make_profile().axes[0].score
    text = parse_page(render_cohort([make_profile()])).text
    assert "Loss of tumour antigens Antigens – – – –" in text


def test_cohort_view_has_no_median_of_nothing(empty_profile: EscapeProfile) -> None:
    assert {item.median for item in cohort_view([empty_profile], WORDS).mechanisms} == {None}


def test_cohort_view_tells_flags_that_differ_between_samples(make_profile: ProfileFactory) -> None:
    profiles = [
        make_profile(name, flags=(made(Code.FEW_GENES, n=n_genes, n_all=20_000),))
        for name, n_genes in (("a", 900), ("b", 900), ("c", 700))
    ]
    (flag,) = cohort_view(profiles, WORDS).flags
    assert (flag.n_samples, flag.is_same_everywhere) == (3, False)
    assert flag.sentence.startswith("Only 900 of 20,000 genes")


def test_cohort_view_names_the_most_frequent_mechanisms(sample_profiles: tuple[EscapeProfile, ...]) -> None:
    """Borderline samples count as evaluable."""
    summary = cohort_view(sample_profiles, WORDS).summary
    assert "Lack of effector T cells (2 of 3)" in summary
    assert "TGF-beta" not in summary
    assert "TGF-beta and matrix programme (1 of 2)" in cohort_view(sample_profiles[:3], WORDS).summary


def test_cohort_view_of_no_samples_says_so() -> None:
    view = cohort_view([], WORDS, skipped=[("S1\u202e", "all values are missing")])
    assert (view.headline, view.summary) == ("No samples.", "There is no profile to show.")
    assert view.skipped[0][0] == "S1\\u202e"


def test_cohort_view_lists_every_origin(make_profile: ProfileFactory) -> None:
    other = make_profile().provenance.model_copy(update={"package_version": "0.2.0"})
    view = cohort_view([make_profile("a"), make_profile("b", provenance=other)], WORDS)
    versions = {fact.label: fact.value for fact in view.provenance}
    assert versions["Version of escape_score"] == "0.1.0, 0.2.0"


def test_cohort_view_links_no_page_that_is_missing(make_profile: Callable[..., EscapeProfile]) -> None:
    profiles = [make_profile("S1"), make_profile("S2")]
    view = cohort_view(profiles, WORDS, skipped=[("S2", "no page")])
    assert [bool(row.page) for row in view.rows] == [True, False]
    html = render_cohort(profiles, skipped=[("S2", "no page")])
    assert html.count('href="samples/') == 1
