"""Compare the bundled tumours with low MLH1 to the others, mechanism by mechanism.

    python validation/demo_contrast.py [RESULTS]

RESULTS is the folder of a run over ``resources/demo`` (``make demo`` writes it; the default).

MLH1-silenced colorectal tumours are mostly MSI-high: inflamed, yet edited by the immune system. So
``effector_absence`` must be lower in them (AUROC < 0.5) and ``mhc1_weakest_link`` higher (AUROC > 0.5); the
script fails where that is not so. ``mmr_deficiency`` is high by construction, since it is made of MLH1. 95 %
intervals: DeLong would be narrower; these are Hanley and McNeil's (1982,
doi:10.1148/radiology.143.1.7063747).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
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


def contrast(profiles: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """AUROC of every axis and the index for the tumours with low MLH1."""
    axes = [name.removesuffix("_call") for name in profiles.columns if name.endswith("_call")]
    is_low = labels.reindex(profiles.index) == "low"
    rows = []
    for axis in [*axes, "immunoresistance_index"]:
        area, error = auroc(profiles.loc[is_low, axis], profiles.loc[~is_low, axis])
        rows.append((axis, area, area - 1.96 * error, area + 1.96 * error))
    return pd.DataFrame(rows, columns=["axis", "AUROC", "low", "high"]).set_index("axis")


def main() -> int:
    """Print the table; 1 where known biology is not seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="?", default=ROOT / "results" / "demo-coadread")
    results = parser.parse_args().results
    profiles = pd.read_parquet(results / "profiles.parquet").set_index("sample_id")
    labels = pd.read_csv(ROOT / "resources" / "demo" / "samples.tsv", sep="\t", index_col="sample_id")
    table = contrast(profiles, labels["mlh1_expression"])
    print(table.to_string(float_format="{:.2f}".format))
    is_seen = table.loc["effector_absence", "AUROC"] < EVEN < table.loc["mhc1_weakest_link", "AUROC"]
    print("as expected:", ", ".join(f"{axis} {way}" for axis, way in EXPECTED.items()), "->", bool(is_seen))
    return 0 if is_seen else 1


if __name__ == "__main__":
    sys.exit(main())
