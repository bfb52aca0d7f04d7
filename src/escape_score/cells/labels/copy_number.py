"""Copy number along the genome: how cells deviate from the diploid cells of their sample.

A change of copy number moves most genes of a region. What a cell type expresses moves single genes. So the
genes of a window are divided into those at odd and at even places: what both halves have in common over the
genome is taken as copy number. Libraries also differ in how well they catch long genes and regions rich in
genes, which also have more G and C: what level, length and density of genes explain is taken off before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.labels.expression import Expression, Rows
from escape_score.genes import load_gene_table
from escape_score.genes.positions import GenePosition, load_positions
from escape_score.library.axes import load_design
from escape_score.library.files import resource_path, table_records
from escape_score.model.cohort import FloatArray

AUTOSOMES = frozenset(map(str, range(1, 23)))
HALVES = 2


@dataclass(frozen=True)
class Region:
    """Part of a chromosome whose genes follow the cell type, not the copy number."""

    region: str
    chromosome: str
    start_bp: int
    stop_bp: int
    source: str

    def has(self, position: GenePosition) -> bool:
        """Whether a gene starts in it."""
        is_within = self.start_bp <= position.start_bp <= self.stop_bp
        return position.chromosome == self.chromosome and is_within


@cache
def left_out_regions() -> tuple[Region, ...]:
    """The MHC and the loci of antigen receptors."""
    return table_records(resource_path("cells", "left_out_regions.tsv"), Region)


@cache
def _usable_genes() -> tuple[tuple[str, int], ...]:
    """Genes of autosomes outside the regions that are left out, along the genome, and their chromosomes."""
    regions = left_out_regions()
    found = [
        (int(position.chromosome), position.start_bp, symbol)
        for symbol, position in load_positions().items()
        if position.chromosome in AUTOSOMES and not any(region.has(position) for region in regions)
    ]
    return tuple((symbol, chromosome) for chromosome, _, symbol in sorted(found))


@cache
def gene_density() -> Mapping[str, int]:
    """Genes that start near each usable gene, itself among them."""
    reach = load_design().thresholds.copy_number.density_bp
    positions = load_positions()
    starts: defaultdict[str, list[int]] = defaultdict(list)
    for position in positions.values():
        starts[position.chromosome].append(position.start_bp)
    ordered = {chromosome: np.sort(found) for chromosome, found in starts.items()}
    return {
        symbol: int(
            np.diff(np.searchsorted(ordered[one.chromosome], one.start_bp + np.array([-reach, reach])))[0]
        )
        for symbol, _ in _usable_genes()
        for one in [positions[symbol]]
    }


@dataclass(frozen=True, eq=False)
class Genome:
    """Expressed genes of a sample in their order along the chromosomes, and its diploid cells.

    Parameters
    ----------
    cells
        The sample.
    columns
        Shape (n_genes,): columns of the genes.
    chromosomes
        Shape (n_genes,): number of the chromosome.
    levels
        Shape (n_types, n_genes): mean of scaled counts in each type of diploid cells.
    """

    cells: Expression
    columns: Rows = field(repr=False)
    chromosomes: npt.NDArray[np.int64] = field(repr=False)
    levels: FloatArray = field(repr=False)

    @property
    def n_genes(self) -> int:
        """Genes."""
        return len(self.chromosomes)

    @cached_property
    def windows(self) -> Windows:
        """Windows over its genes."""
        return windows_of(self.chromosomes)

    @cached_property
    def diploid(self) -> FloatArray:
        """Mean over the types of diploid cells of the log2 of their levels; shape (n_genes,)."""
        offset = load_design().thresholds.copy_number.offset
        return np.asarray(np.log2(self.levels + offset).mean(axis=0))

    @cached_property
    def covariates(self) -> FloatArray:
        """Orthogonal columns spanned by level, length and density of genes; shape (n_genes, n_covariates)."""
        symbols = [self.cells.sample.gene_symbols[column] for column in self.columns]
        density = np.log2([1 + gene_density()[symbol] for symbol in symbols])
        length = np.log2(load_gene_table().length_bp(symbols))
        length = np.where(np.isfinite(length), length, np.nanmedian(length) if len(length) else 0.0)
        level = self.diploid
        columns = [np.ones(len(level)), level, level**2, length, density, density**2]
        return np.asarray(np.linalg.qr(np.column_stack(columns))[0])

    def means(self, rows: Rows) -> FloatArray:
        """Mean of scaled counts in some cells; shape (n_genes,)."""
        return self.cells.scaled_sum(rows)[self.columns] / max(len(rows), 1)


def genome_of(cells: Expression, types: Sequence[Rows]) -> Genome:
    """Genes of a sample that its diploid cells express.

    Parameters
    ----------
    types
        Rows of each type of diploid cells; at least one.
    """
    limits = load_design().thresholds.copy_number
    columns, chromosomes = _ordered_columns(cells)
    levels = np.array([cells.scaled_sum(rows)[columns] / len(rows) for rows in types])
    is_kept = levels.mean(axis=0) > limits.gene_level
    is_kept &= _on_long_chromosome(chromosomes, is_kept)
    return Genome(cells, columns[is_kept], chromosomes[is_kept], levels[:, is_kept])


def _ordered_columns(cells: Expression) -> tuple[Rows, npt.NDArray[np.int64]]:
    """Columns of usable genes along the genome, and their chromosomes."""
    at = cells.column_of
    found = [(chromosome, at[symbol]) for symbol, chromosome in _usable_genes() if symbol in at]
    pairs = np.array(found, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 1].astype(np.intp), pairs[:, 0]


def _on_long_chromosome(
    chromosomes: npt.NDArray[np.int64], is_kept: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Whether the chromosome of a gene has enough kept genes for a window."""
    n_genes = np.bincount(chromosomes[is_kept], minlength=23)
    return n_genes[chromosomes] >= load_design().thresholds.copy_number.window_genes


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of neighbouring genes.

    Parameters
    ----------
    halves
        Shape (n_genes, n_windows) each: what a gene adds to the mean of a window, over genes at even and odd
        places.
    """

    halves: tuple[sp.csr_array, sp.csr_array] = field(repr=False)

    @cached_property
    def smoother(self) -> tuple[sp.csr_array, FloatArray]:
        """Membership of genes in windows, and how many windows a gene is in."""
        joined = sp.csr_array(self.halves[0] + self.halves[1])
        joined.data = np.ones_like(joined.data)
        return joined, np.asarray(joined.sum(axis=1), dtype=np.float64).ravel()


def windows_of(chromosomes: npt.NDArray[np.int64]) -> Windows:
    """Windows of a fixed number of genes, each some genes after the one before, on every chromosome."""
    limits = load_design().thresholds.copy_number
    size, step = int(limits.window_genes), int(limits.window_step)
    starts = [
        start
        for chromosome in np.unique(chromosomes)
        for start in _starts(np.flatnonzero(chromosomes == chromosome), size, step)
    ]
    genes = (np.array(starts, dtype=np.int64)[:, None] + np.arange(size)).reshape(len(starts), size)
    return Windows((_half(genes, 0, len(chromosomes)), _half(genes, 1, len(chromosomes))))


def _starts(places: Rows, size: int, step: int) -> range:
    return range(int(places[0]), int(places[-1]) - size + 2, step)


def _half(genes: npt.NDArray[np.int64], parity: int, n_genes: int) -> sp.csr_array:
    """Means over the genes of a window whose place on the genome is odd or even."""
    windows = np.repeat(np.arange(len(genes)), genes.shape[1])
    chosen = genes.ravel() % HALVES == parity
    values = np.full(int(chosen.sum()), float(HALVES) / max(genes.shape[1], 1))
    return sp.csr_array((values, (genes.ravel()[chosen], windows[chosen])), shape=(n_genes, len(genes)))


@dataclass(frozen=True, eq=False)
class Profile:
    """Copy number of a group of cells along the genome.

    Parameters
    ----------
    along
        Shape (n_windows,): log2 of the level over that of diploid cells, median 0.
    signal_log2
        Spread over the genome that both halves of the genes have in common, log2.
    agreement
        Correlation of both halves.
    """

    along: FloatArray = field(repr=False)
    signal_log2: float
    agreement: float


def profile_of(genome: Genome, rows: Rows) -> Profile:
    """Profile of some cells together."""
    return _profile(genome, genome.means(rows), genome.diploid)


def _profile(genome: Genome, level: FloatArray, diploid: FloatArray) -> Profile:
    """Profile of mean scaled counts against the log2 levels of diploid cells."""
    limits = load_design().thresholds.copy_number
    deviation = np.clip(np.log2(level + limits.offset) - diploid, -limits.clip_log2, limits.clip_log2)
    deviation -= genome.covariates @ (genome.covariates.T @ deviation)
    halves = np.array([half.T @ deviation for half in genome.windows.halves])
    halves -= np.median(halves, axis=1, keepdims=True)
    covariance = np.cov(halves)
    spread = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    signal = float(np.sqrt(max(covariance[0, 1], 0.0)))
    return Profile(halves.mean(axis=0), signal, covariance[0, 1] / spread if spread > 0 else 0.0)


def held_out_signal(genome: Genome, types: Sequence[Rows]) -> float:
    """Largest signal of a type of diploid cells that is compared with the other types; 0 without others.

    It is what a cell type alone can look like: the null of :attr:`Profile.signal_log2`.
    """
    limits = load_design().thresholds.copy_number
    logged = np.log2(genome.levels + limits.offset)
    signals = [
        _profile(genome, genome.levels[one], np.delete(logged, one, axis=0).mean(axis=0)).signal_log2
        for one, rows in enumerate(types)
        if len(rows) >= limits.min_held_out and len(types) > 1
    ]
    return max(signals, default=0.0)


def gene_weights(genome: Genome, profile: Profile) -> FloatArray:
    """The profile at each gene, sum 0 and sum of squares 1; shape (n_genes,)."""
    member, n_windows = genome.windows.smoother
    at_gene = (member @ profile.along) / np.maximum(n_windows, 1.0)
    is_covered = n_windows > 0
    centred = np.where(is_covered, at_gene - at_gene[is_covered].mean(), 0.0)
    return np.asarray(centred / max(float(np.linalg.norm(centred)), np.finfo(np.float64).tiny))


def projections(genome: Genome, profile: Profile) -> FloatArray:
    """How much of a profile each cell has, in an arbitrary unit and from an arbitrary origin; (n_cells,).

    Counts that are zero need no work: the projection is linear in the logged counts.
    """
    weights = np.zeros(genome.cells.logged.shape[1], dtype=np.float32)
    weights[genome.columns] = gene_weights(genome, profile)
    return np.asarray(genome.cells.logged @ weights, dtype=np.float64)
