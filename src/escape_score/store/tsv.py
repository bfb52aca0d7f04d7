"""Tables for eyes and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import pandas as pd

from escape_score.store.atomic import replacing

FLOAT_FORMAT = "%.9g"
FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PLAIN_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table for eyes: 9 significant digits, empty = not evaluable, text safe in a spreadsheet.

    pandas formats cells one by one through a chain of functions, which takes most of the time of a run with
    thousands of samples; here a row's neighbouring numbers are formatted in one go.
    """
    names = [str(name) for name in table.columns]
    runs = groupby(range(len(names)), key=lambda at: table.dtypes.iloc[at].kind == "f")
    fields = [
        _numbers(table.iloc[:, list(columns)]) if is_number else _texts(table.iloc[:, list(columns)])
        for is_number, columns in runs
    ]
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as handle:
        handle.write("\t".join(quoted(safe_cell(name)) for name in names) + "\n")
        handle.writelines("\t".join(row) + "\n" for row in zip(*fields, strict=True))


def _numbers(table: pd.DataFrame) -> Iterator[str]:
    """Columns of numbers: a text for each row."""
    template = "\t".join([FLOAT_FORMAT] * table.shape[1])
    rows = zip(*(table.iloc[:, at].tolist() for at in range(table.shape[1])), strict=True)
    return ((template % row).replace("nan", "") for row in rows)


def _texts(table: pd.DataFrame) -> Iterator[str]:
    """Columns of anything else: a text for each row."""
    rows = zip(*(table.iloc[:, at].tolist() for at in range(table.shape[1])), strict=True)
    return ("\t".join(quoted(safe_cell(str(value))) for value in row) for row in rows)


@lru_cache(maxsize=4096)
def safe_cell(text: str) -> str:
    """Make text harmless where a table is opened.

    Formulas get an apostrophe, control characters are spelt out. Other invisible characters stay: an id must
    still meet its row in other tables; pages show them spelt out.
    """
    spelt = CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    is_formula = text.startswith(FORMULA_START) and not PLAIN_NUMBER.fullmatch(text)
    return f"'{spelt}" if is_formula else spelt


def quoted(text: str) -> str:
    """A cell as readers of delimited text expect it where it holds a quote."""
    return '"' + text.replace('"', '""') + '"' if '"' in text else text
