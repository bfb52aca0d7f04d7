"""Gene lengths a user gives, to turn counts into TPM."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from escape_score.errors import (
    FileUnreadableError,
    InputFaultsError,
    MatrixInvalidError,
    listed,
)
from escape_score.genes.table import GeneMatch, GeneTable, ensembl_gene_id, load_gene_table
from escape_score.library.files import small_file, small_text
from escape_score.model.arguments import require_path

FloatArray = npt.NDArray[np.float64]

GENE_COLUMNS = (
    *("geneid", "ensemblgeneid", "ensemblid", "ensembl", "genesymbol", "symbol", "hgncsymbol", "hugosymbol"),
    *("gene", "genes", "genename", "entrezgeneid", "entrezid", "entrez", "name", "id"),
)
LENGTH_COLUMNS = (
    *("effectivelength", "efflength", "exonlength", "exoniclength", "exonslength", "unionlength"),
    *("mergedlength", "transcriptlength", "length", "lengthbp", "bp", "genelength", "genelengthbp", "width"),
)
"""Names of columns, letters and digits alone; the first that a file has is taken."""
START_COLUMNS, END_COLUMNS = ("start", "genestart", "chromstart"), ("end", "geneend", "chromend", "stop")

PSEUDOAUTOSOMAL = "_PAR_Y"
"""What GENCODE writes behind the id of a copy on the Y chromosome."""

_CERTAINTY = tuple(GeneMatch)
"""Kinds of names, from the approved symbol on."""

MAX_FAULTS = 20
"""Lines of faults of one file; the others are counted."""

N_COLUMNS, MANY_COLUMNS = 2, 8
N_HEAD = 1000
"""Lines by which the columns are found."""
WHAT = "table of gene lengths"
MAX_KEPT_BYTES = 16 * 1024**2
"""Size of a file whose lengths are kept in memory after a run."""
MAX_BYTES = 1024**3
"""Size of a file with a column for each of 1,000 samples, and more."""


@dataclass(frozen=True, eq=False)
class GeneLengths:
    """Lengths in base pairs.

    Attributes
    ----------
    row_of
        Row of ``bp`` by name of the gene as given, and by approved symbol.
    bp
        Shape (n_genes,), or (n_genes, n_samples) where every sample has its own.
    sample_ids
        Samples of the columns of ``bp``; empty where the lengths hold for all.
    origin
        ``given`` in a file, ``positions`` of such a file, ``file`` of the matrix, or ``shipped``.
    label
        What errors call them.
    sha256
        Digest of their file; empty where there is none.
    """

    row_of: Mapping[str, int] = field(repr=False)
    bp: FloatArray = field(repr=False)
    sample_ids: tuple[str, ...] = ()
    origin: str = "given"
    label: str = "gene lengths"
    sha256: str = ""

    @classmethod
    def of(cls, lengths: Mapping[str, float], origin: str = "given") -> GeneLengths:
        """Wrap lengths by name of the gene."""
        row_of = {name: row for row, name in enumerate(lengths)}
        return cls(row_of, np.array(list(lengths.values()), dtype=np.float64), origin=origin)

    def of_genes(self, names: Sequence[str], symbols: Sequence[str | None]) -> FloatArray:
        """Lengths of the genes of a matrix by its name or else its symbol, NaN where there is none.

        Shape (n_genes,), or (n_samples, n_genes) in the order of ``sample_ids``.
        """
        of_name, unknown = self.row_of, len(self.bp)
        rows = [
            of_name.get(name.strip(), of_name.get(symbol or "", unknown))
            for name, symbol in zip(names, symbols, strict=True)
        ]
        missing = np.full((1, *self.bp.shape[1:]), np.nan)
        return np.ascontiguousarray(np.concatenate([self.bp, missing])[rows].T)

    def of_samples(self, sample_ids: Sequence[str]) -> GeneLengths:
        """The lengths of some samples, in their order; these where they hold for all.

        Raises MatrixInvalidError: a sample has none.
        """
        if not self.sample_ids:
            return self
        at = {sample_id.strip(): column for column, sample_id in enumerate(self.sample_ids)}
        lacking = [sample_id for sample_id in sample_ids if sample_id.strip() not in at]
        if lacking:
            msg = f"no gene lengths for samples {listed(lacking)}; name its columns as the matrix does"
            raise MatrixInvalidError.at(self.label, msg)
        columns = [at[sample_id.strip()] for sample_id in sample_ids]
        return replace(self, bp=self.bp[:, columns], sample_ids=tuple(sample_ids))


def open_gene_lengths(path: str | Path | None, *, from_positions: bool = False) -> GeneLengths | None:
    """Read lengths as :func:`read_gene_lengths`, under the shipped gene names; None for no file.

    Raises UsageError too: ``path`` is of another type.
    """
    if path is None:
        return None
    require_path("gene_lengths", path)
    n_bytes, sha256 = _size_and_digest(Path(path))
    read = _read_digested if n_bytes <= MAX_KEPT_BYTES else _read_digested.__wrapped__
    return read(Path(path), sha256, from_positions=from_positions)


def _size_and_digest(path: Path) -> tuple[int, str]:
    content = small_file(path, WHAT, max_bytes=MAX_BYTES)
    return len(content), hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=1)
def _read_digested(path: Path, sha256: str, *, from_positions: bool) -> GeneLengths:
    """Read a file of known content; kept in memory, since many cohorts of a session share one file."""
    lengths = read_gene_lengths(path, load_gene_table(), from_positions=from_positions)
    return replace(lengths, sha256=sha256)


def read_gene_lengths(path: Path, genes: GeneTable, *, from_positions: bool = False) -> GeneLengths:
    """Read gene lengths.

    Parameters
    ----------
    path
        Text with columns: genes (symbols or ids of any kind), and their lengths in base pairs. Both are found
        by their names, see ``GENE_COLUMNS`` and ``LENGTH_COLUMNS``; without a header they are the first
        column and the only one with numbers. Several columns of numbers under names that are not known are
        one column a sample, as nf-core and tximport write them.
    genes
        Names of genes.
    from_positions
        Whether a length is ``end - start + 1``, introns included, of a file without lengths.

    Returns
    -------
    GeneLengths
        Lengths by name and by approved symbol. Where a file has several names of a gene, its symbol has the
        length of the most certain name: the symbol itself, else the median over its ids, else older names.

    Raises
    ------
    FileMissingError
        There is no such file.
    FileUnreadableError
        It is no regular file, or no text.
    InputFaultsError
        No column of lengths, lengths that are no positive number, or one gene with different lengths.
    """
    rows = _numbered_rows(path)
    head = list(islice(rows, N_HEAD))
    table = _Layout.of(path, head, from_positions=from_positions)
    found = _Found()
    for line, row in chain(head[table.n_header :], rows):
        found.take(table, line, row)
    _raise_limited(path, found.faults)
    if not found.names:
        raise InputFaultsError((MatrixInvalidError.at(path, "no gene lengths; give gene and length"),))
    names, bp = found.names, np.array(found.bp, dtype=np.float64).reshape(len(found.names), -1)
    _raise_limited(path, _conflicts(names, found.lines, bp))
    row_of = {name: row for row, name in enumerate(names)}
    by_symbol = _rows_of_symbols(names, genes)
    row_of |= {symbol: of_symbol[0] for symbol, of_symbol in by_symbol.items()}
    several = {symbol: of_symbol for symbol, of_symbol in by_symbol.items() if len(of_symbol) > 1}
    row_of |= {symbol: len(bp) + at for at, symbol in enumerate(several)}
    bp = np.concatenate([bp, *(np.median(bp[of_symbol], axis=0)[None] for of_symbol in several.values())])
    origin = "positions" if table.is_span else "given"
    return GeneLengths(row_of, bp if table.samples else bp[:, 0], table.samples, origin, str(path))


@dataclass
class _Found:
    """Rows of a table so far; where there are faults, only these are kept."""

    names: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bp: list[FloatArray] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, table: _Layout, line: int, row: Sequence[str]) -> None:
        """Take one row."""
        faults = [f"{what} (line {line}); {fix}" for what, fix in table.faults(row)]
        self.faults += faults
        if not faults and not table.is_unmeasured(row):
            self.names.append(row[table.gene].strip())
            self.lines.append(line)
            self.bp.append(table.lengths(row))


def _rows_of_symbols(names: Sequence[str], genes: GeneTable) -> Mapping[str, Sequence[int]]:
    """Rows of every approved symbol: those that name it by the most certain kind of name."""
    found: dict[str, tuple[int, list[int]]] = {}
    for row, mapping in enumerate(genes.map_genes(names)):
        if mapping.gene_symbol is None:
            continue
        rank = _CERTAINTY.index(mapping.match)
        best, rows = found.get(mapping.gene_symbol, (rank, []))
        if rank <= best:
            found[mapping.gene_symbol] = (rank, [*rows, row] if rank == best else [row])
    return {symbol: rows for symbol, (_, rows) in found.items()}


@dataclass(frozen=True)
class _Layout:
    """Where a table has what: positions of its columns."""

    gene: int
    columns: tuple[int, ...]
    n_header: int
    samples: tuple[str, ...] = ()
    is_span: bool = False
    is_effective: bool = False

    @classmethod
    def of(cls, path: Path, rows: Sequence[tuple[int, list[str]]], *, from_positions: bool) -> _Layout:
        """Find the columns; raises InputFaultsError: there is none with lengths, or several."""
        if len(rows) > 1 and len(rows[0][1]) == len(rows[1][1]) - 1:
            rows[0][1].insert(0, "")  # R names no column of row names
        first = rows[0][1] if rows else []
        header = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in first]
        gene, length = _first(header, GENE_COLUMNS), _first(header, LENGTH_COLUMNS)
        span = (_first(header, START_COLUMNS), _first(header, END_COLUMNS))
        has_names = gene is not None or length is not None or not any(map(_length, first[1:]))
        if has_names and from_positions and None not in span:
            return cls(gene or 0, tuple(at for at in span if at is not None), 1, is_span=True)
        if has_names and length is not None:
            gene = next((at for at in range(len(header)) if at != length), 0) if gene is None else gene
            return cls(gene, (length,), 1, is_effective=header[length].startswith("eff"))
        if has_names and None not in span:
            msg = f"no column of lengths (columns: {', '.join(first[:8])}); give exon or effective lengths, "
            msg += "or --lengths-from-positions for end - start + 1, which counts introns"
            raise InputFaultsError((MatrixInvalidError.at(path, msg),))
        return cls._by_numbers(path, rows, gene or 0, has_names=has_names)

    @classmethod
    def _by_numbers(
        cls, path: Path, rows: Sequence[tuple[int, list[str]]], gene: int, *, has_names: bool
    ) -> _Layout:
        """Take the columns that hold numbers: one of lengths, or one a sample."""
        body = [row for _, row in rows[has_names:] if len(row) >= N_COLUMNS]
        width = max((len(row) for row in body), default=N_COLUMNS)
        found = tuple(
            at
            for at in range(width)
            if at != gene and any(at < len(row) and _length(row[at]) for row in body)
        )
        if len(found) > 1 and not has_names:
            msg = f"{len(found)} columns hold numbers; name them in a header (gene, length)"
            raise InputFaultsError((MatrixInvalidError.at(path, msg),))
        samples = tuple(rows[0][1][at].strip() for at in found) if len(found) > 1 else ()
        return cls(gene, found or (gene + 1,), int(has_names), samples)

    def faults(self, row: Sequence[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with a row, and what to do."""
        if len(row) <= max(self.gene, *self.columns):
            is_one = len(row) == 1
            yield f"{len(row)} column{'' if is_one else 's'}", "give gene and length, tab-separated"
            return
        texts = [row[at] for at in self.columns]
        wrong = [] if _are_lengths(texts) else [text for text in texts if _length(text) is None]
        if wrong and not self.is_unmeasured(row):
            yield f"{wrong[0]!r} is not a length", "give a positive number"
        elif self.is_span and float(row[self.columns[1]]) < float(row[self.columns[0]]):
            start, end = (row[at] for at in self.columns)
            yield f"end {end} is before start {start}", "check the columns"

    def is_unmeasured(self, row: Sequence[str]) -> bool:
        """Whether an effective length is 0, as RSEM writes for genes shorter than its fragments."""
        return self.is_effective and _number(row[self.columns[0]]) == 0

    def lengths(self, row: Sequence[str]) -> FloatArray:
        """Lengths of a row without faults."""
        values = np.array([row[at] for at in self.columns], dtype=np.float64)
        return values[1:] - values[:1] + 1.0 if self.is_span else values


def _first(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Position of the first of some names that a header has."""
    return next((header.index(name) for name in names if name in header), None)


def _conflicts(names: Sequence[str], lines: Sequence[int], bp: FloatArray) -> Iterator[str]:
    """Names with several lengths; two names of one gene may differ, since older annotations have two loci."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        is_copy = name.upper().endswith(PSEUDOAUTOSOMAL)
        rows_of[name.upper() if is_copy else ensembl_gene_id(name) or name.upper()].append(row)
    for rows in rows_of.values():
        if any(not np.array_equal(bp[row], bp[rows[0]]) for row in rows[1:]):
            said = ", ".join(f"{bp[row][0]:g} in line {lines[row]}" for row in rows[:5])
            yield f"gene {names[rows[0]]} has different lengths ({said}); keep one"


def _raise_limited(path: Path, found: Iterable[str]) -> None:
    """Raise faults of a file, at most ``MAX_FAULTS`` lines."""
    every = list(found)
    shown = every if len(every) <= MAX_FAULTS else every[: MAX_FAULTS - 1]
    if len(every) > len(shown):
        shown.append(f"{len(every) - len(shown)} more faults of lengths; fix the lines named first")
    if shown:
        raise InputFaultsError(tuple(MatrixInvalidError.at(path, what) for what in shown))


def _numbered_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Fields of all lines that are neither blank nor a comment, with their numbers."""
    lines = io.StringIO(small_text(path, WHAT, max_bytes=MAX_BYTES), newline="")
    first = next((line for line in lines if line.strip() and line[:1] != "#"), "")
    lines.seek(0)
    delimiter = max("\t,;", key=lambda mark: (first.count(mark), mark == "\t"))
    reader = (
        csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if delimiter == "\t"
        else csv.reader(lines, delimiter=delimiter)
    )
    try:
        for line, row in enumerate(reader, 1):
            if any(row) and not row[0].startswith("#"):
                yield line, row
    except csv.Error as error:
        msg = f"cannot be read as text ({error}); give gene and length, tab-separated"
        raise FileUnreadableError.at(path, msg) from error


def _are_lengths(texts: Sequence[str]) -> bool:
    """Whether all are positive numbers; an array pays for the row of many samples only."""
    if len(texts) < MANY_COLUMNS:
        return all(_length(text) is not None for text in texts)
    try:
        values = np.array(texts, dtype=np.float64)
    except ValueError:
        return False
    return bool(np.isfinite(values).all() and values.min() > 0)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _length(text: str) -> float | None:
    """Read a positive number."""
    value = _number(text)
    return value if value is not None and value > 0 else None
