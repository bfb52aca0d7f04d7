"""Read the published scores shipped with the package."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from escape_score.library.files import resource_path, table_rows
from escape_score.score.methods import Scope
from escape_score.score.published.model import (
    Formula,
    PublishedGene,
    PublishedScore,
    PublishedTable,
    ScoreNeeds,
)


@cache
def load_published() -> PublishedTable:
    """Read ``published.tsv`` and ``published_genes.tsv``, once.

    Returns
    -------
    PublishedTable
        Every named formula with its genes, source and terms, and the program whose number it is.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the tables.
    """
    genes_of = _gene_lists()
    return PublishedTable(
        tuple(_score(row, genes_of) for row in table_rows(resource_path("genesets", "published.tsv")))
    )


def _gene_lists() -> dict[str, tuple[PublishedGene, ...]]:
    """Genes by the name of their list, in the order of the table."""
    lists: dict[str, list[PublishedGene]] = defaultdict(list)
    for row in table_rows(resource_path("genesets", "published_genes.tsv")):
        lists[row["gene_list"]].append(
            PublishedGene(
                gene_list=row["gene_list"],
                gene_symbol=row["gene_symbol"],
                part=row["part"],
                role=row["role"],
                weight=int(row["weight"]),
                published_symbol=row["published_symbol"],
                source=row["source"],
            )
        )
    return {name: tuple(genes) for name, genes in lists.items()}


def _score(row: dict[str, str], genes_of: dict[str, tuple[PublishedGene, ...]]) -> PublishedScore:
    """One row with the genes of its list, or of one part of it."""
    return PublishedScore(
        score_id=row["score_id"],
        title=row["title"],
        formula=Formula(row["formula"]),
        offset=float(row["offset"]),
        part=row["part"],
        genes=tuple(gene for gene in genes_of[row["gene_list"]] if row["part"] in {"", gene.part}),
        words=row["words"],
        unit=row["unit"],
        low=float(row["low"]),
        high=float(row["high"]),
        scope=Scope(row["scope"]),
        needs=ScoreNeeds(row["needs"]),
        version=row["version"],
        source=row["source"],
        pmid=row["pmid"],
        doi=row["doi"],
        terms=row["terms"],
        program=row["program"],
        program_version=row["program_version"],
        golden=row["golden"],
        differs=row["differs"],
    )
