"""Digest of the files a matrix was read from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path


def digest_of(paths: Sequence[Path]) -> str:
    """Digest the content of one file, or of several with their names.

    Parameters
    ----------
    paths
        At least one regular file.

    Returns
    -------
    str
        sha256 of the file in 64 hex digits; where there are several, of lines of file name and sha256.
    """
    if len(paths) == 1:
        return _sha256(paths[0])
    lines = sorted(f"{path.name}\t{_sha256(path)}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
