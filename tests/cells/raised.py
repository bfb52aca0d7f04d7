"""Runs of single cells that raise between them every note of labels, quantities and files of cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
from tests.cells.copy_number import tumour
from tests.cells.presentation_data import B2M, MALIGNANT, T, Tumour, make_patient, rows_of, without_genes
from tests.cells.simulated import simulated_cells

from escape_score.cells.labels.label import label_cells
from escape_score.cells.presentation import presentation_quantities
from escape_score.cells.states import state_genes, state_quantities
from escape_score.config import CellsConfig
from escape_score.library.cell_types import LineageChoice
from escape_score.model.cells import CODE_OF, CellSample, Compartment, PatientCells
from escape_score.model.notes import Note
from escape_score.read.cells import cells_from_anndata, too_few

DIPLOID = {"epithelial": 40, "t": 40, "myeloid": 40}
FEW = {"t": 40, "myeloid": 20}
CANCER = "Cancer cells"
SHALLOW = {"epithelial": 40, "t": 60, "myeloid": 60, "endothelial": 40}
"""With 82 counts a cell, one of 40 malignant cells is clearly beyond the noise of diploid ones."""


def said_malignant(sample: CellSample, n: int) -> CellSample:
    """The first so many epithelial cells are labelled as cancer cells."""
    assert sample.given_types is not None
    types = sample.given_types.astype("<U20")
    types[np.flatnonzero(types == "epithelial")[:n]] = CANCER
    return replace(sample, given_types=types)


def label_notes() -> Iterator[Note]:
    """Why malignant cells were found or not: by labels, by copy number, and on a user's word."""
    cancer = tumour(with_labels=True)
    diploid = tumour(DIPLOID, malignant=(), with_labels=True)
    one, ten = (tumour({"epithelial": n, **FEW}, with_labels=True) for n in (1, 10))
    panel = replace(
        cancer, gene_symbols=cancer.gene_symbols[:1500], counts=sp.csr_array(cancer.counts[:, :1500])
    )
    for sample in (
        cancer,
        tumour(SHALLOW, n_umi=82, with_labels=True, seed=2),
        said_malignant(cancer, 30),
        said_malignant(cancer, cancer.n_cells),
        diploid,
        panel,
        one,
        ten,
        said_malignant(one, 1),
        said_malignant(ten, 10),
        tumour(FEW, with_labels=True),
        tumour({"epithelial": 20, "t": 15, "myeloid": 10}, with_labels=True),
        tumour({"epithelial": 50, "t": 12, "myeloid": 4}, with_labels=True),
    ):
        yield label_cells(sample).labels.malignant
    for sample in (one, diploid):
        yield label_cells(sample, lineage=LineageChoice.EPITHELIAL).labels.malignant


def some(cells: PatientCells, compartment: Compartment, n: int) -> PatientCells:
    """A patient with at most so many cells of a compartment."""
    rows = cells.rows(compartment)[n:]
    return rows_of(cells, np.setdiff1d(np.arange(len(cells.codes)), rows))


def presentation_notes() -> Iterator[Note]:
    """Calls of antigen presentation, and why there are none."""
    cells = make_patient()
    for one in (
        cells,
        make_patient(Tumour(lost=B2M, share=0.5)),
        make_patient(Tumour(lost=B2M, share=0.17)),
        some(cells, MALIGNANT, 1),
        some(cells, MALIGNANT, 19),
        without_genes(cells, B2M),
        without_genes(cells, ("HLA-A", "HLA-B")),
        replace(cells, ambient=np.array([np.nan])),
        make_patient(Tumour(n_stroma=1)),
        make_patient(Tumour(n_stroma=9)),
        replace(cells, is_umi=False),
        make_patient(Tumour(depth=60.0)),
        make_patient(Tumour(ambient=0.2)),
        make_patient(Tumour(ambient=0.3, level=-4.0)),
        replace(cells, ambient=np.array([0.5])),
    ):
        yield from (found.reason for found in presentation_quantities(one, seed=0))


def state_notes() -> Iterator[Note]:
    """T cells whose few counts leave their states open."""
    rng, genes, n_cells = np.random.default_rng(0), state_genes(), 60
    counts = rng.poisson(0.01, (n_cells, len(genes)))
    counts[:, [genes.index("CD8A"), genes.index("CD8B")]] = 1
    cells = PatientCells(
        patient_id="p",
        sample_ids=("s",),
        gene_symbols=genes,
        counts=sp.csr_array(counts.astype(np.float64)),
        n_umi=np.full(n_cells, 300.0),
        codes=np.full(n_cells, CODE_OF[T], dtype=np.int8),
        sample_of=np.zeros(n_cells, dtype=np.int32),
        sample_counts=counts.sum(axis=0, dtype=np.float64)[None],
        sample_umi=np.array([300.0 * n_cells]),
        ambient=np.array([np.nan]),
    )
    yield from (found.reason for found in state_quantities(cells, seed=0))


def named(adata: ad.AnnData, features: list[str], kinds: list[str]) -> ad.AnnData:
    """The same cells with features that are not genes."""
    return ad.AnnData(adata.X, adata.obs, pd.DataFrame({"feature_types": kinds}, index=features))


def file_notes() -> Iterator[Note]:
    """Flags of files: gates, other features, reads, no gene of the mitochondrion."""
    cells = simulated_cells(1, 60, 300, depth=800)
    genes = list(cells.var_names)
    for n in (1, 2):
        kinds = ["Gene Expression"] * (len(genes) - n) + ["Antibody Capture"] * n
        yield from _notes_of(named(cells, genes, kinds))
    yield from _notes_of(cells[:, ~cells.var_names.str.startswith("MT-")].copy())
    deep = cells.copy()
    deep.X = (deep.X * 300).tocsr()
    estimated = cells.copy()
    estimated.X.data[::7] += 0.25
    for one in (deep, estimated):
        yield from _notes_of(one)
    for n_thin in (20, 40):
        thinned = cells.copy()
        thinned.X = sp.csr_matrix(
            np.where(np.arange(60)[:, None] < n_thin, cells.X.toarray() > 3, cells.X.toarray())
        )
        yield from _notes_of(thinned)


def _notes_of(adata: ad.AnnData) -> Iterator[Note]:
    with cells_from_anndata(adata, sample="sample") as found:
        yield from found.notes.cohort
        for name in found.sample_ids:
            sample = found.load(name)
            yield from sample.flags
            problem = too_few(sample, CellsConfig())
            yield from () if problem is None else (problem,)


def cell_notes() -> Iterator[Note]:
    """All of these."""
    yield from label_notes()
    yield from presentation_notes()
    yield from state_notes()
    yield from file_notes()
