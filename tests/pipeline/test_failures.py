"""A sample that fails is reported and takes no other along."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.errors import MatrixInvalidError, OutputUnwritableError
from escape_score.model.record import slug_of
from escape_score.pipeline.pages.writing import noting_failure
from escape_score.pipeline.reports import list_failures, named
from escape_score.store.manifest import FailedSample, read_manifest, verify


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path


def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (MatrixInvalidError("/run/a/samples/x.json: bad; run again"), "samples/x.json: bad; run again"),
        (ZeroDivisionError("division\nby zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_noting_failure_keeps_one_line_without_the_folder(error: Exception, problem: str) -> None:
    failed: list[FailedSample] = []
    with noting_failure(failed, "x-1", Path("/run/a")):
        fail(error)
    assert failed == [FailedSample(slug="x-1", problem=problem)]


@pytest.mark.parametrize("error", [OutputUnwritableError("disk full"), MemoryError()])
def test_noting_failure_leaves_what_is_no_fault_of_a_sample(error: Exception) -> None:
    failed: list[FailedSample] = []
    with pytest.raises(type(error)), noting_failure(failed, "x-1", Path("/run/a")):
        fail(error)
    assert failed == []


def test_list_failures_marks_the_failed_rows_and_clears_them_again(tmp_path: Path) -> None:
    ids = ["=1+1", 'say "a"', "plain", "x\u2028y"]
    cells = ["'=1+1", '"say ""a"""', "plain", "x\u2028y"]
    before = "sample_id\tflags\tfailed\n" + "".join(f"{cell}\tf\t\n" for cell in cells)
    (tmp_path / "qc.tsv").write_text(before, encoding="utf-8")
    failed = named([FailedSample(slug=slug_of(i), problem="broken") for i in reversed(ids[:2])], ids)
    assert [one.sample_id for one in failed] == ids[:2]
    assert list_failures(tmp_path, failed)
    rows = (tmp_path / "qc.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
    assert [row.split("\t")[2] for row in rows] == ["broken", "broken", "", ""]
    assert not list_failures(tmp_path, failed)
    assert list_failures(tmp_path, ())
    assert (tmp_path / "qc.tsv").read_text(encoding="utf-8") == before


def stages_up_to_profile(inputs: Inputs, work: Path, out: Path) -> Path:
    files = [work / f"{name}.h5ad" for name in ("cohort", "harmonised", "scores")]
    options: list[list[object]] = [
        ["read", inputs.matrix, "--units", "counts", "--cohort", "demo", "--out", files[0]],
        ["harmonise", files[0], "--gene-lengths", inputs.lengths, "--out", files[1]],
        ["score", files[1], "--out", files[2]],
        ["profile", files[2], "--out", out, "--part", work / "profiles.json"],
    ]
    for words in options:
        assert main([str(word) for word in words]) == 0
    return work / "profiles.json"


def test_damaged_profile_fails_its_sample_and_no_other(inputs: Inputs, tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    profiles = stages_up_to_profile(inputs, work, out)
    damaged = sorted((out / "samples").glob("*.json"))[1]
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[:100])
    report = ["report", str(out), "--profiles", str(profiles), "--part", str(work / "report.json")]
    gather = ["gather", str(out), "--parts", str(profiles), str(work / "report.json")]
    assert main(report) == 0
    assert main(gather) == 0
    assert verify(out) == ()
    qc = pd.read_csv(out / "qc.tsv", sep="\t", dtype=str)
    failed = qc[qc["failed"].notna()]
    assert [slug_of(sample) for sample in failed["sample_id"]] == [damaged.stem]
    assert [one.sample_id for one in read_manifest(out).failed] == failed["sample_id"].tolist()
    assert str(tmp_path) not in (out / "manifest.json").read_text(encoding="utf-8")
    assert not damaged.exists()
    assert len(list((out / "samples").glob("*.html"))) == len(qc) - 1
    assert failed["sample_id"].item() in (out / "index.html").read_text(encoding="utf-8")
    damaged.write_bytes(sound)
    assert main(report) == 0
    assert main(gather) == 0
    assert verify(out) == ()
    assert pd.read_csv(out / "qc.tsv", sep="\t")["failed"].isna().all()
