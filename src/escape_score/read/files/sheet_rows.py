"""Rows of one worksheet, streamed: each cell with what it holds, and no row kept."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from escape_score.errors import MatrixInvalidError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.workbook import Workbook, open_part, workbook_faults
from escape_score.read.files.xml_rows import XmlStream

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576
"""Size of a worksheet (Microsoft, Excel specifications and limits)."""

_LETTERS = 26


class CellKind(IntEnum):
    """What a cell holds."""

    NUMBER = 1
    TEXT = 2
    BOOLEAN = 3
    ERROR = 4
    DATE = 5
    FORMULA = 6
    """A formula whose value was not stored."""


_KINDS = {"e": CellKind.ERROR, "d": CellKind.DATE}
"""Kinds by the type of a cell (ECMA-376 part 1, section 18.18.11); other types are text."""


class Cell(NamedTuple):
    """One cell that is not blank.

    Attributes
    ----------
    column
        Position, from 0.
    text
        Number as it is stored; date in ISO format; otherwise as shown.
    """

    column: int
    kind: CellKind
    text: str


@dataclass(frozen=True)
class SheetRow:
    """One row with its number, from 1, and its cells that are not blank, in the order of the file."""

    number: int
    cells: tuple[Cell, ...]


def column_letters(column: int) -> str:
    """Write a column as spreadsheets do: A for 0, AA for 26."""
    letters, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, _LETTERS)
        letters = chr(ord("A") + digit) + letters
    return letters


def column_of(letters: str) -> int:
    """Read a column as spreadsheets write it; -1 where it is none.

    Parameters
    ----------
    letters
        Such as ``AB``.

    Returns
    -------
    int
        Position from 0; -1 beyond the last column of a worksheet too.
    """
    position = 0
    for letter in letters[:4]:
        if not "A" <= letter <= "Z":
            return -1
        position = position * _LETTERS + ord(letter) - ord("A") + 1
    return position - 1 if 0 < position <= MAX_COLUMNS else -1


class _SheetTarget:
    """Collects the cells of a row."""

    def __init__(self, book: Workbook, limits: ReadLimits) -> None:
        self._book = book
        self._limits = limits
        self._columns: dict[str, int] = {}
        self._rows: list[SheetRow] = []
        self._row_number = 0
        self._cells: list[Cell] = []
        self._next_column = 0
        self._column = 0
        self._type = ""
        self._style = "0"
        self._has_formula = False
        self._parts: list[str] = []
        self._is_value = False
        self._is_phonetic = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            self._is_value = not self._is_phonetic
        elif name == "row":
            self._row_number = int(attributes.get("r") or self._row_number + 1)
            self._cells, self._next_column = [], 0
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._is_phonetic = True

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self._column = self._next_column
        else:
            letters = place.rstrip("0123456789")
            self._column = self._columns.get(letters, -1)
            if self._column < 0:
                self._column = self._columns[letters] = column_of(letters)
        if not 0 <= self._column < MAX_COLUMNS:
            msg = f"cell {str(place)[:20]!r} lies in no column of a worksheet"
            raise ValueError(msg)
        self._next_column = self._column + 1
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._has_formula = False
        self._parts = []

    def end(self, name: str) -> None:
        """End an element."""
        if name in ("v", "t"):
            self._is_value = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            if self._cells:
                self._rows.append(SheetRow(self._row_number, tuple(self._cells)))
            self._cells = []
        elif name == "rPh":
            self._is_phonetic = False

    def _end_cell(self) -> None:
        parts = self._parts
        if not parts and not self._has_formula:
            return
        text = (parts[0] if len(parts) == 1 else "".join(parts))[: self._limits.max_cell_bytes + 1]
        if self._type == "n" and text and self._style not in self._book.date_styles:
            self._cells.append(Cell(self._column, CellKind.NUMBER, text))
        else:
            self._cells.append(Cell(self._column, *self._shown(text)))

    def _shown(self, text: str) -> tuple[CellKind, str]:
        """Turn a stored value into what is shown."""
        if not text:
            return CellKind.FORMULA, ""
        if self._type == "n":
            return CellKind.DATE, _date(text, self._book)
        if self._type == "s":
            return CellKind.TEXT, self._book.texts[_position(text)]
        if self._type == "b":
            return CellKind.BOOLEAN, "TRUE" if text == "1" else "FALSE"
        return _KINDS.get(self._type, CellKind.TEXT), text

    def text(self, text: str) -> None:
        """Keep the value of a cell."""
        if self._is_value and len(self._parts) <= self._limits.max_cell_bytes:
            self._parts.append(text)

    def take(self) -> list[SheetRow]:
        """Rows finished since the last call."""
        rows, self._rows = self._rows, []
        return rows


def _position(text: str) -> int:
    """Position of a shared text."""
    if not text.strip().isdecimal():
        msg = f"{text[:20]!r} is no position of a shared text"
        raise ValueError(msg)
    return int(text)


def _date(serial: str, book: Workbook) -> str:
    """Write the number of a day as a date, without the time where there is none."""
    origin = datetime(1904, 1, 1) if book.counts_from_1904 else datetime(1899, 12, 30)
    try:
        moment = origin + timedelta(days=float(serial))
    except (OverflowError, ValueError):
        return serial
    return moment.isoformat(" ").removesuffix(" 00:00:00")


@contextmanager
def open_rows(book: Workbook, part: str, limits: ReadLimits) -> Iterator[Iterator[SheetRow]]:
    """Stream the rows of a worksheet that hold anything.

    Parameters
    ----------
    book
        Its workbook.
    part
        Part of the workbook that holds the sheet.
    limits
        Sizes above which a sheet is refused.

    Yields
    ------
    Iterator of SheetRow
        In the order of the file.

    Raises
    ------
    FileUnreadableError
        The sheet is damaged or out of proportion.
    MatrixInvalidError
        A row lies beyond the last one that is read.
    """
    with (
        workbook_faults(book.path),
        zipfile.ZipFile(book.path) as archive,
        open_part(book.path, archive, part, limits) as stream,
    ):
        target = _SheetTarget(book, limits)
        yield _within(book, XmlStream(stream, target, max_token_bytes=limits.max_line_bytes), limits)


def _within(book: Workbook, rows: XmlStream[SheetRow], limits: ReadLimits) -> Iterator[SheetRow]:
    """Refuse rows so far down, and more of them, than a matrix may have."""
    for n_rows, row in enumerate(rows):
        if n_rows > limits.max_genes + 1 or not 0 < row.number <= MAX_ROWS:
            msg = (
                f"{book.path}: too large, more than {limits.max_genes} gene rows; is this a matrix of genes?"
            )
            raise MatrixInvalidError(msg)
        yield row
