"""A result folder that a run fills as a whole or not at all.

Files are written into ``.tmp-PID`` beside the final ones and moved when all are there. A lock keeps a second
run out. The manifest goes first and comes back last, ``index.html`` next to it both times: a folder that
has either holds all files of one run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from escape_score.errors import OutputUnwritableError, ResultInvalidError
from escape_score.store.atomic import remove_leftovers, sync, undisturbed, unwritable
from escape_score.store.folder_lock import FolderLock, only_writer
from escape_score.store.manifest import (
    MANIFEST,
    SAMPLES,
    Manifest,
    entry_of,
    read_manifest,
    remove_unlisted_samples,
    sync_names,
    write_manifest,
)

INDEX = "index.html"
STAGING_NAME = re.compile(r"\.tmp-\d+")


@contextmanager
def staged_result(out: Path) -> Iterator[Path]:
    """Fill a folder beside the final files, then move all of it into place, the manifest last.

    ``out`` is made where missing. A result that is already there is replaced; files that are not ours stay.

    Yields
    ------
    Path
        Where to write; must hold a manifest when the block ends.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder, cannot be written, or another run is writing there.
    """
    with _staging(out) as (staging, lock):
        yield staging
        with undisturbed():
            _replace_result(staging, out, lock)


@contextmanager
def staged_pages(out: Path, *, is_own: bool = False) -> Iterator[Path]:
    """Fill a folder beside the final pages, then move all of them into place; on an error nothing changes.

    Parameters
    ----------
    out
        Made where missing. A manifest in it is removed before the first page changes.
    is_own
        Whether the pages belong to the result in ``out``: its manifest then comes back with their digests.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder, cannot be written, or another run is writing there.
    ResultInvalidError
        The manifest of an own result is damaged.
    """
    with _staging(out) as (staging, lock):
        manifest = read_manifest(out) if is_own and (out / MANIFEST).is_file() else None
        yield staging
        with undisturbed():
            _replace_pages(staging, out, lock, manifest)


def outdated_prints(out: Path, staging: Path) -> frozenset[Path]:
    """Find the PDFs of samples' pages that will say something else than the pages to come, in ``staging``.

    Returns
    -------
    frozenset of pathlib.Path
        Relative to ``out``: PDFs named for a page that changes, for which no new one was printed. A PDF of
        another name is none of ours.
    """
    pages = (path for path in _files(staging) if path.parent == Path(SAMPLES) and path.suffix == ".html")
    changed = (page for page in pages if _content(out / page) != _content(staging / page))
    prints = (page.with_suffix(".pdf") for page in changed)
    return frozenset(pdf for pdf in prints if (out / pdf).is_file() and not (staging / pdf).exists())


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def withdraw_result(out: Path) -> None:
    """Say that a folder holds no finished result, before the first of its files changes in place."""
    try:
        if out.is_dir():
            _withdraw(out, {Path(INDEX)})
    except OSError as error:
        raise unwritable(out, error) from error


@contextmanager
def gathering(out: Path) -> Iterator[None]:
    """Finish, in place, a result whose files several processes wrote; what killed ones left there goes."""
    with only_writer(out):
        withdraw_result(out)
        _remove_unfinished(out)
        yield


@contextmanager
def _staging(out: Path) -> Iterator[tuple[Path, FolderLock]]:
    """Lock ``out`` and make a folder to fill; both go in the end, and ``out`` too if nothing came into it."""
    staging, was_there, lock = out / f".tmp-{os.getpid()}", True, None
    try:
        was_there = out.is_dir()
        if not was_there and out.exists():
            msg = f"{out}: cannot be written, it is not a folder; choose another folder"
            raise OutputUnwritableError(msg)
        lock = FolderLock.acquire(out)
        _remove_stale(out, staging, lock)
        staging.mkdir()
        yield staging, lock
    except OSError as error:
        raise unwritable(out, error) from error
    except OutputUnwritableError as error:
        # the temporary folder will be gone when the message is read
        raise OutputUnwritableError(str(error).replace(str(staging), str(out))) from error
    finally:
        with undisturbed():
            if lock is not None:
                shutil.rmtree(staging, ignore_errors=True)
                lock.release()
            if not was_there:
                with suppress(OSError):
                    out.rmdir()


def _remove_stale(out: Path, staging: Path, lock: FolderLock) -> None:
    """Remove what killed runs left: who holds the lock knows that none of their processes is at work."""
    # in a container a later run often has the same process id
    stale = [path for path in out.iterdir() if STAGING_NAME.fullmatch(path.name)]
    for path in stale if lock.is_exclusive else [staging]:
        shutil.rmtree(path, ignore_errors=True)
    _remove_unfinished(out)


def _remove_unfinished(out: Path) -> None:
    """Remove the files that killed stages were writing in place."""
    for folder in (out, out / SAMPLES):
        remove_leftovers(folder)


def _replace_result(staging: Path, out: Path, lock: FolderLock) -> None:
    """Replace a result by the staged one."""
    ours, new = _inside(_listed(out) | lock.unsettled()), _files(staging)
    manifest = read_manifest(staging)
    lock.declare(ours | new)
    _withdraw(out, ours | new)
    _move(staging, out, new - {Path(MANIFEST), Path(INDEX)})
    _remove(out, ours - new)
    remove_unlisted_samples(out, manifest.files)
    with suppress(OSError):
        (out / SAMPLES).rmdir()
    _move(staging, out, new & {Path(INDEX)})
    sync_names(out)
    (staging / MANIFEST).replace(out / MANIFEST)
    sync(out)
    lock.settle()


def _replace_pages(staging: Path, out: Path, lock: FolderLock, manifest: Manifest | None) -> None:
    """Replace pages by the staged ones; what was printed of other pages goes."""
    new, outdated = _files(staging), outdated_prints(out, staging)
    lock.declare(_inside(_listed(out) | lock.unsettled()) | new)
    _withdraw(out, new)
    _remove(out, outdated)
    _move(staging, out, new - {Path(INDEX)})
    _move(staging, out, new & {Path(INDEX)})
    if manifest is not None:
        renewed = {path.as_posix(): entry_of(out, out / path) for path in new}
        kept = {entry.path: entry for entry in manifest.files if Path(entry.path) not in outdated}
        write_manifest(out, manifest.header, (kept | renewed).values(), manifest.failed)
    lock.settle()


def _withdraw(out: Path, ours: set[Path]) -> None:
    """Take manifest and index away, on the disk too, so that no mixture is ever accepted or shown."""
    _remove(out, [Path(MANIFEST)])
    _remove(out, ours & {Path(INDEX)})
    sync(out)


def _files(folder: Path) -> set[Path]:
    """Paths of all files below a folder, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _move(staging: Path, out: Path, relative: Iterable[Path]) -> None:
    for path in sorted(relative):
        (out / path).parent.mkdir(exist_ok=True)
        (staging / path).replace(out / path)


def _remove(out: Path, relative: Iterable[Path]) -> None:
    """Remove files of an earlier result, whichever are still there."""
    for path in relative:
        with suppress(FileNotFoundError, NotADirectoryError):
            (out / path).unlink()


def _listed(out: Path) -> set[Path]:
    """Files of the result that is already there."""
    with suppress(ResultInvalidError):
        return {Path(entry.path) for entry in read_manifest(out).files}
    return set()


def _inside(relative: Iterable[Path]) -> set[Path]:
    """Those paths that are inside their folder: a list that was tampered with names no others."""
    return {path for path in relative if not path.is_absolute() and ".." not in path.parts}
