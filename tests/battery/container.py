"""The same matrix in other containers and encodings."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from tests.battery import packing
from tests.battery.case import Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import write

CATEGORY = "container"

SINGLE = 2e-4
"""Half of the last digit of single precision, as it comes out in a score."""

FAST = {
    "gz-two-members",
    "zst-two-frames",
    "xlsx",
    "parquet",
    "h5ad-sparse",
    "zarr-3-dense",
    "gct",
    "mtx-10x",
    "utf-16-le",
}


def _file(name: str, content: Callable[[Clean], str | bytes]) -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, content(clean)))

    return make


def _folder(*, is_v2: bool = False, lost: str = "") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(packing.write_10x(folder / "filtered", clean, is_v2=is_v2, lost=lost))

    return make


def _encoded(encoding: str, mark: str = "") -> Make:
    return packing.packed(lambda data: (mark + data.decode()).encode(encoding), "m.tsv")


def _packed() -> Iterator[tuple[str, Make]]:
    for name, pack in packing.PACKERS.items():
        yield name, packing.packed(pack, f"m.tsv.{name}")
    for name, word in (("gz", "members"), ("zst", "frames"), ("bz2", "streams"), ("xz", "streams")):
        yield f"{name}-two-{word}", packing.packed(packing.in_two(packing.PACKERS[name]), f"m.tsv.{name}")
    yield "gz-empty-member", packing.packed(lambda data: packing.gz(data) + packing.gz(b""), "m.tsv.gz")


def _tables() -> Iterator[tuple[str, Make]]:
    yield "xlsx", _file("m.xlsx", packing.xlsx_bytes)
    yield "parquet", _file("m.parquet", lambda clean: packing.parquet_bytes(clean.tpm))
    plain = _file("m.parquet", lambda clean: packing.parquet_bytes(clean.tpm.reset_index(), index=False))
    yield "parquet-gene-column", plain
    yield "parquet-dictionary", _file("m.parquet", packing.categorical_bytes)
    yield "parquet-row-groups", _file("m.parquet", packing.uneven_groups_bytes)
    zstd = _file("m.parquet", lambda clean: packing.parquet_bytes(clean.tpm, compression="zstd"))
    yield "parquet-zstd", zstd
    yield "feather", _file("m.feather", packing.feather_bytes)
    yield "arrow-file", _file("m.arrow", packing.arrow_bytes)
    yield "gct", _file("m.gct", packing.gct)
    yield "gct-gz", _file("m.gct.gz", lambda clean: packing.gz(packing.gct(clean).encode()))


def _matrices() -> Iterator[tuple[str, Make]]:
    yield "h5ad-dense", packing.h5ad()
    yield "h5ad-sparse", packing.h5ad(sp.csr_matrix)
    yield "h5ad-csc", packing.h5ad(sp.csc_matrix)
    yield "h5ad-fortran", packing.h5ad(np.asfortranarray)
    for version in (2, 3):
        yield f"zarr-{version}-dense", packing.zarr(version=version)
        yield f"zarr-{version}-sparse", packing.zarr(sp.csr_matrix, version=version)
    yield "zarr-csc", packing.zarr(sp.csc_matrix)
    yield "mtx-10x", _folder()
    yield "mtx-10x-v2", _folder(is_v2=True)


def _encodings() -> Iterator[tuple[str, Make]]:
    yield "utf-16-le", _encoded("utf-16-le", "\ufeff")
    yield "utf-16-be", _encoded("utf-16-be", "\ufeff")
    yield "utf-16-unmarked", _encoded("utf-16-le")
    yield "utf-8-mark", _encoded("utf-8-sig")


def cases() -> Iterator[Case]:
    """Containers that hold the same numbers, rounded numbers, or no matrix."""
    for name, make in (*_packed(), *_tables(), *_matrices(), *_encodings()):
        yield Case(f"container-{name}", CATEGORY, make, Expect.SAME, is_fast=name in FAST)
    single = _file("m.parquet", lambda clean: packing.parquet_bytes(clean.tpm.astype(np.float32)))
    yield Case("container-parquet-single", CATEGORY, single, Expect.SAME, tolerance=SINGLE)
    rounded = packing.h5ad(lambda x: sp.csr_matrix(x.astype(np.float32)))
    yield Case("container-h5ad-single", CATEGORY, rounded, Expect.SAME, tolerance=SINGLE)
    padded = packing.packed(lambda data: packing.gz(data) + bytes(512), "m.tsv.gz")
    yield Case("container-gz-padded", CATEGORY, padded, Expect.WARN, flag="trailing_bytes")
    yield from _errors()


def _errors() -> Iterator[Case]:
    wrong: dict[str, tuple[Make, str]] = {
        "gct-rows-lost": (_file("m.gct", lambda clean: packing.gct(clean, extra_rows=500)), "rows|dimension"),
        "gct-samples-lost": (
            _file("m.gct", lambda clean: packing.gct(clean, extra_samples=1)),
            "sample|column|dimension",
        ),
        "gct-no-shape": (
            _file("m.gct", lambda clean: packing.gct(clean).replace("8600\t6\n", "", 1)),
            "line 2|dimension|number",
        ),
        "mtx-features-short": (_folder(lost="features"), "features|rows|match"),
        "mtx-barcodes-short": (_folder(lost="barcodes"), "barcodes|columns|match"),
        **_stores(),
        "zip-of-tsv": (packing.packed(_zip, "m.zip"), "zip"),
        "tar-of-tsv": (packing.packed(_tar, "m.tar"), "binary|tar|format"),
        "xlsx-notes-only": (_file("m.xlsx", _notes), "sheet|gene|table|column"),
        "parquet-text": (
            _file("m.parquet", lambda clean: packing.parquet_bytes(clean.tpm.map(lambda v: f"{v} TPM"))),
            "numeric|number|type|text",
        ),
    }
    for name, (make, word) in wrong.items():
        fast = name == "gct-rows-lost"
        yield Case(f"container-{name}", CATEGORY, make, Expect.ERROR, mention=(word,), is_fast=fast)


def _stores() -> dict[str, tuple[Make, str]]:
    """zarr stores that are not whole, or hold no AnnData."""
    chunk = "X/c/1/3"
    return {
        "zarr-chunk-lost": (packing.zarr(change=lambda path: (path / chunk).unlink()), f"chunk {chunk}"),
        "zarr-chunk-cut": (packing.zarr(change=lambda path: _cut(path / chunk)), "damaged|truncated"),
        "zarr-2-chunk-lost": (
            packing.zarr(change=lambda path: (path / "X/1.3").unlink(), version=2),
            "X/1.3",
        ),
        "zarr-names-lost": (
            packing.zarr(change=lambda path: (path / "var/_index/c/0").unlink()),
            "var/_index",
        ),
        "zarr-group": (packing.zarr(change=lambda path: shutil.rmtree(path / "X")), "without X"),
        "zarr-obs-lost": (packing.zarr(change=lambda path: shutil.rmtree(path / "obs")), "without obs"),
        "zarr-array": (_array, "zarr"),
        "zarr-zip": (_zipped_store, "zip"),
    }


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _array(folder: Path, clean: Clean) -> Inputs:
    """The array of a store by itself, without names."""
    store = packing.zarr()(folder, clean).matrix
    assert store is not None
    return Inputs(store / "X")


def _zipped_store(folder: Path, clean: Clean) -> Inputs:
    store = packing.zarr()(folder, clean).matrix
    return Inputs(Path(shutil.make_archive(str(folder / "m.zarr"), "zip", store)))


def _zip(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m.tsv", data)
    return stream.getvalue()


def _tar(data: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("m.tsv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _notes(clean: Clean) -> bytes:
    """A workbook of notes without a matrix."""
    del clean
    import openpyxl

    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["the matrix is in another file"])
    book.save(stream)
    return stream.getvalue()
