"""Pages by several processes: the same bytes, the same failures, and no process that outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.errors import EscapeScoreError, OutputUnwritableError
from escape_score.model.record import slug_of
from escape_score.pipeline.pages import workers
from escape_score.pipeline.pages.workers import ProcessPageWriter, page_writer
from escape_score.pipeline.pages.writing import PageWriter
from escape_score.pipeline.profiles import Profiles
from escape_score.store.manifest import verify

N_SAMPLES = 45
"""Two whole lines of profiles, and a part of one."""


@pytest.fixture
def profiles(tmp_path: Path, demo: Profiles) -> list[Path]:
    """JSON of samples, in a folder of results."""
    records = list(demo.maker.records())
    folder = tmp_path / "results" / "samples"
    folder.mkdir(parents=True)
    paths = []
    for at in range(N_SAMPLES):
        named = {"sample_id": f"S{at}", "slug": slug_of(f"S{at}")}
        paths.append(folder / f"{named['slug']}.json")
        text = records[at % len(records)].model_copy(update=named).model_dump_json()
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def test_processes_write_the_same_pages_in_the_same_order(tmp_path: Path, profiles: list[Path]) -> None:
    counted = []
    one = PageWriter(tmp_path / "one", "fr", lambda: counted.append("one"))
    with ProcessPageWriter(tmp_path / "two", "fr", lambda: counted.append("two"), threads=2) as two:
        for path in profiles:
            one.submit(path)
            two.submit(path)
        assert one.finish() == two.finish()
    assert counted.count("one") == counted.count("two") == N_SAMPLES
    for path in profiles:
        pages = [tmp_path / name / "samples" / f"{path.stem}.html" for name in ("one", "two")]
        assert pages[0].read_bytes() == pages[1].read_bytes()


def test_profile_that_cannot_be_read_takes_no_other_along(tmp_path: Path, profiles: list[Path]) -> None:
    profiles[7].write_text("{}", encoding="utf-8")
    with ProcessPageWriter(tmp_path / "two", "en", threads=2) as writer:
        for path in profiles:
            writer.submit(path)
        part = writer.finish()
    assert [one.slug for one in part.failed] == [profiles[7].stem]
    assert len(part.files) == N_SAMPLES - 1


def test_folder_that_cannot_be_written_ends_the_run(tmp_path: Path, profiles: list[Path]) -> None:
    (tmp_path / "two").write_text("a file", encoding="utf-8")
    with ProcessPageWriter(tmp_path / "two", "en", threads=1) as writer:
        writer.submit(profiles[0])
        with pytest.raises(OutputUnwritableError, match="cannot be written"):
            writer.finish()


def test_process_that_was_killed_is_an_error_in_one_line(tmp_path: Path, profiles: list[Path]) -> None:
    with ProcessPageWriter(tmp_path / "two", "en", threads=1) as writer:
        (worker,) = writer._workers
        worker._process.kill()
        writer.submit(profiles[0])
        with pytest.raises(EscapeScoreError, match=r"ended early .*threads: 1"):
            writer.finish()


def test_processes_end_with_the_block(tmp_path: Path, profiles: list[Path]) -> None:
    with ProcessPageWriter(tmp_path / "two", "en", threads=2) as writer:
        for path in profiles:
            writer.submit(path)
    assert [worker._process.returncode for worker in writer._workers] == [-signal.SIGKILL] * 2


def test_process_ends_where_the_program_that_started_it_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from escape_score.pipeline.pages.workers import ProcessPageWriter\n"
        "writer = ProcessPageWriter(Path(sys.argv[1]), 'en', threads=1)\n"
        "print(writer._workers[0]._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    _wait_until(lambda: not _is_running(child))


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, demo_counts: pd.DataFrame) -> Path:
    """So many samples that pages are written by processes."""
    path = tmp_path_factory.mktemp("many") / "m.parquet"
    genes, noise = demo_counts.T, np.random.default_rng(1).normal(1.0, 0.1, (demo_counts.shape[1], 110))
    values = genes.to_numpy()[:, np.arange(110) % len(demo_counts)] * noise.clip(0.5)
    pd.DataFrame(values, genes.index, [f"S{at}" for at in range(110)]).to_parquet(path)
    return path


def _started(matrix: Path, out: Path) -> subprocess.Popen[bytes]:
    """A run that has written some of its pages."""
    (out.parent / "c.yaml").write_text("threads: 2\n", encoding="utf-8")
    command = ["run", matrix, "--units", "counts", "--config", out.parent / "c.yaml", "--out", out, "--quiet"]
    process = subprocess.Popen([sys.executable, "-m", "escape_score", *map(str, command)])
    while process.poll() is None and not any(out.glob(".tmp-*/samples/*.html")):
        time.sleep(0.001)
    return process


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_run_that_ends_while_processes_write_pages_leaves_nothing(
    tmp_path: Path, matrix: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    with _started(matrix, out) as process:
        process.send_signal(number)
    assert process.returncode in (-number, 128 + number)
    assert not (out / "manifest.json").exists()
    _wait_until(lambda: not _writers_of(out))
    if number is not signal.SIGKILL:
        assert not any(out.glob(".tmp-*"))
    options = ["--units", "counts", "--out", str(out), "--quiet"]
    assert main(["run", str(matrix), *options]) == 0
    assert verify(out) == ()
    assert not any(out.glob(".tmp-*"))
    assert len(list((out / "samples").glob("*.html"))) == 110


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "a process outlives the program that started it"
        time.sleep(0.05)


def _writers_of(out: Path) -> list[int]:
    """Processes that write pages into a folder."""
    commands = {int(one.parent.name): one for one in Path("/proc").glob("[0-9]*/cmdline")}
    found = []
    for process_id, command in commands.items():
        with suppress(OSError):
            found += [process_id] if str(out).encode() in command.read_bytes() else []
    return found


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8") if Path("/proc").is_dir() else ""
    return ") Z " not in status


@pytest.mark.parametrize(
    ("n_pages", "threads", "is_several"), [(99, 4, False), (100, 1, False), (100, 2, True)]
)
def test_processes_are_started_for_many_pages_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_pages: int, threads: int, is_several: bool
) -> None:
    started: list[int] = []
    monkeypatch.setattr(workers, "ProcessPageWriter", lambda *_, threads: started.append(threads))
    page_writer(tmp_path, "en", n_pages=n_pages, threads=threads)
    assert started == ([threads] if is_several else [])
