"""Gene lengths a user gives, to turn counts into TPM."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from escape_score.errors import FileUnreadableError, InputFaultsError, MatrixInvalidError
from escape_score.genes import GeneTable, load_gene_table
from escape_score.library.files import small_text

N_COLUMNS = 2


@dataclass(frozen=True)
class GeneLengths:
    """Lengths in base pairs that a user gave, by approved symbol, and the digest of their file."""

    bp: Mapping[str, float] = field(repr=False)
    sha256: str


def open_gene_lengths(path: str | Path | None) -> GeneLengths | None:
    """Read lengths as :func:`read_gene_lengths`, under the shipped gene names; None for no file."""
    if path is None:
        return None
    bp = read_gene_lengths(Path(path), load_gene_table())
    return GeneLengths(bp, hashlib.sha256(Path(path).read_bytes()).hexdigest())


def read_gene_lengths(path: Path, genes: GeneTable) -> Mapping[str, float]:
    """Read gene lengths.

    Parameters
    ----------
    path
        Tab-separated text: gene (symbol or id of any kind), length in base pairs; first line may be a header.
    genes
        Names of genes.

    Returns
    -------
    Mapping
        Approved symbol to length. Where several rows name a gene, the longest counts.

    Raises
    ------
    FileMissingError
        There is no such file.
    FileUnreadableError
        It is no regular file, or no text.
    InputFaultsError
        Lines without two columns, or lengths that are no positive number.
    """
    rows = _numbered_rows(path)
    if rows and (len(rows[0][1]) < N_COLUMNS or _length(rows[0][1][1]) is None):
        del rows[0]
    faults = tuple(MatrixInvalidError.at(path, what) for line, row in rows if (what := _fault(line, row)))
    if faults or not rows:
        nothing = MatrixInvalidError.at(path, "no gene lengths; give gene and length")
        raise InputFaultsError(faults or (nothing,))
    lengths: dict[str, float] = {}
    for mapping, (_, row) in zip(genes.map_genes([row[0] for _, row in rows]), rows, strict=True):
        if mapping.gene_symbol is not None:
            lengths[mapping.gene_symbol] = max(float(row[1]), lengths.get(mapping.gene_symbol, 0.0))
    return lengths


def _numbered_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Fields of all lines that are not blank, with their numbers."""
    lines = io.StringIO(small_text(path, "table of gene lengths"), newline="")
    try:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except csv.Error as error:
        msg = f"cannot be read as text ({error}); give gene and length, tab-separated"
        raise FileUnreadableError.at(path, msg) from error
    return [(line, row) for line, row in enumerate(rows, 1) if any(row)]


def _length(text: str) -> float | None:
    """Read a positive number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _fault(line: int, row: list[str]) -> str:
    """What is wrong with a row, and what to do; empty where nothing is."""
    if len(row) < N_COLUMNS:
        return f"{len(row)} column (line {line}); give gene and length, tab-separated"
    return "" if _length(row[1]) else f"{row[1]!r} is not a length (line {line}); give a positive number"
