"""The one way from single cells to profiles: labels, sums and quantities of each patient, then bulk's way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import pandas as pd

from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.given import UserMap, read_label_map
from escape_score.cells.labels.label import label_cells
from escape_score.cells.labels.seeds import find_seeds, train
from escape_score.cells.patient import PatientResult, SampleSums, profile_patient, summarise_sample
from escape_score.config import CellsConfig, RunConfig
from escape_score.errors import MAX_NAMED, MatrixInvalidError, UsageError, attempt, raise_faults
from escape_score.library.cell_types import LineageChoice
from escape_score.model.arguments import PATH, require_path, require_text, require_type
from escape_score.model.cells import CellSample
from escape_score.model.cohort import Cohort, require_columns, sheet_columns
from escape_score.model.record import CellMap
from escape_score.pipeline.cells.bulk import bulk_cohort
from escape_score.pipeline.cells.map import draw_map
from escape_score.pipeline.cells.results import CellResults
from escape_score.pipeline.gene_sets import open_gene_sets
from escape_score.pipeline.profiles import Profiles, in_english
from escape_score.pipeline.profiling import ProfileOptions, named_statistics, profile_opened
from escape_score.pipeline.references import open_reference
from escape_score.read.cells import CellCohort, CellRequest, cells_from_anndata, open_cells, too_few
from escape_score.read.cohort import Sheet
from escape_score.read.request import column_names
from escape_score.read.sheet.sheet import join_sheet, open_sheet
from escape_score.reference.known import AUTO_REFERENCE

if TYPE_CHECKING:
    from anndata import AnnData

    from escape_score.model.reference import Reference
    from escape_score.pipeline.gene_sets import GeneSets

PatientOutcome = tuple[PatientResult, CellMap | None]


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """How the cells of a patient are labelled and drawn.

    Parameters
    ----------
    config
        Gates, lineage of the malignant cells, and whether a map is drawn.
    user_map
        The user's own meaning of labels.
    """

    config: CellsConfig = field(default_factory=CellsConfig)
    user_map: UserMap | None = None
    seed: int = 1

    @classmethod
    def of(cls, config: CellsConfig, *, seed: int) -> CellOptions:
        """Options of a config, whose file of labels is read."""
        user_map = None if config.cell_types is None else read_label_map(config.cell_types)
        return cls(config=config, user_map=user_map, seed=seed)


@dataclass(frozen=True)
class LoadedSamples:
    """Samples that are loaded each time they are gone through, one at a time."""

    load: Callable[[str], CellSample] = field(repr=False)
    names: tuple[str, ...]

    def __iter__(self) -> Iterator[CellSample]:
        return map(self.load, self.names)


def train_on(samples: Iterable[CellSample], *, seed: int) -> CellClassifier:
    """Train the classifier of compartments on all samples, which are gone through twice.

    This is the one step in which the samples of a cohort are seen together.
    """
    return train(find_seeds(samples, seed=seed))


def profile_one(
    samples: Iterable[CellSample], classifier: CellClassifier | None, options: CellOptions
) -> PatientOutcome:
    """The result of one patient, whose samples these are, and the map of its cells if it is wanted."""
    kept, failed, drawn = list[SampleSums](), list[tuple[str, str]](), list[CellSample]()
    for sample in samples:
        problem = too_few(sample, options.config)
        if problem is not None:
            failed.append((sample.sample_id, in_english(problem)))
            continue
        found = label_cells(
            sample,
            classifier=classifier,
            user_map=options.user_map,
            lineage=LineageChoice(options.config.malignant_lineage),
            seed=options.seed,
        )
        kept.append(summarise_sample(sample, found.labels, found.unknown))
        drawn += [sample] if options.config.umap else []
    if not kept:
        return PatientResult.without_samples(failed), None
    result = replace(profile_patient(kept, seed=options.seed), failed=tuple(failed))
    return _with_map(result, drawn, options.seed) if drawn else (result, None)


def _with_map(result: PatientResult, samples: list[CellSample], seed: int) -> PatientOutcome:
    drawn, places = draw_map(samples, result, seed=seed)
    columns = {**result.cell_columns, "umap_1": places[:, 0], "umap_2": places[:, 1]}
    return replace(result, cell_columns=columns), drawn


def profile_cells(
    data: AnnData | str | Path | Sequence[str | Path],
    *,
    sample: str | None = None,
    patient: str | None = None,
    cell_type: str | None = None,
    cell_types: str | Path | None = None,
    layer: str | None = None,
    malignant_lineage: str = "auto",
    umap: bool = False,
    h5ad: bool = False,
    samples: Sheet = None,
    reference: str | Path | Reference = AUTO_REFERENCE,
    gene_sets: GeneSets = None,
    seed: int = 1,
    cohort: str = "cells",
    statistics: Mapping[str, object] | None = None,
) -> Profiles:
    """Profile samples of single cells: one profile a sample, with what only cells show.

    Parameters
    ----------
    data
        Cells in obs, genes in var, with counts; or files as ``escape-score cells`` takes them.
    sample, patient, cell_type
        Columns of obs that name the sample, the patient and the type of each cell. Without ``sample`` all
        cells are of one sample. Without ``patient`` a column with a usual name (``patient_id``,
        ``donor_id``) is taken if there is one, else each sample is one patient. Samples of a patient share
        their quantities; name the column of the sample for both to keep them apart. Without ``cell_type``
        the compartments are found from the genes.
    cell_types
        What your labels mean: a TSV of labels and their compartments.
    layer
        Layer that holds counts, ``"raw"`` for ``adata.raw``; ``X`` where None.
    malignant_lineage
        Which cells can be malignant: ``"auto"``, ``"epithelial"``, ``"mesenchymal"``, ``"melanocytic"``,
        ``"glial"`` or ``"any"``.
    umap
        Whether a map of each patient's cells is drawn for its pages.
    h5ad
        Whether ``write`` also writes ``cells.h5ad``: all cells with their labels and the map.
    samples
        Sample sheet: a file, or a table with a column ``sample_id``.
    reference, gene_sets
        As for :func:`escape_score.profile`.
    seed
        Seed of every random draw, 0 to 4,294,967,295.
    cohort
        Name of the cohort.
    statistics
        As for :func:`escape_score.profile`; columns of ``samples`` that it names are kept.

    Returns
    -------
    Profiles
        One profile a sample; ``result.cells`` holds the quantities of patients and the labels of cells.

    Raises
    ------
    InputError
        The only fault of the input.
    InputFaultsError
        All of them, where there are several.
    UsageError
        An argument is of a wrong type or not a known word.

    Examples
    --------
    >>> import anndata as ad
    >>> import escape_score as es
    >>> adata = ad.read_h5ad("cells.h5ad")  # doctest: +SKIP
    >>> result = es.profile_cells(adata, sample="sample", cell_type="cell_type")  # doctest: +SKIP
    >>> result.cells.quantities_table()  # doctest: +SKIP
    """
    _require_cells(data)
    require_text("cohort", cohort, "the name of the cohort")
    if cell_types is not None:
        require_path("cell_types", cell_types)
    seed = RunConfig.of_arguments(seed=seed).seed
    config = (
        RunConfig()
        .overridden(
            sample_column=sample,
            patient_column=patient,
            cell_type_column=cell_type,
            cell_types=None if cell_types is None else Path(cell_types),
            layer=layer,
            malignant_lineage=malignant_lineage,
            umap=umap,
            h5ad=h5ad,
        )
        .cells
    )
    config.require_label_column()

    def opened() -> CellCohort:
        if not hasattr(data, "obs"):
            return open_cells(data, CellRequest.from_config(config))
        return cells_from_anndata(
            data, sample=sample, patient=patient, cell_type=cell_type, layer=layer, gates=config
        )

    models = named_statistics(statistics)
    profile = ProfileOptions(reference=reference, gene_sets=gene_sets, statistics=models, seed=seed)
    options = lambda: CellOptions.of(config, seed=seed)  # noqa: E731
    columns = column_names(RunConfig(statistics=models).reading.columns)
    return profile_cell_cohort(opened, profile, options, samples=samples, columns=columns, name=cohort)


def _require_cells(data: object) -> None:
    """Refuse what is neither cells in memory nor paths; UsageError."""
    needed = "an AnnData object of cells, or the paths of their files"
    if hasattr(data, "obs") or isinstance(data, PATH):
        return
    require_type("data", data, Sequence, needed)
    for path in cast("Sequence[object]", data):
        require_path("data", path, needed)
    if not data:
        msg = f"data: is empty; give {needed}"
        raise UsageError(msg)


def profile_cell_cohort(
    opened: Callable[[], CellCohort],
    options: ProfileOptions,
    cell_options: Callable[[], CellOptions],
    *,
    samples: Sheet = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    name: str,
    on_stage: Callable[..., None] = lambda *_, **__: None,
    on_patient: Callable[[], None] = lambda: None,
) -> Profiles:
    """Profile the samples of a cohort of single cells; faults of all inputs are raised together.

    ``columns`` are those of ``samples``. ``on_stage`` is called when a stage begins, ``on_patient`` when the
    cells of a patient are done.
    """
    on_stage("read")
    found, wanted = attempt(opened), attempt(cell_options)
    # what bulk's way reads later is read here too, since hours of cells may be in between
    sheet = attempt(lambda: open_sheet(samples, columns))
    named = attempt(lambda: open_reference(options.reference))
    gene_sets = attempt(lambda: open_gene_sets(options.gene_sets))
    raise_faults((*named.faults, *gene_sets.faults, *found.faults, *wanted.faults, *sheet.faults))
    with found.get() as cohort:
        records, _ = join_sheet(sheet.get(), cohort.sample_ids)
        if samples is not None:
            require_columns(options.statistics.named, sheet_columns(records))
        on_stage("cells", total=len(cohort.patients))
        results = _profile_patients(cohort, wanted.get(), on_patient)
        bulk = lambda: cohort_of(cohort, results, samples=samples, columns=columns, name=name)  # noqa: E731
        return replace(profile_opened(bulk, options, on_stage=on_stage), cells=results)


def _profile_patients(
    cohort: CellCohort, options: CellOptions, on_patient: Callable[[], None]
) -> CellResults:
    is_labelled = cohort.request.cell_type_column is not None
    everything = LoadedSamples(cohort.load, cohort.sample_ids)
    classifier = None if is_labelled else train_on(everything, seed=options.seed)
    outcomes = list[PatientOutcome]()
    for sample_ids in cohort.patients.values():
        outcomes.append(profile_one(LoadedSamples(cohort.load, sample_ids), classifier, options))
        on_patient()
    return joined(cohort.label, outcomes, cohort.load if options.config.h5ad else None)


def joined(
    label: str, outcomes: Iterable[PatientOutcome], load: Callable[[str], CellSample] | None = None
) -> CellResults:
    """The results of all patients; raises MatrixInvalidError: no sample has a profile.

    ``load`` reads the cells of a sample again, if all cells are to be written.
    """
    found = tuple(outcomes)
    maps = {result.record.patient_id: drawn for result, drawn in found if drawn is not None}
    results = CellResults(tuple(result for result, _ in found), maps)
    if not results.sample_ids:
        first = "; ".join(f"{one.sample_id}: {one.problem.rstrip('.')}" for one in results.failed[:MAX_NAMED])
        raise MatrixInvalidError.at(label, f"no sample has enough cells ({first}); give more cells")
    return results if load is None else replace(results, counts=LoadedSamples(load, results.sample_ids))


def cohort_of(
    cohort: CellCohort,
    results: CellResults,
    *,
    samples: Sheet = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    name: str,
) -> Cohort:
    """The pseudo-bulk of the samples that have a profile, with what is known of them."""
    return bulk_cohort(
        results.patients,
        label=cohort.label,
        name=name,
        sheet=_sheet_of(cohort) if samples is None else samples,
        columns={} if samples is None else columns,
        flags=cohort.notes,
        sha256=cohort.sha256,
    )


def _sheet_of(cohort: CellCohort) -> pd.DataFrame:
    """What the columns of obs say of each sample."""
    table = pd.DataFrame(sheet_columns(cohort.samples))
    table.insert(0, "sample_id", list(cohort.sample_ids))
    return table
