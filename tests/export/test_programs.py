"""Exports opened by the programs they are for; ``make interchange`` installs these into their own venv."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from escape_score.export.gct import gct_files
from escape_score.export.multiqc import multiqc_files, multiqc_name
from escape_score.export.tables import ResultTables

pytestmark = pytest.mark.programs
READ_GCT = Path(__file__).with_name("read_gct.py")
both = pytest.mark.parametrize("which", ["tables", "hostile"])


@pytest.fixture
def chosen(which: str, request: pytest.FixtureRequest) -> ResultTables:
    found: ResultTables = request.getfixturevalue(which)
    return found


def call(*command: object, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        timeout=300,
    )


def json_of(tables: ResultTables, programs: Path, folder: Path, name: str) -> dict[str, Any]:
    (folder / name).write_text(gct_files(tables)[name], encoding="utf-8")
    done = call(programs / "python", READ_GCT, folder / name, folder / "again.gct", home=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@both
@pytest.mark.parametrize("name", ["profiles.gct", "scores.gct"])
def test_cmappy_reads_gct_and_writes_it_back(
    chosen: ResultTables, name: str, programs: Path, tmp_path: Path
) -> None:
    found = json_of(chosen, programs, tmp_path, name)
    assert found["is_same"]
    assert found["sample_ids"] == chosen.sample_ids
    assert found["column_fields"][0] == "cohort"
    table = chosen.profiles if name == "profiles.gct" else chosen.scores
    expected = table[found["row_ids"]].T.to_numpy(np.float64)
    values = np.array(found["values"], dtype=np.float64)
    # cmapPy holds numbers in single precision
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-7)


@both
def test_multiqc_strict_accepts_the_custom_content(
    chosen: ResultTables, programs: Path, tmp_path: Path
) -> None:
    for name, text in multiqc_files(chosen).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    options = ("--strict", "--no-ansi", "--cl-config", "no_version_check: true", "--outdir", tmp_path / "out")
    done = call(programs / "multiqc", *options, tmp_path, home=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # the first line tells that strict mode may give warnings
    assert not re.search(
        r"\b(warning|error|critical)\b", said.replace("will give warnings", ""), re.IGNORECASE
    ), said
    table = (tmp_path / "out" / "multiqc_data" / "multiqc_general_stats.txt").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines()]
    assert sorted(row[0] for row in rows[1:]) == sorted(map(multiqc_name, chosen.sample_ids))
    assert len(rows[0]) == 6
    page = (tmp_path / "out" / "multiqc_report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "Escape mechanisms" in page
