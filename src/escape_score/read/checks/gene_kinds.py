"""Names of rows that are no human genes, recognised by their spelling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escape_score.errors import MatrixInvalidError
from escape_score.genes import GeneMatch, load_gene_table

N_PROBED_NAMES = 2_000
"""Names looked at to tell genes from others; evenly spread over the file."""

MIN_KIND_FRACTION = 0.5
"""Fraction of names of one kind from which the whole file is of that kind."""

MIN_HUMAN_FRACTION = 0.05
"""Fraction of names that are human genes from which rows of another species are left out, not refused."""

MIN_PAIRS = 10
"""Genes that must be there in human and mouse spelling before all mouse spellings are of a mouse. In eight
human matrices of 14,000 to 79,000 rows there is none."""

MIN_FISH_FRACTION = 0.05
"""Clone names in a matrix of zebrafish genes; a fifth of the genes of its assembly have one."""


@dataclass(frozen=True)
class NameKind:
    """One kind of names that cannot be read as genes: a pattern of whole names, what they are, what to do.

    Where ``are_known_genes``, the kind only applies to names that are genes but for their case.
    ``min_fraction``: fraction of names from which the whole file is of the kind.
    """

    pattern: re.Pattern[str]
    description: str
    remedy: str
    are_known_genes: bool = False
    min_fraction: float = MIN_KIND_FRACTION


_SPECIES = {
    "mouse": r"ENSMUS[GTP]\d{11}|MGI:\d+|(?:mm(?:9|10|39)|GRCm3[89]|mouse|mus_?musculus)_+(?=.)",
    "rat": r"ENSRNO[GTP]\d{11}|RGD:?\d+|(?:rn[4567]|rat|rattus_?norvegicus)_+(?=.)",
    "zebrafish": r"ENSDAR[GTP]\d{11}|ZDB-GENE-",
    "yeast": r"Y[A-P][LR]\d{3}[WC](?:-[A-Z])?(?=$|[_|])",
    "fruit fly": r"FBgn\d{7}",
    "nematode": r"WBGene\d{8}",
    "plant": r"AT[1-5CM]G\d{5}",
    "neither human nor mouse": r"ENS(?!MUS|RNO|DAR)[A-Z]{3,4}[GTP]\d{11}",
}
"""Ids of other species: Ensembl, MGI, RGD, ZFIN, SGD, FlyBase, WormBase and TAIR, and genomes as Cell Ranger
writes them before a name."""


def _anywhere(ids: str) -> str:
    """Pattern of names that are, or hold as a part, one of some ids."""
    return rf"(?:[^|_]*[|_]+)*?(?:{ids}).*"


OTHER_SPECIES = re.compile(_anywhere("|".join(_SPECIES.values())))

_MOUSE_SPELLING = re.compile(
    r"(?!C[\dXY]+orf)(?=\w*[a-z])[A-Z][a-z0-9]+(?:[.-][A-Za-z0-9]+)*|[A-Z0-9]+Rik|H2-[A-Z]\w*|mt-[A-Z]\w+"
)

_ORTHOLOGS = "this package reads human tumours; map the genes to human orthologs first if that is meant"

KINDS = (
    *(
        NameKind(re.compile(_anywhere(ids)), f"identifiers of another species ({species})", _ORTHOLOGS)
        for species, ids in _SPECIES.items()
    ),
    NameKind(OTHER_SPECIES, "identifiers of other species", _ORTHOLOGS),
    NameKind(
        _MOUSE_SPELLING,
        "gene symbols in the spelling of the species mouse or rat (Cd8a for CD8A)",
        _ORTHOLOGS,
        are_known_genes=True,
    ),
    NameKind(
        re.compile(r"(?:si|zgc|wu|im|sb):\S+"),
        "gene symbols of another species (zebrafish)",
        _ORTHOLOGS,
        min_fraction=MIN_FISH_FRACTION,
    ),
    NameKind(
        re.compile(r"(?:.*[|_:])?ENST\d{11}.*|[NX][MR]_\d+.*|uc\d{3}[a-z]{3}\.\d+|\S+-2\d\d"),
        "transcript identifiers",
        "add them up to genes first, as tximport does",
    ),
    NameKind(
        re.compile(
            r"ENSP\d{11}.*|ENSE\d{11}.*|[NX]P_\d+.*|(?:.*\|)?[A-Z0-9]+_HUMAN"
            r"|(?:[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})(?:-\d+)?"
        ),
        "identifiers of proteins or exons",
        "give one row for every gene",
    ),
    NameKind(
        re.compile(r"hsa-(?:mir|let)-.+|MIMAT\d{7}", re.IGNORECASE),
        "microRNAs",
        "give the expression of genes, of all of the transcriptome or a panel",
    ),
    NameKind(
        re.compile(r"(?:chr)?(?:\d{1,2}|X|Y|MT?)[:_-]\d+(?:[_-]\d+)?.*"),
        "places in the genome, such as peaks or variants",
        "give one row for every gene",
    ),
    NameKind(
        re.compile(r"\d+(?:_[a-z]+)*_(?:at|st)|AFFX-.+|\d{7,8}|TC\d+\.hg\.\d+|ILMN_\d+|A_\d+_P\d+|cg\d{8}"),
        "probes of an array",
        "map them to gene symbols with the annotation of the array, one row for every gene",
    ),
)
"""Ensembl (also TP53-201), RefSeq and UCSC write transcripts so; UniProt proteins, miRBase microRNAs, and
Affymetrix, Illumina and Agilent probes so."""


def probed(names: Sequence[str]) -> tuple[str, ...]:
    """Names evenly spread over all of them, stripped, empty ones left out."""
    chosen = names[:: -(-len(names) // N_PROBED_NAMES) or 1]
    return tuple(name.strip() for name in chosen if name.strip())


def kind_of(names: Sequence[str], *, are_known_genes: bool) -> tuple[NameKind, str] | None:
    """Kind that most of the names are of, with an example; None where there is none."""
    looked_at = probed(names)
    for kind in (one for one in KINDS if are_known_genes or not one.are_known_genes):
        found = [name for name in looked_at if kind.pattern.fullmatch(name)]
        if looked_at and len(found) >= kind.min_fraction * len(looked_at):
            return kind, found[0]
    return None


def check_kind(label: str, gene_ids: Sequence[str], *, are_known_genes: bool) -> None:
    """Refuse rows half of whose names, or more, are of another species, transcripts, proteins or probes."""
    found = kind_of(gene_ids, are_known_genes=are_known_genes)
    if found is not None:
        kind, example = found
        msg = f"{label}: rows are named by {kind.description}, such as {example[:40]!r}; {kind.remedy}"
        raise MatrixInvalidError(msg)


def foreign_rows(names: Sequence[str]) -> list[int]:
    """Positions of the rows of another species in a matrix that also holds human genes, as of xenografts.

    They are known by their ids, by the genome before the name, or, where at least ``MIN_PAIRS`` genes are
    there in both spellings (CD8A and Cd8a), by the spelling of mouse symbols. Empty where nearly no row is
    human: such a matrix is refused by :func:`check_kind`.
    """
    mappings = load_gene_table().map_genes(names)
    human = {m.gene_symbol for m in mappings if m.match is GeneMatch.CURRENT}
    spelled = {at for at, name in enumerate(names) if _MOUSE_SPELLING.fullmatch(name.strip())}
    again = {
        at for at, m in enumerate(mappings) if m.match is GeneMatch.CASE_CHANGED and m.gene_symbol in human
    }
    found = {
        at
        for at, name in enumerate(names)
        if mappings[at].gene_symbol is None and OTHER_SPECIES.fullmatch(name.strip())
    }
    if len(again & spelled) >= MIN_PAIRS:
        found |= again | {at for at in spelled if mappings[at].match is not GeneMatch.CURRENT}
    n_human = sum(m.gene_symbol is not None for at, m in enumerate(mappings) if at not in found)
    return sorted(found) if n_human >= MIN_HUMAN_FRACTION * len(names) else []
