"""Cells and units: no number stops the run, the odd is flagged, the same stays the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from tests.battery.case import Case, Expect
from tests.battery.clean import SAMPLES
from tests.battery.grid import Edit, Grid, edited, from_table

CATEGORY = "values"

GENE, SAMPLE = "CD8A", "Pat19"
OTHERS = tuple(name for name in SAMPLES if name != SAMPLE)
KEY_GENES = ("CD8A", "GZMB", "B2M")
LOGARITHM = 5e-6
"""What is left of a number after a logarithm and back."""

BAD_CELLS = {
    "text": "high",
    "infinite": "Inf",
    "minus-infinite": "-Inf",
    "infinity-word": "Infinity",
    "overflow": "1e999",
    "true": "TRUE",
    "date": "2021-03-01",
    "time": "12:30",
    "two-dots": "1.2.3",
    "two-signs": "--5",
    "ref-error": "#REF!",
    "division-error": "#DIV/0!",
    "value-error": "#VALUE!",
    "percent": "12%",
    "below-limit": "<0.1",
    "range": "1-2",
    "dash": "—",
    "hexadecimal": "0x1F",
    "half-exponent": "1e",
    "underscores": "1_000",
    "unit": "12 TPM",
    "formula": "=A1+1",
    "arabic-digits": "١٢",
    "full-width-digits": "１２",
    "superscript": "5²",
    "decimal-comma-once": "1,5",
    "fraction": "1/2",
    "missing-word-unknown": "missing",
    "python-none": "None",
    "beyond-all-measure": "1e300",
}

MISSING_WORDS = {"na": "NA", "n-a": "N/A", "nan": "NaN", "nan-small": "nan", "null": "NULL", "empty": ""}

FAST = {
    *("infinite", "true", "overflow", "na", "zero-sample", "log2p1", "z-scored", "mixed-log", "identical"),
    "gene-zero-in-all",
}


def _cell(cell: str) -> Edit:
    return lambda grid: grid.put(GENE, SAMPLE, cell)


def _all_cells(cell: str) -> Edit:
    return lambda grid: grid.put_all([row[0] for row in grid.rows], SAMPLE, cell)


def _key_genes_missing(grid: Grid) -> None:
    grid.put_all(KEY_GENES, SAMPLE, "NA")


def _half_missing(grid: Grid) -> None:
    grid.put_all([row[0] for row in grid.rows[::2]], SAMPLE, "NA")


def _twins(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(Pat37=table["Pat19"])


def _zeroed(*genes: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[list(genes)] = 0.0
        return table

    return change


def _log2(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log2(table.to_numpy()), table.index, table.columns)


def _log(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(table.to_numpy()), table.index, table.columns)


def _z_scored(table: pd.DataFrame) -> pd.DataFrame:
    logs = _log2(table + 1)
    spread = logs.std(axis=1).replace(0.0, 1.0)
    return logs.sub(logs.mean(axis=1), axis=0).div(spread, axis=0)


def _centred(table: pd.DataFrame) -> pd.DataFrame:
    logs = _log2(table + 1)
    return logs.sub(logs.median(axis=1), axis=0)


def _quantile_normalised(table: pd.DataFrame) -> pd.DataFrame:
    logs = _log2(table + 1)
    target = np.sort(logs.to_numpy(), axis=0).mean(axis=1)
    ranks = logs.rank(method="first").astype(int).to_numpy() - 1
    return pd.DataFrame(target[ranks], logs.index, logs.columns)


def _partly(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Change two of six samples."""

    def apply(table: pd.DataFrame) -> pd.DataFrame:
        names = list(SAMPLES[:2])
        return table.assign(**{name: change(table[names])[name] for name in names})

    return apply


def _log2p1(table: pd.DataFrame) -> pd.DataFrame:
    return _log2(table + 1)


def _depths(table: pd.DataFrame, least: float) -> list[float]:
    """A factor for each sample, no two alike."""
    return [least * (1 + 0.2 * at) for at in range(table.shape[1])]


def _negative_once(table: pd.DataFrame) -> pd.DataFrame:
    table.iloc[0] = -0.5
    return table


def _counts(table: pd.DataFrame) -> pd.DataFrame:
    return (table * _depths(table, 17.0)).round()


def _fpkm(table: pd.DataFrame) -> pd.DataFrame:
    return table * _depths(table, 0.3)


def _bad_cells() -> Iterator[Case]:
    for name, cell in BAD_CELLS.items():
        where = ("CD8A|line|row", "Pat19|column")
        mention = where[1:] if name == "beyond-all-measure" else where
        make = edited(_cell(cell))
        fast = name in FAST
        yield Case(f"values-cell-{name}", CATEGORY, make, Expect.ERROR, mention=mention, is_fast=fast)


def _sample_faults() -> Iterator[Case]:
    """One sample is wrong; the others keep their numbers."""
    edits: dict[str, tuple[Edit, str]] = {
        **{f"missing-{name}": (_cell(cell), "missing_values") for name, cell in MISSING_WORDS.items()},
        "key-genes-missing": (_key_genes_missing, "missing_values"),
        "half-missing": (_half_missing, "missing_values"),
        "sample-all-missing": (_all_cells("NA"), "sample_empty"),
        "zero-sample": (_all_cells("0"), "sample_empty"),
        "constant-sample": (_all_cells("7.5"), "sample_constant"),
    }
    for name, (edit, flag) in edits.items():
        yield Case(
            f"values-{name}",
            CATEGORY,
            edited(edit),
            Expect.WARN,
            flag=flag,
            flagged=(SAMPLE,),
            unchanged=OTHERS,
            is_fast=name.removeprefix("missing-") in FAST,
        )
    twins = from_table(_twins)
    yield Case(
        "values-identical",
        CATEGORY,
        twins,
        Expect.WARN,
        flag="identical_samples",
        flagged=("Pat19", "Pat37"),
        unchanged=("Pat02", "Pat19", "Pat47", "Pat86", "Pat126"),
        is_fast=True,
    )


def _units() -> Iterator[Case]:
    same: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "log2p1": _log2p1,
        "log2p0001": lambda table: _log2(table + 0.001),
        "lnp1": lambda table: _log(table + 1),
        "log2p1-of-1e4": lambda table: _log2(table / 100 + 1),
        "lnp1-of-1e4": lambda table: _log(table / 100 + 1),
    }
    for name, change in same.items():
        fast = name in FAST
        yield Case(
            f"values-{name}", CATEGORY, from_table(change), Expect.SAME, tolerance=LOGARITHM, is_fast=fast
        )
    flagged: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
        "fpkm": (_fpkm, "units_guessed"),
        "counts": (_counts, "counts_converted"),
        "quantile-normalised": (_quantile_normalised, "quantile_normalised"),
        "gene-zero-in-all": (_zeroed("COL1A1", "COL1A2"), "gene_zero_in_all"),
        "rescaled": (lambda table: table * 1.3, "rescaled_to_tpm"),
        "negative-once": (_negative_once, "units_suspect"),
    }
    for name, (change, flag) in flagged.items():
        options = ("--units", "log2(x+1)") if name.startswith("quantile") else ()
        make = from_table(change, options=options)
        yield Case(f"values-{name}", CATEGORY, make, Expect.WARN, flag=flag, is_fast=name in FAST)


def _contradictions() -> Iterator[Case]:
    refused: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
        "z-scored": (_z_scored, "", "z-?score|centred"),
        "centred": (_centred, "", "z-?score|centred|below 0"),
        "mixed-log": (_partly(_log2p1), "", "mixed|unit"),
        "mixed-counts": (_partly(_counts), "", "mixed|unit"),
        "many-negative": (lambda table: table - table.mean().mean(), "", "negative|below 0"),
        "log-declared-tpm": (_log2p1, "tpm", "contradict|log"),
        "tpm-declared-log": (lambda table: table, "log2(x+1)", "contradict|log"),
        "tpm-declared-counts": (lambda table: table, "counts", "contradict|whole"),
        "counts-declared-tpm": (_counts, "tpm", "contradict|whole"),
        "ln-declared-log2": (lambda table: _log(table + 1), "log2(x+1)", "contradict|ln"),
    }
    for name, (change, unit, word) in refused.items():
        make = from_table(change, options=("--units", unit) if unit else ())
        fast = name in FAST
        yield Case(f"values-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)


def cases() -> Iterator[Case]:
    """Cells, samples and units."""
    yield from _bad_cells()
    yield from _sample_faults()
    yield from _units()
    yield from _contradictions()
