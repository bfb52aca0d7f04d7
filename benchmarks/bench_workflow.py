"""The workflow beside a plain run: overhead of one cohort, growth over many, memory of every job."""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_end_to_end import write_matrix

BIN = Path(sys.executable).parent
UNITS = "log2(x+1)"
RULES = ("read", "harmonise", "score", "profile", "report", "gather")


def seconds(*options: object) -> float:
    """Wall time of one call of the program."""
    start = time.perf_counter()
    command = [str(BIN / "escape-score"), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}: {done.stderr[-400:]}")
    return time.perf_counter() - start


def workflow_of(folder: Path, matrix: Path, n_cohorts: int) -> float:
    """Wall time of a workflow of so many cohorts of one matrix."""
    folder.mkdir()
    rows = "".join(f"c{i}\t{matrix}\t\t{UNITS}\n" for i in range(n_cohorts))
    (folder / "cohorts.tsv").write_text("cohort\texpression\tsamples\tunits\n" + rows, encoding="utf-8")
    (folder / "config.yaml").write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    return seconds(
        "workflow", "--config", folder / "config.yaml", "--directory", folder, "--cores", 2, "--quiet"
    )


def jobs(folder: Path) -> list[str]:
    """Rows: number, longest time and largest memory of the jobs of every rule."""
    rows = []
    for rule in RULES:
        measured = []
        for path in folder.glob(f"logs/*/{rule}*.benchmark.tsv"):
            with path.open(encoding="utf-8", newline="") as handle:
                measured += [
                    (
                        float(row["s"]),
                        float(row["max_rss"].replace("NA", "0")),
                        float(row["cpu_time"].replace("NA", "0")),
                    )
                    for row in csv.DictReader(handle, delimiter="\t")
                ]
        longest, largest, work = (max(column) for column in zip(*measured, strict=True))
        rows.append(f"| {rule} | {len(measured)} | {longest:.0f} s | {work:.0f} s | {largest:.0f} MB |")
    return rows


def one_cohort(scratch: Path, n_samples: int) -> list[str]:
    """Rows: run and workflow of one cohort."""
    matrix = scratch / f"{n_samples}.parquet"
    write_matrix(matrix, n_samples)
    plain = seconds("run", matrix, "--units", UNITS, "--out", scratch / f"run{n_samples}", "--quiet")
    bare = seconds("run", matrix, "--units", UNITS, "--out", scratch / "bare", "--quiet", "--no-reports")
    flow = workflow_of(scratch / f"flow{n_samples}", matrix, 1)
    difference = f"{flow - plain:+.0f} s, {flow / plain:.2f}×"
    return [f"| 1 × {n_samples} | {bare:.0f} s | {plain:.0f} s | {flow:.0f} s | {difference} |"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--cohorts", type=int, nargs="+", default=[5, 20])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        print("| cohorts × samples | run, no reports | run | workflow, 2 cores | difference |")
        print("|---|---|---|---|---|", flush=True)
        for size in options.sizes:
            print(*one_cohort(scratch, size), sep="\n", flush=True)
        matrix = scratch / "500.parquet"
        write_matrix(matrix, 500)
        for n_cohorts in options.cohorts:
            took = workflow_of(scratch / f"many{n_cohorts}", matrix, n_cohorts)
            print(
                f"| {n_cohorts} × 500 | – | – | {took:.0f} s | {took / n_cohorts:.1f} s a cohort |",
                flush=True,
            )
        for folder in (scratch / f"flow{options.sizes[-1]}", scratch / f"many{options.cohorts[-1]}"):
            print(f"\n{folder.name}:\n| rule | jobs | longest | most work | largest |\n|---|---|---|---|---|")
            print(*jobs(folder), sep="\n")


if __name__ == "__main__":
    main()
