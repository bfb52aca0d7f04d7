"""The table of gene names: the order in which a name is looked up, and the one that is shipped."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    HGNC = "hgnc"
    """An HGNC id."""
    ID_OVER_SYMBOL = "id_over_symbol"
    """An id joined with the approved symbol of another gene; the id decides."""
    REWRITTEN = "rewritten"
    """A name as programs write it, such as ``HLA.A`` or ``TP53.1``, unique once that is undone."""
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


_IDS = frozenset({GeneMatch.ENSEMBL, GeneMatch.ENSEMBL_RETIRED, GeneMatch.ENTREZ, GeneMatch.HGNC})
"""Matches that decide in ``SYMBOL|ID``: ids do not age, symbols do (``SLC35E2|728661`` is SLC35E2B)."""


_NUMBERED_MATCHES = frozenset({GeneMatch.CURRENT, GeneMatch.REWRITTEN, GeneMatch.PREVIOUS})
"""What a number is taken from. Aliases are left out: ``U6.1`` and ``AC004556.1`` are genes of their own."""


@dataclass(frozen=True, eq=False)
class GeneTable:
    """Approved symbols and all other names they are known by.

    Parameters
    ----------
    current
        Every approved symbol, mapped to itself.
    previous, aliases, ensembl, ensembl_retired, entrez, hgnc
        Other names, with every gene that carries them.
    length_by_symbol
        Length in base pairs, where known.

    Notes
    -----
    The first step that knows a name decides: approved symbol, approved symbol in another letter case or with
    other marks (``HLA.A`` of R, ``HLA_A``), previous symbol, alias, spreadsheet date, Ensembl id, NCBI Gene
    id, HGNC id, the parts of ``SYMBOL|ID``, previous symbol and alias in another case, and what programs make
    of names. If several genes carry the name at that step it is ambiguous, and later steps are not asked. An
    approved symbol in another form goes before the aliases, because 69 of these differ only in case from the
    symbol of another gene (``Met`` for SLTM and RNMT) and 5 in a mark (``KRTAP10.9`` for KRTAP10-11), and a
    matrix is named by symbols.
    """

    current: GeneNames
    previous: GeneNames = field(default_factory=dict)
    aliases: GeneNames = field(default_factory=dict)
    ensembl: GeneNames = field(default_factory=dict)
    ensembl_retired: GeneNames = field(default_factory=dict)
    entrez: GeneNames = field(default_factory=dict)
    hgnc: GeneNames = field(default_factory=dict)
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
            Gene names of any kind, also mixed. Surrounding spaces, the version of an Ensembl id, ``_PAR_Y``
            and the name of a human genome (``GRCh38_TP53``) are ignored. In ``ENSEMBL_SYMBOL`` and ``SYMBOL
            (ENTREZ)`` the id decides, in ``SYMBOL|ENTREZ`` an approved symbol.

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
        symbol = self._approved(name)
        if symbol is not None:
            return GeneMapping(given, symbol, GeneMatch.CURRENT, self.current[symbol])
        match, candidates = self._find(name)
        if len(candidates) > 1:
            return GeneMapping(given, None, GeneMatch.AMBIGUOUS, candidates)
        return GeneMapping(given, candidates[0] if candidates else None, match, candidates)

    def _approved(self, name: str) -> str | None:
        """The symbol of a name that is approved, alone or before a number, as nearly all names of a matrix.

        None: the other steps are to be asked. They would give the same symbol, only more slowly.
        """
        if name in self.current:
            return name
        symbol, _, number = name.rpartition("|")
        is_joined = symbol in self.current and _PLAIN_NUMBER.fullmatch(number) is not None
        return symbol if is_joined and number not in self._endings else None

    @cached_property
    def _endings(self) -> frozenset[str]:
        """What follows the last mark of the names that the steps before ``SYMBOL|ID`` know: 5 of NKX2-5."""
        known = (self.current, self.previous, self.aliases)
        barred = (name for names in known for name in names if "|" in name)
        forms = (*self._current_by_punctuation, *map(_punctuated, barred))
        return frozenset(form.rpartition(".")[2] for form in forms)

    def _find(self, name: str) -> tuple[GeneMatch, Candidates]:
        """Ask the steps in their order; the match is only meant for a single candidate or none."""
        if name in self.current:
            return GeneMatch.CURRENT, self.current[name]
        upper = name.upper()
        # no date and no id has a bar, which a whole matrix of SYMBOL|ID may have
        is_whole = "|" not in name
        return (
            self._find_symbol(name, upper)
            or (is_whole and self._find_whole(name))
            or self._find_part(name)
            or self._find_in_other_case(upper)
            or self._find_rewritten(name)
            or (GeneMatch.UNKNOWN, ())
        )

    def _find_symbol(self, name: str, upper: str) -> tuple[GeneMatch, Candidates] | None:
        """Look a name up as a symbol in another form, or an older one."""
        if found := self._current_by_upper.get(upper):
            return GeneMatch.CASE_CHANGED, found
        if not name.isalnum() and (found := self._current_by_punctuation.get(_punctuated(name))):
            return GeneMatch.REWRITTEN, found
        if found := self.previous.get(name):
            return GeneMatch.PREVIOUS, found
        found = self.aliases.get(name)
        return (GeneMatch.ALIAS, found) if found else None

    def _find_whole(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        """Look a name up that is a date or an id as a whole."""
        return (
            self._find_date(name)
            or self._find_ensembl(name)
            or self._find_entrez(name)
            or self._find_hgnc(name)
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

    def _find_hgnc(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        candidates = self.hgnc.get(name.upper())
        return None if candidates is None else (GeneMatch.HGNC, candidates)

    def _find_part(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        """Look both parts of a symbol joined with an id up; where they are of two genes the id decides.

        In ``SYMBOL|ENTREZ`` an approved symbol decides, since the shipped reference was made from such names.
        Eleven names of TCGA are concerned, such as ``NAA38|51691``.
        """
        parts = joined_parts(name)
        if parts is None:
            return None
        found = [self._find(part) for part in parts]
        known = [part for part in found if len(part[1]) == 1] or [part for part in found if part[1]] or found
        by_id = next((part for part in known if part[0] in _IDS), known[0])
        by_symbol = next((part for part in known if part[0] is GeneMatch.CURRENT), by_id)
        if by_symbol[1] == by_id[1] or ("|" in name and by_id[0] is GeneMatch.ENTREZ):
            return by_symbol
        return GeneMatch.ID_OVER_SYMBOL, by_id[1]

    def _find_rewritten(self, name: str) -> tuple[GeneMatch, Candidates] | None:
        """Undo what programs make of names: quotes, ``GRCh38_TP53`` (Cell Ranger), ``TP53.1`` (R, pandas).

        R and others write another mark for the one in a name (``PD_L1``), and R an ``X`` before a digit.
        """
        genome = _HUMAN_GENOME.fullmatch(name)
        if genome is not None:
            return self._find(genome["name"])
        numbered = _NUMBERED.fullmatch(name)
        if numbered is not None:
            match, candidates = self._find(numbered["name"])
            return (GeneMatch.REWRITTEN, candidates) if match in _NUMBERED_MATCHES else None
        key = _punctuated(name)
        candidates = next((names[key] for names in self._old_by_punctuation if key in names), ())
        return (GeneMatch.REWRITTEN, candidates) if candidates else None

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

    @cached_property
    def _current_by_punctuation(self) -> GeneNames:
        return _by_punctuation(self.current)

    @cached_property
    def _old_by_punctuation(self) -> tuple[GeneNames, GeneNames]:
        """Previous symbols and aliases."""
        return _by_punctuation(self.previous), _by_punctuation(self.aliases)


def _by_upper(names: GeneNames) -> GeneNames:
    """Index names by their upper-case form."""
    return _folded(names, str.upper)


def _by_punctuation(names: GeneNames) -> GeneNames:
    """Index names that hold marks by a form in which all marks are points."""
    return _folded({name: genes for name, genes in names.items() if not name.isalnum()}, _punctuated)


def _folded(names: GeneNames, form: Callable[[str], str]) -> GeneNames:
    """Index names by one form, joining the genes of names that have it in common."""
    forms = list(map(form, names))
    folded = dict(zip(forms, names.values(), strict=True))
    if len(folded) < len(names):
        for one, candidates in zip(forms, names.values(), strict=True):
            if folded[one] != candidates:
                folded[one] = tuple(sorted({*folded[one], *candidates}))
    return folded


_MARK = re.compile("[^A-Z0-9]")
_X_OF_R = re.compile(r"X\.?[0-9]")


def _punctuated(name: str) -> str:
    """Upper case, a point for every other character; without quotes, and without R's X before a digit."""
    plain = _MARK.sub(".", name.strip("'\"` ").upper())
    return plain[1:] if plain[:1] == "X" and _X_OF_R.match(plain) else plain


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
    symbols, hgnc, ensembl, entrez, _, _, bp, _ = _columns(resource_path("genes", "genes.tsv.gz"))
    current: dict[str, Candidates] = {symbol: (symbol,) for symbol in symbols}
    others: defaultdict[str, dict[str, Candidates]] = defaultdict(dict)
    for kind, ids in (("ensembl", ensembl), ("entrez", entrez), ("hgnc", hgnc)):
        others[kind] = {one: own for one, own in zip(ids, current.values(), strict=True) if one}
    lengths = {symbol: float(length) for symbol, length in zip(symbols, bp, strict=True) if length}
    lengths |= _effective_lengths()
    names, kinds, genes, _ = _columns(resource_path("genes", "names.tsv.gz"))
    for name, kind, symbol in zip(names, kinds, genes, strict=True):
        own, of_kind = current[symbol], others[kind]
        if (known := of_kind.setdefault(name, own)) is not own:
            of_kind[name] = (*known, symbol)  # the genes of an ambiguous name stay sorted, as the rows are
    return GeneTable(current, aliases=others.pop("alias"), length_by_symbol=lengths, **others)


def _effective_lengths() -> Mapping[str, float]:
    """Lengths measured on tumours, which go before those of an annotation."""
    text = resource_path("genes", "effective_lengths.tsv").read_text(encoding="utf-8")
    rows = (row.split("\t") for row in text.splitlines()[1:])
    return {symbol: float(length_bp) for symbol, length_bp in rows}


def gene_rows(path: Path) -> Iterator[tuple[str, ...]]:
    """Rows of a gzipped TSV, without its header."""
    return zip(*_columns(path), strict=True)


def _columns(path: Path) -> list[list[str]]:
    """Columns of a gzipped TSV without its header, whose cells are split all at once."""
    header, _, body = gzip.decompress(path.read_bytes()).decode("utf-8").partition("\n")
    cells, n_columns = body.removesuffix("\n").replace("\n", "\t").split("\t"), header.count("\t") + 1
    return [cells[at::n_columns] for at in range(n_columns)]


# --- identifiers that are recognised by their spelling ------------------------------------------------------

# ENSG00000182378, with "gene:" (GFF3) before it, and ".14", "_2" (lifted over) and "_PAR_Y" behind it.
# GENCODE wrote copies on the Y chromosome as ENSGR0000182378 until release 24: the R takes the place of a 0.
_ENSEMBL = re.compile(
    r"(?:gene:|ensembl:)?ENSG(?:R(?P<par>\d{10})|(?P<plain>\d{11}))(?:\.\d+)?(?:_\d+)?(?:_PAR_Y)?",
    re.IGNORECASE,
)
# 3105, "3105.0" of a table that went through floating point, GeneID:3105, and NCBI's symbol LOC3105.
_ENTREZ = re.compile(
    r"(?:LOC|(?i:GeneID|NCBI_?Gene(?:ID)?|Entrez(?:_?Gene)?(?:_?ID)?)[:_ ])?(?P<number>[1-9]\d{0,9})(?:\.0+)?"
)
_PLAIN_NUMBER = re.compile(r"[1-9]\d{0,9}")
# A symbol joined with an id: A1BG|1, ENSG00000141510.12_TP53, TP53_ENSG00000141510, TP53 (7157).
_BRACKETED = re.compile(r"(?P<first>.+?)\s*[(\[](?P<second>[^()\[\]]+)[)\]]")
_ID_FIRST = re.compile(
    r"(?P<first>ENSG(?:R\d{10}|\d{11})(?:\.\d+)?(?:_PAR_Y)?)[|_:;,/ ]+(?P<second>.+)", re.IGNORECASE
)
_ID_LAST = re.compile(r"(?P<first>[^|]+?)[|_:;,/ ]+(?P<second>ENSG.+)", re.IGNORECASE)
_BARRED = re.compile(r"(?P<first>[^|]+)\|(?P<second>[^|]+)")
_OTHER_JOINED = re.compile(r"ENSG|[)\]]", re.IGNORECASE)
_HUMAN_GENOME = re.compile(
    r"(?:GRCh3[678]|hg(?:18|19|38)|human|hsapiens|homo_sapiens)_+(?P<name>.+)", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?P<name>.+)\.[1-9]")  # not CAND1.11, which NCBI names a gene of its own
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)"
_DATE = re.compile(
    rf"\d{{1,2}}[-/ ]{_MONTH}(?:[-/ ]\d{{2,4}})?"  # 1-Mar, 1-Mar-01
    rf"|{_MONTH}[-/ ]\d{{1,4}}"  # Mar-01
    r"|\d{4}-\d{2}-\d{2}(?:[ T]00:00:00(?:\.0+)?)?"  # 2001-03-01
    r"|\d{1,2}([/.])\d{1,2}\1\d{2,4}",  # 3/1/2001, 01.03.2001
    re.IGNORECASE,
)

_R_DATE = re.compile(rf"X\d{{1,4}}\.\w+(?:\.\d+)?|{_MONTH}\.\d{{1,4}}", re.IGNORECASE)

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


def joined_parts(name: str) -> tuple[str, str] | None:
    """Both parts of a symbol joined with an id in either order, or None if the name is none."""
    is_plain = "|" in name and name.isascii() and not _OTHER_JOINED.search(name)
    for pattern in (_BARRED,) if is_plain else (_ID_FIRST, _ID_LAST, _BRACKETED, _BARRED):
        match = pattern.fullmatch(name)
        if match is None:
            continue
        first, second = match["first"].strip(), match["second"].strip()
        if any(entrez_id(part) or ensembl_gene_id(part) for part in (first, second)):
            return first, second
    return None


def is_excel_date(name: str) -> bool:
    """Whether a name looks like a date, such as ``1-Mar``, ``Sep-02``, ``2001-03-01``, or ``X1.Mar`` of R."""
    if name.isalnum():  # every date has marks, and every name of a matrix may be a number
        return False
    is_of_r = "." in name and _R_DATE.fullmatch(name) is not None
    plain = name.removeprefix("X") if is_of_r else name
    spellings = (plain, plain.replace(".", "-")) if is_of_r else (plain,)
    return any(one[:1].isascii() and _DATE.fullmatch(one) is not None for one in spellings)


def is_excel_serial(number: str) -> bool:
    """Whether digits are a spreadsheet's serial number of a day that a gene symbol is turned into.

    These are 1-11 March, 1-15 September and 1 December, such as ``43891`` (1 March 2020), of 1990 to 2040,
    since a spreadsheet fills in the year of typing.
    """
    if len(number) != len("43891"):
        return False
    day = _SERIAL_ORIGIN + timedelta(days=int(number))
    return day.year in _SERIAL_YEARS and day.day <= _LAST_DAY_OF_SYMBOL.get(day.month, 0)
