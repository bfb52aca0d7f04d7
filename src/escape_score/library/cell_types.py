"""Markers of compartments and names of cell types, from ``resources/cells``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from types import MappingProxyType

from escape_score.library.files import resource_path, table_records
from escape_score.model.cells import Compartment


class Lineage(StrEnum):
    """From which tissue a malignant cell can come."""

    NONE = ""
    """No candidate: an immune or endothelial cell, or one that is known not to be malignant."""
    EPITHELIAL = "epithelial"
    MESENCHYMAL = "mesenchymal"
    MELANOCYTIC = "melanocytic"
    GLIAL = "glial"


class LineageChoice(StrEnum):
    """Which cells of a sample can be malignant."""

    AUTO = "auto"
    """Cells of all lineages, by their copy number."""
    EPITHELIAL = "epithelial"
    MESENCHYMAL = "mesenchymal"
    MELANOCYTIC = "melanocytic"
    GLIAL = "glial"
    ANY = "any"
    """Every cell that is neither a leukocyte nor endothelial, by its copy number."""


LINEAGES = tuple(Lineage)
LINEAGE_CODE = MappingProxyType({lineage: code for code, lineage in enumerate(LINEAGES)})


@dataclass(frozen=True)
class CellType:
    """What a cell is.

    Parameters
    ----------
    lineage
        Which tumour it can belong to, as long as it is not shown to be malignant.
    """

    compartment: Compartment
    lineage: Lineage = Lineage.NONE


@dataclass(frozen=True)
class MarkerSet:
    """Genes by which cells of a type are found; a type can have several sets."""

    name: str
    cell_type: CellType
    gene_symbols: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class MarkerRow:
    """A row of ``markers.tsv``."""

    marker_set: str
    compartment: Compartment
    lineage: Lineage
    gene_symbol: str
    source: str


@cache
def load_markers() -> tuple[MarkerSet, ...]:
    """Marker sets in the order of the table."""
    genes: defaultdict[tuple[str, CellType], list[str]] = defaultdict(list)
    for row in table_records(resource_path("cells", "markers.tsv"), MarkerRow):
        genes[row.marker_set, CellType(row.compartment, row.lineage)].append(row.gene_symbol)
    return tuple(MarkerSet(name, cell_type, tuple(symbols)) for (name, cell_type), symbols in genes.items())


class NameKind(StrEnum):
    """How a row of the table is compared with a label."""

    NAME = "name"
    """The whole label."""
    PHRASE = "phrase"
    """Words in a row, anywhere in the label."""
    WEAK = "weak"
    """As PHRASE, but the name of an immune or stromal cell goes before: ``tumour macrophage``."""
    MODIFIER = "modifier"
    """Words that exclude malignant cells: ``normal``."""


@dataclass(frozen=True)
class NameRow:
    """A row of ``cell_types.tsv``."""

    synonym: str
    kind: NameKind
    compartment: str
    lineage: str
    source: str

    @property
    def cell_type(self) -> CellType:
        """What it stands for."""
        return CellType(Compartment(self.compartment), Lineage(self.lineage))


@dataclass(frozen=True, eq=False)
class CellTypes:
    """The table of names of cell types."""

    rows: tuple[NameRow, ...] = field(repr=False)

    @cached_property
    def _names(self) -> Mapping[str, CellType]:
        return {row.synonym: row.cell_type for row in self.rows if row.kind is NameKind.NAME}

    @cached_property
    def _phrases(self) -> Mapping[str, NameRow]:
        return {row.synonym: row for row in self.rows if row.kind is not NameKind.NAME}

    def understood(self, label: str) -> CellType | None:
        """What a label stands for; None where the table has no name for it, or names that disagree.

        Case, punctuation, plural and the order of rows do not count. A name of the whole label decides. Else
        phrases inside it are looked up, and a phrase within a longer one does not count.
        """
        key = key_of_label(label)
        if not key:
            return CellType(Compartment.UNASSIGNED)
        return self._names.get(key) or _joined(self._found(key.split()))

    def _found(self, words: list[str]) -> list[NameRow]:
        """Rows whose words are in a label, those inside a longer one left out."""
        spans = [
            (start, stop)
            for start in range(len(words))
            for stop in range(start + 1, len(words) + 1)
            if " ".join(words[start:stop]) in self._phrases
        ]
        widest = [span for span in spans if not any(_contains(other, span) for other in spans)]
        return [self._phrases[" ".join(words[start:stop])] for start, stop in widest]


def _contains(wide: tuple[int, int], span: tuple[int, int]) -> bool:
    return wide != span and wide[0] <= span[0] and span[1] <= wide[1]


def _joined(rows: list[NameRow]) -> CellType | None:
    """What several phrases of a label mean together."""
    is_normal = any(row.kind is NameKind.MODIFIER for row in rows)
    types = [(row.kind, row.cell_type) for row in rows if row.kind is not NameKind.MODIFIER]
    strong = {one for kind, one in types if kind is NameKind.PHRASE}
    weak = {one for kind, one in types if kind is NameKind.WEAK}
    unassigned, malignant = CellType(Compartment.UNASSIGNED), CellType(Compartment.MALIGNANT)
    if unassigned in strong:
        return unassigned
    if is_normal:
        return _only({CellType(one.compartment) for one in strong - {malignant}})
    if malignant in strong or (weak and not _settled(strong)):
        return malignant
    return _only(_settled(strong)) or _only(strong)


def _settled(types: Iterable[CellType]) -> set[CellType]:
    """Types other than those that tumours of epithelium, pigment cells and glia come from."""
    kept = (Lineage.NONE, Lineage.MESENCHYMAL)
    return {one for one in types if one.lineage in kept}


def _only(types: Collection[CellType]) -> CellType | None:
    """The type, if all phrases agree on its compartment."""
    compartments = {one.compartment for one in types}
    if len(compartments) != 1:
        return None
    return sorted(types, key=lambda one: one.lineage)[-1]


def key_of_label(label: str) -> str:
    """Lower-case words of letters and digits, without the plural s."""
    words = re.sub("[^a-z0-9]+", " ", label.lower()).split()
    return " ".join(_singular(word) for word in words)


_SHORTEST_PLURAL = 4


def _singular(word: str) -> str:
    is_plural = len(word) >= _SHORTEST_PLURAL and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural and word.isalpha() else word


@cache
def load_cell_types() -> CellTypes:
    """The shipped table."""
    return CellTypes(table_records(resource_path("cells", "cell_types.tsv"), NameRow))
