"""Losses of MHC class I put into tumours as they are, with their own infiltrate.

Half of a cohort, drawn at random, fits the reference of its laboratory. Of each other tumour two copies are
made. In one of them the genes of the loss are multiplied by 0.36: a five-fold loss in tumour cells that hold
80 % of the RNA. Every gene of both copies gets log-normal noise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from lab_reference import fit_on, run
from mixes import Bools, auroc

from escape_score.library.axes import load_design
from escape_score.model.reference import Reference
from escape_score.reference.read import load_reference

CHAIN = "chain"
SINGLE = {"B2M": ("B2M",), "HLA-A": ("HLA-A",), "TAP1+TAP2": ("TAP1", "TAP2")}
REMAINING = 0.36
NOISE = 0.14
"""SD of the noise, natural logarithm."""

MEASURES = ("AUROC", "right gene", "evaluable")


def losses() -> dict[str, tuple[str, ...]]:
    """Genes of each loss: the whole chain, and single links."""
    return {CHAIN: tuple(load_design().components["mhc1"]), **SINGLE}


def copies(
    tumours: pd.DataFrame, genes: tuple[str, ...], rng: np.random.Generator
) -> tuple[pd.DataFrame, Bools]:
    """An intact copy of every tumour, then one with the loss, in TPM; and which are lost."""
    lost = tumours.copy()
    lost.loc[:, lost.columns.isin(genes)] *= REMAINING
    both = pd.concat([tumours, lost], ignore_index=True)
    both *= np.exp(rng.normal(0.0, NOISE, both.shape))
    both.index = pd.Index([f"copy{row:03d}" for row in range(len(both))])
    return both.mul(1e6 / both.sum(axis=1), axis=0), np.arange(len(both)) >= len(tumours)


def figures(table: pd.DataFrame, is_lost: Bools, loss: str) -> dict[str, float]:
    """How well one loss is found, and among lost copies with a score how often the right gene is named."""
    axis = "mhc1_loss" if loss == CHAIN else "mhc1_weakest_link"
    score = table[axis].to_numpy(np.float64)
    is_known = ~np.isnan(score)
    out = {"AUROC": auroc(score, is_lost), "evaluable": float(is_known.mean())}
    if loss != CHAIN and (is_known & is_lost).any():
        named = table["mhc1_weakest_gene"][is_known & is_lost]
        out["right gene"] = float(named.isin([loss, *SINGLE[loss]]).mean())
    return out


def measure(tumours: pd.DataFrame, seed: int) -> Iterator[dict[str, object]]:
    """One row a loss, with one division of the cohort into halves.

    A fit leaves out genes that a pipeline does not quantify. Their loss cannot be seen.
    """
    rng = np.random.default_rng(seed)
    rows, half = rng.permutation(len(tumours)), len(tumours) // 2
    reference: Reference = fit_on(tumours.iloc[rows[:half]], load_reference())
    for loss, genes in losses().items():
        tpm, is_lost = copies(tumours.iloc[rows[half:]], genes, rng)
        found = figures(run(tpm, reference).to_frame(), is_lost, loss)
        left_out = set(genes) - set(reference.genes.symbols)
        yield {"loss": loss, "copies": len(tpm), "left out": frozenset(left_out), **found}
