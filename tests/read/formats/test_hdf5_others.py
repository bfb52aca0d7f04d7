"""HDF5 files of Cell Ranger and loompy: what is read, and what is damaged or points outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import sparse

from escape_score.errors import FileUnreadableError, InputError, MatrixInvalidError
from escape_score.read import ReadLimits, ReadRequest, count_samples, read_cohort

GENES = ["ENSG00000153563", "ENSG00000166710", "ENSG00000100453"]
SYMBOLS = ["CD8A", "B2M", "GZMB"]
VALUES = np.array([[1, 250, 0], [0, 1000, 7]])
KINDS = ["Gene Expression", "Gene Expression", "Gene Expression", "Antibody Capture"]


def texts(names: Sequence[str]) -> np.ndarray:
    return np.array(names, dtype="S")


def write_group(group: h5py.Group, values: np.ndarray) -> None:
    by_barcode = sparse.csr_matrix(values)
    for name in ("data", "indices", "indptr"):
        group[name] = getattr(by_barcode, name)
    group["shape"] = np.array(values.shape[::-1])
    group["barcodes"] = texts([f"S{at}" for at in range(len(values))])


def write_v3(path: Path) -> Path:
    values = np.hstack([VALUES[:, :1], [[900], [901]], VALUES[:, 1:]])
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        write_group(group, values)
        group["features/id"] = texts([GENES[0], "CD3", *GENES[1:]])
        group["features/name"] = texts([SYMBOLS[0], "CD3", *SYMBOLS[1:]])
        group["features/feature_type"] = texts([KINDS[0], KINDS[3], *KINDS[:2]])
    return path


def write_v2(path: Path, genomes: Sequence[str] = ("GRCh38",)) -> Path:
    with h5py.File(path, "w") as file:
        for genome in genomes:
            group = file.create_group(genome)
            write_group(group, VALUES)
            group["genes"], group["gene_names"] = texts(GENES), texts(SYMBOLS)
    return path


def write_loom(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"], file["layers/scaled"] = VALUES.T, VALUES.T * 2.0
        file["row_attrs/Gene"], file["col_attrs/CellID"] = texts(SYMBOLS), texts(["S0", "S1"])
        file["row_attrs/Accession"] = texts(["x", "y", "z"])
    return path


@pytest.mark.parametrize(
    ("write", "genes"),
    [
        (write_v3, GENES),
        (write_v2, GENES),
        (lambda p: write_v2(p, ["hg19", "mm10"]), GENES),
        (write_loom, SYMBOLS),
    ],
)
def test_read_cohort_reads_hdf5(tmp_path: Path, write: Callable[[Path], Path], genes: list[str]) -> None:
    cohort = read_cohort(write(tmp_path / "m"), units="counts")
    assert cohort.sample_ids == ("S0", "S1")
    assert cohort.source.gene_ids == tuple(genes)
    assert cohort.source.block(0, 2).tolist() == VALUES.tolist()
    assert cohort.source.block(1, 2).tolist() == VALUES[1:].tolist()
    assert count_samples(tmp_path / "m") == 2


def test_read_cohort_reads_layer_of_loom(tmp_path: Path) -> None:
    path = write_loom(tmp_path / "m.loom")
    cohort = read_cohort(path, units="counts", layer="scaled")
    assert cohort.source.block(0, 2).tolist() == (2 * VALUES).tolist()
    with pytest.raises(MatrixInvalidError, match=r"no layer 'x' \(layers: 'scaled'\).*--layer"):
        read_cohort(path, layer="x")


@pytest.mark.parametrize("write", [write_v3, write_loom])
def test_read_cohort_refuses_to_transpose_what_has_fixed_places(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    with pytest.raises(MatrixInvalidError, match="leave --transpose out"):
        read_cohort(write(tmp_path / "m"), transpose=True)


@pytest.mark.parametrize("write", [write_v3, write_v2, write_loom])
@pytest.mark.parametrize("limits", [ReadLimits(max_genes=2), ReadLimits(max_samples=1)])
def test_read_cohort_keeps_to_limits(
    tmp_path: Path, write: Callable[[Path], Path], limits: ReadLimits
) -> None:
    with pytest.raises(MatrixInvalidError, match="too large"):
        read_cohort(write(tmp_path / "m"), limits=limits)


def replace(file: h5py.File, name: str, value: object) -> None:
    del file[name]
    file[name] = value


def store_outside(file: h5py.File, name: str) -> None:
    del file[name]
    outside = str(Path(file.filename).with_name("raw.bin"))
    file.create_dataset(name, shape=(3,), dtype="i8", external=[(outside, 0, 24)])


@pytest.mark.parametrize(
    ("write", "change", "said"),
    [
        (write_v3, lambda f: replace(f, "matrix/data", h5py.ExternalLink("o", "/x")), "link into"),
        (write_v3, lambda f: store_outside(f, "matrix/data"), "external storage"),
        (write_v3, lambda f: replace(f, "matrix/indptr", [0, 9, 2]), "row starts"),
        (write_v3, lambda f: replace(f, "matrix/shape", [4, 900]), "900 barcodes promised, 2 found"),
        (write_v3, lambda f: replace(f, "matrix/features/name", texts(["A"])), "4 features"),
        (write_v3, lambda f: replace(f, "matrix/features/feature_type", texts(KINDS[3:] * 4)), "no feature"),
        (write_v3, lambda f: replace(f, "matrix/data", texts(["1"] * 6)), "not numbers"),
        (write_loom, lambda f: replace(f, "matrix", h5py.ExternalLink("o", "/x")), "no h5ad"),
        (write_loom, lambda f: replace(f, "matrix", [1.0]), "no table of numbers"),
        (write_loom, lambda f: replace(f, "row_attrs/Gene", h5py.ExternalLink("o", "/x")), "link into"),
        (write_loom, lambda f: f.move("col_attrs/CellID", "col_attrs/x"), "no names in /col_attrs"),
    ],
)  # fmt: skip
def test_read_cohort_refuses_damaged_hdf5(
    tmp_path: Path, write: Callable[[Path], Path], change: Callable[[h5py.File], None], said: str
) -> None:
    path = write(tmp_path / "m")
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(InputError, match=rf"^{path}: .*{said}"):
        read_cohort(path, units="counts")


def test_read_cohort_refuses_genomes_without_one_that_is_human(tmp_path: Path) -> None:
    path = write_v2(tmp_path / "m", ["mm10", "rn6"])
    with pytest.raises(MatrixInvalidError, match=r"several genomes \('mm10', 'rn6'\)"):
        read_cohort(path)


def test_read_cohort_refuses_a_gene_beyond_the_features(tmp_path: Path) -> None:
    path = write_v3(tmp_path / "m")
    with h5py.File(path, "a") as file:
        file["matrix/indices"][0] = 44
    with pytest.raises(FileUnreadableError, match="beyond its 4 genes"):
        read_cohort(path, units="counts")


def test_count_samples_reads_no_values(tmp_path: Path) -> None:
    assert count_samples(write_v3(tmp_path / "m"), request=ReadRequest()) == 2


@pytest.mark.parametrize("write", [write_v3, write_v2, write_loom])
def test_read_cohort_reads_or_refuses_hdf5_damaged_at_random(
    tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path, rng = write(tmp_path / "m"), np.random.default_rng(1)
    content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    places = np.flatnonzero(content)  # most of the file is padding
    for _ in range(60):
        damaged = content.copy()
        damaged[rng.choice(places, 3)] ^= rng.integers(1, 256, 3).astype(np.uint8)
        path.write_bytes(damaged.tobytes())
        try:
            read_cohort(path, units="counts")
        except InputError as error:
            assert all(line.startswith(f"{path}: ") for line in error.lines)  # noqa: PT017
