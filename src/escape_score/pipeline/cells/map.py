"""A map of a patient's cells: a picture made once, which pages only place."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.patient import PatientResult
from escape_score.model.cells import CellSample, Compartment, in_all, positions_in
from escape_score.model.cohort import FloatArray
from escape_score.model.record import CellMap

MAX_CELLS = 5_000
"""Cells on a map: more only cover each other, and the neighbours of scanpy take longer than all else."""
MIN_CELLS = 50
N_VARIABLE, N_COMPONENTS, N_NEIGHBOURS = 2_000, 30, 15
"""scanpy's own defaults, 30 components apart."""
_INCHES, _DPI = 4.2, 110

COLOURS = MappingProxyType(
    {
        Compartment.MALIGNANT: "#d55e00",
        Compartment.EPITHELIAL: "#e69f00",
        Compartment.T: "#0072b2",
        Compartment.NK: "#56b4e9",
        Compartment.B: "#332288",
        Compartment.PLASMA: "#aa4499",
        Compartment.MYELOID: "#009e73",
        Compartment.MAST: "#ddcc77",
        Compartment.FIBROBLAST: "#882255",
        Compartment.ENDOTHELIAL: "#cc79a7",
        Compartment.OTHER: "#44aa99",
        Compartment.UNASSIGNED: "#bbbbbb",
    }
)
"""Colours that readers with colour blindness can tell apart: Okabe and Ito 2008, and Tol 2021 (muted)."""


def draw_map(
    samples: Sequence[CellSample], result: PatientResult, *, seed: int
) -> tuple[CellMap | None, FloatArray]:
    """Lay the cells of a patient out by UMAP and draw them.

    Parameters
    ----------
    samples
        All samples of the patient that have a profile, in their order.

    Returns
    -------
    tuple
        The picture, None below 50 cells; and places, shape (n_cells, 2), NaN for cells that are not on it.
    """
    compartments = result.cell_columns["compartment"]
    places = np.full((len(compartments), 2), np.nan)
    if len(compartments) < MIN_CELLS:
        return None, places
    chosen = _chosen(len(compartments), seed)
    places[chosen] = _layout(_joined(samples)[chosen], seed)
    on_map = compartments[chosen]
    names, counts = np.unique(on_map, return_counts=True)
    shown = tuple(str(names[at]) for at in np.argsort(-counts, kind="stable"))
    colours = tuple(COLOURS[Compartment(name)] for name in shown)
    picture = _picture(places[chosen], on_map, dict(zip(shown, colours, strict=True)))
    drawn = CellMap(png=picture, n_cells=len(chosen), compartments=shown, colours=colours)
    return drawn, places


def _chosen(n_cells: int, seed: int) -> npt.NDArray[np.intp]:
    if n_cells <= MAX_CELLS:
        return np.arange(n_cells)
    return np.sort(np.random.default_rng(seed).choice(n_cells, MAX_CELLS, replace=False))


def _joined(samples: Sequence[CellSample]) -> sp.csr_matrix:
    """Counts over the genes that all samples have."""
    symbols = in_all([sample.gene_symbols for sample in samples])
    blocks = [
        sample.counts
        if len(symbols) == len(sample.gene_symbols)
        else sample.counts[:, positions_in(sample.gene_symbols, symbols)]
        for sample in samples
    ]
    return sp.csr_matrix(sp.vstack(blocks), dtype=np.float32)


def _layout(counts: sp.csr_matrix, seed: int) -> FloatArray:
    """UMAP of scanpy's neighbours on its principal components; shape (n_cells, 2)."""
    import anndata as ad
    import scanpy as sc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries about each other, of which a user learns nothing
        data: Any = ad.AnnData(counts)
        sc.pp.normalize_total(data, target_sum=1e4)
        sc.pp.log1p(data)
        n_variable = min(N_VARIABLE, data.n_vars)
        sc.pp.highly_variable_genes(data, n_top_genes=n_variable)
        n_components = min(N_COMPONENTS, data.n_obs - 1, n_variable - 1)
        sc.pp.pca(data, n_comps=n_components, random_state=seed)
        sc.pp.neighbors(data, n_neighbors=N_NEIGHBOURS, random_state=seed)
        sc.tl.umap(data, random_state=seed)
    return np.asarray(data.obsm["X_umap"], dtype=np.float64)


def _picture(places: FloatArray, compartments: npt.NDArray[Any], colours: dict[str, str]) -> str:
    """PNG in base64, the same bytes each time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_INCHES, _INCHES), dpi=_DPI)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    size = float(np.clip(12_000 / len(places), 2.0, 14.0))
    for name, colour in colours.items():
        rows = compartments == name
        axes.scatter(places[rows, 0], places[rows, 1], s=size, c=colour, linewidths=0)
    axes.set_axis_off()
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")
