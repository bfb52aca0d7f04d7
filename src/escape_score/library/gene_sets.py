"""Read gene sets: a user's GMT, and the library shipped with the package.

GMT: one set a line, tab-separated: name, description, genes (Broad Institute, GSEA file formats).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from escape_score.errors import FileMissingError, FileUnreadableError, GeneSetInvalidError, raise_faults
from escape_score.library.files import resource_path, table_records
from escape_score.model.notes import Code, Note, note
from escape_score.model.signature import AxisGene, Signature, SignatureLibrary, SignatureRecord

_LINE_END = re.compile(r"\r\n|\n|\r")
_MIN_FIELDS = 3
_MATRIX_FRACTION = 0.5
"""Where more lines than this hold numbers only, the file is a matrix, and one fault says so."""

GENE_SET_FILES = ("escape.gmt", "axis_genes.tsv", "published.tsv", "published_genes.tsv")
"""Files below ``resources/genesets`` that numbers of a result depend on."""


@dataclass(frozen=True)
class GmtContent:
    """Sets of a GMT, at least one, and notes on genes listed twice and sets without a description."""

    signatures: tuple[Signature, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class _Line:
    """One line that is not blank, split and stripped."""

    number: int
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        """First field."""
        return self.fields[0]

    @property
    def genes(self) -> tuple[str, ...]:
        """Third and later fields; trailing tabs make no gene."""
        return tuple(symbol for symbol in self.fields[2:] if symbol)

    @property
    def is_numeric(self) -> bool:
        """Whether all but the name are numbers, as in a line of an expression matrix."""
        values = [value for value in self.fields[1:] if value]
        return bool(values) and all(_is_number(value) for value in values)


def read_gmt(path: Path) -> GmtContent:
    """Read gene sets from a GMT.

    The file is UTF-8 text, one set a line: name, description, genes, separated by tabs. Blank lines and
    trailing tabs are ignored, and any line ending is accepted. Genes are kept as written, each once.

    Raises
    ------
    FileMissingError, FileUnreadableError
        The file is not there, or cannot be read.
    GeneSetInvalidError
        One fault: not text, empty, a matrix, or a line with too few fields, an empty name, no gene, or a name
        that an earlier line has.
    InputFaultsError
        Several such lines, in the order of the file.
    """
    lines = _lines_of(_text_of(path))
    if not lines:
        msg = f"{path}: file is empty; give one gene set a line"
        raise GeneSetInvalidError(msg)
    _check_is_no_matrix(path, lines)
    raise_faults(_faults_of(path, lines))
    return GmtContent(
        signatures=tuple(_signature_of(path, line) for line in lines), notes=tuple(_notes_of(lines))
    )


def _text_of(path: Path) -> str:
    """Content of a text file without its byte order mark."""
    if path.exists() and not path.is_file():
        msg = f"{path}: cannot be read (not a regular file but a folder, pipe or device); give a GMT file"
        raise FileUnreadableError(msg)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = f"{path}: file not found; check the path"
        raise FileMissingError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); give a GMT file"
        raise FileUnreadableError(msg) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 text (byte {error.start}); give a GMT of gene sets as plain text"
        raise GeneSetInvalidError(msg) from error
    if "\0" in text:
        msg = f"{path}: binary, not text; give a GMT of gene sets as plain text"
        raise GeneSetInvalidError(msg)
    return text


def _lines_of(text: str) -> list[_Line]:
    """Lines that are not blank, with their numbers."""
    numbered = enumerate(_LINE_END.split(text), start=1)
    return [
        _Line(number, tuple(field.strip() for field in line.split("\t")))
        for number, line in numbered
        if line.strip()
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_is_no_matrix(path: Path, lines: Sequence[_Line]) -> None:
    """Raise one error for an expression matrix, rather than one for every line."""
    numeric = [line.number for line in lines if line.is_numeric]
    if len(numeric) > _MATRIX_FRACTION * len(lines):
        msg = (
            f"{path}: not a GMT, most lines hold numbers instead of genes (first in line {numeric[0]}); "
            "give gene sets here, not an expression matrix"
        )
        raise GeneSetInvalidError(msg)


def _faults_of(path: Path, lines: Iterable[_Line]) -> tuple[GeneSetInvalidError, ...]:
    """All faulty lines, in the order of the file."""
    first_line_of: dict[str, int] = {}
    faults = []
    for line in lines:
        problem = _problem_of(line, first_line_of)
        if problem:
            what, remedy = problem
            faults.append(GeneSetInvalidError(f"{path}: {what} (line {line.number}); {remedy}"))
        first_line_of.setdefault(line.name, line.number)
    return tuple(faults)


def _problem_of(line: _Line, first_line_of: dict[str, int]) -> tuple[str, str] | None:
    """Problem and remedy of a line, if it has one."""
    if not line.name:
        return "a gene set has an empty name", "name every set in the first column"
    if len(line.fields) < _MIN_FIELDS:
        what = f"gene set {line.name} has no gene: {len(line.fields)} tab-separated field(s)"
        return what, "write name, description and genes, separated by tabs"
    if not line.genes:
        return f"gene set {line.name} has no gene", "list its genes after the description, or remove the line"
    if line.is_numeric:
        return f"gene set {line.name} lists numbers instead of genes", "list gene symbols"
    if line.name in first_line_of:
        what = f"gene set {line.name} is named twice, first in line {first_line_of[line.name]}"
        return what, "rename or remove one of the two"
    return None


def _signature_of(path: Path, line: _Line) -> Signature:
    """Set of a sound line, each gene once, at its first place."""
    return Signature(
        signature_id=line.name,
        gene_symbols=tuple(dict.fromkeys(line.genes)),
        description=line.fields[1],
        source=path.name,
    )


def _notes_of(lines: Iterable[_Line]) -> list[Note]:
    """Collect notes on sound lines."""
    notes = []
    for line in lines:
        repeated = [symbol for symbol, times in Counter(line.genes).items() if times > 1]
        if repeated:
            notes.append(note(Code.DUPLICATE_GENE_IN_SET, name=line.name, genes=repeated))
        if not line.fields[1]:
            notes.append(note(Code.GMT_NO_DESCRIPTION, name=line.name))
    return notes


@cache
def load_signatures() -> SignatureLibrary:
    """Read the shipped gene sets: components of the axes with what is known of their genes, and published."""
    records = table_records(resource_path("genesets", "signatures.tsv"), SignatureRecord)
    kind_of = {record.signature_id: record.kind for record in records}
    signatures = read_gmt(resource_path("genesets", "escape.gmt")).signatures
    return SignatureLibrary(
        components=tuple(part for part in signatures if kind_of[part.signature_id] == "component"),
        published=tuple(part for part in signatures if kind_of[part.signature_id] == "published"),
        axis_genes=table_records(resource_path("genesets", "axis_genes.tsv"), AxisGene),
        records=records,
    )
