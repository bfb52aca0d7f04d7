"""States of cells by a mixture of reference profiles, and the share of each state with its error.

A count of a gene in a cell is negative binomial. Its mean is the rate of the gene in the state times the
counts of the cell, so a shallow cell is compared with a reference of the same depth. Another data set has
other rates: the interval of a share joins the shares under rates drawn from the error of the reference.
Another laboratory also draws the line between states elsewhere, which widens the interval in log odds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import expit, gammaln, logit, ndtri

from escape_score.library.cell_states import StateProfiles
from escape_score.model.cohort import FloatArray

MAX_STEPS = 200
LEAST_MOVE = 1e-4
"""Steps end when no share moves by more."""
COARSE = np.linspace(0.0, 1.0, 41)
FINE = np.round(np.linspace(0.0, 1.0, 1001), 3)
LEAST = 1e-300
LEAST_SHARE = 5e-4
DIGITS = 3


@dataclass(frozen=True, eq=False)
class Mixture:
    """Counts of cells, and the profiles that they are compared with.

    Parameters
    ----------
    counts
        Shape (n_cells, n_genes), in the order of the genes of the profiles.
    n_umi
        Shape (n_cells,): counts of a cell over all genes, > 0.
    """

    counts: FloatArray = field(repr=False)
    n_umi: FloatArray = field(repr=False)
    profiles: StateProfiles

    @cached_property
    def of_counts(self) -> FloatArray:
        """Part of the evidence that rates do not change; shape (n_cells, n_states)."""
        sizes = 1 / self.profiles.dispersion
        terms = [gammaln(self.counts + size) - gammaln(size) - self.counts * np.log(size) for size in sizes]
        return np.stack([term.sum(axis=1) for term in terms], axis=1)


@dataclass(frozen=True)
class Share:
    """A share with its interval."""

    value: float
    low: float
    high: float


def evidence_of(mixture: Mixture, log_rate: FloatArray) -> FloatArray:
    """Log-likelihood of each cell in each state; shape (n_cells, n_states).

    Terms that are the same in all states are left out.

    Parameters
    ----------
    log_rate
        Shape (n_states, n_genes).
    """
    counts, dispersion = mixture.counts, mixture.profiles.dispersion
    evidence = counts @ log_rate.T + mixture.of_counts
    for state, rates in enumerate(np.exp(log_rate)):
        bulk = np.log1p(np.outer(mixture.n_umi, rates * dispersion[state]))
        evidence[:, state] -= ((counts + 1 / dispersion[state]) * bulk).sum(axis=1)
    return evidence


def mixed_shares(evidence: FloatArray) -> FloatArray:
    """Shares of states that fit cells best, by expectation and maximisation; shape (n_states,), sum 1."""
    likelihood = _scaled(evidence)
    shares = np.full(evidence.shape[1], 1 / evidence.shape[1])
    for _ in range(MAX_STEPS):
        before, shares = shares, _probability(likelihood, shares).mean(axis=0)
        if np.abs(shares - before).max() < LEAST_MOVE:
            break
    return shares


def state_probability(evidence: FloatArray) -> FloatArray:
    """Probability of each state for each cell, given the shares among these cells; rows sum to 1."""
    return _probability(_scaled(evidence), mixed_shares(evidence))


@dataclass(frozen=True)
class ShareErrors:
    """What the interval of a share covers, besides which cells were sampled.

    Parameters
    ----------
    n_draws
        Sets of rates drawn from the error of the reference.
    definition_sd
        Difference between laboratories in what they count as the state, in log odds of the share.
    level
        Of the interval.
    """

    n_draws: int
    definition_sd: float
    level: float


def shares_of(mixture: Mixture, errors: ShareErrors, *, seed: int) -> dict[str, Share]:
    """Share of cells in each state, with the shortest interval that holds this much of the likelihood.

    The value is that of the reference itself. The interval is over all draws.
    """
    profiles = mixture.profiles
    noise = np.random.default_rng(seed).standard_normal((errors.n_draws, *profiles.log_rate.shape))
    centre = _densities(evidence_of(mixture, profiles.log_rate))
    drawn = [_densities(evidence_of(mixture, profiles.log_rate + profiles.log_sd * z)) for z in noise]
    joined = (centre + np.sum(drawn, axis=0)) / (errors.n_draws + 1)
    return {state: _summary(centre[at], joined[at], errors) for at, state in enumerate(profiles.states)}


def _densities(evidence: FloatArray) -> FloatArray:
    """Likelihood of each value of ``FINE`` as the share of each state, others in the best proportion.

    Shape (n_states, n_values); rows sum to 1.
    """
    likelihood, shares = _scaled(evidence), mixed_shares(evidence)
    return np.stack([_density(likelihood, shares, state) for state in range(len(shares))])


def _density(likelihood: FloatArray, shares: FloatArray, state: int) -> FloatArray:
    others = np.delete(shares, state) + LEAST
    rest = np.delete(likelihood, state, axis=1) @ (others / others.sum())
    grid = _near(float(shares[state]), len(likelihood))
    heights = np.log(np.outer(grid, likelihood[:, state]) + np.outer(1 - grid, rest) + LEAST).sum(axis=1)
    smooth = np.interp(FINE, grid, heights)
    weight = np.exp(smooth - smooth.max())
    return np.asarray(weight / weight.sum())


def _near(share: float, n_cells: int) -> FloatArray:
    """Values of a share, close to each other around the best one."""
    width = 4 * np.sqrt((share * (1 - share) + 1 / n_cells) / n_cells) + 0.02
    return np.unique(np.r_[COARSE, np.clip(share + np.linspace(-width, width, 41), 0, 1)])


def _summary(centre: FloatArray, joined: FloatArray, errors: ShareErrors) -> Share:
    order = np.argsort(-joined, kind="stable")
    inside = order[: int(np.searchsorted(np.cumsum(joined[order]), errors.level)) + 1]
    bounds = FINE[[inside.min(), inside.max()]]
    value = round(float(np.clip(centre @ FINE, *bounds)), 2 * DIGITS)
    low, high = _widened(value, bounds, errors)
    return Share(value, low, high)


def _widened(value: float, bounds: FloatArray, errors: ShareErrors) -> tuple[float, float]:
    """Bounds with the error of definition, added in squares on the scale of log odds. 0 and 1 stay."""
    middle = logit(np.clip(value, LEAST_SHARE, 1 - LEAST_SHARE))
    apart = logit(np.clip(bounds, LEAST_SHARE, 1 - LEAST_SHARE)) - middle
    more = ndtri((1 + errors.level) / 2) * errors.definition_sd
    low, high = np.round(expit(middle + np.array([-1, 1]) * np.hypot(apart, more)), DIGITS)
    return float(low) if bounds[0] > 0 else 0.0, float(high) if bounds[1] < 1 else 1.0


def _scaled(evidence: FloatArray) -> FloatArray:
    return np.asarray(np.exp(evidence - evidence.max(axis=1, keepdims=True)))


def _probability(likelihood: FloatArray, shares: FloatArray) -> FloatArray:
    joint = likelihood * shares + LEAST
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))
