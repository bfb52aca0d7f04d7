"""Measure the whole program on the bundled cohort, side by side with gseapy's ssGSEA of the same gene sets.

    python benchmarks/bench_run.py [--rounds 3]

Both run as processes of their own, in turn, on one thread, from the same parquet file; what they do differs:
the program checks, harmonises, scores, profiles and writes tables, gseapy scores. Prints seconds (median) and
peak memory.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from shared import DEMO, LENGTHS, ROOT, Measured, measure

GMT = ROOT / "resources" / "genesets" / "escape.gmt"
GSEAPY = """
import sys, pandas, gseapy
table = pandas.read_parquet(sys.argv[1])
table.index = table.index.str.split("|").str[0]
table = table.groupby(level=0).sum().astype(float)
gseapy.ssgsea(table, sys.argv[2], min_size=1, max_size=20000, threads=1, no_plot=True, outdir=None)
"""


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
    seen: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, command in commands(Path(folder) / "out").items():
                seen.setdefault(name, []).append(measure(command, is_one_thread=True))
    n_sets = len(GMT.read_text(encoding="utf-8").splitlines())
    print(f"60 tumours, 20,531 rows, {n_sets} gene sets\n\n| program | seconds | peak MB |\n|---|---|---|")
    for name, runs in seen.items():
        seconds, peak = statistics.median(r.seconds for r in runs), max(r.peak_mb for r in runs)
        print(f"| {name} | {seconds:.2f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
