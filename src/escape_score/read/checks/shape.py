"""The shape of a matrix, checked before anything of that size is allocated."""

from __future__ import annotations

from pathlib import Path

from escape_score.errors import MatrixInvalidError
from escape_score.read.files.limits import ReadLimits


def check_shape(path: Path, limits: ReadLimits, *, n_samples: int = 0, n_genes: int = 0) -> None:
    """Refuse a matrix of too many samples or genes.

    Parameters
    ----------
    path
        Named in the error.
    limits
        Largest numbers allowed.
    n_samples, n_genes
        Shape as header or footer say it, or as far as it is known.

    Raises
    ------
    MatrixInvalidError
        Either is above its limit.
    """
    if n_samples <= limits.max_samples and n_genes <= limits.max_genes:
        return
    found = [f"{n} {what}" for n, what in ((n_samples, "samples"), (n_genes, "genes")) if n]
    msg = (
        f"{path}: too large ({' by '.join(found)}); at most {limits.max_samples} samples and "
        f"{limits.max_genes} genes are read"
    )
    raise MatrixInvalidError(msg)


def check_filling(path: Path, limits: ReadLimits, *, n_samples: int, n_genes: int, n_bytes: int) -> None:
    """Refuse a matrix that would be many times as large as the file that holds it, and so mostly blank.

    Parameters
    ----------
    path
        Named in the error.
    limits
        Allows ``max_expansion_ratio`` and ``max_expanded_bytes``.
    n_samples, n_genes
        Shape in memory, 8 bytes a cell.
    n_bytes
        Size of the file.

    Raises
    ------
    MatrixInvalidError
        It would be larger than allowed.
    """
    needed = 8 * n_samples * n_genes
    is_thin = needed > limits.ratio_floor_bytes and needed > limits.max_expansion_ratio * max(n_bytes, 1)
    if needed <= limits.max_expanded_bytes and not is_thin:
        return
    msg = f"{path}: too large ({n_samples} samples by {n_genes} genes need {needed} bytes of memory, "
    raise MatrixInvalidError(msg + f"the file has {n_bytes}); give a smaller matrix, or h5ad")
