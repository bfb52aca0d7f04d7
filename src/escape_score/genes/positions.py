"""Where genes are on the chromosomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from escape_score.genes.table import gene_rows
from escape_score.library.files import resource_path


@dataclass(frozen=True, slots=True)
class GenePosition:
    """Position of a gene on GRCh38.

    Parameters
    ----------
    chromosome
        ``1`` to ``22``, ``X``, ``Y`` or ``MT``.
    start_bp
        First base pair of the gene on the forward strand, counted from 1.
    """

    chromosome: str
    start_bp: int


@cache
def load_positions() -> Mapping[str, GenePosition]:
    """Positions by approved symbol; a gene without a position on a chromosome is left out.

    Returns
    -------
    Mapping[str, GenePosition]
        Genes of GENCODE 48, from ``resources/genes/genes.tsv.gz``.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the table.
    """
    rows = gene_rows(resource_path("genes", "genes.tsv.gz"))
    return MappingProxyType({row[0]: GenePosition(row[5], int(row[7])) for row in rows if row[5] and row[7]})
