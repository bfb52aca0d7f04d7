"""The one way samples are moved along the logarithmic scale: in linear space."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray


def shifted_log2_tpm(log2_tpm: FloatArray, offset_log2: FloatArray) -> FloatArray:
    """Take an offset away from log2(TPM + 1), so that zero stays zero.

    Parameters
    ----------
    log2_tpm
        Shape (n_samples, n_genes), log2(TPM + 1), NaN = not measured.
    offset_log2
        Shape (n_samples,); NaN empties its sample.

    Returns
    -------
    numpy.ndarray
        log2((2^x - 1) · 2^-offset + 1), of the shape of ``log2_tpm``, ≥ 0.
    """
    linear = np.maximum(np.exp2(log2_tpm) - 1.0, 0.0) * np.exp2(-offset_log2)[:, None]
    placed: FloatArray = np.log2(linear + 1.0)
    return placed
