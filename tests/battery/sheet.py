"""Sample sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.battery.case import Blame, Case, Expect, Inputs, Make
from tests.battery.clean import SAMPLES, Clean
from tests.battery.grid import write, write_clean

CATEGORY = "sheet"

FAST = {"disjoint", "twice-conflict", "rows-unused", "rows-missing", "crlf", "empty"}

COLUMNS = ("sample_id", "response", "os_days", "os_event", "purity", "site")
Rows = list[list[str]]


def _rows() -> Rows:
    rows = [
        [name, "R" if at % 2 else "NR", str(100 + at), str(at % 2), "0.5", "colon"]
        for at, name in enumerate(SAMPLES)
    ]
    return [list(COLUMNS), *rows]


def _sheet(change: Callable[[Rows], object], *, name: str = "s.tsv", delimiter: str = "\t") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        rows = _rows()
        change(rows)
        text = "".join(delimiter.join(row) + "\n" for row in rows)
        return Inputs(write_clean(folder, clean), samples=write(folder / name, text))

    return make


def _raw(content: Callable[[str], str | bytes], name: str = "s.tsv") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        text = "".join("\t".join(row) + "\n" for row in _rows())
        return Inputs(write_clean(folder, clean), samples=write(folder / name, content(text)))

    return make


def _put(row: int, column: str, cell: str) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        rows[row][COLUMNS.index(column)] = cell

    return change


def _column(column: str, cells: Sequence[str]) -> Callable[[Rows], object]:
    def change(rows: Rows) -> None:
        for row, cell in zip(rows[1:], cells, strict=True):
            row[COLUMNS.index(column)] = cell

    return change


def _header(column: str, name: str) -> Callable[[Rows], object]:
    return _put(0, column, name)


def _disjoint(rows: Rows) -> None:
    for at, row in enumerate(rows[1:]):
        row[0] = f"q{at}"


def _reorder(rows: Rows) -> None:
    rows[1:] = rows[:0:-1]


def _only_id(rows: Rows) -> None:
    rows[:] = [row[:1] for row in rows]


def _missing(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean), samples=folder / "none.tsv")


def _directory(folder: Path, clean: Clean) -> Inputs:
    (folder / "s.tsv").mkdir()
    return Inputs(write_clean(folder, clean), samples=folder / "s.tsv")


def _refused() -> dict[str, tuple[Make, str]]:
    copy = [*_rows()[2]]
    return {
        "disjoint": (_sheet(_disjoint), "common|match"),
        "twice-conflict": (
            _sheet(lambda rows: rows.append([copy[0], "NR", *copy[2:]])),
            "duplicate|conflict",
        ),
        "empty": (_raw(lambda text: ""), "empty"),
        "blank": (_raw(lambda text: " \n\n"), "empty"),
        "header-only": (_raw(lambda text: text.split("\n")[0] + "\n"), "empty"),
        "no-id-column": (_sheet(_header("sample_id", "tube")), "sample_id"),
        "id-column-twice": (_sheet(_header("site", "sample_id")), "duplicate"),
        "id-empty": (_sheet(_put(2, "sample_id", "")), "empty"),
        "row-short": (_sheet(lambda rows: rows[3].pop()), "line 4|field"),
        "row-long": (_sheet(lambda rows: rows[3].append("x")), "line 4|field"),
        "purity-text": (_sheet(_put(1, "purity", "high")), "purity"),
        "purity-infinite": (_sheet(_put(1, "purity", "inf")), "purity"),
        "events-one-two": (_sheet(_column("os_event", ["1", "2"] * 3)), "os_event"),
        "missing": (_missing, "not found|no such"),
        "folder": (_directory, "regular|directory"),
        "binary": (_raw(lambda text: b"\x00\x01\x02" * 300), "text"),
        "open-quote": (_raw(lambda text: text.replace("colon", '"colon', 1)), "line|quote|field|empty"),
        "matrix-for-sheet": (_raw(lambda text: "gene\tPat02\nCD8A\t1.0\n"), "sample_id"),
    }


def _flagged() -> dict[str, tuple[Make, str, tuple[str, ...]]]:
    """Input, flag, samples concerned (all where empty)."""
    return {
        "rows-unused": (
            _sheet(lambda rows: rows.append(["ghost1", "R", "1", "0", "0.2", ""])),
            "sheet_rows_unused",
            (),
        ),
        "rows-missing": (_sheet(lambda rows: rows.__delitem__(slice(1, 3))), "no_metadata", SAMPLES[:2]),
        "twice-the-same": (_sheet(lambda rows: rows.append(list(rows[1]))), "sheet_duplicate_rows", ()),
        "event-word": (_sheet(_put(1, "os_event", "perhaps")), "bad_survival", SAMPLES[:1]),
        "days-negative": (_sheet(_put(1, "os_days", "-5")), "bad_survival", SAMPLES[:1]),
        "days-text": (_sheet(_put(1, "os_days", "long")), "bad_survival", SAMPLES[:1]),
        "purity-percent": (_sheet(_put(1, "purity", "60")), "purity_out_of_range", SAMPLES[:1]),
        "purity-negative": (_sheet(_put(1, "purity", "-0.1")), "purity_out_of_range", SAMPLES[:1]),
        "column-unknown": (_sheet(_header("site", "favourite_colour")), "sheet_columns_unused", ()),
        "ids-respelt": (
            _sheet(_column("sample_id", [f"bams/{name}.sorted.bam" for name in SAMPLES])),
            "sheet_ids_respelt",
            (),
        ),
        "response-unknown": (_sheet(_put(1, "response", "fantastic")), "unknown_label", SAMPLES[:1]),
    }


def _read() -> dict[str, Make]:
    return {
        "crlf": _raw(lambda text: text.replace("\n", "\r\n")),
        "byte-order-mark": _raw(lambda text: "\ufeff" + text),
        "utf-16": _raw(lambda text: text.encode("utf-16")),
        "windows-1252": _raw(lambda text: text.replace("colon", "côlon").encode("cp1252")),
        "no-final-newline": _raw(lambda text: text.rstrip("\n")),
        "trailing-tabs": _raw(lambda text: text.replace("\n", "\t\t\n")),
        "blank-lines": _raw(lambda text: text.replace("\n", "\n\n")),
        "comma": _sheet(lambda rows: None, name="s.csv", delimiter=","),
        "semicolon": _sheet(lambda rows: None, name="s.csv", delimiter=";"),
        "header-capitals": _sheet(lambda rows: rows.__setitem__(0, [cell.upper() for cell in rows[0]])),
        "order": _sheet(_reorder),
        "only-ids": _sheet(_only_id),
        "blanks-around-ids": _sheet(_column("sample_id", [f" {name} " for name in SAMPLES])),
        "id-column-of-another-name": _sheet(_header("sample_id", "Sample")),
        "events-as-words": _sheet(_column("os_event", ["1:DECEASED", "0:LIVING", "dead", "alive", "1", "0"])),
        "cells-empty": _sheet(_column("os_days", [""] * 6)),
        "recist-words": _sheet(_column("response", ["CR", "PR", "SD", "PD", "complete response", "NA"])),
    }


def cases() -> Iterator[Case]:
    """Sheets that are refused, flagged and read; none changes a number."""
    for name, (make, word) in _refused().items():
        fast = name in FAST
        yield Case(f"sheet-{name}", CATEGORY, make, Expect.ERROR, (word,), Blame.SAMPLES, is_fast=fast)
    for name, (make, flag, flagged) in _flagged().items():
        yield Case(
            f"sheet-{name}",
            CATEGORY,
            make,
            Expect.WARN,
            flag=flag,
            flagged=flagged,
            unchanged=SAMPLES,
            is_fast=name in FAST,
        )
    for name, make in _read().items():
        yield Case(f"sheet-{name}", CATEGORY, make, Expect.SAME, is_fast=name in FAST)
