"""PDFs: one browser prints many pages at once, and what goes wrong is one line."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.cli import main
from escape_score.errors import EscapeScoreError
from escape_score.pipeline.pages import chromium as browser
from escape_score.pipeline.pages.pdf import find_chromium, print_pages
from escape_score.report import read_profiles
from escape_score.store.manifest import verify

Refused = Callable[..., tuple[str, ...]]

REFUSING = r"""head -c 1 <&3 >/dev/null; printf '{"id":1,"error":{"message":"not allowed"}}\0' >&4; sleep 9"""
PAGE_OF_PDF = re.compile(rb"/Type /Page\b")


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


@pytest.fixture
def made_up_program(tmp_path: Path) -> Callable[[str], Path]:
    def make(script: str) -> Path:
        program = tmp_path / "chromium"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return program

    return make


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "page.html"
    page.write_text("<p>", encoding="utf-8")
    return page


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder for temporary files; tests look into it when the browser has ended."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def prints_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "samples").glob("*.pdf")}


def test_report_says_in_one_line_that_there_is_no_chromium(
    finished: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for option in ("--pdf", "--summary-pdf"):
        (line,) = refused(2, "report", finished, "--out", tmp_path / "pages", option)
        assert "no Chromium" in line
        assert not (tmp_path / "pages").exists()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("exit 3", "the browser ended"),
        ("exec 4>&-; sleep 30", "the browser ended"),
        ("printf 'no message\\0' >&4; sleep 30", "the browser ended"),
        ("sleep 30", "no answer in 0 s"),
        (REFUSING, "not allowed"),
    ],
)
def test_print_pages_says_which_page_failed(
    script: str,
    problem: str,
    *,
    made_up_program: Callable[[str], Path],
    page: Path,
    temporary: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browser, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(browser, "CLOSING_SECONDS", 0.1)
    with pytest.raises(EscapeScoreError, match=rf"could not print page\.html \({problem}\); run without"):
        print_pages(made_up_program(script), [page])
    assert list(temporary.iterdir()) == []
    assert not page.with_suffix(".pdf").exists()


def test_nothing_to_print_starts_no_browser(tmp_path: Path) -> None:
    assert print_pages(tmp_path / "absent", []) == ()


def test_sample_needs_something_to_print(finished: Path, tmp_path: Path, refused: Refused) -> None:
    (line,) = refused(2, "report", finished, "--out", tmp_path / "pages", "--sample", "x")
    assert "add --pdf or --summary-pdf" in line


def test_unknown_sample_is_refused_with_similar_ids(
    copy: Path, refused: Refused, made_up_program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = made_up_program("exit 3")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    (known, *_) = read_profiles(copy)
    (line,) = refused(
        2, "report", copy, "--pdf", "--sample", known.sample_id, "--sample", known.sample_id[:-1]
    )
    assert f"--sample {known.sample_id[:-1]}: the result has no such sample" in line
    assert repr(known.sample_id) in line
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_printed_summaries_are_outdated_with_their_pages(copy: Path) -> None:
    pages = sorted((copy / "samples").glob("*.html"))
    for one in pages:
        one.with_suffix(".summary.pdf").write_bytes(b"%PDF of the English summary")
    assert main(["report", str(copy)]) == 0
    assert len(prints_in(copy)) == len(pages)
    assert main(["report", str(copy), "--lang", "fr"]) == 0
    assert prints_in(copy) == {}
    assert verify(copy) == ()


@pytest.mark.slow
@pytest.mark.browser
def test_pages_printed_together_have_the_bytes_of_each_alone(
    finished: Path, tmp_path: Path, temporary: Path
) -> None:
    shutil.copytree(finished / "samples", tmp_path / "samples")
    pages = sorted((tmp_path / "samples").glob("*.html"))
    together = [path.read_bytes() for path in print_pages(find_chromium(), [*pages, *pages])]
    assert together[: len(pages)] == together[len(pages) :]
    assert len(set(together[: len(pages)])) == len(pages)
    (alone,) = print_pages(find_chromium(), pages[-1:])
    assert alone.read_bytes() == together[-1]
    assert list(temporary.iterdir()) == []


@pytest.mark.browser
def test_page_that_is_not_there_is_named(page: Path, tmp_path: Path) -> None:
    with pytest.raises(EscapeScoreError, match=r"could not print absent\.html \(net::ERR_FILE_NOT_FOUND\)"):
        print_pages(find_chromium(), [page, tmp_path / "absent.html"])


@pytest.mark.browser
def test_pages_fit_four_sheets_and_summaries_one(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profiles = read_profiles(copy)
    assert main(["report", str(copy), "--pdf", "--summary-pdf", "--lang", "fr"]) == 0
    assert f"{2 * len(profiles)} PDF files" in capsys.readouterr().out
    sheets = {name: len(PAGE_OF_PDF.findall(pdf)) for name, pdf in prints_in(copy).items()}
    assert set(sheets) == {f"{one.slug}{kind}.pdf" for one in profiles for kind in ("", ".summary")}
    assert {n for name, n in sheets.items() if ".summary" in name} == {1}
    assert max(sheets.values()) <= 4
    assert list(copy.rglob("*.summary.html")) == []
    assert verify(copy) == ()


@pytest.mark.browser
def test_samples_named_are_the_only_ones_printed(
    copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third, *_ = read_profiles(copy)
    out = tmp_path / "pages"
    chosen = ["--sample", first.sample_id, "--sample", third.sample_id]
    assert main(["report", str(copy), "--out", str(out), "--summary-pdf", *chosen]) == 0
    assert set(prints_in(out)) == {f"{one.slug}.summary.pdf" for one in (first, third)}
    assert main(["report", str(copy), "--out", str(out), "--pdf", "--sample", second.sample_id]) == 0
    assert len(prints_in(out)) == 3
    assert f"\n1 PDF file: {out / 'samples' / second.slug}.pdf\n" in capsys.readouterr().out
