"""Pages by several processes: the same bytes, the same failures, and no process that outlives its run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from escape_score.errors import EscapeScoreError, OutputUnwritableError
from escape_score.model.record import slug_of
from escape_score.pipeline.pages import workers
from escape_score.pipeline.pages.workers import ProcessPageWriter, page_writer
from escape_score.pipeline.pages.writing import PageWriter
from escape_score.pipeline.profiles import Profiles

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
    deadline = time.monotonic() + 30
    while _is_running(child):
        assert time.monotonic() < deadline, "the process outlives the program that started it"
        time.sleep(0.1)


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
