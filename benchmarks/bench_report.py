"""Measure how long pages take, and how much memory, against how many samples there are.

    python benchmarks/bench_report.py [--samples 250 500 1000] [--out FOLDER]

The demo cohort is profiled once; its records are copied under other names until there are enough. Then
``escape-score report`` renders them in one process on one core. Prints a table; ``--out`` keeps the pages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from escape_score.model.record import EscapeProfile, slug_of

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "resources" / "demo"
LENGTHS = ROOT / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv"
COMMAND = (sys.executable, "-m", "escape_score")


def main() -> int:
    """Measure each number of samples and print one line of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--out", type=Path, help="Folder for the results and pages.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        profiles = demo_profiles(out / "demo")
        print("samples\tseconds\tms_a_page\tpeak_MB\tlargest_page_KiB\tcohort_page_KiB")
        for n_samples in options.samples:
            results = out / f"report-{n_samples}"
            copy_profiles(profiles, results, n_samples)
            seconds, peak_mb = render(results)
            largest = max(path.stat().st_size for path in (results / "samples").glob("*.html"))
            index = (results / "index.html").stat().st_size
            figures = (n_samples, f"{seconds:.1f}", f"{1000 * seconds / n_samples:.1f}", f"{peak_mb:.0f}")
            print(*figures, f"{largest / 1024:.0f}", f"{index / 1024:.0f}", sep="\t", flush=True)
    return 0


def demo_profiles(folder: Path) -> list[EscapeProfile]:
    """Profile the demo cohort."""
    arguments = ["--samples", DEMO / "samples.tsv", "--units", "counts", "--gene-lengths", LENGTHS]
    run = [*COMMAND, "run", DEMO / "expression.parquet", *arguments, "--out", folder, "--quiet"]
    subprocess.run([str(part) for part in run], check=True)
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


def render(results: Path) -> tuple[float, float]:
    """Render all pages on one core; seconds, and peak memory in MB."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # a child inherits it
    start = time.perf_counter()
    child = subprocess.Popen([*COMMAND, "report", str(results)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
