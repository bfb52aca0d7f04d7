"""The workflow through a real Slurm: the same bytes as on one machine, also after its controller was killed.

`.ci/slurm` starts a single-node Slurm for these tests and says so in the environment: on a cluster that is
at work they would queue jobs that nobody asked for.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from tests.cells.simulated import simulated_cells

BIN = Path(sys.executable).parent
ALLOWED = "ESCAPE_SCORE_TEST_SLURM"
COHORTS = ("alpha", "beta")
N_SAMPLES = 6
STAGES_OF_A_COHORT = 6
CELLS, STAGES_OF_CELLS = "cells", 9
PATIENCE_S = int(os.environ.get("ESCAPE_SCORE_PATIENCE", "300"))
ASK_OFTEN = ("--", "--seconds-between-status-checks", "2")

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        not os.environ.get(ALLOWED) or shutil.which("sbatch") is None,
        reason=f"Slurm: no test cluster here; .ci/slurm starts one and sets {ALLOWED}",
    ),
]


@dataclass(frozen=True)
class Study:
    """A config with some cohorts, and folders to run it in."""

    folder: Path

    def command(self, run: str, *options: str) -> list[str]:
        config, directory = self.folder / "config.yaml", self.folder / run
        launcher = [str(BIN / "escape-score"), "workflow", "--config", str(config)]
        return [*launcher, "--directory", str(directory), *options]

    def launch(self, run: str, *options: str) -> subprocess.CompletedProcess[str]:
        # A job that asks for more than the node has is never started: nothing may wait for ever.
        command = ["timeout", "-k", "5", str(PATIENCE_S), *self.command(run, *options)]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def slurm(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def states(*, after: int = 0) -> Counter[str]:
    """How the jobs submitted after one of them ended, by the record Slurm keeps of them."""
    found = re.search(r"^JobCompLoc\s*=\s*(\S+)", slurm("scontrol", "show", "config"), flags=re.MULTILINE)
    assert found is not None
    text = Path(found[1]).read_text(encoding="utf-8") if Path(found[1]).exists() else ""
    jobs = re.findall(r"JobId=(\d+) .*?JobState=(\w+)", text)
    return Counter(state for job, state in jobs if int(job) > after)


def last_job() -> int:
    """The highest job id so far."""
    ids = [int(line) for line in slurm("squeue", "-h", "-t", "all", "-o", "%i").split()]
    return max(ids, default=0)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for as long as a whole run may take: a job starts slowly where other work goes on."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.2)


def write_study(folder: Path, demo: Path, cohorts: tuple[str, ...]) -> Study:
    ids = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str)["sample_id"].tolist()
    lines = ["cohort\texpression\tsamples\tunits"]
    for place, cohort in enumerate(cohorts):
        chosen = ids[place * N_SAMPLES : (place + 1) * N_SAMPLES]
        table = pd.read_parquet(demo / "expression.parquet", columns=["gene", *chosen])
        table.to_parquet(folder / f"{cohort}.parquet")
        lines.append(f"{cohort}\t{cohort}.parquet\t\tcounts")
    (folder / "cohorts.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "config.yaml").write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    return Study(folder)


def with_cells(study: Study) -> Study:
    """Add a small cohort of single cells, one sample of one patient."""
    simulated_cells(n_samples=1, n_cells=80, n_genes=1_200).write_h5ad(study.folder / "cells.h5ad")
    header, *rows = (study.folder / "cohorts.tsv").read_text(encoding="utf-8").splitlines()
    lines = [f"{header}\tkind", *(f"{row}\tbulk" for row in rows), f"{CELLS}\tcells.h5ad\t\t\tcells"]
    (study.folder / "cohorts.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = "cohorts: cohorts.tsv\ncells: {sample_column: sample, cell_type_column: cell_type}\n"
    (study.folder / "config.yaml").write_text(config, encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> Iterator[Study]:
    """Two cohorts of bulk and one of single cells, run on this machine."""
    folder = tmp_path_factory.mktemp("study")
    study = with_cells(write_study(folder, repo_root / "resources" / "demo", COHORTS))
    done = study.launch("local", "--cores", "2")
    assert done.returncode == 0, done.stderr
    yield study
    shutil.rmtree(folder)


def test_demo_runs_with_the_profile_as_it_is_shipped(repo_root: Path, tmp_path: Path) -> None:
    before = last_job()
    options = ["--config", str(repo_root / "config" / "config.yaml")]
    for name, more in (("local", ["--cores", "2"]), ("cluster", ["--profile", "slurm"])):
        command = [
            str(BIN / "escape-score"),
            "workflow",
            *options,
            "--directory",
            str(tmp_path / name),
            *more,
        ]
        done = subprocess.run(
            ["timeout", "-k", "5", str(PATIENCE_S), *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert states(after=before) == Counter(COMPLETED=STAGES_OF_A_COHORT)
    assert digests(tmp_path / "cluster" / "results") == digests(tmp_path / "local" / "results")


def test_rules_of_the_demo_ask_for_little(repo_root: Path, tmp_path: Path) -> None:
    command = [str(BIN / "escape-score"), "workflow", "--config", str(repo_root / "config" / "config.yaml")]
    options = ["--directory", str(tmp_path), "--profile", "slurm", "--dry-run"]
    asked = subprocess.run([*command, *options], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^\w+ +\d+ +(\d+) +(\d+) MB +(\d+) min$", asked, flags=re.MULTILINE)
    assert len(rows) == STAGES_OF_A_COHORT, asked
    for threads, megabytes, minutes in rows:
        assert int(threads) <= 2
        assert int(megabytes) <= 3000
        assert int(minutes) <= 30


def test_run_whose_controller_was_killed_resumes_to_the_same_bytes(study: Study) -> None:
    before = last_job()
    work = study.folder / "cluster" / "work"
    command = study.command("cluster", "--profile", "slurm", *ASK_OFTEN)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as launcher:
        wait_until(lambda: len(list(work.glob("*/harmonised.h5ad"))) >= 1)
        os.killpg(launcher.pid, signal.SIGKILL)
    # Its jobs outlive it, and would write beside those of the next run.
    left = [line for line in slurm("squeue", "-h", "-t", "PD,R", "-o", "%i").split() if int(line) > before]
    if left:
        slurm("scancel", *left)
    wait_until(lambda: not slurm("squeue", "-h", "-t", "PD,R,CG", "-o", "%i").split())
    finished = {path: path.stat().st_mtime_ns for path in work.glob("*/cohort.h5ad")}
    locked = study.launch("cluster", "--profile", "slurm", *ASK_OFTEN)
    assert locked.returncode == 2, locked.stderr
    assert study.launch("cluster", "--profile", "slurm", "--", "--unlock").returncode == 0
    killed = last_job()
    done = study.launch("cluster", "--profile", "slurm", *ASK_OFTEN)
    assert done.returncode == 0, done.stderr
    assert states(after=killed) == Counter(COMPLETED=states(after=killed).total())
    assert states(after=killed).total() < STAGES_OF_A_COHORT * len(COHORTS) + STAGES_OF_CELLS
    assert states(after=before)["FAILED"] == 0
    kept = [path for path, written in finished.items() if path.stat().st_mtime_ns == written]
    assert kept
    found = digests(study.folder / "cluster" / "results")
    assert f"{CELLS}/cells.tsv" in found
    assert found == digests(study.folder / "local" / "results")


def test_job_whose_input_is_at_fault_is_told_in_one_line_and_not_sent_again(tmp_path: Path) -> None:
    before = last_job()
    (tmp_path / "broken.tsv").write_text("gene\ts1\ts2\nTP53\t1\tx\nCD8A\t2\t3\n", encoding="utf-8")
    sheet = "cohort\texpression\tsamples\tunits\nbroken\tbroken.tsv\t\tcounts\n"
    (tmp_path / "cohorts.tsv").write_text(sheet, encoding="utf-8")
    (tmp_path / "config.yaml").write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    done = Study(tmp_path).launch("run", "--profile", "slurm", *ASK_OFTEN)
    assert done.returncode == 3, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert ["broken.tsv" in line for line in errors] == [True]
    assert states(after=before) == Counter(FAILED=1)


def one_cohort(folder: Path, repo_root: Path) -> Study:
    return write_study(folder, repo_root / "resources" / "demo", COHORTS[:1])


def errors_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize("options", [(), ("--slurm-array-jobs", "all")], ids=["jobs", "arrays"])
def test_refusal_of_a_job_is_one_line_with_the_words_of_sbatch(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ESCAPE_SCORE_PARTITION", "no-such-partition")
    monkeypatch.setenv("ESCAPE_SCORE_JOBS", "2")  # an array is sent when as many jobs are ready
    before = last_job()
    study = write_study(tmp_path, repo_root / "resources" / "demo", COHORTS)
    done = study.launch("run", "--profile", "slurm", *ASK_OFTEN, *options)
    assert done.returncode == 2, done.stderr
    errors = errors_of(done)
    assert len(errors) == len(COHORTS)
    assert all("Slurm refused the job read" in error for error in errors)
    assert all("invalid partition" in error.lower() for error in errors)
    assert states(after=before) == Counter()


def queued(rule: str) -> list[str]:
    """Jobs of a rule that wait or run, by the comment that Snakemake's executor gives them."""
    lines = [
        line.split(maxsplit=1) for line in slurm("squeue", "-h", "-t", "PD,R", "-o", "%i %k").splitlines()
    ]
    return [job for job, comment in lines if f"rule_{rule}" in comment]


def test_job_that_was_cancelled_is_sent_again_with_more_memory(repo_root: Path, tmp_path: Path) -> None:
    before = last_job()
    study = one_cohort(tmp_path, repo_root)
    command = study.command("run", "--profile", "slurm", *ASK_OFTEN)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as launcher:
        wait_until(lambda: queued("score") != [])
        slurm("scancel", *queued("score"))
        _, said = launcher.communicate(timeout=PATIENCE_S)
    assert launcher.returncode == 0, said
    assert errors_of(subprocess.CompletedProcess(command, 0, "", said)) == []
    assert states(after=before) == Counter(COMPLETED=STAGES_OF_A_COHORT, CANCELLED=1)
    (log,) = (study.folder / "run" / "logs").glob("snakemake-*.log")
    words = log.read_text(encoding="utf-8")
    asked = re.findall(
        r"^rule score:\n(?:    .*\n)*?    resources: .*?mem_mb=(\d+)", words, flags=re.MULTILINE
    )
    assert len(asked) == 2, words
    assert int(asked[1]) == 2 * int(asked[0])
