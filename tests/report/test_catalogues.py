"""Catalogues are complete, of today, and keep every figure and name of a text."""

from __future__ import annotations

import io
import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po

from escape_score.model.record import EscapeProfile
from escape_score.report import render_cohort, render_sample
from escape_score.report.text.i18n import languages

ROOT = Path(__file__).resolve().parents[2]
BUILDER = runpy.run_path(str(ROOT / "resources" / "locales" / "build_catalogues.py"))
OTHERS = [lang for lang in languages() if lang != "en"]
FIELDS = re.compile(r"\{[^{}]*\}|%\(\w+\)s")
FIELD = re.compile(r"\{\w+\}|%\(\w+\)s|%%")

for_every_language = pytest.mark.parametrize("lang", OTHERS)


def path_of(lang: str) -> Path:
    return ROOT / "src" / "escape_score" / "report" / "locales" / lang / "LC_MESSAGES" / "escape_score.po"


def catalogue_of(lang: str) -> Catalog:
    return read_po(io.BytesIO(path_of(lang).read_bytes()), locale=lang)


def forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type]


def test_french_is_there() -> None:
    assert OTHERS == ["fr"]


@for_every_language
def test_catalogue_has_the_texts_of_today(lang: str) -> None:
    assert BUILDER["renewed"](path_of(lang)) == path_of(lang).read_bytes()


@for_every_language
def test_catalogue_translates_every_text(lang: str) -> None:
    messages = [message for message in catalogue_of(lang) if message.id]
    assert len(messages) > 400
    assert [message.id for message in messages if not all(forms(message.string))] == []


@for_every_language
def test_translations_keep_every_field(lang: str) -> None:
    for message in catalogue_of(lang):
        singular, plural = forms(message.id)[0], forms(message.id)[-1]
        first, last = forms(message.string)[0], forms(message.string)[-1]
        assert set(FIELD.findall(first)) == set(FIELD.findall(singular)), message.id
        assert set(FIELD.findall(last)) == set(FIELD.findall(plural)), message.id


def french_texts() -> list[str]:
    return [text for message in catalogue_of("fr") if message.id for text in forms(message.string)]


def terms() -> list[dict[str, str]]:
    path = ROOT / "resources" / "locales" / "terms.fr.tsv"
    return BUILDER["rows_of"](path)  # type: ignore[no-any-return]


def test_french_has_one_name_for_each_term() -> None:
    texts = [
        FIELDS.sub("", text).replace("\u202f", " ").replace("\u00a0", " ").lower() for text in french_texts()
    ]
    unused = [row["french"] for row in terms() if not any(row["french"].lower() in text for text in texts)]
    assert unused == []
    avoided = "|".join(
        re.escape(name) for row in terms() for name in row["instead_of"].lower().split(";") if name
    )
    wrong = re.compile(rf"(?<![\w-])(?:{avoided.replace(chr(92) + ' ', ' ?')})(?!\w)")
    assert [text for text in texts if wrong.search(text)] == []


@pytest.mark.parametrize(
    ("fault", "example"),
    [
        (r"'", "l'indice"),
        (r"[^\u202f!?;:%][;!?](?:\s|$)|[^\u202f]»|«[^\u202f]", "un ; deux"),
        (r"[^\u00a0](?<![:\w]):(?:\s|$)|\w:(?:\s|$)", "un : deux"),
        (r"[\dx](?!\u202f)\s?%(?!\w)", "90 %"),
        (r"(?<![\w.{:,])-\d", "de -4"),
        (r"(?<![\w.])\d+\.\d", "0.05"),
    ],
)
def test_french_typography(fault: str, example: str) -> None:
    """Apostrophes, spaces before marks, the minus sign and the decimal comma; versions keep their points."""
    kept = re.compile(r"\{[^{}]*\}|R 4\.2\.2|easier 1\.1\.0|--[\w-]+|tcga-coadread-v1|%\(\w+\)s|doi:\S+")
    texts = [kept.sub("x", text) for text in french_texts()]
    assert re.search(fault, example)
    assert [text for text in texts if re.search(fault, text)] == []


@for_every_language
def test_page_shows_no_english_of_its_own(
    lang: str, make_profile: Callable[..., EscapeProfile], matched_profile: EscapeProfile
) -> None:
    """What stays English is what the fixtures invent: sentences that the program never says."""
    html = render_sample(make_profile(flags=()), lang=lang) + render_cohort([matched_profile], lang=lang)
    left = set(re.findall(r'<span lang="en">(.*?)</span>', html))
    invented = {"TCGA colorectal tumours, RSEM with length factors", "bulk RNA-seq"}
    assert all(
        text in invented or "genes is measured" in text or "2^x" in text or "threshold" in text
        for text in left
    )
    english = {
        "Mechanism",
        "not detected",
        "Research use only",
        "Percentile of",
        "Evidence against",
        "Provenance of",
    }
    assert [text for text in english if text in html] == []


def test_french_writes_numbers_by_its_rules(make_profile: Callable[..., EscapeProfile]) -> None:
    html = render_sample(make_profile(), lang="fr")
    assert '<html lang="fr">' in html
    assert "+4,62" in html
    assert "18\u202f234" in html
    assert "<b>+4.62</b>" not in html


@pytest.mark.parametrize(("n", "text"), [(1, "1 échantillon\u00a0:"), (2, "2 échantillons\u00a0:")])
def test_french_has_plurals(n: int, text: str, make_profile: Callable[..., EscapeProfile]) -> None:
    assert text in render_cohort([make_profile(f"S{number}") for number in range(n)], lang="fr")


def test_texts_of_quantities_are_gathered(tmp_path: Path) -> None:
    """The table of quantities is filled row by row; each row brings its texts to the catalogues."""
    shutil.copytree(ROOT / "resources", tmp_path / "resources", ignore=shutil.ignore_patterns("*.gz"))
    table = tmp_path / "resources" / "cells" / "quantities.tsv"
    names = table.read_text(encoding="utf-8").splitlines()[0].split("\t")
    texts = ("title", "cells", "meaning", "limits")
    row = [f"A made-up {name}." if name in texts else "x" for name in names]
    table.write_text("\t".join(names) + "\n" + "\t".join(row) + "\n", encoding="utf-8")
    gathered = set(BUILDER["texts_of_resources"](tmp_path / "resources"))
    assert {f"A made-up {name}." for name in texts} <= gathered
    assert gathered - {f"A made-up {name}." for name in texts} <= set(BUILDER["texts_of_resources"]())
