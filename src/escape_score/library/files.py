"""Where the files shipped with the package are found, and how small files are read."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import TypeVar

from escape_score.errors import FileMissingError, FileUnreadableError, ResourceMissingError

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOTS = (_PACKAGE / "_data" / "resources", _PACKAGE.parents[1] / "resources")
"""A wheel carries the resources inside the package; a source tree has them at its top."""

MAX_SMALL_BYTES = 64 * 1024**2
"""Size of a table, list or config that is read as a whole; a larger file is something else."""

Record = TypeVar("Record")


def resource_path(*parts: str) -> Path:
    """Absolute path of a shipped file or folder, given below ``resources/``: ``"genes", "genes.tsv.gz"``.

    ResourceMissingError where the installation does not hold it.
    """
    for root in _ROOTS:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    msg = f"{'/'.join(('resources', *parts))}: not part of this installation; install escape-score again"
    raise ResourceMissingError(msg)


def config_template() -> str:
    """Text of the shipped config of a workflow, with its comments; ResourceMissingError: it is not there."""
    for root in _ROOTS:
        path = root.parent / "config" / "config.yaml"
        if path.exists():
            return path.read_text(encoding="utf-8")
    msg = "config/config.yaml: not part of this installation; install escape-score again"
    raise ResourceMissingError(msg)


def table_rows(path: Path) -> list[dict[str, str]]:
    """Read a tab-separated table, in which quotes are letters like any other; a row is column to text."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE))


def table_records(path: Path, kind: type[Record]) -> tuple[Record, ...]:
    """Read a shipped tab-separated table whose columns are the fields of a dataclass."""
    from pydantic import TypeAdapter  # slow to load, and --version reads no records

    reader = TypeAdapter(kind)
    return tuple(reader.validate_python(row) for row in table_rows(path))


def small_file(path: Path, what: str, *, max_bytes: int = MAX_SMALL_BYTES) -> bytes:
    """Read a small file that a user names.

    Parameters
    ----------
    what
        What it should be, for messages: ``"sample sheet"``.
    max_bytes
        Size above which it is not read.

    Raises
    ------
    FileMissingError
        There is no such file.
    FileUnreadableError
        It is not a regular file, too large, or may not be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            msg = f"{path}: {what} is not a regular file but a folder, pipe or device; give a file on disk"
            raise FileUnreadableError(msg)
        if status.st_size > max_bytes:
            msg = f"{path}: too large for a {what} (over {max_bytes} bytes); check the path"
            raise FileUnreadableError(msg)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FileMissingError.named(path, f"{what} not found (no such file)") from error
    except OSError as error:
        msg = f"{path}: {what} cannot be read ({error.strerror}); check the path and its permissions"
        raise FileUnreadableError(msg) from error


def small_text(path: Path, what: str, *, max_bytes: int = MAX_SMALL_BYTES) -> str:
    """Read a small text file as :func:`small_file` does; it must be UTF-8, a byte order mark is left out."""
    try:
        return small_file(path, what, max_bytes=max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: {what} is not UTF-8 text (byte {error.start}); save it as plain text in UTF-8"
        raise FileUnreadableError(msg) from error
