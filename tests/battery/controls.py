"""Inputs without a fault: what all others are compared with must work in every form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tests.battery.case import Case, Expect, Inputs
from tests.battery.clean import SAMPLES, Clean
from tests.battery.grid import Grid, edited, from_table, write, write_clean

CATEGORY = "controls"


def _with_sheet(folder: Path, clean: Clean) -> Inputs:
    rows = "".join(f"{name}\tR\t100\t0\n" for name in clean.samples)
    sheet = write(folder / "s.tsv", "sample_id\tresponse\tos_days\tos_event\n" + rows)
    return Inputs(write_clean(folder, clean), samples=sheet)


def _with_gene_sets(folder: Path, clean: Clean) -> Inputs:
    gmt = write(folder / "g.gmt", "CYT\tcytolytic\tGZMA\tPRF1\nMINE\tmy set\tCD8A\tCD8B\tGZMB\n")
    return Inputs(write_clean(folder, clean), gene_sets=gmt)


def _with_config(folder: Path, clean: Clean) -> Inputs:
    write_clean(folder, clean)
    config = write(folder / "c.yaml", "expression: m.tsv\nunits: auto\nseed: 1\nthreads: 1\nmin_genes: 200\n")
    return Inputs(None, config=config)


def _declared(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean), options=("--units", "tpm"))


def _csv(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write(folder / "m.csv", Grid.of_clean(clean).text(",")))


def _shuffle(grid: Grid) -> None:
    order = np.random.default_rng(1).permutation(len(grid.rows))
    grid.rows = [grid.rows[at] for at in order]


def cases() -> Iterator[Case]:
    """Every clean form."""
    makers = {
        "tsv": edited(lambda grid: None),
        "csv": _csv,
        "sheet": _with_sheet,
        "gene-sets": _with_gene_sets,
        "config": _with_config,
        "units-declared": _declared,
        "genes-shuffled": edited(_shuffle),
        "samples-reversed": from_table(lambda table: table[table.columns[::-1]]),
    }
    for name, make in makers.items():
        yield Case(f"controls-{name}", CATEGORY, make, Expect.SAME, is_fast=name in ("tsv", "config"))
    yield Case(
        "controls-subset",
        CATEGORY,
        from_table(lambda table: table.iloc[:, :5]),
        Expect.SAME,
        dropped=SAMPLES[5:],
        is_fast=True,
    )
