"""Commands that look and change nothing."""

from __future__ import annotations

import sys
from pathlib import Path

from escape_score.errors import ExitCode, UsageError


def verify_results(results: Path) -> int:
    """Compare a result folder with its manifest; exit code 3 where they differ."""
    from escape_score.store.manifest import read_manifest, verify

    faults = verify(results)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if faults:
        return int(ExitCode.INPUT)
    print(f"ok: {results} agrees with its manifest ({len(read_manifest(results).files)} files)")
    return int(ExitCode.DONE)


def print_schema(what: str) -> int:
    """Print a JSON Schema."""
    from pydantic import BaseModel

    from escape_score.config import RunConfig, WorkflowConfig
    from escape_score.export.schema import PUBLISHED_MODELS, schema_text

    models: dict[str, type[BaseModel]] = {
        **PUBLISHED_MODELS,
        "config": RunConfig,
        "workflow-config": WorkflowConfig,
    }
    if what not in models:
        msg = f"schema: {what} is none of {', '.join(models)}; name one of them"
        raise UsageError(msg)
    print(schema_text(models[what]), end="")
    return int(ExitCode.DONE)


def list_genesets() -> int:
    """Print one line a shipped set."""
    from escape_score.library.gene_sets import load_signatures

    print("signature_id\tkind\tn_genes\tsource")
    for record in load_signatures().records:
        print(f"{record.signature_id}\t{record.kind}\t{record.n_genes}\t{record.source}")
    return int(ExitCode.DONE)


def show_geneset(signature_id: str) -> int:
    """Print genes, source and terms of one shipped set."""
    from escape_score.library.gene_sets import load_signatures

    library = load_signatures()
    record, signature = library.record(signature_id), library.signature(signature_id)
    sources = {gene.gene_symbol: gene for gene in library.genes_of(signature_id)}
    print(f"{signature_id} ({record.kind}, {record.n_genes} genes)\nsource: {record.source}")
    print(f"pmid: {record.pmid or '–'}  doi: {record.doi or '–'}\nterms: {record.terms}")
    for symbol in signature.gene_symbols:
        gene = sources.get(symbol)
        print(symbol if gene is None else f"{symbol}\t{gene.role.value}\t{gene.source}\t{gene.pmid_or_doi}")
    return int(ExitCode.DONE)


def check_gmt(gmt: Path) -> int:
    """Say what of a user's GMT can be scored."""
    from escape_score.genes import load_gene_table
    from escape_score.pipeline.stages import read_user_gene_sets

    sets, genes = read_user_gene_sets(gmt), load_gene_table()
    for signature in sets.signatures:
        unknown = [m.given for m in genes.map_genes(signature.gene_symbols) if m.gene_symbol is None]
        said = f"; unknown: {', '.join(unknown)}" if unknown else ""
        print(f"{signature.signature_id}: {len(signature.gene_symbols) - len(unknown)} genes known{said}")
    for note in sets.flags.cohort:
        print(f"{note.flag.value}: {note.sentence}")
    return int(ExitCode.DONE)


def list_shipped_references() -> int:
    """Print one line a shipped reference."""
    from escape_score.reference.read import list_references, load_reference

    for name in list_references():
        reference = load_reference(name)
        print(f"{name}\t{reference.n_samples} samples\t{reference.tumour_type}\t{reference.description}")
    return int(ExitCode.DONE)


def show_reference(name: str) -> int:
    """Print what a reference was made from."""
    from escape_score.reference.read import load_reference

    reference = load_reference(name)
    print(f"{reference.name}: {reference.description}")
    print(f"tumour type: {reference.tumour_type}; assay: {reference.assay}; samples: {reference.n_samples}")
    print(f"genes: {len(reference.genes.symbols)}, of these anchors: {int(reference.genes.is_anchor.sum())}")
    print(f"anchor distance of its own tumours: {reference.anchor_distance:.2f} log2")
    for gene, reason in reference.untrusted_genes.items():
        print(f"not used: {gene}: {reason}")
    for key, value in reference.provenance.items():
        print(f"made from: {key}: {value}")
    print(f"sha256: {reference.sha256}")
    return int(ExitCode.DONE)
