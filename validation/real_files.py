"""What becomes of real files of common pipelines: python validation/real_files.py DIR.

Checks every file that ``tests/realfiles/outcomes.tsv`` names, and prints what was found. Ends with 1 where a
file is not there or an outcome differs.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from escape_score.errors import ExitCode
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.inspection import InputReport, inspect_input
from escape_score.read import ReadRequest

OUTCOMES = Path(__file__).resolve().parents[1] / "tests" / "realfiles" / "outcomes.tsv"


def options_of(text: str) -> ReadRequest:
    """Read the options of an outcome, as the command line has them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", default="auto")
    parser.add_argument("--transpose", action="store_true")
    given = parser.parse_args(text.split())
    return ReadRequest(units=ExpressionUnit(given.units), transpose=given.transpose)


def is_as_expected(report: InputReport, outcome: Mapping[str, str]) -> bool:
    """Compare a report with the outcome named for its layout."""
    if outcome["outcome"] == "refused":
        lines = " ".join(finding.text for finding in report.findings)
        return report.exit_code is ExitCode.INPUT and outcome["words"] in lines
    unit = outcome["file_unit"] or outcome["unit"]
    return (report.unit, str(report.n_samples)) == (unit, outcome["samples"])


def main() -> int:
    """Check every file and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    n_wrong = 0
    with OUTCOMES.open(encoding="utf-8") as handle:
        for outcome in csv.DictReader(handle, delimiter="\t"):
            report = inspect_input(folder / outcome["file"], options_of(outcome["options"]))
            is_right = is_as_expected(report, outcome)
            n_wrong += not is_right
            found = f"{report.unit}, {report.n_samples} samples, {report.n_genes} genes"
            shown = found if report.unit else report.findings[0].text.rpartition("/")[2][:150]
            print(f"{'ok' if is_right else 'DIFFERS':8}{outcome['layout']:24}{outcome['options']:20}{shown}")
    print(f"{n_wrong} outcomes differ")
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
