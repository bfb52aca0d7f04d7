"""An Excel workbook (xlsx) as openpyxl reads it: its sheets, and their cells row by row."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse
from openpyxl.packaging.relationship import get_dependents
from openpyxl.reader.strings import read_string_table
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import CellCoordinatesException
from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.xml.constants import REL_NS, SHEET_MAIN_NS

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError
from escape_score.read.files.limits import ReadLimits

MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576
"""Size of a worksheet (Microsoft, Excel specifications and limits)."""

MAX_ROW_ELEMENTS = 64 * MAX_COLUMNS
"""XML elements of one row, which is held in memory: a cell has some three of them, rich text more."""

MAX_SMALL_PART_BYTES, MAX_TEXTS_BYTES = 16 * 1024**2, 128 * 1024**2
"""Parts that are read as a whole: those that describe the others, and the texts that cells share."""

_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RecursionError),
    *(LookupError, ValueError, TypeError, AttributeError, ParseError, CellCoordinatesException),
)
"""What zipfile, the XML parser and openpyxl raise on a damaged workbook."""

FIRST_TYPED_DAY = 29_586
"""Number of the day 1985-01-01 where day 0 is in 1904; 31,048 where it is in 1900. Typed text becomes a date
of the current year, and the first Excel is of 1985. A lower number in the style of a date is a plain number:
its cell has the style of another cell, such as that of a gene that became a date."""

_LOCAL_DATES = frozenset({*range(27, 37), *range(50, 59)})
"""Built-in number formats that show dates in East Asia (ECMA-376 part 1, section 18.8.30)."""

_STRICT_NAMESPACES = (
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main", SHEET_MAIN_NS.encode()),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", REL_NS.encode()),
)
"""Namespaces of a workbook saved as "Strict Open XML", and those that openpyxl knows."""


class Cell(NamedTuple):
    """One cell that is not blank.

    Attributes
    ----------
    column
        Position, from 0.
    kind
        As in openpyxl: ``n`` number, ``s`` text, ``b`` truth value, ``e`` error, ``d`` date or time. ``f`` is
        a formula whose value was not saved; its value is None.
    """

    column: int
    kind: str
    value: Any

    @property
    def column_letter(self) -> str:
        """Name of the column, as spreadsheets write it."""
        return str(get_column_letter(self.column + 1))

    @property
    def text(self) -> str:
        """What the cell shows; a whole number without its fraction, and a day without its time."""
        value = self.value
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        if isinstance(value, dt.datetime):
            return value.isoformat(" ").removesuffix(" 00:00:00")
        if isinstance(value, bool):
            return str(value).upper()
        return "" if value is None else str(value)


class SheetRow(NamedTuple):
    """One row with its number, from 1, and its cells that are not blank, in the order of the file."""

    number: int
    cells: tuple[Cell, ...]

    def texts(self, n_columns: int) -> list[str]:
        """All cells in text, blank ones too."""
        texts = [""] * n_columns
        for cell in self.cells:
            texts[cell.column] = cell.text
        return texts


class _Part:
    """One part of a workbook as it is unpacked, in the usual namespaces and without endless tags."""

    def __init__(self, stream: IO[bytes], max_token_bytes: int) -> None:
        self._stream = stream
        self._max_token_bytes = max_token_bytes
        self._n_token = 0
        self._is_first = True

    def read(self, n_bytes: int = -1) -> bytes:
        """Read some bytes; the checksum is compared with the last of them."""
        data = self._stream.read(n_bytes)
        for strict, usual in _STRICT_NAMESPACES if self._is_first else ():
            data = data.replace(strict, usual)
        self._is_first = False
        end = data.rfind(b">")
        self._n_token = len(data) - end - 1 + (self._n_token if end < 0 else 0)
        if self._n_token > self._max_token_bytes:
            msg = f"a tag is longer than {self._max_token_bytes} bytes"
            raise ValueError(msg)
        return data


class _Archive(zipfile.ZipFile):
    """A zip file whose parts are checked for their size before they are unpacked, and never give more."""

    def __init__(self, path: Path, limits: ReadLimits) -> None:
        super().__init__(path)
        self._path = path
        self._limits = limits

    @contextmanager
    def part(self, name: str, *, max_bytes: int | None = None) -> Iterator[_Part]:
        """Open one part to be read."""
        info = self.getinfo(name)
        if max_bytes is not None and info.file_size > max_bytes:
            msg = f"too large ({name} of the workbook has {info.file_size} bytes); give TSV"
            raise FileUnreadableError.at(self._path, msg)
        self._limits.check_unpacked(self._path, info.file_size, of=info.compress_size, part=name)
        with self.open(info) as stream:
            yield _Part(stream, self._limits.max_line_bytes)

    def read(self, name: str, *_args: object) -> bytes:  # type: ignore[override]
        """Read a small part as a whole, as openpyxl does."""
        with self.part(name, max_bytes=MAX_SMALL_PART_BYTES) as part:
            return part.read()


@contextmanager
def _workbook_faults(path: Path) -> Iterator[None]:
    """Turn what the libraries raise on a damaged workbook into our own error."""
    try:
        yield
    except InputError:
        raise
    except DefusedXmlException as error:
        msg = "workbook (xlsx) with a document type or entity in its XML; save it with a spreadsheet"
        raise FileUnreadableError.at(path, msg) from error
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:120]
        msg = f"damaged or truncated zip file, for instance an Excel workbook, xlsx ({reason}); "
        raise FileUnreadableError.at(path, msg + "copy the file again") from error
    except RuntimeError as error:
        msg = f"workbook (xlsx) with a password ({error}); save it without one"
        raise FileUnreadableError.at(path, msg) from error


@dataclass(frozen=True)
class Workbook:
    """What a workbook says of itself.

    Parameters
    ----------
    sheets
        Name of each worksheet and the part that holds it, in the order of the tabs.
    texts
        Texts that cells share, by number.
    date_styles
        Numbers of the styles that show a number as a date.
    epoch
        Day 0: that of 1904 in old workbooks of Macs.
    """

    path: Path
    sheets: tuple[tuple[str, str], ...]
    texts: Mapping[int, str] = field(repr=False)
    date_styles: frozenset[int]
    epoch: dt.datetime
    limits: ReadLimits

    def rows(self, part: str) -> Generator[SheetRow]:
        """Stream the rows that hold anything, of the sheet in a part of the workbook.

        Raises FileUnreadableError: the sheet is damaged or out of proportion. Raises MatrixInvalidError: it
        has more rows than are read, or one beyond the last row of a worksheet.
        """
        n_rows = 0
        with (
            _workbook_faults(self.path),
            _Archive(self.path, self.limits) as archive,
            archive.part(part) as stream,
        ):
            for row in _SheetParser(stream, self.texts, True, self.epoch, self.date_styles).parse():
                n_rows += bool(row.cells)
                if n_rows > self.limits.max_genes + 2 or not 0 < row.number <= MAX_ROWS:
                    msg = f"too large, more than {self.limits.max_genes} gene rows; "
                    raise MatrixInvalidError.at(self.path, msg + "is this a matrix of genes?")
                if row.cells:
                    yield row


def open_workbook(path: Path, limits: ReadLimits) -> Workbook:
    """Read what a workbook says of itself, without the cells of its sheets.

    Raises FileUnreadableError: the file is damaged, too large, no workbook, or one in another format.
    """
    with _workbook_faults(path), _Archive(path, limits) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parser = WorkbookParser(archive, _main_part(path, archive), keep_links=False)
        parser.parse()
        parts = {relation.Type.rpartition("/")[2]: relation.target for relation in parser.rels.values()}
        sheets = [
            (sheet.name, relation.target)
            for sheet, relation in parser.find_sheets()
            if relation.Type.endswith("/worksheet")
        ]
        texts: dict[int, str] = {}
        if (part := parts.get("sharedStrings")) in archive.namelist():
            with archive.part(part, max_bytes=MAX_TEXTS_BYTES) as stream:
                texts = dict(enumerate(read_string_table(stream)))
        date_styles = _date_styles(archive, parts.get("styles", ""))
    return Workbook(path, tuple(sheets), texts, date_styles, parser.wb.epoch, limits)


def _main_part(path: Path, archive: _Archive) -> str:
    """Find the workbook inside the zip file, or say what it is instead."""
    names = archive.namelist()
    if "mimetype" in names and archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument"):
        raise FileUnreadableError.at(path, "an OpenDocument file (ods); save the sheet as xlsx or TSV")
    relations = get_dependents(archive, "_rels/.rels") if "_rels/.rels" in names else ()
    main = next((str(one.target) for one in relations if one.Type.endswith("/officeDocument")), "")
    if main.endswith(".bin"):
        raise FileUnreadableError.at(path, "a binary Excel workbook (xlsb); save it as xlsx or TSV")
    if main not in names or not main.startswith("xl/"):
        found = ", ".join(repr(name[:40]) for name in names[:3]) or "nothing"
        msg = f"a zip file without an Excel workbook (it holds {found}); unpack it and give the table"
        raise FileUnreadableError.at(path, msg)
    return main


def _date_styles(archive: _Archive, part: str) -> frozenset[int]:
    """Numbers of the cell styles that show dates."""
    if part not in archive.namelist():
        return frozenset()
    root, name = fromstring(archive.read(part), forbid_dtd=True), f"{{{SHEET_MAIN_NS}}}"
    own = {int(one.get("numFmtId")): one.get("formatCode") for one in root.iter(f"{name}numFmt")}
    numbers = [int(style.get("numFmtId", 0)) for style in root.iterfind(f"{name}cellXfs/{name}xf")]
    codes = BUILTIN_FORMATS | own
    return frozenset(
        at for at, number in enumerate(numbers) if number in _LOCAL_DATES or is_date_format(codes.get(number))
    )


def _plain_number(element: Element) -> float | None:
    """Number of a cell in the style of a date, where it is too low to be a date that was typed."""
    stored = element.find(VALUE_TAG)
    if stored is None or element.get("t", "n") != "n":
        return None
    number = float(stored.text or "nan")
    return number if number < FIRST_TYPED_DAY else None


class _SheetParser(WorkSheetParser):  # type: ignore[misc]
    """The parser of openpyxl, for cells only; it separates formulas without a value from blanks."""

    def parse(self) -> Iterator[SheetRow]:
        """Yield the rows of the sheet."""
        n_elements = 0
        for _, element in iterparse(self.source, forbid_dtd=True):
            n_elements += 1
            if element.tag == ROW_TAG:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    yield self.parse_row(element)
                element.clear()
                n_elements = 0
            elif element.tag == DATA_TAG:
                break
            elif n_elements > MAX_ROW_ELEMENTS:
                msg = f"a row has more than {MAX_ROW_ELEMENTS} elements"
                raise ValueError(msg)
        while self.source.read(1 << 20):
            pass  # the checksum is at the end

    def parse_row(self, row: Element) -> SheetRow:
        """Take one row."""
        number, found = super().parse_row(row)
        cells = tuple(
            Cell(cell["column"] - 1, cell["data_type"], cell["value"])
            for cell in found
            if cell["value"] not in (None, "") or cell["data_type"] == "f"
        )
        if any(cell.column >= MAX_COLUMNS for cell in cells):
            msg = f"row {number} has a cell in no column of a worksheet"
            raise ValueError(msg)
        return SheetRow(number, cells)

    def parse_cell(self, element: Element) -> dict[str, Any]:
        """Take one cell."""
        try:
            cell: dict[str, Any] = super().parse_cell(element)
        except LookupError as error:
            msg = f"cell {element.get('r')}: no shared text {error}"
            raise ValueError(msg) from error
        if cell["data_type"] == "d" and (number := _plain_number(element)) is not None:
            cell["data_type"], cell["value"] = "n", number
        if cell["value"] is None and element.find(FORMULA_TAG) is not None:
            cell["data_type"] = "f"
        return cell
