"""Small single-cell data with known compartments: whole numbers, real gene symbols, several samples."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from escape_score.genes import load_gene_table

MARKERS = MappingProxyType(
    {
        "malignant": "EPCAM KRT8 KRT18 KRT19 KRT7 CDH1 ELF3 CLDN3 CLDN4 CLDN7 TACSTD2 PERP SPINT2 MUC1 DSP",
        "T": "CD3D CD3E CD3G CD2 TRAC TRBC1 TRBC2 CD8A CD8B IL7R CD5 CD6 LCK CD247 SKAP1",
        "NK": "KLRD1 NCR1 KLRF1 XCL1 XCL2 GNLY NCAM1 SH2D1B PRF1 NKG7 FGFBP2 KLRC1",
        "B": "MS4A1 CD79A CD79B CD19 BANK1 VPREB3 TNFRSF13C FCRLA CD22 PAX5",
        "plasma": "MZB1 JCHAIN DERL3 TNFRSF17 POU2AF1 IGHG1 IGKC IGHA1 FKBP11 SDC1",
        "myeloid": "LYZ CD68 CD14 C1QA C1QB C1QC CSF1R AIF1 MS4A7 CD163 SPI1 CSF3R LST1 FCN1 CLEC10A",
        "mast": "TPSAB1 TPSB2 CPA3 MS4A2 HDC KIT GATA2",
        "fibroblast": "COL1A1 COL1A2 COL3A1 DCN LUM THY1 FAP COL6A3 PDGFRA COL5A1 MMP2",
        "endothelial": "PECAM1 VWF CDH5 CLDN5 PLVAP RAMP2 EGFL7 FLT1 KDR ESAM EMCN TIE1",
    }
)
"""Genes that are high in the cells of one type."""

SHARED = """
B2M HLA-A HLA-B HLA-C TAP1 TAP2 TAPBP PSMB8 PSMB9 NLRC5 CD274 CIITA HLA-DRA STAT1 IRF1 JAK1 JAK2 IFNGR1
PDCD1 CTLA4 LAG3 HAVCR2 TIGIT TOX CXCL13 FOXP3 IL2RA CD4 GZMB GZMK IFNG TCF7 SELL CCR7 MKI67 TOP2A SPP1 TREM2
PTPRC ACTB GAPDH MALAT1 TMSB4X EEF1A1 RPLP0 RPS6
MT-CO1 MT-CO2 MT-CO3 MT-ND1 MT-ND2 MT-ND4 MT-CYB MT-ATP6
"""
"""Genes that the quantities need, in cells of every type."""

SHARES = MappingProxyType(
    {
        "malignant": 0.35,
        "T": 0.25,
        "NK": 0.05,
        "B": 0.05,
        "plasma": 0.05,
        "myeloid": 0.10,
        "mast": 0.02,
        "fibroblast": 0.08,
        "endothelial": 0.05,
    }
)


def simulated_genes(n_genes: int = 2_500) -> list[str]:
    """Approved symbols: all markers and shared genes first, then others in the order of the alphabet."""
    named = [gene for words in (*MARKERS.values(), SHARED) for gene in words.split()]
    others = (symbol for symbol in sorted(load_gene_table().current) if symbol not in set(named))
    return [*named, *others][: max(n_genes, len(named))] if n_genes > len(named) else named


def simulated_cells(
    n_samples: int = 2,
    n_cells: int = 200,
    n_genes: int = 2_500,
    seed: int = 1,
    *,
    depth: float = 3_000.0,
    fold: float = 60.0,
    samples_per_patient: int = 1,
    shares: dict[str, float] | None = None,
    zero: Sequence[str] = (),
) -> ad.AnnData:
    """Cells of several samples, with their types.

    Parameters
    ----------
    n_cells
        Cells of each sample; the samples are contiguous.
    n_genes
        Genes, at least about 170, which all markers and genes of the quantities are.
    depth
        Mean UMIs of a cell; cells differ by a lognormal factor of 0.3.
    fold
        How much higher a marker is in the cells of its type than in others.
    samples_per_patient
        Neighbouring samples that are of one patient.
    shares
        Fraction of the cells by type; ``SHARES`` where None.
    zero
        Genes that malignant cells do not express.

    Returns
    -------
    AnnData
        X: CSR, float32, whole numbers; obs: ``sample``, ``patient``, ``cell_type``.
    """
    rng = np.random.default_rng(seed)
    genes = simulated_genes(n_genes)
    at = {gene: column for column, gene in enumerate(genes)}
    base = rng.lognormal(0.0, 1.0, len(genes))
    base[[at[gene] for gene in SHARED.split()]] = 8.0
    base[[at[gene] for gene in SHARED.split() if gene.startswith("MT-")]] = 0.005 * base.sum()
    markers = {kind: [at[gene] for gene in words.split()] for kind, words in MARKERS.items()}
    for columns in markers.values():
        base[columns] = 0.3
    part = shares or dict(SHARES)
    kinds = rng.choice(list(part), n_samples * n_cells, p=np.array([*part.values()]) / sum(part.values()))
    rates = np.tile(base, (len(kinds), 1))
    for kind, columns in markers.items():
        rates[np.ix_(kinds == kind, columns)] *= fold
    rates[np.ix_(kinds == "malignant", [at[gene] for gene in zero])] = 0.0
    totals = depth * rng.lognormal(0.0, 0.3, len(kinds))
    counts = rng.poisson(rates / rates.sum(axis=1, keepdims=True) * totals[:, None])
    number = np.repeat(np.arange(n_samples), n_cells)
    letters = rng.choice(list("ACGT"), (len(kinds), 16))
    names = [f"S{n + 1}_{''.join(row)}-1" for n, row in zip(number, letters, strict=True)]
    obs = pd.DataFrame(
        {
            "sample": [f"S{n + 1}" for n in number],
            "patient": [f"P{n // samples_per_patient + 1}" for n in number],
            "cell_type": kinds,
        },
        index=names,
    )
    return ad.AnnData(sp.csr_matrix(counts, dtype=np.float32), obs=obs, var=pd.DataFrame(index=genes))
