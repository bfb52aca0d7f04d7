"""Jobs of the workflow: the same steps as in one process, with files between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from escape_score.cells.labels.classifier import CellClassifier
from escape_score.model.cells import CellSample
from escape_score.model.cohort import Cohort
from escape_score.model.record import slug_of
from escape_score.pipeline.cells.files import read_patient, write_patient
from escape_score.pipeline.cells.profiling import (
    CellOptions,
    LoadedSamples,
    cohort_of,
    joined,
    profile_one,
    train_on,
)
from escape_score.pipeline.cells.results import CellResults
from escape_score.read.cells import CellRequest, open_cells
from escape_score.read.cohort import Sheet
from escape_score.store.cells import read_sample


def write_seeds(samples: Sequence[Path], out: Path, *, seed: int) -> None:
    """Train the classifier of compartments; an empty one if the cells have labels."""
    loaded = _loaded(samples)
    is_labelled = next(iter(loaded)).given_types is not None
    (CellClassifier.unused() if is_labelled else train_on(loaded, seed=seed)).to_file(out)


def write_one_patient(samples: Sequence[Path], seeds: Path, options: CellOptions, out: Path) -> None:
    """Label, sum and quantify the cells of one patient."""
    write_patient(out, *profile_one(_loaded(samples), CellClassifier.from_file(seeds), options))


def _loaded(samples: Sequence[Path]) -> LoadedSamples:
    def load(name: str) -> CellSample:
        return read_sample(Path(name))

    return LoadedSamples(load, tuple(map(str, samples)))


def bulk_of(
    inputs: Sequence[Path],
    request: CellRequest,
    patients: Sequence[Path],
    *,
    samples: Sheet,
    columns: Mapping[str, str] = MappingProxyType({}),
    name: str,
) -> Cohort:
    """The pseudo-bulk of all samples."""
    with open_cells(inputs, request) as cohort:
        results = results_of(patients, label=cohort.label)
        return cohort_of(cohort, results, samples=samples, columns=columns, name=name)


def results_of(patients: Sequence[Path], *, label: str, has_counts: bool = False) -> CellResults:
    """The results of all patients, in the order of their files.

    ``has_counts``: whether the files of samples next to them are needed too, to write all cells.
    """
    folder = patients[0].parent

    def load(sample_id: str) -> CellSample:
        return read_sample(folder / f"sample-{slug_of(sample_id)}.h5")

    return joined(label, map(read_patient, patients), load if has_counts else None)
