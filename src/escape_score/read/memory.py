"""Data in memory as cohorts: they pass the checks of files, and are never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from escape_score.config import RunConfig
from escape_score.errors import MatrixInvalidError, UsageError, listed, raise_faults
from escape_score.model.cohort import Cohort, FloatArray, InMemoryMatrix
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.names import (
    MIN_GENE_FRACTION,
    are_row_numbers,
    gene_fraction,
    is_annotation_name,
    lies_the_other_way,
    sample_name_faults,
    statistics_among,
)
from escape_score.read.checks.single_cells import find_grouping, glance_at, refuse_cells
from escape_score.read.cohort import Sheet, check_cohort, declared_unit
from escape_score.read.formats.one_sample import select_columns
from escape_score.read.formats.reader import IN_OBS, SYMBOL_COLUMNS, ArrayMatrix, MatrixReading
from escape_score.read.request import ReadRequest
from escape_score.store.layers import named_layers

if TYPE_CHECKING:
    from anndata import AnnData

IN_MEMORY = "cohort"
"""Name of a cohort that has no file to be named after."""


def from_dataframe(
    frame: pd.DataFrame,
    *,
    units: ExpressionUnit | str = ExpressionUnit.AUTO,
    samples: Sheet = None,
    cohort: str = IN_MEMORY,
    as_samples: bool = False,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> Cohort:
    """Make a cohort from a table of numbers.

    Parameters
    ----------
    frame
        Genes × samples, as files hold them, or samples × genes; which of the two is detected from the names.
        Genes by symbol, Ensembl or Entrez id. It is not changed.
    units
        Unit of the values, such as ``"tpm"`` or ``"counts"``; ``"auto"`` infers it from the numbers. Of
        columns that are several quantities of one sample, such as TPM and FPKM, it chooses one.
    samples
        Sample sheet: a file, or a table with a column ``sample_id`` or with the sample ids as its index.
    cohort
        Name of the cohort.
    as_samples
        Whether each row is one sample, even if rows look like single cells. Without it such a matrix is
        refused.
    columns
        Columns of ``samples`` under other names, as for :func:`escape_score.read`.

    Returns
    -------
    Cohort
        What :func:`escape_score.read` gives for a file with the same content; its ``input_sha256`` is None
        and ``matrix_sha256`` is a digest of names and values.

    Raises
    ------
    InputError
        Names or values cannot be used; the line begins with ``frame``, or with ``samples`` for the sheet.
    InputFaultsError
        Several faults.
    UsageError
        ``frame`` is not a table, ``units`` is not a unit, or an argument is of a wrong type.

    Examples
    --------
    >>> import escape_score as es
    >>> import pandas as pd
    >>> table = pd.read_parquet("matrix.parquet")  # doctest: +SKIP
    >>> cohort = es.from_dataframe(table, units="tpm")  # doctest: +SKIP
    """
    if not hasattr(frame, "columns"):
        msg = f"frame: a {type(frame).__name__}, not a pandas DataFrame; give a table of genes × samples"
        raise UsageError(msg)
    is_sure = RunConfig.of_arguments(as_samples=as_samples).read.as_samples
    request = ReadRequest(units=declared_unit(units), as_samples=is_sure)
    return check_cohort(
        "frame",
        lambda: _frame_reading(frame, request, cohort),
        units=units,
        samples=samples,
        name=cohort,
        columns=columns,
    )


def from_anndata(
    adata: AnnData,
    *,
    units: ExpressionUnit | str = ExpressionUnit.AUTO,
    layer: str | None = None,
    samples: Sheet = None,
    cohort: str = IN_MEMORY,
    as_samples: bool = False,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> Cohort:
    """Make a cohort from an AnnData object whose observations are samples.

    Parameters
    ----------
    adata
        Samples in obs, genes in var (named by ``var_names``, or by a column such as ``gene_symbols`` where
        these are no gene names), dense or sparse, in memory or backed. It is
        not changed.
    units
        Unit of the values, such as ``"tpm"`` or ``"counts"``; ``"auto"`` infers it from the numbers.
    layer
        Layer that holds the values; ``X`` where None.
    samples
        Sample sheet: a file, or a table such as ``adata.obs``. Columns of obs are used only so.
    cohort
        Name of the cohort.
    as_samples
        Whether each row is one sample, even if rows look like single cells. Without it such a matrix is
        refused.
    columns
        Columns of ``samples`` under other names, as for :func:`escape_score.read`.

    Returns
    -------
    Cohort
        What :func:`escape_score.read` gives for a file with the same content; its ``input_sha256`` is None
        and ``matrix_sha256`` is a digest of names and values.

    Raises
    ------
    InputError
        Names or values cannot be used; the line begins with ``adata``, or with ``samples`` for the sheet.
    InputFaultsError
        Several faults.
    UsageError
        ``adata`` is not an AnnData object, it has no such layer, ``units`` is not a unit, or an argument is
        of a wrong type.

    Examples
    --------
    >>> import anndata as ad
    >>> import escape_score as es
    >>> adata = ad.read_h5ad("matrix.h5ad")  # doctest: +SKIP
    >>> cohort = es.from_anndata(adata, units="counts", layer="counts", samples=adata.obs)  # doctest: +SKIP
    """
    values = anndata_values(adata, layer)
    is_sure = RunConfig.of_arguments(as_samples=as_samples).read.as_samples
    return check_cohort(
        "adata",
        lambda: _anndata_reading(adata, values, layer, as_samples=is_sure),
        units=units,
        samples=samples,
        name=cohort,
        columns=columns,
    )


def anndata_values(adata: AnnData, layer: str | None) -> Any:  # noqa: ANN401
    """X or a layer of an AnnData object; raises UsageError: it is no such object, or has no such matrix."""
    if not all(hasattr(adata, name) for name in ("obs_names", "var_names", "X", "layers")):
        msg = f"adata: a {type(adata).__name__}, not an AnnData object; for a table use es.from_dataframe"
        raise UsageError(msg)
    if layer is not None and layer not in adata.layers:
        names = listed([*named_layers(adata)]) or "none"
        msg = f"layer: {layer!r} is not a layer of adata (layers: {names})"
        raise UsageError(msg + "; name one of them, or leave it out for X")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        layers = listed([*named_layers(adata)])
        msg = f"adata: X is empty; name the layer that holds the values (layers: {layers})"
        raise UsageError(msg)
    return values


def _anndata_reading(
    adata: AnnData,
    values: Any,  # noqa: ANN401
    layer: str | None,
    *,
    as_samples: bool,
) -> MatrixReading:
    if np.dtype(values.dtype).kind not in "biuf":
        msg = f"adata: values are {values.dtype}, not numbers; store them as float"
        raise MatrixInvalidError(msg)
    by_rows = values.tocsr() if getattr(values, "format", "") == "csc" else values
    source = ArrayMatrix(_names(adata.obs_names), _gene_names(adata), by_rows)
    if not as_samples:
        columns = {str(name): at for at, name in enumerate(adata.obs.columns)}
        cells_of = lambda name: _names(pd.Index(adata.obs.iloc[:, columns[name]]))  # noqa: E731
        refuse_cells("adata", glance_at(source, find_grouping(columns, cells_of)))
    raise_faults(sample_name_faults("adata", source.sample_ids))
    others = [f"layers[{name!r}]" for name in named_layers(adata) if name != layer]
    others += ["raw"] if adata.raw is not None else []
    remedy = f"adata holds other matrices ({', '.join(others[:5])}): give the one with expression"
    return MatrixReading(source, remedy=remedy if others else "", layout=f"{IN_OBS}; give adata.T")


def _gene_names(adata: AnnData) -> tuple[str, ...]:
    """Names of the genes: ``var_names``, or symbols in a column of var where these name no genes."""
    names = _names(adata.var_names)
    if gene_fraction(names, with_entrez=not are_row_numbers(names)) >= MIN_GENE_FRACTION:
        return names
    columns = (_names(pd.Index(adata.var[name])) for name in SYMBOL_COLUMNS if name in adata.var)
    return next((one for one in columns if gene_fraction(one, with_entrez=False) >= MIN_GENE_FRACTION), names)


def _frame_reading(frame: pd.DataFrame, request: ReadRequest, own: str) -> MatrixReading:
    """A table with samples in rows, whichever way round it was given; ``own`` names an unnamed sample."""
    for axis, names in (("index", frame.index), ("columns", frame.columns)):
        if names.nlevels > 1:
            msg = f"frame: its {axis} has {names.nlevels} levels; give one name for every row and column"
            raise MatrixInvalidError(msg)
    rows, columns = _names(frame.index), _names(frame.columns)
    described: tuple[str, ...] = ()
    has_genes = gene_fraction(rows) >= MIN_GENE_FRACTION and not isinstance(frame.index, pd.RangeIndex)
    if lies_the_other_way(columns, rows, has_genes=has_genes):
        rows, columns, values = columns, rows, _numbers(frame)
    else:
        kept, described = _sample_columns(columns) if has_genes else (list(range(len(columns))), ())
        columns, values = tuple(columns[at] for at in kept), _numbers(frame.iloc[:, kept]).T
    if not request.as_samples:
        refuse_cells("frame", glance_at(InMemoryMatrix(columns, rows, values)))
    raise_faults(sample_name_faults("frame", columns))
    chosen = select_columns("frame", columns, request, own=own)
    is_whole = len(chosen.columns) == len(columns)
    source = InMemoryMatrix(chosen.sample_ids, rows, values if is_whole else values[list(chosen.columns)])
    layout = "give the names of genes as index or as columns"
    return MatrixReading(source, described, layout=layout, notes=chosen.notes, unit=chosen.unit)


def _sample_columns(names: Sequence[str]) -> tuple[list[int], tuple[str, ...]]:
    """Positions of columns that may be samples, and names of those that describe, test or sum up genes."""
    candidates = [at for at, name in enumerate(names) if not is_annotation_name(name)]
    left_out = statistics_among([names[at] for at in candidates], others=names)
    kept = [at for position, at in enumerate(candidates) if position not in left_out]
    return kept, tuple(names[at] for at in range(len(names)) if at not in set(kept))


def _names(names: pd.Index[Any]) -> tuple[str, ...]:
    return tuple("" if pd.isna(name) else str(name) for name in names)


def _numbers(frame: pd.DataFrame) -> FloatArray:
    """Values as float64; text is refused, with what to do."""
    no_numbers = [str(c) for c, kind in zip(frame.columns, frame.dtypes, strict=True) if not _is_number(kind)]
    if not no_numbers:
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    first = no_numbers[0]
    advice = f"frame.set_index({first!r}), if these are the genes, or convert them to numbers"
    msg = f"frame: columns {listed(no_numbers)} hold no numbers; use {advice}"
    raise MatrixInvalidError(msg)


def _is_number(kind: Any) -> bool:  # noqa: ANN401
    return pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind)
