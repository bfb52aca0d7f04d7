"""Run every benchmark and put its table into docs/performance.md, between the marks that name it.

python benchmarks/report.py [--only bench_workflow bench_report] [--quick]
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "performance.md"
SCRIPTS = (
    *("bench_methods", "bench_end_to_end", "bench_run", "bench_r", "bench_report", "bench_workflow"),
    "bench_cells",
)
HAVE_QUICK = {"bench_methods", "bench_end_to_end", "bench_report", "bench_workflow", "bench_cells"}


def processor() -> str:
    """Name of the processor."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def replaced(text: str, name: str, content: str) -> str:
    """The text with the content between the marks of a name."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        sys.exit(f"error: {DOCUMENT}: the marks of {name} are missing; put them back")
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=SCRIPTS)
    parser.add_argument("--quick", action="store_true", help="print only, a tenth of everything or less")
    chosen = parser.parse_args()
    is_quick = chosen.quick
    text = DOCUMENT.read_text(encoding="utf-8")
    machine = (
        f"{datetime.date.today()}, {processor()}, {os.cpu_count()} CPUs, {platform.system()} "
        f"{platform.release()}; load before: {os.getloadavg()[0]:.1f}."
    )
    # The line speaks of all tables; one measured alone leaves it.
    text = replaced(text, "machine", machine) if len(chosen.only) == len(SCRIPTS) else text
    for script in chosen.only:
        options = ["--quick"] if is_quick and script in HAVE_QUICK else []
        command = [sys.executable, str(HERE / f"{script}.py"), *options]
        print(f"{script} …", file=sys.stderr, flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        text = replaced(text, script, done.stdout)
        if not is_quick:
            DOCUMENT.write_text(text, encoding="utf-8")
    if is_quick:
        print(text)


if __name__ == "__main__":
    main()
