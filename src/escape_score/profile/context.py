"""What all axes of a cohort share, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from escape_score.model.axes import AxisCatalogue, Design
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import TextArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import Thresholds
from escape_score.profile.distance import excess_distance
from escape_score.profile.intervals.uncertainty import Errors, compute_errors
from escape_score.profile.phenotype import match_of
from escape_score.profile.terms import Terms, compute_terms


@dataclass(frozen=True)
class ProfileContext:
    """All that profiling a cohort needs, computed once.

    Attributes
    ----------
    components
        Component to its gene symbols.
    """

    scores: SignatureScores
    reference: Reference
    catalogue: AxisCatalogue
    components: Mapping[str, tuple[str, ...]]
    thresholds: Thresholds
    terms: Terms

    @cached_property
    def errors(self) -> Errors:
        """Errors of all components; only intervals need them."""
        return compute_errors(
            self.scores,
            self.reference,
            catalogue=self.catalogue,
            components=self.components,
            thresholds=self.thresholds,
            terms=self.terms,
        )

    @cached_property
    def excess(self) -> FloatArray:
        """Distance of every sample to the reference, beyond that of the reference's own tumours."""
        return excess_distance(self.scores, self.reference)

    @cached_property
    def match(self) -> TextArray:
        """How well every sample meets the reference."""
        return match_of(self.scores.placement.distance, self.reference.anchor_distance, self.thresholds.match)


def build_context(scores: SignatureScores, reference: Reference, design: Design) -> ProfileContext:
    """Compute what all axes share.

    Parameters
    ----------
    scores
        From :func:`escape_score.score.score_signatures`; must hold every component.
    reference
        The one the scores were made with.
    design
        Axes, their genes and the fixed numbers of the method.

    Returns
    -------
    ProfileContext
        Terms of all samples.
    """
    return ProfileContext(
        scores=scores,
        reference=reference,
        catalogue=design.catalogue,
        components=design.components,
        thresholds=design.thresholds,
        terms=compute_terms(scores, reference, design.catalogue, design.components, design.thresholds),
    )
