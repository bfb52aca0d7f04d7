"""A user's own gene sets: from a GMT or GMX file or a mapping, over approved symbols."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import GeneSetInvalidError, InputError, raise_faults
from escape_score.genes import GeneMatch, load_gene_table
from escape_score.library.axes import AXIS_FILES, load_thresholds
from escape_score.library.files import resource_path
from escape_score.library.gene_sets import GENE_SET_FILES, load_signatures, read_gmt
from escape_score.library.tumour_types import TUMOUR_TYPES_FILE
from escape_score.model.arguments import PATH, require_path, require_type
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.scores import SignatureScores
from escape_score.model.signature import Signature

GeneSets = str | Path | Mapping[str, Sequence[str]] | None
"""Gene sets: a GMT or GMX file, a mapping of names to genes, or none."""

GIVE_SETS = "the path of a GMT file, or names of sets with their genes, such as {'mine': ['CD8A', 'PRF1']}"
LARGE_SET_GENES = 500
"""Larger sets are left out by default in GSEA (Broad Institute, user guide: max size)."""


@dataclass(frozen=True)
class UserGeneSets:
    """A user's gene sets over approved symbols, and what was noticed.

    ``names``: all sets in the order given, also those of ``unknown``, of which no gene is known, with the
    reason.
    """

    signatures: tuple[Signature, ...] = ()
    flags: NoteLog = NoteLog()
    sha256: str = ""
    names: tuple[str, ...] = ()
    unknown: tuple[tuple[str, Note], ...] = ()

    @property
    def digest(self) -> str:
        """Digest of the shipped gene sets, axes, fixed numbers and tumour types, and of these sets."""
        digest = hashlib.sha256()
        shipped = (*(("genesets", name) for name in GENE_SET_FILES), *(("axes", name) for name in AXIS_FILES))
        for parts in (*shipped, (TUMOUR_TYPES_FILE,)):
            digest.update(hashlib.sha256(resource_path(*parts).read_bytes()).digest())
        digest.update(self.sha256.encode())
        return digest.hexdigest()

    def flags_of(self, scores: SignatureScores) -> NoteLog:
        """These flags, and one for every set that could not be scored; axes speak for shipped sets."""
        names = {signature.signature_id for signature in self.signatures}
        skipped = tuple(
            note(Code.GENE_SET_LOW_COVERAGE, name=name, reason=reason)
            for name, reason in scores.skipped
            if name in names
        )
        return self.flags.joined(NoteLog(cohort=skipped))


def open_gene_sets(gene_sets: GeneSets, *, is_shipped_allowed: bool = False) -> UserGeneSets:
    """Bring a user's gene sets to approved symbols.

    Genes that are not known stay in their set and count as not measured. Raises GeneSetInvalidError,
    InputFaultsError: faults of the file; a set without a gene, or named like a shipped one. Raises
    UsageError: they are neither a file nor a mapping, or the genes of a set are not a list.
    """
    if gene_sets is None:
        return UserGeneSets()
    require_type("gene_sets", gene_sets, (Mapping, *PATH), GIVE_SETS)
    shipped = frozenset(signature.signature_id for signature in load_signatures().signatures)
    taken = frozenset[str]() if is_shipped_allowed else shipped
    if isinstance(gene_sets, Mapping):
        content = {name: _listed(name, genes) for name, genes in gene_sets.items()}
        digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
        return _approved("gene_sets", _signatures_of(content), (), digest, taken)
    require_path("gene_sets", gene_sets, GIVE_SETS)
    path = Path(gene_sets)
    read = read_gmt(path, is_gene=is_certain_gene)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _approved(str(path), read.signatures, read.notes, digest, taken)


CERTAIN_MATCHES = frozenset(
    {
        GeneMatch.CURRENT,
        GeneMatch.ENSEMBL,
        GeneMatch.ENSEMBL_RETIRED,
        GeneMatch.ENTREZ,
        GeneMatch.HGNC,
    }
)
"""Matches that make a gene of a word; older names and other cases are words of descriptions too often."""


def is_certain_gene(name: str) -> bool:
    """Whether a word is a gene without doubt."""
    return load_gene_table().map_genes([name])[0].match in CERTAIN_MATCHES


def _listed(name: object, genes: Iterable[str]) -> list[str]:
    """Genes of one set as a list; raises UsageError: not a list, or a text, which has letters, not genes."""
    needed = f"a list of genes, such as {{{str(name)!r}: ['CD8A', 'PRF1']}}"
    if isinstance(genes, (str, bytes)) or not isinstance(genes, Iterable):
        require_type(f"gene_sets: {name}", genes, list, needed)
    # the order of a set differs between runs
    return sorted(genes, key=str) if isinstance(genes, (set, frozenset)) else list(genes)


def _name_of(gene: object) -> str:
    """A gene as text; a missing value of a table is an empty name."""
    return "" if gene is None or (isinstance(gene, float) and math.isnan(gene)) else str(gene)


def _signatures_of(content: Mapping[str, Sequence[str]]) -> tuple[Signature, ...]:
    """Sets given as a mapping; the faults of all are raised together."""
    signatures, faults = [], list[InputError]()
    for name, genes in content.items():
        try:
            unique = tuple(dict.fromkeys(map(_name_of, genes)))
            signatures.append(Signature(str(name), unique, source="gene_sets"))
        except GeneSetInvalidError as error:
            faults.append(GeneSetInvalidError(f"gene_sets: {error}"))
    counts = Counter(signature.signature_id for signature in signatures)
    if twice := [name for name, n in counts.items() if n > 1]:  # such as 5 and "5"
        faults.append(GeneSetInvalidError(f"gene_sets: two sets are named {twice[0]!r}; rename one of them"))
    raise_faults(faults)
    return tuple(signatures)


def _approved(
    label: str, given: Sequence[Signature], noticed: Sequence[Note], sha256: str, taken: frozenset[str]
) -> UserGeneSets:
    """Sets over approved symbols, and what there is to flag about them."""
    genes = load_gene_table()
    faults, signatures, notes, lost = [], [], list(noticed), list[tuple[str, Note]]()
    for signature in given:
        mappings = genes.map_genes(signature.gene_symbols)
        known = tuple(dict.fromkeys(m.gene_symbol for m in mappings if m.gene_symbol is not None))
        if signature.signature_id in taken:
            problem = "is the name of a shipped gene set; rename it"
            faults.append(GeneSetInvalidError(f"{label}: gene set {signature.signature_id} {problem}"))
        elif not known:
            name, unknown = signature.signature_id, [m.given for m in mappings]
            lost.append((name, note(Code.GENE_SET_LOW_COVERAGE, "unknown", name=name, genes=unknown)))
            notes.append(lost[-1][1])
        else:
            if len(signature.gene_symbols) > LARGE_SET_GENES:  # its mean is that of the whole transcriptome
                n_genes = len(signature.gene_symbols)
                notes.append(note(Code.GENE_SET_TOO_LARGE, name=signature.signature_id, n=n_genes))
            # genes that are not known stay in the set, so that its coverage is right
            symbols = known + tuple(m.given for m in mappings if m.gene_symbol is None)
            name, source = signature.signature_id, Path(label).name
            signatures.append(Signature(name, symbols, signature.description, source))
    raise_faults(faults)
    notes += _name_notes(given)
    names = tuple(signature.signature_id for signature in given)
    return UserGeneSets(tuple(signatures), NoteLog(cohort=tuple(notes)), sha256, names, tuple(lost))


def _name_notes(given: Sequence[Signature]) -> list[Note]:
    """Flag genes that nobody knows and those known in another case, and sets with few known genes."""
    genes, limits, notes = load_gene_table(), load_thresholds().coverage, list[Note]()
    mappings = {m.given: m for s in given for m in genes.map_genes(s.gene_symbols)}
    unknown = {name for name, m in mappings.items() if m.gene_symbol is None}
    for one in given:
        own = [gene for gene in one.gene_symbols if gene in unknown]
        n_all = len(one.gene_symbols)
        if n_all > len(own) > (1 - limits.partial_coverage) * n_all:
            name = one.signature_id
            notes.append(
                note(Code.GENE_SET_LOW_COVERAGE, "partly", name=name, n=len(own), n_all=n_all, genes=own)
            )
    in_case = [name for name, m in mappings.items() if m.match is GeneMatch.CASE_CHANGED]
    for code, names in ((Code.UNKNOWN_GENES, sorted(unknown)), (Code.GENE_CASE_CHANGED, in_case)):
        if names:
            notes.append(note(code, "sets", n=len(names), n_all=len(mappings), names=names))
    return notes
