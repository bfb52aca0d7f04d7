"""A page names the tumour type of every piece of evidence and keeps other types apart."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.record import ApproachRecord, Call, EscapeProfile, EvidenceLevel
from escape_score.profile.tumour_type import own_first
from escape_score.report import render_sample
from escape_score.report.sample.approaches import approach_groups, evidence_words
from escape_score.report.text.i18n import languages, translations

ProfileFactory = Callable[..., EscapeProfile]
HEADINGS = {
    "en": (
        "Seen in this tumour type",
        "Seen in other tumour types",
        "Seen in several tumour types or in the laboratory",
    ),
    "fr": (
        "Observé dans ce type de tumeur",
        "Observé dans d’autres types de tumeur",
        "Observé dans plusieurs types de tumeur ou au laboratoire",
    ),
}
APPROACHES = load_axis_catalogue().approaches


def approach(name: str, place: bool | None, **changes: object) -> ApproachRecord:
    fields: dict[str, object] = {
        "mechanism": "stroma",
        "approach": name,
        "statement": f"Seen {name}.",
        "level": EvidenceLevel.RANDOMISED_POSITIVE,
        "tumour_types": () if place is None else ("cutaneous melanoma",),
        "is_own_type": place,
        "citation": "One 2020, Journal",
        "doi": "10.1000/1",
    }
    return ApproachRecord.model_validate(fields | changes)


@pytest.mark.parametrize("lang", languages())
def test_groups_are_in_order_and_have_a_heading(lang: str) -> None:
    items = [approach("a", None), approach("b", False), approach("c", True), approach("d", False)]
    groups = approach_groups(items, translations(lang))
    assert tuple(group.heading for group in groups) == HEADINGS[lang]
    assert [[item.approach for item in group.approaches] for group in groups] == [["c"], ["b", "d"], ["a"]]


def test_without_a_type_to_compare_there_is_one_group_and_no_heading() -> None:
    items = (approach("a", None), approach("b", None, tumour_types=("melanoma",)))
    groups = approach_groups(items, translations("en"))
    assert [(group.heading, group.approaches) for group in groups] == [("", items)]
    assert approach_groups([], translations("en")) == ()


@pytest.mark.parametrize(
    ("lang", "types", "setting", "text"),
    [
        ("en", ("cutaneous melanoma",), "", "randomised trial, positive, cutaneous melanoma"),
        (
            "en",
            ("colorectal adenocarcinoma",),
            "first line, metastatic",
            "randomised trial, positive, colorectal adenocarcinoma (first line, metastatic)",
        ),
        (
            "fr",
            ("colorectal adenocarcinoma", "cutaneous melanoma"),
            "first line, metastatic",
            "essai randomisé, positif, adénocarcinome colorectal, mélanome cutané "
            "(première ligne, métastatique)",
        ),
        ("en", (), "", "randomised trial, positive"),
        ("en", (), "advanced", "randomised trial, positive (advanced)"),
        ("fr", ("<b>flu",), "", 'essai randomisé, positif, <span lang="en">&lt;b&gt;flu</span>'),
    ],
)
def test_a_badge_names_level_type_and_setting(
    lang: str, types: tuple[str, ...], setting: str, text: str
) -> None:
    item = approach("a", None, tumour_types=types, setting=setting)
    assert evidence_words(item, translations(lang)) == text


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("own", ["COADREAD", "SKCM", "NSCLC", "UVM", "PRAD"])
def test_a_page_shows_no_evidence_of_another_type_as_its_own(
    make_profile: ProfileFactory, lang: str, own: str
) -> None:
    approaches = own_first(APPROACHES, frozenset({own}))
    html = render_sample(make_profile(approaches=approaches), lang=lang)
    words, types = translations(lang), load_tumour_types()
    name_of = {words.find(name) or name: one for one, name in types.names.items()}
    lists = re.findall(r'(?:<h4>([^<]*)</h4>\s*)?<ul class="approaches">(.*?)</ul>', html, re.DOTALL)
    assert lists
    for heading, items in lists:
        for badge in re.findall(r'<span class="level">(.*?)</span><br>', items):
            named = {
                one for name, one in name_of.items() if re.search(f", {re.escape(name)}(?=,| \\(|$)", badge)
            }
            place = types.agree({own}, named) if named else None
            if heading or named:
                assert heading == HEADINGS[lang][(True, False, None).index(place)], badge


def test_a_page_without_a_known_type_still_names_the_type_of_the_evidence(
    make_profile: ProfileFactory,
) -> None:
    own = own_first(APPROACHES, frozenset())
    detected = make_profile().axes
    shown = next(
        item
        for item in own
        if item.tumour_types
        and any(axis.axis == item.mechanism and axis.call is Call.DETECTED for axis in detected)
    )
    html = render_sample(make_profile(approaches=own))
    assert "<h4>" not in html.partition('class="meanings"')[2].partition("</section>")[0]
    words = evidence_words(shown, translations("en"))
    assert shown.tumour_types[0] in words
    assert f'<span class="level">{words}</span>' in html
