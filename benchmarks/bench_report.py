"""Measure how long pages take, and how much memory, against how many samples there are.

    python benchmarks/bench_report.py [--samples 250 500 1000] [--out FOLDER] [--quick]

The demo cohort is profiled once; its records are copied under other names until there are enough. Then
``escape-score report`` renders them in one process on one core. Prints Markdown tables; ``--out`` keeps the
pages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from shared import DEMO, LENGTHS, MUST_HEADER, SHEET, Measured, measure, must_row

from escape_score.model.record import EscapeProfile, slug_of

COMMAND = (sys.executable, "-m", "escape_score")
MOST_MS_A_PAGE, MOST_MB = 4, 400


def main() -> None:
    """Measure each number of samples and print one line of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, nargs="+", default=[250, 1000])
    parser.add_argument("--out", type=Path, help="Folder for the results and pages.")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    options = parser.parse_args()
    sizes = [size // 10 if options.quick else size for size in options.samples]
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        profiles = demo_profiles(out / "demo")
        rows, took = [], Measured(0.0, 0.0)
        for n_samples in sizes:
            results = out / f"report-{n_samples}"
            copy_profiles(profiles, results, n_samples)
            took = render(results)
            rows.append(row_of(results, n_samples, took))
    most_s = MOST_MS_A_PAGE * sizes[-1] / 1000
    is_reached = took.seconds <= most_s and took.peak_mb <= MOST_MB
    figures = f"{took.seconds:.1f} s, {took.peak_mb:.0f} MB"
    what, must = f"{sizes[-1]} sample pages, one core", f"≤ {most_s:g} s, ≤ {MOST_MB} MB"
    print(MUST_HEADER, must_row(what, figures, must, is_reached=is_reached), sep="\n")
    print("\n| samples | seconds | ms a page | peak MB | largest page, KiB | cohort page, KiB |")
    print("|---|---|---|---|---|---|", *rows, sep="\n")


def row_of(results: Path, n_samples: int, took: Measured) -> str:
    """One line of the table."""
    largest = max(path.stat().st_size for path in (results / "samples").glob("*.html")) / 1024
    index = (results / "index.html").stat().st_size / 1024
    ms = 1000 * took.seconds / n_samples
    return (
        f"| {n_samples} | {took.seconds:.1f} | {ms:.1f} | {took.peak_mb:.0f} | {largest:.0f} | {index:.0f} |"
    )


def demo_profiles(folder: Path) -> list[EscapeProfile]:
    """Profile the demo cohort."""
    arguments = ["--samples", SHEET, "--units", "counts", "--gene-lengths", LENGTHS]
    measure([*COMMAND, "run", DEMO, *arguments, "--out", folder, "--quiet"])
    paths = sorted((folder / "samples").glob("*.json"))
    return [EscapeProfile.model_validate_json(path.read_bytes()) for path in paths]


def copy_profiles(profiles: list[EscapeProfile], results: Path, n_samples: int) -> None:
    """Write records of as many samples, each of the demo's in turn under a new name."""
    shutil.rmtree(results, ignore_errors=True)
    (results / "samples").mkdir(parents=True)
    for number in range(n_samples):
        sample_id = f"S{number:05d}"
        changes = {"sample_id": sample_id, "slug": slug_of(sample_id)}
        profile = profiles[number % len(profiles)].model_copy(update=changes)
        path = results / "samples" / f"{profile.slug}.json"
        path.write_text(profile.model_dump_json(), encoding="utf-8")


def render(results: Path) -> Measured:
    """Render all pages on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # a child inherits it
    return measure([*COMMAND, "report", results, "--threads", 1])


if __name__ == "__main__":
    main()
