"""Measure what ``--reference auto`` gives, against the fixed reference that was the default before.

    python validation/references.py --cohorts DIR [--tables DIR] [--wheels DIR]

Prints the tables of docs/references.md:

1. Cohorts with nothing declared but the unit: share of calls that are not evaluable and of samples whose
   levels can be read, against ``tcga-coadread-v1`` and by default; the reference taken; AUROC of the index
   for non-response; agreement of phenotypes with pathology.
2. Held-out halves of tumour types: a reference fitted on one half, the other half profiled against it.
3. Groups of two pipelines: the gap of every cohort alone, and how often two cohorts mixed are told apart.
4. How far a shift of every gene moves the place of a tumour among the reference's own: by mean z, by rank,
   and by the ratio of two sets.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import shared_cohorts as shared
from phenotype import WORDS, agreement
from response import is_used
from scipy import stats

import escape_score as es
from escape_score.fit import ReferenceLabel, fit_reference, with_rows
from escape_score.fit.batches import _gap, _refined, _splits
from escape_score.fit.survey import survey
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.cohort import FloatArray, HarmonisedCohort
from escape_score.model.record import Status
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiling import profile_scores, score
from escape_score.profile.index import profile_index
from escape_score.reference.known import DEFAULT_REFERENCE
from escape_score.reference.read import load_reference

UNITS = {
    **shared.UNITS,
    "lauss2017_act": "log2(x+1)",
    "limagne2_nsclc": "log2(x+0.001)",
    "mariathasan2018_full86": "log2(x+0.001)",
}
PHENOTYPE = "Immune.phenotype"
CONTEXT = ("antigen_loss_call", "mmr_deficiency_call")
READABLE = (Status.REFERENCE_MATCHED, Status.COHORT_RELATIVE)
FEWEST = 5
REPEATS = 3
SHIFTS = (0.5, 1.0, 1.5)
"""SD of the shift of every gene, log2."""


def not_evaluable(table: pd.DataFrame) -> float:
    """Share of calls that are not evaluable; context axes are not called."""
    calls = table.filter(regex="_call$").drop(columns=list(CONTEXT))
    return float((calls == "not_evaluable").mean().mean())


def auroc_of_index(result: es.Profiles, labels: pd.DataFrame) -> float:
    """AUROC of the index for non-response, before it is withheld; NaN where too few have a label."""
    if "response" not in labels:
        return float("nan")
    raw = profile_index(result.maker.context).raw
    used = is_used(labels) & ~np.isnan(raw)
    is_resistant = (labels["response"] == "NR").to_numpy()[used]
    if min(is_resistant.sum(), (~is_resistant).sum()) < FEWEST:
        return float("nan")
    one, other = raw[used][is_resistant], raw[used][~is_resistant]
    return float(stats.mannwhitneyu(one, other).statistic / (len(one) * len(other)))


def kappa(table: pd.DataFrame, labels: pd.DataFrame) -> float:
    """Agreement of phenotypes with pathology; NaN where the cohort has no such label."""
    if PHENOTYPE not in labels:
        return float("nan")
    known = labels[PHENOTYPE].isin(WORDS).to_numpy()
    return agreement(labels[PHENOTYPE].to_numpy(object)[known], table["phenotype"].to_numpy(object)[known])[0]


def of_cohorts(folder: Path) -> Iterator[dict[str, object]]:
    """One row a cohort: the reference that was the default before, and the default now."""
    for name, unit in UNITS.items():
        path = folder / name / "expression.parquet"
        if not path.is_file():
            print(f"{name}: not in {folder}, skipped")
            continue
        cohort = es.read(path, units=unit)
        labels = shared.labels_of(folder / name, cohort.sample_ids)
        row: dict[str, object] = {"cohort": name, "n": len(cohort.sample_ids)}
        for when, reference in (("before", DEFAULT_REFERENCE), ("now", "auto")):
            result = es.profile(cohort, reference=reference, published=False)
            table = result.to_frame()
            row |= {
                f"not evaluable, {when}": f"{not_evaluable(table):.3f}",
                f"readable, {when}": f"{table['status'].isin(READABLE).mean():.2f}",
                f"AUROC, {when}": f"{auroc_of_index(result, labels):.3f}",
                f"kappa, {when}": f"{kappa(table, labels):.2f}",
            }
            row["taken"] = result.reference.name
        yield row


def tumours_of(tables: Path) -> Iterator[HarmonisedCohort]:
    """The tumours of each small shipped reference."""
    builder = shared.builder()
    for small in builder.SMALL_REFERENCES:
        values = builder.read_table(tables, small)
        cohort = builder.make_cohort(values, name=small.name, unit=ExpressionUnit.TCGA_RSEM)
        found = harmonise(cohort)
        yield shared.in_memory(found, shared.values_of(found))


def halves(cohorts: Sequence[HarmonisedCohort]) -> Iterator[dict[str, object]]:
    """Fit on one half, profile the other."""
    base, design = load_reference(), load_design()
    for cohort in cohorts:
        matched, missing, n = [], [], len(cohort.sample_ids)
        for repeat in range(REPEATS):
            order = np.random.default_rng(repeat).permutation(n)
            fitted, held = (with_rows(cohort, sorted(rows)) for rows in (order[: n // 2], order[n // 2 :]))
            label = ReferenceLabel("half", "", "", "")
            reference = fit_reference(fitted, base, design=design, label=label, min_samples=10)
            table = profile_scores(score(held, reference), reference).to_frame()
            matched.append((table["status"] == Status.REFERENCE_MATCHED).mean())
            missing.append(not_evaluable(table))
        yield {
            "type": cohort.name,
            "held out": n - n // 2,
            "matched": f"{np.mean(matched):.2f}",
            "not evaluable": f"{np.mean(missing):.3f}",
        }


def anchors_of(cohort: HarmonisedCohort) -> pd.DataFrame:
    """Anchors of a cohort, placed on the default reference."""
    base = load_reference()
    seen = survey(cohort, base.genes.symbols, load_design())
    alignment, placed = seen.placed(base)
    names = np.array(alignment.symbols)[alignment.is_anchor]
    return pd.DataFrame(placed.log2_tpm[:, alignment.is_anchor], columns=names)


def gap_of(values: FloatArray) -> tuple[float, npt.NDArray[np.bool_]]:
    """Largest gap of two groups."""
    limits = load_design().thresholds.auto
    whole = values[:, ~np.isnan(values).any(axis=0)]
    groups = [_refined(whole, first, limits) for first in _splits(whole, limits)]
    return max(((_gap(whole, first), first) for first in groups), key=lambda one: one[0])


def gaps(cohorts: Sequence[HarmonisedCohort]) -> None:
    """Print gaps of cohorts alone and in pairs."""
    limit = load_design().thresholds.auto.batch_gap
    anchors = {cohort.name: anchors_of(cohort) for cohort in cohorts}
    alone = {name: gap_of(table.to_numpy())[0] for name, table in anchors.items()}
    print("gap of one cohort: " + ", ".join(f"{name} {gap:.1f}" for name, gap in alone.items()))
    found = {}
    for one, other in itertools.combinations(anchors, 2):
        both = pd.concat([anchors[one], anchors[other]], join="inner")
        if both.shape[1] >= load_design().thresholds.auto.batch_anchors:
            found[f"{one} + {other}"] = gap_of(both.to_numpy())[0]
    apart = [name for name, gap in found.items() if gap >= limit]
    print(f"pairs: {len(apart)} of {len(found)} have a gap of {limit:g} or more; the others: ")
    print("\n".join(f"  {name}: {gap:.1f}" for name, gap in found.items() if gap < limit))


def place(values: FloatArray, among: FloatArray) -> FloatArray:
    """Percent of some values below each."""
    return np.asarray((values[:, None] > among[None, :]).mean(axis=1) * 100)


def shifts(cohort: HarmonisedCohort) -> Iterator[dict[str, object]]:
    """How far a shift of every gene moves percentiles of sixty tumours among the others."""
    reference, design, rng = load_reference(), load_design(), np.random.default_rng(0)
    values = shared.values_of(cohort)
    values = values[~np.isnan(values).any(axis=1)]
    at = {symbol: i for i, symbol in enumerate(cohort.gene_symbols)}
    sets = {name: [at[g] for g in genes if g in at] for name, genes in design.components.items()}
    sets = {name: columns for name, columns in sets.items() if len(columns) > 2}
    test = rng.choice(len(values), 60, replace=False)
    rest = np.setdiff1d(np.arange(len(values)), test)
    genes = reference.genes
    known = [at[s] for s in genes.symbols if s in at]
    location, spread = (np.full(values.shape[1], np.nan) for _ in range(2))
    where = [i for i, s in enumerate(genes.symbols) if s in at]
    location[known], spread[known] = genes.location[where], genes.spread[where]
    anchors = [at[genes.symbols[i]] for i in where if genes.is_anchor[i]]

    def z(rows: FloatArray) -> FloatArray:
        offset = np.median(rows[:, anchors] - location[anchors], axis=1, keepdims=True)
        placed = np.log2(np.maximum((np.exp2(rows) - 1) * np.exp2(-offset), 0) + 1)
        return np.asarray(np.clip((placed - location) / spread, -5, 5))

    def ranks(rows: FloatArray) -> FloatArray:
        return np.asarray(stats.rankdata(rows, axis=1) / rows.shape[1])

    def ratio(scaled: FloatArray, numerator: str, denominator: str, slope: float) -> FloatArray:
        both = (np.nanmean(scaled[:, sets[name]], axis=1) for name in (numerator, denominator))
        one, other = both
        return np.asarray(one - slope * other)

    for sd in SHIFTS:
        moved = np.exp2(rng.normal(0, sd, values.shape[1]))
        other = np.log2(np.maximum((np.exp2(values[test]) - 1) * moved, 0) + 1)
        row: dict[str, object] = {"SD of the shift, log2": sd}
        for name, way in (("mean z", z), ("rank", ranks)):
            before, after = way(values), way(other)
            row[name] = np.mean(
                [
                    np.abs(
                        place(
                            np.nanmean(after[:, columns], axis=1),
                            np.nanmean(before[rest][:, columns], axis=1),
                        )
                        - place(
                            np.nanmean(before[test][:, columns], axis=1),
                            np.nanmean(before[rest][:, columns], axis=1),
                        )
                    ).mean()
                    for columns in sets.values()
                ]
            ).round(1)
        before, after = z(values), z(other)
        moves = []
        for one in design.catalogue.contrasts:
            if one.numerator in sets and one.denominator in sets:
                args = (one.numerator, one.denominator, reference.slopes[one.contrast])
                among = ratio(before[rest], *args)
                moves.append(
                    np.abs(place(ratio(after, *args), among) - place(ratio(before[test], *args), among))
                )
        row["ratio of two sets"] = np.mean(moves).round(1)
        yield row


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--tables", type=Path)
    parser.add_argument("--wheels", type=Path, default=shared.WHEELS)
    args = parser.parse_args()
    table = pd.DataFrame(list(of_cohorts(args.cohorts)))
    print(table.to_string(index=False))
    for when in ("before", "now"):
        print(f"mean AUROC of the index, {when}: {table[f'AUROC, {when}'].astype(float).mean():.3f}")
    small = list(tumours_of(args.tables)) if args.tables else []
    if small:
        print(pd.DataFrame(list(halves(small))).to_string(index=False))
    folders = [
        args.cohorts / name for name in UNITS if (args.cohorts / name / "expression.parquet").is_file()
    ]
    gaps([*(shared.from_folder(one, UNITS[one.name]) for one in folders), *small])
    tumours = shared.reference_tumours(args.wheels)
    if tumours is not None:
        print(pd.DataFrame(list(shifts(tumours))).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
