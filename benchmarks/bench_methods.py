"""Measure the scoring kernels side by side with their peers: in one process, in turn, one thread each.

    python benchmarks/bench_methods.py [--rounds 5] [--peer-samples 250] [--quick]

Prints a Markdown table of ratios, median and spread over the rounds; times are those of this machine.
Input is the bundled cohort, log2(x + 1), each sample a random mix of two tumours with 10 % noise. pyucell is
measured where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

import anndata as ad
import gseapy
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from shared import DEMO, MUST_HEADER, N_GENES, ONE_THREAD, SEED, mixed_samples, most_counted, must_row

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Ties
from escape_score.score.kernels.jit import kernel
from escape_score.score.kernels.radix import RADIX, Bits, radix_order
from escape_score.score.kernels.ranks import sortable_bits
from escape_score.score.methods import METHODS, SetIndex
from escape_score.score.methods.gsva import CdfRoute, score_gsva
from escape_score.score.methods.ssgsea import score_ssgsea
from escape_score.score.methods.ucell import score_ucell

N_SETS = 60
Row = tuple[str, str, str, str, str]


@kernel("uint32[2], int64")
def sort_rows(bits: Bits, n_digits: int) -> int:
    """Radix sort of every row and nothing else."""
    labels = np.arange(bits.shape[1]).astype(np.int32)
    keys = np.empty((2, bits.shape[1]), dtype=bits.dtype)
    order = np.empty((2, bits.shape[1]), dtype=np.int32)
    counts, total = np.empty((n_digits, RADIX), dtype=np.int32), 0
    for row in range(bits.shape[0]):
        total += order[radix_order(bits[row], labels, keys, order, counts), 0]
    return total


def expression(n_samples: int) -> npt.NDArray[np.float32]:
    """Samples × genes."""
    counts = pd.read_parquet(DEMO).to_numpy(dtype=np.float64)
    log2 = np.log2(counts[most_counted(counts)] + 1.0).T
    return np.stack(list(mixed_samples(log2, n_samples)))


def gene_sets() -> dict[str, list[str]]:
    """Sets of 10 to 196 genes."""
    generator = np.random.default_rng(SEED)
    sizes = np.geomspace(10, 196, N_SETS).astype(int)
    return {
        f"set_{i}": [f"G{g}" for g in generator.choice(N_GENES, size, replace=False)]
        for i, size in enumerate(sizes)
    }


def index_of(sets: dict[str, list[str]]) -> SetIndex:
    """Lay the sets over the columns, which are named G0, G1 and so on."""
    columns = [[int(name[1:]) for name in names] for names in sets.values()]
    sizes = [len(c) for c in columns]
    flat = np.array([c for members in columns for c in members], dtype=np.int32)
    return SetIndex(np.cumsum([0, *sizes]), flat, np.array(sizes), N_GENES)


def framed(values: npt.NDArray[np.float32]) -> pd.DataFrame:
    """Genes × samples, as such tables are given to gseapy."""
    return pd.DataFrame(
        np.ascontiguousarray(values.T),
        index=[f"G{i}" for i in range(values.shape[1])],
        columns=[f"S{i}" for i in range(len(values))],
    )


def ssgsea_frame(table: pd.DataFrame, sets: dict[str, list[str]]) -> pd.DataFrame:
    """From a table of genes × samples to one of samples × sets."""
    scores = score_ssgsea(table.to_numpy().T, index_of(sets))
    return pd.DataFrame(scores.values, index=table.columns, columns=list(sets))


def gseapy_ssgsea(table: pd.DataFrame, sets: dict[str, list[str]]) -> object:
    """The peer, with the options that make it the same score."""
    return gseapy.ssgsea(
        table,
        sets,
        sample_norm_method="rank",
        weight=0.25,
        min_size=5,
        max_size=500,
        threads=1,
        no_plot=True,
        outdir=None,
    )


def gseapy_gsva(table: pd.DataFrame, sets: dict[str, list[str]]) -> object:
    """The peer."""
    return gseapy.gsva(
        table,
        sets,
        kcdf="Gaussian",
        weight=1.0,
        mx_diff=True,
        min_size=5,
        max_size=500,
        threads=1,
        outdir=None,
    )


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def alternated(
    first: Callable[[], object], second: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Times of two actions, in turn; one call of the first goes before, for compiling and caches."""
    first()
    times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    return [a for a, _ in times], [b for _, b in times]


def compared(what: str, ours: list[float], theirs: list[float], *, scale: float = 1.0, note: str = "") -> Row:
    """One line: how many times longer the second took, sample for sample."""
    ratios = sorted(b * scale / a for a, b in zip(ours, theirs, strict=True))
    spread = f"{ratios[0]:.2f}–{ratios[-1]:.2f}"
    times = f"{statistics.median(ours):.3g} s / {statistics.median(theirs):.3g} s"
    return what, times, f"{statistics.median(ratios):.3g}", spread, note


def bench_ssgsea(rounds: int, n_samples: int, peer_samples: int) -> list[Row]:
    """DataFrame in and out against gseapy; the kernel against its sort; two threads against one."""
    values, sets = expression(n_samples), gene_sets()
    table, index = framed(values), index_of(sets)
    few = table.iloc[:, :peer_samples].copy()
    ours, theirs = alternated(lambda: ssgsea_frame(table, sets), lambda: gseapy_ssgsea(few, sets), rounds)
    scale = n_samples / peer_samples
    frame = compared(
        f"ssGSEA DataFrame→DataFrame, {n_samples} samples: gseapy / ours",
        ours,
        theirs,
        scale=scale,
        note=f"gseapy on {peer_samples} samples, ×{scale:g}",
    )
    bits, n_digits = sortable_bits(values)
    kernel_times, sort_times = alternated(
        lambda: score_ssgsea(values, index), lambda: sort_rows(bits, n_digits), 2 * rounds
    )
    per_sample = statistics.median(kernel_times) / n_samples * 1e6
    kernel_row = compared(
        "ssGSEA kernel / bare radix sort",
        sort_times,
        kernel_times,
        note=f"kernel {per_sample:.0f} µs a sample",
    )
    peer_kernel = compared(
        "ssGSEA: gseapy / kernel alone",
        kernel_times[: len(theirs)],
        theirs,
        scale=scale,
        note="not alternated",
    )
    one, two = alternated(
        lambda: score_ssgsea(values, index), lambda: score_ssgsea(values, index, threads=2), rounds
    )
    threads = compared("ssGSEA: 1 thread / 2 threads", two, one, note=f"{os.cpu_count()} CPUs, load {load()}")
    difference = np.abs(
        score_ssgsea(values[:20].astype(np.float64), index, ties=Ties.GSEAPY).values
        - METHODS["ssgsea"].score(values[:20], index).values
    ).max()
    tie = (
        "ssGSEA: gseapy's ties − mid ties, largest difference",
        "",
        f"{difference:.3g}",
        "",
        "of ES up to ~1e4",
    )
    return [frame, peer_kernel, kernel_row, threads, tie]


def bench_growth(rounds: int, largest: int) -> list[Row]:
    """Exponent of time in the number of samples."""
    index, rows, samples = index_of(gene_sets()), [], expression(min(largest, 1000))
    values = np.tile(samples, (-(-largest // len(samples)), 1))[:largest]
    for name in ("ssgsea", "singscore", "zscore"):
        score = METHODS[name].score
        score(values[:100], index)
        exponents, last = [], 0.0
        for _ in range(rounds):
            first, last = (
                seconds(lambda s=score: s(values[:100], index)),
                seconds(lambda s=score: s(values, index)),
            )
            exponents.append(float(np.log(last / first) / np.log(largest / 100)))
        spread = f"{min(exponents):.2f}–{max(exponents):.2f}"
        note = f"{largest} samples {last:.2f} s"
        what = f"{name}: growth exponent, 100 → {largest} samples"
        rows.append((what, "", f"{statistics.median(exponents):.2f}", spread, note))
    return rows


def bench_gsva(rounds: int, n_samples: int) -> list[Row]:
    """Both routes of the Gaussian kernel against gseapy."""
    values, sets = expression(n_samples), gene_sets()
    table, index = framed(values), index_of(sets)
    ours, theirs = alternated(lambda: score_gsva(values, index), lambda: gseapy_gsva(table, sets), rounds)
    fast = compared(f"GSVA {n_samples} samples: gseapy / ours (moments)", ours, theirs)
    pairs = [seconds(lambda: score_gsva(values, index, route=CdfRoute.TABLE)) for _ in range(rounds)]
    table_row = compared(
        f"GSVA {n_samples} samples: gseapy / ours (table)", pairs, theirs, note="not alternated"
    )
    return [fast, table_row]


def cells(n_cells: int, *, is_count_like: bool) -> sp.csr_array:
    """Cells × genes, 1,000 entries a cell, log-normalised counts or any values."""
    generator = np.random.default_rng(SEED)
    columns = np.empty((n_cells, 1000), dtype=np.int32)
    strata = N_GENES // 1000
    columns[:] = np.arange(1000) * strata
    columns += generator.integers(0, strata, columns.shape, dtype=np.int32)
    data = generator.geometric(0.25, columns.shape).astype(np.float32)
    if not is_count_like:
        data += generator.random(columns.shape, dtype=np.float32)
    indptr = np.arange(0, columns.size + 1, 1000)
    return sp.csr_array((np.log1p(data).ravel(), columns.ravel(), indptr), shape=(n_cells, N_GENES))


def bench_ucell(rounds: int, n_cells: int, peer_cells: int) -> list[Row]:
    """Sparse cells against pyucell, where it is installed."""
    index, rows = index_of(gene_sets()), []
    for is_count_like in (True, False):
        values = cells(n_cells, is_count_like=is_count_like)
        kind = "counts" if is_count_like else "any values"
        what = f"UCell CSR, {n_cells} cells, {kind}"
        score_ucell(values[:10], index)
        ours = [seconds(lambda v=values: score_ucell(v, index)) for _ in range(rounds)]
        note = f"{statistics.median(ours) / n_cells * 1e6:.1f} µs a cell"
        if importlib.util.find_spec("pyucell") is None:
            rows.append(
                (what, f"{statistics.median(ours):.3g} s", "–", "–", f"{note}; pyucell not installed")
            )
            continue
        few = values[:peer_cells]
        ours, theirs = alternated(
            lambda v=values: score_ucell(v, index), lambda f=few: pyucell_scores(f), rounds
        )
        scale = n_cells / peer_cells
        note += f"; pyucell on {peer_cells} cells, ×{scale:g}"
        rows.append(compared(f"{what}: pyucell / ours", ours, theirs, scale=scale, note=note))
    return rows


def pyucell_scores(values: sp.csr_array) -> object:
    """The peer."""
    import pyucell

    data = ad.AnnData(sp.csr_matrix(values))
    data.var_names = [f"G{i}" for i in range(N_GENES)]
    return pyucell.compute_ucell_scores(data, gene_sets(), max_rank=1500, n_jobs=1, chunk_size=500)


def bench_zscore(rounds: int) -> list[Row]:
    """10,000 samples of the combined z-score."""
    values = np.tile(expression(1000), (10, 1))
    index = index_of(gene_sets())
    times = [seconds(lambda: METHODS["zscore"].score(values, index)) for _ in range(rounds)]
    spread = f"{min(times):.2f}–{max(times):.2f}"
    return [("zscore, 10,000 samples", f"{statistics.median(times):.3g} s", "", spread, "target < 1 s")]


def targets(found: Mapping[str, Row]) -> Iterator[str]:
    """Rows of what must be reached, by the names of what was measured."""
    for what, must, sign in (
        ("ssGSEA kernel / bare radix sort", 1.4, -1),
        ("ssGSEA: 1 thread / 2 threads", 1.6, 1),
    ):
        _, times, ratio, spread, _ = found[what]
        measured, limit = f"{times} = {ratio} ({spread})", f"{'≥' if sign > 0 else '≤'} {must}"
        yield must_row(what, measured, limit, is_reached=sign * float(ratio) >= sign * must)


def load() -> str:
    """Load of the machine in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def checked(values: FloatArray) -> FloatArray:
    """Values, none of them missing."""
    if np.isnan(values).any():
        sys.exit("error: a score is missing")
    return values


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-samples", type=int, default=250, help="samples that gseapy.ssgsea is given")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    if not os.environ.items() >= ONE_THREAD.items():
        os.execve(sys.executable, [*sys.orig_argv], os.environ | ONE_THREAD)
    part = 10 if options.quick else 1
    rounds = options.rounds
    checked(score_ssgsea(expression(3), index_of(gene_sets())).values)
    names = ("numpy", "scipy", "numba", "pandas", "gseapy", "pyucell")
    known = [n for n in names if importlib.util.find_spec(n) is not None]
    print(f"Python {sys.version.split()[0]}, " + ", ".join(f"{n} {version(n)}" for n in known))
    print(
        f"{N_GENES} genes, {N_SETS} sets, {rounds} rounds in turn, one thread; load at the start {load()}\n"
    )
    print("| what | ours / peer | ratio or figure | spread | note |\n|---|---|---|---|---|")
    found: dict[str, Row] = {}
    for rows in (
        bench_ssgsea(rounds, 1000 // part, options.peer_samples // part),
        bench_growth(max(rounds // 2, 1), 10_000 // part),
        bench_zscore(rounds),
        bench_gsva(max(rounds // 2, 1), 300 // part),
        bench_ucell(rounds, 50_000 // part, 1000 // part),
    ):
        for row in rows:
            print("| " + " | ".join(row) + " |", flush=True)
            found[row[0]] = row
    print("", MUST_HEADER, *targets(found), sep="\n")


if __name__ == "__main__":
    main()
