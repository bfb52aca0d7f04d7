"""No sentence of a page contradicts its calls, whatever the profile stage can give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
from tests.report.conftest import ParsedPage, made, make_index

from escape_score.library.axes import load_design
from escape_score.model.axes import Axis, AxisKind
from escape_score.model.notes import Code
from escape_score.model.profiles import AxisValues, Bounds
from escape_score.model.record import (
    Archetype,
    AxisProfile,
    Call,
    EscapeProfile,
    IndexBlock,
    IndexProfile,
    Interval,
    NoteRecord,
    Phenotype,
    ReferenceMatch,
    Status,
)
from escape_score.profile.archetype import (
    call_archetype,
    call_phenotype,
    msi_suspected,
    status_of,
    withheld_by,
)
from escape_score.profile.calls import Circumstances, call_axis, call_reason
from escape_score.profile.domain import Outside
from escape_score.report import render_sample
from escape_score.report.sample.verdict import STROMA_AXES
from escape_score.report.sample.view import SampleView, sample_view
from escape_score.report.text.i18n import Language, translate_record_text, translations

N_PROFILES, N_PAGES = 10_000, 30
DESIGN = load_design()
CATALOGUE = DESIGN.catalogue
POSSIBLE = {Call.DETECTED, Call.BORDERLINE}
EVALUABLE = (Call.DETECTED, Call.BORDERLINE, Call.NOT_DETECTED)
LEADING = {
    Archetype.ANTIGEN_PRESENTATION_DEFICIENT: CATALOGUE.archetype.presentation,
    Archetype.SUPPRESSIVE: CATALOGUE.archetype.suppressive,
    Archetype.EXHAUSTED: CATALOGUE.archetype.exhausted,
}
ProfileFactory = Callable[..., EscapeProfile]
Array = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
for_every_language = pytest.mark.parametrize("lang", ["en", "fr"])


NEAR = frozenset({Status.REFERENCE_MATCHED, Status.COHORT_RELATIVE})
"""States in which levels can be read."""


@dataclass(frozen=True)
class Phrases:
    """How a language says what must agree with the calls."""

    stroma: str
    maybe_stroma: str
    many: str
    few: str
    few_effectors: str
    maybe_few_effectors: str
    intermediate: str
    decisive: str
    not_given: str
    no_index: tuple[str, ...]
    none_detected: str
    detected: str
    borderline: str
    usual: str
    main_finding: dict[Archetype, str] = field(hash=False)


PHRASES = {
    "en": Phrases(
        stroma="stroma programme of this tumour is high",
        maybe_stroma="stroma programme of this tumour may be high",
        many="effector T cells together",
        few="few T cells",
        few_effectors="This tumour has few effector T cells",
        maybe_few_effectors="may have few effector T cells",
        intermediate="intermediate level of T cells",
        decisive="immune escape on",
        not_given="Phenotype and main mechanism are not given",
        no_index=("index is not given", "index is not evaluable"),
        none_detected="not detected.|None of the",
        detected="evaluable mechanisms detected: ",
        borderline="Borderline: ",
        usual="On average",
        main_finding={
            Archetype.ANTIGEN_PRESENTATION_DEFICIENT: "main finding: reduced antigen presentation",
            Archetype.SUPPRESSIVE: "main finding: excess of suppressive cells",
            Archetype.EXHAUSTED: "main finding: T-cell dysfunction",
        },
    ),
    "fr": Phrases(
        stroma="programme stromal de cette tumeur est élevé",
        maybe_stroma="programme stromal de cette tumeur est peut-être élevé",
        many="effecteurs réunis",
        few="peu de lymphocytes T (",
        few_effectors="contient peu de lymphocytes T effecteurs",
        maybe_few_effectors="contient peut-être peu de lymphocytes T effecteurs",
        intermediate="nombre intermédiaire de lymphocytes T",
        decisive="échappement immunitaire",
        not_given="Le phénotype et le mécanisme principal ne sont pas donnés",
        no_index=("n’est pas donné", "n’est pas évaluable"),
        none_detected="n’a pas été détecté|n’a été détecté",
        detected="évaluables\u00a0: ",
        borderline="À la ",
        usual="En moyenne",
        main_finding={
            Archetype.ANTIGEN_PRESENTATION_DEFICIENT: "résultat principal\u00a0: présentation",
            Archetype.SUPPRESSIVE: "résultat principal\u00a0: excès de cellules suppressives",
            Archetype.EXHAUSTED: "résultat principal\u00a0: dysfonction des lymphocytes T",
        },
    ),
}


DrawnAxis = tuple[Array, Array, Array, Texts, Texts]
"""Score, ends of the interval, call and reason."""


@dataclass(frozen=True)
class Draws:
    """Random samples: levels, and what the profile stage makes of them."""

    axes: dict[str, DrawnAxis]
    match: Texts
    lifted: npt.NDArray[np.bool_]
    index: Array
    phenotype: Texts
    archetype: Texts
    status: Texts
    relative: npt.NDArray[np.bool_]
    suspected: Texts


def drawn(n: int, seed: int) -> Draws:
    """Random scores, intervals and matches; calls, classes and status by the functions of the stage."""
    rng = np.random.default_rng(seed)
    lifted = rng.random(n) < 0.05
    match = rng.choice(["good", "moderate", "poor", ""], n, p=[0.7, 0.12, 0.12, 0.06]).astype(object)
    match[lifted & (match != "")] = "poor"
    # some tumours have nearly all mechanisms, some nearly none, some no score at all
    level, unplaced = rng.normal(0, 0.8, n), (match == "") & (rng.random(n) < 0.8)
    absent = rng.random(n) < 0.05
    effector, t_other = rng.normal(0, 1.2, n), rng.normal(0, 0.6, n)
    axes = {}
    for axis in CATALOGUE.axes:
        score = rng.normal(level, 1.3, n)
        if axis.axis == CATALOGUE.phenotype.lack:
            score = -effector.copy()
        score[(rng.random(n) < 0.06) | unplaced] = np.nan
        axes[axis.axis] = called(axis, score, rng, match=match, lifted=lifted, absent=absent)
    lack, stroma = axes[CATALOGUE.phenotype.lack], axes[CATALOGUE.phenotype.stroma]
    t_level = np.where(np.isnan(lack[0]), np.nan, (2 * effector + t_other) / 2)
    found = call_phenotype(t_level, stroma[0], lack[3], DESIGN.thresholds.phenotype)
    raw_index = np.where((rng.random(n) < 0.05) | unplaced, np.nan, rng.uniform(0, 100, n))
    relative = rng.random(n) < 0.4  # as in a cohort that is its own reference
    status = np.where(
        relative,
        status_of(match, raw_index, found, is_relative=True),
        status_of(match, raw_index, found, is_relative=False),
    )
    phenotype = np.where(np.isin(status, list(NEAR)), found, "")
    archetype = call_archetype(
        phenotype,
        **{
            name: np.any([axes[axis][3] == Call.DETECTED for axis in members], axis=0)
            for name, members in (
                ("exhaustion", CATALOGUE.archetype.exhausted),
                ("suppressive", CATALOGUE.archetype.suppressive),
                ("presentation", CATALOGUE.archetype.presentation),
            )
        },
    )
    return Draws(
        axes=axes,
        match=match,
        lifted=lifted,
        index=np.where(match == "poor", np.nan, raw_index),
        phenotype=phenotype,
        archetype=archetype,
        status=status,
        relative=relative,
        suspected=msi_suspected(axes[CATALOGUE.msi_proxy][3]),
    )


def called(
    axis: Axis,
    score: Array,
    rng: np.random.Generator,
    *,
    match: Texts,
    lifted: npt.NDArray[np.bool_],
    absent: npt.NDArray[np.bool_],
) -> DrawnAxis:
    """Score, ends of the interval, call and reason of one axis."""
    n = len(score)
    has_interval = axis.kind in (AxisKind.MEAN, AxisKind.CHAIN_LOSS)
    half = rng.exponential(0.6, n) + 0.05 if has_interval else np.full(n, np.nan)
    low, high = score - half, score + half
    outside = rng.choice(["", *Outside], n, p=[0.92, *[0.02] * 4]).astype(object)
    # only a score that is relative to other cells can be outside its domain
    outside = outside if axis.adjusted_for else np.full(n, "", dtype=object)
    score = np.where(outside != "", np.nan, score)
    is_class_one = axis.kind in (AxisKind.CHAIN_LOSS, AxisKind.LINK_LOSS)
    rare = (rng.random((2, n)) < 0.1) & is_class_one
    no_gene = np.full(n, "", dtype=object)
    values = AxisValues(score, np.ones(n), no_gene, is_hidden=rare[0], is_stand_in=rare[1])
    given = Circumstances(
        bounds=Bounds(low, high, low, high),
        match=match,
        raw_high=rng.normal(1.5, 1.5, n) if axis.raw_terms else np.full(n, np.nan),
        outside=outside,
        is_lifted=lifted,
        is_absent=absent,
    )
    return score, low, high, *call_axis(axis, values, given)


def known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def axis_of(axis: Axis, plain: AxisProfile, drawn_axis: DrawnAxis, row: int) -> AxisProfile:
    score, low, high = (values[row] for values in drawn_axis[:3])
    call, reason = (values[row] for values in drawn_axis[3:])
    interval = None if np.isnan(low) or np.isnan(score) else Interval(low=float(low), high=float(high))
    is_context = axis.is_context
    kind = "context" if is_context and call != Call.NOT_EVALUABLE else str(reason)
    return plain.model_copy(
        update={
            "score": known(score),
            "interval": interval,
            "call": None if is_context else Call(call),
            "call_reason": NoteRecord.of(call_reason(axis, kind, known(score), interval)),
            "weakest_gene": "B2M" if axis.chain and not np.isnan(score) else None,
        }
    )


def profiles(make_profile: ProfileFactory, n: int, seed: int) -> Iterator[EscapeProfile]:
    """Random profiles that the profile stage can give."""
    base, draws = make_profile(), drawn(n, seed)
    plain_axes = [axis.model_copy(update={"evidence": (), "opposing": ()}) for axis in base.axes]
    for row in range(n):
        axes = tuple(
            axis_of(axis, plain, draws.axes[axis.axis], row)
            for axis, plain in zip(CATALOGUE.axes, plain_axes, strict=True)
        )
        match = ReferenceMatch(draws.match[row]) if draws.match[row] else None
        is_relative = bool(draws.relative[row])
        calls = {axis.axis: axis.call for axis in axes}
        kinds: list[str] = [["high"], ["high", "high_not_seen"], ["stable_but_seen"], [], []][row % 5]
        suspected = {"yes": True, "no": False}.get(draws.suspected[row])
        kinds = [kind for kind in kinds if kind == "high" or suspected is (kind == "stable_but_seen")]
        yield base.model_copy(
            update={
                "axes": axes,
                "status": Status(draws.status[row]),
                "phenotype": Phenotype(draws.phenotype[row]) if draws.phenotype[row] else None,
                "archetype": Archetype(draws.archetype[row]) if draws.archetype[row] else None,
                "decisive_mechanisms": tuple(
                    name for name in CATALOGUE.decisive if calls[name] is Call.DETECTED
                ),
                "msi_suspected": suspected,
                "notes": tuple(made(Code.MSI, kind, given="MSI-H") for kind in kinds),
                "flags": (made(Code.FLOOR_SUSPECT, "silent", level=0.7),) if draws.lifted[row] else (),
                "index": index_of(draws.index[row]),
                "reference": base.reference.model_copy(
                    update={
                        "match": match,
                        "distance": None if match is None else 0.5,
                        "typical_detections": 1.2,
                        "withheld": tuple(map(NoteRecord.of, withheld_by(match, is_relative=is_relative))),
                        "is_cohort": is_relative,
                    }
                ),
            }
        )


def index_of(score: float) -> IndexProfile:
    index = make_index(known(score))
    blocks = tuple(IndexBlock(block=one.axis, weight=one.weight, score=None) for one in CATALOGUE.index)
    return index.model_copy(update={"blocks": blocks})


@dataclass(frozen=True)
class Said:
    """A view, the calls of its record, and the words of its language."""

    view: SampleView
    phrases: Phrases
    words: Language

    @property
    def calls(self) -> dict[str, Call | None]:
        return {axis.axis: axis.call for axis in self.view.profile.axes}

    @property
    def titles(self) -> dict[str, str]:
        return {axis.axis: translate_record_text(axis.title, self.words) for axis in self.view.profile.axes}

    def of(self, call: Call | None) -> set[str]:
        return {name for name, found in self.calls.items() if found is call}

    def faults(self) -> Iterator[str]:
        """Contradictions between the sentences and the calls."""
        yield from self._phenotype()
        yield from self._headline()
        yield from self._findings()
        yield from self._rest()

    def _phenotype(self) -> Iterator[str]:
        head, said, calls = self.view.verdict.headline, self.phrases, self.calls
        lack, stroma = calls[CATALOGUE.phenotype.lack], {calls[name] for name in STROMA_AXES}
        maybe_lack, maybe_stroma = lack in POSSIBLE, bool(stroma & POSSIBLE)
        permitted = {
            said.stroma: Call.DETECTED in stroma,
            said.maybe_stroma: Call.BORDERLINE in stroma,
            said.many: not maybe_lack,
            said.few: lack is not Call.NOT_DETECTED,
            said.few_effectors: lack is Call.DETECTED,
            said.maybe_few_effectors: lack is Call.BORDERLINE,
            said.intermediate: not maybe_lack and not maybe_stroma,
        }
        yield from (text for text, is_true in permitted.items() if text in head and not is_true)
        n_said = sum(text in head for text in permitted)
        if n_said != (self.view.profile.phenotype is not None):
            yield f"phenotype is said {n_said} times"

    def _headline(self) -> Iterator[str]:
        head, said, profile, calls = self.view.verdict.headline, self.phrases, self.view.profile, self.calls
        for archetype, text in said.main_finding.items():
            is_true = any(calls[name] is Call.DETECTED for name in LEADING[archetype])
            if text in head and not (is_true and profile.status in NEAR):
                yield text
        decisive = set(profile.decisive_mechanisms) if profile.status is not Status.NOT_EVALUABLE else set()
        is_empty = profile.status is Status.PROVISIONAL and not decisive
        if (said.not_given in head) is not is_empty or (said.decisive in head) is not bool(decisive):
            yield "decisive"
        named = {name for name, text in self.titles.items() if text in head}
        if not decisive <= named <= self.of(Call.DETECTED):
            yield f"headline names {named}"

    def _findings(self) -> Iterator[str]:
        findings, said = self.view.verdict.findings, self.phrases
        if said.usual in findings and self.view.profile.status not in NEAR:
            yield "usual"
        first, _, borderline = findings.partition(said.borderline)
        first = first.partition(said.usual)[0]
        for text, call in ((first, Call.DETECTED), (borderline, Call.BORDERLINE)):
            found = self.of(call)
            named = {name for name, title in self.titles.items() if f"{title} (" in text}
            if not named <= found or len(named) != min(len(found), 3):
                yield f"findings name {named} as {call}"
        detected, n_evaluable = self.of(Call.DETECTED), sum(len(self.of(call)) for call in EVALUABLE)
        if (re.search(said.none_detected, first) is not None) is not (n_evaluable > 0 and not detected):
            yield "none detected"
        counts = [int(number) for number in re.findall(r"\d+", first.partition(":")[0])]
        if detected and counts != [len(detected), n_evaluable]:
            yield f"counts {counts}"

    def _rest(self) -> Iterator[str]:
        view, profile = self.view, self.view.profile
        if any(text in view.verdict.index for text in self.phrases.no_index) is not (
            profile.index.score is None
        ):
            yield "index"
        if (view.msi is not None) is not (profile.msi_suspected is True or bool(profile.notes)):
            yield "mismatch repair"
        yield from (
            f"rows of {call}"
            for call, rows in view.groups.items()
            if {row.axis.axis for row in rows} != self.of(call)
        )
        uncounted = {name for name, title in self.titles.items() if title in view.uncounted}
        if not uncounted <= self.of(Call.DETECTED) - {block.axis for block in CATALOGUE.index}:
            yield "uncounted"
        if re.search(r"None\b(?! of)|nan\b|\.\.|[{}]|  | \.", f"{view.verdict.text} {view.verdict.caution}"):
            yield "spelling"


@pytest.mark.parametrize("lang", ["en", pytest.param("fr", marks=pytest.mark.slow)])
def test_no_sentence_contradicts_the_calls(lang: str, make_profile: ProfileFactory) -> None:
    words, phrases = translations(lang), PHRASES[lang]
    seed = len(lang) + ord(lang[0])
    found = [
        (fault, profile.phenotype, view.verdict.text)
        for profile in profiles(make_profile, N_PROFILES // 2, seed)
        for view in (sample_view(profile, words),)
        for fault in Said(view, phrases, words).faults()
    ]
    assert found[:3] == []


def test_random_profiles_reach_every_state(make_profile: ProfileFactory) -> None:
    """What is never drawn is never tested."""
    every = list(profiles(make_profile, 2000, 1))
    assert {one.status for one in every} == set(Status)
    assert {one.phenotype for one in every} == {*Phenotype, None}
    assert {one.archetype for one in every} == {*Archetype, None}
    assert {one.msi_suspected for one in every} == {True, False, None}
    assert {len(one.decisive_mechanisms) for one in every} >= {0, 1, 2}
    assert {axis.call for one in every for axis in one.axes} == {*Call, None}
    kinds = {axis.call_reason.params["kind"] for one in every for axis in one.axes}
    assert kinds >= {
        *Outside,
        "hidden",
        "stand_in",
        "contradicts",
        "context",
        "borderline",
        "doubt",
        "lifted",
    }
    heads = " ".join(sample_view(one, translations("en")).verdict.headline for one in every)
    phrases = PHRASES["en"]
    for said in (
        *(phrases.stroma, phrases.maybe_stroma, phrases.many, phrases.few, phrases.few_effectors),
        *(phrases.maybe_few_effectors, phrases.intermediate, phrases.decisive, phrases.not_given),
        *(phrases.main_finding[one] for one in (Archetype.SUPPRESSIVE, Archetype.EXHAUSTED)),
    ):
        assert said in heads


@for_every_language
def test_no_part_of_a_page_contradicts_the_calls(
    lang: str, make_profile: ProfileFactory, parse_page: Callable[[str], ParsedPage]
) -> None:
    words = translations(lang)
    for profile in profiles(make_profile, N_PAGES, 7):
        html = render_sample(profile, lang=lang)
        calls = [axis.call for axis in profile.axes]
        tiles = re.findall(r"<dd>(.*?)</dd>", between(html, '<dl class="tiles counts">', "</dl>"))
        assert tiles == [str(calls.count(call)) for call in Call]
        listed = between(html, '<h2 id="mechanisms">', "</section>")
        css = {"found": Call.DETECTED, "maybe": Call.BORDERLINE, "clear": Call.NOT_DETECTED}
        css |= {"unknown": Call.NOT_EVALUABLE}
        shown = [css.get(name) for name in re.findall(r'<tr (?:role="row" )?class="(\w+)', listed)]
        not_evaluable = between(listed, '<ul class="reasons">', "</ul>")
        shown += [Call.NOT_EVALUABLE] * not_evaluable.count('<a href="#mechanism-')
        order = [*Call, None].index
        assert sorted(shown, key=order) == sorted(calls, key=order)
        named = re.findall(r'href="#mechanism-(\d+)"', not_evaluable)
        assert all(calls[int(at) - 1] is Call.NOT_EVALUABLE for at in named)
        answer = between(html, '<ol class="ranked">', "</ol>")
        assert {calls[int(at) - 1] for at in re.findall(r'href="#mechanism-(\d+)"', answer)} <= POSSIBLE
        n_found = sum(call in POSSIBLE for call in calls)
        assert answer.count('<a href="#mechanism-') == n_found
        meaning = between(html, '<h2 id="meaning">', "</section>")
        titles = re.findall(r'<h3><a href="#mechanism-(\d+)"', meaning)
        assert {int(number) for number in titles} == {
            at for at, call in enumerate(calls, start=1) if call is Call.DETECTED
        }
        assert ('<aside class="msi"' in html) is bool(profile.msi_suspected or profile.notes)
        figures = parse_page(between(html, '<div class="figures">', '<dl class="tiles">')).text
        is_shown = profile.index.score is not None
        assert (words.fixed(profile.index.score or 0.0, 0) in figures.split()) is is_shown
        assert any(text in figures for text in PHRASES[lang].no_index) is not is_shown
        headings = re.findall(r'id="mechanism-(\d+)".*?<span class="badge (\w+)', html, re.DOTALL)
        assert {int(at): css.get(name) for at, name in headings} == dict(enumerate(calls, start=1))
        sections = html.split('<section class="mechanism"')[1:]
        for section in sections:
            is_called = '<span class="badge context' not in section
            assert (f"<dt>{words.gettext('Detected from')}</dt>" in section) is is_called


def between(html: str, start: str, end: str) -> str:
    return html.partition(start)[2].partition(end)[0]
