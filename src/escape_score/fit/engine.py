"""What fitting needs of the other stages, and what a reference is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from escape_score.model.axes import AxisCatalogue, Thresholds
from escape_score.model.cohort import FloatArray, HarmonisedCohort
from escape_score.model.profiles import CohortProfiles
from escape_score.model.reference import PresentationModel, Reference
from escape_score.model.scores import SignatureScores


class Engine(Protocol):
    """The stages ``score`` and ``profile``, handed in, since stages do not know each other."""

    def score(self, cohort: HarmonisedCohort, reference: Reference) -> SignatureScores:
        """Score every component; needs no more of the reference than its genes."""

    def terms(self, scores: SignatureScores, reference: Reference) -> Mapping[str, FloatArray]:
        """Every term that axes and index use, before standardising; needs slopes too."""

    def presentation(
        self, scores: SignatureScores, reference: Reference, prior: PresentationModel | None
    ) -> PresentationModel:
        """Antigen-presentation model of some tumours; needs no more of the reference than its genes."""

    def profile(self, scores: SignatureScores, reference: Reference) -> CohortProfiles:
        """Axes and index; needs all but index location and distributions."""


@dataclass(frozen=True)
class FitDesign:
    """What is fitted.

    Attributes
    ----------
    components
        Component to its gene symbols.
    locus_genes
        MHC genes and control genes of 6p21.
    links
        Genes of the weakest-link chains.
    """

    catalogue: AxisCatalogue
    components: Mapping[str, tuple[str, ...]] = field(repr=False)
    locus_genes: frozenset[str] = field(repr=False)
    links: tuple[str, ...] = field(repr=False)
    thresholds: Thresholds


@dataclass(frozen=True)
class ReferenceLabel:
    """What a fitted reference is called and says of itself.

    Attributes
    ----------
    provenance
        What it was made from; no time, host or path.
    """

    name: str
    description: str
    tumour_type: str
    assay: str
    provenance: Mapping[str, str] = field(default_factory=dict)
