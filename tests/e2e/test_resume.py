"""After any change or accident exactly the jobs it concerns run again: the real Snakemake, two cohorts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

BIN = Path(sys.executable).parent
CHUNK_SIZE = 4
N_SAMPLES = {"a": 6, "b": 4}
N_CHUNKS = {"a": 2, "b": 1}
STAGES = ("read", "harmonise", "score", "profile")
LOGS = "logs/snakemake-*.log"
BALLAST_LEFT = 96 * 1024

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Project:
    """A folder with a config, two cohorts and a reference of its own."""

    folder: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def configure(self, **keys: object) -> None:
        lines = ["cohorts: cohorts.tsv", "profile: {reference: ./reference}"]
        lines += [
            f"report: {{chunk_size: {CHUNK_SIZE}}}",
            *(f"{key}: {value}" for key, value in keys.items()),
        ]
        (self.folder / "config.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def command(self, *options: str) -> list[str]:
        launcher = [str(BIN / "escape-score"), "workflow", "--config", str(self.folder / "config.yaml")]
        return [*launcher, "--cores", "2", "--", "--directory", str(self.run), *options]

    def launch(self, *options: str, source: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the workflow; the words of Snakemake, which are in a log file, are added to stdout."""
        environment = os.environ | ({} if source is None else {"PYTHONPATH": str(source)})
        places = [self.run, *map(Path, options[1:2] if options[:1] == ("--directory",) else ())]
        before = {log for place in places for log in place.glob(LOGS)}
        done = subprocess.run(
            self.command(*options), capture_output=True, text=True, check=False, env=environment
        )
        for log in sorted({log for place in places for log in place.glob(LOGS)} - before):
            done.stdout += log.read_text(encoding="utf-8")
        return done

    def would_run(self, *options: str, source: Path | None = None) -> list[str]:
        done = self.launch("--dry-run", *options, source=source)
        assert done.returncode == 0, done.stderr
        return jobs_of(done)


def jobs_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Jobs that Snakemake names, as ``rule cohort`` or ``rule cohort chunk``, sorted."""
    text = done.stdout + done.stderr
    found = re.findall(
        r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    wildcards: cohort=(\w+)(?:, chunk=(\d+))?",
        text,
        flags=re.MULTILINE,
    )
    return sorted(" ".join(part for part in job if part) for job in found)


def all_jobs(*cohorts: str, since: str = "read") -> list[str]:
    """Jobs of whole cohorts from one stage on."""
    rules = [*STAGES, "report", "gather"]
    names = []
    for cohort in cohorts:
        for rule in rules[rules.index(since) :]:
            chunks = [f" {k + 1}" for k in range(N_CHUNKS[cohort])] if rule == "report" else [""]
            names += [f"{rule} {cohort}{chunk}" for chunk in chunks]
    return sorted(names)


def wait_until(condition: Callable[[], bool], *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def write_project(folder: Path, repo_root: Path) -> Project:
    demo = repo_root / "resources" / "demo"
    ids = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str)["sample_id"].tolist()
    lines = ["cohort\texpression\tsamples\tunits"]
    for cohort, n_samples in N_SAMPLES.items():
        chosen, ids = ids[:n_samples], ids[n_samples:]
        table = pd.read_parquet(demo / "expression.parquet", columns=["gene", *chosen])
        table.to_parquet(folder / f"{cohort}.parquet")
        lines.append(f"{cohort}\t{cohort}.parquet\t\tcounts")
    (folder / "cohorts.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copytree(repo_root / "resources" / "reference" / "tcga-coadread-v1", folder / "reference")
    project = Project(folder)
    project.configure()
    return project


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, repo_root: Path) -> Project:
    """A project whose run is done."""
    project = write_project(tmp_path_factory.mktemp("finished"), repo_root)
    done = project.launch()
    assert done.returncode == 0, done.stderr
    assert jobs_of(done) == all_jobs("a", "b")
    return project


@pytest.fixture
def restored(finished: Project) -> Iterator[Project]:
    """The finished project, its inputs put back afterwards."""
    kept = {path: (path.read_bytes(), path.stat()) for path in finished.folder.glob("*") if path.is_file()}
    yield finished
    for path, (content, status) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_nothing_runs_where_nothing_changed(finished: Project) -> None:
    assert finished.would_run() == []


def test_changed_seed_runs_what_draws_or_records_it(restored: Project) -> None:
    restored.configure(seed=2)
    assert restored.would_run() == all_jobs("a", "b", since="profile")


def test_changed_least_number_of_genes_runs_from_harmonise(restored: Project) -> None:
    restored.configure(min_genes=300)
    assert restored.would_run() == all_jobs("a", "b", since="harmonise")


def test_changed_number_of_threads_runs_nothing(restored: Project) -> None:
    restored.configure(threads=2)
    assert restored.would_run() == []


def test_added_sample_runs_its_cohort_only(restored: Project, repo_root: Path) -> None:
    demo = repo_root / "resources" / "demo" / "expression.parquet"
    table = pd.read_parquet(restored.folder / "a.parquet")
    added = pd.read_parquet(demo).iloc[:, -1]
    table.assign(**{str(added.name): added.to_numpy()}).to_parquet(restored.folder / "a.parquet")
    assert restored.would_run() == all_jobs("a")


def test_added_cohort_runs_alone(restored: Project) -> None:
    with (restored.folder / "cohorts.tsv").open("a", encoding="utf-8") as sheet:
        sheet.write("c\tb.parquet\t\tcounts\n")
    assert [job.replace(" c", " b") for job in restored.would_run()] == all_jobs("b")


def test_changed_file_in_a_folder_runs_its_cohort(tmp_path: Path, repo_root: Path) -> None:
    project = write_project(tmp_path, repo_root)
    table = pd.read_parquet(tmp_path / "b.parquet")
    for name, values in table.items():
        path = tmp_path / "run_b" / str(name) / "quant.genes.sf"
        path.parent.mkdir(parents=True)
        columns = {"Length": 1000, "EffectiveLength": 900.0, "TPM": values / values.sum() * 1e6}
        pd.DataFrame(columns).assign(NumReads=values).to_csv(path, sep="\t", index_label="Name")
    (tmp_path / "cohorts.tsv").write_text("cohort\texpression\tsamples\tunits\nb\trun_b\t\t\n")
    done = project.launch()
    assert done.returncode == 0, done.stderr + done.stdout
    profiles = pd.read_csv(project.run / "results" / "b" / "profiles.tsv", sep="\t")
    assert sorted(profiles["sample_id"]) == sorted(table.columns)
    assert project.would_run() == []
    before, status = path.read_bytes(), path.stat()
    path.write_bytes(before.replace(b"\t1000\t", b"\t1001\t"))
    assert project.would_run() == all_jobs("b")
    path.write_bytes(before)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    shutil.copytree(path.parent, path.parents[1] / "another")
    assert project.would_run() == sorted([*all_jobs("b"), "report b 2"])


def test_changed_reference_runs_from_score(finished: Project) -> None:
    table = min((finished.folder / "reference").glob("*.tsv"), key=lambda path: path.stat().st_size)
    before, status = table.read_bytes(), table.stat()
    table.write_bytes(before + b"\n")
    found = finished.would_run()
    table.write_bytes(before)
    os.utime(table, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert found == all_jobs("a", "b", since="score")


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("profiles.tsv", ["gather a", "profile a", "report a 1", "report a 2"]),
        ("samples/*.json", ["gather a", "profile a", "report a 1", "report a 2"]),
        ("samples/*.html", ["gather a", "report a "]),
        ("index.html", ["gather a"]),
        ("manifest.json", ["gather a"]),
    ],
)
def test_result_that_was_edited_is_made_anew(name: str, jobs: list[str], finished: Project) -> None:
    results = finished.run / "results" / "a"
    path = min(results.glob(name))
    before = {file: file.read_bytes() for file in results.rglob("*") if file.is_file()}
    path.write_bytes(before[path][:-2])
    found = finished.would_run()
    assert [job[: len(jobs[-1])] if "html" in name and "report" in job else job for job in found] == jobs
    done = finished.launch()
    assert done.returncode == 0, done.stderr
    assert f"{path.name}: missing or changed since the result was finished; made anew" in done.stderr
    assert jobs_of(done) == found
    assert {file: file.read_bytes() for file in results.rglob("*") if file.is_file()} == before


def test_nothing_runs_where_edited_results_were_made_anew(finished: Project) -> None:
    assert finished.would_run() == []


def test_folder_of_the_user_in_the_results_is_refused(repo_root: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path, repo_root)
    mine = project.run / "results" / "b" / "profiles.tsv"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    done = project.launch()
    assert done.returncode == 2
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert line.startswith("error: results/b: cannot be written, it holds files that are not of a result")
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not (project.run / "work").exists()


def test_changed_package_runs_everything(finished: Project, repo_root: Path, tmp_path: Path) -> None:
    package = shutil.copytree(repo_root / "src", tmp_path / "src") / "escape_score"
    for name in ("workflow", "resources", "config"):
        (tmp_path / name).symlink_to(repo_root / name)
    (package / "__init__.py").write_text('"""Another."""\n\n__version__ = "99.0"\n', encoding="utf-8")
    assert finished.would_run(source=tmp_path / "src") == all_jobs("a", "b")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_ended_run_goes_on_where_it_was(how: signal.Signals, repo_root: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path, repo_root)
    with subprocess.Popen(
        project.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as launcher:
        wait_until((project.run / "work" / "a" / "harmonised.h5ad").exists)
        if how is signal.SIGKILL:
            os.killpg(launcher.pid, how)
        else:
            launcher.send_signal(how)
    assert launcher.returncode != 0
    locks = list((project.run / ".snakemake" / "locks").glob("*"))
    assert bool(locks) is (how is signal.SIGKILL)
    if locks:
        assert project.launch().returncode == 2
        assert project.launch("--unlock").returncode == 0
    expected = project.would_run()
    before = {path: path.stat().st_mtime_ns for path in (project.run / "work").glob("*/cohort.h5ad")}
    assert "read a" not in expected
    assert set(expected) < set(all_jobs("a", "b"))
    done = project.launch()
    assert done.returncode == 0, done.stderr
    assert jobs_of(done) == expected
    assert (project.run / "work" / "a" / "cohort.h5ad") in before
    assert project.would_run() == []
    for cohort in N_SAMPLES:
        verified = [str(BIN / "escape-score"), "verify", str(project.run / "results" / cohort)]
        assert subprocess.run(verified, capture_output=True, check=False).returncode == 0


def test_failing_chunk_runs_again_alone(repo_root: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path, repo_root)
    assert project.launch("--until", "profile").returncode == 0
    samples = project.run / "results" / "a" / "samples"
    ids = pd.read_csv(project.run / "results" / "a" / "profiles.tsv", sep="\t", dtype=str)["sample_id"]
    slugs = {path.stem for path in samples.glob("*.json")}
    (last,) = (slug for slug in slugs if slug.startswith(ids.iloc[-1].lower()[:40].strip("-")))
    (samples / f"{last}.html").mkdir()  # no page can be written there
    failed = project.launch()
    assert failed.returncode == 2, failed.stderr
    assert [line for line in failed.stderr.splitlines() if line.startswith("error: ") and last in line]
    assert (project.run / "results" / "b" / "manifest.json").exists()
    (samples / f"{last}.html").rmdir()
    done = project.launch()
    assert done.returncode == 0, done.stderr
    assert jobs_of(done) == ["gather a", "report a 2"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_ends_the_job_and_the_next_run_goes_on(
    small_disk: Path, repo_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "inputs").mkdir()
    inputs = write_project(tmp_path / "inputs", repo_root)
    options = ("--directory", str(small_disk))
    assert inputs.launch(*options, "--until", "harmonise").returncode == 0
    free = shutil.disk_usage(small_disk).free
    ballast = small_disk / "ballast"
    with ballast.open("wb") as handle:
        handle.write(b"\0" * (free - BALLAST_LEFT))
    full = inputs.launch(*options)
    assert full.returncode == 2, full.stderr
    assert "No space left on device" in full.stderr
    assert not list(small_disk.glob("work/*/scores.h5ad"))
    ballast.unlink()
    done = inputs.launch(*options)
    assert done.returncode == 0, done.stderr
    assert jobs_of(done) == all_jobs("a", "b", since="score")


def test_failed_sample_leaves_its_cohort_and_makes_exit_code_five(repo_root: Path, tmp_path: Path) -> None:
    project = write_project(tmp_path, repo_root)
    assert project.launch("--until", "profile").returncode == 0
    damaged = min((project.run / "results" / "a" / "samples").glob("*.json"))
    damaged.write_bytes(damaged.read_bytes()[:100])
    done = project.launch()
    assert done.returncode == 5, done.stderr
    qc = pd.read_csv(project.run / "results" / "a" / "qc.tsv", sep="\t", dtype=str)
    assert qc["failed"].notna().sum() == 1
    assert pd.read_csv(project.run / "results" / "b" / "qc.tsv", sep="\t")["failed"].isna().all()
    assert len(list((project.run / "results" / "a" / "samples").glob("*.html"))) == N_SAMPLES["a"] - 1
