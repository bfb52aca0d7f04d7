"""Files of the cells of one sample: what was written is read, in the same bytes on every run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from tests.cells.simulated import simulated_cells

from escape_score.errors import FileMissingError, FileUnreadableError
from escape_score.model.cells import CellSample, GateCounts
from escape_score.model.notes import Code, note
from escape_score.store.cells import read_sample, write_sample


def sample_of(n: int = 50, *, scale: float = 1.0) -> CellSample:
    adata = simulated_cells(1, 50, 250, depth=500)[:n]
    return CellSample(
        sample_id="Probe é",
        patient_id="P1",
        cell_ids=np.array([f"ç{name}" for name in adata.obs_names], dtype=np.str_),
        gene_symbols=tuple(adata.var_names),
        counts=sp.csr_array(adata.X * scale),
        given_types=np.array([*map(str, adata.obs["cell_type"])], dtype=np.str_),
        is_umi=scale == 1,
        gates=GateCounts(60, 5, 3, 2),
        flags=(note(Code.CELLS_GATED, n_read=60, share=0.5), note(Code.UNKNOWN_GENES, n=3, names=["a", "b"])),
    )


@pytest.mark.parametrize("scale", [1.0, 300.0, 1e6, 0.25])
@pytest.mark.parametrize("n", [50, 0])
def test_what_is_written_is_read(tmp_path: Path, scale: float, n: int) -> None:
    one = sample_of(n, scale=scale)
    write_sample(tmp_path / "s.h5", one)
    two = read_sample(tmp_path / "s.h5")
    for name in ("sample_id", "patient_id", "gene_symbols", "is_umi", "gates", "flags"):
        assert getattr(two, name) == getattr(one, name)
    np.testing.assert_array_equal(two.cell_ids, one.cell_ids)
    np.testing.assert_array_equal(two.given_types, one.given_types)
    np.testing.assert_array_equal(two.counts.toarray(), one.counts.toarray())
    assert two.counts.dtype == (np.float64 if scale < 1 and n else np.int32)


def test_samples_without_types_are_read(tmp_path: Path) -> None:
    write_sample(tmp_path / "s.h5", replace(sample_of(), given_types=None))
    assert read_sample(tmp_path / "s.h5").given_types is None


def test_bytes_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sample(tmp_path / name, sample_of())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_sample(tmp_path / "c", read_sample(tmp_path / "a"))
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read_sample(tmp_path / "none.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    (tmp_path / "text.h5").write_text("no HDF5")
    write_sample(tmp_path / "short.h5", sample_of())
    (tmp_path / "short.h5").write_bytes((tmp_path / "short.h5").read_bytes()[:4_000])
    for name in ("other.h5", "text.h5", "short.h5"):
        with pytest.raises(FileUnreadableError, match="not a file of cells of this program"):
            read_sample(tmp_path / name)


@pytest.mark.parametrize("place", [0, 100, 5_000, -60, -1])
def test_changed_byte_is_found(place: int, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5"
    write_sample(path, sample_of())
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileUnreadableError, match=r"damaged; remove it, then run the same command again"):
        read_sample(path)
