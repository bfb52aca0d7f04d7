"""The same matrix in the ways that programs and people write text tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.battery.case import Case, Expect, Make
from tests.battery.grid import Edit, Grid, edited, rewritten

CATEGORY = "dialect"

FAST = {"crlf", "trailing-tabs", "r-header", "semicolon-decimal-comma", "quoted", "annotation-columns"}


def _each_row(change: Callable[[list[str]], list[str]], *, with_header: bool = True) -> Edit:
    def edit(grid: Grid) -> None:
        grid.rows = [change(row) for row in grid.rows]
        if with_header:
            grid.header = change(grid.header)

    return edit


def _cells(change: Callable[[str], str]) -> Edit:
    return _each_row(lambda row: [row[0], *map(change, row[1:])], with_header=False)


def _corner(name: str) -> Edit:
    def edit(grid: Grid) -> None:
        grid.header[0] = name

    return edit


def _r_header(grid: Grid) -> None:
    del grid.header[0]


def _r_header_quoted(grid: Grid) -> None:
    _r_header(grid)
    _each_row(_quoted)(grid)


def _hugo(grid: Grid) -> None:
    grid.header[:1] = ["Hugo_Symbol", "Entrez_Gene_Id"]
    grid.rows = [[row[0], str(1000 + at), *row[1:]] for at, row in enumerate(grid.rows)]


def _annotated(grid: Grid) -> None:
    grid.header[1:1] = ["description", "chromosome"]
    grid.rows = [[row[0], "a gene, or not", "X", *row[1:]] for row in grid.rows]


def _decimal_comma(cell: str) -> str:
    return cell.replace(".", ",")


def _thousands(cell: str) -> str:
    return f'"{float(cell):,.4f}"'


def _quoted(row: list[str]) -> list[str]:
    return [f'"{cell}"' for cell in row]


def _lines(change: Callable[[list[str]], list[str]]) -> Make:
    return rewritten(lambda text: "\n".join(change(text.split("\n"))))


def _edits() -> dict[str, Make]:
    """Changes cell by cell."""
    return {
        "quoted": edited(_each_row(_quoted)),
        "quoted-csv": edited(_each_row(_quoted), delimiter=",", name="m.csv"),
        "r-header": edited(_r_header),
        "r-header-quoted": edited(_r_header_quoted),
        "hash-header": edited(_corner("#gene")),
        "corner-empty": edited(_corner("")),
        "corner-words": edited(_corner("Gene Symbol")),
        "corner-unnamed": edited(_corner("Unnamed: 0")),
        "trailing-tab": edited(_each_row(lambda row: [*row, ""])),
        "trailing-tabs": edited(_each_row(lambda row: [*row, "", ""])),
        "annotation-columns": edited(_annotated),
        "cbioportal": edited(_hugo),
        "semicolon-decimal-comma": edited(_cells(_decimal_comma), delimiter=";", name="m.csv"),
        "semicolon-decimal-point": edited(lambda grid: None, delimiter=";", name="m.csv"),
        "tab-decimal-comma": edited(_cells(_decimal_comma)),
        "space-delimited": edited(lambda grid: None, delimiter=" ", name="m.txt"),
        "thousands-quoted": edited(_cells(_thousands), delimiter=",", name="m.csv"),
        "thousands-blank": edited(_cells(lambda cell: f"{float(cell):,.4f}".replace(",", " "))),
        "scientific": edited(_cells(lambda cell: f"{float(cell):.12e}")),
        "scientific-capital": edited(_cells(lambda cell: f"{float(cell):.12E}")),
        "plus-signs": edited(_cells(lambda cell: f"+{cell}")),
        "no-leading-zero": edited(_cells(lambda cell: re.sub(r"^0\.(?=\d)", ".", cell))),
        "trailing-point": edited(_cells(lambda cell: re.sub(r"\.0$", ".", cell))),
        "blanks-around-cells": edited(
            _each_row(lambda row: [f" {cell} " for cell in row], with_header=False)
        ),
        "wrong-extension": edited(lambda grid: None, name="m.csv"),
        "no-extension": edited(lambda grid: None, name="matrix"),
        "capital-extension": edited(lambda grid: None, name="M.TSV"),
        "name-with-blank": edited(lambda grid: None, name="name with space é.tsv"),
        "name-with-quote": edited(lambda grid: None, name="it's $HOME;.tsv"),
    }


def _rewrites() -> dict[str, Make]:
    """Changes of lines and line ends."""
    return {
        "crlf": rewritten(lambda text: text.replace("\n", "\r\n")),
        "old-mac": rewritten(lambda text: text.replace("\n", "\r")),
        "no-final-newline": rewritten(lambda text: text.rstrip("\n")),
        "blank-lines-below": rewritten(lambda text: text + "\n\n\n"),
        "blank-line-above": rewritten(lambda text: "\n" + text),
        "blank-line-between": _lines(lambda lines: [*lines[:50], "", *lines[50:]]),
        "comments-above": rewritten(lambda text: "# made by a pipeline\n# version 2\n" + text),
        "comment-between": _lines(lambda lines: [*lines[:50], "# half way", *lines[50:]]),
        "mark-and-crlf": rewritten(lambda text: ("\ufeff" + text).replace("\n", "\r\n")),
    }


def cases() -> Iterator[Case]:
    """Every dialect gives the same numbers."""
    for name, make in (_edits() | _rewrites()).items():
        yield Case(f"dialect-{name}", CATEGORY, make, Expect.SAME, is_fast=name in FAST)
