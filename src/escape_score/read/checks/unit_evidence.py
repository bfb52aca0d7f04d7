"""Figures of a matrix that speak for one unit or another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from escape_score.model.cohort import FloatArray, SampleTotals
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.values import (
    EXACT_TOLERANCE,
    LOG2_FLOOR,
    LOG_MAXIMUM,
    MILLION,
    BoolArray,
    MatrixFacts,
)

TEN_THOUSAND = 1e4
"""Sum of a sample under the usual normalisation of single cells, before the logarithm."""

ALONE_TOLERANCE = 0.002
"""The same where one sample is all there is, and no spread can back it."""

MIN_GENES_ALONE = 1_000
"""Genes from which one sample can tell a unit."""

MIN_GENES_WHOLE = 5_000
"""Genes from which a matrix is taken for a transcriptome that lost some genes."""

NEAR_RANGE = (0.5, 1.1)
"""Sums, in 1e6, of TPM over a transcriptome that lost some genes."""

MAX_NEAR_SPREAD = 0.15
"""Largest coefficient of variation of such sums in linear units."""

MAX_NEAR_LOG_SPREAD = 0.1
"""The same behind a logarithm; a wrong base spreads sums by more than 0.2 (measured on 70 melanomas)."""

MIN_SAMPLES_NEAR_LOG = 3

MAX_NEGATIVE_FRACTION = 0.01
"""Values below 0 that batch correction leaves in linear data; more are another unit."""

MAX_TINY_NEGATIVE_FRACTION = 0.05
"""The same where they add up to next to nothing: TCGA's batch-corrected RSEM has 1.6 % of values below 0."""

MAX_TINY_NEGATIVE_SHARE = 1e-4
"""Next to nothing, as a share of all values added up; 4.5e-6 in TCGA's batch-corrected RSEM."""

ZSCORE_MEAN_LIMIT = 0.02
"""Mean, in standard deviations, below which values are centred."""

MIXED_FACTOR = 5.0
"""Factor within which the sum behind a logarithm meets the sums of the linear samples."""

MIN_RESPONSE = 0.35
"""Least coefficient of the reference's levels from which a length slope is evidence: 0.45 and more in the
bulk samples of 21 cohorts, -0.3 to 0.3 where names and numbers do not belong together."""

LENGTH_BIASED = 0.7
"""Median length slope from which values grow with gene length. Counts, estimated and normalised counts and
TCGA's RSEM have 0.77 to 1.15 (12 cohorts), TPM and FPKM -0.08 to 0.57 (9 cohorts). Fourteen ways to measure
it were tried: with the shipped lengths instead of effective ones, both kinds overlap."""

LENGTH_FREE = 0.35
"""Slope below which they do not; between both, single samples of either kind are found (0.36 to 0.69)."""

WHOLE_SHARE = 0.6
"""Share of whole numbers among small values from which these are estimated counts: RSEM and salmon give 0.82
to 0.91, other linear values at most 0.42."""

WHOLE_BEHIND_LOG = 0.95
"""The same from which a logarithm was taken of counts."""

MAX_FPKM_SUM = 3e6
"""Median sum above which FPKM must be shown by a small length slope; 0.2 to 1.2 million are usual."""

RANK_MEAN = 0.2
"""Mean, as a share of the maximum, from which values are ranks: 0.5 for ranks, below 0.01 in every unit."""


@dataclass(frozen=True)
class Sums:
    """Sums of so many genes in linear units, supposing some unit; shape (n_samples that can tell,)."""

    values: FloatArray
    n_genes: int

    @property
    def median(self) -> float:
        """Median sum, 0 where no sample can tell."""
        return float(np.median(self.values)) if len(self.values) else 0.0

    @property
    def spread(self) -> float:
        """Coefficient of variation."""
        mean = float(self.values.mean()) if len(self.values) else 0.0
        return float(self.values.std()) / mean if mean else float("inf")

    def are_all(self, target: float) -> bool:
        """Whether every sum is the target but for rounding."""
        is_alone = len(self.values) == 1
        if not len(self.values) or (is_alone and self.n_genes < MIN_GENES_ALONE):
            return False
        tolerance = ALONE_TOLERANCE if is_alone else EXACT_TOLERANCE
        return bool((np.abs(self.values / target - 1.0) <= tolerance).all())

    def are_near_million(self, *, max_spread: float, min_samples: int = 1) -> bool:
        """Whether sums fit TPM of a transcriptome that lost some genes."""
        low, high = NEAR_RANGE
        fits = low * MILLION <= self.median <= high * MILLION and self.spread <= max_spread
        return fits and self.n_genes >= MIN_GENES_WHOLE and len(self.values) >= min_samples

    @property
    def range(self) -> Note:
        """Lowest and highest sum."""
        known = self.values[~np.isnan(self.values)]
        if not len(known):
            return note(Code.SUMS, "none")
        low, high = float(known.min()), float(known.max())
        is_one = f"{low:.6g}" == f"{high:.6g}"
        return note(Code.SUMS, "one", value=low) if is_one else note(Code.SUMS, "range", low=low, high=high)

    def __str__(self) -> str:
        """Write the range of the sums for an error."""
        return " to ".join(f"{value:.6g}" for _, value in self.range.params) or "none"


def telling_samples(facts: MatrixFacts) -> BoolArray:
    """Samples whose sums can tell a unit: usable and complete, or just usable where none is complete."""
    complete = facts.is_usable & (facts.n_missing == 0)
    return complete if complete.any() else facts.is_usable


def linear_sums(facts: MatrixFacts) -> Sums:
    """Sums of the values as they are."""
    return Sums(facts.total[telling_samples(facts)], facts.n_genes)


def sums_behind_log(facts: MatrixFacts) -> dict[str, Sums]:
    """Sums after undoing each logarithm this package knows of, by the name of the unit."""
    chosen = telling_samples(facts) & (facts.maximum <= LOG_MAXIMUM)
    return {name: Sums(totals[chosen], facts.n_genes) for name, totals in _totals_behind_log(facts).items()}


def _totals_behind_log(facts: MatrixFacts) -> dict[str, FloatArray]:
    """Sum of every sample after undoing each logarithm; shape (n_samples,)."""
    return {
        ExpressionUnit.LOG2_PLUS_1.value: facts.exp2_total - facts.n_measured,
        ExpressionUnit.LOG2_PLUS_0001.value: facts.exp2_total - 0.001 * facts.n_measured,
        ExpressionUnit.LN_PLUS_1.value: facts.exp_total - facts.n_measured,
        "log10(x+1)": facts.exp10_total - facts.n_measured,
    }


def totals_of(facts: MatrixFacts, unit: ExpressionUnit) -> SampleTotals:
    """What later stages need of the figures once the unit is known."""
    linear = facts.total - facts.negative_total
    return SampleTotals(_totals_behind_log(facts).get(unit.form.value, linear), largest_value(facts))


def largest_value(facts: MatrixFacts) -> float:
    """Largest finite value, NaN where there is none."""
    return float(np.fmax.reduce(facts.maximum, initial=np.nan))


def lowest_value(facts: MatrixFacts) -> float:
    """Lowest finite value, NaN where there is none."""
    return float(np.fmin.reduce(facts.minimum, initial=np.nan))


def negative_fraction(facts: MatrixFacts) -> float:
    """Fraction, 0–1, of measured values below 0."""
    return float(facts.n_negative.sum() / max(int(facts.n_measured.sum()), 1))


def has_many_negatives(facts: MatrixFacts) -> bool:
    """Whether more values are below 0, or further below, than batch correction explains."""
    fraction = negative_fraction(facts)
    negative = -float(facts.negative_total.sum())
    are_tiny = negative <= MAX_TINY_NEGATIVE_SHARE * (float(facts.total.sum()) + negative)
    return fraction > (MAX_TINY_NEGATIVE_FRACTION if are_tiny else MAX_NEGATIVE_FRACTION)


def length_slope(facts: MatrixFacts, unit: ExpressionUnit = ExpressionUnit.LOG2_PLUS_1) -> float:
    """Median length slope of the samples, for values of a unit; NaN where no sample shows one."""
    known, scale = facts.known, np.log2(np.e) if unit is ExpressionUnit.LN_PLUS_1 else 1.0
    usable = telling_samples(facts) & (known.response * scale >= MIN_RESPONSE)
    return float(np.median(known.length_slope[usable]) * scale) if usable.any() else float("nan")


def median_share(facts: MatrixFacts, shares: FloatArray) -> float:
    """Median of a share over the samples that have it, 0 where none has."""
    known = shares[telling_samples(facts) & ~np.isnan(shares)]
    return float(np.median(known)) if len(known) else 0.0


def counts_behind_log(facts: MatrixFacts) -> str:
    """How logarithms of counts are undone; empty where values are none."""
    known = facts.known
    if median_share(facts, known.whole_behind_log2) >= WHOLE_BEHIND_LOG:
        return "2^x - 1"
    return "e^x - 1" if median_share(facts, known.whole_behind_ln) >= WHOLE_BEHIND_LOG else ""


def have_rsem_quartile(facts: MatrixFacts) -> bool:
    """Whether the upper quartile of every sample is the one that TCGA's pipeline gives."""
    return bool(facts.is_usable.any() and facts.has_rsem_quartile[facts.is_usable].all())


def look_ranked(facts: MatrixFacts) -> bool:
    """Whether linear values are spread as evenly as ranks."""
    usable = facts.is_usable & (facts.maximum > 0)
    shares = facts.total[usable] / facts.n_measured[usable] / facts.maximum[usable]
    is_wide = facts.n_genes >= MIN_GENES_ALONE and largest_value(facts) > LOG_MAXIMUM
    return is_wide and bool(len(shares)) and float(np.median(shares)) >= RANK_MEAN


def counts_among_others(facts: MatrixFacts) -> BoolArray:
    """Samples of whole numbers where others are not, in linear units; shape (n_samples,)."""
    is_linear = facts.is_usable & (facts.maximum > LOG_MAXIMUM)
    is_whole = is_linear & facts.is_integer
    is_split = facts.n_genes >= MIN_GENES_ALONE and is_whole.any() and (is_linear & ~facts.is_integer).any()
    return is_whole if is_split else np.zeros(len(is_whole), dtype=bool)


def are_whole_numbers(facts: MatrixFacts) -> bool:
    """Whether every usable sample holds whole numbers only."""
    return bool(facts.is_integer[facts.is_usable].all())


def look_centred(facts: MatrixFacts) -> bool:
    """Whether values are on both sides of 0 with mean 0, as z-scores and centred logarithms are."""
    n_measured = max(int(facts.n_measured.sum()), 1)
    mean = float(facts.total.sum()) / n_measured
    deviation = float(np.sqrt(max(float(facts.total_squares.sum()) / n_measured - mean**2, 0.0)))
    is_two_sided = 0.1 <= negative_fraction(facts) <= 0.9  # noqa: PLR2004
    is_at_floor = facts.n_floor.sum() > 0 and lowest_value(facts) > LOG2_FLOOR - 0.01
    return is_two_sided and not is_at_floor and abs(mean) < ZSCORE_MEAN_LIMIT * deviation


def logs_among_linear(facts: MatrixFacts) -> BoolArray:
    """Samples in logarithms inside a matrix whose other samples are linear; shape (n_samples,)."""
    is_low = facts.is_usable & (facts.maximum <= LOG_MAXIMUM)
    linear = facts.total[telling_samples(facts) & ~is_low]
    if not is_low.any() or not len(linear):
        return np.zeros(len(is_low), dtype=bool)
    middle = float(np.median(linear))
    behind = np.stack([facts.exp2_total, facts.exp_total, facts.exp10_total]) - facts.n_measured
    meets = ((behind > middle / MIXED_FACTOR) & (behind < middle * MIXED_FACTOR)).any(axis=0)
    return np.asarray(is_low & (meets | (facts.n_floor > 0)), dtype=bool)


def tpm_among_others(facts: MatrixFacts) -> BoolArray:
    """Samples that add up to 1e6 where a fifth or more do and the rest is far off; shape (n_samples,)."""
    chosen = telling_samples(facts)
    distance = np.abs(facts.total / MILLION - 1.0)
    is_tpm = chosen & (distance <= ALONE_TOLERANCE)
    is_far = chosen & (distance > 0.2)  # noqa: PLR2004
    is_split = (is_tpm | is_far)[chosen].all() and is_tpm.sum() >= max(2, 0.2 * chosen.sum()) and is_far.any()
    return is_tpm if is_split else np.zeros(len(chosen), dtype=bool)
