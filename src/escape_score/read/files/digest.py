"""Digests of matrices: of the files they were read from, or of names and values in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from escape_score.model.cohort import MatrixSource, iter_blocks


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


def matrix_digest(source: MatrixSource) -> str:
    """Digest names and values of a matrix in memory.

    Parameters
    ----------
    source
        Samples × genes.

    Returns
    -------
    str
        sha256 in 64 hex digits, of the names (each behind its length) and of all values as little-endian
        float64; the same for dense and sparse storage.
    """
    digest = hashlib.sha256()
    for names in (source.sample_ids, source.gene_ids):
        spelt = [name.encode("utf-8", "surrogatepass") for name in names]
        digest.update(b"".join([b"%d\n" % len(spelt), *(b"%d:%s" % (len(name), name) for name in spelt)]))
    for _, block in iter_blocks(source):
        digest.update((block + 0.0).astype("<f8", order="C").tobytes())
    return digest.hexdigest()
