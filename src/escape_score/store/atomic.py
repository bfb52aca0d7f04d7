"""Files appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from escape_score.errors import OutputUnwritableError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file under another name in its folder, then rename it; on an error nothing stays.

    Parameters
    ----------
    path
        Final name; its folder is made where missing.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputUnwritableError
        The folder cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, in UTF-8 with newlines as they are."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def sync(path: Path) -> None:
    """Bring a file or folder to the disk.

    A power cut cannot leave an empty file under a final name then.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: OSError) -> OutputUnwritableError:
    """Say in one line why a file could not be written."""
    return OutputUnwritableError(
        f"{path}: cannot be written ({error.strerror or error}); choose another folder or free space"
    )
