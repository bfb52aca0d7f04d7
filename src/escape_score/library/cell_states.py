"""Reference profiles of cell states, from ``resources/cells/states.tsv``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

import numpy as np

from escape_score.library.files import resource_path, table_records
from escape_score.model.cohort import FloatArray

PER = 1e4
"""Rates of the table are counts in this many counts of a cell."""


@dataclass(frozen=True)
class StateRow:
    """One gene in one state, as the table has it.

    Parameters
    ----------
    profile
        The states that are compared with each other: ``cd8``, ``t`` or ``myeloid``.
    is_marker
        Whether the gene is a marker of the state, by its source.
    rate
        Counts in 10,000 counts of a cell.
    log_sd
        Error of the natural logarithm of the rate in another data set.
    dispersion
        Of the negative binomial: variance = mean + dispersion × mean².
    n_cells
        Cells behind the rate; not whole where cells belong to a state with a probability.
    source
        Where the marker is published.
    """

    profile: str
    state: str
    gene_symbol: str
    is_marker: bool
    rate: float
    log_sd: float
    dispersion: float
    n_cells: float
    source: str


@dataclass(frozen=True, eq=False)
class StateProfiles:
    """Rates of genes in states that are compared with each other.

    Parameters
    ----------
    log_rate
        Shape (n_states, n_genes): natural logarithm of the counts in one count of a cell.
    log_sd
        Shape (n_states, n_genes): its error in another data set.
    dispersion
        Shape (n_states, n_genes), > 0.
    is_marker
        Shape (n_states, n_genes).
    """

    states: tuple[str, ...]
    gene_symbols: tuple[str, ...]
    log_rate: FloatArray = field(repr=False)
    log_sd: FloatArray = field(repr=False)
    dispersion: FloatArray = field(repr=False)
    is_marker: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = field(repr=False)

    def measured(self, symbols: frozenset[str]) -> StateProfiles:
        """Only the genes among these."""
        return self._genes([gene in symbols for gene in self.gene_symbols])

    def markers(self, state: str) -> tuple[str, ...]:
        """Markers of a state."""
        marks = self.is_marker[self.states.index(state)]
        return tuple(gene for gene, is_marked in zip(self.gene_symbols, marks, strict=True) if is_marked)

    def _genes(self, keep: list[bool]) -> StateProfiles:
        genes = tuple(gene for gene, kept in zip(self.gene_symbols, keep, strict=True) if kept)
        at = np.array(keep, dtype=bool)
        tables = (self.log_rate[:, at], self.log_sd[:, at], self.dispersion[:, at], self.is_marker[:, at])
        return StateProfiles(self.states, genes, *tables)


@cache
def load_states() -> MappingProxyType[str, StateProfiles]:
    """All profiles by name, genes and states in the order of the table."""
    rows = table_records(resource_path("cells", "states.tsv"), StateRow)
    names = dict.fromkeys(row.profile for row in rows)
    return MappingProxyType(
        {name: profiles_of([row for row in rows if row.profile == name]) for name in names}
    )


def profiles_of(rows: list[StateRow]) -> StateProfiles:
    """Arrays of the rows of one profile."""
    states = tuple(dict.fromkeys(row.state for row in rows))
    genes = tuple(dict.fromkeys(row.gene_symbol for row in rows))
    by_place = {(row.state, row.gene_symbol): row for row in rows}
    grid = [[by_place[state, gene] for gene in genes] for state in states]
    return StateProfiles(
        states,
        genes,
        np.log(np.array([[row.rate for row in line] for line in grid]) / PER),
        np.array([[row.log_sd for row in line] for line in grid]),
        np.array([[row.dispersion for row in line] for line in grid]),
        np.array([[row.is_marker for row in line] for line in grid]),
    )
