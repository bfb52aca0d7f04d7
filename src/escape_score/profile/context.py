"""What all axes of a cohort share, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Design, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code
from escape_score.model.profiles import TextArray
from escape_score.model.record import ReferenceMatch
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import Thresholds
from escape_score.profile.archetype import match_of
from escape_score.profile.domain import Outside, contrast_domains
from escape_score.profile.intervals.uncertainty import Errors, compute_errors
from escape_score.profile.mhc.class_one import ClassOne
from escape_score.profile.terms import TermModel, Weights, compute_terms, linear_terms, mean_present
from escape_score.reference.known import COHORT_REFERENCE


@dataclass(frozen=True)
class ProfileContext:
    """All that profiling a cohort needs, computed once.

    Attributes
    ----------
    class_one
        The model of MHC class I in the cohort's tumour cells.
    terms
        Term to array of shape (n_samples,), in gene z units; NaN outside its domain.
    outside
        Term to the reason why it does not exist in a sample: values of
        :class:`~escape_score.profile.domain.Outside`, empty text where it does.
    """

    scores: SignatureScores
    reference: Reference
    design: Design
    class_one: ClassOne = field(repr=False)
    terms: Mapping[str, FloatArray] = field(repr=False)
    outside: Mapping[str, TextArray] = field(repr=False)

    @property
    def thresholds(self) -> Thresholds:
        """Fixed numbers of the method."""
        return self.design.thresholds

    @cached_property
    def term_models(self) -> Mapping[str, TermModel]:
        """What each term is made of."""
        linear = linear_terms(self.design, self.reference, len(self.scores.sample_ids))
        return linear | {self.class_one.term: self.class_one}

    @cached_property
    def errors(self) -> Errors:
        """Errors of all components; only intervals need them."""
        return compute_errors(
            self.scores, self.reference, self.design, terms=self.terms, more=self.class_one.errors
        )

    @property
    def is_relative(self) -> bool:
        """Whether the cohort is its own reference."""
        return self.reference.name == COHORT_REFERENCE

    @cached_property
    def excess(self) -> FloatArray:
        """Distance of every sample to the reference, beyond that of the reference's own tumours."""
        return self.scores.placement.excess_distance(self.reference.anchor_distance)

    @cached_property
    def is_lifted(self) -> npt.NDArray[np.bool_]:
        """Samples whose low values are not those of their unit, so that levels of weak genes are wrong."""
        ids, flags = self.scores.sample_ids, self.scores.flags
        return np.array([flags.has(sample_id, Code.FLOOR_SUSPECT) for sample_id in ids], dtype=bool)

    @cached_property
    def match(self) -> TextArray:
        """How well every sample meets the reference; at most poor where its low values are lifted."""
        distance, own = self.scores.placement.distance, self.reference.anchor_distance
        match = match_of(distance, own, self.thresholds.match)
        match[self.is_lifted & (match != "")] = ReferenceMatch.POOR
        return match

    def standardised(self, term: Term, *, limit: float | None = None) -> FloatArray:
        """Express a term in reference SD units, with its sign.

        ``limit`` winsorises; used inside the index only, never for an axis: at ±3 SD nine tumours of ten tied
        in one cohort.
        """
        location, spread = self.reference.term_stats.get(term.name, (np.nan, np.nan))
        value = (self.terms[term.name] - location) / spread
        return term.sign * (value if limit is None else np.clip(value, -limit, limit))

    def lacks_genes(self, term: Term) -> npt.NDArray[np.bool_]:
        """Samples without the genes of a term; those that have them but are outside its domain are not."""
        is_outside = self.outside.get(term.name, np.array("")) != ""
        return np.asarray(np.isnan(self.terms[term.name]) & ~is_outside)

    def mean_of(self, terms: Sequence[Term], *, limit: float | None = None) -> FloatArray:
        """Mean of those standardised terms that a sample has."""
        return mean_present([self.standardised(term, limit=limit) for term in terms])

    def weights_of(self, term: Term) -> Weights:
        """What one z of each component adds to a standardised term, with its sign."""
        scale = term.sign / self.reference.term_stats.get(term.name, (np.nan, np.nan))[1]
        weights = self.term_models[term.name].weights
        return {name: weight * scale for name, weight in weights.items()}


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
    class_one = ClassOne.assess(scores, reference, design)
    everywhere = compute_terms(scores, reference, design, class_one.values)
    outside = {
        **contrast_domains(scores, reference, design, everywhere),
        class_one.term: np.where(class_one.is_uncovered, Outside.UNCOVERED.value, "").astype(object),
    }
    inside = {name: np.where(reasons == "", everywhere[name], np.nan) for name, reasons in outside.items()}
    return ProfileContext(scores, reference, design, class_one, {**everywhere, **inside}, outside)
