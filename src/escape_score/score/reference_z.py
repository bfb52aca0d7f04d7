"""The default method: mean z of a signature's genes against a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from escape_score.model.cohort import FloatArray
from escape_score.model.signature import Signature
from escape_score.model.thresholds import CoverageLimits
from escape_score.score.placement import Alignment


@dataclass(frozen=True)
class Membership:
    """Signatures × aligned genes, as a sparse matrix of ones, with each signature's full size and need."""

    matrix: sp.csr_array = field(repr=False)
    n_genes: FloatArray = field(repr=False)
    n_needed: FloatArray = field(repr=False)


def build_membership(
    signatures: Sequence[Signature], alignment: Alignment, limits: CoverageLimits
) -> Membership:
    """Lay signatures over the aligned genes.

    A signature of n genes needs max(1, min(3, n), ceil(0.3 n)) of them measured (``limits``).
    """
    members = [alignment.positions(signature.gene_symbols) for signature in signatures]
    indptr = np.concatenate([[0], np.cumsum([len(m) for m in members])])
    indices = np.concatenate(members) if members else np.array([], dtype=np.intp)
    shape = (len(signatures), len(alignment.symbols))
    n_genes = np.array([len(signature.gene_symbols) for signature in signatures], dtype=np.float64)
    fraction = np.ceil(limits.min_fraction * n_genes)
    smallest = np.minimum(limits.min_genes_per_component, n_genes)
    return Membership(
        matrix=sp.csr_array((np.ones(len(indices)), indices, indptr), shape=shape),
        n_genes=n_genes,
        n_needed=np.maximum(1, np.maximum(smallest, fraction)),
    )


def score_reference_z(z: FloatArray, membership: Membership) -> tuple[FloatArray, FloatArray]:
    """Score signatures by the mean z of the genes measured.

    Parameters
    ----------
    z
        Shape (n_samples, n_aligned), NaN = not measured.
    membership
        From :func:`build_membership`.

    Returns
    -------
    values, coverage
        Each of shape (n_samples, n_signatures): the mean z, NaN where fewer genes than needed are measured;
        and the fraction of the signature's genes measured.

    Notes
    -----
    The sparse product adds genes in the reference's order whatever the number of samples, so a sample's score
    is the same number alone or among others.
    """
    measured = ~np.isnan(z)
    sums = (membership.matrix @ np.where(measured, z, 0.0).T).T
    counts = (membership.matrix @ measured.T.astype(np.float64)).T
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(counts >= membership.n_needed, sums / counts, np.nan)
    return values, counts / membership.n_genes
