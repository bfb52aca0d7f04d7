"""Write the clean matrix in every container that can be read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse as sp
import zstandard
from tests.battery.case import Inputs, Make
from tests.battery.clean import Clean
from tests.battery.grid import Grid, write
from tests.read.cells import write_zarr

Pack = Callable[[bytes], bytes]


def clean_text(clean: Clean) -> bytes:
    """The clean matrix as TSV."""
    return Grid.of_clean(clean).text().encode()


def packed(pack: Pack, name: str) -> Make:
    """Make the clean TSV, its bytes put through ``pack``."""

    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, pack(clean_text(clean))))

    return make


def gz(data: bytes) -> bytes:
    """Compress without a time stamp."""
    return gzip.compress(data, mtime=0)


def zst(data: bytes) -> bytes:
    """Compress as one frame of unknown size, as a pipe makes it."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


def in_two(pack: Pack) -> Pack:
    """Compress both halves apart."""
    return lambda data: pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :])


PACKERS: dict[str, Pack] = {"gz": gz, "zst": zst, "bz2": bz2.compress, "xz": lzma.compress}


# --- tables -------------------------------------------------------------------------------------------------


def xlsx_bytes(clean: Clean, *, sheets_before: int = 0) -> bytes:
    """The matrix as a workbook, with sheets of notes before it."""
    book = openpyxl.Workbook(write_only=True)
    for at in range(sheets_before):
        notes = book.create_sheet(f"README{at}")
        notes.append(["Expression of six tumours"])
        notes.append(["TPM, see the next sheet"])
    sheet = book.create_sheet("expression")
    sheet.append(["gene", *clean.samples])
    for gene, row in zip(clean.genes, clean.tpm.to_numpy().tolist(), strict=True):
        sheet.append([gene, *row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet_bytes(table: pd.DataFrame, *, compression: str = "snappy", index: bool | None = None) -> bytes:
    """A table as parquet."""
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=index), stream, compression=compression)
    return stream.getvalue()


def arrow_bytes(clean: Clean, *, is_stream: bool = False) -> bytes:
    """The matrix as an Arrow file or stream."""
    table = pa.Table.from_pandas(clean.tpm.reset_index(), preserve_index=False)
    stream = io.BytesIO()
    make = pa.ipc.new_stream if is_stream else pa.ipc.new_file
    with make(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def feather_bytes(clean: Clean) -> bytes:
    """The matrix as feather, compressed."""
    stream = io.BytesIO()
    pyarrow.feather.write_feather(clean.tpm.reset_index(), stream, compression="zstd")
    return stream.getvalue()


def categorical_bytes(clean: Clean) -> bytes:
    """Parquet whose gene column is dictionary-encoded."""
    return parquet_bytes(clean.tpm.reset_index().astype({"gene": "category"}), index=False)


def uneven_groups_bytes(clean: Clean) -> bytes:
    """Parquet of many row groups."""
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(clean.tpm), stream, row_group_size=777)
    return stream.getvalue()


def gct(clean: Clean, *, version: str = "#1.2", extra_rows: int = 0, extra_samples: int = 0) -> str:
    """The matrix as GCT, its second line untrue where wanted."""
    n_genes, n_samples = clean.tpm.shape
    shape = [n_genes + extra_rows, n_samples + extra_samples]
    if version == "#1.3":
        shape += [1, 0]
    lines = [version, "\t".join(map(str, shape)), "\t".join(["Name", "Description", *clean.samples])]
    rows = Grid.of_clean(clean).rows
    return "\n".join([*lines, *("\t".join([row[0], "na", *row[1:]]) for row in rows)]) + "\n"


# --- AnnData and 10x ----------------------------------------------------------------------------------------


def annotated(clean: Clean, convert: Callable[[np.ndarray], object] = np.asarray) -> ad.AnnData:
    """The matrix as AnnData."""
    names = pd.DataFrame(index=pd.Index(clean.samples, dtype=object))
    genes = pd.DataFrame(index=pd.Index(clean.genes, dtype=object))
    return ad.AnnData(X=convert(clean.tpm.to_numpy().T.copy()), obs=names, var=genes)


def h5ad(convert: Callable[[np.ndarray], object] = np.asarray, *, name: str = "m.h5ad") -> Make:
    """Make an h5ad."""

    def make(folder: Path, clean: Clean) -> Inputs:
        annotated(clean, convert).write_h5ad(folder / name)
        return Inputs(folder / name)

    return make


def zarr(
    convert: Callable[[np.ndarray], object] = np.asarray,
    change: Callable[[Path], None] = lambda _: None,
    *,
    version: int = 3,
) -> Make:
    """Make a zarr store, dense ones with chunks of two samples and some genes, then change its files."""

    def make(folder: Path, clean: Clean) -> Inputs:
        chunks = (2, 1000) if convert is np.asarray else None
        path = write_zarr(folder / "m.zarr", annotated(clean, convert), version=version, chunks=chunks)
        change(path)
        return Inputs(path)

    return make


def write_10x(folder: Path, clean: Clean, *, is_v2: bool = False, lost: str = "") -> Path:
    """Write a folder as 10x Genomics does; three lines of the file ``lost`` are left out."""
    folder.mkdir()
    matrix = io.BytesIO()
    scipy.io.mmwrite(matrix, sp.coo_matrix(clean.tpm.to_numpy()), precision=12)
    kind = "" if is_v2 else "\tGene Expression"
    features = [f"{gene}\t{gene}{kind}\n" for gene in clean.genes]
    files = {
        "matrix.mtx": matrix.getvalue(),
        "genes.tsv" if is_v2 else "features.tsv": _joined(features, is_cut=lost == "features"),
        "barcodes.tsv": _joined([f"{name}\n" for name in clean.samples], is_cut=lost == "barcodes"),
    }
    for name, content in files.items():
        write(folder / (name if is_v2 else f"{name}.gz"), content if is_v2 else gz(content))
    return folder


def _joined(lines: list[str], *, is_cut: bool) -> bytes:
    return "".join(lines[:-3] if is_cut else lines).encode()
