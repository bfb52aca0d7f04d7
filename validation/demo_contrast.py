"""Compare tumours with a mismatch-repair defect to others, mechanism by mechanism.

    python validation/demo_contrast.py [RESULTS]
    python validation/demo_contrast.py --cohorts DIR [--wheels build/wheels]

RESULTS is the folder of a run over ``resources/demo`` (``make demo`` writes it; the default): bundled tumours
with low MLH1 against the others. With ``--cohorts`` the 592 tumours of the reference: MSIsensor score ≥ 3.5
against the others, by ``tcga_coadread_labels/samples.tsv`` in DIR (column ``msisensor_high``).

MSI-high colorectal tumours, mostly by MLH1 silencing, are inflamed, yet edited by the immune system. So
``effector_absence`` must be lower in them (AUROC < 0.5) and ``mhc1_weakest_link`` higher (AUROC > 0.5); the
script fails where that is not so. ``mmr_deficiency`` is high in tumours chosen by MLH1, since it is made of
it. 95 % intervals: DeLong would be narrower; these are Hanley and McNeil's (1982,
doi:10.1148/radiology.143.1.7063747).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import shared_cohorts as shared
from scipy import stats

ROOT = Path(__file__).parents[1]
EVEN = 0.5
"""AUROC of no difference."""

EXPECTED = {"effector_absence": "lower", "mhc1_weakest_link": "higher"}


def auroc(low: pd.Series, others: pd.Series) -> tuple[float, float]:
    """Probability that a tumour of the first group scores higher, with its standard error."""
    a, b = low.dropna(), others.dropna()
    area = stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (len(a) - 1) * (q1 - area**2) + (len(b) - 1) * (q2 - area**2)
    return area, float(np.sqrt(variance / (len(a) * len(b))))


def contrast(scores: pd.DataFrame, is_deficient: pd.Series) -> pd.DataFrame:
    """AUROC of every axis and the index for the tumours with the defect."""
    rows = []
    for axis in scores:
        area, error = auroc(scores.loc[is_deficient, axis], scores.loc[~is_deficient, axis])
        rows.append((axis, area, area - 1.96 * error, area + 1.96 * error))
    return pd.DataFrame(rows, columns=["axis", "AUROC", "low", "high"]).set_index("axis")


def bundled(results: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Scores of the bundled tumours, and which have low MLH1."""
    profiles = pd.read_parquet(results / "profiles.parquet").set_index("sample_id")
    axes = [name.removesuffix("_call") for name in profiles.columns if name.endswith("_call")]
    labels = pd.read_csv(ROOT / "resources" / "demo" / "samples.tsv", sep="\t", index_col="sample_id")
    is_low = labels["mlh1_expression"].reindex(profiles.index) == "low"
    return profiles[[*axes, "immunoresistance_index"]], is_low


def reference(folder: Path, wheels: Path) -> tuple[pd.DataFrame, pd.Series] | None:
    """Scores of the reference's labelled tumours, and which are MSI-high; None where they are not there."""
    if not (folder / "samples.tsv").is_file():
        print(f"{folder.name}: not in {folder.parent}, skipped")
        return None
    tumours = shared.reference_tumours(wheels)
    if tumours is None:
        return None
    result = shared.profiled(tumours)
    labels = shared.labels_of(folder, tumours.sample_ids)["msisensor_high"]
    columns = {axis.axis: axis.score for axis in result.profiles.axes}
    columns["immunoresistance_index"] = result.profiles.index.index
    scores = pd.DataFrame(columns, index=list(tumours.sample_ids))
    is_known = labels.isin(["True", "False"])
    return scores[is_known], labels[is_known] == "True"


def plot(table: pd.DataFrame, path: Path) -> None:
    """Draw AUROC and interval of every axis."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    axes.hlines(range(len(table)), table["low"], table["high"], color="#34618d")
    axes.plot(table["AUROC"], range(len(table)), "o", color="#34618d", markersize=4)
    axes.set_yticks(range(len(table)), table.index)
    axes.axvline(EVEN, color="black", linewidth=0.8)
    axes.set_xlabel("AUROC for the tumours with a mismatch-repair defect, 95 % interval")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


def main() -> int:
    """Print the table; 1 where known biology is not seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "results" / "demo-coadread")
    parser.add_argument("--cohorts", type=Path)
    parser.add_argument("--wheels", type=Path, default=shared.WHEELS)
    parser.add_argument("--out", type=Path, default=shared.OUT)
    args = parser.parse_args()
    if args.cohorts is not None:
        found = reference(args.cohorts / "tcga_coadread_labels", args.wheels)
    elif (args.results / "profiles.parquet").is_file():
        found = bundled(args.results)
    else:
        print(f"{args.results}: no results, skipped; make demo writes them")
        found = None
    if found is None:
        return 0
    scores, is_deficient = found
    print(f"{int(is_deficient.sum())} tumours with the defect, {int((~is_deficient).sum())} others")
    table = contrast(scores, is_deficient)
    print(table.to_string(float_format="{:.2f}".format))
    plot(table, args.out / ("msi_demo.png" if args.cohorts is None else "msi_reference.png"))
    is_seen = table.loc["effector_absence", "AUROC"] < EVEN < table.loc["mhc1_weakest_link", "AUROC"]
    print("as expected:", ", ".join(f"{axis} {way}" for axis, way in EXPECTED.items()), "->", bool(is_seen))
    return 0 if is_seen else 1


if __name__ == "__main__":
    sys.exit(main())
