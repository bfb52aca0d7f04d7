"""What the numbers of a whole matrix look like, gathered in one pass over blocks of samples."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError, listed
from escape_score.model.cohort import ROWS_AT_ONCE, FloatArray, MatrixSource, iter_blocks
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.read.checks.gene_probes import GeneProbes, ProbeFigures, joined_figures, probe_figures

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LOG_MAXIMUM = 50.0
"""A transcriptome in linear units has a gene above this, one in logarithms never: log2 of 1e15 is 49.8."""

PLAUSIBLE_MAXIMUM = 1e15
"""No expression value in any unit is larger."""

LOG2_FLOOR = float(np.log2(0.001))
"""Value of a zero in log2(x + 0.001): -9.966."""

FLOOR_TOLERANCE = 0.005
"""Half precision rounds -9.966 by 0.004."""

MILLION = 1e6
"""TPM of a sample add up to this by definition (Wagner et al. 2012, Theory Biosci. 131:281)."""

EXACT_TOLERANCE = 0.01
"""Relative distance from a round sum that rounding and a few rows more or less explain."""

SAME_SHAPE_TOLERANCE = 1e-3
"""Relative spread of maximum, sum and sum of squares below which samples share one distribution."""

RSEM_SUMS = (5e6, 2e8)
"""Sums of a sample in upper-quartile RSEM; 1.6e7 to 4.2e7 in 142 samples of six tumour types."""

RSEM_QUARTILE = (995.0, 1_005.0)
"""Upper quartile of the positive values that TCGA's pipeline gives every sample: 999 to 1,002 in 92 samples
as cBioPortal and Xena serve them, 1,005 to 1,156 in counts normalised by DESeq2."""

N_GLANCED = 256
"""Genes that mostly suffice to see that values are no whole numbers."""


@dataclass(frozen=True, eq=False)
class MatrixFacts:
    """Figures of a matrix, one value a sample.

    Parameters
    ----------
    sample_ids
        Names of the samples; all arrays have shape (n_samples,) in their order.
    n_missing, n_negative, n_floor, n_infinite
        Cells that are NaN, below 0, at log2(0.001), and infinite.
    minimum, maximum, total, negative_total, total_squares
        Over finite cells, in the unit of the file; NaN where a sample has none. ``negative_total`` adds up
        those below 0.
    n_detected
        Cells above the sample's lowest value, and above 0 unless values are logarithms with a floor.
    is_integer
        True where all finite cells are whole numbers.
    exp2_total, exp_total, exp10_total
        Sums of 2, e and 10 to the power of the cells; NaN where a cell exceeds ``LOG_MAXIMUM``, and the last
        two where the first meets a million already.
    has_rsem_quartile
        True where the upper quartile of the positive values is that of TCGA's RSEM, behind log2(x + 1) where
        values are small.
    known
        Figures of known genes.
    digests
        Equal for samples with the same numbers; empty for a sample whose other figures are like no other's.
    infinite_cells
        Sample and gene of the first infinite cells.
    """

    label: str
    sample_ids: tuple[str, ...]
    n_genes: int
    n_missing: IntArray
    n_negative: IntArray
    n_floor: IntArray
    n_infinite: IntArray
    minimum: FloatArray
    maximum: FloatArray
    total: FloatArray
    negative_total: FloatArray
    total_squares: FloatArray
    n_detected: IntArray
    is_integer: BoolArray
    exp2_total: FloatArray
    exp_total: FloatArray
    exp10_total: FloatArray
    has_rsem_quartile: BoolArray
    known: ProbeFigures
    digests: tuple[bytes, ...]
    infinite_cells: tuple[tuple[str, str], ...]

    @property
    def n_measured(self) -> IntArray:
        """Cells of each sample that hold a finite number."""
        return np.asarray(self.n_genes - self.n_missing - self.n_infinite, dtype=np.int64)

    @property
    def is_empty(self) -> BoolArray:
        """True where a sample has no number, or only zeros."""
        return np.asarray((self.n_measured == 0) | ((self.minimum == 0) & (self.maximum == 0)), dtype=bool)

    @property
    def is_constant(self) -> BoolArray:
        """True where a sample has one number for all genes, and that is not 0."""
        return np.asarray((self.minimum == self.maximum) & ~self.is_empty, dtype=bool)

    @property
    def is_usable(self) -> BoolArray:
        """True where a sample can tell a unit."""
        return ~(self.is_empty | self.is_constant)


def gather_facts(source: MatrixSource, *, label: str) -> MatrixFacts:
    """Look at each value of a matrix once, for the figures of each sample."""
    columns: dict[str, list[Any]] = defaultdict(list)
    known: list[ProbeFigures] = []
    infinite: list[tuple[str, str]] = []
    probes = GeneProbes.of(source.gene_ids)
    for start, block in iter_blocks(source):
        infinite += _infinite_cells(source, start, block)
        for row in range(0, len(block), ROWS_AT_ONCE):
            # sums of a row depend on its layout, and a sample's must not depend on its company
            values = np.ascontiguousarray(block[row : row + ROWS_AT_ONCE])
            figures = _figures(values)
            known.append(_known_genes(values, probes, figures))
            for name, of_rows in figures.items():
                columns[name].append(of_rows)
    arrays = {name: np.concatenate(pieces) for name, pieces in columns.items()}
    n_genes = len(source.gene_ids)
    return MatrixFacts(
        label,
        source.sample_ids,
        n_genes,
        **arrays,
        known=joined_figures(known),
        digests=_digests(source, arrays),
        infinite_cells=tuple(infinite[:5]),
    )


def _infinite_cells(source: MatrixSource, start: int, block: FloatArray) -> Iterator[tuple[str, str]]:
    if not np.isinf(block).any():
        return
    for row, column in np.argwhere(np.isinf(block))[:5]:
        yield source.sample_ids[start + int(row)], source.gene_ids[int(column)]


def _figures(values: FloatArray) -> dict[str, Any]:
    """Figures of a few samples, shape (n_samples, n_genes); most are spared where they are surely 0."""
    is_finite = np.isfinite(values)
    is_whole = bool(is_finite.all())
    finite = values if is_whole else np.where(is_finite, values, np.nan)
    zeroed = values if is_whole else np.where(is_finite, values, 0.0)
    none = np.zeros(len(values), dtype=np.int64)
    minimum = np.fmin.reduce(finite, axis=1, initial=np.nan)
    maximum = np.fmax.reduce(finite, axis=1, initial=np.nan)
    has_negative = bool((minimum < 0).any())
    return {
        "n_missing": none if is_whole else np.isnan(values).sum(axis=1),
        "n_negative": (zeroed < 0).sum(axis=1) if has_negative else none,
        "n_floor": (np.abs(zeroed - LOG2_FLOOR) < FLOOR_TOLERANCE).sum(axis=1) if has_negative else none,
        "n_infinite": none if is_whole else np.isinf(values).sum(axis=1),
        "minimum": minimum,
        "maximum": maximum,
        "total": zeroed.sum(axis=1),
        "negative_total": np.minimum(zeroed, 0.0).sum(axis=1) if has_negative else np.zeros(len(values)),
        "total_squares": np.einsum("ij,ij->i", zeroed, zeroed),
        "n_detected": (finite > _undetected(minimum)[:, None]).sum(axis=1),
        "is_integer": _are_integers(zeroed),
        **(behind := _inverse_totals(finite, maximum, is_finite.sum(axis=1))),
        "has_rsem_quartile": _have_rsem_quartile(finite, maximum, zeroed.sum(axis=1), behind["exp2_total"]),
    }


def _known_genes(values: FloatArray, probes: GeneProbes, figures: Mapping[str, Any]) -> ProbeFigures:
    """Figures of the known genes of a few samples."""
    if figures["n_infinite"].any():
        values = np.where(np.isinf(values), np.nan, values)
    is_low = figures["maximum"] <= LOG_MAXIMUM
    total = figures["total"] - figures["negative_total"]
    return probe_figures(values, probes, lowest=figures["minimum"], is_low=is_low, total=total)


def _have_rsem_quartile(
    finite: FloatArray, maximum: FloatArray, total: FloatArray, exp2_total: FloatArray
) -> BoolArray:
    """Samples whose 75 % quantile of positive values is that of TCGA; counting is faster than ranking."""
    is_low = maximum <= LOG_MAXIMUM
    sums = np.where(is_low, exp2_total, total)
    found = (sums >= RSEM_SUMS[0]) & (sums <= RSEM_SUMS[1])
    for row in np.flatnonzero(found):
        values = finite[row]
        low, high = np.log2(np.add(RSEM_QUARTILE, 1.0)) if is_low[row] else RSEM_QUARTILE
        n_positive = np.count_nonzero(values > 0)
        n_below, n_to = (
            n_positive - np.count_nonzero(values >= low),
            n_positive - np.count_nonzero(values > high),
        )
        found[row] = n_below <= 0.75 * (n_positive - 1) < n_to
    return found


def _undetected(minimum: FloatArray) -> FloatArray:
    """Value of a gene that is not detected: 0, also where noise is below, or log2(0.001)."""
    has_floor = np.abs(minimum - LOG2_FLOOR) < FLOOR_TOLERANCE
    return np.where(has_floor, minimum, np.maximum(minimum, 0.0))


def _are_integers(values: FloatArray) -> BoolArray:
    """Whether each row holds whole numbers only."""
    glanced = values[:, :N_GLANCED]
    result = (glanced == np.rint(glanced)).all(axis=1)
    if result.any():
        result &= (values == np.rint(values)).all(axis=1)
    return np.asarray(result)


def _digests(source: MatrixSource, arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[bytes, ...]:
    """Digests of those samples that share count, extremes and sums with another one."""
    names = ("n_missing", "minimum", "maximum", "total", "total_squares")
    figures = list(zip(*(arrays[name].tolist() for name in names), strict=True))
    times = Counter(figures)
    return tuple(_digest(source, row) if times[key] > 1 else b"" for row, key in enumerate(figures))


def _digest(source: MatrixSource, row: int) -> bytes:
    values = np.ascontiguousarray(source.block(row, row + 1))
    return hashlib.blake2b(values.tobytes(), digest_size=16).digest()


def _inverse_totals(finite: FloatArray, maximum: FloatArray, n_measured: IntArray) -> dict[str, FloatArray]:
    """Sums that the samples would have if their values were logarithms."""
    can_be_log = maximum <= LOG_MAXIMUM
    exp2_total = _totals(finite, can_be_log, np.exp2)
    # the sum behind one logarithm excludes the others: their sums would be larger by far
    is_open = can_be_log & ~(np.abs((exp2_total - n_measured) / MILLION - 1.0) <= EXACT_TOLERANCE)
    return {
        "exp2_total": exp2_total,
        "exp_total": _totals(finite, is_open, np.exp),
        "exp10_total": _totals(finite, is_open, lambda logs: np.exp(logs * np.log(10.0))),
    }


def _totals(finite: FloatArray, chosen: BoolArray, inverse: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Sums of some rows behind a logarithm, NaN for the others."""
    totals = np.full(len(finite), np.nan)
    if chosen.any():
        logs = finite if chosen.all() else finite[chosen]
        totals[chosen] = (np.nansum if np.isnan(logs).any() else np.sum)(inverse(logs), axis=1)
    return totals


def check_finite(facts: MatrixFacts) -> None:
    """Refuse cells that are infinite, or beyond any measurement, as damaged files hold them."""
    if facts.infinite_cells:
        sample, gene = facts.infinite_cells[0]
        msg = f"{int(facts.n_infinite.sum())} cells are infinite (the first: gene {gene}, sample {sample})"
        raise MatrixInvalidError.at(facts.label, f"{msg}; give a number, or NA")
    extremes = np.fmax(np.abs(facts.minimum), np.abs(facts.maximum))
    wild = names_of(facts, extremes > PLAUSIBLE_MAXIMUM)
    if wild:
        msg = f"values beyond {PLAUSIBLE_MAXIMUM:g} (samples {listed(wild)}) are no expression"
        raise MatrixInvalidError.at(facts.label, f"{msg}; is the file damaged?")


def flag_samples(facts: MatrixFacts) -> NoteLog:
    """Flag samples that cannot be scored as they are, and what looks like a copy or a normalisation.

    Flags missing_values, sample_empty, sample_constant and identical_samples by sample; quantile_normalised
    for all.
    """
    by_sample = (*_missing(facts), *_degenerate(facts), *_identical(facts))
    return NoteLog(cohort=_quantile_normalised(facts), by_sample=by_sample)


def _missing(facts: MatrixFacts) -> Iterator[tuple[str, Note]]:
    for sample, n_missing in zip(facts.sample_ids, facts.n_missing, strict=True):
        if n_missing:
            share = float(n_missing / facts.n_genes)
            yield sample, note(Code.MISSING_VALUES, n=int(n_missing), n_all=facts.n_genes, share=share)


def _degenerate(facts: MatrixFacts) -> Iterator[tuple[str, Note]]:
    is_empty, is_constant = facts.is_empty, facts.is_constant
    for at, sample in enumerate(facts.sample_ids):
        if is_empty[at]:
            yield sample, note(Code.SAMPLE_EMPTY, "missing" if facts.n_measured[at] == 0 else "zero")
        elif is_constant[at]:
            yield sample, note(Code.SAMPLE_CONSTANT, value=float(facts.minimum[at]))


def _identical(facts: MatrixFacts) -> Iterator[tuple[str, Note]]:
    groups: dict[bytes, list[str]] = defaultdict(list)
    for sample, digest, is_usable in zip(facts.sample_ids, facts.digests, facts.is_usable, strict=True):
        if is_usable and digest:
            groups[digest].append(sample)
    for group in groups.values():
        for sample in group if len(group) > 1 else ():
            yield sample, note(Code.IDENTICAL_SAMPLES, names=[other for other in group if other != sample])


def _quantile_normalised(facts: MatrixFacts) -> tuple[Note, ...]:
    """Flag samples that differ, yet share maximum, sum and sum of squares."""
    used = facts.is_usable & (facts.n_missing == 0)
    # a sample without a digest is like no other
    n_different = len({digest or at for at, digest in enumerate(facts.digests) if used[at]})
    if n_different < 2:  # noqa: PLR2004
        return ()
    figures = (facts.maximum[used], facts.total[used], facts.total_squares[used])
    if not all(_spread(figure) < SAME_SHAPE_TOLERANCE for figure in figures):
        return ()
    return (note(Code.QUANTILE_NORMALISED, n=int(used.sum())),)


def _spread(figure: FloatArray) -> float:
    """Range relative to the largest magnitude."""
    largest = float(np.abs(figure).max())
    return float(np.ptp(figure)) / largest if largest else 0.0


def names_of(facts: MatrixFacts, chosen: BoolArray) -> Sequence[str]:
    """Names of the samples chosen."""
    return [sample for sample, is_chosen in zip(facts.sample_ids, chosen, strict=True) if is_chosen]
