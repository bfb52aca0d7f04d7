"""A result replaces the one before as a whole, or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from escape_score.errors import OutputUnwritableError, ResultInvalidError
from escape_score.store.folder_lock import LOCK, declared_files, only_writer
from escape_score.store.manifest import MANIFEST, FileEntry, verify
from escape_score.store.ownership import GENERATOR
from escape_score.store.result_folder import (
    INDEX,
    gathering,
    outdated_prints,
    staged_pages,
    staged_result,
    withdraw_result,
)

WriteResult = Callable[..., tuple[FileEntry, ...]]
FILE_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"})
"""What Python tells an audit hook before it touches the disk."""
MOST_EVENTS = 1000
HIT = 3
NO_PROCESS = 2**22 + 1
"""Linux gives no process a number above 2**22 (``PID_MAX_LIMIT``)."""
OLD = {"profiles.tsv": "old", INDEX: "old", "samples__a.html": "old", "samples__b.html": "old"}
PAGE = f"<!DOCTYPE html>\n<head>\n{GENERATOR.decode()}\n"
NEW = {"profiles.tsv": "new", INDEX: "new", "samples__b.html": "new", "samples__c.html": "new"}


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
        finished = ("profiles.tsv", "samples/a.json", MANIFEST)
        assert not any((out / name).exists() for name in finished)
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
    (tmp_path / LOCK).write_text(f"{MANIFEST}\nsamples/old.json\n", encoding="utf-8")
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


def test_staged_pages_of_another_result_do_not_replace_a_result(
    tmp_path: Path, write_result: WriteResult
) -> None:
    write_result(tmp_path, **{"index.html": PAGE, "profiles.tsv": "old", "samples__a.html": PAGE})
    before = files_of(tmp_path)

    def enter() -> None:
        with staged_pages(tmp_path):
            pass

    with pytest.raises(
        OutputUnwritableError, match=r"not pages of this program \('manifest.json', 'profiles"
    ):
        enter()
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("is_own", [True, False])
def test_staged_pages_removes_what_was_printed_of_other_pages(
    tmp_path: Path, write_result: WriteResult, *, is_own: bool
) -> None:
    kinds = ("html", "pdf", "summary.pdf")
    pages = {f"samples__{name}.{kind}": PAGE for name in "abc" for kind in kinds}
    write_result(tmp_path, **pages)
    if is_own:
        (tmp_path / "samples" / "mine.pdf").write_text("mine", encoding="utf-8")
    else:
        (tmp_path / MANIFEST).unlink()
    with staged_pages(tmp_path, is_own=is_own) as folder:
        (folder / "samples").mkdir()
        for name, text in {"a.html": "new", "b.html": PAGE, "c.html": "new", "c.pdf": "new"}.items():
            (folder / "samples" / name).write_text(text, encoding="utf-8")
        outdated = {Path(f"samples/{name}.pdf") for name in ("a", "a.summary", "c.summary")}
        assert outdated_prints(tmp_path, folder) == outdated
    left = {f"samples/{name}" for name in ("a.html", "b.html", "b.pdf", "b.summary.pdf", "c.html", "c.pdf")}
    left |= {"samples/mine.pdf"} if is_own else set()
    assert {name for name in files_of(tmp_path) if name != MANIFEST} == left
    (tmp_path / "samples" / "mine.pdf").unlink(missing_ok=True)
    assert not is_own or verify(tmp_path) == ()


def in_child(action: Callable[[], None], *, event: int, number: signal.Signals) -> bool:
    """Act in a forked process that gets a signal as it touches the disk for the n-th time; tell if it did."""
    child = os.fork()
    if child == 0:
        events = count()

        def send(name: str, _arguments: tuple[object, ...]) -> None:
            if name in FILE_EVENTS and next(events) == event:
                os.kill(os.getpid(), number)

        try:
            signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit())  # unwinds the stack
            sys.addaudithook(send)
            action()
        finally:
            os._exit(0 if next(events) <= event else HIT)
    return os.waitpid(child, 0)[1] != 0


def is_accepted(folder: Path) -> bool:
    try:
        return verify(folder) == ()
    except ResultInvalidError:
        return False


def contents(folder: Path) -> dict[str, str]:
    """Files of a folder as ``write_result`` is told of them, but for the manifest and what is hidden."""
    shown = {name: text for name, text in files_of(folder).items() if not name.startswith(".")}
    return {name.replace("/", "__"): text for name, text in shown.items() if name != MANIFEST}


def state_of(out: Path, before: dict[str, str]) -> str:
    """Whose result is accepted: old, new or none; no other may be there."""
    found = contents(out)
    if is_accepted(out):
        assert found in (before, NEW)
        return "new" if found == NEW else "old"
    assert not (out / MANIFEST).exists()
    assert INDEX not in found or found in (before, NEW)
    return "none"


@pytest.mark.parametrize(
    "before",
    [pytest.param({}, id="into_nothing", marks=pytest.mark.slow), pytest.param(OLD, id="over_a_result")],
)
def test_staged_result_killed_at_any_step_is_old_or_new_or_refused(
    before: dict[str, str], tmp_path: Path, write_result: WriteResult
) -> None:
    states = []
    for event in range(MOST_EVENTS):
        out = tmp_path / str(event)
        if before:
            write_result(out, **before)

        def replace(out: Path = out) -> None:
            with staged_result(out) as folder:
                write_result(folder, **NEW)

        was_hit = in_child(replace, event=event, number=signal.SIGKILL)
        states.append(state_of(out, before))
        if not was_hit:
            break
        with staged_result(out) as folder:
            write_result(folder, **{"profiles.tsv": "last"})
        assert set(files_of(out)) == {"profiles.tsv", MANIFEST}
        assert verify(out) == ()
    # from the old result to none to the new one, never back, and each was seen
    order = ["old", "none", "new"] if before else ["none", "new"]
    assert states == sorted(states, key=order.index)
    assert set(states) == set(order)


@pytest.mark.parametrize(
    "before",
    [pytest.param({}, id="into_nothing", marks=pytest.mark.slow), pytest.param(OLD, id="over_a_result")],
)
def test_staged_result_ended_at_any_step_is_old_or_new_and_clean(
    before: dict[str, str], tmp_path: Path, write_result: WriteResult
) -> None:
    states = []
    for event in range(MOST_EVENTS):
        out = tmp_path / str(event)
        if before:
            write_result(out, **before)

        def replace(out: Path = out) -> None:
            with staged_result(out) as folder:
                write_result(folder, **NEW)

        was_hit = in_child(replace, event=event, number=signal.SIGTERM)
        states.append(state_of(out, before) if out.exists() else "nothing")
        assert list(out.glob(".*")) == []
        if not was_hit:
            break
    # while files move the signal waits, so the old result is never lost for nothing
    order = ["old" if before else "nothing", "new"]
    assert states == sorted(states, key=order.index)
    assert set(states) == set(order)


def test_staged_pages_killed_at_any_step_are_old_or_new_or_refused(
    tmp_path: Path, write_result: WriteResult
) -> None:
    states = []
    for event in range(MOST_EVENTS):
        out = tmp_path / str(event)
        write_result(out, **OLD)

        def replace(out: Path = out) -> None:
            with staged_pages(out, is_own=True) as folder:
                (folder / "samples").mkdir()
                for name in (INDEX, "samples/a.html", "samples/b.html"):
                    (folder / name).write_text("new", encoding="utf-8")

        was_hit = in_child(replace, event=event, number=signal.SIGKILL)
        found = contents(out)
        states.append(found["samples__a.html"] if is_accepted(out) else "none")
        # the index is there only with all the pages of its own rendering
        assert len({found[name] for name in found if name.endswith("html")}) == 1 or INDEX not in found
        if not was_hit:
            break
    assert states == sorted(states, key=["old", "none", "new"].index)
    assert set(states) == {"old", "none", "new"}
    assert found == OLD | {INDEX: "new", "samples__a.html": "new", "samples__b.html": "new"}


def test_second_run_into_a_folder_is_refused_while_the_first_writes(
    tmp_path: Path, write_result: WriteResult
) -> None:
    out = tmp_path / "out"

    def enter(stage: Callable[[Path], object]) -> None:
        with stage(out):  # type: ignore[attr-defined]
            pass

    with staged_result(out) as folder:
        write_result(folder, **NEW)
        for stage in (staged_result, staged_pages, gathering):
            with pytest.raises(OutputUnwritableError, match="another run is writing there") as caught:
                enter(stage)
            assert len(caught.value.lines) == 1
            assert caught.value.lines[0].startswith(f"{out}: ")
    assert verify(out) == ()
    assert contents(out) == NEW


def test_many_runs_at_once_leave_the_result_of_one(tmp_path: Path, write_result: WriteResult) -> None:
    out, n_rounds = tmp_path / "out", 10

    def write(name: str) -> None:
        for _ in range(n_rounds):
            with suppress(OutputUnwritableError), staged_result(out) as folder:
                write_result(folder, **{"profiles.tsv": name, f"samples__{name}.json": name})

    writers = []
    for name in "abcd":
        writers.append(os.fork())
        if writers[-1] == 0:
            try:
                write(name)
            finally:
                os._exit(0)
    for writer in writers:
        os.waitpid(writer, 0)
    assert verify(out) == ()
    (winner,) = set(contents(out).values())
    assert set(files_of(out)) == {MANIFEST, "profiles.tsv", f"samples/{winner}.json"}


def holding(folder: Path, started: Path) -> int:
    """A process of its own that has the lock of a folder, until it is killed."""
    child = os.fork()
    if child == 0:
        try:
            with only_writer(folder):
                started.touch()
                signal.pause()
        finally:
            os._exit(0)
    while not started.exists():
        time.sleep(0.01)
    return child


def test_lock_of_a_killed_process_is_free_at_once(tmp_path: Path, write_result: WriteResult) -> None:
    out = tmp_path / "out"
    child = holding(out, tmp_path / "started")
    with pytest.raises(OutputUnwritableError, match="another run is writing there"), staged_result(out):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with staged_result(out) as folder:
        write_result(folder, **NEW)
    assert verify(out) == ()


def test_file_that_moves_between_opening_and_locking_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, moved = fcntl.flock, tmp_path / ".nfs01"

    def move_first(descriptor: int, operation: int) -> None:
        if not moved.exists():
            (tmp_path / LOCK).rename(moved)
            (tmp_path / LOCK).touch()  # of a third run
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", move_first)
    with only_writer(tmp_path) as lock:
        assert lock.descriptor is not None
        assert os.path.samestat(os.fstat(lock.descriptor), (tmp_path / LOCK).stat())


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_file_system_without_locks_is_written_but_not_cleaned(
    number: int, tmp_path: Path, write_result: WriteResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / ".tmp-1").mkdir()  # of a run on another machine, for all that is known
    with staged_result(tmp_path) as folder:
        write_result(folder, **NEW)
    assert verify(tmp_path) == ()
    assert [path.name for path in tmp_path.glob(".*")] == [".tmp-1"]


def test_folders_of_killed_runs_go_and_others_stay(tmp_path: Path, write_result: WriteResult) -> None:
    write_result(tmp_path, **OLD)
    for name in (".tmp-1", f".tmp-{NO_PROCESS}", ".tmp-mine", "tmp-2"):
        (tmp_path / name / "samples").mkdir(parents=True)
    with staged_result(tmp_path) as folder:
        write_result(folder, **NEW)
    assert {path.name for path in tmp_path.glob("*tmp-*")} == {".tmp-mine", "tmp-2"}


def test_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    out.mkdir()
    (out / LOCK).symlink_to(precious)

    def enter() -> None:
        with staged_result(out):
            pass

    with pytest.raises(OutputUnwritableError, match=str(out)):
        enter()
    assert precious.read_text(encoding="utf-8") == "mine"


def test_list_of_a_killed_run_cannot_name_files_outside_the_folder(
    tmp_path: Path, write_result: WriteResult
) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    out.mkdir()
    precious.write_text("mine", encoding="utf-8")
    (out / "cut").write_text("mine", encoding="utf-8")
    (out / LOCK).write_text(f"{MANIFEST}\n../precious\n{precious}\ncut", encoding="utf-8")
    with staged_result(out) as folder:
        write_result(folder, **NEW)
    assert precious.read_text(encoding="utf-8") == "mine"
    assert contents(out) == NEW | {"cut": "mine"}


def test_withdraw_result_takes_manifest_and_index_only(tmp_path: Path, write_result: WriteResult) -> None:
    write_result(tmp_path, **OLD)
    withdraw_result(tmp_path)
    assert set(files_of(tmp_path)) == {"profiles.tsv", "samples/a.html", "samples/b.html", LOCK}
    assert declared_files(tmp_path) == {Path(name) for name in (*OLD, MANIFEST) if "__" not in name} | {
        Path("samples/a.html"),
        Path("samples/b.html"),
    }
    withdraw_result(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_gathering_removes_what_killed_stages_left_unfinished(
    tmp_path: Path, write_result: WriteResult
) -> None:
    write_result(tmp_path, **OLD)
    dead, alive = tmp_path / f".x.tsv.tmp-{NO_PROCESS}", tmp_path / "samples" / f".x.html.tmp-{os.getpid()}"
    for path in (dead, alive):
        path.write_text("half", encoding="utf-8")
    with gathering(tmp_path):
        assert not (tmp_path / MANIFEST).exists()
        assert not dead.exists()
        assert alive.exists()
    assert not (tmp_path / LOCK).exists()
