"""Files of the user in the folder of a result: none is overwritten, deleted or reached through a link."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.store.folder_lock import LOCK
from escape_score.store.manifest import MANIFEST, FileEntry, verify
from escape_score.store.ownership import GENERATOR, holds_result, require_result_folder
from escape_score.store.result_folder import gathering, staged_pages, staged_result, withdraw_result

WriteResult = Callable[..., tuple[FileEntry, ...]]
NEW = {"profiles.tsv": "new", "qc.tsv": "new", "index.html": "new", "samples__a.json": "new"}
WITHOUT_PAGES = {"profiles.tsv": "new", "qc.tsv": "new"}
FOREIGN = {
    "a table of our name": "qc.tsv",
    "a page of our name": "index.html",
    "an input": "scores.tsv",
    "something else": "notes.txt",
    "JSON of samples": "samples/mine.json",
    "a page of a sample": "samples/mine.html",
    "a manifest of another program": "manifest.json",
    "a folder": "own/data.tsv",
}


def state_of(folder: Path) -> dict[str, str]:
    """Everything in a folder: files by content, folders and links by kind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        found[path.relative_to(folder).as_posix()] = (
            path.read_text("utf-8") if is_file else str(path.is_dir())
        )
    return found


def put(path: Path, text: str = "mine") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def stage_result(out: Path, write_result: WriteResult, **files: str) -> None:
    with staged_result(out) as folder:
        write_result(folder, **files)


def stage_pages(out: Path, **_: object) -> None:
    with staged_pages(out) as folder:
        put(folder / "index.html")
        put(folder / "samples" / "a.html")


def begin_in_place(out: Path, **_: object) -> None:
    withdraw_result(out, {Path("profiles.tsv"), Path("samples/a.json")})


def finish_in_place(out: Path, **_: object) -> None:
    with gathering(out):
        pass


def must_refuse(action: Callable[[], object], *said: str) -> None:
    with pytest.raises(OutputUnwritableError) as caught:
        action()
    (line,) = caught.value.lines
    assert int(caught.value.exit_code) == 2
    for words in (*said, "choose a"):
        assert words in line


@pytest.mark.parametrize("name", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("is_bare", [False, True], ids=["with_pages", "without_pages"])
def test_folder_of_the_user_is_refused_untouched(
    name: str, tmp_path: Path, write_result: WriteResult, *, is_bare: bool
) -> None:
    put(tmp_path / name)
    before, when = state_of(tmp_path), tmp_path.stat().st_mtime_ns
    files = WITHOUT_PAGES if is_bare else NEW
    must_refuse(
        lambda: stage_result(tmp_path, write_result, **files), str(tmp_path), name.split("/", maxsplit=1)[0]
    )
    must_refuse(lambda: require_result_folder(tmp_path), str(tmp_path))
    assert state_of(tmp_path) == before
    assert tmp_path.stat().st_mtime_ns == when


@pytest.mark.parametrize("action", [stage_pages, begin_in_place, finish_in_place])
@pytest.mark.parametrize("name", FOREIGN.values(), ids=FOREIGN)
def test_no_other_way_into_a_folder_touches_it(
    name: str, action: Callable[[Path], None], tmp_path: Path
) -> None:
    put(tmp_path / name)
    before = state_of(tmp_path)
    must_refuse(lambda: action(tmp_path), str(tmp_path))
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("kind", ["link to a folder", "link to nothing", "link to a file", "file"])
@pytest.mark.parametrize("has_result", [False, True])
def test_samples_that_is_no_folder_is_refused(
    kind: str, tmp_path: Path, write_result: WriteResult, *, has_result: bool
) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    put(elsewhere / "a.json")
    out.mkdir()
    if has_result:
        write_result(out, **WITHOUT_PAGES)
    if kind == "file":
        put(out / "samples")
    else:
        target = {"link to a folder": elsewhere, "link to a file": elsewhere / "a.json"}
        (out / "samples").symlink_to(target.get(kind, tmp_path / "nothing"))
    before = state_of(tmp_path)
    must_refuse(lambda: stage_result(out, write_result, **NEW), "samples")
    assert state_of(tmp_path) == before


def test_samples_that_became_a_link_is_not_emptied(tmp_path: Path, write_result: WriteResult) -> None:
    out = tmp_path / "out"
    write_result(out, **NEW)
    (out / "samples").rename(tmp_path / "moved")
    (out / "samples").symlink_to(tmp_path / "moved")
    before = state_of(tmp_path)
    must_refuse(lambda: stage_result(out, write_result, **WITHOUT_PAGES), "samples")
    assert state_of(tmp_path) == before


@pytest.mark.parametrize("files", [NEW, WITHOUT_PAGES])
def test_files_of_the_user_in_a_result_stay(
    files: dict[str, str], tmp_path: Path, write_result: WriteResult
) -> None:
    write_result(tmp_path, **NEW | {"samples__gone.json": "old", "samples__gone.html": "old"})
    mine = ["notes.txt", "samples/mine.json", "samples/mine.html", "samples/mine.pdf", "own/scores.tsv"]
    for name in mine:
        put(tmp_path / name)
    stage_result(tmp_path, write_result, **files)
    found = {name: text for name, text in state_of(tmp_path).items() if not (tmp_path / name).is_dir()}
    assert {name for name, text in found.items() if text == "mine"} == set(mine)
    assert found.keys() - mine == {name.replace("__", "/") for name in files} | {MANIFEST}


@pytest.mark.parametrize("name", ["qc.tsv", "index.html", "samples/a.json"])
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_name_that_the_user_took_is_refused_before_anything_changes(
    name: str, kind: str, tmp_path: Path, write_result: WriteResult
) -> None:
    out = tmp_path / "out"
    write_result(out, **{"profiles.tsv": "old", "scores.tsv": "old"})
    if kind == "link":
        put(tmp_path / "target")
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).symlink_to(tmp_path / "target")
    else:
        put(out / name if kind == "file" else out / name / "data")
    before = state_of(tmp_path)
    must_refuse(lambda: stage_result(out, write_result, **NEW), f"{out / name}: ")
    assert state_of(tmp_path) == before
    (out / "notes.txt").touch()
    assert verify(out) == () or name.startswith("samples")


def test_file_that_came_during_the_run_is_seen_under_the_lock(
    tmp_path: Path, write_result: WriteResult
) -> None:
    out = tmp_path / "out"

    def run() -> None:
        with staged_result(out) as folder:
            write_result(folder, **NEW)
            put(out / "qc.tsv")

    must_refuse(run, str(out / "qc.tsv"))
    assert state_of(out) == {"qc.tsv": "mine"}


def test_input_that_is_a_file_of_the_result_is_refused(tmp_path: Path, write_result: WriteResult) -> None:
    write_result(tmp_path, **NEW | {"scores.tsv": "old"})
    put(tmp_path / "mine.tsv")
    require_result_folder(tmp_path, [tmp_path / "mine.tsv", None])
    inputs = [tmp_path / "samples" / ".." / "scores.tsv"]
    must_refuse(lambda: require_result_folder(tmp_path, inputs), "scores.tsv", "would be replaced")


@pytest.mark.parametrize("text", ["12345\n", "host 17", "{}"])
def test_lock_of_another_program_is_refused(text: str, tmp_path: Path, write_result: WriteResult) -> None:
    put(tmp_path / LOCK, text)
    must_refuse(lambda: stage_result(tmp_path, write_result, **NEW), LOCK)
    assert state_of(tmp_path) == {LOCK: text}


@pytest.mark.parametrize("text", ["", "mani", f"{MANIFEST}\nprofiles.tsv\nsamples/a.json\nqc"])
def test_folder_that_a_killed_run_left_is_ours(text: str, tmp_path: Path, write_result: WriteResult) -> None:
    put(tmp_path / LOCK, text)
    put(tmp_path / ".tmp-17" / "qc.tsv")
    if "profiles" in text:
        put(tmp_path / "profiles.tsv", "half")
        put(tmp_path / "samples" / "a.json", "half")
    stage_result(tmp_path, write_result, **WITHOUT_PAGES)
    assert state_of(tmp_path).keys() == {*WITHOUT_PAGES, MANIFEST}


def test_result_in_place_declares_its_files_until_it_is_gathered(
    tmp_path: Path, write_result: WriteResult
) -> None:
    withdraw_result(tmp_path, {Path("profiles.tsv"), Path("samples/a.json")})
    for name in ("profiles.tsv", "samples/a.json", "notes.txt"):
        put(tmp_path / name)
    require_result_folder(tmp_path)
    stage_result(tmp_path, write_result, **{"scores.tsv": "new"})
    assert state_of(tmp_path).keys() == {"notes.txt", "scores.tsv", MANIFEST}


def test_pages_replace_earlier_pages_only(tmp_path: Path) -> None:
    page = f"<head>\n{GENERATOR.decode()}"
    for name in ("index.html", "samples/a.html", "samples/b-0123abcd.html", "samples/signed copy.html"):
        put(tmp_path / name, page)
    stage_pages(tmp_path)
    assert state_of(tmp_path) == {
        "index.html": "mine",
        "samples": "True",
        "samples/a.html": "mine",
        "samples/signed copy.html": page,
    }


def test_holds_result_knows_results_finished_or_not(finished: Path, tmp_path: Path) -> None:
    assert holds_result(finished)
    table = (finished / "profiles.tsv").read_bytes()
    (tmp_path / "profiles.tsv").write_bytes(table)
    assert holds_result(tmp_path)
    (tmp_path / "profiles.tsv").write_text("sample_id\tcluster\n", encoding="utf-8")
    (tmp_path / "manifest.json").write_text('{"files": []}', encoding="utf-8")
    assert not holds_result(tmp_path)
    assert not holds_result(tmp_path / "none")
