"""Names of rows and columns: which are genes, and which way round the matrix lies."""

from __future__ import annotations

from collections.abc import Sequence

from escape_score.errors import MatrixInvalidError, listed
from escape_score.genes import GeneMapping, GeneMatch, load_gene_table
from escape_score.read.checks.annotation_names import ANNOTATION_NAMES
from escape_score.read.checks.cells import NUMBER
from escape_score.read.checks.gene_kinds import check_kind, probed

MIN_GENE_FRACTION = 0.05
"""Below this fraction of recognised names the rows are not genes."""

TRANSPOSED_FRACTION = 0.3
"""From this fraction of recognised names on, the columns are genes."""

MIN_COMPARED_COLUMNS = 20
"""Columns from which their names can outweigh rows that may be genes, such as patients with numbers."""

_CERTAIN_MATCHES = frozenset(
    {GeneMatch.CURRENT, GeneMatch.ENSEMBL, GeneMatch.ENSEMBL_RETIRED, GeneMatch.ENSEMBL_UNNAMED}
)


SYMBOL_NAMES = ("gene_symbol", "symbol", "hugo_symbol", "hgnc_symbol", "gene_name")
"""Names of the column of gene symbols, best first."""


def plain_name(name: str) -> str:
    """Write a column name as ``ANNOTATION_NAMES`` does."""
    return "_".join(
        name.strip().lstrip("#").lower().replace(".", " ").replace("-", " ").replace("_", " ").split()
    )


def is_annotation_name(name: str) -> bool:
    """Tell whether a column of this name describes genes."""
    return plain_name(name) in ANNOTATION_NAMES


def check_header(label: str, corner: str, sample_ids: Sequence[str]) -> None:
    """Refuse a text file without a header, whose first row of values would be lost.

    Raises MatrixInvalidError: the names are numbers, and the corner is a gene.
    """
    if sample_ids and all(NUMBER.fullmatch(name.strip()) for name in sample_ids) and gene_fraction((corner,)):
        msg = (
            f"{label}: no header (the first line holds gene {corner} and numbers); name the samples above it"
        )
        raise MatrixInvalidError(msg)


def gene_fraction(names: Sequence[str], *, with_entrez: bool = True) -> float:
    """Fraction of names that are human genes without doubt.

    Aliases and former symbols do not count: P1, S1 and T1 are among them, and name samples more often.

    Parameters
    ----------
    names
        Names of rows or columns; some thousand of them, evenly spread, are looked up.
    with_entrez
        Whether plain numbers count, which may be Entrez ids or sample numbers.

    Returns
    -------
    float
        0 to 1; 0 where there is no name.
    """
    looked_up = probed(names)
    if not looked_up:
        return 0.0
    mappings = load_gene_table().map_genes(looked_up)
    return sum(_is_certain(mapping, with_entrez=with_entrez) for mapping in mappings) / len(looked_up)


def _is_certain(mapping: GeneMapping, *, with_entrez: bool) -> bool:
    if mapping.match is GeneMatch.ENTREZ:
        return with_entrez
    if mapping.match is GeneMatch.CASE_CHANGED:
        return (mapping.gene_symbol or "").upper() == mapping.given.strip().upper()
    return mapping.match in _CERTAIN_MATCHES


def check_orientation(label: str, sample_ids: Sequence[str], gene_ids: Sequence[str], *, layout: str) -> None:
    """Refuse a matrix whose genes are not genes.

    Raises MatrixInvalidError: it lies the other way round, or no row is a human gene, or most rows say that
    they are none.
    """
    if not gene_ids:
        msg = f"{label}: no gene rows (only a header); give one row for every gene"
        raise MatrixInvalidError(msg)
    row_numbers = _are_row_numbers(gene_ids)
    has_genes = not row_numbers and gene_fraction(gene_ids) >= MIN_GENE_FRACTION
    if lies_the_other_way(sample_ids, gene_ids, has_genes=has_genes):
        genes = listed(sample_ids, limit=3)
        msg = f"{label}: looks transposed (genes such as {genes} stand where samples belong); "
        raise MatrixInvalidError(msg + layout)
    if row_numbers:
        msg = f"{label}: no recognisable human gene (rows have only row numbers for gene identifiers); "
        raise MatrixInvalidError(msg + "give the gene names as the first column")
    check_kind(label, gene_ids, are_known_genes=has_genes)
    if not has_genes:
        found = listed([name[:40] for name in gene_ids[:4]], limit=3)
        msg = f"{label}: no recognisable human gene (identifiers such as {found}); "
        raise MatrixInvalidError(msg + "use gene symbols, Ensembl or Entrez gene ids")


def lies_the_other_way(sample_ids: Sequence[str], gene_ids: Sequence[str], *, has_genes: bool) -> bool:
    """Tell whether the columns are genes, and more clearly so than the rows."""
    by_column = gene_fraction(sample_ids, with_entrez=False)
    if by_column < TRANSPOSED_FRACTION:
        return False
    return not has_genes or (
        len(sample_ids) >= MIN_COMPARED_COLUMNS and by_column > 2 * gene_fraction(gene_ids, with_entrez=False)
    )


def _are_row_numbers(gene_ids: Sequence[str]) -> bool:
    """Tell 0, 1, 2, … or 1, 2, 3, … from Entrez ids, which have gaps."""
    return len(gene_ids) > 1 and any(
        all(name == str(position + first) for position, name in enumerate(gene_ids)) for first in (0, 1)
    )
