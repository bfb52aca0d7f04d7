"""Samples with cells of several types, of which the malignant ones have gains and losses of chromosomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.genes.positions import load_positions
from escape_score.library.cell_types import load_markers
from escape_score.model.cells import CellSample

CHANGES = {"1": 0.5, "5": 1.6, "7": 1.5, "8": 1.8, "13": 0.5, "17": 0.55, "20": 1.7}
"""Copies of a chromosome over two in malignant cells."""
TUMOUR = {"epithelial": 90, "t": 60, "myeloid": 60, "endothelial": 40, "fibroblast": 60}
N_GENES = 6000
MARKER_LEVEL = 12.0
"""Counts in 10,000 of a marker where it is expressed."""


@cache
def genes() -> tuple[str, ...]:
    """All markers, and genes of the autosomes evenly spread along them."""
    positions = load_positions()
    ordered = sorted(
        (symbol for symbol in positions if positions[symbol].chromosome.isdigit()),
        key=lambda symbol: (int(positions[symbol].chromosome), positions[symbol].start_bp, symbol),
    )
    markers = {symbol for one in load_markers() for symbol in one.gene_symbols}
    spread = ordered[:: len(ordered) // N_GENES]
    return tuple(sorted({*markers, *spread}))


def levels_of(kind: str, *, is_malignant: bool = False) -> npt.NDArray[np.float64]:
    """Expected share of each gene in a cell of a type."""
    common = np.random.default_rng(1).gamma(0.6, 1.0, len(genes()))
    own = np.random.default_rng([2, *kind.encode()]).normal(0.0, 1.0, len(genes()))
    is_own = np.random.default_rng([3, *kind.encode()]).random(len(genes())) < 0.15
    level = common * np.exp(np.where(is_own, own, 0.0))
    level *= 1e4 / level.sum()
    at = {symbol: column for column, symbol in enumerate(genes())}
    for one in load_markers():
        columns = [at[symbol] for symbol in one.gene_symbols]
        level[columns] = MARKER_LEVEL if one.name == kind else 0.01
    if is_malignant:
        positions = load_positions()
        level *= [
            CHANGES.get(positions[symbol].chromosome, 1.0) if symbol in positions else 1.0
            for symbol in genes()
        ]
    return np.asarray(level / level.sum())


def tumour(
    cells: Mapping[str, int] = TUMOUR,
    *,
    malignant: Sequence[str] = ("epithelial",),
    sample_id: str = "tumour",
    n_umi: int = 3000,
    with_labels: bool = False,
    seed: int = 0,
) -> CellSample:
    """A sample with cells of these types; all cells of the types in ``malignant`` have the changes."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(list(cells), list(cells.values()))
    depths = rng.lognormal(np.log(n_umi), 0.3, len(kinds))
    shares = {kind: levels_of(kind, is_malignant=kind in malignant) for kind in cells}
    drawn = [rng.poisson(depth * shares[kind]) for depth, kind in zip(depths, kinds, strict=True)]
    counts = np.array(drawn, dtype=np.float32).reshape(len(kinds), len(genes()))
    return CellSample(
        sample_id=sample_id,
        patient_id=sample_id,
        cell_ids=np.array([f"{kind}-{number:04d}" for number, kind in enumerate(kinds)]),
        gene_symbols=genes(),
        counts=sp.csr_array(counts),
        given_types=kinds if with_labels else None,
    )


def reordered(sample: CellSample, seed: int = 5) -> tuple[CellSample, npt.NDArray[np.intp]]:
    """The same cells in another order, and where each came from."""
    rows = np.random.default_rng(seed).permutation(sample.n_cells)
    moved = CellSample(
        sample_id=sample.sample_id,
        patient_id=sample.patient_id,
        cell_ids=sample.cell_ids[rows],
        gene_symbols=sample.gene_symbols,
        counts=sp.csr_array(sample.counts[rows]),
        given_types=None if sample.given_types is None else sample.given_types[rows],
    )
    return moved, rows


def kind_of(sample: CellSample) -> npt.NDArray[np.str_]:
    """The type that each cell was simulated as."""
    return np.array([cell.split("-")[0] for cell in sample.cell_ids])
