"""Finished results that were changed are found by size, time and digest; folders of the user are refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.launch.results import find_changed, require_own_results, withdraw_changed
from escape_score.store.folder_lock import declared_files
from escape_score.store.manifest import (
    MANIFEST,
    Part,
    ResultHeader,
    entry_of,
    verify,
    write_manifest,
    write_part,
)

PROFILED = ("profiles.tsv", "qc.tsv", "scores.h5ad", "samples/s1.json", "samples/s2.json")
PAGES = ("samples/s1.html", "samples/s2.html")
LAST = ("index.html", "cohort.json")
HEADER = ResultHeader(
    cohort="a",
    n_samples=2,
    input_sha256=None,
    reference="r",
    reference_sha256="",
    genesets_sha256="",
    parameters={},
    seed=1,
    versions={},
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The directory of a workflow whose only cohort is finished."""
    results, work = tmp_path / "results" / "a", tmp_path / "work" / "a"
    (results / "samples").mkdir(parents=True)
    work.mkdir(parents=True)
    for name in (*PROFILED, *PAGES, *LAST):
        (results / name).write_text(f"content of {name}", encoding="utf-8")
    parts = {"profiles": (PROFILED, HEADER), "report-1": (PAGES[:1], None), "report-2": (PAGES[1:], None)}
    for part, (names, header) in parts.items():
        files = tuple(entry_of(results, results / name) for name in names)
        write_part(work / f"{part}.part.json", Part(header=header, files=files))
    # the last job marks failed samples there
    (results / "qc.tsv").write_text("with failed samples", encoding="utf-8")
    write_manifest(results, HEADER, [entry_of(results, results / n) for n in (*PROFILED, *PAGES, *LAST)])
    assert verify(results) == ()
    return tmp_path


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def overwrite(path: Path) -> None:
    """Another content of the same size, a moment later."""
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "appended": append,
    "overwritten": overwrite,
}


def test_nothing_is_found_where_nothing_changed(place: Path) -> None:
    assert find_changed(["a", "b"], place) == (set(), [])
    assert withdraw_changed(["a", "b"], place) == []
    assert verify(place / "results" / "a") == ()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*PROFILED, *PAGES, *LAST])
def test_every_file_that_was_changed_is_found_and_made_anew(damage: str, name: str, place: Path) -> None:
    results, work = place / "results" / "a", place / "work" / "a"
    DAMAGES[damage](results / name)
    part = {**dict.fromkeys(PROFILED, "profiles"), PAGES[0]: "report-1", PAGES[1]: "report-2"}.get(name)
    expected = {results / MANIFEST, *([work / f"{part}.part.json"] if part else [])}
    outputs, (line,) = find_changed(["a"], place)
    assert outputs == expected
    assert line == f"note: {results / name}: missing or changed since the result was finished; made anew"
    assert (results / MANIFEST).exists()
    assert withdraw_changed(["a"], place) == [line]
    assert not any(path.exists() for path in expected)
    assert len(list(work.iterdir())) == (2 if part else 3)
    assert {Path(one) for one in (*PROFILED, *PAGES, *LAST, MANIFEST)} <= declared_files(results)
    require_own_results(["a"], place)


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_damaged_manifest_is_made_anew_with_what_changed(text: str, place: Path) -> None:
    results = place / "results" / "a"
    (results / MANIFEST).write_text(text, encoding="utf-8")
    append(results / PAGES[1])
    require_own_results(["a"], place)
    outputs, (line,) = find_changed(["a"], place)
    assert outputs == {results / MANIFEST, place / "work" / "a" / "report-2.part.json"}
    assert f"{results / MANIFEST} and 1 more: " in line
    withdraw_changed(["a"], place)
    require_own_results(["a"], place)
    assert not (results / MANIFEST).exists()


@pytest.mark.parametrize(("what", "other"), [("sha256", None), ("seed", '"seed": 7')])
def test_edited_manifest_is_found(what: str, other: str | None, place: Path) -> None:
    path = place / "results" / "a" / MANIFEST
    text = path.read_text(encoding="utf-8")
    digest = entry_of(path.parent, path.parent / PAGES[0]).sha256
    edited = text.replace('"seed": 1', other) if other else text.replace(digest, "0" * 64)
    assert edited != text, what
    path.write_text(edited, encoding="utf-8")
    assert path in find_changed(["a"], place)[0]


def test_result_that_is_not_finished_is_left_to_snakemake(place: Path) -> None:
    results = place / "results" / "a"
    (results / MANIFEST).unlink()
    append(results / "samples" / "s1.json")
    assert find_changed(["a"], place) == (set(), [])
    require_own_results(["a"], place)


def test_pages_rendered_again_by_hand_stay(place: Path) -> None:
    results = place / "results" / "a"
    overwrite(results / PAGES[0])
    entries = [entry_of(results, results / name) for name in (*PROFILED, *PAGES, *LAST)]
    write_manifest(results, HEADER, entries)
    assert find_changed(["a"], place) == (set(), [])


@pytest.mark.parametrize("name", ["profiles.tsv", "notes.txt", "samples/mine.json", "manifest.json"])
def test_folder_of_the_user_is_refused_before_snakemake_starts(name: str, tmp_path: Path) -> None:
    mine = tmp_path / "results" / "a" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputUnwritableError, match="holds files that are not of a result"):
        require_own_results(["b", "a"], tmp_path)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_file_of_the_user_in_a_result_is_refused_where_a_job_would_replace_it(place: Path) -> None:
    mine = place / "results" / "a" / "scores.tsv"
    mine.write_text("mine", encoding="utf-8")
    for path in (place / "work" / "a").iterdir():
        path.unlink()
    with pytest.raises(OutputUnwritableError, match=r"scores\.tsv: cannot be written"):
        require_own_results(["a"], place)
    mine.rename(mine.with_name("notes.tsv"))
    require_own_results(["a"], place)


def test_file_of_the_user_with_the_name_of_one_of_cells_is_refused(place: Path) -> None:
    mine = place / "results" / "a" / "cells.tsv"
    mine.write_text("mine", encoding="utf-8")
    require_own_results(["a"], place)
    with pytest.raises(OutputUnwritableError, match=r"cells\.tsv: cannot be written"):
        require_own_results(["a"], place, more={"a": {Path("cells.tsv")}})
    assert mine.read_text(encoding="utf-8") == "mine"
