"""HDF5 files on a disk that fills up at any byte."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from escape_score.errors import OutputUnwritableError
from escape_score.model.cohort import Cohort
from escape_score.pipeline.profiles import Profiles
from escape_score.store.h5ad import write_cohort, write_scores
from escape_score.store.hdf5_output import FaultHoldingFile, replacing_hdf5

N_LIMITS = 97
MakeCohort = Callable[..., Cohort]


def refused_at(limit: int, write: Callable[[Path], None], path: Path) -> bool:
    """Write with a limit on the size of files; tell if that is a fault, in one line, that leaves nothing."""
    expected = (f"{path}: cannot be written (File too large); choose another folder or free space",)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        write(path)
    except OutputUnwritableError as error:
        return error.lines == expected and list(path.parent.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    path.unlink()
    return False


def must_be_refused_below(n_bytes: int, write: Callable[[Path], None], folder: Path) -> None:
    """Try limits in a forked process, which a fault inside HDF5 would crash, or bring to write to stderr."""
    said, inside = folder / "stderr", folder / "inside"
    inside.mkdir()
    said.touch()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), 2)
            limits = np.linspace(0, n_bytes - 1, N_LIMITS).astype(int).tolist()
            assert all(refused_at(limit, write, inside / "x.h5ad") for limit in limits)
            assert not refused_at(n_bytes, write, inside / "x.h5ad")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert said.read_text(encoding="utf-8") == ""


def test_scores_on_a_full_disk_are_one_line(demo: Profiles, tmp_path: Path) -> None:
    def write(path: Path) -> None:
        write_scores(path, demo.scores, genesets_sha256="")

    write(tmp_path / "whole.h5ad")
    must_be_refused_below((tmp_path / "whole.h5ad").stat().st_size, write, tmp_path)


@pytest.mark.slow
def test_cohort_on_a_full_disk_is_one_line(
    make_cohort: MakeCohort, demo_counts: pd.DataFrame, tmp_path: Path
) -> None:
    cohort = make_cohort(demo_counts)

    def write(path: Path) -> None:
        write_cohort(path, cohort)

    write(tmp_path / "whole.h5ad")
    must_be_refused_below((tmp_path / "whole.h5ad").stat().st_size, write, tmp_path)


def test_replacing_hdf5_stops_between_blocks_once_the_disk_is_full(tmp_path: Path) -> None:
    with replacing_hdf5(tmp_path / "x.h5") as output:
        output.check_disk()
        output.raw.fault = OSError(28, "full")
        with pytest.raises(OSError, match="full"):
            output.check_disk()
        output.raw.fault = None
        output.handle["x"] = np.arange(3)
    with h5py.File(tmp_path / "x.h5", "r") as handle:
        assert handle["x"][()].tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["x.h5"]


def test_file_reads_back_what_it_holds(tmp_path: Path) -> None:
    buffer = bytearray(8)
    with FaultHoldingFile(tmp_path / "x") as raw:
        raw.write(memoryview(b"abcd"))
        raw.fault = OSError(28, "full")
        raw.seek(3)
        assert raw.write(memoryview(b"XY")) == 2
        raw.seek(7)
        raw.write(memoryview(b"Z"))
        assert raw.seek(0, os.SEEK_END) == 8
        raw.seek(0)
        assert raw.readinto(memoryview(buffer)) == 8
        assert raw.truncate(100) == 100
    assert bytes(buffer) == b"abcXY\0\0Z"
    assert (tmp_path / "x").read_bytes() == b"abcd"
