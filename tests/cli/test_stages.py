"""The stages one by one, as the workflow calls them, end at the same bytes as ``run``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.store.manifest import verify


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path
    options: list[str]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run_stages(inputs: Inputs, work: Path, out: Path, n_chunks: int, score: tuple[str, ...] = ()) -> None:
    """What the rules of the workflow do, in their order."""
    parts = [work / f"report-{k}.json" for k in range(1, n_chunks + 1)]
    commands: list[list[object]] = [
        ["read", inputs.matrix, "--samples", inputs.samples, "--units", "counts", "--cohort", "demo"],
        ["harmonise", work / "cohort.h5ad", "--gene-lengths", inputs.lengths],
        ["score", work / "harmonised.h5ad", *score],
    ]
    for command, name in zip(commands, ("cohort", "harmonised", "scores"), strict=True):
        assert main([*(str(word) for word in command), "--out", str(work / f"{name}.h5ad")]) == 0
    profiles = work / "profiles.json"
    assert main(["profile", str(work / "scores.h5ad"), "--out", str(out), "--part", str(profiles)]) == 0
    for k, part in enumerate(parts, 1):
        slices = ["--chunk", str(k), "--chunks", str(n_chunks), "--part", str(part)]
        assert main(["report", str(out), "--profiles", str(profiles), *slices]) == 0
    assert main(["gather", str(out), "--parts", str(profiles), *(str(part) for part in parts)]) == 0


@pytest.mark.parametrize("n_chunks", [1, 3, pytest.param(9, marks=pytest.mark.slow)])
def test_stages_end_at_the_same_bytes_as_run(
    n_chunks: int, inputs: Inputs, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_stages(inputs, tmp_path / "work", out, n_chunks)
    found, expected = files_of(out), files_of(finished)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert verify(out) == ()


@pytest.mark.slow
def test_methods_beside_the_axes_are_the_same_from_stages_and_run(inputs: Inputs, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(
        "score: {methods: [ssgsea, gsva, zscore], ties: gsva, min_coverage: 0.5}\n", encoding="utf-8"
    )
    out = ["--out", str(tmp_path / "run")]
    assert main(["run", *inputs.options, "--cohort", "demo", "--quiet", "--config", str(config), *out]) == 0
    options = '{"methods": ["ssgsea", "gsva", "zscore"], "ties": "gsva", "min_coverage": 0.5}'
    score = ("--options", options, "--threads", "2")
    run_stages(inputs, tmp_path / "work", tmp_path / "stages", 1, score)
    assert files_of(tmp_path / "stages") == files_of(tmp_path / "run")
    table = pd.read_csv(tmp_path / "run" / "scores.tsv", sep="\t")
    assert table["gsva:effector"].between(-1, 1).all()
    scores = ad.read_h5ad(tmp_path / "run" / "scores.h5ad")
    at = scores.var_names.get_loc("ssgsea:effector")
    np.testing.assert_allclose(scores.X[:, at], table["ssgsea:effector"], rtol=1e-8)
    assert scores.var["method"].iloc[at] == "ssgsea"
    assert (scores.layers["coverage"][:, at] == 1.0).all()


def test_gather_takes_away_samples_that_no_part_lists(inputs: Inputs, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "samples").mkdir(parents=True)
    (out / "samples" / "old-00000000.json").write_text("{}", encoding="utf-8")
    (out / ".lock").write_text("manifest.json\nsamples/old-00000000.json\n", encoding="utf-8")
    run_stages(inputs, tmp_path / "work", out, 1)
    assert files_of(out) == files_of(finished)


def test_result_without_its_gather_does_not_verify(inputs: Inputs, tmp_path: Path) -> None:
    out, work = tmp_path / "out", tmp_path / "work"
    run_stages(inputs, work, out, 1)
    (out / "manifest.json").unlink()
    assert main(["verify", str(out)]) == 3
    assert main(["gather", str(out), "--parts", str(work / "report-1.json")]) == 3  # no part of the profiles
    assert not (out / "manifest.json").exists()


def test_a_stage_never_replaces_its_input_or_a_file_of_the_user(
    inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    matrix, other = tmp_path / "mine.tsv", tmp_path / "notes.txt"
    matrix.write_bytes(inputs.matrix.read_bytes())
    other.write_text("mine")
    for out, said in ((matrix, "is an input of this stage"), (other, "is not a file of a stage")):
        before = out.read_bytes()
        (line,) = refused(2, "read", matrix, "--units", "counts", "--out", out)
        assert said in line
        assert out.read_bytes() == before
