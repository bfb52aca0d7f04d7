"""First look at a path: is it a regular file, and what do its first bytes say."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import ON_DISK, FileMissingError, FileUnreadableError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.streams import HEAD_BYTES, open_bytes

_LFS_START = b"version https://git-lfs.github.com/spec/"
"""First bytes of a pointer that Git LFS keeps where a file is to be (git-lfs, docs/spec.md)."""


@dataclass(frozen=True)
class Probe:
    """What a format is recognised by; names and extensions do not count.

    Parameters
    ----------
    path, is_folder
        File or folder; the heads of a folder are empty.
    head, text_head
        First bytes as stored, and after decompression; equal where the file is not packed.
    """

    path: Path
    is_folder: bool = False
    head: bytes = b""
    text_head: bytes = b""


def probe_path(path: Path, limits: ReadLimits) -> Probe:
    """Look at the first bytes of a path that the user named.

    Raises FileMissingError: nothing is there. Raises FileUnreadableError: it is no regular file or folder,
    may not be read, is empty or too large.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise FileMissingError.named(path, "file not found (no such file or folder)") from error
    except OSError as error:
        msg = f"cannot be opened ({error.strerror}); check the path and its permissions"
        raise FileUnreadableError.at(path, msg) from error
    if stat.S_ISDIR(status.st_mode):
        return Probe(path, is_folder=True)
    _check_regular(path, status.st_mode, status.st_size, limits)
    try:
        with path.open("rb") as handle:
            head = handle.read(HEAD_BYTES)
    except OSError as error:
        msg = f"cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError.at(path, msg) from error
    with open_bytes(path, limits) as stream:
        text_head = stream.read(HEAD_BYTES)
    if not text_head:
        msg = "the file is empty once decompressed; give a file with data"
        raise FileUnreadableError.at(path, msg)
    if text_head.startswith(_LFS_START):
        msg = "a pointer of Git LFS, not the file itself; fetch the file with: git lfs pull"
        raise FileUnreadableError.at(path, msg)
    return Probe(path, head=head, text_head=text_head)


def _check_regular(path: Path, mode: int, n_bytes: int, limits: ReadLimits) -> None:
    """Refuse pipes and devices, which may never end, and files of no or too many bytes."""
    if not stat.S_ISREG(mode):
        raise FileUnreadableError.at(path, f"not a regular file (a pipe or device); {ON_DISK}")
    if n_bytes == 0:
        raise FileUnreadableError.at(path, "the file is empty (0 bytes); give a file with data")
    if n_bytes > limits.max_file_bytes:
        msg = f"too large ({n_bytes} bytes); at most {limits.max_file_bytes} are read, use parquet or h5ad"
        raise FileUnreadableError.at(path, msg)
