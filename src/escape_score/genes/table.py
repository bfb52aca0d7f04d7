"""The table of gene names: the order in which a name is looked up, and the one that is shipped."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from escape_score.library.files import resource_path

Candidates = tuple[str, ...]
GeneNames = Mapping[str, Candidates]
"""From a name to the approved symbols of all genes that carry it, sorted."""


class GeneMatch(StrEnum):
    """How a given name was recognised, or why it was not."""

    CURRENT = "current"
    """An approved symbol as it is."""
    CASE_CHANGED = "case_changed"
    """Unknown as written, but unique once letter case is ignored."""
    PREVIOUS = "previous"
    """A withdrawn symbol of one gene."""
    ALIAS = "alias"
    """A synonym of one gene."""
    ENSEMBL = "ensembl"
    """An Ensembl gene id of the primary assembly."""
    ENSEMBL_RETIRED = "ensembl_retired"
    """An Ensembl gene id that was retired, or that lies on an alternate contig."""
    ENTREZ = "entrez"
    """An NCBI Gene id, or the ``LOC`` symbol made from one."""
    AMBIGUOUS = "ambiguous"
    """Several genes carry this name; none is chosen."""
    EXCEL_DATE = "excel_date"
    """What a spreadsheet makes of a symbol such as MARCH1; the symbol is not guessed."""
    ENSEMBL_UNNAMED = "ensembl_unnamed"
    """A well-formed human Ensembl gene id that no approved symbol belongs to."""
    UNKNOWN = "unknown"
    """None of these."""


@dataclass(frozen=True, slots=True)
class GeneMapping:
    """The approved symbol found for one given name.

    Parameters
    ----------
    given
        The name as it was given, spaces included.
    gene_symbol
        The approved symbol; None where ``match`` is AMBIGUOUS, EXCEL_DATE, ENSEMBL_UNNAMED or UNKNOWN.
    match
        How it was found.
    candidates
        Sorted symbols of all genes that carry the name at the step that decided; one, unless ambiguous.
    """

    given: str
    gene_symbol: str | None
    match: GeneMatch
    candidates: tuple[str, ...]


_DISTRUST = {GeneMatch.CURRENT: 0, GeneMatch.ENSEMBL: 1, GeneMatch.ENTREZ: 1, GeneMatch.ENSEMBL_RETIRED: 1}
"""Which half of ``SYMBOL|ID`` decides: ids do not age, symbols do (``SLC35E2|728661`` is SLC35E2B)."""


@dataclass(frozen=True, eq=False)
class GeneTable:
    """Approved symbols and all other names they are known by.

    Parameters
    ----------
    current
        Every approved symbol, mapped to itself.
    previous, aliases, ensembl, ensembl_retired, entrez
        Other names, with every gene that carries them.
    length_by_symbol
        Length in base pairs, where known.

    Notes
    -----
    The first step that knows a name decides: approved symbol, approved symbol in another letter case,
    previous symbol, alias, spreadsheet date, Ensembl id, NCBI Gene id, the parts of ``SYMBOL|ID``, previous
    symbol and alias in another case. If several genes carry the name at that step it is ambiguous, and later
    steps are not asked. An approved symbol in another case goes before the aliases because 69 of them differ
    only in case from another gene's symbol (``Met`` for SLTM and RNMT), and a matrix is named by symbols.
    """

    current: GeneNames
    previous: GeneNames = field(default_factory=dict)
    aliases: GeneNames = field(default_factory=dict)
    ensembl: GeneNames = field(default_factory=dict)
    ensembl_retired: GeneNames = field(default_factory=dict)
    entrez: GeneNames = field(default_factory=dict)
    length_by_symbol: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_renames(cls, current_symbols: Iterable[str], renames: Mapping[str, str]) -> GeneTable:
        """Make a table of approved symbols and of renames, old name to symbol, without ids and lengths."""
        current = {symbol: (symbol,) for symbol in current_symbols}
        return cls(current=current, previous={old: (new,) for old, new in renames.items()})

    def map_genes(self, names: Sequence[str]) -> tuple[GeneMapping, ...]:
        """Find the approved symbol of every name.

        Parameters
        ----------
        names
            Gene names of any kind, also mixed. Surrounding spaces, the version of an Ensembl id and
            ``_PAR_Y`` are ignored; of ``SYMBOL|ENTREZ`` and ``ENSEMBL|SYMBOL``, an approved symbol decides,
            then the id, then the other names.

        Returns
        -------
        tuple[GeneMapping, ...]
            One for each name, in their order. A name maps the same way in whatever company it comes, and
            nothing is merged: two names may map to one symbol.
        """
        known = self._mappings
        return tuple(known.get(name) or known.setdefault(name, self._map_gene(name)) for name in names)

    @cached_property
    def _mappings(self) -> dict[str, GeneMapping]:
        """Names looked up before: the genes of a matrix are asked for by several checks."""
        return {}

    def length_bp(self, gene_symbols: Sequence[str]) -> npt.NDArray[np.float64]:
        """Length of genes by approved symbol: shape (n_genes,), in base pairs, NaN where it is not known.

        The shipped lengths are effective lengths measured on tumours, and for other genes the median over
        their isoforms in GENCODE 48: good enough for an approximate TPM.
        """
        lengths = self.length_by_symbol
        return np.array([lengths.get(symbol, np.nan) for symbol in gene_symbols], dtype=np.float64)

    def _map_gene(self, given: str) -> GeneMapping:
        name = given.strip()
        if name in self.current:
            return GeneMapping(given, name, GeneMatch.CURRENT, (name,))
        match, candidates = self._find(name)
        if len(candidates) > 1:
            return GeneMapping(given, None, GeneMatch.AMBIGUOUS, candidates)
        return GeneMapping(given, candidates[0] if candidates else None, match, candidates)

    def _find(self, name: str) -> tuple[GeneMatch, Candidates]:
        """Ask the steps in their order; the match is only meant for a single candidate or none."""
        upper = name.upper()
        for match, names, key in (
            (GeneMatch.CURRENT, self.current, name),
            (GeneMatch.CASE_CHANGED, self._current_by_upper, upper),
            (GeneMatch.PREVIOUS, self.previous, name),
            (GeneMatch.ALIAS, self.aliases, name),
        ):
            if key in names:
                return match, names[key]
        return (
            self._find_date(name)
            or self._find_ensembl(name)
            or self._find_entrez(name)
            or self._find_part(name)
            or self._find_in_other_case(upper)
            or (GeneMatch.UNKNOWN, ())
        )

    def _find_date(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        """Recognise what a spreadsheet made of a symbol, unless it is the id of a gene."""
        number = entrez_id(name)
        is_serial = number is not None and number not in self.entrez and is_excel_serial(number)
        return (GeneMatch.EXCEL_DATE, ()) if is_serial or is_excel_date(name) else None

    def _find_ensembl(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        accession = ensembl_gene_id(name)
        if accession is None:
            return None
        if accession in self.ensembl:
            return GeneMatch.ENSEMBL, self.ensembl[accession]
        if accession in self.ensembl_retired:
            return GeneMatch.ENSEMBL_RETIRED, self.ensembl_retired[accession]
        return GeneMatch.ENSEMBL_UNNAMED, ()

    def _find_entrez(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        number = entrez_id(name)
        candidates = None if number is None else self.entrez.get(number)
        return None if candidates is None else (GeneMatch.ENTREZ, candidates)

    def _find_part(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        """Look the parts of ``A|B`` up; of those that mean one gene, the most trusted kind decides."""
        if name.count("|") != 1:
            return None
        parts = [part.strip() for part in name.split("|")]
        if not any(entrez_id(part) or ensembl_gene_id(part) for part in parts):
            return None
        found = [self._find(part) for part in parts]
        known = [part for part in found if len(part[1]) == 1] or [part for part in found if part[1]] or found
        return min(known, key=lambda part: _DISTRUST.get(part[0], len(_DISTRUST)))

    def _find_in_other_case(self, upper: str) -> tuple[GeneMatch, Candidates] | None:
        """Look previous symbols and aliases up without regard to case."""
        for names in self._old_by_upper:
            if upper in names:
                return GeneMatch.CASE_CHANGED, names[upper]
        return None

    @cached_property
    def _current_by_upper(self) -> GeneNames:
        return _by_upper(self.current)

    @cached_property
    def _old_by_upper(self) -> tuple[GeneNames, GeneNames]:
        """Previous symbols and aliases."""
        return _by_upper(self.previous), _by_upper(self.aliases)


def _by_upper(names: GeneNames) -> GeneNames:
    """Index names by their upper-case form, joining the genes of names that differ only in case."""
    folded: dict[str, Candidates] = {}
    for name, candidates in names.items():
        known = folded.setdefault(name.upper(), candidates)
        if known != candidates:
            folded[name.upper()] = tuple(sorted({*known, *candidates}))
    return folded


@cache
def load_gene_table() -> GeneTable:
    """Read the shipped gene table; the second call returns the same object.

    Returns
    -------
    GeneTable
        Approved HGNC symbols with previous symbols, aliases, Ensembl 115 and NCBI Gene ids, and effective
        lengths, else those of GENCODE 48; ``resources/genes/README.md`` says where they come from.

    Raises
    ------
    ResourceMissingError
        The installation does not hold the tables.
    """
    current: dict[str, Candidates] = {}
    lengths: dict[str, float] = {}
    others: defaultdict[str, dict[str, Candidates]] = defaultdict(dict)
    for symbol, _, ensembl, entrez, _, _, length_bp in _rows(resource_path("genes", "genes.tsv.gz")):
        own = current[symbol] = (symbol,)
        if ensembl:
            others["ensembl"][ensembl] = own
        if entrez:
            others["entrez"][entrez] = own
        if length_bp:
            lengths[symbol] = float(length_bp)
    lengths |= _effective_lengths()
    for name, kind, symbol, _ in _rows(resource_path("genes", "names.tsv.gz")):
        known = others[kind].setdefault(name, current[symbol])
        if known is not current[symbol]:  # the genes of an ambiguous name stay sorted, as the rows are
            others[kind][name] = (*known, symbol)
    return GeneTable(current, aliases=others.pop("alias"), length_by_symbol=lengths, **others)


def _effective_lengths() -> Mapping[str, float]:
    """Lengths measured on tumours, which go before those of an annotation."""
    text = resource_path("genes", "effective_lengths.tsv").read_text(encoding="utf-8")
    rows = (row.split("\t") for row in text.splitlines()[1:])
    return {symbol: float(length_bp) for symbol, length_bp in rows}


def _rows(path: Path) -> Iterator[list[str]]:
    """Rows of a gzipped TSV, without its header."""
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    return (line.split("\t") for line in lines[1:-1])


# --- identifiers that are recognised by their spelling ------------------------------------------------------

# ENSG00000182378, with ".14", "_2" (lifted over) and "_PAR_Y" behind it. GENCODE wrote the copies on the Y
# chromosome as ENSGR0000182378 until release 24: the R takes the place of a zero.
_ENSEMBL = re.compile(
    r"ENSG(?:R(?P<par>\d{10})|(?P<plain>\d{11}))(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?", re.IGNORECASE
)
# 3105, "3105.0" of a table that went through floating point, and NCBI's placeholder symbol LOC3105.
_ENTREZ = re.compile(r"(?:LOC)?(?P<number>[1-9]\d{0,9})(?:\.0+)?")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
_DATE = re.compile(
    rf"\d{{1,2}}[-/ ]{_MONTH}(?:[-/ ]\d{{2,4}})?"  # 1-Mar, 1-Mar-01
    rf"|{_MONTH}[-/ ]\d{{1,4}}"  # Mar-01
    r"|\d{4}-\d{2}-\d{2}(?:[ T]00:00:00(?:\.0+)?)?"  # 2001-03-01
    r"|\d{1,2}([/.])\d{1,2}\1\d{2,4}",  # 3/1/2001, 01.03.2001
    re.IGNORECASE,
)

_SERIAL_ORIGIN = date(1899, 12, 30)
"""Day 0 of a spreadsheet's serial numbers, as they count after February 1900."""
_SERIAL_YEARS = range(1990, 2041)
_LAST_DAY_OF_SYMBOL = {3: 11, 9: 15, 12: 1}
"""Month to highest number of the symbols read as its days: MARCH1-11, SEPT1-14 and SEP15, DEC1."""


def ensembl_gene_id(name: str) -> str | None:
    """Return the bare Ensembl gene id, ``ENSG`` and 11 digits, or None if the name is not a human one.

    The name may have a version or pseudoautosomal mark, such as ``ENSG00000206503.13``,
    ``ENSG00000182378.14_PAR_Y`` or ``ENSGR0000182378``.
    """
    match = _ENSEMBL.fullmatch(name)
    return None if match is None else f"ENSG{match['plain'] or '0' + match['par']}"


def entrez_id(name: str) -> str | None:
    """Return the digits of an NCBI Gene id written as ``3105``, ``3105.0`` or ``LOC3105``, else None."""
    match = _ENTREZ.fullmatch(name)
    return None if match is None else match["number"]


def is_excel_date(name: str) -> bool:
    """Whether a name looks like a date, such as ``1-Mar``, ``Sep-02`` or ``2001-03-01``."""
    return name[:1].isascii() and _DATE.fullmatch(name) is not None


def is_excel_serial(number: str) -> bool:
    """Whether digits are a spreadsheet's serial number of a day that a gene symbol is turned into.

    These are 1-11 March, 1-15 September and 1 December, such as ``43891`` (1 March 2020), of 1990 to 2040,
    since a spreadsheet fills in the year of typing.
    """
    if len(number) != len("43891"):
        return False
    day = _SERIAL_ORIGIN + timedelta(days=int(number))
    return day.year in _SERIAL_YEARS and day.day <= _LAST_DAY_OF_SYMBOL.get(day.month, 0)
