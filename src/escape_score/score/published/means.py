"""Scores that are a mean over genes: of log2(TPM + 1), or geometric of TPM plus an offset."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.score.published.inputs import ScoreInput, measured_mean
from escape_score.score.published.model import Outcome


def score_mean_log2(inputs: ScoreInput) -> Outcome:
    """Mean of log2(TPM + 1) over the measured genes."""
    return inputs.outcome(measured_mean(inputs.log2_tpm))


def score_geometric_mean(inputs: ScoreInput) -> Outcome:
    """Geometric mean of TPM plus the score's offset over the measured genes, in TPM with the offset in it."""
    logs = np.log(tpm_of(inputs.log2_tpm) + inputs.score.offset)
    return inputs.outcome(np.exp(measured_mean(logs)))


def score_exp_mean_log2(inputs: ScoreInput) -> Outcome:
    """Euler's number to the mean of log2(TPM + 1): easier's "geometric mean", kept to match its numbers."""
    return inputs.outcome(np.exp(measured_mean(inputs.log2_tpm)))


def tpm_of(log2_tpm: FloatArray) -> FloatArray:
    """TPM of log2(TPM + 1), exact to the last digits near 0."""
    tpm: FloatArray = np.expm1(log2_tpm * np.log(2.0))
    return tpm
