"""A reference: what samples are measured against, and where its tumours lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.errors import ReferenceInvalidError
from escape_score.model.cohort import FloatArray


@dataclass(frozen=True)
class WeakestLinkFit:
    """What a link's z is expected to be.

    ifng_slope · IFN response + leukocyte_slope · leukocytes + intercept; ``spread`` is the scaled MAD of the
    residuals in the reference, in z units.
    """

    ifng_slope: float
    leukocyte_slope: float
    intercept: float
    spread: float


@dataclass(frozen=True)
class PresentationModel:
    """Levels of the antigen-presentation genes in the tumour cells and the leukocytes of one reference.

    Arrays are in the order of ``gene_symbols``.

    Attributes
    ----------
    location
        log2(TPM + 1) in tumour cells whose interferon response is at the reference's centre.
    ifng_slope
        log2 a gene rises per z of the interferon response.
    per_leukocyte_unit
        TPM of a gene that leukocytes bring per TPM of the leukocyte unit.
    covariance
        Shape (n_genes, n_genes): how tumours vary around that expectation together, log2 squared.
    """

    gene_symbols: tuple[str, ...]
    location: FloatArray = field(repr=False)
    ifng_slope: FloatArray = field(repr=False)
    per_leukocyte_unit: FloatArray = field(repr=False)
    covariance: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse double genes, arrays of other shapes, and a covariance that is none."""
        n = len(self.gene_symbols)
        vectors = (self.location, self.ifng_slope, self.per_leukocyte_unit)
        fits = len(set(self.gene_symbols)) == n and all(vector.shape == (n,) for vector in vectors)
        if not fits or self.covariance.shape != (n, n):
            msg = (
                "presentation model: symbols must be unique and as many as locations, slopes and covariances"
            )
            raise ReferenceInvalidError(msg)
        is_finite = all(np.isfinite(part).all() for part in (*vectors, self.covariance))
        if not is_finite or (self.per_leukocyte_unit <= 0).any() or (np.diag(self.covariance) <= 0).any():
            msg = "presentation model: all numbers must be finite, leukocyte shares and variances positive"
            raise ReferenceInvalidError(msg)


@dataclass(frozen=True)
class ReferenceGenes:
    """Location and spread of log2(TPM + 1) of each gene, and whether it is an anchor.

    Arrays are in the order of ``symbols``; ``n_samples`` counts the tumours each gene was measured in.
    """

    symbols: tuple[str, ...]
    location: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)
    is_anchor: npt.NDArray[np.bool_] = field(repr=False)
    n_samples: npt.NDArray[np.int64] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"ReferenceGenes({len(self.symbols)} genes)"

    def positions(self, symbols: Iterable[str]) -> npt.NDArray[np.intp]:
        """Where some genes of the reference are."""
        return np.array([self._place[symbol] for symbol in symbols], dtype=np.intp)

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols)}

    def __post_init__(self) -> None:
        """Refuse double genes and arrays of other lengths."""
        n, arrays = len(self.symbols), [self.location, self.spread, self.is_anchor]
        arrays += [] if self.n_samples is None else [self.n_samples]
        if len(set(self.symbols)) != n or any(a.shape != (n,) for a in arrays):
            msg = "reference genes: symbols must be unique and as many as locations, spreads and anchor marks"
            raise ReferenceInvalidError(msg)


@dataclass(frozen=True)
class ReferenceConstants:
    """Figures that come from cells of known type, not from the reference's own tumours.

    Attributes
    ----------
    mhc_per_leukocyte_unit
        Gene symbol to TPM of that gene per TPM of leukocyte genes in immune cells.
    leukocyte_cap_tpm
        Geometric mean TPM of the leukocyte genes in pure leukocytes.
    ifng_factor
        z of the tumour's MHC class I expected per z of interferon response, where 6p21 is not quantified.
    ifng_per_leukocyte_unit
        Genes by which tumour cells show their interferon response, to TPM per TPM of leukocyte genes in
        immune cells.
    """

    mhc_per_leukocyte_unit: Mapping[str, float]
    leukocyte_cap_tpm: float
    ifng_factor: float
    ifng_per_leukocyte_unit: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Distributions:
    """Scores of the reference's own tumours, for percentiles: one column a score, one row a tumour."""

    sample_ids: tuple[str, ...]
    columns: Mapping[str, FloatArray] = field(repr=False)

    def __repr__(self) -> str:
        return f"Distributions({len(self.sample_ids)} tumours × {len(self.columns)} scores)"


@dataclass(frozen=True, repr=False)
class Reference:
    """One frozen reference.

    Attributes
    ----------
    term_stats
        Component or contrast to (location, spread) of its score in the reference.
    slopes
        Contrast to the slope of its denominator.
    anchor_distance
        Typical distance (scaled MAD of the anchors, log2) of the reference's own tumours.
    presentation
        Levels of the antigen-presentation genes; None while a reference is being built.
    index_stats
        Location and spread of the weighted block mean.
    typical_detections
        Mechanisms detected in a tumour of the reference, on average; NaN where it is not known.
    location_variance
        Squared standard error of the locations of terms, in SD units: what a reference of few tumours leaves
        open. 0 where it is too small to count.
    untrusted_genes
        Gene to the reason why the pipeline's values of it are not used; such genes are not among ``genes``.
    limits
        What the reference cannot do, in words; empty where nothing was noted.
    provenance
        What the reference was made from, in words.
    sha256
        Digest over the reference's files; empty while one is being built.
    is_edited
        Whether a file was changed since the reference was fitted.
    """

    name: str
    description: str
    tumour_type: str
    assay: str
    n_samples: int
    genes: ReferenceGenes
    constants: ReferenceConstants
    anchor_distance: float
    term_stats: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    slopes: Mapping[str, float] = field(default_factory=dict)
    weakest_links: Mapping[str, WeakestLinkFit] = field(default_factory=dict)
    presentation: PresentationModel | None = None
    index_stats: tuple[float, float] = (0.0, 1.0)
    distributions: Distributions = field(default_factory=lambda: Distributions((), {}))
    typical_detections: float = float("nan")
    location_variance: float = 0.0
    untrusted_genes: Mapping[str, str] = field(default_factory=dict)
    limits: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""
    is_edited: bool = False

    def __repr__(self) -> str:
        size = f"{self.n_samples} tumours × {len(self.genes.symbols)} genes"
        return f"Reference({self.name!r}: {self.tumour_type}, {self.assay}, {size})"
