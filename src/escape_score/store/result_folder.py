"""A result folder that a run fills as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from escape_score.errors import OutputUnwritableError, ResultInvalidError
from escape_score.store.atomic import sync, unwritable
from escape_score.store.manifest import MANIFEST, read_manifest, remove_unlisted_samples


@contextmanager
def staged_result(out: Path) -> Iterator[Path]:
    """Fill a folder beside the final files, then move all of it into place, the manifest last.

    Parameters
    ----------
    out
        Result folder; made where missing. A result that is already there is replaced; files that are not ours
        stay.

    Yields
    ------
    Path
        Where to write; must hold a manifest when the block ends.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder or cannot be written.
    """
    with _staging(out) as staging:
        yield staging
        _move_into_place(staging, out)


@contextmanager
def staged_pages(out: Path) -> Iterator[Path]:
    """Fill a folder beside the final pages, then move all of them into place; on an error nothing changes.

    Parameters
    ----------
    out
        Folder of the pages; made where missing. A manifest in it is removed before the first page changes.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputUnwritableError
        ``out`` is no folder or cannot be written.
    """
    with _staging(out) as staging:
        yield staging
        (out / MANIFEST).unlink(missing_ok=True)
        _move(staging, out)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """Make a folder to fill; it goes in the end, and ``out`` too if it was not there and stayed empty."""
    staging, was_there = out / f".tmp-{os.getpid()}", out.is_dir()
    try:
        if out.exists() and not was_there:
            msg = f"{out}: is not a folder; choose another --out"
            raise OutputUnwritableError(msg)
        # left by a killed run that had this process id: in a container it is often the same
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if not was_there:
            with suppress(OSError):
                out.rmdir()


def _move_into_place(staging: Path, out: Path) -> None:
    """Replace the old result: its manifest goes first, so that no mixture of both is ever accepted."""
    old = _listed(out)
    (out / MANIFEST).unlink(missing_ok=True)
    new = _move(staging, out)
    for relative in old - new:
        (out / relative).unlink(missing_ok=True)
    remove_unlisted_samples(out, read_manifest(staging).files)
    sync(out)
    (staging / MANIFEST).replace(out / MANIFEST)
    sync(out)


def _move(staging: Path, out: Path) -> set[Path]:
    """Move all files but the manifest; tell their paths."""
    new = {path.relative_to(staging) for path in staging.rglob("*") if path.is_file()}
    for relative in sorted(new - {Path(MANIFEST)}):
        (out / relative).parent.mkdir(exist_ok=True)
        (staging / relative).replace(out / relative)
    return new


def _listed(out: Path) -> set[Path]:
    """Files of the result that is already there; a manifest cannot name files outside its folder."""
    with suppress(ResultInvalidError):
        paths = (Path(entry.path) for entry in read_manifest(out).files)
        return {path for path in paths if not path.is_absolute() and ".." not in path.parts}
    return set()
