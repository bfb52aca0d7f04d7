"""States of T cells and myeloid cells: exhausted, stem-like and regulatory T cells, kinds of macrophages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from escape_score.cells.composition import ASSIGNED, jeffreys
from escape_score.cells.quantity import not_evaluable, quantity_of, too_few
from escape_score.cells.state_levels import level_of
from escape_score.cells.state_model import (
    Mixture,
    Share,
    ShareErrors,
    evidence_of,
    shares_of,
    state_probability,
)
from escape_score.library.axes import load_design
from escape_score.library.cell_quantities import load_quantities
from escape_score.library.cell_states import StateProfiles, load_states
from escape_score.model.cells import CellQuantity, Compartment, PatientCells
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.thresholds import CellStateLimits

Rows = npt.NDArray[np.intp]

CD8_GENES = ("CD8A", "CD8B")
EXHAUSTION_GENES = ("PDCD1", "LAG3", "TIGIT", "HAVCR2", "CTLA4", "CXCL13", "TOX", "LAYN", "ENTPD1", "TNFRSF9")
"""Component ``exhaustion`` of the axes."""
EFFECTOR_GENES = ("GZMA", "GZMB", "PRF1", "IFNG", "TBX21")
"""Component ``effector`` of the axes, without the chemokines, which other cells make, and without CD8A."""


@dataclass(frozen=True)
class StateShare:
    """A quantity that is the share of a state in a mixture."""

    quantity: str
    profile: str
    state: str


SHARES = (
    StateShare("cd8_share_of_t", "t", "cd8"),
    StateShare("treg_share_of_t", "t", "treg"),
    StateShare("cd8_exhausted_share", "cd8", "exhausted"),
    StateShare("cd8_stem_like_share", "cd8", "stem_like"),
    StateShare("mdsc_like_share_of_myeloid", "myeloid", "mdsc_like"),
    StateShare("tam_like_share_of_myeloid", "myeloid", "tam_like"),
)
LEVELS = MappingProxyType(
    {"cd8_exhaustion_score": EXHAUSTION_GENES, "effector_level": EFFECTOR_GENES},
)
EFFECTOR_SHARE = "effector_share"


def state_genes() -> tuple[str, ...]:
    """Genes whose counts in each cell :func:`state_quantities` uses; sorted, unique."""
    profiles = [profile.gene_symbols for profile in load_states().values()]
    return tuple(sorted({gene for genes in (*profiles, *LEVELS.values()) for gene in genes}))


def state_quantities(cells: PatientCells, *, seed: int) -> tuple[CellQuantity, ...]:
    """States of T cells and myeloid cells of a patient.

    Parameters
    ----------
    seed
        Of the references drawn for intervals.

    Returns
    -------
    Every quantity of this module, in the order of the table. One that cannot be made has a reason, no value.
    """
    found = _Found(cells, seed)
    made = {
        **{share.quantity: found.share(share) for share in SHARES},
        **{quantity: found.level(quantity) for quantity in LEVELS},
        EFFECTOR_SHARE: found.effector_share(),
    }
    return tuple(made[quantity] for quantity in load_quantities() if quantity in made)


def cell_states(cells: PatientCells) -> dict[str, FloatArray]:
    """Probabilities of states for each cell; shape (n_cells,) each.

    ``cd8`` and ``treg`` for T cells, ``exhausted`` for CD8 T cells, ``tam_like`` and ``mdsc_like`` for
    myeloid cells. NaN for other cells, and for all cells if genes of the state are missing.
    """
    found = _Found(cells, 0)
    columns = {share.state: share for share in SHARES if share.state != "stem_like"}
    return {state: found.probability(share) for state, share in columns.items()}


@dataclass(frozen=True, eq=False)
class _Found:
    """What is found in the cells of a patient, each thing once."""

    cells: PatientCells = field(repr=False)
    seed: int

    @property
    def limits(self) -> CellStateLimits:
        return load_design().thresholds.cell_state

    @property
    def level_of_intervals(self) -> float:
        return load_design().thresholds.intervals.interval_level

    @cached_property
    def profiles(self) -> Mapping[str, StateProfiles]:
        measured = frozenset(self.cells.gene_symbols)
        return {name: profile.measured(measured) for name, profile in load_states().items()}

    @cached_property
    def t(self) -> Rows:
        return self.cells.rows(Compartment.T)

    @cached_property
    def cd8(self) -> Rows:
        """T cells that are more likely CD8 T cells than others."""
        if not self.has_cd8_genes or not len(self.t):
            return self.t[:0]
        chances = self.probabilities("t")[:, self.profiles["t"].states.index("cd8")]
        return self.t[chances >= self.limits.least_probability]

    @property
    def has_cd8_genes(self) -> bool:
        return len(self.cells.columns(CD8_GENES)) > 0

    def rows(self, profile: str) -> Rows:
        """Cells whose states a profile describes."""
        if profile == "myeloid":
            return self.cells.rows(Compartment.MYELOID)
        return self.cd8 if profile == "cd8" else self.t

    def mixture(self, profile: str) -> Mixture:
        rows, reference = self.rows(profile), self.profiles[profile]
        counts = self.cells.counts[rows][:, self.cells.columns(reference.gene_symbols)]
        return Mixture(counts.toarray().astype(float), self.depth(rows), reference)

    def depth(self, rows: Rows) -> FloatArray:
        return np.maximum(self.cells.n_umi[rows], 1.0)

    def probabilities(self, profile: str) -> FloatArray:
        mixture = self.mixture(profile)
        return state_probability(evidence_of(mixture, mixture.profiles.log_rate))

    @cached_property
    def shares(self) -> dict[str, dict[str, Share]]:
        """Shares by profile, filled when asked for."""
        return {}

    def shares_in(self, profile: str) -> dict[str, Share]:
        if profile not in self.shares:
            limits = self.limits
            errors = ShareErrors(
                limits.reference_draws, limits.definition_sd_log_odds, self.level_of_intervals
            )
            self.shares[profile] = shares_of(self.mixture(profile), errors, seed=self.seed)
        return self.shares[profile]

    def share(self, share: StateShare) -> CellQuantity:
        """A share, or why it is not evaluable."""
        n_cells = len(self.rows(share.profile))
        missing = self.missing(share)
        if missing:
            return not_evaluable(share.quantity, missing, n_cells=n_cells)
        if n_cells < load_quantities()[share.quantity].min_cells:
            return too_few(share.quantity, n_cells)
        found = self.shares_in(share.profile)[share.state]
        if found.high - found.low > self.limits.widest_interval:
            width = note(
                Code.CELL_QUANTITY,
                "wide_interval",
                low=found.low,
                high=found.high,
                most=self.limits.widest_interval,
            )
            return not_evaluable(share.quantity, width, n_cells=n_cells)
        return quantity_of(share.quantity, found.value, found.low, found.high, n_cells=n_cells)

    def missing(self, share: StateShare) -> Note | None:
        """What the data lack for a share, whatever the cells."""
        if not self.cells.is_umi:
            return note(Code.CELL_QUANTITY, "no_umi")
        if "cd8" in (share.profile, share.state) and not self.has_cd8_genes:
            return note(Code.CELL_QUANTITY, "no_genes", genes=list(CD8_GENES))
        return self._few_genes(
            self.profiles[share.profile].markers(share.state),
            load_states()[share.profile].markers(share.state),
        )

    def _few_genes(self, measured: tuple[str, ...], wanted: tuple[str, ...]) -> Note | None:
        if not measured:
            return note(Code.CELL_QUANTITY, "no_genes", genes=list(wanted))
        least = int(np.ceil(self.limits.least_markers * len(wanted)))
        if len(measured) >= least:
            return None
        return note(Code.CELL_QUANTITY, "few_genes", n=len(measured), of=len(wanted), least=least)

    def probability(self, share: StateShare) -> FloatArray:
        """Probability of a state for every cell of the patient; NaN where it is not defined."""
        chances, rows = np.full(len(self.cells.n_umi), np.nan), self.rows(share.profile)
        if len(rows) and not self.missing(share):
            at = self.profiles[share.profile].states.index(share.state)
            chances[rows] = self.probabilities(share.profile)[:, at]
        return chances

    def level(self, quantity: str) -> CellQuantity:
        """Level of genes, or why it is not evaluable."""
        is_cd8 = quantity == "cd8_exhaustion_score"
        rows = self.cd8 if is_cd8 else self.cells.rows(Compartment.T, Compartment.NK)
        measured = tuple(gene for gene in LEVELS[quantity] if len(self.cells.columns((gene,))))
        missing = self._few_genes(measured, LEVELS[quantity])
        if is_cd8 and not self.has_cd8_genes:
            missing = note(Code.CELL_QUANTITY, "no_genes", genes=list(CD8_GENES))
        if missing:
            return not_evaluable(quantity, missing, n_cells=len(rows))
        if len(rows) < load_quantities()[quantity].min_cells:
            return too_few(quantity, len(rows))
        found = level_of(self.cells.sums(measured, rows), self.depth(rows), level=self.level_of_intervals)
        return quantity_of(quantity, found.value, found.low, found.high, n_cells=len(rows))

    def effector_share(self) -> CellQuantity:
        """CD8 T cells and NK cells among all assigned cells."""
        n_part = len(self.cd8) + len(self.cells.rows(Compartment.NK))
        n_whole = len(self.cells.rows(*ASSIGNED))
        if not self.has_cd8_genes:
            missing = note(Code.CELL_QUANTITY, "no_genes", genes=list(CD8_GENES))
            return not_evaluable(EFFECTOR_SHARE, missing, n_cells=n_whole)
        if n_whole < load_quantities()[EFFECTOR_SHARE].min_cells:
            return too_few(EFFECTOR_SHARE, n_whole)
        low, high = jeffreys(n_part, n_whole)
        return quantity_of(EFFECTOR_SHARE, n_part / n_whole, low, high, n_cells=n_whole)
