"""Read gene sets: a user's GMT or GMX, and the library shipped with the package.

GMT: one set a line, tab-separated: name, description, genes. GMX: the same with one set a column (Broad
Institute, GSEA file formats).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from pathlib import Path

from escape_score.errors import FileMissingError, FileUnreadableError, GeneSetInvalidError, raise_faults
from escape_score.library.files import resource_path, table_records
from escape_score.model.notes import Code, Note, note
from escape_score.model.signature import AxisGene, Signature, SignatureLibrary, SignatureRecord

_LINE_END = re.compile(r"\r\n|\n|\r")
_MIN_FIELDS = 3
_HALF = 0.5
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
    """One line that is not blank, or one column of a GMX, split and stripped."""

    number: int
    fields: tuple[str, ...]
    kind: str = "line"

    @property
    def place(self) -> str:
        """Where in the file it is."""
        return f"{self.kind} {self.number}"

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


def _no_gene(name: str) -> bool:
    """Nothing is known of any name."""
    del name
    return False


def read_gmt(path: Path, *, is_gene: Callable[[str], bool] = _no_gene) -> GmtContent:
    """Read gene sets from a GMT or GMX.

    The file is UTF-8 text, one set a line: name, description, genes, separated by tabs. Blank lines and
    trailing tabs are ignored, and any line ending is accepted. Genes are kept as written, each once.

    Parameters
    ----------
    path
        The file.
    is_gene
        Whether a name is a gene without doubt. It shows that a file has sets in columns (GMX), and that it
        has no descriptions: then the second field of more than half of the sets is a gene.

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
    if _are_columns(lines, is_gene):
        lines = _turned(lines)
    lacks_descriptions = _lack_descriptions(lines, is_gene)
    if lacks_descriptions:
        lines = [replace(line, fields=(line.name, "", *line.fields[1:])) for line in lines]
    _check_is_no_matrix(path, lines)
    raise_faults(_faults_of(path, lines))
    notes = [note(Code.GMT_NO_DESCRIPTION, "column", n=len(lines))] if lacks_descriptions else []
    return GmtContent(
        signatures=tuple(_signature_of(path, line) for line in lines),
        notes=(*notes, *_notes_of(lines, lacks_descriptions=lacks_descriptions)),
    )


def _share_of_genes(names: Iterable[str], is_gene: Callable[[str], bool]) -> float:
    """Fraction of the names that are genes, blank ones left out; 0 where there is none."""
    given = [name for name in names if name]
    return sum(map(is_gene, given)) / len(given) if given else 0.0


def _are_columns(lines: Sequence[_Line], is_gene: Callable[[str], bool]) -> bool:
    """Whether sets are in columns: genes begin most lines, and are not in the first, which holds names."""
    below = [line.fields[0] for line in lines[2:]]
    return _share_of_genes(below, is_gene) > _HALF > _share_of_genes(lines[0].fields, is_gene)


def _turned(lines: Sequence[_Line]) -> list[_Line]:
    """The columns of a GMX as lines; blank columns left out."""
    columns = zip_longest(*(line.fields for line in lines), fillvalue="")
    numbered = enumerate((tuple(column) for column in columns), start=1)
    return [_Line(number, fields, "column") for number, fields in numbered if any(fields)]


def _lack_descriptions(lines: Sequence[_Line], is_gene: Callable[[str], bool]) -> bool:
    """Whether the second field is a gene in most sets.

    A gene that the set is named after is a description, and so is a number before symbols, the size of a set.
    """
    found = [
        is_gene(text) and text.upper() not in line.name.upper() and text.isdigit() is rest[0].isdigit()
        for line in lines
        for text, *rest in [(*line.fields[1:], "", "")]
        if text
    ]
    return sum(found) > _HALF * len(found)


def _text_of(path: Path) -> str:
    """Content of a text file without its byte order mark."""
    if path.exists() and not path.is_file():
        msg = f"{path}: cannot be read (not a regular file but a folder, pipe or device); give a GMT file"
        raise FileUnreadableError(msg)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise FileMissingError.named(path) from error
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
    numeric = [line.place for line in lines if line.is_numeric]
    if len(numeric) > _MATRIX_FRACTION * len(lines):
        msg = (
            f"{path}: not a GMT, most lines hold numbers instead of genes (first in {numeric[0]}); "
            "give gene sets here, not an expression matrix"
        )
        raise GeneSetInvalidError(msg)


def _faults_of(path: Path, lines: Iterable[_Line]) -> tuple[GeneSetInvalidError, ...]:
    """All faulty lines, in the order of the file."""
    first_line_of: dict[str, str] = {}
    faults = []
    for line in lines:
        problem = _problem_of(line, first_line_of)
        if problem:
            what, remedy = problem
            faults.append(GeneSetInvalidError(f"{path}: {what} ({line.place}); {remedy}"))
        first_line_of.setdefault(line.name, line.place)
    return tuple(faults)


def _problem_of(line: _Line, first_line_of: dict[str, str]) -> tuple[str, str] | None:
    """Problem and remedy of a line, if it has one."""
    if not line.name:
        return "a gene set has an empty name", "name every set in the first column"
    if len(line.fields) < _MIN_FIELDS:
        what = f"gene set {line.name} has no gene: {len(line.fields)} tab-separated field(s)"
        return what, "write name, description and genes, separated by tabs"
    if not line.genes:
        return f"gene set {line.name} has no gene", "list its genes after the description, or remove the line"
    if line.is_numeric:
        return f"gene set {line.name} lists numbers instead of genes", (
            "list gene symbols, or write a description before Entrez ids"
        )
    if line.name in first_line_of:
        what = f"gene set {line.name} is named twice, first in {first_line_of[line.name]}"
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


def _notes_of(lines: Iterable[_Line], *, lacks_descriptions: bool) -> list[Note]:
    """Collect notes on sound lines."""
    notes = []
    for line in lines:
        repeated = [symbol for symbol, times in Counter(line.genes).items() if times > 1]
        if repeated:
            notes.append(note(Code.DUPLICATE_GENE_IN_SET, name=line.name, genes=repeated))
        if not line.fields[1] and not lacks_descriptions:
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
