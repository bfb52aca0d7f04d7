"""Tell how far the index, each axis and published scores go with response to checkpoint inhibitors.

    python validation/response.py --cohorts DIR [--draws 2000]

AUROC for non-response (index and axes: larger = more resistance) or for response (published scores: larger =
more immune), so that above 0.5 is the direction expected of each; with a 95 % interval from bootstrap draws
of patients, responders and others apart. The mean is over the cohorts that have the score. There is no
target, and nothing was tuned to these figures: all of them stand in one table, the index among them. The last
column has the number of patients with a score, over all cohorts. The index is the one before it is withheld.

Left out: samples under treatment, a patient's second tumour, and those without a response. Labels are those
of the cohorts' own sheets (column ``response``: R or NR).

Beside: CYT (Rooney 2015), the T-cell-inflamed profile of 18 genes in its unweighted research form, the
interferon-gamma score of 6 genes (Ayers 2017), as the package writes them; CD8A and CD274 (PD-L1), log2(TPM +
1) of one gene. The package does not write them for a panel, whose values need not be TPM; for the extracts of
1,700 genes, which hold TPM, the mean log2(TPM + 1) of their genes stands in.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import shared_cohorts as shared
from scipy import stats

from escape_score.model.scores import PUBLISHED
from escape_score.score.published import load_published

BESIDE = {
    "CYT": "cyt_geometric_mean",
    "GEP18": "gep18_research",
    "IFN-g 6": "ifng6_ayers",
}
GENES = {"CD8A": "CD8A", "PD-L1": "CD274"}
INDEX = "index"
MEAN = "mean"
SECOND_TUMOURS = frozenset({"Pt27B.baseline"})
"""hugo2016: a patient with two tumours; the first is kept."""

FEWEST = 5
"""Responders, and others, that a cohort needs."""

BoolArray = npt.NDArray[np.bool_]


def is_used(labels: pd.DataFrame) -> BoolArray:
    """Samples that count: before treatment, one a patient, with a response."""
    known = labels["response"].isin(["R", "NR"])
    before = ~labels.index.str.contains("OnTx")
    if "timepoint" in labels:
        before &= labels["timepoint"].str.lower().isin(["pre", ""])
    return np.asarray(known & before & ~labels.index.isin(SECOND_TUMOURS))


def scores_of(folder: Path) -> tuple[pd.DataFrame, BoolArray]:
    """Scores of a cohort, all turned so that larger = its own expectation, and who did not respond."""
    result = shared.profiled(shared.from_folder(folder), has_published=True)
    ids = list(result.cohort.sample_ids)
    columns = {INDEX: result.index.index} | {a.axis: a.score for a in result.profiles.axes}
    published = next(table for table in result.scores.beside if table.name == PUBLISHED)
    symbols, values = result.cohort.gene_symbols, shared.values_of(result.cohort)
    for name, score_id in BESIDE.items():
        score = published.values[:, published.score_ids.index(score_id)]
        if np.isnan(score).all():
            genes = [gene.gene_symbol for gene in load_published().score(score_id).genes]
            score = values[:, np.isin(symbols, genes)].mean(axis=1)
        columns[name] = -score
    for name, gene in GENES.items():
        if gene in symbols:
            columns[name] = -values[:, symbols.index(gene)]
    labels = shared.labels_of(folder, ids)
    used = is_used(labels)
    return pd.DataFrame(columns, index=ids)[used], np.asarray(labels["response"] == "NR")[used]


def auroc(score: npt.NDArray[np.float64], is_positive: BoolArray) -> float:
    """Probability that a positive scores higher than another, ties half; NaN where a group is missing."""
    known = ~np.isnan(score)
    score, is_positive = score[known], is_positive[known]
    n, m = int(is_positive.sum()), int((~is_positive).sum())
    if min(n, m) < FEWEST:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[is_positive].sum() - n * (n + 1) / 2) / (n * m))


def draw(is_positive: BoolArray, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Patients drawn with replacement, responders and others apart."""
    groups = (np.flatnonzero(is_positive), np.flatnonzero(~is_positive))
    return np.concatenate([rng.choice(group, len(group)) for group in groups])


def measure(cohorts: dict[str, tuple[pd.DataFrame, BoolArray]], draws: int) -> pd.DataFrame:
    """AUROC of every score by cohort and their mean, with 95 % intervals."""
    rng, rows = np.random.default_rng(1), []
    drawn = {name: [draw(bad, rng) for _ in range(draws)] for name, (_, bad) in cohorts.items()}
    for score in dict.fromkeys(column for table, _ in cohorts.values() for column in table):
        areas, repeats = {}, {}
        for name, (table, bad) in cohorts.items():
            values = table[score].to_numpy(np.float64) if score in table else np.full(len(bad), np.nan)
            areas[name] = auroc(values, bad)
            if not np.isnan(areas[name]):
                repeats[name] = np.array([auroc(values[i], bad[i]) for i in drawn[name]])
        if not repeats:
            continue
        areas[MEAN], repeats[MEAN] = np.nanmean(list(areas.values())), np.mean(list(repeats.values()), axis=0)
        for name, each in repeats.items():
            rows.append((score, name, areas[name], *np.nanquantile(each, [0.025, 0.975])))
    return pd.DataFrame(rows, columns=["score", "cohort", "AUROC", "low", "high"])


def plot(table: pd.DataFrame, path: Path) -> None:
    """Draw the mean AUROC of every score with its interval."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    mean = table[table["cohort"] == MEAN].iloc[::-1]
    figure, axes = plt.subplots(figsize=(6, 7), layout="constrained")
    is_index = mean["score"] == INDEX
    colours = np.where(is_index, "#a33", np.where(mean["score"].isin([*BESIDE, *GENES]), "#777", "#34618d"))
    axes.hlines(range(len(mean)), mean["low"], mean["high"], colors=list(colours))
    axes.scatter(mean["AUROC"], range(len(mean)), c=list(colours), s=20)
    axes.set_yticks(range(len(mean)), mean["score"])
    axes.axvline(0.5, color="black", linewidth=0.8)
    axes.set_xlabel("AUROC in the direction expected, mean over cohorts, 95 % interval")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=Path)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=shared.OUT)
    args = parser.parse_args()
    cohorts = {folder.name: scores_of(folder) for folder in shared.cohort_folders(args.cohorts)}
    if not cohorts:
        return 0
    for name, (_, bad) in cohorts.items():
        print(f"{name}: {len(bad)} patients, {int((~bad).sum())} with response")
    table = measure(cohorts, args.draws)
    cells = table.assign(
        cell=[
            f"{a:.2f} ({low:.2f}-{high:.2f})" for a, low, high in table[["AUROC", "low", "high"]].to_numpy()
        ]
    )
    order = [*cohorts, MEAN]
    wide = cells.pivot_table(index="score", columns="cohort", values="cell", aggfunc="first", sort=False)
    wide = wide.reindex(columns=order).fillna("-")
    known = sum((scores.notna().sum().reindex(wide.index).fillna(0) for scores, _ in cohorts.values()))
    print(wide.assign(patients=known.astype(int)).to_string())
    plot(table, args.out / "response.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
