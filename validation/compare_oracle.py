"""Compare the engine with an independent program that scores the same design.

    python validation/compare_oracle.py --oracle DIR --cohorts DIR [--mode own|rebuilt|both]

``--oracle`` holds ``score_prototype.py`` and its constants ``score_prototype.json`` (the program the design
was first measured with); ``--cohorts`` holds folders with ``expression.parquet`` (genes × samples). Neither
is part of the project.

Left out, because they are made in another way here: losses of MHC class I; the index, which counts one;
``coinhibition``, ``mdsc`` and ``kynurenine``, which have other slopes; ``suppressive``, which has ``mdsc`` in
it. The oracle has no domains: an adjusted score is compared in samples where the engine gives one.

own      the engine given the oracle's own constants, gene sets and matrix: largest absolute difference an
         axis; must be ≤ 1e-6. The rule that a class I gene at exactly zero was not counted is switched off:
         the oracle lacks it. Intervals are not compared: the engine's follow another method.
rebuilt  the whole way from the file with the shipped reference and gene names: Spearman correlation an axis;
         must be ≥ 0.98, ≥ 0.90 for the weakest link. What falls below must be explained by names: the
         oracle is given the harmonised matrix (rows of one gene summed, current symbols), and the engine
         leaves out the component genes that the oracle has no values for; then the limits must hold.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from escape_score.library.axes import load_axis_catalogue, load_design, load_thresholds
from escape_score.model.axes import Design
from escape_score.model.cohort import HarmonisedCohort, InMemoryMatrix, SampleRecord
from escape_score.model.profiles import CohortProfiles
from escape_score.model.reference import Reference, ReferenceConstants, ReferenceGenes, WeakestLinkFit
from escape_score.model.signature import Signature
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.profile import build_context, profile_cohort
from escape_score.score import score_signatures

COHORT_UNITS = {
    "vanallen2015": "tpm",
    "hugo2016": "fpkm",
    "liu2019_subset": "log2(x+0.001)",
    "imvigor210_subset": "log2(x+0.001)",
}
CONTRASTS = {
    "coinhibition_per_tcell": "coinh_perT",
    "exhaustion_per_tcell": "exh_perT",
    "treg_per_cd8": "treg_perCD8",
    "mdsc_per_leukocyte": "mdsc_perL",
    "tam_per_leukocyte": "tam_perL",
    "kynurenine_per_tcell": "kyn_perI",
    "caf_ecm_per_effector": "excl",
    "tgfb_per_effector": "tgfb_excl",
}
AXES = {
    "antigen_loss": "A1_antigen_low",
    "mmr_deficiency": "A1_mmr_deficiency",
    "coinhibition_raw": "A2_coinhibition_raw",
    "stroma": "A3_stroma_raw",
    "exclusion": "A3_exclusion_adj",
    "wnt": "A3_wnt",
    "angiogenesis": "A3_vegf",
    "exhaustion": "A4_exhaustion_adj",
    "exhaustion_raw": "A4_exhaustion_raw",
    "treg": "A5_treg_adj",
    "tam": "A5_tam_adj",
    "suppressive_raw": "A5_suppressive_raw",
    "mhc1_loss_raw": "A6_mhc1_loss_raw",
    "mhc2_loss": "A6_mhc2_loss_raw",
    "ifng_machinery": "A6_ifng_machinery_weakest",
    "hypoxia_glycolysis": "A7_hypoxia_glycolysis",
    "adenosine": "A7_adenosine",
    "arginine": "A7_arginine",
    "lipid": "A7_lipid",
    "autophagy": "A7_autophagy",
    "effector_absence": "A8_effector_low",
    "leukocyte_fraction": "leukocyte_fraction",
}
WEAKEST_LINKS = ("ifng_machinery",)
WITH_DOMAIN = ("exclusion", "exhaustion", "treg", "tam")
MAX_DIFFERENCE = 1e-6
MIN_RHO, MIN_RHO_WEAKEST_LINK = 0.98, 0.90


def load_oracle(folder: Path) -> tuple[ModuleType, dict]:
    """Import the oracle and its constants."""
    spec = importlib.util.spec_from_file_location("oracle", folder / "score_prototype.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, json.loads((folder / "score_prototype.json").read_text())


def oracle_reference(constants: dict) -> Reference:
    """Put the oracle's constants into the engine's reference."""
    symbols = tuple(constants["mu"])
    anchors = set(constants["anchors"])
    to_ours = {theirs: ours for ours, theirs in CONTRASTS.items()}
    return Reference(
        name="oracle",
        description="constants of the oracle",
        tumour_type="colorectal",
        assay="RNA-seq",
        n_samples=592,
        genes=ReferenceGenes(
            symbols,
            np.array([constants["mu"][s] for s in symbols]),
            np.array([constants["sd"][s] for s in symbols]),
            np.array([s in anchors for s in symbols]),
        ),
        constants=ReferenceConstants(
            constants["mhc_per_leuk"], constants["leuk_cap"], constants["ifng_expect"]
        ),
        anchor_distance=constants["qc"]["ref_anchor_mad"],
        term_stats={to_ours.get(k, k): tuple(v) for k, v in constants["ref_stats"].items()},
        slopes={ours: constants["slopes"][theirs] for ours, theirs in CONTRASTS.items()},
        weakest_links={gene: WeakestLinkFit(*fit) for gene, fit in constants["weakest_link"].items()},
        index_stats=tuple(constants["index"]),
    )


def engine_on_oracle(matrix: pd.DataFrame, constants: dict, oracle: ModuleType) -> pd.DataFrame:
    """Run the engine on the oracle's own matrix and constants."""
    prepared = oracle._prep(matrix)
    cohort = HarmonisedCohort(
        name="oracle",
        source=InMemoryMatrix(
            tuple(prepared.columns), tuple(prepared.index), prepared.to_numpy(float).T.copy()
        ),
        unit=UnitDecision(ExpressionUnit.TPM, is_declared=True, evidence=""),
        samples=tuple(SampleRecord(sample_id) for sample_id in prepared.columns),
        input_sha256="",
        is_targeted_panel=False,
    )
    components = {name: tuple(genes) for name, genes in constants["components"].items()}
    components["mhc1_fallback"] = tuple(constants["mhc1_fallback"])
    components["weakest_link_mhc1"] = tuple(constants["wl_mhc1"])
    for name in ("mhc_region_genes", "mhc_region_controls"):
        components[name] = tuple(constants[name])
    reference, thresholds = oracle_reference(constants), load_thresholds()
    presentation = thresholds.presentation.model_copy(update={"zero_log2_tpm": -1.0})
    design = Design(
        catalogue=load_axis_catalogue(),
        thresholds=thresholds.model_copy(update={"presentation": presentation}),
        signatures=tuple(Signature(name, genes) for name, genes in components.items()),
        components=components,
    )
    scores = score_signatures(cohort, design.signatures, reference, design=design)
    context = build_context(scores, reference, design)
    profiles = profile_cohort(context)
    return profiles_table(profiles, scores.sample_ids)


def profiles_table(profiles: CohortProfiles, sample_ids: tuple[str, ...]) -> pd.DataFrame:
    """Axes, raw twins and index as a table."""
    columns = {scores.axis: scores.score for scores in profiles.axes}
    columns |= {f"{scores.axis}_raw": scores.raw for scores in profiles.axes if scores.raw is not None}
    columns["leukocyte_fraction"] = profiles.leukocyte_fraction
    columns["immunoresistance_index"] = profiles.index.index
    return pd.DataFrame(columns, index=list(sample_ids))


def largest_differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.Series:
    """Largest absolute difference an axis; infinite where one has a value and the other has none.

    A score that the engine leaves empty by its domain is not compared.
    """
    out = {}
    for axis, column in AXES.items():
        a, b = ours[axis], theirs[column].reindex(ours.index).astype(float)
        is_outside = a.isna() & (axis in WITH_DOMAIN)
        is_opposed = (a.isna() != b.isna()) & ~is_outside
        out[axis] = np.inf if is_opposed.any() else float((a - b).abs().max())
    return pd.Series(out)


def rank_correlations(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.Series:
    """Spearman correlation an axis over samples both have; NaN where neither has any."""
    return pd.Series(
        {
            axis: ours[axis].corr(theirs[column].reindex(ours.index), method="spearman")
            for axis, column in AXES.items()
        }
    )


def run_from_file(matrix: Path, unit: str, out: Path) -> pd.DataFrame:
    """Score a cohort the way a user does, and read the result back."""
    from escape_score.cli import main

    code = main(
        [
            "run",
            str(matrix),
            "--units",
            unit,
            "--out",
            str(out),
            "--no-reports",
            "--cohort",
            matrix.parent.name,
        ]
    )
    if code:
        sys.exit(code)
    return pd.read_parquet(out / "profiles.parquet").set_index("sample_id")


def explained_correlations(matrix: Path, unit: str, constants: dict, oracle: ModuleType) -> pd.Series:
    """Rank correlations once both programs have the same genes under the same names."""
    from escape_score.harmonise import harmonise
    from escape_score.pipeline.profiling import profile_scores, score
    from escape_score.read import read_cohort
    from escape_score.reference.read import load_reference

    cohort = read_cohort(matrix, cohort=matrix.parent.name, units=ExpressionUnit(unit))
    harmonised = harmonise(cohort)
    values = harmonised.source.block(0, len(cohort.sample_ids))
    unknown = {g for genes in load_design().components.values() for g in genes} - set(constants["mu"])
    kept = [i for i, symbol in enumerate(harmonised.gene_symbols) if symbol not in unknown]
    symbols = tuple(harmonised.gene_symbols[i] for i in kept)
    common = replace(harmonised, source=InMemoryMatrix(cohort.sample_ids, symbols, values[:, kept]))
    scores = score(common, load_reference())
    profiles = profile_scores(scores, load_reference()).profiles
    theirs = oracle.score(pd.DataFrame(values[:, kept].T, symbols, cohort.sample_ids), drop_genes=())
    return rank_correlations(profiles_table(profiles, cohort.sample_ids), theirs)


def compare(args: argparse.Namespace) -> bool:
    """Print both comparisons; tell whether all limits were kept."""
    oracle, constants = load_oracle(args.oracle)
    differences, correlations = {}, {}
    for cohort, unit in COHORT_UNITS.items():
        path = args.cohorts / cohort / "expression.parquet"
        raw = pd.read_parquet(path).astype("float64")
        matrix = oracle.to_log2tpm(raw, unit)
        theirs = oracle.score(matrix, drop_genes=())
        if args.mode != "rebuilt":
            ours = engine_on_oracle(matrix, constants, oracle)
            differences[cohort] = largest_differences(ours, theirs)
        if args.mode != "own":
            correlations[cohort] = rank_correlations(run_from_file(path, unit, args.work / cohort), theirs)
    is_good = True
    if differences:
        table = pd.DataFrame(differences)
        print(
            "largest absolute difference, oracle's constants\n"
            + table.to_string(float_format="{:.1e}".format)
        )
        is_good &= bool((table.fillna(0.0) <= MAX_DIFFERENCE).all().all())
    if correlations:
        table = pd.DataFrame(correlations)
        needed = pd.Series(
            [MIN_RHO_WEAKEST_LINK if a in WEAKEST_LINKS else MIN_RHO for a in table.index], table.index
        )
        print("\nSpearman, rebuilt reference\n" + table.to_string(float_format="{:.3f}".format))
        print("below the limit:", below(table, needed))
        plot(table, args.out / "compare_oracle.png")
        same = pd.DataFrame(
            {
                cohort: explained_correlations(
                    args.cohorts / cohort / "expression.parquet", unit, constants, oracle
                )
                for cohort, unit in COHORT_UNITS.items()
            }
        )
        low = sorted({axis for axis, _, _ in below(table, needed)})
        print(
            "\nthe same with equal genes and names\n" + same.loc[low].to_string(float_format="{:.3f}".format)
        )
        print("below the limit with equal genes:", below(same, needed))
        is_good &= not below(same, needed)
    return is_good


def plot(correlations: pd.DataFrame, path: Path) -> None:
    """Draw the rank correlation of every axis, one dot a cohort."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 7), layout="constrained")
    for cohort in correlations:
        axes.plot(correlations[cohort], list(correlations.index), "o", alpha=0.6, label=cohort)
    axes.axvline(MIN_RHO, color="black", linewidth=0.8)
    axes.set_xlabel("Spearman correlation with the other program")
    axes.legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    print(f"plot: {path}")


def below(table: pd.DataFrame, needed: pd.Series) -> list[tuple[str, str, float]]:
    """Axes and cohorts under their limit."""
    low = table.lt(needed, axis=0).stack()
    return [(axis, cohort, round(float(table.loc[axis, cohort]), 3)) for axis, cohort in low[low].index]


def main() -> int:
    """Run the comparison; exit 1 where a limit is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--oracle", type=Path, required=True)
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--mode", choices=("own", "rebuilt", "both"), default="both")
    parser.add_argument("--work", type=Path, default=Path("work/compare_oracle"))
    parser.add_argument("--out", type=Path, default=Path("build/validation"))
    return 0 if compare(parser.parse_args()) else 1


if __name__ == "__main__":
    sys.exit(main())
