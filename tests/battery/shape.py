"""Rows and columns: too few, too many, twice, or the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from tests.battery.case import Case, Expect, Make
from tests.battery.clean import SAMPLES
from tests.battery.grid import Edit, Grid, edited, from_table, rewritten

CATEGORY = "shape"

FAST = {"row-long", "no-rows", "header-repeated", "transposed", "sample-twice", "one-sample", "hla-dropout"}


def _row_short(grid: Grid) -> None:
    del grid.rows[199][-1]


def _row_long(grid: Grid) -> None:
    grid.rows[199].append("1.0")


def _header_long(grid: Grid) -> None:
    grid.header += ["Pat900", "Pat901"]


def _last_row_short(grid: Grid) -> None:
    del grid.rows[-1][-2:]


def _header_again(grid: Grid) -> None:
    grid.rows.insert(4000, list(grid.header))


def _no_header(grid: Grid) -> None:
    grid.header = list(grid.rows.pop(0))


def _renamed(column: int, name: str) -> Edit:
    def edit(grid: Grid) -> None:
        grid.header[column] = name

    return edit


def _copied_column(grid: Grid) -> None:
    grid.header.append(grid.header[1])
    for row in grid.rows:
        row.append(row[1])


def _empty_column(grid: Grid) -> None:
    grid.header.insert(3, "")
    for row in grid.rows:
        row.insert(3, "")


def _first_rows(n: int) -> Edit:
    def edit(grid: Grid) -> None:
        del grid.rows[n:]

    return edit


def _genes_only(grid: Grid) -> None:
    del grid.header[1:]
    grid.rows = [row[:1] for row in grid.rows]


def _refused() -> dict[str, tuple[Make, str]]:
    return {
        "no-rows": (edited(_first_rows(0)), "gene|row"),
        "genes-only": (edited(_genes_only), "column|sample"),
        "few-genes": (edited(_first_rows(150)), "gene"),
        "row-short": (edited(_row_short), "201"),
        "row-long": (edited(_row_long), "201"),
        "last-row-short": (edited(_last_row_short), "8601|truncat"),
        "header-long": (edited(_header_long), "header|column|field"),
        "header-repeated": (edited(_header_again), "4002|header"),
        "no-header": (edited(_no_header), "header"),
        "transposed": (from_table(lambda table: table.T.rename_axis("sample")), "transposed"),
        "sample-twice": (edited(_renamed(2, "Pat02")), "duplicate"),
        "sample-twice-but-blank": (edited(_renamed(2, "Pat02 ")), "duplicate"),
        "sample-twice-csv": (edited(_renamed(2, "Pat02"), delimiter=",", name="m.csv"), "duplicate"),
        "column-copied": (edited(_copied_column), "duplicate"),
        "sample-unnamed": (edited(_renamed(3, "")), "sample name|empty"),
        "pasted-twice": (rewritten(lambda text: text + text), "header|numeric"),
        "one-long-line": (rewritten(lambda text: text.replace("\n", "\t")), "row|column|gene|line"),
    }


def _flagged() -> dict[str, tuple[Make, str, tuple[str, ...]]]:
    """Input, flag, and samples that are not there."""

    def kept(n: int) -> Make:
        return from_table(lambda table: table.iloc[:, :n])

    def without(*genes: str) -> Make:
        return from_table(lambda table: table.drop(index=list(genes)))

    def silent(*genes: str) -> Make:
        def change(table: pd.DataFrame) -> pd.DataFrame:
            table.loc[list(genes)] = 0.0
            return table

        return from_table(change)

    return {
        "one-sample": (kept(1), "cohort_too_small", SAMPLES[1:]),
        "two-samples": (kept(2), "cohort_too_small", SAMPLES[2:]),
        "panel": (edited(_first_rows(1200)), "targeted_panel", ()),
        "key-genes-absent": (without("CD8A", "B2M", "GZMB", "PRF1"), "key_genes_missing", ()),
        "hla-dropout": (silent("B2M", "HLA-A", "HLA-B", "HLA-C"), "hla_unquantified", ()),
        "b2m-dropout": (silent("B2M"), "hla_unquantified", ()),
    }


def cases() -> Iterator[Case]:
    """Shapes that are refused and shapes that are flagged."""
    for name, (make, word) in _refused().items():
        fast = name in FAST
        yield Case(f"shape-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)
    yield Case("shape-column-empty", CATEGORY, edited(_empty_column), Expect.SAME)
    for name, (make, flag, dropped) in _flagged().items():
        unchanged = tuple(sample for sample in SAMPLES if sample not in dropped) if dropped else ()
        yield Case(
            f"shape-{name}",
            CATEGORY,
            make,
            Expect.WARN,
            flag=flag,
            dropped=dropped,
            unchanged=unchanged,
            is_fast=name in FAST,
        )
