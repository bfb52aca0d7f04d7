"""Names of rows that are no human genes, recognised by their spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escape_score.errors import MatrixInvalidError
from escape_score.model.notes import Code, Note, note

N_PROBED_NAMES = 2_000
"""Names looked at to tell genes from others; evenly spread over the file."""

MIN_KIND_FRACTION = 0.5
"""Fraction of names of one kind from which the whole file is of that kind."""

MIN_SPECIES_FRACTION = 0.01
"""Fraction of names of another species worth a flag, as xenografts have them."""


@dataclass(frozen=True)
class NameKind:
    """One kind of names that cannot be read as genes: a pattern of whole names, what they are, what to do.

    Where ``are_known_genes``, the kind only applies to names that are genes but for their case.
    """

    pattern: re.Pattern[str]
    description: str
    remedy: str
    are_known_genes: bool = False


OTHER_SPECIES = re.compile(r"ENS[A-Z]{3,4}[GT]\d{11}.*|MGI:\d+")
"""Ensembl ids of other species: ENSMUSG (mouse), ENSRNOG (rat), ENSDARG (zebrafish), and ids of MGI."""

_ORTHOLOGS = "this package reads human tumours; map the genes to human orthologs first if that is meant"

KINDS = (
    NameKind(OTHER_SPECIES, "identifiers of another species, mouse or rat for instance", _ORTHOLOGS),
    NameKind(
        re.compile(r"(?!C[\dXY]+orf)(?=\w*[a-z])[A-Z][a-z0-9]+(?:[.-][A-Za-z0-9]+)*|[A-Z0-9]+Rik"),
        "gene symbols in the spelling of the species mouse (Cd8a for CD8A)",
        _ORTHOLOGS,
        are_known_genes=True,
    ),
    NameKind(
        re.compile(r"ENST\d{11}.*|[NX][MR]_\d+.*|uc\d{3}[a-z]{3}\.\d+"),
        "transcript identifiers",
        "add them up to genes first, as tximport does",
    ),
    NameKind(
        re.compile(r"ENSP\d{11}.*|ENSE\d{11}.*|[NX]P_\d+.*"),
        "identifiers of proteins or exons",
        "give one row for every gene",
    ),
    NameKind(
        re.compile(r"\d+(?:_[a-z]+)*_(?:at|st)|AFFX-.+|\d{7,8}|TC\d+\.hg\.\d+|ILMN_\d+|A_\d+_P\d+|cg\d{8}"),
        "probes of an array",
        "map them to gene symbols with the annotation of the array, one row for every gene",
    ),
)
"""Ensembl, RefSeq and UCSC write transcripts so; Affymetrix, Illumina and Agilent probes so."""


def probed(names: Sequence[str]) -> tuple[str, ...]:
    """Names evenly spread over all of them, stripped, empty ones left out."""
    chosen = names[:: -(-len(names) // N_PROBED_NAMES) or 1]
    return tuple(name.strip() for name in chosen if name.strip())


def kind_of(names: Sequence[str], *, are_known_genes: bool) -> tuple[NameKind, str] | None:
    """Kind that at least half of the names are of, with an example; None where there is none."""
    looked_at = probed(names)
    for kind in (one for one in KINDS if are_known_genes or not one.are_known_genes):
        found = [name for name in looked_at if kind.pattern.fullmatch(name)]
        if looked_at and len(found) >= MIN_KIND_FRACTION * len(looked_at):
            return kind, found[0]
    return None


def check_kind(label: str, gene_ids: Sequence[str], *, are_known_genes: bool) -> None:
    """Refuse rows half of whose names, or more, are of another species, transcripts, proteins or probes."""
    found = kind_of(gene_ids, are_known_genes=are_known_genes)
    if found is not None:
        kind, example = found
        msg = f"{label}: rows are named by {kind.description}, such as {example[:40]!r}; {kind.remedy}"
        raise MatrixInvalidError(msg)


def species_notes(gene_ids: Sequence[str]) -> tuple[Note, ...]:
    """Flag species_suspect, from ``MIN_SPECIES_FRACTION`` of the names on."""
    foreign = [name for name in gene_ids if OTHER_SPECIES.fullmatch(name.strip())]
    if len(foreign) < max(MIN_SPECIES_FRACTION * len(gene_ids), 1):
        return ()
    return (note(Code.SPECIES_SUSPECT, n=len(foreign), n_all=len(gene_ids), name=foreign[0]),)
