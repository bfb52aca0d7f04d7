"""What became of one gene name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GeneMatch(StrEnum):
    """How a given name was recognised, or why it was not."""

    CURRENT = "current"
    """An approved symbol as it stands."""
    CASE_CHANGED = "case_changed"
    """Unknown as written, but unique once letter case is ignored."""
    PREVIOUS = "previous"
    """A withdrawn symbol of one gene."""
    ALIAS = "alias"
    """A synonym of one gene."""
    ENSEMBL = "ensembl"
    """An Ensembl gene id of the primary assembly."""
    ENSEMBL_RETIRED = "ensembl_retired"
    """An Ensembl gene id that was retired, or that lies on an alternate contig."""
    ENTREZ = "entrez"
    """An NCBI Gene id, or the ``LOC`` symbol made from one."""
    AMBIGUOUS = "ambiguous"
    """Several genes carry this name; none is chosen."""
    EXCEL_DATE = "excel_date"
    """What a spreadsheet makes of a symbol such as MARCH1; the symbol is not guessed."""
    ENSEMBL_UNNAMED = "ensembl_unnamed"
    """A well-formed human Ensembl gene id that no approved symbol belongs to."""
    UNKNOWN = "unknown"
    """None of these."""


@dataclass(frozen=True, slots=True)
class GeneMapping:
    """The approved symbol found for one given name.

    Parameters
    ----------
    given
        The name as it was given, spaces included.
    gene_symbol
        The approved symbol; None where ``match`` is AMBIGUOUS, EXCEL_DATE, ENSEMBL_UNNAMED or UNKNOWN.
    match
        How it was found.
    candidates
        Sorted symbols of all genes that carry the name at the step that decided; one, unless ambiguous.
    """

    given: str
    gene_symbol: str | None
    match: GeneMatch
    candidates: tuple[str, ...]
