"""Find losses of MHC class I in mixes of tumours and immune cells, through the program's own stages.

    python validation/mhc_loss.py --cohorts DIR [--wheels build/wheels] [--seeds 100 101 ...] [--out FOLDER]

Prints one row a design and loss, mean over seeds with the standard deviation between them, and draws
``mhc_loss.png``: scores against the immune share. Of the shipped reference's tumours every second one is
mixed; ``shipped`` scores against the shipped reference, ``other source`` against one whose presentation model
was fitted to the other tumours and starts from the immune cells that are *not* mixed in. Tumours of another
pipeline are scored against either (``single``) and against a reference fitted to the half of them that is not
mixed (``fitted``).

evaluable: samples with a score. corr: correlation of the score with the immune share where nothing is lost.
right gene: among lost samples whose score is above nine tenths of the intact ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from lab_reference import constants_of, fit_on, refit, run
from mixes import Floats, ImmuneSource, Mixes, auroc, blood, colorectal_tumours, immune_cells, mix, read_tpm

from escape_score.library.axes import load_design
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.reference.read import load_reference

SINGLE = {"B2M": ("B2M",), "HLA-A": ("HLA-A",), "TAP": ("TAP1", "TAP2")}


@dataclass(frozen=True)
class Design:
    """One way of mixing and scoring."""

    name: str
    reference: Reference = field(repr=False)
    tumours: pd.DataFrame = field(repr=False)
    source: ImmuneSource = field(repr=False)
    is_induced: bool = False
    seed: int = 0


def colorectal_designs(wheels: Path, sources: list[ImmuneSource], seeds: list[int]) -> Iterator[Design]:
    """Tumours of the shipped reference, each source mixed in, with and without induction."""
    tumours, shipped = colorectal_tumours(wheels), load_reference()
    fitting, mixed = tumours.iloc[1::2], tumours.iloc[0::2]  # the other half served to choose the design
    for source in sources:
        references = {"shipped": shipped}
        for other in sources:
            if other is not source:
                constants = constants_of(other, shipped.constants)
                references["other source"] = refit(shipped, fitting, constants)
        for kind, reference in references.items():
            for is_induced in (False, True):
                name = f"colorectal × {source.name}{' induced' if is_induced else ''}, {kind}"
                for seed in seeds:
                    yield Design(name, reference, mixed, source, is_induced, seed)


def melanoma_designs(
    folder: Path, wheels: Path, sources: list[ImmuneSource], seeds: list[int]
) -> Iterator[Design]:
    """Tumours of another pipeline mixed with blood cells."""
    tumours = read_tpm(folder / "vanallen2015", ExpressionUnit.TPM)
    bloods = [source for source in sources if source.name == "blood"]
    if tumours is None or not bloods:
        return
    shipped = load_reference()
    starts = {"shipped": shipped}
    for other in sources:
        if other not in bloods:
            starts["other source"] = with_constants(shipped, other, wheels)
    for kind, start in starts.items():
        for seed in seeds:
            rows = np.random.default_rng(seed).permutation(len(tumours))
            half = len(tumours) // 2
            mixed, fitting = tumours.iloc[rows[:half]], tumours.iloc[rows[half:]]
            name = f"melanoma × blood, {kind}"
            yield Design(f"{name}, single", start, mixed, bloods[0], seed=seed)
            yield Design(f"{name}, fitted", fit_on(fitting, start), mixed, bloods[0], seed=seed)


def with_constants(shipped: Reference, source: ImmuneSource, wheels: Path) -> Reference:
    """The shipped reference as it would be with one immune source."""
    return refit(shipped, colorectal_tumours(wheels), constants_of(source, shipped.constants))


def measure(design: Design) -> Iterator[tuple[str, dict[str, float], Mixes, Floats]]:
    """Score one design's mixes for every loss."""
    chain = tuple(load_design().components["mhc1"])
    for loss, genes in {"chain": chain, **SINGLE}.items():
        mixes = mix(design.tumours, design.source, genes, seed=design.seed, is_induced=design.is_induced)
        result = run(mixes.tpm, design.reference)
        axis = result.profiles.axis("mhc1_loss" if loss == "chain" else "mhc1_weakest_link")
        yield loss, figures(mixes, axis.score, axis.raw, axis.weakest_gene, genes), mixes, axis.score


def figures(
    mixes: Mixes, score: Floats, raw: Floats | None, gene: np.ndarray, lost: tuple[str, ...]
) -> dict[str, float]:
    """AUROC, evaluable share, correlation with the immune share, and how often the right gene is named."""
    known, intact = ~np.isnan(score), ~mixes.is_lost
    out = {
        "AUROC": auroc(score, mixes.is_lost),
        "AUROC raw": float("nan") if raw is None else auroc(raw, mixes.is_lost),
        "evaluable": float(known.mean()),
        "corr": float("nan"),
        "right gene": float("nan"),
    }
    if (known & intact).sum() > 3:
        out["corr"] = float(np.corrcoef(score[known & intact], mixes.immune_share[known & intact])[0, 1])
        found = known & mixes.is_lost & (score > np.quantile(score[known & intact], 0.9))
        if raw is None and found.any():
            out["right gene"] = float(np.isin(gene[found], lost).mean())
    return out


def draw(points: list[tuple[str, str, Mixes, Floats]], path: Path) -> None:
    """Scores against the immune share: one panel a design, colour = lost or not."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys((name, loss) for name, loss, _, _ in points if loss in {"chain", "B2M"}))
    n_columns = 4
    n_rows = -(-len(names) // n_columns)
    figure, panels = plt.subplots(n_rows, n_columns, figsize=(16, 3 * n_rows), squeeze=False)
    for panel, key in zip(panels.flat, names, strict=False):
        for name, loss, mixes, score in points:
            if (name, loss) == key:
                colours = np.where(mixes.is_lost, "tab:red", "tab:grey")
                panel.scatter(mixes.immune_share, score, c=colours, s=6)
        panel.set_title(f"{key[0]}\n{key[1]} lost (red)", fontsize=7)
    figure.supxlabel("immune share of the RNA")
    figure.supylabel("score")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Parse the command line, measure, print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cohorts", type=Path, required=True)
    parser.add_argument("--wheels", type=Path, default=Path("build/wheels"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 110)))
    parser.add_argument("--out", type=Path, default=Path())
    args = parser.parse_args()
    sources = [source for source in (blood(args.cohorts), immune_cells(args.cohorts)) if source is not None]
    rows, points = [], []
    for designs in (
        colorectal_designs(args.wheels, sources, args.seeds),
        melanoma_designs(args.cohorts, args.wheels, sources, args.seeds),
    ):
        for design in designs:
            for loss, found, mixes, score in measure(design):
                rows.append({"design": design.name, "lost": loss, **found})
                points.append((design.name, loss, mixes, score))
    if not rows:
        return
    table = pd.DataFrame(rows).groupby(["design", "lost"], sort=False)
    pd.set_option("display.width", 220, "display.max_rows", 200, "display.max_colwidth", 60)
    print(table.mean().round(3).join(table["AUROC"].std().round(3).rename("SD of AUROC")).to_string())
    draw(points, args.out / "mhc_loss.png")


if __name__ == "__main__":
    main()
