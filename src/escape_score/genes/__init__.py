"""Gene identifiers: which approved symbol a name of any kind and age is for."""

from escape_score.genes.table import GeneMapping, GeneMatch, GeneNames, GeneTable, load_gene_table

__all__ = ["GeneMapping", "GeneMatch", "GeneNames", "GeneTable", "load_gene_table"]
