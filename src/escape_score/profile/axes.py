"""Axes as objects: what all kinds of axes can do, and the two kinds that need no model of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from escape_score.model.axes import Axis, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import AxisValues, TextArray
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
    def evidence(self, context: ProfileContext) -> tuple[tuple[str, int], ...]:
        """Components whose genes count as evidence, each with its direction."""

    def leading_score(self, score: FloatArray, context: ProfileContext) -> FloatArray:
        """Score that names the archetype where it is beyond the axis's threshold."""
        del context
        return score


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
        terms, independence = self.definition.terms, context.thresholds.intervals.within_term_independence
        parts = [context.weights_of(term) for term in terms]
        weights, n_present = mean_weights([context.terms[term.name] for term in terms], parts)
        return weights, missing_terms_variance(n_present, len(terms), context.errors.between, independence)

    def evidence(self, context: ProfileContext) -> tuple[tuple[str, int], ...]:
        """What speaks for each term, with the term's sign."""
        models = [(term.sign, context.term_models[term.name].evidence) for term in self.definition.terms]
        return tuple((component, sign * direction) for sign, (component, direction) in models)


def no_genes(n_samples: int) -> TextArray:
    """No weakest link in any sample."""
    return np.full(n_samples, "", dtype=object)


def mean_coverage(terms: Sequence[Term], context: ProfileContext) -> FloatArray:
    """Mean coverage of the terms; of several, one that is not evaluable covers nothing.

    In a term components count by what one z of them adds, denominators included; in a component, which is a
    mean, all genes count alike.
    """
    covered = [_term_coverage(context.term_models[term.name], context) for term in terms]
    if len(terms) > 1:
        pairs = zip(terms, covered, strict=True)
        covered = [np.where(np.isnan(context.terms[term.name]), 0.0, share) for term, share in pairs]
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
        return weakest_link(symbols, residuals, n_chain=len(chain), limits=context.thresholds.links)

    def errors(self, context: ProfileContext) -> None:
        """None: the error of a smallest value is not a mean's."""

    def evidence(self, context: ProfileContext) -> tuple[tuple[str, int], ...]:
        """The chain, whose genes speak for a loss where they are low."""
        del context
        return ((self.definition.chain, -1),)


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
