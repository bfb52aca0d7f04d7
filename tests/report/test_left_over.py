"""A French page has no English, an English page no French: texts, titles, labels and drawings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import cycle

import pytest
from tests.report.made_up import GROUPS, RESPONSE, SURVIVAL, statistics
from tests.report.made_up_cells import of_two_samples, rich, sparse, with_quantities
from tests.report.test_catalogues import catalogue_of, forms

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.cell_quantities import load_quantities
from escape_score.model.notes import Code, Severity
from escape_score.model.record import (
    ApproachRecord,
    Archetype,
    AxisChange,
    Call,
    CellsRecord,
    EscapeProfile,
    Interval,
    LinkRecord,
    NoteRecord,
    PairedChange,
    Phenotype,
    PublishedRecord,
    ReferenceMatch,
    Status,
)
from escape_score.model.record_statistics import CohortStatistics, Correlation, LeftOut, MapPoint, SampleMap
from escape_score.report import render_cohort, render_sample, render_summary
from escape_score.report.messages import MESSAGES

ENGLISH = (
    r"the|of|with|and|is|are|not|from|which|than|by|these|this|that|those|was|were|has|have|had|been|be|it|its"
    r"|for|at|only|each|they|their|there|where|when|below|above|between|because|detected|evaluable|cells|sample"
)
FRENCH = (
    r"le|la|les|des|du|une|et|est|sont|avec|dans|pour|par|sur|qui|que|ce|cette|ces|aux|au|pas|ne|ou|où|leur"
    r"|échantillons?|cellules|tumeurs?|seuil"
)
ATTRIBUTES = ("title", "aria-label", "alt", "data-label", "data-text", "placeholder", "content")
SILENT = ("style", "script", "code")
VOID = ("meta", "link", "img", "input", "br", "path", "rect", "circle", "line")
FIELD = re.compile(r"\{[^}]*\}|%\(\w+\)s")
INVENTED = re.compile(
    r"[\w-]*TUM-\d+-\w|CRC-17|urothelial_baseline|urothelial carcinoma|tcga-crc-v1|doublet\?|baseline"
)
"""What samples, cohorts and the sheet are called, which no page translates."""


class VisibleText(HTMLParser):
    """Texts of a page in its own language: what is marked as another language, code or script is left out."""

    def __init__(self, lang: str, silent: tuple[str, ...]) -> None:
        super().__init__()
        self.lang, self.silent, self.open, self.texts = lang, silent, list[bool](), list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_said = (
            (not self.open or self.open[-1])
            and tag not in self.silent
            and given.get("lang", self.lang) == self.lang
        )
        if is_said:
            self.texts += [given[name] or "" for name in ATTRIBUTES if name in given]
        if tag not in VOID:
            self.open.append(is_said)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1]:
            self.texts.append(data)


def texts_of(html: str, lang: str, silent: tuple[str, ...] = SILENT) -> list[str]:
    parser = VisibleText(lang, silent)
    parser.feed(html)
    parser.close()
    assert not parser.open
    policy = re.compile(r"default-src|width=device-width|no-referrer|escape-score$|light dark")
    return [" ".join(text.split()) for text in parser.texts if text.strip() and not policy.match(text)]


def every_note() -> Iterator[NoteRecord]:
    """A note of every code and kind, with a number or a name for each field."""
    for key, template in MESSAGES.items():
        code, _, kind = key.removesuffix(".one").partition(".")
        fields = re.findall(r"\{(\w+)(?:!r)?(:[^{}]*)?\}", template)
        params: dict[str, object] = {name: 7 if form else "X1" for name, form in fields}
        params |= {"n": 1 if key.endswith(".one") else 7} if "n" in params else {}
        yield NoteRecord.model_validate(
            {"code": code, "severity": Severity.CAUTION, "params": params | ({"kind": kind} if kind else {})}
        )


NOTES = tuple(every_note())


def full(profile: EscapeProfile) -> EscapeProfile:
    """A profile with everything that a page can show: notes, approaches, published scores, links, changes."""
    catalogue = load_axis_catalogue()
    approaches = tuple(
        ApproachRecord(
            mechanism=one.mechanism,
            approach=one.approach,
            statement=one.statement,
            level=one.level,
            tumour_types=(),
            is_own_type=None,
            citation="One 2020",
            doi="10.1000/1",
        )
        for one in catalogue.approaches
    )
    links = tuple(
        LinkRecord(link=name, z=z, detectable_sd=z, is_evaluable=is_evaluable)
        for name, z, is_evaluable in (("B2M", 1.0, True), ("TAP1+TAP2", 1.0, False), ("JAK1", None, False))
    )
    calls = dict(zip((axis.axis for axis in profile.axes), (*Call, *[Call.DETECTED] * 99), strict=False))
    axes = tuple(
        axis.model_copy(
            update={
                "links": links,
                "call": calls[axis.axis] if axis.call is not None else None,
                "call_reason": note,
            }
        )
        for axis, note in zip(profile.axes, NOTES, strict=False)
    )
    published = PublishedRecord(
        score_id="x",
        title="Cytolytic activity, geometric mean",
        value=None,
        unit="TPM",
        coverage=0.5,
        reason=NOTES[0],
        scope="cohort",
        formula="x",
        matches="not computed here",
        differs="saturates at both ends, so ips_az is the score; PredictioR IPS is unrounded",
        doi="10.1000/1",
    )
    change = AxisChange(axis=profile.axes[0].axis, delta=-1.0, interval=Interval(low=-2.0, high=-0.5))
    changed = PairedChange(
        earlier_sample_id="TUM-0041-A", earlier_timepoint="X1", timepoint="X2", index=change, axes=(change,)
    )
    reference = profile.reference.model_copy(
        update={"advice": NOTES, "withheld": NOTES[:3], "choice": NOTES[0], "untrusted_genes": ("HLA-A",)}
    )
    return profile.model_copy(
        update={
            "approaches": approaches,
            "axes": axes,
            "published": (published,),
            "changes": (changed,),
            "flags": NOTES,
            "notes": NOTES,
            "reference": reference,
            "msi_suspected": True,
        }
    )


@pytest.fixture(scope="module")
def profiles(
    make_profile: Callable[..., EscapeProfile], matched_profile: EscapeProfile, empty_profile: EscapeProfile
) -> tuple[EscapeProfile, ...]:
    """Every status, phenotype, archetype and match, with and without single cells."""
    base, labels = make_profile(), {"response": "R", "msi": "MSI-H", "flag": True}
    classes = zip(Archetype, (*Phenotype, *Phenotype), strict=False)
    matches = [*ReferenceMatch, None]
    kinds = [
        full(matched_profile.model_copy(update={"archetype": archetype, "phenotype": phenotype}))
        for archetype, phenotype in classes
    ]
    of_cohort = base.reference.model_copy(update={"is_cohort": True, "typical_detections": 2.5})
    return (
        *(
            one.model_copy(update={"reference": one.reference.model_copy(update={"match": match})})
            for one, match in zip(kinds, (*matches, *matches), strict=False)
        ),
        full(make_profile(cells=with_real_texts(rich()), metadata=labels)),
        full(
            make_profile(
                cells=with_real_texts(of_two_samples()), status=Status.COHORT_RELATIVE, reference=of_cohort
            )
        ),
        make_profile(cells=with_real_texts(sparse())),
        base,
        matched_profile,
        empty_profile,
    )


def statistics_of_all() -> CohortStatistics:
    return statistics(
        response=RESPONSE.model_copy(update={"findings": NOTES}),
        survival=(SURVIVAL, SURVIVAL.model_copy(update={"endpoint": "pfs"})),
        comparisons=(GROUPS.model_copy(update={"column": "timepoint", "left_out": left_out()}),),
        notes=NOTES,
        map=SampleMap(
            measures=("treg",),
            shares=(0.5, 0.2),
            column="response",
            points=tuple(MapPoint(sample_id=f"s{n}", x=n, y=-n, group="") for n in range(3)),
        ),
        correlation=Correlation(titles=("Macrophages", "Adenosine"), values=((1.0, None), (None, 1.0))),
    )


def with_real_texts(cells: CellsRecord) -> CellsRecord:
    """Made-up quantities with the texts of the real ones."""
    texts = cycle(load_quantities().values())
    return with_quantities(
        cells,
        (
            one.model_copy(
                update={name: getattr(real, name) for name in ("title", "cells", "meaning", "limits")}
            )
            for one, real in zip(cells.quantities, texts, strict=False)
        ),
    )


def left_out() -> tuple[LeftOut, ...]:
    return tuple(LeftOut(reason=one, n_samples=2) for one in NOTES if one.code == Code.LEFT_OUT)


def shown(lang: str, profiles: tuple[EscapeProfile, ...]) -> set[str]:
    """Every text of all pages in a language."""
    pages = [render(one, lang=lang) for one in profiles for render in (render_sample, render_summary)]
    skipped = [("S9", "no page: the job that writes it did not finish; run the same command again")]
    pages.append(render_cohort(profiles, skipped=skipped, statistics=statistics_of_all, lang=lang))
    return {INVENTED.sub("", text) for html in pages for text in texts_of(html, lang)}


@pytest.fixture(scope="module")
def french(profiles: tuple[EscapeProfile, ...]) -> set[str]:
    return shown("fr", profiles)


def words_in(texts: set[str], words: str) -> set[str]:
    """Texts that have one of some words, cut to its surrounding."""
    pattern = re.compile(rf"(?<![\w-])({words})(?![\w-])")
    return {
        text[max(0, at.start() - 40) : at.end() + 40]
        for text in texts
        for at in pattern.finditer(text.lower())
    }


def test_french_pages_have_no_english_words(french: set[str]) -> None:
    assert words_in(french, ENGLISH) == set()


def test_english_pages_have_no_french_words(profiles: tuple[EscapeProfile, ...]) -> None:
    assert words_in(shown("en", profiles), FRENCH) == set()


def test_french_pages_have_no_text_of_the_catalogue_in_english(french: set[str]) -> None:
    text = "\n".join(french)
    left = [
        part
        for message in catalogue_of("fr")
        for english, translation in zip(forms(message.id), forms(message.string), strict=True)
        for part in (" ".join(one.split()) for one in FIELD.split(english))
        if " " in part and len(re.findall(r"[A-Za-z]{2,}", part)) > 1 and part not in translation
    ]
    assert len(left) > 1000
    assert [part for part in left if part in text] == []


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_jargon_is_only_in_the_folds_of_a_sample_page(lang: str, profiles: tuple[EscapeProfile, ...]) -> None:
    """Options, logarithms and ids are for those who open the details."""
    ids = [axis.axis for axis in profiles[0].axes if "_" in axis.axis]
    jargon = re.compile(rf"log2|\blog\b|--[a-z]|escape-score |{'|'.join(ids)}")
    for one in profiles:
        outside = texts_of(render_sample(one, lang=lang), lang, ("style", "script", "details"))
        assert [text for text in outside if jargon.search(text)] == []


@pytest.mark.parametrize(("lang", "words"), [("fr", ENGLISH), ("en", FRENCH)])
def test_a_word_of_the_other_language_is_found(lang: str, words: str) -> None:
    other = {"fr": "a share of the reference", "en": "une part de la référence"}[lang]
    for said in (f"<p>{other}</p>", f'<p title="{other}"></p>', f"<svg><title>{other}</title></svg>"):
        assert words_in(set(texts_of(f'<html lang="{lang}">{said}</html>', lang)), words) != set()
    marked = f'<html lang="{lang}"><p lang="xx">{other}</p><code>{other}</code></html>'
    assert texts_of(marked, lang) == []
