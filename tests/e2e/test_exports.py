"""The bundled cohort with made-up labels, from matrix to the formats of others, through the real program."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pytest

from escape_score.model.record_statistics import CohortStatistics

pytestmark = pytest.mark.slow

N_LATER = 6


def call(*arguments: object) -> str:
    command = [sys.executable, "-m", "escape_score", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sheet(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels by a sample's place in the sheet; the last are later samples of the first patients."""
    table = pd.read_csv(repo_root / "resources" / "demo" / "samples.tsv", sep="\t", dtype=str)
    at = pd.Series(range(len(table)))
    is_later = at >= len(table) - N_LATER
    table["patient_id"] = [
        f"p{(i if not later else i - len(table) + N_LATER)}" for i, later in enumerate(is_later)
    ]
    table["timepoint"] = is_later.map({True: "on", False: "baseline"})
    table["response"] = (at % 3 == 0).map({True: "CR", False: "PD"})
    table["msi"] = ["MSI-H" if word == "low" else "MSS" for word in table["mlh1_expression"]]
    table["os_days"] = 50 + at * 37 % 800
    table["os_event"] = at % 2
    path = tmp_path_factory.mktemp("sheet") / "samples.tsv"
    table.to_csv(path, sep="\t", index=False)
    return path


@pytest.fixture(scope="module")
def results(repo_root: Path, sheet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labelled") / "results"
    lengths = repo_root / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv"
    matrix = repo_root / "resources" / "demo" / "expression.parquet"
    options = (
        "--samples",
        sheet,
        "--units",
        "counts",
        "--gene-lengths",
        lengths,
        "--cohort",
        "demo",
        "--quiet",
    )
    call("run", matrix, *options, "--out", out)
    return out


def test_labels_become_statistics_beside_the_pages(results: Path) -> None:
    statistics = CohortStatistics.model_validate_json((results / "cohort.json").read_bytes())
    n = statistics.n_samples
    assert (statistics.cohort, n, statistics.n_patients) == ("demo", 60, 60 - N_LATER)
    assert statistics.response is not None
    assert statistics.response.n_samples == 60 - N_LATER
    columns = {comparison.column for comparison in statistics.comparisons}
    assert columns == {"msi", "timepoint", "mlh1_expression"}
    assert [survival.endpoint for survival in statistics.survival] == ["os"]
    listed = {entry["path"] for entry in json.loads((results / "manifest.json").read_text("utf-8"))["files"]}
    assert "cohort.json" in listed


def test_statistics_fit_the_published_schema(results: Path, repo_root: Path) -> None:
    schema = json.loads((repo_root / "docs" / "cohort.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads((results / "cohort.json").read_text("utf-8")))


def test_report_keeps_the_statistics(results: Path) -> None:
    before = (results / "cohort.json").read_bytes()
    call("report", results)
    assert (results / "cohort.json").read_bytes() == before
    assert call("verify", results).startswith("ok:")


def test_export_gives_every_format(results: Path, tmp_path: Path) -> None:
    formats = ("--format", "multiqc", "--format", "gct", "--format", "cbioportal", "--format", "schema")
    first, *listed = call("export", results, *formats, "--out", tmp_path).splitlines()
    assert first == "12 files:"
    assert set(listed) == {str(path) for path in tmp_path.iterdir()}
    table = pd.read_csv(results / "profiles.tsv", sep="\t", dtype={"sample_id": str})
    header = (tmp_path / "profiles.gct").read_text(encoding="utf-8").splitlines()[2].split("\t")
    assert header[4:] == table["sample_id"].tolist()
    assert call("verify", results).startswith("ok:")
