from __future__ import annotations

import base64
import gettext
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, UndefinedError
from tests.report.made_up_cells import cell_sample, rich, sparse

from escape_score.errors import ResultInvalidError, UsageError
from escape_score.model.notes import Severity
from escape_score.model.record import AxisProfile, CellsRecord, EscapeProfile, GeneEvidence, NoteRecord
from escape_score.report import render_cohort, render_sample
from escape_score.report.cohort.statistics import StatisticsView
from escape_score.report.cohort.view import cohort_view
from escape_score.report.messages import english
from escape_score.report.render import environment, make_environment
from escape_score.report.sample.view import sample_view
from escape_score.report.text.i18n import Language, translations
from escape_score.report.text.terms import TERMS, terms_of

ProfileFactory = Callable[..., EscapeProfile]
PageParser = Callable[[str], Any]

SOURCE = Path(__file__).parents[2] / "src"
KIBIBYTE = 1024
HEAVY_LIBRARIES = ("anndata", "numpy", "pandas", "scanpy", "scipy", "h5py", "snakemake")
CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.fixture(scope="session")
def pages(sample_profiles: tuple[EscapeProfile, ...], make_profile: ProfileFactory) -> tuple[str, ...]:
    of_cells = (make_profile("C1", cells=rich()), make_profile("C2", cells=sparse()))
    shown = (*sample_profiles, *of_cells)
    return (
        *map(render_sample, shown),
        render_cohort(sample_profiles, skipped=[("S9", "empty")]),
        render_cohort(shown),
    )


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    environ = os.environ | {"PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environ).stdout


def test_render_starts_without_numerical_libraries() -> None:
    code = "import sys, escape_score.report; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(run_python(code).split())
    assert "jinja2" in loaded
    assert not loaded & set(HEAVY_LIBRARIES)


def test_render_reads_only_errors_and_the_record_model() -> None:
    code = "import sys, escape_score.report; print(*(n for n in sys.modules if n.startswith('escape_score')))"
    others = {name for name in run_python(code).split() if not name.startswith("escape_score.report")}
    assert others == {
        "escape_score",
        "escape_score.model.notes",
        "escape_score.errors",
        "escape_score.model",
        "escape_score.model.record",
        "escape_score.model.record_comparison",
        "escape_score.model.record_statistics",
    }


def test_render_is_deterministic(make_profile: ProfileFactory) -> None:
    assert render_sample(make_profile()) == render_sample(make_profile())


def test_render_sample_answers_before_the_table(make_profile: ProfileFactory) -> None:
    html = render_sample(make_profile())
    order = ("Research use only", "TUM-0042-A</h1>", "Defect detected", "Provisional: levels", "<table")
    places = [html.index(text, html.index("<body")) for text in order]
    assert places == sorted(places)


def test_render_sample_shows_the_numbers_of_the_record(
    make_profile: ProfileFactory, parse_page: PageParser
) -> None:
    text = parse_page(render_sample(make_profile())).text
    for shown in (
        "+1.81 [1.3, 2.3]",
        "87 (n = 592)",
        "weakest gene: B2M",
        "0.84 log2",
        "of 100, 90 % interval [42, 97]",
    ):
        assert shown in text


def test_render_sample_says_that_the_index_was_not_trained(
    make_profile: ProfileFactory, parse_page: PageParser
) -> None:
    assert (
        "exploratory and was not trained to predict response"
        in parse_page(render_sample(make_profile())).text
    )


@pytest.mark.parametrize("is_in_reference", [True, False])
def test_render_sample_says_when_percentiles_leave_the_sample_out(
    make_profile: ProfileFactory, is_in_reference: bool
) -> None:
    reference = make_profile().reference.model_copy(update={"is_sample_in_reference": is_in_reference})
    html = render_sample(make_profile(reference=reference))
    assert ("its percentiles exclude it" in html) is is_in_reference


def test_render_sample_never_writes_zero_or_nan_for_not_evaluable(
    empty_profile: EscapeProfile, parse_page: PageParser
) -> None:
    text = parse_page(render_sample(empty_profile)).text
    assert "not evaluable" in text
    assert "no percentile" in text
    assert not re.search(r"\bnan\b|\bNone\b|0\.00", text)


def test_render_sample_stays_small_with_many_genes(make_profile: ProfileFactory) -> None:
    gene = GeneEvidence(
        gene_symbol="HLA-DPB1", component="antigen_melanocytic", z=-2.5, log2_tpm=11.4, direction=-1
    )
    axes = tuple(
        axis.model_copy(update={"evidence": (gene,) * 40, "opposing": (gene,) * 40})
        for axis in make_profile().axes
    )
    assert len(render_sample(make_profile(axes=axes)).encode()) <= 150 * KIBIBYTE


def test_render_loads_nothing(pages: tuple[str, ...], parse_page: PageParser) -> None:
    for html in pages:
        page = parse_page(html)
        assert {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base"} == set()
        assert page.values("script", "src") + page.values("form", "action") == []
        assert all(source.startswith("data:image/png;base64,") for source in page.values("img", "src"))
        assert page.values("link", "href") == ["data:,"]
        assert page.values("meta", "content")[0].startswith(CSP)
        assert "url(" not in html
        assert "@import" not in html


def test_sample_page_has_no_script(
    sample_profiles: tuple[EscapeProfile, ...], parse_page: PageParser
) -> None:
    for profile in sample_profiles:
        page = parse_page(render_sample(profile))
        assert {tag for tag, _ in page.tags} & {"script", "form", "img"} == set()
        assert "script-src" not in page.values("meta", "content")[0]


def test_cohort_page_lets_only_its_own_script_run(
    make_profile: ProfileFactory, parse_page: PageParser
) -> None:
    html = render_cohort([make_profile()])
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = parse_page(html).values("meta", "content")[0]
    assert f"script-src 'sha256-{digest}'" in policy
    assert re.search(r"script-src[^;]*unsafe", policy) is None


def test_render_links_only_to_anchors_and_slugs(pages: tuple[str, ...], parse_page: PageParser) -> None:
    for html in pages:
        page = parse_page(html)
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        anchors = {f"#{name}" for name in ids}
        for target in page.values("a", "href"):
            assert target in anchors | {"../index.html"} or re.fullmatch(
                r"samples/[a-z0-9-]+\.html(#cells)?", target
            )


def test_render_marks_up_tables(pages: tuple[str, ...], parse_page: PageParser) -> None:
    for html in pages:
        page = parse_page(html)
        tags = [tag for tag, _ in page.tags]
        assert tags.count("caption") == tags.count("table") > 0
        assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
        assert tags.count("h1") == tags.count("main") == 1


def test_render_names_its_language(make_profile: ProfileFactory, parse_page: PageParser) -> None:
    assert parse_page(render_sample(make_profile(), lang="en")).values("html", "lang") == ["en"]


def test_render_refuses_a_language_without_catalogue(make_profile: ProfileFactory) -> None:
    with pytest.raises(UsageError, match="no such language"):
        render_sample(make_profile(), lang="tlh")


@pytest.mark.parametrize("render", [render_sample, lambda profile: render_cohort([profile])])
def test_render_refuses_a_slug_that_is_no_file_name(
    make_profile: ProfileFactory, render: Callable[[EscapeProfile], str]
) -> None:
    with pytest.raises(ResultInvalidError, match="not a file name"):
        render(make_profile(slug="../up"))


def test_render_shows_hostile_names_as_text(hostile_profile: EscapeProfile, parse_page: PageParser) -> None:
    for html in (render_sample(hostile_profile), render_cohort([hostile_profile])):
        page = parse_page(html)
        assert '<script>alert(1)</script>"\\u202egnp.exe' in page.text
        assert "{{7*7}}" in page.text
        assert "49" not in page.text
        assert "\u202e" not in html


@pytest.fixture(scope="module")
def harmless(make_profile: ProfileFactory) -> tuple[str, str]:
    """Page of a sample, and page of its cohort."""
    usual = make_profile()
    plain = make_profile(cells=rich(patient_id=usual.sample_id), axes=with_reasons(usual, "x"))
    return render_sample(plain), render_cohort([plain])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), min_size=1))
def test_render_escapes_any_text_everywhere(
    make_profile: ProfileFactory, parse_page: PageParser, harmless: tuple[str, str], text: str
) -> None:
    profile = hostile_everywhere(make_profile, text)
    pages = (render_sample(profile), render_cohort([profile]))
    for expected, html in zip(harmless, pages, strict=True):
        assert [tag for tag, _ in parse_page(html).tags] == [tag for tag, _ in parse_page(expected).tags]
        # blanks that keep a number and its unit together are our own
        assert html.count("\u00a0") == expected.count("\u00a0")
        assert html.replace("\n", "").replace("\u00a0", "").isprintable()


def test_cohort_page_shows_no_text_that_it_has_not_checked(make_profile: ProfileFactory) -> None:
    """The page of the cohort looks at parts of a record only; hidden characters elsewhere never reach it."""
    usual, hidden = make_profile(), "a\u202eb"
    unseen = {"mechanism": hidden, "meaning": hidden, "limits": hidden, "adjusted_for": hidden}
    genes = {"evidence": (GeneEvidence(gene_symbol=hidden, component=hidden, z=1, log2_tpm=1, direction=1),)}
    axes = tuple(axis.model_copy(update=unseen | genes) for axis in with_reasons(usual, hidden))
    reference = usual.reference.model_copy(update={"description": hidden, "limits": hidden, "assay": hidden})
    profile = usual.model_copy(update={"axes": axes, "reference": reference})
    assert render_cohort([profile]) == render_cohort([usual])
    advised = reference.model_copy(update={"choice": usual.flags[0].model_copy(update={"code": hidden})})
    assert "\u202e" not in render_cohort([profile.model_copy(update={"reference": advised})])


def with_reasons(profile: EscapeProfile, text: str) -> tuple[AxisProfile, ...]:
    """Mechanisms whose reasons hold a text, each another: equal reasons are shown once."""
    return tuple(
        axis.model_copy(
            update={
                "call_reason": NoteRecord(
                    code="call", severity=Severity.NOTE, params={"x": f"{text}{axis.axis}"}
                )
            }
        )
        for axis in profile.axes
    )


def hostile_everywhere(make_profile: ProfileFactory, text: str) -> EscapeProfile:
    """The usual profile with the text in each place that is filled from outside, of the same structure."""
    usual = make_profile()
    said = NoteRecord(code="call", severity=Severity.NOTE, params={"x": text})
    return make_profile(
        text,
        cohort=text,
        metadata={key: text if isinstance(value, str) else value for key, value in usual.metadata.items()},
        flags=tuple(flag.model_copy(update={"params": {"x": text, "kind": text}}) for flag in usual.flags),
        reference=usual.reference.model_copy(update={"name": text, "description": text}),
        axes=with_reasons(usual, text),
        cells=hostile_cells(text, said),
    )


def hostile_cells(text: str, said: NoteRecord) -> CellsRecord:
    """Cells with the text in each place that is filled from outside."""
    cells = rich(patient_id=text, patient_sample_ids=(text,), sample=cell_sample(text, text, malignant=said))
    drawn = {"title": text, "cells": text, "meaning": text, "limits": text, "reason": said}
    return cells.model_copy(
        update={"quantities": tuple(one.model_copy(update=drawn) for one in cells.quantities)}
    )


class MarkingTranslations(gettext.NullTranslations):
    """Puts every translated text in brackets; a text without them was never offered for translation."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class EveryText(frozenset[str]):
    """A catalogue that has whatever it is asked for."""

    def __contains__(self, text: object) -> bool:
        return True


def test_render_offers_every_visible_text_for_translation(
    make_profile: ProfileFactory, parse_page: PageParser
) -> None:
    words = Language("xx", MarkingTranslations(), known=EveryText())
    engine, profile = make_environment(words), make_profile(flags=(), metadata={}, cells=rich())
    sample, cohort = sample_view(profile, words), cohort_view([profile], words, skipped=[("", "")])
    html = engine.get_template("sample.html.j2").render(page=sample, lang="en")
    html += engine.get_template("cohort.html.j2").render(
        page=cohort,
        labels=StatisticsView((), (), "", ()),
        terms=terms_of(TERMS, words),
        rules="",
        lang="en",
        script="",
        script_hash="",
    )
    text = " ".join(parse_page(html).texts)
    while "⟦" in text:
        text = re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
    known = " ".join(record_words(make_profile()))
    left = {word for word in re.findall(r"[A-Za-z][a-z]{3,}", text) if word not in known}
    assert left == set()


def record_words(profile: EscapeProfile) -> set[str]:
    """Texts that the record itself brings, of which a page is no author."""
    axes = {axis.axis.replace("_", " ") for axis in profile.axes} | {
        english(axis.call_reason) for axis in profile.axes
    }
    reference, source = profile.reference, profile.input
    read = {
        english(source.unit_evidence),
        reference.name,
        reference.description,
        reference.assay,
        reference.tumour_type,
    }
    return axes | read | {profile.cohort, "opposing"}


def test_environment_is_made_once_a_language_and_always_escapes() -> None:
    assert environment("en") is environment("en")
    assert environment("en").from_string("{{ text }}").render(text="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("{{ nothing }}", UndefinedError),
        ("{{ nothing.at_all }}", UndefinedError),
        ("{{ lang.no }}", AttributeError),
    ],
)
def test_name_that_is_missing_is_an_error(source: str, error: type[Exception]) -> None:
    engine = make_environment(translations("en"))
    engine.loader = DictLoader({"page": source})
    with pytest.raises(error):
        engine.get_template("page").render(lang="en")


def test_filters_have_the_language_of_their_engine() -> None:
    engine = make_environment(translations("fr"))
    source = "{{ 1.25|score }} {{ none|interval(decimals=0) }} {{ 3.0|percentile(1200) }}"
    engine.loader = DictLoader({"page": source})
    assert engine.get_template("page").render() == "+1,25 pas d’intervalle 3 (n = 1\u202f200)"


def test_templates_hold_no_arithmetic() -> None:
    templates = SOURCE / "escape_score" / "report" / "templates"
    expressions = [
        expression
        for path in templates.rglob("*.j2")
        for expression in re.findall(r"\{\{(.*?)\}\}", path.read_text(encoding="utf-8"))
    ]
    assert len(expressions) > 50
    assert [text for text in expressions if re.search(r"[-+*/<>]|\bround\b|\bformat\b", text)] == []


def test_render_cohort_holds_a_thousand_samples(make_profile: ProfileFactory, parse_page: PageParser) -> None:
    usual = make_profile()
    profiles = (
        usual.model_copy(update={"sample_id": f"S{number}", "slug": f"s{number}-0"}) for number in range(1000)
    )
    html = render_cohort(profiles)
    links = [target for target in parse_page(html).values("a", "href") if target.startswith("samples/")]
    assert len(links) == 1000
    assert len(html.encode()) < 2000 * KIBIBYTE


def test_render_sample_without_evaluable_mechanisms_excludes_none(
    empty_profile: EscapeProfile, matched_profile: EscapeProfile
) -> None:
    sentence = "No mechanism could be evaluated: none can be interpreted, and none is excluded."
    assert sentence in render_sample(empty_profile)
    assert sentence not in render_sample(matched_profile)
