"""Measure the workflow beside a plain run: overhead of one cohort, growth over many, memory of every job.

    python benchmarks/bench_workflow.py [--only overhead long many] [--quick]

``overhead`` is one cohort of 1,000 samples, ``long`` one of 10,000, ``many`` are 3 and then 8 cohorts of
500; all have 20,000 genes, and two cores. Prints a Markdown table of what must be reached, then what the jobs
took.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_end_to_end import write_matrix
from shared import MUST_HEADER, N_GENES, Measured, measure, must_row

from escape_score.config import own_threads

PROGRAM = Path(sys.executable).parent / "escape-score"
UNITS = "log2(x+1)"
RULES = ("read", "harmonise", "score", "profile", "report", "gather")
PARTS = ("overhead", "long", "many")
MOST_OVERHEAD_S, MOST_RATIO = 20, 1.2
MOST_BARE_S, MOST_MB, MOST_PAGES_S = 60, 1024, 30
MOST_JOB_MB, MOST_GROWTH = 1500, 1.1


def plain_run(matrix: Path, out: Path, *options: str) -> Measured:
    """All stages in one process."""
    return measure([PROGRAM, "run", matrix, "--units", UNITS, "--out", out, "--quiet", *options])


def workflow_of(folder: Path, matrix: Path, n_cohorts: int) -> float:
    """Wall time of a workflow of so many cohorts of one matrix."""
    folder.mkdir()
    rows = "".join(f"c{i}\t{matrix}\t\t{UNITS}\n" for i in range(n_cohorts))
    (folder / "cohorts.tsv").write_text("cohort\texpression\tsamples\tunits\n" + rows, encoding="utf-8")
    (folder / "config.yaml").write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    options = ["--config", folder / "config.yaml", "--directory", folder, "--cores", 2, "--quiet"]
    return measure([PROGRAM, "workflow", *options]).seconds


def measured_jobs(folder: Path, rule: str) -> list[tuple[float, float, float]]:
    """Time, CPU time and peak memory (MB) of every job of a rule."""
    jobs = []
    for path in folder.glob(f"logs/*/{rule}*.benchmark.tsv"):
        with path.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                values = (row[name].replace("NA", "0") for name in ("s", "cpu_time", "max_rss"))
                jobs.append(tuple(map(float, values)))
    return jobs


def job_table(title: str, folder: Path) -> Iterator[str]:
    """Number, longest time and largest memory of the jobs of every rule."""
    yield f"\nJobs, {title}:\n\n| rule | jobs | longest | most CPU | largest |\n|---|---|---|---|---|"
    for rule in RULES:
        jobs = measured_jobs(folder, rule)
        longest, work, largest = (max(column) for column in zip(*jobs, strict=True))
        yield f"| {rule} | {len(jobs)} | {longest:.1f} s | {work:.1f} s | {largest:.0f} MB |"


def one_cohort(scratch: Path, n_samples: int) -> tuple[Measured, Measured, float]:
    """Take the time of a run without and with pages, and of the workflow, for one cohort."""
    matrix = scratch / f"{n_samples}.parquet"
    write_matrix(matrix, n_samples)
    bare = plain_run(matrix, scratch / "bare", "--no-reports")
    plain = plain_run(matrix, scratch / "plain")
    flow = workflow_of(scratch / f"flow{n_samples}", matrix, 1)
    return bare, plain, flow


def bench_overhead(scratch: Path, part: int) -> Iterator[str]:
    """What the workflow adds to a short run."""
    n_samples = 1000 // part
    _, plain, flow = one_cohort(scratch, n_samples)
    yield must_row(
        f"workflow − run, 1 × {n_samples} samples, pages",
        f"{flow:.0f} s − {plain.seconds:.0f} s = {flow - plain.seconds:.0f} s",
        f"≤ {MOST_OVERHEAD_S} s",
        is_reached=flow - plain.seconds <= MOST_OVERHEAD_S,
    )


def bench_long(scratch: Path, part: int) -> Iterator[str]:
    """Ten thousand samples without pages, with pages, and through the workflow."""
    n_samples = 10_000 // part
    bare, plain, flow = one_cohort(scratch, n_samples)
    size = f"{n_samples} × {N_GENES}"
    yield must_row(
        f"run, all axes, {size}, no pages",
        f"{bare.seconds:.0f} s, {bare.peak_mb:.0f} MB",
        f"≤ {MOST_BARE_S} s, ≤ {MOST_MB} MB",
        is_reached=bare.seconds <= MOST_BARE_S and bare.peak_mb <= MOST_MB,
    )
    yield must_row(
        f"run, all axes, {size}, pages",
        f"{plain.seconds:.0f} s, {plain.peak_mb:.0f} MB and {own_threads()} processes for pages",
        f"≤ {MOST_PAGES_S} s, ≤ {MOST_MB} MB",
        is_reached=plain.seconds <= MOST_PAGES_S and plain.peak_mb <= MOST_MB,
    )
    yield must_row(
        f"workflow ÷ run, 1 × {n_samples} samples, pages",
        f"{flow:.0f} s ÷ {plain.seconds:.0f} s = {flow / plain.seconds:.2f}",
        f"≤ {MOST_RATIO}",
        is_reached=flow / plain.seconds <= MOST_RATIO,
    )


def bench_many(scratch: Path, part: int) -> Iterator[str]:
    """Whether time grows no faster than the number of cohorts, and the largest job."""
    n_samples, few, many = 500 // part, 3, 8
    matrix = scratch / f"{n_samples}.parquet"
    write_matrix(matrix, n_samples)
    a_cohort = {n: workflow_of(scratch / f"many{n}", matrix, n) / n for n in (few, many)}
    largest = max(job[2] for rule in RULES for job in measured_jobs(scratch / f"many{many}", rule))
    growth = a_cohort[many] / a_cohort[few]
    yield must_row(
        f"workflow, {many} × {n_samples} samples, pages: time a cohort over that of {few} cohorts",
        f"{a_cohort[many]:.1f} s ÷ {a_cohort[few]:.1f} s = {growth:.2f}",
        f"≤ {MOST_GROWTH} (linear)",
        is_reached=growth <= MOST_GROWTH,
    )
    yield must_row(
        f"the same: largest job of {many} × {n_samples}",
        f"{largest:.0f} MB",
        f"≤ {MOST_JOB_MB} MB",
        is_reached=largest <= MOST_JOB_MB,
    )


BENCHES = {"overhead": bench_overhead, "long": bench_long, "many": bench_many}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        print(MUST_HEADER, flush=True)
        for part in options.only:
            (scratch / part).mkdir()
            for row in BENCHES[part](scratch / part, 20 if options.quick else 1):
                print(row, flush=True)
        for folder in sorted(scratch.glob("*/flow*")):
            print(*job_table(f"1 × {folder.name.removeprefix('flow')} samples", folder), sep="\n")
        for folder in sorted(scratch.glob("many/many8")):
            print(*job_table(f"{folder.name.removeprefix('many')} cohorts", folder), sep="\n")


if __name__ == "__main__":
    main()
