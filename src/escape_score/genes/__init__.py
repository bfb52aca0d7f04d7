"""Gene identifiers: which approved symbol a name of any kind and age stands for."""

from escape_score.genes.load import load_gene_table
from escape_score.genes.mapping import GeneMapping, GeneMatch
from escape_score.genes.table import GeneNames, GeneTable

__all__ = ["GeneMapping", "GeneMatch", "GeneNames", "GeneTable", "load_gene_table"]
