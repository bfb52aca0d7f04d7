"""Made-up cells of a patient, with known ambient RNA and known losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.ambient import exclusive_markers
from escape_score.cells.presentation import presentation_genes, quantity_genes
from escape_score.model.cells import CODE_OF, Compartment, PatientCells

MALIGNANT, FIBROBLAST, MYELOID, T = (
    Compartment.MALIGNANT,
    Compartment.FIBROBLAST,
    Compartment.MYELOID,
    Compartment.T,
)
B2M = quantity_genes()["b2m_lost_share"]
HEAVY = quantity_genes()["hla_abc_lost_share"]
CHAIN = quantity_genes()["mhc1_chain_lost_share"]
MHC1 = quantity_genes()["mhc1_vs_stroma"]


@dataclass(frozen=True)
class Tumour:
    """How a patient's cells are made; levels of MHC class I are log2 against stroma."""

    n_malignant: int = 150
    n_stroma: int = 100
    n_immune: int = 100
    depth: float = 6000.0
    depth_sd: float = 0.6
    ambient: float = 0.03
    level: float = -2.0
    size: float = 2.5
    lost: tuple[str, ...] = ()
    share: float = 0.0


def rate_of(gene: str, compartment: Compartment, level: float) -> float:
    """Counts of a gene as a part of all counts of a cell."""
    homes = {marker.gene_symbol: marker.compartment for marker in exclusive_markers()}
    if gene in homes:
        return 1e-3 if homes[gene] is compartment else 0.0
    if gene in quantity_genes()["mhc2_vs_stroma"]:
        return 2e-3 if compartment is MYELOID else 2e-4
    stroma = {**dict.fromkeys(B2M, 1e-2), **dict.fromkeys(HEAVY, 4e-3), **dict.fromkeys(CHAIN, 2e-3)}
    if gene in stroma:
        return stroma[gene] * (2.0**level if compartment is MALIGNANT else 1.0)
    return 2e-4


def make_patient(tumour: Tumour = Tumour(), *, seed: int = 0) -> PatientCells:
    """One patient of one sample, with the ambient share that was put in."""
    rng = np.random.default_rng(seed)
    genes = presentation_genes()
    n_each = {MALIGNANT: tumour.n_malignant, FIBROBLAST: tumour.n_stroma}
    n_each |= {MYELOID: tumour.n_immune // 2, T: tumour.n_immune - tumour.n_immune // 2}
    kinds = [kind for kind, n in n_each.items() for _ in range(n)]
    rates = {kind: np.array([rate_of(gene, kind, tumour.level) for gene in genes]) for kind in n_each}
    totals = np.rint(tumour.depth * np.exp(rng.normal(0.0, tumour.depth_sd, len(kinds)))) + 1.0
    own = np.stack([rates[kind] for kind in kinds]).reshape(len(kinds), len(genes))
    lost = (np.array(kinds) == MALIGNANT) & (rng.random(len(kinds)) < tumour.share)
    own[np.ix_(lost, np.isin(genes, tumour.lost))] = 0.0
    soup = totals @ own / totals.sum()
    noise = rng.gamma(tumour.size, 1.0 / tumour.size, own.shape)
    # B2M, HLA and the chain each rise and fall together in a cell.
    for group in (B2M, HEAVY, CHAIN):
        at = np.isin(genes, group)
        noise[:, at] = noise[:, [np.flatnonzero(at)[0]]]
    counts = rng.poisson(totals[:, None] * ((1.0 - tumour.ambient) * own * noise + tumour.ambient * soup))
    return patient_of(counts.astype(np.float64), totals, kinds, genes, ambient=tumour.ambient)


def patient_of(
    counts: npt.NDArray[np.float64],
    totals: npt.NDArray[np.float64],
    kinds: Sequence[Compartment],
    genes: tuple[str, ...],
    *,
    ambient: float,
) -> PatientCells:
    """One patient of one sample from dense counts."""
    return PatientCells(
        patient_id="P",
        sample_ids=("S",),
        gene_symbols=genes,
        counts=sp.csr_array(counts),
        n_umi=totals,
        codes=np.array([CODE_OF[kind] for kind in kinds], dtype=np.int8),
        sample_of=np.zeros(len(kinds), dtype=np.int32),
        sample_counts=counts.sum(axis=0).reshape(1, -1),
        sample_umi=np.array([totals.sum()]),
        ambient=np.array([ambient]),
    )


def rows_of(cells: PatientCells, rows: npt.NDArray[np.intp]) -> PatientCells:
    """Some cells, in this order; the soup stays that of all."""
    return replace(
        cells,
        counts=sp.csr_array(cells.counts[rows]),
        n_umi=cells.n_umi[rows],
        codes=cells.codes[rows],
        sample_of=cells.sample_of[rows],
    )


def without_genes(cells: PatientCells, genes: Sequence[str]) -> PatientCells:
    """The same cells with some genes not measured."""
    kept = np.flatnonzero(~np.isin(cells.gene_symbols, genes))
    return replace(
        cells,
        gene_symbols=tuple(cells.gene_symbols[column] for column in kept),
        counts=sp.csr_array(cells.counts[:, kept]),
        sample_counts=cells.sample_counts[:, kept],
    )
