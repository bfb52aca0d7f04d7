"""Profiles of schedulers in Snakemake's own parser, and jobs sent through their executors.

The executors of LSF and HTCondor are those that users install; ``make interchange`` puts them into a folder
of their own. Their schedulers cannot be installed here: stand-ins start the jobs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from escape_score.launch.launcher import SCHEDULERS, profile_folder

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
SETTINGS = """
import json, sys
from snakemake.cli import parse_args
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
_, args = parse_args(sys.argv[1:])
plugin = ExecutorPluginRegistry().get_plugin(args.executor)
if plugin.settings_cls:
    plugin.get_settings(args)
print(json.dumps([args.executor, args.jobs, args.retries, sorted(args.default_resources)]))
"""
OF_SNAKEMAKE = {"mem_mb", "runtime", "disk_mb", "tmpdir"}
CHOSEN = {
    "ESCAPE_SCORE_ACCOUNT": "my_lab",
    "ESCAPE_SCORE_PARTITION": "short",
    "ESCAPE_SCORE_JOBS": "7",
    "ESCAPE_SCORE_RETRIES": "1",
}
AFTER_CHOICE = {
    "slurm": {"slurm_account", "slurm_partition"},
    "lsf": {"lsf_project", "lsf_queue"},
    "htcondor": {"classad_AccountingGroup"},
}
LSF_COMMANDS = ("bsub", "bjobs", "badmin", "lsclusters")

installed = pytest.mark.programs
every_scheduler = pytest.mark.parametrize(
    "scheduler", ["slurm", pytest.param("lsf", marks=installed), pytest.param("htcondor", marks=installed)]
)
stood_in = pytest.mark.parametrize("scheduler", ["lsf", "htcondor"])


@pytest.fixture
def plugins(scheduler: str, repo_root: Path) -> str:
    """What Python's path needs for the executor of a scheduler."""
    folder = repo_root / "build" / "executors"
    found = importlib.util.find_spec(f"snakemake_executor_plugin_{scheduler}")
    if found is None and not (folder / f"snakemake_executor_plugin_{scheduler}").is_dir():
        pytest.skip("no build/executors; make interchange installs it")
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def parsed(profile: Path, plugins: str, chosen: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What Snakemake and the plugin make of a profile."""
    command = [sys.executable, "-W", "ignore", "-c", SETTINGS, "--workflow-profile", str(profile)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESCAPE_SCORE_")}
    environment = {**kept, "PYTHONPATH": plugins, **chosen}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@every_scheduler
def test_every_option_of_a_profile_is_known_to_snakemake_and_the_plugin(scheduler: str, plugins: str) -> None:
    usual = json.loads(parsed(profile_folder(scheduler), plugins, {}).stdout)
    assert usual[:3] == [scheduler, 50, 2]
    chosen = json.loads(parsed(profile_folder(scheduler), plugins, CHOSEN).stdout)
    assert chosen[:3] == [scheduler, 7, 1]
    assert set(chosen[3]) >= AFTER_CHOICE[scheduler]


@every_scheduler
def test_every_resource_of_a_profile_is_one_that_the_plugin_reads(scheduler: str, plugins: str) -> None:
    *_, resources = json.loads(parsed(profile_folder(scheduler), plugins, CHOSEN).stdout)
    name = f"snakemake_executor_plugin_{scheduler}"
    places = (Path(folder) / name for folder in [*plugins.split(os.pathsep), *sys.path])
    plugin = next(place for place in places if place.is_dir())
    code = "\n".join(path.read_text(encoding="utf-8") for path in plugin.glob("*.py"))
    read = {one for one in resources if re.search(rf"\b{re.sub('^classad_.*', 'classad_', one)}", code)}
    assert set(resources) - OF_SNAKEMAKE <= read


@every_scheduler
def test_an_option_that_the_plugin_does_not_know_is_a_fault(
    scheduler: str, plugins: str, tmp_path: Path
) -> None:
    text = (profile_folder(scheduler) / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(f"{text}\n{scheduler}-no-such-option: 1\n", encoding="utf-8")
    done = parsed(tmp_path, plugins, {})
    assert done.returncode != 0
    assert f"--{scheduler}-no-such-option" in done.stderr


@dataclass(frozen=True)
class Cluster:
    """A study of one cohort that can be read and one that cannot, and a stand-in for a scheduler."""

    folder: Path
    environment: dict[str, str]

    def launch(self, profile: str, run: str, *targets: str) -> subprocess.CompletedProcess[str]:
        options = ["--config", str(self.folder / "config.yaml"), "--directory", str(self.folder / run)]
        often = ["--", "--seconds-between-status-checks", "2", "--latency-wait", "5", *targets]
        command = [str(BIN / "escape-score"), "workflow", *options, "--profile", profile, *often]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )

    @property
    def place(self) -> Path:
        return Path(self.environment["STAND_IN"])

    def sent(self) -> list[str]:
        """What was sent to the scheduler, one text a job."""
        return [path.read_text(encoding="utf-8") for path in sorted(self.place.glob("*.json"))]


@pytest.fixture
def cluster(scheduler: str, plugins: str, repo_root: Path, tmp_path: Path) -> Cluster:
    demo = repo_root / "resources" / "demo"
    ids = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str)["sample_id"].tolist()[:6]
    pd.read_parquet(demo / "expression.parquet", columns=["gene", *ids]).to_parquet(tmp_path / "good.parquet")
    (tmp_path / "bad.tsv").write_text("gene\ts1\ts2\nTP53\t1\tx\nCD8A\t2\t3\n", encoding="utf-8")
    rows = "good\tgood.parquet\t\tcounts\nbad\tbad.tsv\t\tcounts\n"
    (tmp_path / "cohorts.tsv").write_text(f"cohort\texpression\tsamples\tunits\n{rows}", encoding="utf-8")
    (tmp_path / "config.yaml").write_text("cohorts: cohorts.tsv\n", encoding="utf-8")
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in (*LSF_COMMANDS, "condor_submit"):
        script = f'#!/bin/sh\nexec "{sys.executable}" -I "{HERE / "lsf.py"}" {name} "$@"\n'
        (commands / name).write_text(script, encoding="utf-8")
        (commands / name).chmod(0o755)
    (tmp_path / "sent").mkdir()
    more = {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(HERE / "condor"), plugins]),
        "PYTHONWARNINGS": "ignore",
        "STAND_IN": str(tmp_path / "sent"),
    }
    return Cluster(tmp_path, {**os.environ, **CHOSEN, **more})


def errors_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@installed
@stood_in
def test_jobs_give_the_same_bytes_and_a_fault_of_the_input_is_one_line_and_sent_once(
    scheduler: str, cluster: Cluster
) -> None:
    targets = ["work/good/cohort.h5ad", "work/bad/cohort.h5ad"]
    done = cluster.launch(scheduler, "cluster", *targets)
    assert done.returncode == 3, done.stderr
    (error,) = errors_of(done)
    assert "bad.tsv" in error
    assert len(cluster.sent()) == 2
    assert any(all(word in job for word in REQUESTED[scheduler]) for job in cluster.sent()), cluster.sent()
    cluster.launch("default", "local", targets[0])
    found, expected = (
        hashlib.sha256((cluster.folder / run / targets[0]).read_bytes()) for run in ("cluster", "local")
    )
    assert found.digest() == expected.digest()


REQUESTED = {
    "lsf": ['"-W", "11"', '"-n", "1"', "rusage[mem=1002.0]", '"-P", "my_lab"', '"-q", "short"'],
    "htcondor": ['"1002"', '"660"', "my_lab.", "TARGET.FileSystemDomain == MY.FileSystemDomain"],
}


@installed
@stood_in
def test_refusal_of_a_job_is_one_line_with_the_words_of_the_scheduler(
    scheduler: str, cluster: Cluster
) -> None:
    (cluster.place / "refuse").touch()
    done = cluster.launch(scheduler, "run", "work/good/cohort.h5ad")
    assert done.returncode == 2, done.stderr
    (error,) = errors_of(done)
    assert error.startswith(f"error: {SCHEDULERS[scheduler][0]} refused a job: no")


@installed
@stood_in
def test_dry_run_needs_no_scheduler(scheduler: str, cluster: Cluster) -> None:
    environment = {**cluster.environment, "PATH": os.environ["PATH"]}
    done = Cluster(cluster.folder, environment).launch(scheduler, "run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "12 jobs; the largest requests 1002 MB" in done.stdout
