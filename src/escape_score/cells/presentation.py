"""Antigen presentation of malignant cells, and other programmes of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil
from types import MappingProxyType

import numpy as np

from escape_score.cells.ambient import exclusive_genes
from escape_score.cells.count_model import LostShare, Prior, count_table, lost_share, smallest_detectable
from escape_score.cells.levels import CellGroup, GeneCounts, largest_low_ratio, log_rate, log_ratio
from escape_score.cells.quantity import not_evaluable, quantity_of, too_few
from escape_score.library.axes import load_design
from escape_score.library.cell_quantities import load_quantities
from escape_score.model.cells import STROMA, CellQuantity, Compartment, PatientCells
from escape_score.model.notes import Code, Note, note
from escape_score.model.thresholds import CellPresentationLimits

_LEVELS = (
    "ifng_machinery",
    "ifng_response",
    "hypoxia",
    "glycolysis",
    "adenosine",
    "kynurenine",
    "arginine",
    "lipid",
    "autophagy",
)
"""Components whose level in malignant cells describes them."""


@cache
def quantity_genes() -> Mapping[str, tuple[str, ...]]:
    """Genes of each quantity, in the order of the table of quantities."""
    design = load_design()
    inputs = design.catalogue.class_one
    chain, (b2m, heavy) = design.components[inputs.chain], inputs.molecule
    others = tuple(gene for gene in chain if gene not in inputs.core_genes)
    genes = {
        "mhc1_vs_stroma": chain,
        "b2m_vs_stroma": b2m,
        "hla_abc_vs_stroma": heavy,
        "mhc2_vs_stroma": design.components["mhc2"],
        "b2m_lost_share": b2m,
        "hla_abc_lost_share": heavy,
        "mhc1_chain_lost_share": others,
        **{f"{name}_level": design.components[name] for name in _LEVELS},
    }
    return MappingProxyType(genes)


def presentation_genes() -> tuple[str, ...]:
    """Genes that these quantities need, each once."""
    groups = quantity_genes().values()
    return tuple(dict.fromkeys([*(gene for genes in groups for gene in genes), *exclusive_genes()]))


def presentation_quantities(cells: PatientCells, *, seed: int) -> tuple[CellQuantity, ...]:
    """All quantities of antigen presentation and malignant cells, evaluable or not, in the table's order.

    Parameters
    ----------
    cells
        With ambient shares (:func:`~escape_score.cells.ambient.with_ambient`) and the measured ones of
        :func:`presentation_genes`.
    seed
        Of the draws of intervals.
    """
    patient = _Patient(cells, seed)
    return tuple(patient.quantity(name) for name in quantity_genes())


def presentation_quantity(cells: PatientCells, quantity: str, *, seed: int) -> CellQuantity:
    """One of the quantities of :func:`presentation_quantities`, with the same numbers."""
    return _Patient(cells, seed).quantity(quantity)


@dataclass(frozen=True, eq=False)
class _Patient:
    cells: PatientCells
    seed: int

    @property
    def limits(self) -> CellPresentationLimits:
        return load_design().thresholds.cell_presentation

    @cached_property
    def malignant(self) -> CellGroup:
        return CellGroup(self.cells, (Compartment.MALIGNANT,))

    @cached_property
    def stroma(self) -> CellGroup:
        return CellGroup(self.cells, STROMA)

    @cached_property
    def n_malignant(self) -> int:
        """Malignant cells, with those of samples without a known ambient share."""
        return len(self.cells.rows(Compartment.MALIGNANT))

    @cached_property
    def counted(self) -> frozenset[str]:
        """Genes with at least one count in this patient; a gene without any was not measured."""
        seen = self.cells.sample_counts.sum(axis=0) > 0
        return frozenset(gene for gene, is_seen in zip(self.cells.gene_symbols, seen, strict=True) if is_seen)

    def quantity(self, name: str) -> CellQuantity:
        """A quantity by its id, whose ending is its kind."""
        if name.endswith("_lost_share"):
            return self.lost(name)
        return self.against_stroma(name) if name.endswith("_vs_stroma") else self.level(name)

    def of(self, name: str) -> GeneCounts:
        """Counts of a quantity's genes in malignant cells."""
        return self.malignant.counts_of(self.measured(name))

    def in_stroma(self, name: str) -> GeneCounts:
        """Counts of a quantity's genes in stroma."""
        return self.stroma.counts_of(self.measured(name))

    def measured(self, name: str) -> tuple[str, ...]:
        """A quantity's genes that were measured."""
        return tuple(gene for gene in quantity_genes()[name] if gene in self.counted)

    def level(self, name: str) -> CellQuantity:
        """Counts in 10,000 of malignant cells."""
        fault = self.fault(name)
        if fault is not None:
            return fault
        found = log_rate(self.of(name), content=self.limits.cell_interval_level, seed=self.seed)
        return quantity_of(name, found.value, found.low, found.high, n_cells=self.malignant.n_cells)

    def against_stroma(self, name: str) -> CellQuantity:
        """Level in malignant cells against that in stroma."""
        fault = self.fault(name) or self.stroma_fault(name)
        if fault is not None:
            return fault
        counts, others, n_cells = self.of(name), self.in_stroma(name), self.malignant.n_cells
        content, threshold = self.limits.cell_interval_level, load_quantities()[name].threshold
        found = log_ratio(counts, others, content=content, seed=self.seed)
        limit = math.nan if threshold is None else largest_low_ratio(counts, others, threshold, content)
        if threshold is not None and math.isnan(limit) and found.low <= threshold < found.high:
            ambient = counts.ambient_rate / others.net_rate
            return not_evaluable(name, _note("blind_level", ambient=ambient), n_cells=n_cells)
        return quantity_of(name, found.value, found.low, found.high, n_cells=n_cells, limit=limit)

    def lost(self, name: str) -> CellQuantity:
        """Share of malignant cells that have lost genes."""
        fault = self.fault(name) or self.umi_fault(name) or self.stroma_fault(name)
        if fault is not None:
            return fault
        counts, n_cells = self.of(name), self.malignant.n_cells
        table = count_table(counts.counts, counts.totals, counts.background)
        prior = Prior(self.in_stroma(name).net_rate, counts.ambient_error)
        found = lost_share(table, prior, self.limits)
        reason = self.share_fault(counts, found)
        if reason is not None:
            return not_evaluable(name, reason, n_cells=n_cells)
        threshold = load_quantities()[name].threshold or 0.0
        limit = smallest_detectable(table, found, prior, threshold, self.limits)
        return quantity_of(name, found.share, found.low, found.high, n_cells=n_cells, limit=limit)

    def share_fault(self, counts: GeneCounts, found: LostShare) -> Note | None:
        """Why a share is not known: too few counts of intact cells, or too many of ambient RNA."""
        limits = self.limits
        expected = found.level * float(np.median(counts.totals))
        if expected < limits.min_expected_count:
            return _note("few_counts", expected=expected, least=limits.min_expected_count)
        ratio = counts.ambient_rate / found.level
        if ratio >= limits.max_ambient_to_signal:
            return _note("ambient_high", ratio=ratio, most=limits.max_ambient_to_signal)
        return None

    def fault(self, name: str) -> CellQuantity | None:
        """Why a quantity of malignant cells cannot be made: cells, genes, ambient RNA."""
        n_genes, n_measured = len(quantity_genes()[name]), len(self.measured(name))
        least = load_quantities()[name].min_cells
        if self.n_malignant < least:
            return too_few(name, self.n_malignant)
        needed = ceil(self.limits.min_level_gene_share * n_genes)
        if not n_measured:
            reason = note(Code.CELL_QUANTITY, "no_genes", genes=list(quantity_genes()[name]))
        elif n_measured < needed:
            reason = _note("few_genes", n=n_measured, of=n_genes, least=needed)
        elif self.malignant.n_cells < least:
            reason = _note("ambient_unknown", n=self.malignant.n_cells, least=least)
        else:
            return None
        return not_evaluable(name, reason, n_cells=self.n_malignant)

    def umi_fault(self, name: str) -> CellQuantity | None:
        """The model of counts needs molecules."""
        if self.cells.is_umi:
            return None
        return not_evaluable(name, _note("no_umi"), n_cells=self.n_malignant)

    def stroma_fault(self, name: str) -> CellQuantity | None:
        """Why a quantity cannot be compared with stroma."""
        others, least = self.in_stroma(name), self.limits.min_stroma_cells
        if others.n_cells < least:
            reason = _note("few_stroma", n=others.n_cells, least=least)
        elif others.rate - others.ambient_rate < self.limits.min_stroma_sd * math.sqrt(others.variance):
            reason = _note("stroma_without", n=others.n_cells)
        else:
            return None
        return not_evaluable(name, reason, n_cells=self.n_malignant)


def _note(kind: str, **params: float) -> Note:
    return note(Code.CELL_QUANTITY, kind, **params)
