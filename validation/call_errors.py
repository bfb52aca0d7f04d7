"""Measure how often a call that is made on poorer data is false.

    python validation/call_errors.py [--wheels build/wheels] [--draws 4]

Every fifth tumour of the reference is profiled as it is. Its scores count as the truth. Then 30 % of all
genes are removed at random, the reads of the others are thinned to 5 million, and it is profiled again. Each
draw removes other genes. One row an axis that has calls, and one over all axes:

n detected         calls ``detected`` in the poorer data, over all draws
below threshold    share of these whose true score is below the threshold of the axis: false calls
below 0            share of these whose true score is below the centre of the reference
truly above        true scores above the threshold, over all draws
detected, …        share of these with each call in the poorer data

Pairs without a true score do not count. The mean over axes counts each axis with a call ``detected`` once.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import shared_cohorts as shared
from intervals import READS, as_cohort, counts_of, lengths_of, with_genes

from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort

EVERY = 5
LOST_GENES = 0.3
DEPTH = 5_000_000
CALLS = ("detected", "borderline", "not_detected", "not_evaluable")
ALL = "all axes"
FALSE, BELOW_CENTRE, TRUE = "below threshold", "below 0", "truly above"


def every_fifth(cohort: HarmonisedCohort) -> HarmonisedCohort:
    """Every fifth tumour."""
    rows = list(range(0, len(cohort.samples), EVERY))
    return shared.in_memory(cohort, shared.values_of(cohort)[rows], rows=rows)


def poorer(cohort: HarmonisedCohort, seed: int) -> HarmonisedCohort:
    """The same tumours with fewer genes and reads."""
    rng, n = np.random.default_rng(seed), len(cohort.gene_symbols)
    fewer = with_genes(cohort, rng.permutation(n) >= round(LOST_GENES * n))
    length = lengths_of(fewer)
    counts = counts_of(fewer, length).astype(np.int64)
    thinned = rng.binomial(counts, DEPTH / READS).astype(np.float64)
    return as_cohort(fewer, thinned, length)


def pairs(truth: pd.DataFrame, found: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """True score, threshold and call of every sample, by axis; samples without a true score are left out."""
    for axis in load_design().catalogue.axes:
        call = found[f"{axis.axis}_call"].fillna("")
        if call.ne("").any():
            table = {"axis": axis.axis, "score": truth[axis.axis], "threshold": axis.threshold, "call": call}
            yield pd.DataFrame(table).dropna(subset="score")


def share(is_counted: pd.Series) -> float:
    """Share of some samples; NaN where there are none."""
    return float(is_counted.mean()) if len(is_counted) else float("nan")


def figures(table: pd.DataFrame) -> dict[str, float]:
    """Errors of the calls of one axis or of several."""
    called = table[table["call"] == "detected"]
    above = table[table["score"] > table["threshold"]]
    return {
        "n detected": len(called),
        FALSE: share(called["score"] < called["threshold"]),
        BELOW_CENTRE: share(called["score"] < 0),
        TRUE: len(above),
        **{call: share(above["call"] == call) for call in CALLS},
    }


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One row an axis, and one over all."""
    rows = {str(axis): figures(group) for axis, group in table.groupby("axis", sort=False)}
    return pd.DataFrame.from_dict({**rows, ALL: figures(table)}, orient="index")


def measure(tumours: HarmonisedCohort, draws: int) -> pd.DataFrame:
    """True scores and calls of all draws."""
    truth = shared.table_of(tumours)
    found = (shared.table_of(poorer(tumours, seed)) for seed in range(draws))
    return pd.concat([part for table in found for part in pairs(truth, table)], ignore_index=True)


def main() -> None:
    """Print the table and the mean share of false calls."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheels", type=Path, default=shared.WHEELS)
    parser.add_argument("--draws", type=int, default=4)
    args = parser.parse_args()
    reference = shared.reference_tumours(args.wheels)
    if reference is None:
        return
    tumours = every_fifth(reference)
    found = summary(measure(tumours, args.draws))
    print(f"{len(tumours.samples)} tumours, {args.draws} draws")
    form = dict.fromkeys(("n detected", TRUE), "{:.0f}".format)
    print(found.to_string(float_format="{:.2f}".format, formatters=form, na_rep="—"))
    mean = found.drop(index=ALL)[[FALSE, BELOW_CENTRE]].mean()
    print(f"mean over axes of false calls: {mean[FALSE]:.3f}; below 0: {mean[BELOW_CENTRE]:.3f}")


if __name__ == "__main__":
    main()
