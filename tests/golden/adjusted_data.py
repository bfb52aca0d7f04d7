"""Make adjusted_data.tsv: made-up patients with covariates and treatments, for make_adjusted.R.

python tests/golden/adjusted_data.py tests/golden/adjusted_data.tsv
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

N = 240


def made() -> pd.DataFrame:
    """Response and survival follow the score in one arm, and covariates in both; some values are missing."""
    random = np.random.default_rng(11)
    score, purity = random.normal(50, 12, N), random.uniform(0.2, 0.9, N)
    arm, site = random.integers(0, 3, N), random.integers(0, 3, N)
    z = (score - score.mean()) / score.std()
    effect = z * np.array([0.2, -0.9, 0.1])[arm] + 1.5 * purity + 0.4 * site - 1.2
    responds = random.random(N) < 1 / (1 + np.exp(-effect))
    days = np.ceil(random.exponential(500 * np.exp(0.5 * effect - 0.3 * (arm == 1)))) + 1
    limit = random.uniform(100, 1500, N)
    table = pd.DataFrame(
        {
            "score": score.round(3),
            "purity": purity.round(3),
            "age": random.integers(35, 85, N),
            "site": np.array(["liver", "lung", "node"])[site],
            "arm": np.array(["anti-PD1", "chemo", "combination"])[arm],
            "response": np.where(responds, "R", "NR"),
            "days": np.minimum(days, np.ceil(limit)).astype(int),
            "event": (days <= limit).astype(int),
        }
    )
    return table.mask(random.random((N, 8)) < np.array([0.02, 0.05, 0.0, 0.03, 0.03, 0.0, 0.0, 0.0]))


if __name__ == "__main__":
    made().astype({"age": int, "days": int, "event": int}).to_csv(sys.argv[1], sep="\t", index=False)
