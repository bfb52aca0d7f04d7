"""What became of the names of genes, for flags and for the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from escape_score.genes import GeneMapping, GeneMatch
from escape_score.model.cohort import GeneChange
from escape_score.model.notes import Code, Note, NoteLog, note

ID_KIND = {
    GeneMatch.ENSEMBL: "ensembl",
    GeneMatch.ENSEMBL_RETIRED: "ensembl",
    GeneMatch.ENTREZ: "entrez",
    GeneMatch.HGNC: "hgnc",
}
MIXED_FRACTION = 0.05
"""A kind of id that fewer rows have than this is the odd row out, not a mixture."""

SUSPECT_FRACTION = 0.5
"""Whole transcriptomes of GENCODE 19 with clone names still have two thirds of their rows known."""


def gene_flags(mappings: Sequence[GeneMapping]) -> NoteLog:
    """Flag what became of gene names: renames, merges, case, dates, and names that nobody knows."""
    given: dict[GeneMatch, list[str]] = {match: [] for match in GeneMatch}
    for m in mappings:
        given[m.match].append(m.given)
    renamed = {
        Code.RENAMED_SYMBOLS: (GeneMatch.PREVIOUS, GeneMatch.ALIAS),
        Code.GENE_NAMES_REWRITTEN: (GeneMatch.REWRITTEN,),
        Code.GENE_IDS_DISAGREE: (GeneMatch.ID_OVER_SYMBOL,),
    }
    rows = Counter((m.gene_symbol, m.given.strip()) for m in mappings if m.gene_symbol is not None)
    names_of = Counter(str(symbol) for symbol, _ in rows)
    found = {
        **{
            code: [f"{m.given} → {m.gene_symbol}" for m in mappings if m.match in matches]
            for code, matches in renamed.items()
        },
        Code.GENE_CASE_CHANGED: given[GeneMatch.CASE_CHANGED],
        Code.EXCEL_GENE_DATES: given[GeneMatch.EXCEL_DATE],
        Code.DUPLICATE_GENES: sorted(name for (_, name), n in rows.items() if n > 1),
        Code.DUPLICATE_GENES_AFTER_MAPPING: sorted(symbol for symbol, n in names_of.items() if n > 1),
    }
    notes = (note(code, n=len(names), names=names) for code, names in found.items() if names)
    return NoteLog(cohort=(*notes, *_unknown(mappings), *_kinds(mappings)))


def _unknown(mappings: Sequence[GeneMapping]) -> list[Note]:
    """Flag names of no gene, or of several; dates of spreadsheets have a flag of their own."""
    names = [m.given for m in mappings if m.gene_symbol is None and m.match is not GeneMatch.EXCEL_DATE]
    return [note(Code.UNKNOWN_GENES, n=len(names), n_all=len(mappings), names=names)] if names else []


def _kinds(mappings: Sequence[GeneMapping]) -> list[Note]:
    """Flag rows named by several kinds of id, and names that are mostly unknown."""
    counts = Counter(ID_KIND.get(m.match, "symbols") for m in mappings if m.gene_symbol is not None)
    n_known, notes = counts.total(), []
    kinds = sorted(kind for kind, n in counts.items() if n > MIXED_FRACTION * n_known)
    if len(kinds) > 1:
        notes.append(note(Code.MIXED_GENE_IDS, kinds=tuple(note(Code.ID_KIND, kind) for kind in kinds)))
    if n_known < SUSPECT_FRACTION * len(mappings):
        notes.append(note(Code.GENE_IDS_SUSPECT, n=n_known, n_all=len(mappings)))
    return notes


def gene_changes(mappings: Sequence[GeneMapping], kept: frozenset[str]) -> tuple[GeneChange, ...]:
    """Every row whose name did not stay, in the order of the file."""
    changes = []
    for m in mappings:
        if m.gene_symbol is None:
            changes.append(GeneChange(m.given, "", m.match.value))
        elif m.gene_symbol not in kept:
            changes.append(GeneChange(m.given, "", "no length"))
        elif m.match is not GeneMatch.CURRENT:
            changes.append(GeneChange(m.given, m.gene_symbol, m.match.value))
    return tuple(changes)
