"""The stages one by one, as the workflow calls them, end at the same bytes as ``run``."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.config import StatisticsConfig, WorkflowConfig
from escape_score.launch.plan import WorkflowPlan
from escape_score.report import read_profiles, read_statistics
from escape_score.store.manifest import MANIFEST, verify


class Inputs(Protocol):
    matrix: Path
    samples: Path
    lengths: Path
    options: list[str]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run_stages(  # noqa: PLR0917
    inputs: Inputs,
    work: Path,
    out: Path,
    n_chunks: int,
    score: tuple[str, ...] = (),
    read: tuple[str, ...] = (),
    gather: tuple[str, ...] = (),
) -> None:
    """What the rules of the workflow do, in their order; words are added to those of a stage."""
    parts = [work / f"report-{k}.json" for k in range(1, n_chunks + 1)]
    commands: list[list[object]] = [
        ["read", inputs.matrix, "--samples", inputs.samples, "--units", "counts", "--cohort", "demo", *read],
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
    listed = [str(profiles), *(str(part) for part in parts)]
    assert main(["gather", str(out), *gather, "--parts", *listed]) == 0


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


def test_report_of_a_result_without_a_manifest_says_how_to_end_it(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(shutil.copytree(finished, tmp_path / "out"))
    assert main(["report", str(out)]) == 0
    assert "note:" not in capsys.readouterr().err
    (out / MANIFEST).unlink()
    assert main(["report", str(out)]) == 0
    said = capsys.readouterr().err
    assert f"note: {out}: no manifest.json, so it is not a finished result" in said
    assert f"escape-score gather {out} --parts" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--part", "p.json"], "--profiles, --part: the stage needs both"),
        (["--profiles", "p.json"], "--profiles, --part: the stage needs both"),
        (["--chunk", "2", "--chunks", "3"], "--profiles, --part: the stage needs both"),
        (
            ["--profiles", "p", "--part", "q", "--chunk", "2"],
            "--chunk: 2 is more than --chunks 1; give 1 to 1",
        ),
        (["--profiles", "p", "--part", "q", "--out", "new"], "--out: the stage has no such option"),
        (["--profiles", "p", "--part", "q", "--pdf"], "--pdf: the stage has no such option"),
    ],
)
def test_report_refuses_options_of_its_stage_that_do_not_go_together(
    words: list[str], said: str, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(finished)
    assert main(["report", str(finished), *words]) == 2
    assert capsys.readouterr().err.startswith(f"error: {said}")
    assert files_of(finished) == before


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


def test_models_are_the_same_from_stages_and_run(
    inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    sheet = pd.read_csv(inputs.samples, sep="\t", dtype=str, keep_default_na=False)
    other = tmp_path / "s.tsv"
    sheet.assign(age=[str(40.5 + at) for at in range(len(sheet))]).to_csv(other, sep="\t", index=False)
    formula = "~ score + age"
    options = [str(other) if word == str(inputs.samples) else word for word in inputs.options]
    run = ["run", *options, "--cohort", "demo", "--quiet", "--formula"]
    assert main([*run, formula, "--out", str(tmp_path / "run")]) == 0
    own = replace(inputs, samples=other)  # type: ignore[type-var]
    settings = WorkflowConfig(cohorts=Path("c.tsv"), statistics=StatisticsConfig(formula=formula))
    plan = WorkflowPlan(settings, {}, {})
    read, gather = (("--options", plan.options(rule)) for rule in ("read", "gather"))
    run_stages(own, tmp_path / "work", tmp_path / "stages", 1, read=read, gather=gather)
    assert files_of(tmp_path / "stages") == files_of(tmp_path / "run")
    found = read_statistics(tmp_path / "run")
    assert found is not None
    assert found.formula == formula
    assert [one.metadata["age"] for one in read_profiles(tmp_path / "run")][:2] == [40.5, 41.5]
    for wrong, said in (("~ score + agee", "did you mean 'age'?"), ("~ score + exp(age)", "exp(…)")):
        (line,) = refused(2, *run, wrong, "--out", tmp_path / "none")
        assert said in line
        assert not (tmp_path / "none").exists()


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


def test_stages_need_no_locks_of_hdf5(inputs: Inputs, tmp_path: Path) -> None:
    """File systems without locks refuse one, as a file does that another process has locked."""
    cohort, harmonised = tmp_path / "cohort.h5ad", tmp_path / "harmonised.h5ad"
    program = [sys.executable, "-m", "escape_score"]
    read = ["read", str(inputs.matrix), "--units", "counts", "--cohort", "demo", "--out", str(cohort)]
    subprocess.run([*program, *read], check=True)
    with cohort.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = subprocess.run(
            [*program, "harmonise", cohort, "--out", harmonised], check=False, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    assert harmonised.is_file()


def test_stages_name_the_matrix_of_the_user(
    inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]]
) -> None:
    cohort, harmonised = tmp_path / "cohort.h5ad", tmp_path / "harmonised.h5ad"
    read = ["read", str(inputs.matrix), "--units", "counts", "--cohort", "demo", "--out", str(cohort)]
    assert main(read) == 0
    few = ["harmonise", str(cohort), "--min-genes", "90000", "--out", str(harmonised)]
    (line,) = refused(3, *few)
    assert line.startswith(f"error: {cohort}: ")
    (line,) = refused(3, *few, "--source", "lab/m.tsv")
    assert line.startswith("error: lab/m.tsv (cohort demo): ")
    plain = ["harmonise", str(cohort), "--out", str(harmonised)]
    assert main(plain) == 0
    before = harmonised.read_bytes()
    assert main([*plain, "--source", "lab/m.tsv"]) == 0
    assert harmonised.read_bytes() == before
    score = ["score", str(harmonised), "--reference", "cohort", "--out", str(tmp_path / "scores.h5ad")]
    (line,) = refused(3, *score, "--source", "lab/m.tsv")
    assert line.startswith("error: lab/m.tsv (cohort demo): ")


@pytest.mark.parametrize("given", ["{", "[]"])
def test_a_fault_of_all_options_names_no_key(
    inputs: Inputs, tmp_path: Path, refused: Callable[..., tuple[str, ...]], given: str
) -> None:
    (line,) = refused(2, "read", inputs.matrix, "--out", tmp_path / "c.h5ad", "--options", given)
    assert line.startswith("error: --options: I")
    (line,) = refused(
        2, "read", inputs.matrix, "--out", tmp_path / "c.h5ad", "--options", '{"max_genes": "x"}'
    )
    assert line.startswith("error: --options: max_genes: ")
