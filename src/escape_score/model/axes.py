"""What an escape axis is made of: the typed form of ``resources/axes/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from escape_score.model.record import ApproachRecord
from escape_score.model.signature import Signature
from escape_score.model.thresholds import Thresholds


class AxisKind(StrEnum):
    """How an axis gets its score: mean of terms, weakest gene of a chain, or one of two losses of class I."""

    MEAN = "mean"
    WEAKEST_LINK = "weakest_link"
    CHAIN_LOSS = "chain_loss"
    LINK_LOSS = "link_loss"


class Definition(BaseModel):
    """Base of the definitions read from resources."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Term(Definition):
    """One standardised component or contrast, counted with a sign."""

    name: str
    sign: int = 1


class Axis(Definition):
    """One escape mechanism.

    ``terms`` are averaged after each was expressed in reference SD units; ``raw_terms`` are the unadjusted
    version. ``is_context``: the axis describes the tumour and is not called.
    """

    axis: str
    title: str
    group: str
    mechanism: str
    kind: AxisKind = AxisKind.MEAN
    terms: tuple[Term, ...] = ()
    raw_terms: tuple[Term, ...] = ()
    chain: str = Field(default="", description="component whose genes are judged one by one")
    adjusted_for: str | None = None
    is_context: bool = False
    threshold: float
    threshold_source: str
    meaning: str
    limits: str

    @model_validator(mode="after")
    def _has_inputs(self) -> Axis:
        """Refuse an axis that lacks what its kind is computed from."""
        needed = "terms" if self.kind in {AxisKind.MEAN, AxisKind.CHAIN_LOSS} else "chain"
        if not getattr(self, needed):
            msg = f"axis {self.axis}: kind {self.kind.value} needs {needed}"
            raise ValueError(msg)
        return self


class Contrast(Definition):
    """A component relative to another: numerator − slope × denominator.

    The slope belongs to the reference.

    Attributes
    ----------
    share
        Part of the ratio of both spreads that is the slope, 0–1: how much of the numerator the cells of the
        denominator explain.
    beside
        Component below which the denominator must not be by more than a limit; empty where none.
    source
        Where ``share`` is from.
    """

    contrast: str
    numerator: str
    denominator: str
    share: float = Field(gt=0, le=1)
    beside: str = ""
    source: str


class IndexWeight(Definition):
    """An axis that counts in the index, its terms held within limits, and its weight."""

    axis: str
    weight: float


class Covariates(Definition):
    """Components that explain the level of antigen-presentation genes."""

    leukocytes: str
    interferon: str


class ClassOneInputs(Definition):
    """What the model of MHC class I in tumour cells is made of.

    Attributes
    ----------
    chain, fallback
        Components: genes of the model, and genes outside 6p21 that stand in where that is not quantified.
    locus, locus_controls
        Components: MHC genes of 6p21, and genes of 6p21 that take no part in antigen presentation.
    shortfall, fallback_shortfall
        Names of the terms that the model adds, as the reference has them.
    molecule
        Parts of a class I molecule, each with the genes that make it. Without a part nothing can be judged. A
        tumour's infiltrate always holds RNA of all; exactly none means that they were not counted.
    lost_together
        Genes whose joint loss is looked for as well.
    """

    chain: str
    fallback: str
    locus: str
    locus_controls: str
    shortfall: str
    fallback_shortfall: str
    molecule: tuple[tuple[str, ...], ...]
    lost_together: tuple[tuple[str, ...], ...]

    @property
    def core_genes(self) -> tuple[str, ...]:
        """Genes of all parts of the molecule."""
        return tuple(gene for part in self.molecule for gene in part)


class PhenotypeInputs(Definition):
    """Terms whose mean is the level of T cells, and the axes of stroma and of a lack of effector T cells."""

    t_cells: tuple[str, ...]
    stroma: str
    lack: str


class ArchetypeInputs(Definition):
    """Axes of which any that is detected names an archetype."""

    presentation: tuple[str, ...]
    suppressive: tuple[str, ...]
    exhausted: tuple[str, ...]


class Component(Definition):
    """A component that pages show as a kind of cells."""

    component: str
    title: str
    source: str


class Target(Definition):
    """A gene whose product a drug is aimed at, and the name that clinicians use."""

    gene_symbol: str
    name: str
    source: str


class AxisCatalogue(Definition):
    """All axes, what else is made of them, and the approaches that the literature ties to them.

    ``composition`` and ``targets`` are only shown; no score is made of them.
    """

    axes: tuple[Axis, ...]
    contrasts: tuple[Contrast, ...]
    covariates: Covariates
    class_one: ClassOneInputs
    phenotype: PhenotypeInputs
    archetype: ArchetypeInputs
    decisive: tuple[str, ...]
    msi_proxy: str
    hla_components: tuple[str, ...]
    index: tuple[IndexWeight, ...]
    approaches: tuple[ApproachRecord, ...] = ()
    composition: tuple[Component, ...] = ()
    targets: tuple[Target, ...] = ()

    def __repr__(self) -> str:
        return f"AxisCatalogue({len(self.axes)} axes, {len(self.approaches)} approaches)"

    __str__ = __repr__

    def axis(self, axis: str) -> Axis:
        """Definition of one axis."""
        return next(found for found in self.axes if found.axis == axis)


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before data are seen: axes, their genes and the numbers of the method.

    Attributes
    ----------
    signatures
        Components that are scored.
    components
        Component or chain to its gene symbols, with those that only serve quality checks.
    """

    catalogue: AxisCatalogue
    thresholds: Thresholds = field(repr=False)
    signatures: tuple[Signature, ...] = field(repr=False)
    components: Mapping[str, tuple[str, ...]] = field(repr=False)

    @property
    def genes(self) -> frozenset[str]:
        """Genes of all components."""
        return frozenset(gene for genes in self.components.values() for gene in genes)

    @property
    def kept_genes(self) -> frozenset[str]:
        """Genes whose placed values later stages need: those of components, and drug targets."""
        return self.genes | {target.gene_symbol for target in self.catalogue.targets}

    @property
    def locus_genes(self) -> tuple[str, ...]:
        """MHC genes of 6p21."""
        return self.components[self.catalogue.class_one.locus]

    @property
    def control_genes(self) -> tuple[str, ...]:
        """Genes of 6p21 that take no part in antigen presentation."""
        return self.components[self.catalogue.class_one.locus_controls]

    @property
    def pooled(self) -> tuple[str, ...]:
        """Components that are pooled: all but those that repeat the genes of the class I chain."""
        chains = {axis.chain for axis in self.catalogue.axes if axis.kind is AxisKind.LINK_LOSS}
        repeated = {self.catalogue.class_one.fallback, *chains}
        return tuple(name for name in self.components if name not in repeated)
