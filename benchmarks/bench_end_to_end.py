"""Measure whole runs of the default axes on wide parquet files against reading and sorting the same numbers.

    python benchmarks/bench_end_to_end.py [--rounds 3] [--samples 5000] [--largest 10000] [--quick]

The floor reads the file in blocks of 256 columns and sorts every sample once, with our radix sort. Every
measurement is a process of its own that imports first and starts the clock then; floor and run go in turn, on
one thread. Then a run with pages by one thread on one core, and by two on two. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet as pq
from shared import MUST_HEADER, N_GENES, ONE_THREAD, demo_log2, measure, mixed_samples, must_row

MOST_RATIO, MOST_MB, LEAST_GAIN = 2.5, 600, 1.6

PEAK = """
def peak_mb():
    # not getrusage: it starts at the size of the process that started this one
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
"""
FLOOR = """
import sys, time, json
import numpy as np, pyarrow.parquet as pq
sys.path.insert(0, sys.argv[2])
from bench_methods import sort_rows
from escape_score.score.kernels.ranks import sortable_bits
sort_rows(*sortable_bits(np.zeros((1, 8), np.float32)))
start, sorting = time.perf_counter(), 0.0
file = pq.ParquetFile(sys.argv[1])
names = [name for name in file.schema_arrow.names if name != "gene"]
for at in range(0, len(names), 256):
    table = file.read(columns=names[at : at + 256], use_threads=False)
    block = np.stack([column.to_numpy() for column in table.columns])
    before = time.perf_counter()
    sort_rows(*sortable_bits(block))
    sorting += time.perf_counter() - before
seconds = time.perf_counter() - start
print(json.dumps([seconds, sorting, peak_mb()]))
"""
RUN = """
import sys, time, json
import anndata, h5py, pyarrow.parquet
import escape_score.pipeline.profiles, escape_score.pipeline.profiling, escape_score.read
import escape_score.store.h5ad
from escape_score.cli.main import main
start = time.perf_counter()
code = main(["run", sys.argv[1], "--units", "log2(x+1)", "--out", sys.argv[2], "--no-reports", "--quiet"])
seconds = time.perf_counter() - start
assert code == 0
print(json.dumps([seconds, peak_mb()]))
"""


def write_matrix(path: Path, n_samples: int) -> None:
    """Write genes × samples in log2(TPM + 1), float32: each sample a mix of two tumours with 10 % noise."""
    genes, log2 = demo_log2()
    columns: list[pa.Array] = [pa.array(genes)]
    columns += [pa.array(sample) for sample in mixed_samples(log2, n_samples)]
    names = ["gene", *(f"S{i}" for i in range(n_samples))]
    pq.write_table(pa.table(columns, names=names), path, compression="zstd", use_dictionary=False)


def measured(code: str, *arguments: object) -> list[float]:
    """What a process of its own prints."""
    command = [sys.executable, "-c", PEAK + code, *(str(argument) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | ONE_THREAD)
    if done.returncode:
        sys.exit(f"error: a measurement failed: {done.stderr.strip()[-400:]}")
    return [float(number) for number in json.loads(done.stdout.splitlines()[-1])]


def compare(matrix: Path, out: Path, n_samples: int, rounds: int) -> str:
    """Row: the run over its floor."""
    here = Path(__file__).parent
    pairs = [(measured(FLOOR, matrix, here), measured(RUN, matrix, out)) for _ in range(rounds)]
    ratios = sorted(run[0] / floor[0] for floor, run in pairs)
    floor_s = statistics.median(floor[0] for floor, _ in pairs)
    sort_s = statistics.median(floor[1] for floor, _ in pairs)
    run_s, peak = statistics.median(run[0] for _, run in pairs), max(run[1] for _, run in pairs)
    ratio = statistics.median(ratios)
    return must_row(
        f"all axes, {n_samples} × {N_GENES}, wide parquet, no pages: run ÷ (read + one sort)",
        f"{run_s:.2f} s ÷ {floor_s:.2f} s (sort {sort_s:.2f} s) = {ratio:.2f} "
        f"({ratios[0]:.2f}–{ratios[-1]:.2f}), {peak:.0f} MB",
        f"≤ {MOST_RATIO}, ≤ {MOST_MB} MB",
        is_reached=ratio <= MOST_RATIO and peak <= MOST_MB,
    )


def on_two_cores(folder: Path, n_samples: int, rounds: int) -> str:
    """Row: a run with pages by one thread on one core, over the same by two threads on two cores."""
    matrix, taken = folder / "threads.parquet", []
    write_matrix(matrix, n_samples)
    cores = sorted(os.sched_getaffinity(0))[:2]
    for _ in range(rounds):
        for n in (1, len(cores)):
            config = folder / f"{n}.yaml"
            config.write_text(f"threads: {n}\n", encoding="utf-8")
            options = ["--units", "log2(x+1)", "--config", config, "--out", folder / "threads", "--quiet"]
            os.sched_setaffinity(0, cores[:n])  # a child inherits it
            command = [sys.executable, "-m", "escape_score", "run", matrix, *options]
            taken.append(measure(command, is_one_thread=True).seconds)
    one, two = (statistics.median(taken[at::2]) for at in (0, 1))
    return must_row(
        f"run with pages, {n_samples} samples: one thread on one core ÷ two on two",
        f"{one:.1f} s ÷ {two:.1f} s = {one / two:.2f}",
        f"≥ {LEAST_GAIN}",
        is_reached=one / two >= LEAST_GAIN,
    )


def grow(folder: Path, sizes: list[int], rounds: int) -> list[str]:
    """Rows: seconds and memory by the number of samples, and the exponent fitted to them."""
    rows, points = [], []
    for size in sizes:
        matrix = folder / f"{size}.parquet"
        write_matrix(matrix, size)
        runs = [measured(RUN, matrix, folder / "out") for _ in range(rounds)]
        matrix.unlink()
        seconds, peak = min(run[0] for run in runs), max(run[1] for run in runs)
        points.append((size, seconds))
        rows.append(f"| all axes, {size} samples, no pages | {seconds:.2f} | {peak:.0f} |")
    start = points[0][1]
    log_n, log_s = np.log([n for n, _ in points[1:]]), np.log([s - start for _, s in points[1:]])
    exponent = float(np.polyfit(log_n, log_s, 1)[0])
    rows.append(
        f"| exponent of growth, {sizes[1]} → {sizes[-1]}, time of {sizes[0]} taken off | {exponent:.2f} | |"
    )
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--largest", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    part = 10 if options.quick else 1
    print(MUST_HEADER, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_samples = options.samples // part
        write_matrix(folder / "m.parquet", n_samples)
        print(compare(folder / "m.parquet", folder / "out", n_samples, options.rounds), flush=True)
        (folder / "m.parquet").unlink()
        print(on_two_cores(folder, 1000 // part, 2), flush=True)
        largest = options.largest // part
        print("\n| what | seconds | peak MB |\n|---|---|---|")
        print("\n".join(grow(folder, [largest // 100, largest // 10, largest], 1)))


if __name__ == "__main__":
    main()
