"""Files made to fill memory or to hang a reader: each ends in an error, within little memory and time."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
import pytest
import zstandard
from tests.forked import Forks, forks_of

MEMORY_BYTES = 3 * 1024**3
"""Address space: the libraries alone map some 2 GB."""

IMPORTS = "import escape_score.errors, escape_score.read"
PROGRAM = """
import resource
from pathlib import Path
from escape_score.errors import InputError
from escape_score.read import read_cohort
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_cohort(Path({path!r}), cohort="c")
except InputError as error:
    print(*error.lines)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", 1) as handle:
        handle.write(b"gene\tA\n")
        for _ in range(400):
            handle.write(b"B2M\t0.000000000000000000\n" * 20_000)


def zstd_bomb(path: Path) -> None:
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as handle:
        handle.write(b"gene\tA\n")
        for _ in range(500):
            handle.write(b"B2M\t0\n" * 170_000)


def xlsx_bomb(path: Path) -> None:
    """Some 300 MB of XML in less than 1 MB."""
    book = openpyxl.Workbook()
    book.active.append(["gene", "A"])
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    row = b'<row><c t="inlineStr"><is><t>B2M</t></is></c><c><v>1</v></c></row>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                head, _, tail = content.partition(b"</sheetData>")
                part.write(head)
                for _ in range(45 if tail else 0):
                    part.write(row * 100_000)
                part.write(b"</sheetData>" + tail if tail else b"")


def xlsx_far_cell(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["gene", "A"], ["CD8A", 100.0], ["B2M", 7.0]):
        sheet.append(row)
    sheet.cell(1_048_576, 16_384, 1.0)
    book.save(path)


def parquet_of_many_rows(path: Path) -> None:
    n_rows = 30_000_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, "int8")), ["B2M"])
    pq.write_table(pa.table({"gene": names, "A": np.zeros(n_rows, "float32")}), path, compression="zstd")


def feather_of_many_rows(path: Path) -> None:
    n_rows = 30_000_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_rows, "int8")), ["B2M"])
    table = pa.table({"gene": names, "A": np.zeros(n_rows, "float32")})
    pa_feather.write_feather(table, str(path), compression="zstd")


def long_names() -> pa.Array:
    """Names of 2 GB, which pack to 130 kB; one buffer, as each is repeated by its offsets only where read."""
    n_rows, n_letters = 20_000, 100_000
    offsets = np.arange(n_rows + 1, dtype="int32") * n_letters
    letters = pa.py_buffer(np.zeros(n_rows * n_letters, "uint8"))  # memory that is never filled
    return pa.Array.from_buffers(pa.string(), n_rows, [None, pa.py_buffer(offsets), letters])


def feather_of_long_names(path: Path) -> None:
    names = long_names()
    table = pa.table({"gene": names, "A": np.zeros(len(names))})
    pa_feather.write_feather(table, str(path), compression="zstd")


def feather_of_long_dictionary(path: Path) -> None:
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100, "int32")), long_names())
    pa_feather.write_feather(pa.table({"gene": names, "A": np.zeros(100)}), str(path), compression="zstd")


def feather_that_lies(path: Path) -> None:
    """Each packed buffer says that it unpacks to a thousand times its size."""
    table = pa.table({"gene": ["B2M"] * 9_000, "A": np.arange(9_000.0)})
    pa_feather.write_feather(table, str(path), compression="zstd")
    content = path.read_bytes()
    n_bytes, frame = struct.pack("<q", 72_000), b"\x28\xb5\x2f\xfd"
    assert n_bytes + frame in content
    path.write_bytes(content.replace(n_bytes + frame, struct.pack("<q", 72_000 << 20) + frame))


def feather_of_promises(path: Path) -> None:
    """Not packed: the metadata promise a billion times the rows that are there."""
    pa_feather.write_feather(
        pa.table({"gene": ["B2M"] * 77, "A": np.zeros(77)}), str(path), compression="uncompressed"
    )
    content, n_rows = path.read_bytes(), struct.pack("<q", 77)
    assert content.count(n_rows) >= 3
    path.write_bytes(content.replace(n_rows, struct.pack("<q", 77 << 30)))


def h5ad_of_no_chunks(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("X", shape=(20_000, 10_000_000), dtype="f4", chunks=(100, 10_000))
        file.create_group("obs")
        file.create_group("var")


def gct_of_promises(path: Path) -> None:
    path.write_text("#1.2\n99999\t19999\nNAME\tDescription\tA\nB2M\tna\t1\n", encoding="utf-8")


def mtx_of_promises(path: Path) -> None:
    path.mkdir()
    (path / "matrix.mtx").write_text(
        "%%MatrixMarket matrix coordinate real general\n2000000000 2000000000 1\n1 1 1.0\n", encoding="utf-8"
    )
    (path / "genes.tsv").write_text("ENSG00000153563\tCD8A\n", encoding="utf-8")
    (path / "barcodes.tsv").write_text("s1\n", encoding="utf-8")


def text_of_one_line(path: Path) -> None:
    with path.open("wb") as handle:
        for _ in range(200):
            handle.write(b"a\t" * (1 << 19))


def link_loop(path: Path) -> None:
    path.symlink_to(path)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Processes that have imported the reader."""
    with forks_of(IMPORTS, {**os.environ, "OPENBLAS_NUM_THREADS": "1"}) as found:
        yield found


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (gzip_bomb, "too large once unpacked|more than 100000 gene rows"),
        (zstd_bomb, "too large once unpacked|more than 100000 gene rows"),
        (xlsx_bomb, "too large once unpacked"),
        (xlsx_far_cell, "too large|sample name is empty|column without a name"),
        (parquet_of_many_rows, "too large"),
        (feather_of_many_rows, "too large"),
        pytest.param(feather_of_long_names, "too large", marks=pytest.mark.slow),
        (feather_of_long_dictionary, "too large"),
        (feather_that_lies, "too large"),
        (feather_of_promises, "too large"),
        (h5ad_of_no_chunks, "too large"),
        (gct_of_promises, "dimensions do not match"),
        (mtx_of_promises, "dimensions do not match"),
        (text_of_one_line, "longer than"),
        (os.mkfifo, "not a regular file"),
        (link_loop, "symbolic links"),
        (link_to_device, "not a regular file"),
    ],
)
def test_read_cohort_refuses_within_bounds(
    tmp_path: Path, make: Callable[[Path], None], said: str, forks: Forks
) -> None:
    path = tmp_path / "matrix"
    make(path)
    run = forks.run(PROGRAM.format(memory=MEMORY_BYTES, path=str(path)), tmp_path)
    assert run.returncode == 0, run.stderr
    message, n_megabytes = run.stdout.splitlines()
    assert str(path) in message
    assert any(word in message for word in said.split("|"))
    assert int(n_megabytes) < 600
