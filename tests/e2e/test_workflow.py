"""The workflow, run by the real Snakemake through the real program on six samples of the bundled cohort."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from tests.read.cells import write_zarr

BIN = Path(sys.executable).parent
N_SAMPLES = 6
N_COHORT_REFERENCE = 20
CHUNK_SIZE = 4
COHORT = "six"
BROKEN = "gene\ts1\ts2\nTP53\t1\tx\nCD8A\t2\t3\n"
NO_SHEET = {"samples": "", "gene_lengths": ""}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Project:
    """A folder with a config and the files it names, and where the workflow was run from it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config" / "config.yaml"

    @property
    def run_folder(self) -> Path:
        return self.folder / "run"

    def command(self, *options: str) -> list[str]:
        directory = () if "--" in options else ("--directory", str(self.run_folder))
        return ["workflow", "--config", str(self.config), "--cores", "2", *directory, *options]

    def launch(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the workflow; the words of Snakemake, which are in a log file, are added to stdout."""
        logs = self.run_folder / "logs"
        before = {*logs.glob("snakemake-*.log")}
        done = call("escape-score", *self.command(*options))
        for log in sorted({*logs.glob("snakemake-*.log")} - before):
            done.stdout += log.read_text(encoding="utf-8")
        return done

    def configure(self, *, seed: int = 1, chunk_size: int = CHUNK_SIZE) -> None:
        text = f"cohorts: cohorts.tsv\nseed: {seed}\nreport:\n  chunk_size: {chunk_size}\n"
        self.config.write_text(text, encoding="utf-8")


def call(program: str, *options: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / program), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@contextmanager
def killing(folder: Path, *words: str) -> Iterator[None]:
    """Kill, meanwhile, the first job that works in a folder and has these words in its command."""
    script = KILLER.format(folder=str(folder), words=["escape-score", *words])
    with subprocess.Popen([sys.executable, "-c", script]) as killer:
        yield
        assert killer.wait(timeout=5) == 0, "no such job was there to be killed"


KILLER = """
import os, signal, time
from pathlib import Path

def words_of(process):
    try:
        if os.readlink(process / "cwd") == {folder!r}:
            return [Path(word).name for word in (process / "cmdline").read_text().split(chr(0))]
    except OSError:
        return []

deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    for process in Path("/proc").glob("[0-9]*"):
        words = words_of(process) or []
        if words and words[0].startswith("python") and all(word in words for word in {words!r}):
            os.kill(int(process.name), signal.SIGKILL)
            raise SystemExit(0)
    time.sleep(0.02)
raise SystemExit(1)
"""


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file below a folder, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def rules_run(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Rules that Snakemake says it starts."""
    return set(re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, flags=re.MULTILINE)) - {"all"}


def write_cohorts(folder: Path, *rows: dict[str, str]) -> None:
    columns = ["cohort", "expression", "samples", "units", "gene_lengths"]
    sheet = pd.DataFrame(list(rows), columns=columns)
    sheet.to_csv(folder / "config" / "cohorts.tsv", sep="\t", index=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> Project:
    """Six samples of the bundled cohort, profiled once by the launcher."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "config").mkdir()
    demo = repo_root / "resources" / "demo"
    sheet = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str).head(N_SAMPLES)
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    expression = pd.read_parquet(demo / "expression.parquet", columns=["gene", *sheet["sample_id"]])
    expression.to_parquet(folder / "expression.parquet")
    (folder / "lengths.tsv").write_bytes(
        (repo_root / "resources" / "reference" / "tcga-coadread-v1" / "length_factors.tsv").read_bytes()
    )
    write_cohorts(folder, row(COHORT))
    project = Project(folder)
    project.configure()
    done = project.launch()
    assert done.returncode == 0, done.stderr
    return project


def row(cohort: str, expression: str = "../expression.parquet") -> dict[str, str]:
    return {
        "cohort": cohort,
        "expression": expression,
        "samples": "../samples.tsv",
        "units": "counts",
        "gene_lengths": "../lengths.tsv",
    }


def test_workflow_writes_what_its_manifest_lists(project: Project) -> None:
    results = project.run_folder / "results" / COHORT
    verified = call("escape-score", "verify", results)
    assert verified.returncode == 0, verified.stderr
    assert len(list((results / "samples").glob("*.json"))) == N_SAMPLES
    assert len(list((results / "samples").glob("*.html"))) == N_SAMPLES


def test_workflow_gives_the_files_of_run(project: Project, tmp_path: Path) -> None:
    options = ["--cohort", COHORT, "--units", "counts", "--samples", project.folder / "samples.tsv"]
    options += ["--gene-lengths", project.folder / "lengths.tsv"]
    done = call(
        "escape-score", "run", project.folder / "expression.parquet", "--out", tmp_path / "out", *options
    )
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "out") == digests(project.run_folder / "results" / COHORT)


def test_workflow_gives_the_files_of_plain_snakemake(
    project: Project, repo_root: Path, tmp_path: Path
) -> None:
    # One core and no launcher, from another folder: neither order nor place may show in the results.
    options = ["--snakefile", repo_root / "workflow" / "Snakefile", "--configfile", project.config]
    done = call("snakemake", *options, "--directory", tmp_path / "plain", "--cores", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "plain" / "results") == digests(project.run_folder / "results")


def test_workflow_says_one_line_a_cohort_and_keeps_the_words_of_snakemake_in_a_log(
    project: Project, tmp_path: Path
) -> None:
    other = linked(project, tmp_path, row(COHORT))
    done = other.launch()
    finished, header, cohort, closing = done.stderr.splitlines()
    assert finished == f"{COHORT}: finished (1 of 1)"
    assert header.split()[:2] == ["cohort", "samples"]
    assert cohort.split()[:2] == [COHORT, str(N_SAMPLES)]
    assert closing.startswith(f"{N_SAMPLES} samples of 1 cohort in ")
    (log,) = (other.run_folder / "logs").glob("snakemake-*.log")
    assert "localrule gather:" in log.read_text(encoding="utf-8")
    assert other.launch("--quiet").stderr == ""
    assert [*(other.run_folder / "logs").glob("snakemake-*.log")] == [log]


def test_plugin_says_one_line_a_cohort_in_plain_snakemake(
    project: Project, repo_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.tsv").write_text(BROKEN, encoding="utf-8")
    other = linked(project, tmp_path, row(COHORT), row("broken", "../broken.tsv") | NO_SHEET)
    options = ["--snakefile", repo_root / "workflow" / "Snakefile", "--configfile", other.config]
    options += ["--directory", other.run_folder, "--cores", "2", "--logger", "escape-score"]
    done = call("snakemake", *options, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{COHORT}: finished (1 of 2)" in done.stderr.splitlines()
    assert [line for line in errors_of(done) if "broken.tsv" in line] == errors_of(done) != []
    assert "rule " not in done.stderr
    assert digests(other.run_folder / "results") == digests(project.run_folder / "results")
    listed = call("snakemake", *options, "--dry-run", "--forceall", cwd=tmp_path)
    assert rules_run(listed) >= {"read", "harmonise", "score", "profile", "report", "gather"}


def test_workflow_report_has_captions_and_loads_nothing(
    project: Project, repo_root: Path, tmp_path: Path
) -> None:
    options = ["--snakefile", repo_root / "workflow" / "Snakefile", "--configfile", project.config]
    page = tmp_path / "report.html"
    done = call("snakemake", *options, "--directory", project.run_folder, "--report", page, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\W?https?:[^>]*", text) == []
    for words in ("One row a sample", "at a glance", "why a sample failed"):
        assert words in text


def test_workflow_fits_a_cohort_as_its_own_reference_as_run_does(
    project: Project, repo_root: Path, tmp_path: Path
) -> None:
    demo = repo_root / "resources" / "demo"
    (tmp_path / "config").mkdir()
    names = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str)["sample_id"].head(N_COHORT_REFERENCE)
    pd.read_parquet(demo / "expression.parquet", columns=["gene", *names]).to_parquet(
        tmp_path / "expression.parquet"
    )
    (tmp_path / "lengths.tsv").symlink_to(project.folder / "lengths.tsv")
    write_cohorts(tmp_path, row(COHORT) | {"samples": ""})
    own = Project(tmp_path)
    own.config.write_text("cohorts: cohorts.tsv\nprofile:\n  reference: cohort\n", encoding="utf-8")
    done = own.launch()
    assert done.returncode == 0, done.stderr
    assert "nothing was to be done" in own.launch().stderr
    options = ["--cohort", COHORT, "--units", "counts", "--gene-lengths", tmp_path / "lengths.tsv"]
    options += ["--reference", "cohort", "--out", tmp_path / "out"]
    ran = call("escape-score", "run", tmp_path / "expression.parquet", *options)
    assert ran.returncode == 0, ran.stderr
    assert digests(tmp_path / "out") == digests(own.run_folder / "results" / COHORT)


def test_workflow_reads_a_zarr_store_and_notices_a_chunk_that_changes(
    project: Project, tmp_path: Path
) -> None:
    genes = pd.read_parquet(project.folder / "expression.parquet")
    adata = ad.AnnData(
        genes.T.to_numpy(float), obs=pd.DataFrame(index=genes.columns), var=pd.DataFrame(index=genes.index)
    )
    write_zarr(tmp_path / "m.zarr", adata, chunks=(2, 5000))
    other = linked(project, tmp_path, row(COHORT, "../m.zarr"))
    done = other.launch()
    assert done.returncode == 0, done.stderr
    of_parquet, of_zarr = (one.run_folder / "results" / COHORT / "profiles.tsv" for one in (project, other))
    assert of_zarr.read_bytes() == of_parquet.read_bytes()
    assert "nothing was to be done" in other.launch().stderr
    chunk = tmp_path / "m.zarr" / "X" / "c" / "1" / "2"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    done = other.launch()
    assert done.returncode == 3
    assert "read" in rules_run(done)
    (error,) = errors_of(done)
    assert "m.zarr: damaged or truncated zarr store" in error


def test_workflow_does_nothing_a_second_time(project: Project) -> None:
    before = times(project.run_folder / "results") | times(project.run_folder / "work")
    done = project.launch()
    assert done.returncode == 0, done.stderr
    assert "nothing was to be done" in done.stderr
    assert times(project.run_folder / "results") | times(project.run_folder / "work") == before


@pytest.mark.parametrize(
    ("seed", "chunk_size", "rules"),
    [
        (1, CHUNK_SIZE, set()),
        (1, CHUNK_SIZE - 2, {"report", "gather"}),
        (2, CHUNK_SIZE, {"profile", "report", "gather"}),
    ],
)
def test_workflow_reruns_only_what_the_config_changes(
    project: Project, seed: int, chunk_size: int, rules: set[str]
) -> None:
    project.configure(seed=seed, chunk_size=chunk_size)
    done = project.launch("--", "--dry-run", "--directory", str(project.run_folder))
    project.configure()
    assert done.returncode == 0, done.stderr
    assert rules_run(done) == rules


def test_workflow_reruns_all_where_the_sample_sheet_changes(project: Project) -> None:
    sheet = project.folder / "samples.tsv"
    before = sheet.read_bytes()
    sheet.write_bytes(before + b"\n")
    done = project.launch("--", "--dry-run", "--directory", str(project.run_folder))
    sheet.write_bytes(before)
    assert rules_run(done) >= {"read", "harmonise", "score", "profile", "report", "gather"}


def test_workflow_names_a_fault_in_one_line_and_finishes_the_other_cohort(
    project: Project, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "broken.tsv").write_text(BROKEN, encoding="utf-8")
    for name in ("expression.parquet", "samples.tsv", "lengths.tsv"):
        (tmp_path / name).symlink_to(project.folder / name)
    write_cohorts(tmp_path, row(COHORT), row("broken", "../broken.tsv") | NO_SHEET)
    other = Project(tmp_path)
    other.configure()
    done = other.launch()
    (error,) = errors_of(done)
    assert done.returncode == 3, done.stderr
    assert "broken.tsv" in error
    (named,) = re.findall(r"^log of Snakemake: (.+)$", done.stderr, flags=re.MULTILINE)
    assert "localrule read:" in Path(named).read_text(encoding="utf-8")
    assert (other.run_folder / "results" / COHORT / "manifest.json").is_file()
    assert not (other.run_folder / "results" / "broken").exists()


def linked(project: Project, folder: Path, *rows: dict[str, str]) -> Project:
    """A project of its own over the same files."""
    (folder / "config").mkdir()
    for name in ("expression.parquet", "samples.tsv", "lengths.tsv"):
        (folder / name).symlink_to(project.folder / name)
    write_cohorts(folder, *rows)
    other = Project(folder)
    other.configure()
    other.run_folder.mkdir()
    return other


def errors_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("error: ")]


def test_workflow_finishes_a_cohort_without_the_pages_of_a_killed_job(
    project: Project, tmp_path: Path
) -> None:
    other = linked(project, tmp_path, row(COHORT))
    whole = project.run_folder / "results" / COHORT
    results = other.run_folder / "results" / COHORT
    with killing(other.run_folder, "report", "report-2.part.json"):
        done = other.launch()
    assert done.returncode == 5, done.stderr
    (error,) = errors_of(done)
    assert "report-2.log: the job report-2 was killed by SIGKILL" in error
    assert call("escape-score", "verify", results).returncode == 0
    pages = sorted(path.stem for path in (results / "samples").glob("*.html"))
    samples = sorted(path.stem for path in (results / "samples").glob("*.json"))
    assert (len(samples), len(pages)) == (N_SAMPLES, N_SAMPLES // 2)
    assert (results / "profiles.tsv").read_bytes() == (whole / "profiles.tsv").read_bytes()
    assert (results / "cohort.json").read_bytes() == (whole / "cohort.json").read_bytes()
    page = (results / "index.html").read_text(encoding="utf-8")
    assert page.count('href="samples/') == len(pages)
    qc = pd.read_csv(results / "qc.tsv", sep="\t", dtype=str)
    failed = qc.loc[qc["failed"].notna(), "sample_id"].tolist()
    assert len(failed) == N_SAMPLES // 2
    assert all(f"warning: {COHORT}: {sample_id}: failed (no page" in done.stderr for sample_id in failed)
    again = other.launch()
    assert again.returncode == 0, again.stderr
    assert rules_run(again) == {"report", "gather"}
    assert digests(results) == digests(whole)


def test_workflow_finishes_the_cohorts_whose_jobs_were_not_killed(project: Project, tmp_path: Path) -> None:
    other = linked(project, tmp_path, row(COHORT), row("killed"))
    with killing(other.run_folder, "score", "--out"):
        done = other.launch()
    finished = [path.parent.name for path in other.run_folder.glob("results/*/manifest.json")]
    assert done.returncode == 5, done.stderr
    (error,) = errors_of(done)
    assert "score.log: the job score was killed by SIGKILL" in error
    assert len(finished) == 1
    assert f"(cohort {({COHORT, 'killed'} - set(finished)).pop()})" in error
    assert call("escape-score", "verify", other.run_folder / "results" / finished[0]).returncode == 0


@pytest.mark.parametrize(
    ("sent", "handling"),
    [
        (signal.SIGINT, "--default-signal=INT"),
        (signal.SIGTERM, "--default-signal=INT"),
        # as in the background of a script
        (signal.SIGTERM, "--ignore-signal=INT"),
    ],
)
def test_workflow_that_is_told_to_stop_leaves_no_lock(
    project: Project, tmp_path: Path, sent: signal.Signals, handling: str
) -> None:
    other = linked(project, tmp_path, row(COHORT))
    command = ["env", handling, str(BIN / "escape-score"), *other.command("--log-json")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as launcher:
        assert launcher.stderr is not None
        for line in launcher.stderr:
            if '"done": 1,' in line:
                launcher.send_signal(sent)
        assert launcher.wait(timeout=30) == 128 + sent
    assert list(other.run_folder.glob(".snakemake/locks/*")) == []
    assert (other.run_folder / "work" / COHORT / "cohort.h5ad").is_file()
    assert not (other.run_folder / "results" / COHORT / "manifest.json").exists()
    dry = other.launch("--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "read " not in dry.stdout


@pytest.mark.parametrize(("retries", "code"), [(0, 4), (1, 0)])
def test_workflow_retries_a_killed_job_where_it_may(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int, code: int
) -> None:
    monkeypatch.setenv("ESCAPE_SCORE_RETRIES", str(retries))
    other = linked(project, tmp_path, row(COHORT))
    with killing(other.run_folder, "score", "--out"):
        done = other.launch()
    assert done.returncode == code, done.stderr
    assert len(re.findall(r"^localrule score:", done.stdout, flags=re.MULTILINE)) == 1 + retries
    assert len(errors_of(done)) == 1 - retries


def test_workflow_does_not_retry_an_input_at_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCAPE_SCORE_RETRIES", "2")
    (tmp_path / "config").mkdir()
    (tmp_path / "broken.tsv").write_text(BROKEN, encoding="utf-8")
    write_cohorts(tmp_path, row("broken", "../broken.tsv") | NO_SHEET)
    broken = Project(tmp_path)
    broken.configure()
    done = broken.launch()
    assert done.returncode == 3, done.stderr
    assert len(re.findall(r"^localrule read:", done.stdout, flags=re.MULTILINE)) == 1
    assert ["broken.tsv" in line for line in errors_of(done)] == [True]


def test_workflow_refuses_retries_that_are_no_number(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESCAPE_SCORE_RETRIES", "many")
    done = project.launch()
    assert done.returncode == 2, done.stderr
    assert errors_of(done) == ["error: ESCAPE_SCORE_RETRIES: 'many' is no number of retries; give 0 or more"]


def test_workflow_names_every_missing_matrix_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    write_cohorts(tmp_path, *({**row(name, f"../{name}.tsv"), "samples": ""} for name in ("one", "two")))
    project = Project(tmp_path)
    project.configure()
    done = project.launch()
    assert done.returncode == 3, done.stderr
    assert all(f"{name}.tsv" in done.stderr for name in ("one", "two"))
    assert "Traceback" not in done.stderr
    assert not (project.run_folder / "results").exists()


def test_workflow_says_how_to_release_a_stale_lock(project: Project, tmp_path: Path) -> None:
    # What a killed run leaves behind: the name of a file it was going to write.
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text(f"work/{COHORT}/cohort.h5ad\n", encoding="utf-8")
    locked = project.launch("--", "--directory", str(tmp_path))
    assert locked.returncode == 2, locked.stderr
    assert f"error: {tmp_path}: locked by a run" in locked.stderr
    assert "-- --unlock" in locked.stderr
    assert project.launch("--", "--directory", str(tmp_path), "--unlock").returncode == 0
    assert list(locks.glob("*")) == []


@pytest.mark.parametrize("option", ["--config=seed=2", "--no-such-option"])
def test_workflow_refuses_options_it_would_not_follow(project: Project, option: str) -> None:
    done = project.launch("--", "--directory", str(project.run_folder), option)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_workflow_names_a_target_that_no_rule_makes(project: Project) -> None:
    done = project.launch("--", "--directory", str(project.run_folder), "nosuch")
    assert done.returncode == 2, done.stderr
    what = "No rule to produce nosuch; name a rule, or a file such as results/COHORT/index.html"
    assert errors_of(done) == [f"error: Snakemake: {what}"]


def test_workflow_refuses_an_unknown_profile(project: Project) -> None:
    done = project.launch("--profile", "none")
    assert done.returncode == 2, done.stderr
    assert "error: none: no such profile; name one of default, htcondor, lsf, slurm" in done.stderr


def test_workflow_makes_results_again_that_were_deleted(project: Project) -> None:
    results = project.run_folder / "results" / COHORT
    before = digests(results)
    shutil.rmtree(project.run_folder / "results")
    done = project.launch()
    assert done.returncode == 0, done.stderr
    assert rules_run(done) == {"profile", "report", "gather"}
    assert digests(results) == before


def test_workflow_does_not_pass_an_earlier_result_for_that_of_a_config_that_fails(project: Project) -> None:
    write_cohorts(project.folder, row(COHORT) | {"units": "log2(x+1)"})
    failed = [project.launch() for _ in range(2)]
    write_cohorts(project.folder, row(COHORT))
    assert [done.returncode for done in failed] == [3, 3]
    assert ["not finished: " in done.stderr for done in failed] == [True, True]
    mended = project.launch()
    assert mended.returncode == 0, mended.stderr
    assert call("escape-score", "verify", project.run_folder / "results" / COHORT).returncode == 0
