"""Compare what the program reports with what is known to be true of public samples.

    python validation/truth.py --cohorts DIR [--wheels build/wheels] [--seeds 10] [--draws 15]

DIR holds one folder a cohort with ``expression.parquet`` (genes × samples) and ``samples.tsv``. Missing
cohorts and wheels are reported and skipped. None of it is part of the project. Every row of the table is one
fact: what is known, the figure that the program reports, and the number of samples or repeats.

interferon     Epithelium under interferons makes more MHC class I. A loss that is detected there is false. A
               score is at fault where its own genes rise by more than 1 SD (``A_raw``) and it falls by more
               than its error. For a loss the signs are the other way round. The error is half the width of
               the 90 % interval within a pipeline, root mean square over both groups.
cell types     Sums of cells of one type. "T*" are the types whose names begin with Tcells; NK cells are among
               them.
PD-L1          Spearman correlation with the level of PD-L1 on immune cells (IC0 < IC1 < IC2+).
6p21           A cohort whose 6p21 genes are under-quantified in all samples. A loss found there is doubtful.
losses         ``losses.py``: losses put into tumours as they are. Mean and SD over seeds. The loss of a gene
               that the fit leaves out of the reference cannot be seen.
reference      How many mechanisms are detected in the tumours of the reference.
pathology      Cohen's kappa of the phenotype, with a reference of 20 other samples. Mean and SD over draws.
biology        Hypoxia, cell types, and tumours with MSI.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import losses
import numpy as np
import numpy.typing as npt
import pandas as pd
import phenotype as pathology
import shared_cohorts as shared
from mixes import auroc, read_tpm

import escape_score as es
from escape_score.library.axes import load_design
from escape_score.model.axes import Axis
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.units import ExpressionUnit
from escape_score.reference.known import DEFAULT_REFERENCE

INTERFERON, CELLS, HYPOXIA = "hppt_ifn_gse161916", "park2020_crc_celltypes_a", "gse106305_hypoxia_lncap_pc3"
UNDER_QUANTIFIED, MSI = "hugo2016", "tcga_coadread_labels"
PD_L1 = ("imvigor210_subset", "mariathasan2018_full86")
LOSSES = ("vanallen2015", "mariathasan2018_full86")
UNITS = {
    **shared.UNITS,
    INTERFERON: "counts",
    CELLS: "log2(x+1)",
    HYPOXIA: "counts",
    "mariathasan2018_full86": "log2(x+0.001)",
}
INTERFERONS = ("IFNg", "IFNa", "IFNb")
IC_LEVELS = {"IC0": 0, "IC1": 1, "IC2+": 2}
MSI_HIGH = 3.5
MANY_AXES = 5
OTHER_SAMPLES = 20
RAW_RISE_SD = 1.0
NOT_EVALUABLE = "not evaluable"
T_CELLS = ("Tcells",)
LEUKOCYTES = ("Bcells", "Myeloids", "Tcells")
MACROPHAGES = ("MyeloidsProinflammatory", "MyeloidsSPP1", "MyeloidsProliferating")
FIBROBLASTS = ("StromalcellsMyofibroblasts", "StromalcellsStromal")
ENDOTHELIUM = ("StromalcellsStalklikeECs", "StromalcellsTiplikeECs")


@dataclass(frozen=True)
class Row:
    """One fact and what the program reports of it."""

    what: str
    figure: str
    n: str


@dataclass(frozen=True)
class Inputs:
    """Where data are, and how often random parts are repeated."""

    cohorts: Path
    wheels: Path
    seeds: int
    draws: int


def is_there(inputs: Inputs, name: str) -> bool:
    """Whether a cohort is in the folder; a line is printed where it is not."""
    found = (inputs.cohorts / name / "expression.parquet").is_file()
    if not found:
        print(f"{name}: not in {inputs.cohorts}, skipped")
    return found


def profiles_of(inputs: Inputs, name: str) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Table of profiles and labels of a cohort; None where it is not there."""
    if not is_there(inputs, name):
        return None
    folder = inputs.cohorts / name
    cohort = es.read(folder / "expression.parquet", units=UNITS[name], cohort=name)
    table = es.profile(cohort, reference=DEFAULT_REFERENCE, published=False).to_frame()
    return table, shared.labels_of(folder, list(table.index))


@cache
def reference_table(wheels: Path) -> pd.DataFrame | None:
    """Table of profiles of the reference's tumours; None where their wheel is not there."""
    tumours = shared.reference_tumours(wheels)
    return None if tumours is None else shared.table_of(tumours)


def is_detected(table: pd.DataFrame, axis: str) -> pd.Series:
    """Samples in which a mechanism is detected."""
    return table[f"{axis}_call"].eq("detected")


def number(value: float, form: str = ".2f") -> str:
    """A figure as text."""
    return NOT_EVALUABLE if np.isnan(value) else format(value, form)


def mean_and_sd(values: Iterable[float]) -> str:
    """Mean and SD over repeats that have a value."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not known.size:
        return NOT_EVALUABLE
    return f"{known.mean():.2f}" + (f" ± {known.std(ddof=1):.2f}" if known.size > 1 else "")


# Interferon


def interferon_rows(inputs: Inputs) -> Iterator[Row]:
    """Losses that are detected under interferon, and scores that go against their own genes."""
    found = profiles_of(inputs, INTERFERON)
    if found is None:
        return
    table, labels = found
    treatment, is_lost = labels["treatment"], is_detected(table, "mhc1_loss")
    for what, names in (("IFNg", ("IFNg",)), ("IFNa, IFNb or IFNg", INTERFERONS)):
        treated = treatment.isin(names)
        figure = str(int((treated & is_lost).sum()))
        yield Row(f"interferon: mhc1_loss detected under {what} (true: 0)", figure, str(int(treated.sum())))
    without = [axis.axis for axis in adjusted_axes() if f"{axis.axis}_raw" not in table]
    if without:
        print(f"{INTERFERON}: no unadjusted score, not compared with their own genes: {', '.join(without)}")
    for name in INTERFERONS:
        yield opposed_row(table[treatment == name], table[treatment == "untreated"], name)


def adjusted_axes() -> list[Axis]:
    """Axes with an adjusted score."""
    return [axis for axis in load_design().catalogue.axes if axis.adjusted_for is not None]


def opposed_row(treated: pd.DataFrame, untreated: pd.DataFrame, name: str) -> Row:
    """Axes whose score falls although their own genes rise, by name."""
    axes = [axis for axis in adjusted_axes() if f"{axis.axis}_raw" in treated]
    signs = {axis.axis: -1 if all(term.sign < 0 for term in axis.raw_terms) else 1 for axis in axes}
    faults = {axis: opposed(treated, untreated, axis, sign) for axis, sign in signs.items()}
    named = [f"{axis} {change}" for axis, change in faults.items() if change]
    figure = f"{len(named)}" + (f": {', '.join(named)}" if named else "")
    n = f"{len(axes)} of {len(adjusted_axes())} adjusted axes"
    return Row(f"interferon: scores against their own genes, {name} (true: 0)", figure, n)


def opposed(treated: pd.DataFrame, untreated: pd.DataFrame, axis: str, sign: int) -> str:
    """Change of the unadjusted and of the adjusted score where they are opposed; empty where they are not.

    ``sign`` is −1 for an axis whose score falls when its genes rise.
    """
    raw = float(treated[f"{axis}_raw"].mean() - untreated[f"{axis}_raw"].mean())
    change = float(treated[axis].mean() - untreated[axis].mean())
    both = pd.concat([treated, untreated])
    half = (both[f"{axis}_high_within"] - both[f"{axis}_low_within"]) / 2
    error = float(np.sqrt((half**2).mean()))
    is_fault = sign * raw > RAW_RISE_SD and sign * change < -error
    return f"(raw {raw:+.1f}, score {change:+.1f})" if is_fault else ""


# Cell types


@dataclass(frozen=True)
class Contrast:
    """Cell types in which a score must be higher than in others; types are beginnings of names."""

    axis: str
    what: str
    high: tuple[str, ...]
    low: tuple[str, ...] = ("",)


CELL_CONTRASTS = (
    Contrast("mdsc", "myeloid against stromal", ("Myeloids",), ("Stromalcells",)),
    Contrast("exhaustion", "CD8 against other T*", ("TcellsCD8Tcells",), T_CELLS),
    Contrast("treg", "regulatory T cells against the rest", ("TcellsRegulatoryTcells",)),
    Contrast("tam", "macrophages against the rest", MACROPHAGES),
)
BIOLOGY_CONTRASTS = (
    Contrast("stroma", "fibroblasts against the rest", FIBROBLASTS),
    Contrast("angiogenesis", "endothelium against the rest", ENDOTHELIUM),
    Contrast("leukocyte_fraction", "leukocytes against stromal", LEUKOCYTES, ("Stromalcells",)),
)


@cache
def cell_profiles(inputs: Inputs) -> tuple[pd.DataFrame, pd.Series] | None:
    """Table of profiles of sorted cell types, and the types."""
    found = profiles_of(inputs, CELLS)
    return None if found is None else (found[0], found[1]["cell"])


def contrast_row(table: pd.DataFrame, cells: pd.Series, contrast: Contrast) -> Row:
    """AUROC of one contrast, with the samples that have a score on either side."""
    is_high = cells.str.startswith(contrast.high)
    is_low = cells.str.startswith(contrast.low) & ~is_high
    is_known = table[contrast.axis].notna()
    used = is_high | is_low
    area = auroc(table[contrast.axis][used].to_numpy(np.float64), is_high[used].to_numpy())
    sides = (f"{int((side & is_known).sum())} of {int(side.sum())}" for side in (is_high, is_low))
    return Row(
        f"cell types: AUROC of {contrast.axis}, {contrast.what}", number(area), " against ".join(sides)
    )


def cell_rows(inputs: Inputs) -> Iterator[Row]:
    """Scores that exist without their cells, and scores that must be high in one type of cell."""
    found = cell_profiles(inputs)
    if found is None:
        return
    table, cells = found
    without = table["exhaustion"][~cells.str.startswith(T_CELLS)]
    share = number(float(without.notna().mean()))
    yield Row("cell types: share with an exhaustion score, all but T* (true: 0)", share, str(len(without)))
    for contrast in CELL_CONTRASTS:
        yield contrast_row(table, cells, contrast)


# PD-L1 and 6p21


def pd_l1_rows(inputs: Inputs) -> Iterator[Row]:
    """Correlation of checkpoint signalling with PD-L1 on immune cells."""
    for name in PD_L1:
        sheet = inputs.cohorts / name / "samples.tsv"
        if sheet.is_file() and "IC.Level" not in pd.read_csv(sheet, sep="\t", nrows=0):
            print(f"{name}: no column IC.Level in samples.tsv, correlation with PD-L1 skipped")
            continue
        found = profiles_of(inputs, name)
        if found is None:
            continue
        table, labels = found
        level = labels["IC.Level"].map(IC_LEVELS)
        for axis in ("coinhibition", "coinhibition_raw"):
            both = pd.DataFrame({"level": level, "score": table[axis]}).dropna()
            rho = float(both["level"].corr(both["score"], method="spearman"))
            yield Row(f"PD-L1: rho of {axis} with the IC level, {name}", number(rho), str(len(both)))


def locus_rows(inputs: Inputs) -> Iterator[Row]:
    """Losses that are detected where 6p21 is not quantified."""
    found = profiles_of(inputs, UNDER_QUANTIFIED)
    if found is None:
        return
    table, _ = found
    is_flagged = table["flags"].str.split(",").map(lambda flags: "mhc_locus_unquantified" in flags)
    is_called = is_detected(table, "mhc1_loss") | is_detected(table, "mhc1_weakest_link")
    is_deficient = table["archetype"].eq("antigen-presentation-deficient")
    flagged = str(int(is_flagged.sum()))
    yield Row("6p21: samples with mhc_locus_unquantified (true: all)", flagged, str(len(table)))
    called = str(int((is_flagged & is_called).sum()))
    yield Row("6p21: of these, mhc1_loss or mhc1_weakest_link detected", called, flagged)
    deficient = str(int(is_deficient.sum()))
    yield Row("6p21: archetype antigen-presentation-deficient", deficient, str(len(table)))


# Losses put into tumours


def loss_rows(inputs: Inputs) -> Iterator[Row]:
    """How well losses are found that were put into tumours."""
    for name in LOSSES:
        tumours = read_tpm(inputs.cohorts / name, ExpressionUnit(UNITS[name]))
        if tumours is None:
            continue
        found = pd.DataFrame([row for seed in range(inputs.seeds) for row in losses.measure(tumours, seed)])
        for loss, table in found.groupby("loss", sort=False):
            n = f"{table['copies'].iloc[0]} copies × {len(table)}"
            if left_out := frozenset().union(*table["left out"]):
                n += f", left out of a reference: {', '.join(sorted(left_out))}"
            for measure in losses.MEASURES:
                if table[measure].notna().any() or measure == "AUROC":
                    yield Row(f"losses: {measure}, {loss}, {name}", mean_and_sd(table[measure]), n)


# Tumours of the reference


def called_axes(table: pd.DataFrame) -> list[str]:
    """Axes that have calls."""
    axes = [str(column).removesuffix("_call") for column in table if str(column).endswith("_call")]
    return [axis for axis in axes if table[f"{axis}_call"].fillna("").ne("").any()]


def calls_of(table: pd.DataFrame) -> pd.DataFrame:
    """Calls of the axes that have calls, samples × axes."""
    axes = called_axes(table)
    return table[[f"{axis}_call" for axis in axes]].set_axis(axes, axis=1)


def reference_rows(inputs: Inputs) -> Iterator[Row]:
    """How many mechanisms are detected in a tumour of the reference."""
    table = reference_table(inputs.wheels)
    if table is None:
        return
    calls, n = calls_of(table), str(len(table))
    detected = (calls == "detected").sum(axis=1)
    axes = f"of {calls.shape[1]} axes"
    yield Row(f"reference: mean number of axes detected, {axes}", number(float(detected.mean())), n)
    share = number(float((detected >= MANY_AXES).mean()))
    yield Row(f"reference: share with {MANY_AXES} or more detected", share, n)
    borderline = number(float((calls == "borderline").sum(axis=1).mean()))
    yield Row(f"reference: mean number of axes borderline, {axes}", borderline, n)


def call_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Share of each call, one row an axis; an axis without calls has none."""
    calls, words = calls_of(table), ("detected", "borderline", "not_evaluable")
    return pd.DataFrame({word: (calls == word).mean() for word in words}).rename_axis("axis")


# Pathology


def pathology_rows(inputs: Inputs) -> Iterator[Row]:
    """Agreement of the phenotype with pathology, with a reference of 20 other samples."""
    name = pathology.LABELLED
    if not is_there(inputs, name):
        return
    cohort = pathology.harmonised(inputs.cohorts / name)
    labels = shared.labels_of(inputs.cohorts / name, cohort.sample_ids)[pathology.LABEL]
    draws = [pathology_draw(cohort, labels.to_numpy(object), draw) for draw in range(inputs.draws)]
    kappas, shares, sizes = zip(*draws, strict=True)
    n = f"{round(float(np.mean(sizes)))} samples × {len(draws)}"
    yield Row(f"pathology: kappa of those with a phenotype, {name}", mean_and_sd(kappas), n)
    yield Row(f"pathology: share with a phenotype, {name}", mean_and_sd(shares), n)


def pathology_draw(
    cohort: HarmonisedCohort, labels: npt.NDArray[np.object_], draw: int
) -> tuple[float, float, int]:
    """Kappa, share of the labelled samples that have a phenotype, and number of labelled samples."""
    order = np.random.default_rng(draw).permutation(len(labels))
    rest = order[OTHER_SAMPLES:]
    rest = rest[np.isin(labels[rest], pathology.WORDS)]
    reference = pathology.fitted(pathology.of_samples(cohort, order[:OTHER_SAMPLES]))
    found = shared.table_of(pathology.of_samples(cohort, rest), reference)["phenotype"]
    has_one = found.isin(pathology.WORDS).to_numpy()
    kappa = float("nan")
    if has_one.any():
        kappa = pathology.agreement(labels[rest][has_one], found.to_numpy(object)[has_one])[0]
    return kappa, float(has_one.mean()), len(rest)


# Known biology


def hypoxia_rows(inputs: Inputs) -> Iterator[Row]:
    """Change of the hypoxia score under hypoxia, by cell line."""
    found = profiles_of(inputs, HYPOXIA)
    if found is None:
        return
    table, labels = found
    means = table["hypoxia_glycolysis"].groupby([labels["line"], labels["condition"]]).mean()
    for line, group in table.groupby(labels["line"]):
        figure = f"{means[line, 'Normoxia']:+.1f} → {means[line, 'Hypoxia']:+.1f}"
        what = f"biology: hypoxia_glycolysis, normoxia → hypoxia, {line} (true: rises)"
        yield Row(what, figure, str(len(group)))


def biology_cell_rows(inputs: Inputs) -> Iterator[Row]:
    """Scores of cell types that are known to work."""
    found = cell_profiles(inputs)
    if found is not None:
        yield from (contrast_row(*found, contrast) for contrast in BIOLOGY_CONTRASTS)


def msi_rows(inputs: Inputs) -> Iterator[Row]:
    """Mismatch-repair silencing and weakest links in tumours with MSI and in others."""
    folder, table = inputs.cohorts / MSI, reference_table(inputs.wheels)
    if not (folder / "samples.tsv").is_file():
        print(f"{MSI}: not in {inputs.cohorts}, skipped")
        return
    if table is None:
        return
    score = pd.to_numeric(shared.labels_of(folder, list(table.index))["msi_score"], errors="coerce")
    table, is_high = table[score.notna()], score[score.notna()] >= MSI_HIGH
    area = auroc(table["mmr_deficiency"].to_numpy(np.float64), is_high.to_numpy())
    sides = f"{int(is_high.sum())} against {int((~is_high).sum())}"
    yield Row("biology: AUROC of mmr_deficiency, MSI-high against others", number(area), sides)
    is_called = is_detected(table, "mhc1_weakest_link")
    for what, group in (("MSI-high", is_high), ("others", ~is_high)):
        called = str(int((is_called & group).sum()))
        yield Row(f"biology: mhc1_weakest_link detected, {what}", called, str(int(group.sum())))


BLOCKS: tuple[Callable[[Inputs], Iterator[Row]], ...] = (
    interferon_rows,
    cell_rows,
    pd_l1_rows,
    locus_rows,
    loss_rows,
    reference_rows,
    pathology_rows,
    hypoxia_rows,
    biology_cell_rows,
    msi_rows,
)


def printed(rows: list[Row]) -> str:
    """The table, columns aligned."""
    cells = [("what", "figure", "n"), *((row.what, row.figure, row.n) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (" | ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
    return "\n".join(lines)


def main() -> None:
    """Print the table of facts, then the calls of the reference's tumours by axis."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--wheels", type=Path, default=shared.WHEELS)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--draws", type=int, default=15)
    inputs = Inputs(**vars(parser.parse_args()))
    rows = [row for block in BLOCKS for row in block(inputs)]
    print("\n" + printed(rows) if rows else "none of the data is there; nothing was measured")
    table = reference_table(inputs.wheels)
    if table is not None:
        shares = call_shares(table).to_string(float_format="{:.2f}".format)
        print(f"\ncalls in {len(table)} tumours of the reference, shares\n{shares}")


if __name__ == "__main__":
    main()
