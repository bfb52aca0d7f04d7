"""What became of the names of genes, for flags and for the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from escape_score.genes import GeneMapping, GeneMatch
from escape_score.model.cohort import GeneChange
from escape_score.model.flags import Flag, FlagLog, FlagNote

SHOWN_NAMES = 5
ID_KIND = {
    GeneMatch.ENSEMBL: "Ensembl ids",
    GeneMatch.ENSEMBL_RETIRED: "Ensembl ids",
    GeneMatch.ENTREZ: "Entrez ids",
}
MIXED_FRACTION = 0.05
"""A kind of id that fewer rows have than this is the odd row out, not a mixture."""

SUSPECT_FRACTION = 0.5
"""Whole transcriptomes of GENCODE 19 with clone names still have two thirds of their rows known."""


def shown(names: Sequence[str]) -> str:
    """First names of a list, with the number of the others."""
    rest = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def gene_flags(mappings: Sequence[GeneMapping]) -> FlagLog:
    """Flag what became of gene names: renames, merges, case, dates."""
    by_match: dict[GeneMatch, list[str]] = {}
    for mapping in mappings:
        by_match.setdefault(mapping.match, []).append(mapping.given)
    notes = [
        *_named(
            Flag.RENAMED_SYMBOLS, _renamed(mappings), "{n} old symbols or aliases were renamed: {names}."
        ),
        *_named(
            Flag.GENE_CASE_CHANGED,
            by_match.get(GeneMatch.CASE_CHANGED, []),
            "{n} names matched in another case: {names}.",
        ),
        *_named(
            Flag.EXCEL_GENE_DATES,
            by_match.get(GeneMatch.EXCEL_DATE, []),
            "{n} names are dates made by a spreadsheet; those genes are lost: {names}.",
        ),
        *_collisions(mappings),
        *_kinds(mappings),
    ]
    return FlagLog(cohort=tuple(notes))


def _kinds(mappings: Sequence[GeneMapping]) -> list[FlagNote]:
    """Flag rows named by several kinds of id, and names that are mostly unknown."""
    counts = Counter(ID_KIND.get(m.match, "symbols") for m in mappings if m.gene_symbol is not None)
    n_known, notes = sum(counts.values()), []
    kinds = sorted(kind for kind, n in counts.items() if n > MIXED_FRACTION * n_known)
    if len(kinds) > 1:
        sentence = (
            f"Rows are named by several kinds of id ({', '.join(kinds)}); each was looked up by its kind."
        )
        notes.append(FlagNote(Flag.MIXED_GENE_IDS, sentence))
    if n_known < SUSPECT_FRACTION * len(mappings):
        sentence = f"Only {n_known} of {len(mappings)} row names are known genes."
        notes.append(FlagNote(Flag.GENE_IDS_SUSPECT, sentence))
    return notes


def _named(flag: Flag, names: Sequence[str], sentence: str) -> list[FlagNote]:
    return [FlagNote(flag, sentence.format(n=len(names), names=shown(names)))] if names else []


def _renamed(mappings: Sequence[GeneMapping]) -> list[str]:
    return [
        f"{m.given} → {m.gene_symbol}" for m in mappings if m.match in (GeneMatch.PREVIOUS, GeneMatch.ALIAS)
    ]


def _collisions(mappings: Sequence[GeneMapping]) -> list[FlagNote]:
    """Flag symbols that several rows of the file count for."""
    rows = Counter((m.gene_symbol, m.given.strip()) for m in mappings if m.gene_symbol is not None)
    repeated = sorted(given for (_, given), n in rows.items() if n > 1)
    names_of = Counter(symbol for symbol, _ in rows)
    merged = sorted(str(symbol) for symbol, n in names_of.items() if n > 1)
    return [
        *_named(
            Flag.DUPLICATE_GENES, repeated, "{n} names stand in several rows, which were summed: {names}."
        ),
        *_named(
            Flag.DUPLICATE_GENES_AFTER_MAPPING,
            merged,
            "{n} genes stand under several names, which were summed: {names}.",
        ),
    ]


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
