"""``escape-score genesets``: what can be scored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import require_files
from escape_score.errors import counted

commands = typer.Typer(help="What can be scored.", no_args_is_help=True, rich_markup_mode=None)


@commands.command("list")
def list_sets() -> int:
    """List the shipped gene sets."""
    from escape_score.library.gene_sets import load_signatures

    print("signature_id\tkind\tn_genes\tsource")
    for record in load_signatures().records:
        print(f"{record.signature_id}\t{record.kind}\t{record.n_genes}\t{record.source}")
    return 0


@commands.command("show")
def show_set(signature_id: Annotated[str, typer.Argument(help="Name of a shipped set.")]) -> int:
    """Show genes and source of one shipped set."""
    from escape_score.library.gene_sets import load_signatures

    library = load_signatures()
    record, signature = library.record(signature_id), library.signature(signature_id)
    sources = {gene.gene_symbol: gene for gene in library.genes_of(signature_id)}
    print(f"{signature_id} ({record.kind}, {counted(record.n_genes, 'gene')})\nsource: {record.source}")
    print(f"pmid: {record.pmid or '–'}  doi: {record.doi or '–'}\nterms: {record.terms}")
    for symbol in signature.gene_symbols:
        gene = sources.get(symbol)
        print(symbol if gene is None else f"{symbol}\t{gene.role.value}\t{gene.source}\t{gene.pmid_or_doi}")
    return 0


@commands.command("check")
def check_sets(gmt: Annotated[Path, typer.Argument(help="GMT file.")]) -> int:
    """Report which sets of a GMT file can be scored."""
    require_files(gene_sets=gmt)
    from escape_score.genes import load_gene_table
    from escape_score.pipeline.gene_sets import open_gene_sets
    from escape_score.pipeline.profiles import in_english

    sets, genes = open_gene_sets(gmt), load_gene_table()
    for signature in sets.signatures:
        unknown = [m.given for m in genes.map_genes(signature.gene_symbols) if m.gene_symbol is None]
        said = f"; unknown: {', '.join(unknown)}" if unknown else ""
        n_known = len(signature.gene_symbols) - len(unknown)
        print(f"{signature.signature_id}: {counted(n_known, 'gene')} known{said}")
    for found in sets.flags.cohort:
        print(f"{found.code.value}: {in_english(found)}")
    return 0
