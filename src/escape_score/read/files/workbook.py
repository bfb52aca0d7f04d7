"""An Excel workbook (xlsx) as a container: its sheets, its shared texts and which of its styles are dates."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import ExpatError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from escape_score.errors import FileUnreadableError
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.xml_rows import XmlForbiddenError, XmlStream, XmlTokenTooLongError

MAX_SMALL_PART_BYTES = 16 * 1024**2
"""Parts other than sheets and texts; they are read whole."""

MAX_SHARED_CHARACTERS = 128 * 1024**2
"""Shared texts held in memory."""

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    LookupError,
    ValueError,
    ExpatError,
    ParseError,
    DefusedXmlException,
)
"""What zip and XML libraries raise on a damaged workbook."""

_ODS_MARK = "application/vnd.oasis.opendocument"

_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats that show dates or times (ECMA-376 part 1, section 18.8.30)."""

_NO_DATE_PARTS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|General|E[+-]', re.IGNORECASE)
"""Parts of a number format in which letters are no date: quoted, escaped, colours, padding, exponents."""


@dataclass(frozen=True)
class Workbook:
    """What a workbook says of itself.

    Parameters
    ----------
    path
        The file.
    sheets
        Name of each worksheet and the part that holds it, in the order of the tabs.
    texts
        Shared texts, cut after the longest cell that is read.
    date_styles
        Numbers of the styles that show a number as a date.
    counts_from_1904
        Whether day 0 is 1 January 1904, as old Macs counted.
    """

    path: Path
    sheets: tuple[tuple[str, str], ...]
    texts: tuple[str, ...] = field(repr=False)
    date_styles: frozenset[str]
    counts_from_1904: bool


class SharedTexts:
    """Collects the shared texts of a workbook; phonetic guides are left out."""

    def __init__(self, max_characters: int) -> None:
        self._max_characters = max_characters
        self._parts: list[str] = []
        self._finished: list[str] = []
        self._is_text = False
        self._is_phonetic = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        del attributes
        if name == "si":
            self._parts = []
        elif name == "t":
            self._is_text = not self._is_phonetic
        elif name == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        """End an element."""
        if name == "si":
            self._finished.append("".join(self._parts)[: self._max_characters])
        elif name == "t":
            self._is_text = False
        elif name == "rPh":
            self._is_phonetic = False

    def text(self, text: str) -> None:
        """Keep the text of a cell."""
        if self._is_text and len(self._parts) <= self._max_characters:
            self._parts.append(text[: self._max_characters])

    def take(self) -> list[str]:
        """Texts finished since the last call."""
        finished, self._finished = self._finished, []
        return finished


@contextmanager
def workbook_faults(path: Path) -> Iterator[None]:
    """Turn what the libraries raise on a damaged workbook into our own error."""
    try:
        yield
    except (XmlForbiddenError, XmlTokenTooLongError, DefusedXmlException) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        msg = (
            f"{path}: workbook (xlsx) with XML that is not read ({reason}); save it again with a spreadsheet"
        )
        raise FileUnreadableError(msg) from error
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:120]
        msg = f"{path}: damaged or truncated zip file, for instance an Excel workbook, xlsx ({reason}); "
        raise FileUnreadableError(msg + "copy the file again") from error
    except RuntimeError as error:
        msg = f"{path}: workbook (xlsx) with a password ({error}); save it without one"
        raise FileUnreadableError(msg) from error


def open_workbook(path: Path, limits: ReadLimits) -> Workbook:
    """Read what a workbook says of itself.

    Parameters
    ----------
    path
        A zip file.
    limits
        Sizes above which parts are refused before they are unpacked.

    Returns
    -------
    Workbook
        Without the cells of its sheets.

    Raises
    ------
    FileUnreadableError
        The file is damaged, too large, no workbook, or one in another format.
    """
    with workbook_faults(path), zipfile.ZipFile(path) as archive:
        main = _main_part(path, archive)
        book = _small_part(path, archive, main)
        targets = _targets(path, archive, main)
        sheets = tuple(
            (sheet.get("name", ""), target)
            for sheet in _children(book, "sheets", "sheet")
            for kind, target in [targets.get(_relation(sheet), ("", ""))]
            if kind == "worksheet"
        )
        by_kind = dict(targets.values())
        properties = next(iter(_children(book, "workbookPr")), None)
        return Workbook(
            path=path,
            sheets=sheets,
            texts=_shared_texts(path, archive, by_kind.get("sharedStrings", ""), limits),
            date_styles=_date_styles(path, archive, by_kind.get("styles", "")),
            counts_from_1904=properties is not None and properties.get("date1904") in ("1", "true"),
        )


@contextmanager
def open_part(path: Path, archive: zipfile.ZipFile, part: str, limits: ReadLimits) -> Iterator[IO[bytes]]:
    """Open one large part, after a look at the size it says it has; no more than that is ever unpacked."""
    info = archive.getinfo(part)
    is_dense = info.file_size > limits.max_expansion_ratio * max(info.compress_size, 1)
    is_large = info.file_size > limits.max_expanded_bytes
    if is_large or (is_dense and info.file_size > limits.ratio_floor_bytes):
        msg = (
            f"{path}: too large once unpacked ({part} has {info.file_size} bytes of {info.compress_size} "
            f"packed); at most {limits.max_expanded_bytes} bytes and {limits.max_expansion_ratio}-fold "
            "are read"
        )
        raise FileUnreadableError(msg)
    with archive.open(info) as stream:
        yield stream


def _main_part(path: Path, archive: zipfile.ZipFile) -> str:
    """Find the workbook inside the zip file, or say what it is instead."""
    names = archive.namelist()
    if "mimetype" in names and archive.getinfo("mimetype").file_size < len(_ODS_MARK) * 4:
        kind = archive.read("mimetype").decode("ascii", "replace")
        if kind.startswith(_ODS_MARK):
            msg = f"{path}: an OpenDocument file (ods); save the sheet as xlsx or TSV"
            raise FileUnreadableError(msg)
    main = ""
    if "_rels/.rels" in names:
        main = dict(_targets(path, archive, "").values()).get("officeDocument", "")
    if main.endswith(".bin"):
        msg = f"{path}: a binary Excel workbook (xlsb); save it as xlsx or TSV"
        raise FileUnreadableError(msg)
    if main not in names or not main.startswith("xl/"):
        found = ", ".join(repr(name[:40]) for name in names[:3]) or "nothing"
        msg = f"{path}: a zip file without an Excel workbook (it holds {found}); unpack it and give the table"
        raise FileUnreadableError(msg)
    return main


def _small_part(path: Path, archive: zipfile.ZipFile, part: str) -> Element:
    """Parse one of the parts that describe the others."""
    n_bytes = archive.getinfo(part).file_size
    if n_bytes > MAX_SMALL_PART_BYTES:
        msg = f"{path}: too large ({part} of the workbook has {n_bytes} bytes); save it with a spreadsheet"
        raise FileUnreadableError(msg)
    root: Element = fromstring(archive.read(part), forbid_dtd=True)
    return root


def _local(tag: str) -> str:
    """Name of an element or attribute without its namespace, of which there are two generations."""
    return tag.rpartition("}")[2]


def _children(root: Element, *names: str) -> Iterator[Element]:
    """Elements reached by a path of names."""
    found = (child for child in root if _local(child.tag) == names[0])
    for child in found:
        if len(names) == 1:
            yield child
        else:
            yield from _children(child, *names[1:])


def _relation(sheet: Element) -> str:
    return next((value for name, value in sheet.attrib.items() if name.endswith("}id")), "")


def _targets(path: Path, archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Parts that a part refers to: kind and full name by the id of the relation."""
    folder, name = posixpath.split(part)
    relations = _small_part(path, archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    return {
        relation.get("Id", ""): (
            relation.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, relation.get("Target", ""))).lstrip("/"),
        )
        for relation in _children(relations, "Relationship")
        if relation.get("TargetMode") != "External"
    }


def _shared_texts(path: Path, archive: zipfile.ZipFile, part: str, limits: ReadLimits) -> tuple[str, ...]:
    if part not in archive.namelist():
        return ()
    texts: list[str] = []
    n_characters = 0
    with open_part(path, archive, part, limits) as stream:
        target = SharedTexts(limits.max_cell_bytes + 1)
        for text in XmlStream(stream, target, max_token_bytes=limits.max_line_bytes):
            texts.append(text)
            n_characters += len(text) + 1
            if n_characters > MAX_SHARED_CHARACTERS:
                msg = f"{path}: too large (more than {MAX_SHARED_CHARACTERS} characters of text); give TSV"
                raise FileUnreadableError(msg)
    return tuple(texts)


def _date_styles(path: Path, archive: zipfile.ZipFile, part: str) -> frozenset[str]:
    """Positions of the cell styles that show dates."""
    if part not in archive.namelist():
        return frozenset()
    root = _small_part(path, archive, part)
    own = {
        format_.get("numFmtId", ""): format_.get("formatCode", "")
        for format_ in _children(root, "numFmts", "numFmt")
    }
    styles = _children(root, "cellXfs", "xf")
    return frozenset(str(at) for at, style in enumerate(styles) if _is_date(style.get("numFmtId", "0"), own))


def _is_date(number: str, own: Mapping[str, str]) -> bool:
    if number in own:
        code = _NO_DATE_PARTS.sub("", own[number])
        return re.search(r"[dmyhs]", code, re.IGNORECASE) is not None
    return number.isdecimal() and int(number) in _DATE_FORMATS
