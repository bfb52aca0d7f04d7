"""First look at a path: is it a regular file, and what do its first bytes say."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.streams import HEAD_BYTES, open_bytes


@dataclass(frozen=True)
class Probe:
    """What a format is recognised by; names and extensions do not count.

    Parameters
    ----------
    path
        File or folder.
    is_folder
        True for a folder, whose heads are empty.
    head
        First bytes as stored.
    text_head
        First bytes after decompression; equal to ``head`` where the file is not packed.
    """

    path: Path
    is_folder: bool
    head: bytes
    text_head: bytes


def probe_path(path: Path, limits: ReadLimits) -> Probe:
    """Look at the first bytes of a path.

    Parameters
    ----------
    path
        What the user named.
    limits
        Sizes above which a file is refused.

    Returns
    -------
    Probe
        What the readers decide by.

    Raises
    ------
    FileMissingError
        Nothing is there.
    FileUnreadableError
        It is no regular file or folder, may not be read, is empty or too large.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        msg = f"{path}: file not found (no such file or folder); check the path"
        raise FileMissingError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be opened ({error.strerror}); check the path and its permissions"
        raise FileUnreadableError(msg) from error
    if stat.S_ISDIR(status.st_mode):
        return Probe(path, is_folder=True, head=b"", text_head=b"")
    _check_regular(path, status.st_mode, status.st_size, limits)
    probe = Probe(path, is_folder=False, head=_stored_head(path), text_head=_text_head(path, limits))
    if not probe.text_head:
        msg = f"{path}: the file is empty once decompressed; give a table of genes by samples"
        raise FileUnreadableError(msg)
    return probe


def _check_regular(path: Path, mode: int, n_bytes: int, limits: ReadLimits) -> None:
    """Refuse pipes and devices, which may never end, and files of no or too many bytes."""
    if not stat.S_ISREG(mode):
        msg = f"{path}: not a regular file (a pipe or device); give a file on disk"
        raise FileUnreadableError(msg)
    if n_bytes == 0:
        msg = f"{path}: the file is empty (0 bytes); give a table of genes by samples"
        raise FileUnreadableError(msg)
    if n_bytes > limits.max_file_bytes:
        msg = (
            f"{path}: too large ({n_bytes} bytes); at most {limits.max_file_bytes} are read, use parquet "
            "or h5ad"
        )
        raise FileUnreadableError(msg)


def _stored_head(path: Path) -> bytes:
    try:
        with path.open("rb") as handle:
            return handle.read(HEAD_BYTES)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError(msg) from error


def _text_head(path: Path, limits: ReadLimits) -> bytes:
    with open_bytes(path, limits) as stream:
        return stream.read(HEAD_BYTES)
