"""Measure states of single cells: shares of exhausted and regulatory T cells, levels, and their intervals.

    python validation/cells_states.py [--cells DIR] [--wheels build/wheels] [--repeats 20]

Profiles are judged on other cells than those they were made from:

simulated  cells of the shipped profile under rates drawn from its error; the truth differs from the share of
           the cells by the error of definition.
Spectra    T cells with labels, by a profile of the scirpy file alone (``--wheels``).
scirpy     T cells with labels, by a profile of the Spectra file alone.
SCLC       16,475 immune cells of lung cancers, 74 genes, labels (``iatlas_sc_msk_*.feather``, ``--cells``).
           Counts over all genes are not known: 45 times the sum of the 74, from their share of the counts of
           T cells in the Wu 2020 and Qian 2020 files. FOXP3, TOX, CXCL13, LAYN, CD4, CD8A and
           CD8B are not among the genes.
CID4465    myeloid cells of a breast cancer with labels (``wu2021_CID4465.h5ad`` in ``--cells``).

Virtual samples draw cells of two labels at random with a known chance, which is the truth, thinned to x1,
x0.5 and x0.25 of their depth. A row gives error (RMSE), mean difference, share of intervals that hold the
truth, and mean width of the intervals.

Exhausted cells of SCLC have two truths. ``label``: the chance of a cell with the label. ``pool``: the same
chance, where each pool counts with what is found in all of its cells together. The second has no error of
definition: it shows sampling, depth and mixing alone. Three more rows show what labels permit. ``own
rates`` is the same model with rates taken from these labels themselves. ``two genes`` counts cells in which
two exhaustion genes are seen. AUROC at the same depth compares cells of both labels, thinned to 60 counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logit

from escape_score.cells.state_levels import level_of
from escape_score.cells.state_model import Mixture, ShareErrors, evidence_of, shares_of, state_probability
from escape_score.cells.states import EXHAUSTION_GENES
from escape_score.library.axes import load_design
from escape_score.library.cell_states import StateProfiles, load_states
from escape_score.library.files import resource_path

Floats = npt.NDArray[np.float64]
UMI_PER_COUNT = 45
"""Counts over all genes for one count of the 74 genes of the SCLC file."""
DEPTHS = (1.0, 0.5, 0.25)
EXHAUSTED_SHARES = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8)
TREG_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
MEMORY = ("CD8-positive, alpha-beta memory T cell", "effector CD8-positive, alpha-beta T cell")
EXHAUSTED, TREG, CD4 = "exhausted T cell", "regulatory T cell", "CD4-positive, alpha-beta T cell"
OTHER_T = (*MEMORY, EXHAUSTED, CD4, "gamma-delta T cell")
LEAST_COUNTS, SAME_DEPTH = 10, 60


@dataclass(frozen=True, eq=False)
class Labelled:
    """Cells with labels; ``counts`` are whole numbers, so that they can be thinned."""

    counts: npt.NDArray[np.int64] = field(repr=False)
    genes: tuple[str, ...] = field(repr=False)
    n_umi: Floats = field(repr=False)
    labels: npt.NDArray[np.str_] = field(repr=False)

    def rows(self, *starts: str) -> npt.NDArray[np.intp]:
        """Cells whose label starts like one of these."""
        return np.flatnonzero([label.startswith(starts) for label in self.labels])

    def at(self, rows: npt.NDArray[np.intp]) -> Labelled:
        """Some cells."""
        return Labelled(self.counts[rows], self.genes, self.n_umi[rows], self.labels[rows])

    def thinned(self, depth: float, rng: np.random.Generator) -> Labelled:
        """The same cells at a part of their depth."""
        counts = rng.binomial(self.counts, depth) if depth < 1 else self.counts
        return replace(self, counts=counts, n_umi=np.maximum(self.n_umi * depth, 1.0))

    def mixture(self, profiles: StateProfiles) -> Mixture:
        """Counts of the genes of a profile."""
        measured = profiles.measured(frozenset(self.genes))
        at = {gene: column for column, gene in enumerate(self.genes)}
        columns = [at[gene] for gene in measured.gene_symbols]
        return Mixture(self.counts[:, columns].astype(float), self.n_umi, measured)


@dataclass
class Tally:
    """Shares that were found, and the truth."""

    found: list[tuple[float, float, float, float]] = field(default_factory=list)

    def row(self, name: str) -> str:
        """One line of figures."""
        truth, value, low, high = np.array(self.found).T
        inside = ((low <= truth) & (truth <= high)).mean()
        error = np.sqrt(((value - truth) ** 2).mean())
        return (
            f"{name:46s} RMSE {error:.3f}  difference {(value - truth).mean():+.3f}  "
            f"inside {inside:.2f}  width {(high - low).mean():.2f}"
        )


# --------------------------------------------------------------------------- data


def sclc(folder: Path) -> Labelled:
    """The SCLC cells with more than ten counts."""
    counts = pd.read_feather(folder / "iatlas_sc_msk_genes.feather")
    labels = pd.read_feather(folder / "iatlas_sc_msk_umap.feather")["cell_type"].to_numpy(dtype=str)
    genes = tuple(name.replace("HLA.", "HLA-") for name in counts.columns)
    values = counts.to_numpy().astype(np.int64)
    sums = values.sum(axis=1)
    cells = Labelled(values, genes, UMI_PER_COUNT * sums.astype(float), labels)
    return cells.at(np.flatnonzero(sums > LEAST_COUNTS))


def builder() -> ModuleType:
    """The script that made the profiles."""
    path = resource_path("cells", "build_states.py")
    spec = importlib.util.spec_from_file_location("build_states", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def single_source(build: ModuleType, main: object, other: object) -> StateProfiles:
    """Profile of T cells from one source; its error is the difference of two sources."""
    log_rate, counting = build.log_rates(main)
    _, both = build.joined(main, other)
    between = float(np.min(both)) ** 2 / 1.5
    dispersion, marks = build.dispersion_of(main), build.is_marker("t")
    states, genes = tuple(build.MARKERS["t"]), build.genes_of("t")
    return StateProfiles(states, genes, log_rate, np.sqrt(counting + 2 * between), dispersion, marks)


def auroc(is_case: npt.NDArray[np.bool_], score: Floats) -> float:
    """Area under the ROC curve."""
    ranks = pd.Series(score).rank().to_numpy()
    n_case = is_case.sum()
    return float((ranks[is_case].sum() - n_case * (n_case + 1) / 2) / (n_case * (~is_case).sum()))


def chances(cells: Labelled, profiles: StateProfiles, state: str) -> Floats:
    """Probability of a state for each cell."""
    mixture = cells.mixture(profiles)
    found = state_probability(evidence_of(mixture, mixture.profiles.log_rate))
    return found[:, profiles.states.index(state)]


# --------------------------------------------------------------------------- virtual samples


def share(cells: Labelled, profiles: StateProfiles, state: str) -> tuple[float, float, float]:
    """Share of a state with its interval."""
    limits, level = load_design().thresholds.cell_state, load_design().thresholds.intervals.interval_level
    errors = ShareErrors(limits.reference_draws, limits.definition_sd_log_odds, level)
    found = shares_of(cells.mixture(profiles), errors, seed=0)[state]
    return found.value, found.low, found.high


def virtual(
    cells: Labelled,
    pools: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]],
    n_cells: int,
    part: float,
    rng: np.random.Generator,
) -> Labelled:
    """Cells of two kinds, drawn without putting back where there are enough."""
    case, control = pools
    n_case = int(rng.binomial(n_cells, part))
    drawn = rng.choice(case, n_case, replace=n_case > len(case))
    others = rng.choice(control, n_cells - n_case, replace=n_cells - n_case > len(control))
    return cells.at(np.concatenate([drawn, others]))


def virtual_samples(
    draw: Callable[[float, np.random.Generator], Labelled],
    parts: tuple[float, ...],
    repeats: int,
    depth: float,
) -> Iterator[tuple[float, Labelled]]:
    """Samples of each share, thinned."""
    rng = np.random.default_rng(1)
    for part in parts:
        for _ in range(repeats):
            yield part, draw(part, rng).thinned(depth, rng)


def report_treg(
    name: str,
    cells: Labelled,
    profiles: StateProfiles,
    starts: tuple[tuple[str, ...], tuple[str, ...]],
    repeats: int,
) -> None:
    """Regulatory T cells: each cell, and shares; ``starts`` of labels of these and of other T cells."""
    case, control = (cells.rows(*letters) for letters in starts)
    both = cells.at(np.concatenate([case, control]))
    is_case = np.arange(len(both.n_umi)) < len(case)
    print(
        f"{name}: AUROC of a cell {auroc(is_case, chances(both, profiles, 'treg')):.3f} ({len(case)} cells)"
    )
    for n_cells in (100, 400):
        for depth in DEPTHS:
            tally = Tally()
            draw = lambda part, rng, n=n_cells: virtual(cells, (case, control), n, part, rng)  # noqa: E731
            for part, sample in virtual_samples(draw, TREG_SHARES, repeats, depth):
                tally.found.append((part, *share(sample, profiles, "treg")))
            print(tally.row(f"  {name}: Treg, {n_cells} T cells, depth x{depth:g}"))


def report_exhausted(cells: Labelled, profiles: StateProfiles, repeats: int, name: str) -> None:
    """Exhausted CD8 T cells of SCLC."""
    case, control = cells.rows(EXHAUSTED), cells.rows(*MEMORY)
    in_case, in_control = (share(cells.at(rows), profiles, "exhausted")[0] for rows in (case, control))
    print(f"{name}: found in all cells with the label {in_case:.2f}, without {in_control:.2f}")
    for n_cells in (50, 200):
        for depth in DEPTHS:
            label, pool, two = Tally(), Tally(), Tally()
            draw = lambda part, rng, n=n_cells: virtual(cells, (case, control), n, part, rng)  # noqa: E731
            for part, sample in virtual_samples(draw, EXHAUSTED_SHARES, repeats, depth):
                found = share(sample, profiles, "exhausted")
                label.found.append((part, *found))
                seen = float(two_genes(sample, profiles).mean())
                two.found.append((part, seen, seen, seen))
                pool.found.append((part * in_case + (1 - part) * in_control, *found))
            print(label.row(f"  {name}: label, {n_cells} CD8, depth x{depth:g}"))
            print(pool.row(f"  {name}: pool,  {n_cells} CD8, depth x{depth:g}"))
            print(two.row(f"  {name}: two genes, {n_cells} CD8, depth x{depth:g}"))


def two_genes(cells: Labelled, profiles: StateProfiles) -> npt.NDArray[np.bool_]:
    """Cells in which two exhaustion genes are seen."""
    return np.asarray((cells.mixture(profiles).counts > 0).sum(axis=1) > 1)


def report_same_depth(cells: Labelled, profiles: StateProfiles) -> None:
    """How well exhaustion genes separate the labels in cells of one depth."""
    deep = cells.at(cells.rows(EXHAUSTED, *MEMORY))
    deep = deep.at(np.flatnonzero(deep.counts.sum(axis=1) >= SAME_DEPTH))
    rng = np.random.default_rng(4)
    counts = np.array([rng.multivariate_hypergeometric(row, SAME_DEPTH) for row in deep.counts])
    even = replace(deep, counts=counts, n_umi=np.full(len(counts), float(UMI_PER_COUNT * SAME_DEPTH)))
    is_case = deep.labels == EXHAUSTED
    found = auroc(is_case, chances(even, profiles, "exhausted"))
    print(
        f"SCLC: AUROC of the label exhausted by depth alone {auroc(is_case, deep.n_umi):.3f}, "
        f"by the model at the same depth {found:.3f}"
    )


def own_profiles(cells: Labelled) -> StateProfiles:
    """Two states with the rates of these labels themselves."""
    shipped = load_states()["cd8"].measured(frozenset(cells.genes))
    rates = []
    for starts in ((EXHAUSTED,), MEMORY):
        part = cells.at(cells.rows(*starts)).mixture(shipped)
        rates.append(np.log(part.counts.sum(axis=0) / part.n_umi.sum()))
    log_rate = np.array(rates)
    error, dispersion = np.full(log_rate.shape, 0.1), shipped.dispersion[:2]
    return StateProfiles(
        ("exhausted", "other"), shipped.gene_symbols, log_rate, error, dispersion, shipped.is_marker[:2]
    )


def report_simulated(profile: str, state: str, n_cells: int, repeats: int) -> None:
    """Cells of the shipped profile, under rates of another data set drawn from its error."""
    shipped, rng = load_states()[profile], np.random.default_rng(2)
    at, definition = shipped.states.index(state), load_design().thresholds.cell_state.definition_sd_log_odds
    for depth in DEPTHS:
        tally = Tally()
        for part in EXHAUSTED_SHARES:
            for _ in range(repeats):
                shares = np.full(len(shipped.states), (1 - part) / (len(shipped.states) - 1))
                shares[at] = part
                cells = simulated(shipped, shares, n_cells, 4000 * depth, rng)
                elsewhere = expit(logit(part) + definition * rng.standard_normal())
                tally.found.append((elsewhere, *share(cells, shipped, state)))
        print(tally.row(f"  simulated: {state}, {n_cells} cells, {4000 * depth:.0f} UMI"))


def simulated(
    shipped: StateProfiles, shares: Floats, n_cells: int, depth: float, rng: np.random.Generator
) -> Labelled:
    """Cells of all states of a profile, with rates drawn from its error."""
    log_rate = shipped.log_rate + shipped.log_sd * rng.standard_normal(shipped.log_rate.shape)
    state = rng.choice(len(shares), n_cells, p=shares)
    n_umi = depth * np.exp(0.5 * rng.standard_normal(n_cells))
    size = 1 / shipped.dispersion[state]
    mean = n_umi[:, None] * np.exp(log_rate)[state]
    counts = rng.poisson(mean * rng.gamma(size, 1 / size))
    return Labelled(counts, shipped.gene_symbols, n_umi, np.array(shipped.states)[state])


def report_levels(cells: Labelled, repeats: int) -> None:
    """Level of exhaustion genes in a sample of cells against all cells."""
    at = [cells.genes.index(gene) for gene in EXHAUSTION_GENES if gene in cells.genes]
    pool = cells.at(cells.rows(*MEMORY, EXHAUSTED))
    rng, level = np.random.default_rng(3), load_design().thresholds.intervals.interval_level
    for depth in DEPTHS:
        thin = pool.thinned(depth, rng)
        truth = level_of(thin.counts[:, at].sum(axis=1).astype(float), thin.n_umi, level=level).value
        for n_cells in (30, 100, 300):
            tally = Tally()
            for _ in range(20 * repeats):
                part = thin.at(rng.choice(len(thin.n_umi), n_cells, replace=False))
                found = level_of(part.counts[:, at].sum(axis=1).astype(float), part.n_umi, level=level)
                tally.found.append((truth, found.value, found.low, found.high))
            print(tally.row(f"  SCLC: exhaustion level, {n_cells} CD8, depth x{depth:g}"))


def report_myeloid(path: Path) -> None:
    """Macrophages, monocytes and dendritic cells of a breast cancer."""
    import anndata

    data = anndata.read_h5ad(path)
    data = data[data.obs["celltype_minor"].isin(["Macrophage", "Monocyte", "DCs"])]
    counts = data.X.toarray().astype(np.int64)
    labels = data.obs["celltype_minor"].to_numpy(dtype=str)
    cells = Labelled(counts, tuple(data.var_names), counts.sum(axis=1).astype(float), labels)
    profiles = load_states()["myeloid"]
    for state, label in (("tam_like", "Macrophage"), ("mdsc_like", "Monocyte")):
        value, low, high = share(cells, profiles, state)
        area = auroc(labels == label, chances(cells, profiles, state))
        truth = (labels == label).mean()
        print(f"  CID4465: {state} {value:.2f} ({low:.2f}-{high:.2f}), {label} {truth:.2f}; AUROC {area:.2f}")


def from_wheels(wheels: Path, repeats: int) -> None:
    """Each of two sources judged by a profile of the other."""
    build = builder()
    spectra, scirpy = build.spectra_cells(wheels), build.scirpy_cells(wheels)
    letters = (("Treg",), ("CD4_T",), ("CD8_T",)), (("4.6",), ("4.1", "4.2", "4.3", "4.4", "4.5"), ("8.",))
    rates = [
        build.labelled_rates(cells, "t", starts)
        for cells, starts in zip((spectra, scirpy), letters, strict=True)
    ]
    for at, (name, cells) in enumerate((("Spectra", spectra), ("scirpy", scirpy))):
        profiles = single_source(build, rates[1 - at], rates[at])
        known = Labelled(cells.counts.astype(np.int64), cells.gene_symbols, cells.n_umi, cells.labels)
        report_treg(name, known, profiles, (letters[at][0], letters[at][1] + letters[at][2]), repeats)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=Path, help="folder with the SCLC and CID4465 files")
    parser.add_argument("--wheels", type=Path, default=Path("build/wheels"), help="folder of wheels")
    parser.add_argument("--repeats", type=int, default=20, help="virtual samples a share")
    arguments = parser.parse_args()
    started, repeats = time.perf_counter(), arguments.repeats
    for profile, state in (("cd8", "exhausted"), ("t", "treg"), ("myeloid", "tam_like")):
        report_simulated(profile, state, 200, repeats)
    from_wheels(arguments.wheels, repeats)
    if arguments.cells is None or not (arguments.cells / "iatlas_sc_msk_genes.feather").exists():
        print("SCLC: not in --cells; skipped")
        return
    cells = sclc(arguments.cells)
    report_treg("SCLC", cells, load_states()["t"], ((TREG,), OTHER_T), repeats)
    report_exhausted(cells, load_states()["cd8"], repeats, "SCLC")
    report_exhausted(cells, own_profiles(cells), repeats, "SCLC, own rates")
    report_same_depth(cells, load_states()["cd8"])
    report_levels(cells, repeats)
    report_myeloid(arguments.cells / "wu2021_CID4465.h5ad")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
