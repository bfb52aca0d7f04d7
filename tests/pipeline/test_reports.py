"""Pages rendered again from the JSON alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.cli import main
from escape_score.store.manifest import verify

Refused = Callable[..., tuple[str, ...]]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_pages_are_the_same_bytes_in_another_folder(finished: Path, tmp_path: Path) -> None:
    assert main(["report", str(finished), "--out", str(tmp_path / "pages")]) == 0
    pages = {name: content for name, content in files_of(finished).items() if name.endswith(".html")}
    assert files_of(tmp_path / "pages") == pages


def test_pages_need_nothing_but_the_json(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(
        finished / "samples", tmp_path / "bare" / "samples", ignore=shutil.ignore_patterns("*.html")
    )
    shutil.copy(finished / "cohort.json", tmp_path / "bare")
    assert main(["report", str(tmp_path / "bare")]) == 0
    pages = {name: content for name, content in files_of(finished).items() if name.endswith(".html")}
    found = {name: content for name, content in files_of(tmp_path / "bare").items() if name.endswith(".html")}
    assert found == pages


@pytest.mark.parametrize("named", ["", "same", "other"])
def test_pages_inside_a_result_renew_its_manifest(
    named: str, copy: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "index.html").write_text("old", encoding="utf-8")
    (copy / "samples" / "gone.html").write_text("old", encoding="utf-8")
    (copy / "samples" / "gone.html").unlink()
    monkeypatch.chdir(copy.parent)
    out = {"": [], "same": ["--out", str(copy)], "other": ["--out", copy.name]}[named]
    assert main(["report", str(copy), *out]) == 0
    assert verify(copy) == ()
    assert files_of(copy) == files_of(finished)


@pytest.mark.parametrize("fault", ["language", "damaged", "wrong slug"])
def test_a_fault_changes_nothing(fault: str, copy: Path, refused: Refused) -> None:
    arguments = ["--lang", "xx"] if fault == "language" else []
    last = sorted((copy / "samples").glob("*.json"))[-1]
    if fault == "damaged":
        last.write_text("{", encoding="utf-8")
    if fault == "wrong slug":
        last.rename(last.with_name("zzz-00000000.json"))
    before = files_of(copy)
    (line,) = refused(2 if fault == "language" else 3, "report", copy, *arguments)
    assert "xx" in line or last.parent.name in line
    assert line.count(".json") == (fault != "language")
    assert files_of(copy) == before


def test_result_without_pages_says_so(copy: Path, refused: Refused) -> None:
    shutil.rmtree(copy / "samples")
    (line,) = refused(3, "report", copy)
    assert "--no-reports" in line


def test_pages_in_another_language_come_from_the_same_json(finished: Path, tmp_path: Path) -> None:
    assert main(["report", str(finished), "--out", str(tmp_path / "fr"), "--lang", "fr"]) == 0
    pages = {name: page.decode() for name, page in files_of(tmp_path / "fr").items()}
    assert set(pages) == {name for name in files_of(finished) if name.endswith(".html")}
    assert all('<html lang="fr">' in page for page in pages.values())
    assert [name for name, page in pages.items() if '<span lang="en">' in page] == []


def test_pages_in_another_language_leave_no_pdf_that_contradicts_them(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = sorted((copy / "samples").glob("*.html"))
    for page in pages:
        page.with_suffix(".pdf").write_bytes(b"%PDF of the English page")
    assert main(["report", str(copy)]) == 0
    assert len(list((copy / "samples").glob("*.pdf"))) == len(pages)
    capsys.readouterr()
    assert main(["report", str(copy), "--lang", "fr"]) == 0
    assert list((copy / "samples").glob("*.pdf")) == []
    said = f"{len(pages)} PDF files of earlier pages removed; --pdf or --summary-pdf prints new ones"
    assert said in capsys.readouterr().out
    assert verify(copy) == ()
