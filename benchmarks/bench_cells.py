"""Measure single cells against scanpy, decoupler and pyucell, and whole runs against limits.

    python benchmarks/bench_cells.py [--rounds 1] [--cells 50000] [--largest 100000] [--quick]

The cells are made: counts of genes by their abundance, 2,000 genes detected in a cell, real gene symbols.
Every measurement is a process of its own that imports first and starts the clock then; ours and the peers go
in turn, on one thread. A peer that is not installed is left out. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem
from bench_end_to_end import measured
from shared import MUST_HEADER, SEED, must_row

from escape_score.genes import load_gene_table

N_GENES, DETECTED, CELLS_A_SAMPLE, BLOCK = 30_000, 2_000, 2_500, 10_000
TYPES = ("malignant", "T", "NK", "B", "plasma", "myeloid", "mast", "fibroblast", "endothelial")

SUMS = """
import sys, time, json
import numpy as np
from escape_score.cells.labels.given import labels_from_given
from escape_score.cells.patient import summarise_sample, wanted_genes
from escape_score.model.cells import CellLabels
from escape_score.model.notes import Code, note
from escape_score.read.cells import CellRequest, open_cells
wanted_genes()
start = time.perf_counter()
with open_cells(sys.argv[1], CellRequest(sample_column="sample", cell_type_column="cell_type")) as cohort:
    for sample in map(cohort.load, cohort.sample_ids):
        codes, nothing = labels_from_given(sample).codes, np.full(sample.n_cells, np.nan)
        summarise_sample(sample, CellLabels(codes, nothing, nothing, True, note(Code.CELL_LABELS, "shown")))
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
SCANPY = """
import sys, time, json
import anndata, scanpy as sc
start = time.perf_counter()
adata = anndata.read_h5ad(sys.argv[1])
adata.obs["group"] = adata.obs["sample"].astype(str) + "_" + adata.obs["cell_type"].astype(str)
sc.get.aggregate(adata, "group", "sum")
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
DECOUPLER = """
import sys, time, json
import anndata, decoupler
start = time.perf_counter()
adata = anndata.read_h5ad(sys.argv[1])
decoupler.pp.pseudobulk(adata, sample_col="sample", groups_col="cell_type", mode="sum", empty=True)
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
SETS = """
from escape_score.library.cell_types import load_markers
sets = {one.name: list(one.gene_symbols) for one in load_markers()}
"""
MARKERS = """
import sys, time, json
from escape_score.cells.labels.seeds import marker_scores
from escape_score.read.cells import CellRequest, open_cells
with open_cells(sys.argv[1], CellRequest(sample_column="sample")) as cohort:
    sample = cohort.load(cohort.sample_ids[0])
marker_scores(sample)
start = time.perf_counter()
marker_scores(sample)
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
SCORE_GENES = (
    SETS
    + """
import sys, time, json
import anndata, scanpy as sc
adata = anndata.read_h5ad(sys.argv[1])
adata = adata[adata.obs["sample"] == adata.obs["sample"].iloc[0]].copy()
sc.pp.normalize_total(adata); sc.pp.log1p(adata)
start = time.perf_counter()
for name, genes in sets.items():
    sc.tl.score_genes(adata, [g for g in genes if g in adata.var_names], score_name=name)
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
)
PYUCELL = (
    SETS
    + """
import sys, time, json
import anndata, pyucell
adata = anndata.read_h5ad(sys.argv[1])
adata = adata[adata.obs["sample"] == adata.obs["sample"].iloc[0]].copy()
start = time.perf_counter()
pyucell.compute_ucell_scores(adata, sets, max_rank=1500, n_jobs=1, chunk_size=500)
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""
)
RUN = """
import sys, time, json
from escape_score.cli.main import main
start = time.perf_counter()
options = ["--sample-column", "sample", "--out", sys.argv[2], "--no-reports", "--quiet"]
code = main(["cells", sys.argv[1], *options])
assert code == 0
print(json.dumps([time.perf_counter() - start, peak_mb()]))
"""


def write_cells(path: Path, n_cells: int, detected: int = DETECTED) -> None:
    """Write counts as h5ad, CSR, samples one after the other."""
    rng = np.random.default_rng(SEED)
    symbols = sorted(load_gene_table().current)[:N_GENES]
    abundance = rng.lognormal(0.0, 2.0, N_GENES)
    chances = np.minimum(abundance / abundance.sum() * detected * 1.9, 0.98)
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"], file.attrs["encoding-version"] = "anndata", "0.1.0"
        x = file.create_group("X")
        x.attrs["encoding-type"], x.attrs["encoding-version"] = "csr_matrix", "0.1.0"
        x.attrs["shape"] = (n_cells, N_GENES)
        for name, kind in (("data", "f4"), ("indices", "i4")):
            x.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(1 << 20,))
        ends = [0]
        for start in range(0, n_cells, BLOCK):
            n = min(BLOCK, n_cells - start)
            columns = [np.flatnonzero(rng.random(N_GENES, dtype=np.float32) < chances) for _ in range(n)]
            indices = np.concatenate(columns).astype(np.int32)
            data = rng.geometric(0.45, len(indices)).astype(np.float32)
            for name, values in (("data", data), ("indices", indices)):
                x[name].resize((ends[-1] + len(values),))
                x[name][ends[-1] :] = values
            ends += (ends[-1] + np.cumsum([len(one) for one in columns])).tolist()
        x.create_dataset("indptr", data=np.array(ends, dtype=np.int64))
        number = np.arange(n_cells) // CELLS_A_SAMPLE
        obs = pd.DataFrame(
            {
                "sample": pd.Categorical([f"S{n:04d}" for n in number]),
                "cell_type": pd.Categorical(rng.choice(TYPES, n_cells)),
            },
            index=[f"cell{n}" for n in range(n_cells)],
        )
        write_elem(file, "obs", obs)
        write_elem(file, "var", pd.DataFrame(index=symbols))
        for name in ("uns", "layers", "obsm", "varm", "obsp", "varp"):
            write_elem(file, name, {})


def in_turn(codes: dict[str, str], path: Path, rounds: int) -> dict[str, list[list[float]]]:
    """Seconds and peak of each code in turn; a peer that is not installed is left out."""
    known = {
        name: code
        for name, code in codes.items()
        if name == "ours" or importlib.util.find_spec(name) is not None
    }
    found: dict[str, list[list[float]]] = {name: [] for name in known}
    for _ in range(rounds):
        for name, code in known.items():
            found[name].append(measured(code, path))
    return found


def rows_of(what: str, found: dict[str, list[list[float]]]) -> list[str]:
    """Rows: ours, and each peer over ours."""
    ours = statistics.median(run[0] for run in found["ours"])
    rows = [f"| {what}: ours | {ours:.3g} s | | {max(run[1] for run in found['ours']):.0f} MB |"]
    for name, runs in found.items():
        if name != "ours":
            ratios = sorted(theirs[0] / own[0] for theirs, own in zip(runs, found["ours"], strict=True))
            seconds, peak = statistics.median(run[0] for run in runs), max(run[1] for run in runs)
            spread = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
            rows.append(f"| {what}: {name} | {seconds:.3g} s | {spread} | {peak:.0f} MB |")
    return rows


def limit_row(what: str, run: list[float], most_seconds: float, most_mb: float) -> str:
    """A whole run and its limits."""
    is_reached = run[0] <= most_seconds and run[1] <= most_mb
    must = f"≤ {most_seconds:.0f} s, ≤ {most_mb:.0f} MB"
    return must_row(what, f"{run[0]:.1f} s, {run[1]:.0f} MB", must, is_reached=is_reached)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    options = parser.parse_args()
    part = 20 if options.quick else 1
    n_cells, largest = options.cells // part, options.largest // part
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "cells.h5ad"
        write_cells(path, n_cells)
        print("| what | time | peer / ours | peak |\n|---|---|---|---|")
        sums = {"ours": SUMS, "scanpy": SCANPY, "decoupler": DECOUPLER}
        what = f"{n_cells} × {N_GENES} to sums by sample and type, and wanted genes"
        print("\n".join(rows_of(what, in_turn(sums, path, options.rounds))), flush=True)
        scores = {"ours": MARKERS, "scanpy": SCORE_GENES, "pyucell": PYUCELL}
        what = f"{CELLS_A_SAMPLE} cells, marker sets"
        print("\n".join(rows_of(what, in_turn(scores, path, options.rounds))), flush=True)
        print(f"\n{MUST_HEADER}")
        path.unlink()
        write_cells(folder / "large.h5ad", largest)
        what = f"whole run, {largest} cells in {-(-largest // CELLS_A_SAMPLE)} samples, types found, no map"
        print(limit_row(what, measured(RUN, folder / "large.h5ad", folder / "out"), 90, 2_000))


if __name__ == "__main__":
    main()
