"""What the first screen lists, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from tests.report.conftest import made

from escape_score.model.notes import Code
from escape_score.model.record import AxisProfile, Call, EscapeProfile
from escape_score.report import render_sample
from escape_score.report.sample.cautions import cautions_of
from escape_score.report.sample.ranking import Strength, percentile_words, strength_of, strongest_first
from escape_score.report.sample.view import sample_view
from escape_score.report.text.i18n import translations
from escape_score.report.text.wording import unit_word

WORDS, FRENCH = translations("en"), translations("fr")
ProfileFactory = Callable[..., EscapeProfile]


def axis(make_profile: ProfileFactory, name: str, call: Call | None, beyond: float) -> AxisProfile:
    plain = make_profile().axes[3]
    return plain.model_copy(update={"axis": name, "call": call, "score": plain.threshold + beyond})


@pytest.mark.parametrize(
    ("call", "beyond", "strength"),
    [
        (Call.DETECTED, 1.01, Strength.STRONG),
        (Call.DETECTED, 0.99, Strength.MODERATE),
        (Call.BORDERLINE, 2.0, Strength.BORDERLINE),
        (Call.NOT_DETECTED, 2.0, None),
        (None, 2.0, None),
    ],
)
def test_strength_is_the_distance_beyond_the_threshold(
    call: Call | None, beyond: float, strength: Strength | None, make_profile: ProfileFactory
) -> None:
    assert strength_of(axis(make_profile, "a", call, beyond)) is strength


def test_decisive_losses_come_first_then_the_strongest(make_profile: ProfileFactory) -> None:
    axes = (
        axis(make_profile, "borderline", Call.BORDERLINE, 3.0),
        axis(make_profile, "moderate", Call.DETECTED, 0.2),
        axis(make_profile, "strong", Call.DETECTED, 1.2),
        axis(make_profile, "strongest", Call.DETECTED, 2.0),
        axis(make_profile, "decisive", Call.DETECTED, 0.1),
        axis(make_profile, "none", Call.NOT_DETECTED, -1.0),
    )
    assert [one.axis for one in strongest_first(axes, ("decisive",))] == [
        "decisive",
        "strongest",
        "strong",
        "moderate",
        "borderline",
    ]


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        (None, ""),
        (0.0, "percentile <1 of the 592 tumours of the reference"),
        (98.2, "percentile 98 of the 592 tumours of the reference"),
        (100.0, "percentile >99 of the 592 tumours of the reference"),
    ],
)
def test_percentile_is_a_sentence(percentile: float | None, said: str, make_profile: ProfileFactory) -> None:
    found = make_profile().axes[3].model_copy(update={"percentile": percentile})
    assert percentile_words(found, WORDS, is_cohort=False) == said


def test_first_screen_has_the_answer_and_folds_the_rest(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile())
    answer = html.partition('<section class="answer"')[2].partition("</section>")[0]
    ranked = re.findall(r'href="#mechanism-\d+"><b>(.*?)</b>', answer)
    assert ranked[0] == "MHC class I loss, one component"
    assert len(ranked) == 4
    outside = re.sub(r"<details.*?</details>", "", answer, flags=re.DOTALL)
    assert "log2" not in outside
    assert "<code>" not in outside
    assert 'class="flags"' not in outside
    assert "<summary>Cautions (2)</summary>" in answer


def test_advice_shows_its_first_item_without_a_command(make_profile: ProfileFactory) -> None:
    advice = (made(Code.MORE_EVALUABLE, "fit", least=20), made(Code.MORE_EVALUABLE, "type"))
    reference = make_profile().reference.model_copy(update={"advice": advice})
    for words, lang in ((WORDS, "en"), (FRENCH, "fr")):
        profile = make_profile(reference=reference, flags=())
        found = sample_view(profile, words).advice
        assert found is not None
        assert "escape-score" not in found.first
        assert found.first.endswith(".")
        assert render_sample(profile, lang=lang).count("escape-score reference fit") == 1


def test_cautions_are_said_once_the_most_severe_first() -> None:
    error, caution = made(Code.SAMPLE_EMPTY, "zero"), made(Code.REFERENCE_DISTANT, name="r")
    found = cautions_of((caution, caution, error), (made(Code.WITHHELD, "percentiles"),), WORDS)
    assert [one.code for one in found] == ["sample_empty", "reference_distant", ""]


def test_usual_caution_of_the_input_is_not_among_the_cautions(make_profile: ProfileFactory) -> None:
    view = sample_view(make_profile(flags=(made(Code.UNITS_SUSPECT, "not_whole"),)), WORDS)
    assert view.cautions == ()
    assert [one.code for one in view.notes] == ["units_suspect"]


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "The unit of the input is probably wrong"), ("fr", "Unité d’entrée probablement incorrecte")],
)
def test_wrong_unit_is_on_the_first_screen(lang: str, said: str, make_profile: ProfileFactory) -> None:
    wrong = made(Code.UNITS_SUSPECT, "sums", sums="3e6 to 4e6")
    profile = make_profile(flags=(wrong,))
    view = sample_view(profile, translations(lang))
    html = render_sample(profile, lang=lang)
    below = html.partition('<p class="headline">')[2].partition("</p>")[2].lstrip()
    assert below.startswith(f'<p class="caution"><strong>{said} (')
    assert unit_word(profile.input.unit, translations(lang)) in below.partition("</p>")[0]
    assert view.advice is not None
    assert "3e6 to 4e6" in view.advice.items[0]
    assert "units_suspect" not in [one.code for one in view.cautions]
    assert html.count("3e6 to 4e6") == 1
    assert said not in render_sample(make_profile(), lang=lang)


@pytest.mark.parametrize("kind", ["not_whole", "below_zero", "signals"])
def test_other_doubts_about_values_do_not_question_the_unit(kind: str, make_profile: ProfileFactory) -> None:
    flag = made(Code.UNITS_SUSPECT, kind, n=3, lowest=-1.0, unit="array")
    assert sample_view(make_profile(flags=(flag,)), WORDS).verdict.unit == ""


def test_decisive_defect_counts_more_than_a_low_index(make_profile: ProfileFactory) -> None:
    base = make_profile()
    said = "A decisive defect was detected. It counts more than the index."
    for score, decisive, is_said in ((19.0, True, True), (50.0, True, False), (19.0, False, False)):
        profile = make_profile(
            index=base.index.model_copy(update={"score": score}),
            decisive_mechanisms=base.decisive_mechanisms if decisive else (),
        )
        assert (said in render_sample(profile)) is is_said


def test_headline_names_decisive_losses_in_the_order_of_the_list(make_profile: ProfileFactory) -> None:
    names = ("mhc1_loss", "mhc1_weakest_link")
    beyond = dict(zip(names, (0.1, 2.0), strict=True))
    axes = tuple(
        one.model_copy(update={"call": Call.DETECTED, "score": one.threshold + beyond[one.axis]})
        if one.axis in beyond
        else one
        for one in make_profile().axes
    )
    view = sample_view(make_profile(axes=axes, decisive_mechanisms=names), WORDS)
    titles = [one.title for one in view.ranking[:2]]
    assert titles == ["MHC class I loss, one component", "MHC class I loss, whole chain"]
    places = [view.verdict.headline.index(title) for title in titles]
    assert places == sorted(places)


def test_legend_says_how_a_mechanism_without_interval_is_called(make_profile: ProfileFactory) -> None:
    said = "A mechanism without an interval is judged by its score."
    base = make_profile()
    interval = next(one.interval for one in base.axes if one.interval is not None)
    known = tuple(one.model_copy(update={"interval": one.interval or interval}) for one in base.axes)
    without = tuple(
        one.model_copy(update={"interval": None}) if one.call is Call.DETECTED else one for one in known
    )
    assert said not in render_sample(make_profile(axes=known))
    assert said in render_sample(make_profile(axes=without))


def test_one_reason_of_several_mechanisms_is_one_line(empty_profile: EscapeProfile) -> None:
    reason = made(Code.CALL, "coverage", n=1, score=0.0)
    axes = tuple(one.model_copy(update={"call_reason": reason}) for one in empty_profile.axes)
    view = sample_view(empty_profile.model_copy(update={"axes": axes}), WORDS)
    fold = view.folds[0]
    n = sum(one.call is Call.NOT_EVALUABLE for one in axes)
    assert [len(one.mechanisms) for one in fold.reasons] == [n]
    assert fold.summary == f"Not evaluable ({n}):"


def test_tumour_types_are_in_the_language_of_the_page(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile(metadata={"cancer_type": "breast cancer"}), lang="fr")
    header = html.partition("</header>")[0]
    assert "cancer du sein" in header
    assert "adénocarcinome colorectal" in header
