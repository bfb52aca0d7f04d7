"""A result folder that a run fills as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from escape_score.errors import OutputUnwritableError, ResultInvalidError
from escape_score.store.atomic import sync, unwritable
from escape_score.store.manifest import MANIFEST, SAMPLES, read_manifest


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
    staging = out / f".tmp-{os.getpid()}"
    try:
        if out.exists() and not out.is_dir():
            msg = f"{out}: is not a folder; choose another --out"
            raise OutputUnwritableError(msg)
        staging.mkdir(parents=True)
        yield staging
        _move_into_place(staging, out)
    except OSError as error:
        raise unwritable(out, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move_into_place(staging: Path, out: Path) -> None:
    """Replace the old result: its manifest goes first, so that no mixture of both is ever accepted."""
    old = _listed(out)
    (out / MANIFEST).unlink(missing_ok=True)
    new = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    (out / SAMPLES).mkdir(exist_ok=True) if (staging / SAMPLES).is_dir() else None
    for relative in new:
        if relative.name != MANIFEST:
            (staging / relative).replace(out / relative)
    for relative in old - set(new):
        (out / relative).unlink(missing_ok=True)
    sync(out)
    (staging / MANIFEST).replace(out / MANIFEST)
    sync(out)


def _listed(out: Path) -> set[Path]:
    """Files of the result that is already there; a manifest cannot name files outside its folder."""
    with suppress(ResultInvalidError):
        paths = (Path(entry.path) for entry in read_manifest(out).files)
        return {path for path in paths if not path.is_absolute() and ".." not in path.parts}
    return set()
