"""A result folder that a run fills as a whole or not at all.

Files are written into ``.tmp-PID`` beside the final ones and moved when all are there. A lock keeps a second
run out. The manifest goes first and comes back last, ``index.html`` next to it both times: a folder that
has either holds all files of one run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from escape_score.errors import OutputUnwritableError
from escape_score.store.atomic import remove_leftovers, sync, undisturbed, unwritable
from escape_score.store.folder_lock import FolderLock, declared_files, only_writer
from escape_score.store.manifest import (
    MANIFEST,
    SAMPLES,
    Manifest,
    entry_of,
    read_manifest,
    sync_names,
    write_manifest,
)
from escape_score.store.ownership import SUMMARY, inside, is_page, own_files, require_free, require_only

INDEX = "index.html"
PAGE_NAME = re.compile(r"samples/[a-z0-9-]*-[0-9a-f]{8}(?:\.html|(?:\.summary)?\.pdf)")
"""Pages of samples; a copy under another name is the user's."""
STAGING_NAME = re.compile(r"\.tmp-\d+")
STAGE_PATIENCE_S = 30.0
"""Many jobs of one cohort may start together; each holds the lock for milliseconds."""


@contextmanager
def staged_result(out: Path, find_ours: Callable[[Path], set[Path]] = own_files) -> Iterator[Path]:
    """Fill a folder beside the final files, then move all of it into place, the manifest last.

    ``out`` is made where missing. A result that is already there is replaced; files of the user stay.
    ``find_ours`` finds the files that may be replaced, and refuses a folder that holds others.

    Yields
    ------
    Path
        Where to write; must hold a manifest when the block ends.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder, cannot be written, holds files of the user that are in the way or that make it
        no result, or another run is writing there.
    """
    with _staging(out, find_ours) as (staging, lock, ours):
        yield staging
        require_free(out, _files(staging), ours)
        with undisturbed():
            _replace_result(staging, out, lock, ours)


@contextmanager
def staged_pages(out: Path, *, is_own: bool = False) -> Iterator[Path]:
    """Fill a folder beside the final pages, then move all of them into place; on an error nothing changes.

    Parameters
    ----------
    out
        Made where missing. Another folder than that of the result may hold earlier pages only.
    is_own
        Whether the pages belong to the result in ``out``: its manifest is removed before the first page
        changes, and comes back with their digests.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder, cannot be written, holds files of the user that are in the way, or another run
        is writing there.
    ResultInvalidError
        The manifest of an own result is damaged.
    """
    with _staging(out, _files_of_result if is_own else _only_pages) as (staging, lock, ours):
        manifest = read_manifest(out) if is_own and (out / MANIFEST).is_file() else None
        yield staging
        require_free(out, _files(staging), ours)
        with undisturbed():
            _replace_pages(staging, out, lock, manifest, ours, is_own=is_own)


def _pages(out: Path) -> set[Path]:
    """Pages in a folder that this program rendered, and what was printed of them."""
    return {
        path.relative_to(out) for path in (*out.glob("*.html"), *(out / SAMPLES).glob("*")) if is_page(path)
    }


def _files_of_result(out: Path) -> set[Path]:
    """Files of the result that pages belong to: one without a manifest may hold JSON of samples only."""
    return _pages(out) | (own_files(out) if (out / MANIFEST).is_file() else inside(declared_files(out)))


def _only_pages(out: Path) -> set[Path]:
    """Earlier pages in a folder; refuse one that holds anything else, such as another result."""
    pages = _pages(out) | inside(declared_files(out))
    require_only(out, pages.__contains__, what="are not pages of this program")
    return pages


def outdated_prints(out: Path, staging: Path) -> frozenset[Path]:
    """Find the PDFs of samples' pages that will say something else than the pages to come, in ``staging``.

    Returns
    -------
    frozenset of pathlib.Path
        Relative to ``out``: PDFs named for a page that changes, for which no new one was printed. A PDF of
        another name is none of ours.
    """
    pages = (path for path in _files(staging) if path.parent == Path(SAMPLES) and path.suffix == ".html")
    known = (page for page in pages if (out / page).is_file())
    changed = (page for page in known if (out / page).read_bytes() != (staging / page).read_bytes())
    prints = (page.with_suffix(suffix) for page in changed for suffix in (".pdf", f"{SUMMARY}.pdf"))
    return frozenset(pdf for pdf in prints if (out / pdf).is_file() and not (staging / pdf).exists())


def withdraw_result(out: Path, new: Iterable[Path] = (), known: Iterable[Path] = ()) -> None:
    """Say that a folder holds no finished result, before the first of its files changes in place.

    The files of the result that was there, and the ``new`` ones, are declared in the lock file, which stays
    until the result is gathered. ``known`` are files that are of the result as earlier jobs say.

    Raises OutputUnwritableError: a file of the user is in the way, or the folder is no result.
    """
    new = set(new)
    if not (new or out.is_dir()):
        return
    own_files(out, known)
    with only_writer(out, patience_s=STAGE_PATIENCE_S) as lock:
        ours = own_files(out, known)
        require_free(out, new, ours)
        if undeclared := (ours | new) - declared_files(out):
            lock.declare(undeclared)
        _withdraw(out, ours)


@contextmanager
def gathering(out: Path, new: Iterable[Path] = (), known: Iterable[Path] = ()) -> Iterator[set[Path]]:
    """Finish, in place, a result whose files several processes wrote; what killed ones left there goes.

    ``new`` and ``known`` are those of :func:`withdraw_result`.

    Yields
    ------
    set of pathlib.Path
        Relative to ``out``: files of this result, and of the one before it.
    """
    known = set(known)
    own_files(out, known)
    with only_writer(out) as lock:
        ours = own_files(out, known)
        last = {Path(INDEX), Path(MANIFEST), *new}
        require_free(out, last, ours)
        lock.declare(ours | last)
        _withdraw(out, ours)
        _remove_unfinished(out)
        yield ours
        lock.settle()


@contextmanager
def _staging(
    out: Path, find_ours: Callable[[Path], set[Path]]
) -> Iterator[tuple[Path, FolderLock, set[Path]]]:
    """Lock ``out`` and make a folder to fill; both go in the end, and ``out`` too if nothing came into it.

    ``find_ours`` finds the files that may be replaced, and refuses a folder of the user. It is asked twice:
    before anything is touched, and again when no other run can change the folder any more.
    """
    staging, was_there, lock = out / f".tmp-{os.getpid()}", True, None
    try:
        was_there = out.is_dir()
        if not was_there and out.exists():
            msg = f"{out}: cannot be written, it is not a folder; choose another folder"
            raise OutputUnwritableError(msg)
        find_ours(out)
        lock = FolderLock.acquire(out)
        ours = find_ours(out)
        _remove_stale(out, staging, lock)
        staging.mkdir()
        yield staging, lock, ours
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


def _replace_result(staging: Path, out: Path, lock: FolderLock, ours: set[Path]) -> None:
    """Replace a result by the staged one."""
    new = _files(staging)
    read_manifest(staging)  # a result without one would look finished to nobody
    lock.declare(ours | new)
    _withdraw(out, ours | new)
    _move(staging, out, new - {Path(MANIFEST), Path(INDEX)})
    remove_files(out, ours - new)
    with suppress(OSError):
        (out / SAMPLES).rmdir()
    _move(staging, out, new & {Path(INDEX)})
    sync_names(out)
    (staging / MANIFEST).replace(out / MANIFEST)
    sync(out)
    lock.settle()


def _replace_pages(
    staging: Path, out: Path, lock: FolderLock, manifest: Manifest | None, ours: set[Path], *, is_own: bool
) -> None:
    """Replace pages by the staged ones; what was printed of other pages goes, and pages of other samples."""
    new, outdated = _files(staging), outdated_prints(out, staging)
    if not is_own:
        named = {path for path in ours if path == Path(INDEX) or PAGE_NAME.fullmatch(path.as_posix())}
        outdated |= {
            path for path in named if path.with_name(path.name.partition(".")[0] + ".html") not in new
        }
    lock.declare(ours | new)
    _withdraw(out, new)
    remove_files(out, outdated)
    _move(staging, out, new - {Path(INDEX)})
    _move(staging, out, new & {Path(INDEX)})
    if manifest is not None:
        renewed = {path.as_posix(): entry_of(out, out / path) for path in new}
        kept = {entry.path: entry for entry in manifest.files if Path(entry.path) not in outdated}
        write_manifest(out, manifest.header, (kept | renewed).values(), manifest.failed)
    if manifest is not None or not is_own:  # the list of an unfinished result is still needed
        lock.settle()


def _withdraw(out: Path, ours: set[Path]) -> None:
    """Take manifest and index away, on the disk too, so that no mixture is ever accepted or shown."""
    remove_files(out, [Path(MANIFEST)])
    remove_files(out, ours & {Path(INDEX)})
    sync(out)


def _files(folder: Path) -> set[Path]:
    """Paths of all files below a folder, relative to it."""
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _move(staging: Path, out: Path, relative: Iterable[Path]) -> None:
    for path in sorted(relative):
        (out / path).parent.mkdir(exist_ok=True)
        (staging / path).replace(out / path)


def remove_files(out: Path, relative: Iterable[Path]) -> None:
    """Remove files of an earlier result, whichever are still there."""
    for path in relative:
        with suppress(FileNotFoundError, NotADirectoryError):
            (out / path).unlink()
