"""Run every benchmark and put its table into docs/performance.md, between the marks that name it.

python benchmarks/report.py [--only bench_workflow bench_report] [--quick]

At the end the targets of all tables are printed, and stand on top of the page: what was measured, what must
be reached, and whether it was.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from shared import MUST_HEADER, must_rows

END_OF_TARGETS = "<!-- end targets -->"
HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "performance.md"
SCRIPTS = (
    *("bench_start", "bench_methods", "bench_end_to_end", "bench_run", "bench_r", "bench_report"),
    *("bench_workflow", "bench_cells"),
)
HAVE_QUICK = set(SCRIPTS) - {"bench_run", "bench_r"}


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
        start = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(f"{script}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        text = replaced(text, script, done.stdout)
        targets = "\n".join([MUST_HEADER, *must_rows(text.partition(END_OF_TARGETS)[2])])
        text = replaced(text, "targets", targets)
        if not is_quick:
            DOCUMENT.write_text(text, encoding="utf-8")
    print(text if is_quick else targets)


if __name__ == "__main__":
    main()
