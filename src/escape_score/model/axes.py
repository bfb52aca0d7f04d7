"""What an escape axis is made of: the typed form of ``resources/axes/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from escape_score.model.record import ApproachRecord
from escape_score.model.signature import Signature
from escape_score.model.thresholds import Thresholds


class AxisKind(StrEnum):
    """How an axis gets its score."""

    MEAN = "mean"
    WEAKEST_LINK = "weakest_link"
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
    twin.
    """

    axis: str
    title: str
    group: str
    mechanism: str
    kind: AxisKind = AxisKind.MEAN
    terms: tuple[Term, ...] = ()
    raw_terms: tuple[Term, ...] = ()
    chain: str = Field(default="", description="component whose genes are the links, for a weakest link")
    adjusted_for: str | None = None
    threshold: float
    threshold_source: str
    meaning: str
    limits: str

    @property
    def has_raw(self) -> bool:
        """Whether the axis has an unadjusted twin."""
        return bool(self.raw_terms)


class Contrast(Definition):
    """A component relative to another: numerator − slope × denominator.

    The slope belongs to the reference.
    """

    contrast: str
    numerator: str
    denominator: str


class IndexBlockDefinition(Definition):
    """One block of the index: the mean of its winsorised terms, with a weight."""

    block: str
    weight: float
    terms: tuple[Term, ...]


class AxisCatalogue(Definition):
    """All axes, contrasts and index blocks, and the approaches that the literature ties to them."""

    axes: tuple[Axis, ...]
    contrasts: tuple[Contrast, ...]
    index_blocks: tuple[IndexBlockDefinition, ...]
    approaches: tuple[ApproachRecord, ...] = ()


@dataclass(frozen=True)
class Design:
    """Everything that is fixed before data are seen: axes, their genes and the numbers of the method.

    Attributes
    ----------
    signatures
        Components that are scored.
    components
        Component or chain to its gene symbols, with those that only serve quality checks.
    locus_genes, control_genes
        MHC genes of 6p21, and genes of 6p21 that take no part in antigen presentation.
    """

    catalogue: AxisCatalogue
    thresholds: Thresholds
    signatures: tuple[Signature, ...] = field(repr=False)
    components: Mapping[str, tuple[str, ...]] = field(repr=False)
    locus_genes: tuple[str, ...] = field(repr=False)
    control_genes: tuple[str, ...] = field(repr=False)

    @property
    def genes(self) -> frozenset[str]:
        """Genes of all components."""
        return frozenset(gene for genes in self.components.values() for gene in genes)

    @property
    def links(self) -> tuple[str, ...]:
        """Genes of the chains whose links are judged one by one."""
        chains = [axis.chain for axis in self.catalogue.axes if axis.kind is AxisKind.WEAKEST_LINK]
        return tuple(gene for chain in chains for gene in self.components[chain])
