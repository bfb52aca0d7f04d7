"""Public matrices on which references can be fitted: a shipped table, and one of the user.

Both have one row for each tumour type, tab-separated. A row of the user's table ``reference_sources.tsv`` in
the data folder replaces the shipped row of its type.

============= ==============================================================================================
type          what ``reference fetch`` is given: a code such as ``SKCM``
name          name of the reference
tumour_type   shown next to every percentile
project       project of the matrix, such as ``TCGA-SKCM``
urls          addresses of the same file, separated by spaces; they are tried in order
unit          unit of the values
first_column  name of the column of gene ids
sample_codes  sample types of TCGA that are taken, in order of preference: ``01`` primary, ``06`` metastasis
min_samples   fewest tumours that the matrix must have
max_mb        size of the file above which it is refused
assay         shown next to every percentile; may be left out
default_for   wider tumour types that mean this row: ``MELANOMA``; may be left out
sha256        digest of the file, where it is known; may be left out
citation      what to cite; may be left out
============= ==============================================================================================
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from escape_score.errors import FileMissingError, FileUnreadableError, UsageError, did_you_mean
from escape_score.library.files import resource_path, small_text
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.units import ExpressionUnit
from escape_score.reference.known import NAME_PATTERN, data_folder

USER_TABLE = "reference_sources.tsv"
MIN_SAMPLES = 10
"""Fewest samples on which a reference can be fitted."""

MAX_MB = 4096
"""Size of the largest file that is read as a matrix."""


def _split(cell: object) -> object:
    return tuple(cell.split()) if isinstance(cell, str) else cell


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "not an address that begins with https:// or http://"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "an address must not contain a user name or password; use a .netrc file"
        raise ValueError(msg)
    return url


def _checked_unit(unit: ExpressionUnit) -> ExpressionUnit:
    if unit is ExpressionUnit.AUTO:
        msg = "the unit of a known matrix must be named"
        raise ValueError(msg)
    return unit


def _spelt(pattern: str, what: str) -> AfterValidator:
    """A check that a text has a form, with words for it."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text):
            msg = f"not {what}"
            raise ValueError(msg)
        return text

    return AfterValidator(checked)


Text = Annotated[str, _spelt(r".+", "filled in")]
Url = Annotated[str, AfterValidator(_checked_url)]
SampleCode = Annotated[str, _spelt("0[1-9]", "a sample type of a tumour, 01 to 09")]
Words = BeforeValidator(_split)


class PublicMatrix(BaseModel):
    """One row of the table, as described above; it can be cited and fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    type: Annotated[str, _spelt(r"\S+", "one word")]
    name: Annotated[str, _spelt(NAME_PATTERN, "a name of letters, digits, '.', '_' and '-'")]
    tumour_type: Text
    project: Text
    urls: Annotated[tuple[Url, ...], Words, Field(min_length=1)]
    unit: Annotated[ExpressionUnit, AfterValidator(_checked_unit)]
    first_column: Text
    sample_codes: Annotated[tuple[SampleCode, ...], Words, Field(min_length=1)]
    min_samples: Annotated[int, Field(ge=MIN_SAMPLES)]
    max_mb: Annotated[int, Field(ge=1, le=MAX_MB)]
    assay: str = ""
    default_for: Annotated[tuple[str, ...], Words] = ()
    sha256: Annotated[str, _spelt("([0-9a-f]{64})?", "a sha256 of 64 hexadecimal digits in lower case")] = ""
    citation: str = ""

    @property
    def max_bytes(self) -> int:
        """Size above which the file is refused."""
        return self.max_mb * 1024**2

    @property
    def types(self) -> frozenset[str]:
        """Types of the table of tumour types that the matrix is of."""
        known = load_tumour_types()
        return known.understood(self.type) or known.understood(self.tumour_type)

    def is_called(self, text: str) -> bool:
        """Whether a text is the type, the name or the project, in any case."""
        return text.strip().casefold() in {one.casefold() for one in (self.type, self.name, self.project)}


COLUMNS = tuple(PublicMatrix.model_fields)
NEEDED = tuple(name for name, column in PublicMatrix.model_fields.items() if column.is_required())


def public_matrices() -> tuple[PublicMatrix, ...]:
    """All matrices that can be fetched: the shipped ones, or those of the user's table with the same type.

    Raises FileUnreadableError: the user's table is malformed.
    """
    shipped = read_public_matrices(resource_path("reference", "sources.tsv"))
    path = data_folder() / USER_TABLE
    try:
        own = read_public_matrices(path)
    except FileMissingError:
        own = ()
    merged = {one.type.upper(): one for one in (*shipped, *own)}
    _require_distinct(path, [one.name for one in merged.values()], "name")
    return tuple(merged.values())


def read_public_matrices(path: Path) -> tuple[PublicMatrix, ...]:
    """Read a table of public matrices.

    Raises
    ------
    FileMissingError
        There is no such file.
    FileUnreadableError
        A column is missing or unknown, a cell cannot be used, or two rows have one type.
    """
    text = small_text(path, "table of public matrices")
    try:
        matrices = tuple(_rows_of(path, text))
    except csv.Error as error:
        msg = f"not a tab-separated table ({error}); save it as text with tabs between the columns"
        raise FileUnreadableError.at(path, msg) from error
    _require_distinct(path, [one.type.upper() for one in matrices], "type")
    return matrices


def find_public_matrix(text: str) -> PublicMatrix:
    """The matrix of a tumour type, by any name of it that is understood.

    Raises
    ------
    UsageError
        No matrix is of this type, or several are.
    FileUnreadableError
        The user's table is malformed.
    """
    matrices = public_matrices()
    found = [one for one in matrices if one.is_called(text)] or _of_type(text, matrices)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{one.type} ({one.tumour_type})" for one in found)
        msg = f"{text!r} names several matrices; give one of {names}"
        raise UsageError(msg)
    known = ", ".join(one.type for one in matrices)
    asked = did_you_mean(text, [one.type for one in matrices]) or ";"
    table = data_folder() / USER_TABLE
    msg = f"{text!r} has no known matrix{asked} give one of {known}, or add a row to {table}"
    raise UsageError(msg)


def _of_type(text: str, matrices: Iterable[PublicMatrix]) -> list[PublicMatrix]:
    """Matrices of a type that a text names; of a wider type, the matrix that it usually means."""
    known = load_tumour_types()
    types = known.understood(text)
    members = frozenset[str]().union(*(known.members[one] for one in types))
    found = [one for one in matrices if one.types & members]
    return [one for one in found if types & {*one.default_for}] or found


def _rows_of(path: Path, text: str) -> Iterator[PublicMatrix]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    _require_columns(path, reader.fieldnames or ())
    for row in reader:
        if None in row or None in row.values():
            msg = f"line {reader.line_num} has not as many cells as the header; put one tab between two cells"
            raise FileUnreadableError.at(path, msg)
        yield _matrix_of(path, reader.line_num, row)


def _require_columns(path: Path, names: Sequence[str]) -> None:
    problems = [
        *(f"column {name} is missing" for name in NEEDED if name not in names),
        *(f"column {name!r} is not known" for name in names if name not in COLUMNS),
        *(f"column {name} is there twice" for name in COLUMNS if names.count(name) > 1),
    ]
    if problems:
        raise FileUnreadableError.at(path, f"line 1: {problems[0]}; the columns are {', '.join(COLUMNS)}")


def _matrix_of(path: Path, line: int, row: Mapping[str, str]) -> PublicMatrix:
    try:
        return PublicMatrix.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        column = str(first["loc"][0])
        problem = first["msg"].removeprefix("Value error, ")
        msg = f"line {line}, column {column}, cell {row.get(column, '')[:80]!r}: {problem}; correct the cell"
        raise FileUnreadableError.at(path, msg) from error


def _require_distinct(path: Path, keys: Sequence[str], column: str) -> None:
    repeated = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
    if repeated is not None:
        msg = f"column {column}: two rows have {repeated!r}; keep one of them, or change it"
        raise FileUnreadableError.at(path, msg)
