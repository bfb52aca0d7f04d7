"""Feather files: read by column, damaged and swollen ones refused before they are unpacked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pa_feather
import pytest

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError
from escape_score.read import ReadLimits, count_samples
from escape_score.read.formats.feather import FEATHER, promised_sizes
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest

MakeFrame = Callable[..., pd.DataFrame]


def write(
    path: Path, columns: dict[str, object], *, compression: str = "lz4", chunksize: int | None = None
) -> Path:
    pa_feather.write_feather(pa.table(columns), str(path), compression=compression, chunksize=chunksize)
    return path


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_promised_sizes_adds_up_batches(tmp_path: Path, compression: str) -> None:
    names = pa.DictionaryArray.from_arrays(np.arange(1000, dtype="int32") % 3, ["a", "b", "c"])
    path = write(
        tmp_path / "m", {"gene": names, "A": np.arange(1000.0)}, compression=compression, chunksize=300
    )
    sizes = promised_sizes(memoryview(path.read_bytes()))
    assert sizes.n_rows == 1000
    # what is not packed cannot grow
    assert sizes.n_bytes == 0 if compression == "uncompressed" else 12_000 <= sizes.n_bytes <= 13_500


def test_open_matrix_reads_beside_description(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m", {"gene": ["CD8A", "B2M"], "description": ["x", None], "A": [1, 2], "B": [None, 2.5]}
    )
    reading = FEATHER.open_matrix(path, DEFAULT_REQUEST)
    assert reading.annotation_columns == ("description",)
    assert reading.source.gene_ids == ("CD8A", "B2M")
    assert np.array_equal(reading.source.block(0, 2), np.array([[1, 2], [np.nan, 2.5]]), equal_nan=True)
    assert count_samples(path) == 2


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"gene": ["CD8A"], "A": ["1.5"]}, "stored as text"),
        ({"A": [1.0]}, "no gene column"),
        ({"gene": pa.array([], pa.string()), "A": pa.array([], pa.float64())}, "no gene rows"),
        ({"gene": ["CD8A"], "=A": [1.0]}, "formula"),
    ],
)
def test_open_matrix_refuses(tmp_path: Path, columns: dict[str, object], said: str) -> None:
    with pytest.raises(MatrixInvalidError, match=said):
        FEATHER.open_matrix(write(tmp_path / "m", columns), DEFAULT_REQUEST)


@pytest.mark.parametrize(
    "limits",
    [
        ReadLimits(max_genes=99_999),
        ReadLimits(max_expanded_bytes=1_000_000),
        ReadLimits(ratio_floor_bytes=100_000, max_expansion_ratio=2),
    ],
)
def test_open_matrix_keeps_to_limits(tmp_path: Path, limits: ReadLimits) -> None:
    path = write(tmp_path / "m", {"gene": ["B2M"] * 100_000, "A": np.zeros(100_000)}, compression="zstd")
    with pytest.raises(InputError, match="too large"):
        FEATHER.open_matrix(path, ReadRequest(limits=limits))


@pytest.mark.parametrize("compression", ["uncompressed", "lz4"])
def test_open_matrix_refuses_every_cut(tmp_path: Path, compression: str) -> None:
    path = write(tmp_path / "m", {"gene": ["CD8A", "B2M"], "A": [1.0, 2.0]}, compression=compression)
    content = path.read_bytes()
    for n_kept in range(6, len(content), 7):
        path.write_bytes(content[:n_kept])
        with pytest.raises(FileUnreadableError, match="damaged or truncated feather"):
            FEATHER.open_matrix(path, DEFAULT_REQUEST)


def test_open_matrix_survives_damage(tmp_path: Path, make_tpm: MakeFrame) -> None:
    path = tmp_path / "m"
    make_tpm(n_genes=50).reset_index().to_feather(path)
    content = path.read_bytes()
    for at in range(8, len(content), len(content) // 150):
        damaged = bytearray(content)
        damaged[at] ^= 0x11
        path.write_bytes(bytes(damaged))
        try:
            FEATHER.open_matrix(path, DEFAULT_REQUEST).source.block(0, 4)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017
