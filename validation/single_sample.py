"""Score every sample of a cohort alone, shuffled and in another unit, and compare the numbers.

    python validation/single_sample.py --matrix expression.parquet --units tpm

Prints the largest difference of any number in ``profiles.parquet`` and ``scores.parquet``; fails above 1e-9
for samples alone, above 1e-6 for shuffled genes and samples and for log2(x+1) instead of the linear unit.
Published scores that compare the samples of a cohort by definition (scope ``cohort``) are left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from escape_score.cli import main as escape_score
from escape_score.score.published import load_published

TABLES = ("profiles", "scores")
OUT = Path(__file__).parents[1] / "build" / "validation"
NOTHING = 1e-17
LIMITS = {"alone": 1e-9, "shuffled": 1e-6, "log2(x+1)": 1e-6}


def run(matrix: pd.DataFrame, unit: str, folder: Path) -> pd.DataFrame:
    """Run the program on a matrix and return all its numbers by sample."""
    path = folder / "matrix.parquet"
    matrix.to_parquet(path)
    code = escape_score(
        ["run", str(path), "--units", unit, "--out", str(folder / "o"), "--no-reports", "--quiet"]
    )
    if code:
        sys.exit(code)
    tables = {
        name: pd.read_parquet(folder / "o" / f"{name}.parquet").set_index("sample_id") for name in TABLES
    }
    is_joint = [("scores", f"published:{s.score_id}") for s in load_published().scores if s.scope == "cohort"]
    return pd.concat(tables, axis=1).select_dtypes("number").drop(columns=is_joint, errors="ignore")


def largest_difference(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """Largest absolute difference; infinite where only one has a number."""
    b = b.loc[a.index, a.columns]
    if (a.isna() != b.isna()).any().any():
        return float("inf")
    return float(np.nanmax(np.abs(a.to_numpy() - b.to_numpy())))


def differences(matrix: pd.DataFrame, unit: str) -> dict[str, float]:
    """Largest difference of each comparison."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort = run(matrix, unit, folder)
        alone = max(largest_difference(run(matrix[[s]], unit, folder), cohort) for s in matrix.columns)
        shuffled = matrix.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
        out = {"alone": alone, "shuffled": largest_difference(run(shuffled, unit, folder), cohort)}
        if unit == "tpm":
            out["log2(x+1)"] = largest_difference(run(np.log2(matrix + 1), "log2(x+1)", folder), cohort)
    return out


def plot(found: dict[str, float], path: Path) -> None:
    """Draw the largest difference of each comparison beside its limit; none lies at the left edge."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 2.5), layout="constrained")
    axes.plot([max(value, NOTHING) for value in found.values()], list(found), "o", label="largest difference")
    axes.plot([LIMITS[what] for what in found], list(found), "|", markersize=20, label="limit")
    axes.set_xscale("log")
    axes.set_xlim(NOTHING / 2, 1e-5)
    axes.legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


def main() -> int:
    """Print the differences; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matrix", type=Path, required=True)
    parser.add_argument("--units", default="tpm")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    found = differences(pd.read_parquet(args.matrix).astype("float64"), args.units)
    for what, difference in found.items():
        print(f"{what}: {difference:.1e} (limit {LIMITS[what]:.0e})")
    plot(found, args.out / "single_sample.png")
    return int(any(difference > LIMITS[what] for what, difference in found.items()))


if __name__ == "__main__":
    sys.exit(main())
