"""Measure the whole program on the bundled cohort, side by side with gseapy's ssGSEA of the same gene sets.

    python benchmarks/bench_run.py [--rounds 3]

Both run as processes of their own, in turn, on one thread, from the same parquet file; what they do differs:
the program checks, harmonises, scores, profiles and writes tables, gseapy scores. Prints seconds (median) and
peak memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "resources" / "demo" / "expression.parquet"
LENGTHS = ROOT / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv"
GMT = ROOT / "resources" / "genesets" / "escape.gmt"
GSEAPY = """
import sys, pandas, gseapy
table = pandas.read_parquet(sys.argv[1])
table.index = table.index.str.split("|").str[0]
table = table.groupby(level=0).sum().astype(float)
gseapy.ssgsea(table, sys.argv[2], min_size=1, max_size=20000, threads=1, no_plot=True, outdir=None)
"""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in MB of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | ONE_THREAD
    )
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"error: {command[0]}: failed with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def commands(out: Path) -> dict[str, list[str]]:
    """What is measured, by name."""
    run = [sys.executable, "-m", "escape_score", "run", str(DEMO), "--units", "counts", "--quiet"]
    run += ["--gene-lengths", str(LENGTHS), "--out", str(out)]
    return {
        "escape-score run --no-reports": [*run, "--no-reports"],
        "escape-score run": run,
        "gseapy.ssgsea": [sys.executable, "-c", GSEAPY, str(DEMO), str(GMT)],
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    seen: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, command in commands(Path(folder) / "out").items():
                seen.setdefault(name, []).append(measure(command))
    n_sets = len(GMT.read_text(encoding="utf-8").splitlines())
    print(f"60 tumours, 20,531 rows, {n_sets} gene sets\n\n| program | seconds | peak MB |\n|---|---|---|")
    for name, runs in seen.items():
        seconds, peak = statistics.median(r[0] for r in runs), max(r[1] for r in runs)
        print(f"| {name} | {seconds:.2f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
