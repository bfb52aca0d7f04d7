"""What other programs make of counts and TPM; frames are samples × genes, as the demo's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

Change = Callable[[pd.DataFrame], pd.DataFrame]


def changed(frame: pd.DataFrame, values: npt.NDArray[np.float64]) -> pd.DataFrame:
    """The frame with other values."""
    return pd.DataFrame(values, frame.index, frame.columns)


def whole(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of reads."""
    return counts.clip(lower=0).round()


def estimated(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts as RSEM and salmon estimate them: whole but for a fifth of the genes, whose reads are shared."""
    rng = np.random.default_rng(1)
    return whole(counts) + rng.random(counts.shape).round(3) * (rng.random(counts.shape[1]) < 0.2)


def cpm(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts per million."""
    return counts.div(counts.sum(axis=1), axis=0) * 1e6


def normalised(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts divided by size factors, as DESeq2 does."""
    return whole(counts).div(np.linspace(0.71, 1.37, len(counts)), axis=0)


def log2_plus(count: float) -> Change:
    """log2(x + count)."""
    return lambda frame: changed(frame, np.log2(frame.to_numpy() + count))


def vst(counts: pd.DataFrame) -> pd.DataFrame:
    """DESeq2's variance-stabilising transformation with a parametric fit (dispersion 0.15 + 3 / mean)."""
    dispersion, extra, x = 0.15, 3.0, whole(counts).to_numpy()
    root = 2.0 * np.sqrt(dispersion * x * (1 + extra + dispersion * x))
    return changed(counts, np.log2((1 + extra + 2 * dispersion * x + root) / (4 * dispersion)))


def rlog(counts: pd.DataFrame) -> pd.DataFrame:
    """Logarithms shrunk to the mean of a gene, the more the fewer its reads."""
    reads = whole(counts).to_numpy()
    mean = reads.mean(axis=0).clip(min=0.5)
    return changed(counts, np.log2(mean) + (np.log2(reads + 0.5) - np.log2(mean)) * mean / (mean + 8))


def voom(counts: pd.DataFrame) -> pd.DataFrame:
    """log2-CPM of limma: half a read more for every gene."""
    reads = whole(counts)
    return changed(counts, np.log2((reads + 0.5).div(reads.sum(axis=1) + 1, axis=0) * 1e6))


def lifted_combat(tpm: pd.DataFrame) -> pd.DataFrame:
    """Batch-corrected log2(TPM + 1), the lowest value of all taken off."""
    noise = np.random.default_rng(2).normal(0, 0.3, tpm.shape)
    logs = np.log2(tpm.to_numpy() + 1) + noise
    return changed(tpm, logs - logs.min())


def filtered(tpm: pd.DataFrame, least: float = 1.0) -> pd.DataFrame:
    """Genes of some mean expression."""
    return tpm.loc[:, tpm.mean(axis=0) > least]


def cut(tpm: pd.DataFrame, least: float = 1.0) -> pd.DataFrame:
    """Genes above a level in every sample."""
    return tpm.loc[:, (tpm > least).all(axis=0)]


def degraded(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts of RNA in fragments: few genes carry the few reads that are left."""
    rng = np.random.default_rng(3)
    weights = counts.clip(lower=0) * rng.lognormal(0, 2.5, counts.shape[1])
    return changed(counts, rng.poisson(weights.div(weights.sum(axis=1), axis=0) * 2e5).astype(float))
