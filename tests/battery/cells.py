"""Files of single cells, run through ``escape-score cells``: damaged, hostile, or not what they seem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from tests.battery.case import Case, Expect, Inputs, Make
from tests.battery.clean import Clean
from tests.cells.simulated import simulated_cells

CATEGORY = "cells"
COLUMN = ("--sample-column", "sample")
N_CELLS, N_GENES, N_SAMPLES = 60, 300, 2
HUGE = 2**40

FAST = {
    "cut-half",
    "x-external-link",
    "column-missing",
    "sheet-of-itself",
    "folder-one-broken",
    "tenx-v2-cut",
}
APART = {"x-shape-huge", "x-chunks-huge", "indptr-huge", "names-huge", "tenx-shape-huge", "mtx-shape-huge"}
"""Cases that ask for much memory where sizes are believed."""

Change = Callable[[h5py.File], None]
Wrong = tuple[str, Make, str]
"""Name, how it is made, and what the error must mention."""


@cache
def _cells() -> ad.AnnData:
    return simulated_cells(N_SAMPLES, N_CELLS, N_GENES, depth=1_500)


def _plain(folder: Path) -> Path:
    path = folder / "cells.h5ad"
    _cells().write_h5ad(path)
    return path


def _of(path: Path, options: tuple[str, ...] = COLUMN) -> Inputs:
    return Inputs(path, options=options, command="cells")


def _in_file(change: Change, options: tuple[str, ...] = COLUMN) -> Make:
    """Change the HDF5 file of good cells."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        path = _plain(folder)
        with h5py.File(path, "r+") as file:
            change(file)
        return _of(path, options)

    return make


def _in_bytes(change: Callable[[bytes], bytes]) -> Make:
    """Change the bytes of a file of good cells."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        path = _plain(folder)
        path.write_bytes(change(path.read_bytes()))
        return _of(path)

    return make


def _in_data(change: Callable[[ad.AnnData], ad.AnnData]) -> Make:
    """Change the cells before they are written."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        path = folder / "cells.h5ad"
        change(_cells().copy()).write_h5ad(path)
        return _of(path)

    return make


def _with_values(change: Callable[[np.ndarray], np.ndarray]) -> Make:
    def changed(data: ad.AnnData) -> ad.AnnData:
        x = data.X.copy()
        x.data = change(x.data).astype(np.float32)
        return ad.AnnData(x, obs=data.obs, var=data.var)

    return _in_data(changed)


# --- parts of an HDF5 file ----------------------------------------------------------------------------------


def _put(name: str, values: object, **attributes: object) -> Change:
    """Put another array in the place of one."""

    def change(file: h5py.File) -> None:
        kept = dict(file[name].attrs)
        del file[name]
        file[name] = values
        file[name].attrs.update({**kept, **attributes})

    return change


def _without(name: str) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def _at(name: str, place: int, value: int) -> Change:
    """Change one value of an array."""

    def change(file: h5py.File) -> None:
        file[name][place] = value

    return change


def _linked(name: str, link: object) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = link

    return change


def _shape(*shape: int) -> Change:
    def change(file: h5py.File) -> None:
        file["X"].attrs["shape"] = np.array(shape)

    return change


def _hollow(name: str, size: int, kind: str) -> Change:
    """An array that is said to be very long and of which nothing is stored."""

    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, (size,), kind, chunks=(2**16,), compression="gzip")

    return change


# --- files of 10x -------------------------------------------------------------------------------------------


def _tenx_folder(folder: Path, *, lost: str = "", sizes: str = "") -> Path:
    folder.mkdir(parents=True)
    data = _cells()[:N_CELLS]
    values = sp.coo_matrix(data.X.T)
    entries = [
        f"{g + 1} {c + 1} {v:.0f}" for g, c, v in zip(values.row, values.col, values.data, strict=True)
    ]
    head = [
        "%%MatrixMarket matrix coordinate integer general",
        sizes or f"{N_GENES} {N_CELLS} {len(entries)}",
    ]
    (folder / "matrix.mtx").write_text("\n".join([*head, *entries]) + "\n")
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in data.obs_names))
    (folder / "features.tsv").write_text("".join(f"{g}\t{g}\tGene Expression\n" for g in data.var_names))
    if lost:
        (folder / lost).unlink()
    return folder


def _folders(change: Callable[[Path], object]) -> Make:
    """A folder of two samples, one of which is changed."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        for name in ("good", "bad"):
            _tenx_folder(folder / "run" / name)
        change(folder / "run" / "bad")
        return _of(folder / "run", ())

    return make


def _one_folder(*, lost: str = "", sizes: str = "") -> Make:
    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        return _of(_tenx_folder(folder / "sample", lost=lost, sizes=sizes), ())

    return make


def _tenx_v2(change: Change, *, length: int | None = None) -> Make:
    """The HDF5 file of Cell Ranger 2: one group a genome."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        data, path = _cells()[:N_CELLS], folder / "filtered_gene_bc_matrices_h5.h5"
        x = sp.csr_matrix(data.X)
        with h5py.File(path, "w") as file:
            group = file.create_group("GRCh38")
            group["barcodes"] = np.array([*data.obs_names], dtype="S")
            group["genes"] = group["gene_names"] = np.array([*data.var_names], dtype="S")
            group["data"], group["indices"] = x.data.astype(np.int32), x.indices.astype(np.int64)
            group["indptr"], group["shape"] = x.indptr.astype(np.int64), np.array([N_GENES, N_CELLS])
            change(file)
        if length is not None:
            path.write_bytes(path.read_bytes()[:length])
        return _of(path, ())

    return make


# --- sheets -------------------------------------------------------------------------------------------------


def _sheet(rows: str, *, faulty: str | None = None) -> Make:
    """A sheet of files, next to good cells; an error names the file if one is faulty."""

    def make(folder: Path, clean: Clean) -> Inputs:
        del clean
        _plain(folder)
        path = folder / "sheet.tsv"
        path.write_text(f"sample_id\tpath\n{rows}", encoding="utf-8")
        return Inputs(path, faulty=None if faulty is None else folder / faulty, command="cells")

    return make


def _loop(folder: Path, clean: Clean) -> Inputs:
    """A folder that holds a link to itself, and no cells."""
    del clean
    (folder / "run").mkdir()
    (folder / "run" / "again").symlink_to(folder / "run")
    return _of(folder / "run", ())


def _sheet_of_links(folder: Path, clean: Clean) -> Inputs:
    del clean
    (folder / "a.h5ad").symlink_to(folder / "b.h5ad")
    (folder / "b.h5ad").symlink_to(folder / "a.h5ad")
    (folder / "sheet.tsv").write_text("sample_id\tpath\ns1\ta.h5ad\n", encoding="utf-8")
    return Inputs(folder / "sheet.tsv", faulty=folder / "a.h5ad", command="cells")


# --- cases --------------------------------------------------------------------------------------------------


def _damaged() -> Iterator[Wrong]:
    """Files that were cut, emptied or linked elsewhere."""
    yield "cut-half", _in_bytes(lambda data: data[: len(data) // 2]), "HDF5|damaged|truncated|opened"
    yield "cut-short", _in_bytes(lambda data: data[:900]), "HDF5|damaged|truncated|opened"
    yield "empty", _in_bytes(lambda data: data[:0]), "empty"
    yield (
        "zeros-inside",
        _in_bytes(lambda data: data[:600] + bytes(3_000) + data[3_600:]),
        "HDF5|damaged|read|opened",
    )
    external = h5py.ExternalLink("/etc/other.h5", "/X")
    yield "x-external-link", _in_file(_linked("X", external)), "link|another file"
    yield "data-external-link", _in_file(_linked("X/data", external)), "link|another file"
    yield "obs-external-link", _in_file(_linked("obs", external)), "link|another file"
    yield "x-soft-link-nowhere", _in_file(_linked("X", h5py.SoftLink("/nowhere"))), "X|link|HDF5"
    yield "x-soft-link-loop", _in_file(_linked("X", h5py.SoftLink("/X"))), "X|link"


def _of_values() -> Iterator[Wrong]:
    """Values that are no counts."""
    yield "values-negative", _with_values(lambda d: np.where(np.arange(len(d)) % 9, d, -d)), "negative"
    yield "values-nan", _with_values(lambda d: np.where(np.arange(len(d)) % 9, d, np.nan)), "missing|infinite"
    yield (
        "values-infinite",
        _with_values(lambda d: np.where(np.arange(len(d)) % 9, d, np.inf)),
        "missing|infinite",
    )
    yield (
        "values-late-nan",
        _with_values(lambda d: np.where(np.arange(len(d)) < len(d) - 5, d, np.nan)),
        "missing|infin",
    )
    yield "values-huge", _with_values(lambda d: d * 1e12), "large|whole|count|more than"
    yield "values-text", _in_file(_put("X/data", np.array([b"x"] * 10))), "number|values|text|X"


def _of_columns() -> Iterator[Wrong]:
    """Columns of obs, and names."""
    yield "column-missing", _in_file(lambda f: None, ("--sample-column", "donor")), "no column 'donor'"
    yield "column-unnamed", _in_file(lambda f: None, ()), "sample-column"
    yield (
        "column-short",
        _in_file(_put("obs/sample/codes", np.zeros(3, dtype=np.int8))),
        "sample|long|values|cells",
    )
    yield "column-codes-wrong", _in_file(_at("obs/sample/codes", 0, 77)), "sample|code"
    yield "patient-of-two", _patients, "patients"
    yield "names-twice", _in_data(_same_names), "name of another cell"


def _of_parts() -> Iterator[Wrong]:
    """Parts of the file that are missing, or do not belong together."""
    yield "no-x", _in_file(_without("X")), "X"
    yield "no-obs", _in_file(_without("obs")), "obs|index|AnnData"
    yield "no-var", _in_file(_without("var")), "var|AnnData|index"
    yield "indices-outside", _in_file(_at("X/indices", 0, 70_000)), "column|indices|outside|damaged|genes"
    yield "indices-negative", _in_file(_at("X/indices", 0, -4)), "column|indices|outside|damaged|genes"
    yield "indptr-backwards", _in_file(_at("X/indptr", 3, 0)), "indptr|damaged|rows"
    yield "indptr-long", _in_file(_at("X/indptr", -1, 10**9)), "indptr|damaged|values"
    yield "indptr-huge", _in_file(_hollow("X/indptr", HUGE, "i8")), "indptr|damaged|cells|rows|long|large"
    yield "x-shape-other", _in_file(_shape(7, N_GENES)), "shape|cells|rows|agree"
    yield "x-shape-negative", _in_file(_shape(-1, N_GENES)), "shape|cells|rows|agree"
    yield "x-shape-one", _in_file(_shape(5)), "shape|cells|rows|agree|dimension"
    yield "x-shape-huge", _in_file(_shape(HUGE, HUGE)), "shape|cells|rows|agree|large"
    yield "x-chunks-huge", _in_file(_hollow("X/data", HUGE, "f4")), "data|indices|damaged|values|long"
    yield "names-huge", _in_file(_hollow("obs/_index", HUGE, "S64")), "names|cells|large|limit|rows|more"
    yield "no-cells", _in_data(lambda data: data[:0].copy()), "cell|empty|no "
    yield "no-genes", _in_data(lambda data: data[:, :0].copy()), "gene"
    yield "one-gene", _in_data(lambda data: data[:, :1].copy()), "gene"
    yield "few-cells", _in_data(lambda data: data[::10].copy()), "enough cells"


def _of_tenx() -> Iterator[Wrong]:
    """Files and folders of 10x Genomics."""
    yield "tenx-v2-cut", _tenx_v2(lambda f: None, length=4_000), "HDF5|damaged|truncated|opened"
    yield "tenx-v2-no-genes", _tenx_v2(_without("GRCh38/genes")), "gene|Cell Ranger|HDF5|matrix"
    yield "tenx-v2-no-barcodes", _tenx_v2(_without("GRCh38/barcodes")), "barcodes|Cell Ranger|HDF5|matrix"
    yield "tenx-v2-shape", _tenx_v2(_put("GRCh38/shape", np.array([3, 3]))), "shape|barcodes|genes|agree"
    yield (
        "tenx-shape-huge",
        _tenx_v2(_put("GRCh38/shape", np.array([HUGE, HUGE]))),
        "shape|barcodes|genes|agree|large",
    )
    yield "tenx-v2-negative", _tenx_v2(_at("GRCh38/data", 0, -3)), "negative"
    yield "folder-one-broken", _folders(lambda bad: (bad / "barcodes.tsv").unlink()), "barcodes"
    yield "folder-one-cut", _folders(_cut_matrix), "truncated"
    yield (
        "folder-one-text",
        _folders(lambda bad: (bad / "matrix.mtx").write_text("hello\n")),
        "matrix market",
    )
    yield "folder-loop", _loop, "without files of cells"
    yield "mtx-no-features", _one_folder(lost="features.tsv"), "features|genes"
    yield (
        "mtx-shape-huge",
        _one_folder(sizes=f"{HUGE} {HUGE} {HUGE}"),
        "genes|features|barcodes|large|rows|agree",
    )
    yield "mtx-shape-other", _one_folder(sizes="5 5 5"), "features|barcodes|agree|rows"


def _of_sheets() -> Iterator[Wrong]:
    """Sheets that list files."""
    yield "sheet-of-itself", _sheet("s1\tsheet.tsv\n"), "cells are not read from|sheet"
    yield "sheet-of-nothing", _sheet("s1\tnone.h5ad\n", faulty="none.h5ad"), "not found|no such"
    yield "sheet-without-path", _sheet("s1\t\n"), "path is empty"
    yield "sheet-twice", _sheet("s1\tcells.h5ad\ns2\tcells.h5ad\n"), "two samples"
    yield "sheet-of-folder", _sheet("s1\t.\n", faulty=""), "folder|cells are not read|sample"
    yield "sheet-of-links", _sheet_of_links, "link|not found|levels|opened"


def _patients(folder: Path, clean: Clean) -> Inputs:
    """A sample with cells of two patients."""
    del clean
    data, path = _cells().copy(), folder / "cells.h5ad"
    data.obs["patient"] = np.array(["P1", "P2"])[np.arange(data.n_obs) % 2]
    data.write_h5ad(path)
    return _of(path, (*COLUMN, "--patient-column", "patient"))


def _same_names(data: ad.AnnData) -> ad.AnnData:
    data.obs.index = pd.Index(["AAACCTGAGAAACCAT-1"] * data.n_obs)
    return data


def _cut_matrix(folder: Path) -> None:
    path = folder / "matrix.mtx"
    path.write_bytes(path.read_bytes()[:3_000])


def cases() -> Iterator[Case]:
    """Faults, each named in the file that has it, or in the input that names this file."""
    groups = (_damaged(), _of_values(), _of_columns(), _of_parts(), _of_tenx(), _of_sheets())
    for name, make, word in chain.from_iterable(groups):
        yield Case(
            f"{CATEGORY}-{name}",
            CATEGORY,
            make,
            Expect.ERROR,
            mention=(word,),
            is_fast=name in FAST,
            is_isolated=name in APART,
        )
