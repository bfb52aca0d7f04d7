"""Tell exhaustion inside T cells from many T cells, and shares of cells from many cells.

    python validation/percell.py --cohorts DIR [--wheels build/wheels] [--seeds 100 101 ...] [--cells 50]
                                 [--out FOLDER]

Single cells of known type (head and neck tumours, Puram 2017), 50 a mix, are added to tumours: they make up
2-40 % of the RNA, uniform on the logarithm and independent of what is asked:

exhaustion       T cells of three types in equal parts; their exhaustion genes times 4 in half of the mixes
Treg 0-60 %      T cells; 0-60 % Treg, 20-80 % of the others CD8 and the rest other CD4
Treg 5-40 %      T cells; 5-40 % Treg, 20-50 % CD8, the rest other CD4
TAM 0-60 %       leukocytes; 0-60 % macrophages, the others of six types in equal parts
TAM and T cells  macrophages and T cells, each 2-40 % of the RNA (drawn apart, then added over the tumour)

Every gene gets noise of 0.2 log2. Mixes hold the genes measured in both, scored through the program's own
stages against the shipped reference. Tumours are those of the reference, every second one (the others served
to choose the designs), the quarter of these with the lowest leukocyte score, and melanomas of another
pipeline. Prints one row a truth and axis, mean over seeds with the standard deviation between them, and draws
``percell.png``.

Truth is of the cells added. Many tumours hold more macrophages than are added; so there is a second truth for
these, their share of leukocytes with the tumour's own macrophages and T cells counted ("all"). Own cells are
estimated from genes that no axis uses: the median, over genes of the cell type, of tumour over cells.

AUROC: truth above or below its median. R2: squared correlation with the truth (with log2 of the share where
the tumour's own cells count). corr: correlation of the score with the logarithm of the amount added, over all
mixes; low: among those with the truth below its median (nothing changed); partial: what the truth does not
explain.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from lab_reference import run, score
from mixes import (
    CELLS_PER_PROFILE,
    NOISE_LOG2,
    Bools,
    Floats,
    auroc,
    colorectal_tumours,
    read_tpm,
    typed_cells,
)
from shared_cohorts import OUT, WHEELS

from escape_score.library.axes import load_design
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import Profiles
from escape_score.reference.read import load_reference

N_MIXES = 400
LEAST_ADDED, MOST_ADDED = 0.02, 0.4
SMALLEST_SHARE = 1e-3
FACTOR = 4.0
TREG, CD8, CD4, MACROPHAGE = "reg. T cell", "CD8 T cell", "CD4 T cell", "Macrophage"
T_CELLS = (TREG, CD8, CD4)
OTHER_LEUKOCYTES = (*T_CELLS, "B cell", "Dendritic", "Mast")
QUESTIONS = ("exhaustion", "Treg 0-60 %", "Treg 5-40 %", "TAM 0-60 %", "TAM and T cells")
RAW_TERMS = {"treg": "treg_core", "tam": "tam", "mdsc": "mdsc"}
"""Axes without a raw twin, to the component that would be it."""

MARKER_TPM, MARKER_RATIO, MARKER_CELLS = 50.0, 10.0, 0.5
"""A gene of a cell type: its mean, its ratio to any other type (+ 1), and the share of cells that have it."""

Pools = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Truth:
    """What is true of mixes, and the axes that should tell, first the one meant."""

    name: str
    values: Floats = field(repr=False)
    axes: tuple[str, ...]

    @property
    def is_high(self) -> Bools:
        """Whether it lies above its median."""
        return np.asarray(self.values > np.median(self.values))


@dataclass(frozen=True)
class Spiked:
    """Tumours with cells added; ``added`` is their share of the RNA."""

    tpm: pd.DataFrame = field(repr=False)
    added: Floats = field(repr=False)
    truths: tuple[Truth, ...]


@dataclass(frozen=True)
class Hosts:
    """Tumours that cells are added to, in TPM, with the share of RNA that is of their own cells."""

    name: str
    tpm: pd.DataFrame = field(repr=False)
    own_t: Floats = field(repr=False)
    own_macrophages: Floats = field(repr=False)


def to_million(tpm: pd.DataFrame) -> pd.DataFrame:
    """Each sample brought to a sum of one million."""
    return tpm.mul(1e6 / tpm.sum(axis=1), axis=0)


def own_share(tumours: pd.DataFrame, pools: Pools, kinds: tuple[str, ...]) -> Floats:
    """Share of a tumour's RNA that is of some cell types, from genes that no axis uses."""
    used = {gene for genes in load_design().components.values() for gene in genes}
    shared = [gene for gene in tumours.columns if gene in pools[kinds[0]].columns and gene not in used]
    cells = {kind: to_million(table)[shared] for kind, table in pools.items()}
    own = pd.concat([cells[kind] for kind in kinds])
    others = pd.DataFrame({kind: table.mean() for kind, table in cells.items() if kind not in kinds})
    is_marker = (own.mean() > MARKER_TPM) & (own.mean() > MARKER_RATIO * (others.max(axis=1) + 1))
    markers = is_marker.index[is_marker & ((own > 1).mean() >= MARKER_CELLS)]
    if not len(markers):
        return np.full(len(tumours), np.nan)
    return np.asarray((to_million(tumours)[markers] / own.mean()[markers]).median(axis=1))


def hosts_of(name: str, tumours: pd.DataFrame, pools: Pools) -> Hosts:
    """Tumours with what they hold of their own."""
    return Hosts(name, tumours, own_share(tumours, pools, T_CELLS), own_share(tumours, pools, (MACROPHAGE,)))


def least_infiltrated(tumours: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """The quarter with the lowest leukocyte score."""
    leukocytes = score(tumours, reference).of("leukocyte")
    return tumours.iloc[np.sort(np.argsort(leukocytes)[: len(tumours) // 4])]


def all_hosts(cohorts: Path, wheels: Path, pools: Pools, reference: Reference) -> Iterator[Hosts]:
    """Every set of tumours that is there."""
    if list(wheels.glob("TumorDecon-*.whl")):
        tumours = colorectal_tumours(wheels).iloc[0::2]
        yield hosts_of("colorectal", tumours, pools)
        yield hosts_of("colorectal, least infiltrated", least_infiltrated(tumours, reference), pools)
    else:
        print(f"skipped: no TumorDecon wheel in {wheels}; make reference downloads it")
    melanomas = read_tpm(cohorts / "vanallen2015", ExpressionUnit.TPM)
    if melanomas is not None:
        yield hosts_of("melanoma", melanomas, pools)


def amounts(rng: np.random.Generator) -> Floats:
    """Shares of the RNA, uniform on the logarithm."""
    return np.exp(rng.uniform(np.log(LEAST_ADDED), np.log(MOST_ADDED), N_MIXES))


def intended(question: str, rng: np.random.Generator) -> tuple[Floats, dict[str, Floats]]:
    """Share of the RNA to add to each mix, and of each cell type in that."""
    added, n = amounts(rng), N_MIXES
    if question == "TAM and T cells":
        macrophages = amounts(rng)
        t_cells = added / (added + macrophages) / len(T_CELLS)
        both = added + macrophages
        return both, {MACROPHAGE: macrophages / both} | dict.fromkeys(T_CELLS, t_cells)
    if question == "TAM 0-60 %":
        asked = rng.uniform(0.0, 0.6, n)
        rest = (1 - asked) / len(OTHER_LEUKOCYTES)
        return added, {MACROPHAGE: asked} | dict.fromkeys(OTHER_LEUKOCYTES, rest)
    if question == "exhaustion":
        return added, {kind: np.full(n, 1 / len(T_CELLS)) for kind in T_CELLS}
    if question == "Treg 0-60 %":
        asked = rng.uniform(0.0, 0.6, n)
        cd8 = (1 - asked) * rng.uniform(0.2, 0.8, n)
    else:
        asked, cd8 = rng.uniform(0.05, 0.4, n), rng.uniform(0.2, 0.5, n)
    return added, {TREG: asked, CD8: cd8, CD4: 1 - asked - cd8}


def pooled(
    pools: Pools, shares: Mapping[str, Floats], n_cells: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, Floats]]:
    """RNA of the cells drawn for each mix, in TPM, and the share of each type that was drawn."""
    counts = np.array([rng.multinomial(n_cells, p / p.sum()) for p in np.column_stack(list(shares.values()))])
    genes = pools[next(iter(shares))].columns
    total = np.zeros((N_MIXES, len(genes)))
    for kind, drawn in zip(shares, counts.T, strict=True):
        cells = pools[kind].to_numpy()
        total += np.array([cells[rng.choice(len(cells), n)].sum(axis=0) for n in drawn])
    return pd.DataFrame(total / n_cells, columns=genes), dict(zip(shares, counts.T / n_cells, strict=True))


def treg_truths(question: str, shares: Mapping[str, Floats]) -> tuple[Truth, ...]:
    """Treg against CD8, and among T cells."""
    treg, both = shares[TREG], shares[TREG] + shares[CD8]
    per_cd8 = np.divide(treg, both, out=np.ones(N_MIXES), where=both > 0)
    return (
        Truth(f"{question}: / (Treg + CD8)", per_cd8, ("treg", "suppressive")),
        Truth(f"{question}: / T cells", treg, ("treg",)),
    )


def macrophage_truths(question: str, share: Floats, own: Floats, own_t: Floats) -> tuple[Truth, ...]:
    """Macrophages among leukocytes; ``own`` and ``own_t`` are the tumour's own per RNA added."""
    everywhere = np.log2(np.maximum((own + share) / (own + own_t + 1), SMALLEST_SHARE))
    return (
        Truth(f"{question}: / leukocytes, all", everywhere, ("tam", "suppressive", "mdsc")),
        Truth(f"{question}: / leukocytes, added", share, ("tam",)),
    )


def exhaust(cells: pd.DataFrame, rng: np.random.Generator) -> Truth:
    """Multiply the exhaustion genes of half of the mixes, in place."""
    log2_factor = np.log2(FACTOR) * rng.permutation(np.arange(N_MIXES) % 2)
    genes = [gene for gene in load_design().components["exhaustion"] if gene in cells.columns]
    cells[genes] = cells[genes].mul(np.exp2(log2_factor), axis=0)
    return Truth("exhaustion genes x4 in T cells", log2_factor, ("exhaustion", "coinhibition"))


def spike(hosts: Hosts, pools: Pools, question: str, n_cells: int, *, seed: int) -> Spiked:
    """Add cells to tumours."""
    rng = np.random.default_rng([seed, QUESTIONS.index(question)])
    rows = rng.choice(len(hosts.tpm), N_MIXES)
    added, wanted = intended(question, rng)
    cells, shares = pooled(pools, wanted, n_cells, rng)
    per_added = (1 - added) / added
    if question == "exhaustion":
        truths: tuple[Truth, ...] = (exhaust(cells, rng),)
    elif question.startswith("Treg"):
        truths = treg_truths(question, shares)
    else:
        own, own_t = per_added * hosts.own_macrophages[rows], per_added * hosts.own_t[rows]
        truths = macrophage_truths(question, shares[MACROPHAGE], own, own_t)
    return Spiked(mixed(hosts.tpm.iloc[rows], cells, added, rng), added, truths)


def mixed(
    tumours: pd.DataFrame, cells: pd.DataFrame, added: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    """Tumours and cells together, over the genes measured in both, with noise, in TPM."""
    shared = tumours.columns.intersection(cells.columns)
    tumour = to_million(tumours[shared].reset_index(drop=True))
    total = tumour.mul(1 - added, axis=0) + to_million(cells[shared]).mul(added, axis=0)
    total *= np.exp2(rng.normal(0.0, NOISE_LOG2, total.shape))
    total.index = pd.Index([f"mix{i:03d}" for i in range(N_MIXES)])
    return to_million(total)


def correlation(one: Floats, other: Floats) -> float:
    """Pearson correlation over those that have both."""
    known = ~(np.isnan(one) | np.isnan(other))
    return float(np.corrcoef(one[known], other[known])[0, 1]) if known.sum() > 3 else float("nan")


def unexplained(values: Floats, by: Floats) -> Floats:
    """What a parabola through another variable leaves of values; NaN where they are."""
    known = ~np.isnan(values)
    design = np.column_stack([np.ones(len(by)), by, by**2])
    fit = np.linalg.lstsq(design[known], values[known], rcond=None)[0]
    return np.asarray(values - (design * fit).sum(axis=1))


def figures(values: Floats, raw: Floats, truth: Truth, added: Floats) -> dict[str, float]:
    """AUROC, R2 and correlations of an adjusted score, and the first two of the raw one."""
    low, log_added = ~truth.is_high, np.log(added)
    return {
        "raw AUROC": auroc(raw, truth.is_high),
        "AUROC": auroc(values, truth.is_high),
        "raw R2": correlation(raw, truth.values) ** 2,
        "R2": correlation(values, truth.values) ** 2,
        "raw corr": correlation(raw, log_added),
        "corr": correlation(values, log_added),
        "raw low": correlation(raw[low], log_added[low]),
        "low": correlation(values[low], log_added[low]),
        "partial": correlation(unexplained(values, truth.values), unexplained(log_added, truth.values)),
    }


def raw_score(result: Profiles, axis: str) -> Floats:
    """The score without adjustment."""
    raw = result.profiles.axis(axis).raw
    return result.scores.of(RAW_TERMS[axis]) if raw is None else raw


def measure(hosts: Hosts, spiked: Spiked, reference: Reference) -> Iterator[dict[str, object]]:
    """One row a truth and axis."""
    result = run(spiked.tpm, reference)
    for truth in spiked.truths:
        for axis in truth.axes:
            values = result.profiles.axis(axis).score
            found = figures(values, raw_score(result, axis), truth, spiked.added)
            yield {"tumours": hosts.name, "truth": truth.name, "axis": axis, **found}


def draw(shown: list[Spiked], reference: Reference, path: Path) -> None:
    """Scores against the amount added: raw above, adjusted below, colour = truth above its median."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, len(shown), figsize=(4 * len(shown), 7), squeeze=False)
    for column, spiked in enumerate(shown):
        result, truth = run(spiked.tpm, reference), spiked.truths[0]
        axis = truth.axes[0]
        colours = np.where(truth.is_high, "tab:red", "tab:grey")
        scores = {"raw": raw_score(result, axis), "adjusted": result.profiles.axis(axis).score}
        for panel, (kind, values) in zip(panels[:, column], scores.items(), strict=True):
            panel.scatter(100 * spiked.added, values, c=colours, s=6)
            panel.set_xscale("log")
            panel.set_xticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
            panel.minorticks_off()
            panel.set_title(f"{axis}, {kind}\nred: {truth.name}, upper half", fontsize=9)
    figure.supxlabel("RNA of the cells added, % of the mix")
    figure.supylabel("score")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Parse the command line, measure, print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--wheels", type=Path, default=WHEELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 110)))
    parser.add_argument("--cells", type=int, default=CELLS_PER_PROFILE)
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    typed = typed_cells(args.cohorts)
    if typed is None:
        return
    pools = {str(kind): cells for kind, cells in typed[0].groupby(typed[1])}
    reference, rows, shown = load_reference(), [], []
    for hosts in all_hosts(args.cohorts, args.wheels, pools, reference):
        print(
            f"{hosts.name}: {len(hosts.tpm)} tumours, own T cells {np.median(hosts.own_t):.2%},"
            f" own macrophages {np.median(hosts.own_macrophages):.2%} of the RNA (medians)"
        )
        for seed in args.seeds:
            for question in QUESTIONS:
                spiked = spike(hosts, pools, question, args.cells, seed=seed)
                rows += list(measure(hosts, spiked, reference))
                if len(shown) < len(QUESTIONS):
                    shown.append(spiked)
    if not rows:
        return
    table = pd.DataFrame(rows).groupby(["tumours", "truth", "axis"], sort=False)
    spread = table[["AUROC", "R2", "corr", "low"]].std().add_prefix("SD ")
    pd.set_option("display.width", 250, "display.max_rows", 200, "display.max_columns", 30)
    print(table.mean().join(spread).round(3).to_string())
    args.out.mkdir(parents=True, exist_ok=True)
    draw(shown, reference, args.out / "percell.png")


if __name__ == "__main__":
    main()
