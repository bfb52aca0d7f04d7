"""Gene sets with a name, and the library of those shipped with the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from escape_score.errors import GeneSetInvalidError, unknown_name

Named = TypeVar("Named")


@dataclass(frozen=True)
class Signature:
    """Genes expected to rise together.

    Parameters
    ----------
    signature_id
        Name of the set; not empty.
    gene_symbols
        At least one gene, none twice. Approved symbols in the shipped library; as written in a user's GMT.
    description
        What the set is, in the words of its file.
    source
        Publication or file the genes are taken from.

    Raises
    ------
    GeneSetInvalidError
        The name is empty, or a gene is empty or stands twice, or there is no gene.
    """

    signature_id: str
    gene_symbols: tuple[str, ...] = field(repr=False)
    description: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.signature_id.strip():
            msg = "gene set: name is empty; name every set"
            raise GeneSetInvalidError(msg)
        if not self.gene_symbols or not all(symbol.strip() for symbol in self.gene_symbols):
            msg = f"gene set {self.signature_id}: no gene, or an empty one; list its genes"
            raise GeneSetInvalidError(msg)
        if len(set(self.gene_symbols)) != len(self.gene_symbols):
            msg = f"gene set {self.signature_id}: a gene stands twice; list every gene once"
            raise GeneSetInvalidError(msg)


class GeneRole(StrEnum):
    """What a gene does in its component."""

    COMPONENT = "component"
    """Counts in an axis, with its direction."""
    CHAIN = "chain"
    """One link of a chain that fails with its weakest link."""
    REPORT_ONLY = "report_only"
    """Shown, never part of the index."""
    DENOMINATOR = "denominator"
    """Measures the infiltrate that axes are adjusted for."""
    EXPECTATION = "expectation"
    """Measures the interferon response that presentation is expected to follow."""
    CONTROL = "control"
    """Distinguishes a genomic region that was not quantified from a biological loss."""


@dataclass(frozen=True)
class AxisGene:
    """One gene of one component, with where that is known from.

    Attributes
    ----------
    mechanism
        Escape mechanism of the component, such as ``"presentation"``; ``"auxiliary"`` for denominators.
    direction
        +1: more expression, more resistance; −1: less expression, more resistance; 0: neither.
    source, pmid_or_doi
        Publication in words, and its PMIDs or DOIs, separated by semicolons; a genomic position has none.
    verified_by
        ``signature:ID`` (member of the shipped set ID), ``list:…``, ``text:…`` or ``location:…``.
    """

    mechanism: str
    component: str
    gene_symbol: str
    role: GeneRole
    direction: int
    source: str
    pmid_or_doi: str
    verified_by: str


@dataclass(frozen=True)
class SignatureRecord:
    """Provenance of one shipped set: a row of ``resources/genesets/signatures.tsv``.

    Attributes
    ----------
    kind
        ``"component"`` of an axis, or ``"published"``.
    axis, component
        Mechanism and component; empty for published signatures.
    direction
        +1, −1 or 0, as in :class:`AxisGene`; −1 for the ``.down`` half of a published signature.
    n_unmapped
        Published names left out because no approved symbol is known for them.
    """

    signature_id: str
    kind: str
    axis: str
    component: str
    direction: int
    n_genes: int
    n_unmapped: int
    source: str
    pmid: str
    doi: str
    terms: str


@dataclass(frozen=True)
class SignatureLibrary:
    """The shipped sets: components of the axes, then published signatures, each in the order of the GMT."""

    components: tuple[Signature, ...]
    published: tuple[Signature, ...]
    axis_genes: tuple[AxisGene, ...] = field(repr=False)
    records: tuple[SignatureRecord, ...] = field(repr=False)

    def __repr__(self) -> str:
        return f"SignatureLibrary({len(self.components)} components, {len(self.published)} published)"

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """All sets."""
        return self.components + self.published

    def signature(self, signature_id: str) -> Signature:
        """Return one set by its name; GeneSetInvalidError: no shipped set has that name."""
        return _found(signature_id, {one.signature_id: one for one in self.signatures})

    def component(self, name: str) -> Signature:
        """Return one component of the axes, such as ``"mhc1"``; GeneSetInvalidError: none has that name."""
        return _found(name, {one.signature_id: one for one in self.components})

    def genes_of(self, component: str) -> tuple[AxisGene, ...]:
        """Genes of a component with role, direction and source; empty for an unknown name."""
        return tuple(gene for gene in self.axis_genes if gene.component == component)

    def record(self, signature_id: str) -> SignatureRecord:
        """Return where a shipped set comes from; GeneSetInvalidError: no shipped set has that name."""
        return _found(signature_id, {one.signature_id: one for one in self.records})


def _found(name: str, by_name: Mapping[str, Named]) -> Named:
    """What has a name; refuses one that no shipped set has."""
    if name not in by_name:
        advice = "see `escape-score genesets list`"
        raise GeneSetInvalidError(unknown_name("gene set", name, tuple(by_name), advice=advice))
    return by_name[name]
