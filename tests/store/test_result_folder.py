"""A result replaces the one before as a whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.store.manifest import MANIFEST, FileEntry, verify
from escape_score.store.result_folder import staged_pages, staged_result

WriteResult = Callable[..., tuple[FileEntry, ...]]


def files_of(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8")
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_staged_result_appears_when_the_block_ends(tmp_path: Path, write_result: WriteResult) -> None:
    out = tmp_path / "deep" / "out"
    with staged_result(out) as folder:
        write_result(folder, **{"profiles.tsv": "new", "samples__a.json": "{}"})
        assert set(files_of(out)) == {
            f"{folder.name}/{n}" for n in ("profiles.tsv", "samples/a.json", MANIFEST)
        }
    assert set(files_of(out)) == {"profiles.tsv", "samples/a.json", MANIFEST}
    assert verify(out) == ()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_staged_result_leaves_nothing_after_an_error(
    error: type[BaseException], tmp_path: Path, write_result: WriteResult
) -> None:
    out = tmp_path / "out"

    def fail() -> None:
        with staged_result(out) as folder:
            write_result(folder, **{"profiles.tsv": "new"})
            raise error

    with pytest.raises((error, OutputUnwritableError)):
        fail()
    assert list(tmp_path.iterdir()) == []
    out.mkdir()
    write_result(out, **{"profiles.tsv": "old"})
    before = files_of(out)
    with pytest.raises((error, OutputUnwritableError)):
        fail()
    assert files_of(out) == before
    assert verify(out) == ()


def test_staged_result_replaces_the_old_one_and_spares_what_is_not_ours(
    tmp_path: Path, write_result: WriteResult
) -> None:
    write_result(
        tmp_path, **{"profiles.tsv": "old", "samples__a.json": "1", "samples__b.json": "1", "index.html": "x"}
    )
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "data.tsv").write_text("mine", encoding="utf-8")
    with staged_result(tmp_path) as folder:
        write_result(folder, **{"profiles.tsv": "new", "samples__b.json": "2", "samples__c.json": "2"})
    found = files_of(tmp_path)
    del found[MANIFEST]
    assert found == {
        "profiles.tsv": "new",
        "samples/b.json": "2",
        "samples/c.json": "2",
        "notes.txt": "mine",
        "own/data.tsv": "mine",
    }
    assert verify(tmp_path) == ()


def test_samples_of_a_run_that_was_killed_do_not_stay(tmp_path: Path, write_result: WriteResult) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "old.json").write_text("{}", encoding="utf-8")
    stale = tmp_path / f".tmp-{os.getpid()}"
    stale.mkdir()
    (stale / "half.json").write_text("{", encoding="utf-8")
    with staged_result(tmp_path) as folder:
        write_result(folder, **{"samples__new.json": "{}"})
    assert set(files_of(tmp_path)) == {"samples/new.json", MANIFEST}
    assert verify(tmp_path) == ()


def test_manifest_cannot_name_files_outside_its_folder(tmp_path: Path, write_result: WriteResult) -> None:
    out = tmp_path / "out"
    (tmp_path / "precious").write_text("mine", encoding="utf-8")
    write_result(out, **{"profiles.tsv": "old"})
    manifest = (out / MANIFEST).read_text(encoding="utf-8")
    (out / MANIFEST).write_text(manifest.replace("profiles.tsv", "../precious"), encoding="utf-8")
    with staged_result(out) as folder:
        write_result(folder, **{"scores.tsv": "new"})
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("stage", [staged_result, staged_pages])
@pytest.mark.parametrize("below", [False, True])
def test_out_that_is_a_file_is_a_fault_of_use(
    stage: Callable[[Path], object], tmp_path: Path, *, below: bool
) -> None:
    path = tmp_path / "out"
    path.write_text("mine", encoding="utf-8")
    out = path / "below" if below else path

    def enter() -> None:
        with stage(out):  # type: ignore[attr-defined]
            pass

    with pytest.raises(OutputUnwritableError, match=str(path)) as caught:
        enter()
    assert int(caught.value.exit_code) == 2
    assert path.read_text(encoding="utf-8") == "mine"


def test_staged_pages_replaces_pages_and_takes_the_manifest_away(
    tmp_path: Path, write_result: WriteResult
) -> None:
    write_result(tmp_path, **{"index.html": "old", "profiles.tsv": "old", "samples__a.html": "old"})
    with staged_pages(tmp_path) as folder:
        (folder / "samples").mkdir()
        for name in ("index.html", "samples/a.html"):
            (folder / name).write_text("new", encoding="utf-8")
        assert verify(tmp_path) == ()
    assert files_of(tmp_path) == {"index.html": "new", "profiles.tsv": "old", "samples/a.html": "new"}
