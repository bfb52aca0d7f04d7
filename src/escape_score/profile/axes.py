"""Axes as objects: what all kinds of axes can do, and the two kinds that need no model of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from escape_score.model.axes import Axis, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import AxisValues, TextArray
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import LinkLimits
from escape_score.profile.context import ProfileContext
from escape_score.profile.intervals.uncertainty import mean_weights, missing_terms_variance
from escape_score.profile.terms import TermModel, Weights


@dataclass(frozen=True)
class AxisModel(ABC):
    """How one axis is computed from what all axes share."""

    definition: Axis

    @abstractmethod
    def values(self, context: ProfileContext) -> AxisValues:
        """Score, coverage and what else the axis finds."""

    @abstractmethod
    def errors(self, context: ProfileContext) -> tuple[Weights, FloatArray] | None:
        """Weights of components in the score, and its variance for missing terms; None without interval."""

    @abstractmethod
    def evidence(self, context: ProfileContext) -> tuple[EvidenceSource, ...]:
        """Components whose genes count as evidence."""

    def raw_errors(self, context: ProfileContext) -> tuple[Weights, FloatArray] | None:
        """As :meth:`errors`, of the unadjusted version; None where there is none."""
        del context
        return None

    def outside(self, context: ProfileContext) -> TextArray:
        """Why a score is missing where its terms are outside their domains; else empty text."""
        return no_genes(len(context.scores.sample_ids))


@dataclass(frozen=True)
class EvidenceSource:
    """Genes that count as evidence, their direction, and what they and the score are relative to."""

    component: str
    direction: int
    above_expected: Callable[[FloatArray, Sequence[str], SignatureScores], FloatArray]
    denominators: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeanAxis(AxisModel):
    """Mean of standardised terms."""

    def values(self, context: ProfileContext) -> AxisValues:
        """Mean of the terms, also without adjustment."""
        axis = self.definition
        return AxisValues(
            score=context.mean_of(axis.terms),
            coverage=mean_coverage(axis.terms, context),
            weakest_gene=no_genes(len(context.scores.sample_ids)),
            raw=context.mean_of(axis.raw_terms) if axis.raw_terms else None,
        )

    def errors(self, context: ProfileContext) -> tuple[Weights, FloatArray]:
        """Errors of a mean of terms, of which some may be missing."""
        return _mean_errors(self.definition.terms, context)

    def raw_errors(self, context: ProfileContext) -> tuple[Weights, FloatArray] | None:
        """Errors of the mean of the unadjusted terms."""
        return _mean_errors(self.definition.raw_terms, context) if self.definition.raw_terms else None

    def evidence(self, context: ProfileContext) -> tuple[EvidenceSource, ...]:
        """What speaks for each term, with the term's sign."""
        return tuple(_source(context.term_models[term.name], term.sign) for term in self.definition.terms)

    def outside(self, context: ProfileContext) -> TextArray:
        """The reason of the first term that is outside its domain; it counts where no term has a value."""
        reasons = super().outside(context)
        for term in reversed(self.definition.terms):
            own = context.outside.get(term.name, reasons)
            reasons = np.where(own != "", own, reasons)
        return reasons


def _mean_errors(terms: Sequence[Term], context: ProfileContext) -> tuple[Weights, FloatArray]:
    """Weights of components in a mean of terms, and its variance for those that are missing."""
    parts = [context.weights_of(term) for term in terms]
    weights, n_present = mean_weights([context.terms[term.name] for term in terms], parts)
    independence = context.thresholds.intervals.within_term_independence
    return weights, missing_terms_variance(n_present, len(terms), context.errors.between, independence)


def _source(model: TermModel, sign: int) -> EvidenceSource:
    component, direction = model.evidence
    return EvidenceSource(component, sign * direction, model.above_expected, model.denominators)


def no_genes(n_samples: int) -> TextArray:
    """No weakest link in any sample."""
    return np.full(n_samples, "", dtype=object)


def mean_coverage(terms: Sequence[Term], context: ProfileContext) -> FloatArray:
    """Mean coverage of the terms; of several, one that lacks its genes covers nothing.

    In a term components count by what one z of them adds, denominators included; in a component, which is a
    mean, all genes count alike.
    """
    covered = [_term_coverage(context.term_models[term.name], context) for term in terms]
    if len(terms) > 1:
        pairs = zip(terms, covered, strict=True)
        covered = [np.where(context.lacks_genes(term), 0.0, share) for term, share in pairs]
    return np.asarray(sum(covered) / len(covered))


def _term_coverage(model: TermModel, context: ProfileContext) -> FloatArray:
    """Coverage of the components behind a term, by their weights."""
    scores, weights = context.scores, model.coverage_weights
    columns = [w * scores.coverage[:, scores.signature_ids.index(name)] for name, w in weights.items()]
    return np.asarray(sum(columns) / sum(weights.values()))


@dataclass(frozen=True)
class WeakestLinkAxis(AxisModel):
    """The one gene of a chain that is farthest below what interferon response and leukocytes explain."""

    def values(self, context: ProfileContext) -> AxisValues:
        """The weakest link of every sample."""
        chain = context.design.components[self.definition.chain]
        symbols, residuals = link_residuals(chain, context)
        residuals[context.class_one.is_uncovered] = np.nan
        return weakest_link(symbols, residuals, n_chain=len(chain), limits=context.thresholds.links)

    def errors(self, context: ProfileContext) -> None:
        """None: the error of a smallest value is not a mean's."""

    def evidence(self, context: ProfileContext) -> tuple[EvidenceSource, ...]:
        """The chain, whose genes speak for a loss where they are low."""

        def above_expected(z: FloatArray, symbols: Sequence[str], scores: SignatureScores) -> FloatArray:
            del scores
            links, residuals = link_residuals(symbols, context)
            found = np.full_like(z, np.nan)
            for k, link in enumerate(links):
                found[:, list(symbols).index(link)] = residuals[:, k]
            return found

        covariates = context.design.catalogue.covariates
        relative_to = (covariates.leukocytes, covariates.interferon)
        return (EvidenceSource(self.definition.chain, -1, above_expected, relative_to),)

    def outside(self, context: ProfileContext) -> TextArray:
        """Where the interferon response is not covered."""
        return context.outside[context.class_one.term]


def link_residuals(chain: Sequence[str], context: ProfileContext) -> tuple[tuple[str, ...], FloatArray]:
    """Links measured, and the distance of each from its expectation, shape (n_samples, n_links), in spreads.

    Spreads are widened by the sample's excess reference distance.
    """
    genes, reference = context.scores.genes, context.reference
    covariates = context.design.catalogue.covariates
    interferon, leukocytes = context.terms[covariates.interferon], context.terms[covariates.leukocytes]
    columns = [i for i in genes.columns(chain) if genes.gene_symbols[i] in reference.weakest_links]
    symbols = tuple(genes.gene_symbols[i] for i in columns)
    gene_spread = reference.genes.spread[reference.genes.positions(symbols)]
    residuals = np.full((len(context.excess), len(columns)), np.nan)
    for k, (column, symbol) in enumerate(zip(columns, symbols, strict=True)):
        fit = reference.weakest_links[symbol]
        expected = fit.ifng_slope * interferon + fit.leukocyte_slope * leukocytes + fit.intercept
        spread = np.sqrt(fit.spread**2 + (context.excess / gene_spread[k]) ** 2)
        residuals[:, k] = (genes.z[:, column] - expected) / spread
    return symbols, residuals


def weakest_link(
    symbols: tuple[str, ...], residuals: FloatArray, *, n_chain: int, limits: LinkLimits
) -> AxisValues:
    """Name the weakest link of every sample.

    ``score``: how far the weakest link is below expectation, in spreads; NaN where too few links are
    measured.
    """
    measured = ~np.isnan(residuals)
    enough = measured.sum(axis=1) >= limits.min_links
    score, gene = np.full(len(residuals), np.nan), no_genes(len(residuals))
    for row in np.flatnonzero(enough):
        lowest = int(np.nanargmin(residuals[row]))
        score[row], gene[row] = -residuals[row, lowest], symbols[lowest]
    return AxisValues(score, measured.sum(axis=1) / n_chain, gene)
