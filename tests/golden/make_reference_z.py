"""Make ``reference_z__oracle_proto-0.2.tsv``: axes of four bundled tumours by an independent program.

    python tests/golden/make_reference_z.py ORACLE_FOLDER

The folder holds ``score_prototype.py``, version proto-0.2, the pandas program the design was first measured
with. It shares no code with the engine. It is given the constants of the shipped reference in its own JSON
format, and the tumours in log2(TPM + 1). Losses of MHC class I, and the index that counts one of them, are
judged in another way here and stay out of the comparison.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.library.gene_sets import load_signatures
from escape_score.model.units import ExpressionUnit
from escape_score.read import read_cohort
from escape_score.reference.read import load_reference

HERE = Path(__file__).parent
RESOURCES = HERE.parents[1] / "resources"
GOLDEN = HERE / "reference_z__oracle_proto-0.2.tsv"
PROGRAM = "score_prototype"

TUMOURS = (0, 20, 40, 58)
"""Positions in the bundled cohort, of tumours in which every adjusted score exists."""

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
"""Contrasts and what the oracle calls them."""

COLUMNS = {
    "antigen_loss": "A1_antigen_low",
    "mmr_deficiency": "A1_mmr_deficiency",
    "coinhibition": "A2_coinhibition_adj",
    "coinhibition_raw": "A2_coinhibition_raw",
    "stroma": "A3_stroma_raw",
    "exclusion": "A3_exclusion_adj",
    "wnt": "A3_wnt",
    "angiogenesis": "A3_vegf",
    "exhaustion": "A4_exhaustion_adj",
    "exhaustion_raw": "A4_exhaustion_raw",
    "treg": "A5_treg_adj",
    "mdsc": "A5_mdsc_adj",
    "tam": "A5_tam_adj",
    "suppressive": "A5_suppressive_adj",
    "suppressive_raw": "A5_suppressive_raw",
    "mhc1_loss_raw": "A6_mhc1_loss_raw",
    "mhc2_loss": "A6_mhc2_loss_raw",
    "ifng_machinery": "A6_ifng_machinery_weakest",
    "hypoxia_glycolysis": "A7_hypoxia_glycolysis",
    "adenosine": "A7_adenosine",
    "kynurenine": "A7_kynurenine_adj",
    "arginine": "A7_arginine",
    "lipid": "A7_lipid",
    "autophagy": "A7_autophagy",
    "effector_absence": "A8_effector_low",
    "leukocyte_fraction": "leukocyte_fraction",
    "phenotype": "phenotype3",
}
"""Columns of ``profiles.tsv`` and what the oracle calls them."""


def oracle_constants() -> dict[str, Any]:
    """Put the shipped reference into the oracle's JSON."""
    reference, thresholds, library = load_reference(), load_thresholds(), load_signatures()
    chains = {signature.signature_id: list(signature.gene_symbols) for signature in library.components}
    lists = ("mhc_region_genes", "mhc_region_controls", "mhc1_fallback", "weakest_link_mhc1")
    of_axis = {axis.axis: axis.threshold for axis in load_axis_catalogue().axes}
    theirs = {contrast.contrast: CONTRASTS[contrast.contrast] for contrast in load_axis_catalogue().contrasts}
    symbols = reference.genes.symbols
    return {
        "mu": dict(zip(symbols, reference.genes.location.tolist(), strict=True)),
        "sd": dict(zip(symbols, reference.genes.spread.tolist(), strict=True)),
        "anchors": [s for s, is_anchor in zip(symbols, reference.genes.is_anchor, strict=True) if is_anchor],
        "components": {name: genes for name, genes in chains.items() if name not in lists},
        "alias": {},
        "mhc_region_genes": chains["mhc_region_genes"],
        "mhc_region_controls": chains["mhc_region_controls"],
        "mhc1_fallback": chains["mhc1_fallback"],
        "mhc_siblings": [],
        "wl_mhc1": chains["ifng_machinery"],  # the engine judges these losses in another way
        "wl_ifng": chains["ifng_machinery"],
        "wl_centre": True,
        "weakest_link": {
            gene: [fit.ifng_slope, fit.leukocyte_slope, fit.intercept, fit.spread]
            for gene, fit in reference.weakest_links.items()
        },
        "qc": {
            "mhc_ctrl_log2": thresholds.locus.mhc_control_log2,
            "ref_anchor_mad": reference.anchor_distance,
        },
        "slopes": {theirs[name]: slope for name, slope in reference.slopes.items()},
        "contrasts": {
            theirs[c.contrast]: [c.numerator, c.denominator] for c in load_axis_catalogue().contrasts
        },
        "leuk_cap": reference.constants.leukocyte_cap_tpm,
        "mhc_per_leuk": dict(reference.constants.mhc_per_leukocyte_unit),
        "ifng_expect": reference.constants.ifng_factor,
        "ref_stats": {theirs.get(name, name): list(pair) for name, pair in reference.term_stats.items()},
        "index": list(reference.index_stats),
        "tech_sd": thresholds.intervals.technical_sd,
        "archetype": {
            "T": thresholds.phenotype.phenotype_t,
            "S": thresholds.phenotype.phenotype_stroma,
            "ST": thresholds.phenotype.phenotype_stroma_over_t,
            "exh": of_axis["exhaustion"],
            "sup": of_axis["suppressive"],
            "mhc": of_axis["mhc1_loss"],
            "wl": of_axis["mhc1_weakest_link"],
        },
    }


def import_oracle(folder: Path) -> ModuleType:
    """Import the oracle with the constants of the shipped reference."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(shutil.copy(folder / f"{PROGRAM}.py", name))
        path.with_suffix(".json").write_text(json.dumps(oracle_constants()), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(PROGRAM, path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def tumours() -> pd.DataFrame:
    """Genes × the four tumours in log2(TPM + 1)."""
    matrix = RESOURCES / "demo" / "expression.parquet"
    cohort = read_cohort(matrix, cohort="demo", units=ExpressionUnit.COUNTS)
    lengths = RESOURCES / "reference" / "tcga-coadread-v1" / "length_factors.tsv"
    harmonised = harmonise(cohort, gene_lengths=open_gene_lengths(lengths))
    blocks = np.concatenate([harmonised.source.block(i, i + 1) for i in TUMOURS])
    return pd.DataFrame(blocks.T, harmonised.gene_symbols, [harmonised.sample_ids[i] for i in TUMOURS])


def main() -> None:
    """Write the golden file."""
    oracle, matrix = import_oracle(Path(sys.argv[1])), tumours()
    scores = oracle.score(matrix, drop_genes=())
    table = scores[list(COLUMNS.values())].set_axis(list(COLUMNS), axis=1)
    table.rename_axis("sample_id").to_csv(GOLDEN, sep="\t", float_format="%.12g", lineterminator="\n")


if __name__ == "__main__":
    main()
