"""The shipped gene table."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from escape_score.genes.table import Candidates, GeneTable
from escape_score.library.files import resource_path

_KINDS = ("previous", "alias", "ensembl", "ensembl_retired", "entrez")


@cache
def load_gene_table() -> GeneTable:
    """Read the shipped gene table; the second call returns the same object.

    Returns
    -------
    GeneTable
        Approved HGNC symbols with previous symbols, aliases, Ensembl 115 and NCBI Gene ids, and the lengths
        of GENCODE 48.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the tables.

    Notes
    -----
    ``resources/genes/README.md`` says where the names come from.
    """
    current: dict[str, Candidates] = {}
    lengths: dict[str, float] = {}
    names: dict[str, dict[str, Candidates]] = {kind: {} for kind in _KINDS}
    genes = _rows(resource_path("genes", "genes.tsv.gz"))
    for symbol, _, ensembl_gene_id, entrez_id, _, _, length_bp in genes:
        own = current[symbol] = (symbol,)
        if ensembl_gene_id:
            names["ensembl"][ensembl_gene_id] = own
        if entrez_id:
            names["entrez"][entrez_id] = own
        if length_bp:
            lengths[symbol] = float(length_bp)
    _add_names(names, current, _rows(resource_path("genes", "names.tsv.gz")))
    return GeneTable(
        current=current,
        previous=names["previous"],
        aliases=names["alias"],
        ensembl=names["ensembl"],
        ensembl_retired=names["ensembl_retired"],
        entrez=names["entrez"],
        length_by_symbol=lengths,
    )


def _add_names(
    names: dict[str, dict[str, Candidates]], current: dict[str, Candidates], rows: Iterable[list[str]]
) -> None:
    """Add every name; genes of an ambiguous one stay sorted, as the rows are."""
    for name, kind, symbol, _ in rows:
        own = current[symbol]
        known = names[kind].setdefault(name, own)
        if known is not own:
            names[kind][name] = (*known, symbol)


def _rows(path: Path) -> Iterator[list[str]]:
    """Rows of a gzipped TSV, without its header."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    return (line.split("\t") for line in lines[1:-1])
