"""The program, killed, starved of space, shut out and raced: its output is all or nothing."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import escape_score as es
from escape_score.errors import ResultInvalidError
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.gene_sets import load_signatures
from escape_score.pipeline.choosing import choose_reference
from escape_score.pipeline.gene_sets import UserGeneSets
from escape_score.pipeline.profiling import score
from escape_score.pipeline.references import used_folder
from escape_score.reference.write import write_reference
from escape_score.store.h5ad import write_scores
from escape_score.store.manifest import MANIFEST, verify

pytestmark = pytest.mark.slow

OLD, NEW = "old", "new"
REFERENCE = "tcga-coadread-v1"
"""Named, and less than half of the genes read, so that a run spends less of its time on its start."""
SAMPLES_OF = {OLD: slice(2, 6), NEW: slice(0, 2)}
WITH_PAGES = {"index.html", "cohort.json"}
"""Files that a run with ``--no-reports`` does not write, beside those of samples."""
LONGEST_RUN_S = 60.0
PROMPT_S = 15.0
N_LANES = 2
N_RACES, N_STOPS, N_STAGES = 6, 5, 6
STOPPED_WORD = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
"""Of ``linux/prctl.h`` and ``linux/capability.h``."""
Digests = dict[str, str]


class Moment(Enum):
    """When a process is hit: at any time, while it fills its temporary folder, or while it moves files."""

    ANY = auto()
    WRITING = auto()
    MOVING = auto()


SUMMARY_LINES = 5
"""A table of one cohort, its caution, what it was compared with, and the line that says where to look."""

LONGEST_DELAY_S = {Moment.ANY: 3.0, Moment.WRITING: 0.5, Moment.MOVING: 0.006}
LONGEST_STAGE_DELAY_S = 0.1
N_KILLS = {Moment.ANY: 6, Moment.WRITING: 9, Moment.MOVING: 10}
"""Of each, into nothing and over a result: fifty."""


@dataclass(frozen=True)
class Bench:
    """Two matrices without a common sample, and the digests of all files of the result of either."""

    folder: Path
    lengths: Path
    whole: dict[str, Digests]

    def result(self, name: str) -> Path:
        return self.folder / "results" / name

    def command(self, name: str, out: Path) -> list[str]:
        matrix = self.folder / f"{name}.parquet"
        options = ("--units", "counts", "--gene-lengths", self.lengths, "--reference", REFERENCE)
        return program("run", matrix, "--out", out, *options)

    def stage_scores(self, name: str, folder: Path) -> Path:
        """The file that the stage score hands to the stage profile, with the reference beside it."""
        path = folder / "scores.h5ad"
        lengths = open_gene_lengths(self.lengths)
        cohort = harmonise(
            es.read(self.folder / f"{name}.parquet", units="counts"), gene_lengths=lengths, min_genes=200
        )
        chosen = choose_reference(cohort, REFERENCE, es.load_reference(REFERENCE))
        write_reference(used_folder(path), chosen.reference)
        scores = chosen.applied(score(cohort, chosen.reference))
        write_scores(path, scores, genesets_sha256=UserGeneSets().digest)
        return path

    def state_of(self, out: Path) -> str | None:
        """Whose result is in a folder; None where the program itself accepts none."""
        try:
            assert verify(out) == (), "a manifest and the files beside it disagree"
        except ResultInvalidError:
            assert not (out / MANIFEST).exists()
            self.must_not_look_finished(out)
            return None
        (owner,) = (name for name, files in self.whole.items() if shown(out) == files)
        return owner

    def must_not_look_finished(self, out: Path) -> None:
        """Without a manifest, the page that a user opens is there only if all it links to is."""
        if (out / "index.html").exists():
            assert shown(out) in [without(files, MANIFEST) for files in self.whole.values()]


def program(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "escape_score", *map(str, arguments)]


def finish(
    command: list[str], *, preexec_fn: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=LONGEST_RUN_S, preexec_fn=preexec_fn
    )


def must_finish(command: list[str]) -> None:
    done = finish(command)
    assert done.returncode == 0, done.stderr


def error_line(stderr: str) -> str:
    """The one line of a fault; the line break after a terminal's ^C is none."""
    (line,) = stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


def is_hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def shown(folder: Path) -> Digests:
    """The sha256 of all files of a folder that are not hidden."""
    found = ((path.relative_to(folder), path) for path in folder.rglob("*") if path.is_file())
    return {
        relative.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for relative, path in found
        if not is_hidden(relative)
    }


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob(".*"))


def without(files: Digests, *names: str) -> Digests:
    return {name: digest for name, digest in files.items() if name not in names}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, repo_root: Path, demo_lengths: Path) -> Bench:
    folder = tmp_path_factory.mktemp("atomicity")
    matrix = pd.read_parquet(repo_root / "resources" / "demo" / "expression.parquet")
    scored = {symbol for signature in load_signatures().signatures for symbol in signature.gene_symbols}
    is_scored = [name.partition("|")[0] in scored for name in matrix.index]
    matrix = matrix[np.logical_or(is_scored, np.arange(len(matrix)) % 4 == 0)]
    for name, columns in SAMPLES_OF.items():
        matrix.iloc[:, columns].to_parquet(folder / f"{name}.parquet")
    bench = Bench(folder, demo_lengths, {})
    in_lanes([partial(must_finish, bench.command(name, bench.result(name))) for name in SAMPLES_OF])
    bench.whole.update({name: shown(bench.result(name)) for name in SAMPLES_OF})
    samples = [{path for path in bench.whole[name] if path.startswith("samples/")} for name in SAMPLES_OF]
    assert samples[0].isdisjoint(samples[1])
    assert [len(paths) for paths in samples] == [8, 4]
    return bench


def in_lanes(jobs: Sequence[Callable[[], object]]) -> None:
    """Do jobs, as many at a time as there are cores in the smallest machine."""
    with ThreadPoolExecutor(N_LANES) as pool:
        for future in [pool.submit(job) for job in jobs]:
            future.result()


def start_folder(bench: Bench, before: str | None, folder: Path) -> Path:
    """An output folder that is not there yet, or holds a finished result."""
    out = folder / "out"
    if before is not None:
        shutil.copytree(bench.result(before), out)
    return out


def wait_for(moment: Moment, out: Path, process: subprocess.Popen[str], rng: random.Random) -> None:
    """Return at a random time within a phase of a running process, or when it ends."""
    has_begun = {
        Moment.ANY: lambda: True,
        Moment.WRITING: lambda: any(out.glob(".tmp-*")),
        # the lock file lists what is being replaced from the first move to the last
        Moment.MOVING: lambda: (out / ".lock").stat().st_size > 0,
    }[moment]
    wait_until(has_begun, process)
    time.sleep(rng.uniform(0, LONGEST_DELAY_S[moment]))


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + LONGEST_RUN_S
    while process.poll() is None and time.monotonic() < end:
        try:
            if condition():
                return
        except FileNotFoundError:  # not there yet, or gone between two looks
            pass
        time.sleep(0.0002)


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def kill_a_run(bench: Bench, before: str | None, moment: Moment, seed: int, folder: Path) -> Path:
    """Kill a run, look at what is left of it, and give the folder."""
    rng, out = random.Random(f"{before} {moment} {seed}"), start_folder(bench, before, folder)
    with start(bench.command(NEW, out)) as process:
        wait_for(moment, out, process, rng)
        process.kill()
    assert process.returncode in {0, -signal.SIGKILL}
    assert bench.state_of(out) in ({before, NEW, None} if process.returncode else {NEW})
    return out


def kill_and_run_again(
    bench: Bench, before: str | None, moment: Moment, seed: int, folder: Path, *options: str
) -> None:
    """A run after a killed one, of another matrix, leaves no trace of it."""
    out = kill_a_run(bench, before, moment, seed, folder)
    must_finish([*bench.command(OLD, out), *options])
    assert hidden(out) == []
    if options:
        assert verify(out) == ()
        tables = {name for name in bench.whole[OLD] if "/" not in name and name not in WITH_PAGES}
        assert shown(out).keys() == tables
    else:
        assert bench.state_of(out) == OLD


def test_killed_run_leaves_all_or_nothing(bench: Bench, tmp_path: Path) -> None:
    moments = [(OLD, Moment.WRITING), (OLD, Moment.MOVING)]
    kills = [partial(kill_a_run, bench, *when, 0, tmp_path / str(i)) for i, when in enumerate(moments)]
    # without pages: those that the killed run had moved must go although no manifest lists them
    again = partial(kill_and_run_again, bench, None, Moment.MOVING, 1, tmp_path / "again", "--no-reports")
    in_lanes([again, *kills])


@pytest.mark.parametrize("before", [None, OLD], ids=["into_nothing", "over_a_result"])
@pytest.mark.parametrize("moment", list(Moment))
def test_killed_runs_leave_all_or_nothing_many_times(
    moment: Moment, before: str | None, bench: Bench, tmp_path: Path
) -> None:
    def attempt(seed: int) -> None:
        options = ["--no-reports"] if seed % 3 == 0 else []
        kill_and_run_again(bench, before, moment, seed, tmp_path / str(seed), *options)

    in_lanes([partial(attempt, seed) for seed in range(2, 2 + N_KILLS[moment])])


@contextmanager
def small_disk(folder: Path, n_kib: int) -> Iterator[Path]:
    """A file system of a few KiB; the test is skipped where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={n_kib}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or finish(command).returncode != 0:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def must_be_refused(done: subprocess.CompletedProcess[str], out: Path, reason: str) -> None:
    assert done.returncode == 2, done.stderr
    line = error_line(done.stderr)
    assert line.startswith(f"error: {out}")
    assert "cannot be written" in line
    assert reason in line
    assert ".tmp-" not in line


def run_on_a_full_disk(bench: Bench, before: str | None, n_kib: int, folder: Path) -> None:
    with small_disk(folder, n_kib) as disk:
        out = start_folder(bench, before, disk)
        must_be_refused(finish(bench.command(NEW, out)), out, "No space left on device")
        assert hidden(disk) == []
        if before is None:
            assert list(disk.iterdir()) == []
        else:
            assert bench.state_of(out) == before


def test_full_disk_is_one_line_and_the_old_result_stays(bench: Bench, tmp_path: Path) -> None:
    n_kib = sum(path.stat().st_size for path in bench.result(OLD).rglob("*")) // 1024 + 420
    run_on_a_full_disk(bench, OLD, n_kib, tmp_path / "disk")


@pytest.mark.parametrize("n_kib", [8, 40, 100, 200, 300, 400, 430, 460, 500, 560, 600])
def test_full_disk_leaves_nothing_whichever_file_fails(n_kib: int, bench: Bench, tmp_path: Path) -> None:
    run_on_a_full_disk(bench, None, n_kib, tmp_path / "disk")


@pytest.mark.parametrize("n_kib", [1, 40, 100])
def test_size_limit_on_files_is_one_line(n_kib: int, bench: Bench, tmp_path: Path) -> None:
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (n_kib * 1024, n_kib * 1024))
    done = finish(bench.command(NEW, tmp_path / "out"), preexec_fn=limit)
    must_be_refused(done, tmp_path / "out", "File too large")
    assert list(tmp_path.iterdir()) == []


def heed_permissions() -> None:
    """Give up, before a program starts, root's right to write where the permission bits do not allow it."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("result"),
        "folder above",
        "closed folder above",
    ],
)
def test_folder_without_right_to_write_is_one_line(place: str, bench: Bench, tmp_path: Path) -> None:
    out = start_folder(bench, OLD if place == "result" else None, tmp_path)
    locked, before = (out if place == "result" else tmp_path), shown(tmp_path)
    locked.chmod(0o000 if place.startswith("closed") else 0o555)
    try:
        done = finish(bench.command(NEW, out), preexec_fn=heed_permissions)
    finally:
        locked.chmod(0o755)
    must_be_refused(done, out, "Permission denied")
    assert shown(tmp_path) == before
    assert hidden(tmp_path) == []


def race(bench: Bench, out: Path, rng: random.Random) -> set[int]:
    """Two runs into one folder at once; who is refused says why."""
    racers = {}
    for name in rng.sample([OLD, NEW], 2):
        racers[name] = start(bench.command(name, out))
        time.sleep(rng.uniform(0, 0.3))
    said = {name: process.communicate(timeout=LONGEST_RUN_S)[1] for name, process in racers.items()}
    codes = {name: process.returncode for name, process in racers.items()}
    winners = {name for name, code in codes.items() if code == 0}
    assert winners
    assert bench.state_of(out) in winners
    for name in racers.keys() - winners:
        assert codes[name] == 2
        assert "another run is writing there" in error_line(said[name])
    assert hidden(out) == []
    return set(codes.values())


def test_two_runs_at_once_leave_the_result_of_one(bench: Bench, tmp_path: Path) -> None:
    race(bench, tmp_path / "out", random.Random(1))


def test_two_runs_at_once_leave_the_result_of_one_many_times(bench: Bench, tmp_path: Path) -> None:
    rng = random.Random(2)
    # the first into nothing, the others over what the one before left
    codes = [race(bench, tmp_path / "out", rng) for _ in range(N_RACES)]
    assert {0, 2} in codes


def is_in_main(process: subprocess.Popen[str]) -> bool:
    """Whether a process has come so far that it handles SIGTERM itself."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def stop_a_run(bench: Bench, number: signal.Signals, moment: Moment, seed: int, folder: Path) -> None:
    """Stop a run; those of an even seed would replace a result."""
    before = None if seed % 2 else OLD
    rng, out = random.Random(f"{number} {moment} {seed}"), start_folder(bench, before, folder)
    with start(bench.command(NEW, out)) as process:
        wait_until(lambda: is_in_main(process), process)
        wait_for(moment, out, process, rng)
        process.send_signal(number)
        since = time.monotonic()
        stderr = process.communicate(timeout=LONGEST_RUN_S)[1]
        assert time.monotonic() - since < PROMPT_S
    if process.returncode in {0, -number}:
        # it came when all was done, or while the interpreter was going down
        assert bench.state_of(out) == NEW
    else:
        assert process.returncode == 128 + number, stderr
        summary, _, said = stderr.rpartition("error: ")
        assert said == f"{STOPPED_WORD[number]}\n"
        # it is too late for a run that has already said what it did
        assert bench.state_of(out) in ({NEW} if summary else {before, NEW})
        assert summary.count("\n") <= SUMMARY_LINES
    assert hidden(folder) == []


def stop_runs(bench: Bench, moment: Moment, folder: Path, *, n_each: int) -> None:
    """Stop runs by each signal."""

    def attempt(number: signal.Signals, seed: int) -> None:
        inside = folder / f"{number.name}-{seed}"
        inside.mkdir()
        stop_a_run(bench, number, moment, seed, inside)

    in_lanes([partial(attempt, number, seed) for seed in range(n_each) for number in STOPPED_WORD])


def test_stopped_run_ends_at_once_and_cleans_up(bench: Bench, tmp_path: Path) -> None:
    stop_runs(bench, Moment.WRITING, tmp_path, n_each=1)


@pytest.mark.parametrize("moment", list(Moment))
def test_stopped_runs_end_at_once_and_clean_up_many_times(
    moment: Moment, bench: Bench, tmp_path: Path
) -> None:
    stop_runs(bench, moment, tmp_path, n_each=N_STOPS)


def kill_stages(bench: Bench, seed: int, folder: Path) -> None:
    """Kill and repeat each stage that writes into the results, over the finished result of another matrix."""
    rng, out = random.Random(seed), start_folder(bench, NEW, folder)
    profiles, pages = folder / "profiles.part.json", folder / "report-1.part.json"
    scores = bench.stage_scores(OLD, folder)
    chunk = ("--profiles", profiles, "--chunk", 1, "--chunks", 1, "--part", pages)
    stages = (
        (program("profile", scores, "--out", out, "--part", profiles), profiles, "samples/*.json"),
        (program("report", out, *chunk), pages, "samples/*.html"),
        (program("gather", out, "--parts", profiles, pages), out / MANIFEST, "index.html"),
    )
    for command, last, pattern in stages:
        before = {path.name for path in out.glob(pattern)}
        with start(command) as process:
            wait_until(lambda b=before, p=pattern: {f.name for f in out.glob(p)} != b, process)  # type: ignore[misc]
            time.sleep(rng.uniform(0, LONGEST_STAGE_DELAY_S))
            process.kill()
        # all its files are whole, and what declares them is there only if it was done
        for name, digest in shown(out).items():
            assert digest in {files.get(name) for files in bench.whole.values()}
        done = process.returncode == 0
        assert bench.state_of(out) in ({OLD} if done and last.name == MANIFEST else {None, OLD})
        assert last.exists() or not done
        must_finish(command)
    assert bench.state_of(out) == OLD
    assert hidden(folder) == []


def test_killed_stages_leave_whole_files_and_no_manifest(bench: Bench, tmp_path: Path) -> None:
    kill_stages(bench, 0, tmp_path)


def test_killed_stages_leave_whole_files_and_no_manifest_many_times(bench: Bench, tmp_path: Path) -> None:
    for seed in range(1, 1 + N_STAGES):
        (tmp_path / str(seed)).mkdir()
    in_lanes([partial(kill_stages, bench, seed, tmp_path / str(seed)) for seed in range(1, 1 + N_STAGES)])
