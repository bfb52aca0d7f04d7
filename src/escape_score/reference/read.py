"""Read references: the shipped ones by name, others by their folder.

A reference is a folder of small text tables, so that it can be read, compared and signed off:

==================== =======================================================================================
reference.json       name, description, tumour type, assay, number of tumours, anchor distance, index location
                     and spread, provenance; location variance and limits where tumours are few
genes.tsv            gene_symbol, location, spread, n_samples
terms.tsv            term, location, spread: components, contrasts and the MHC class I shortfall
slopes.tsv           contrast, slope
weakest_links.tsv    gene_symbol, ifng_slope, leukocyte_slope, intercept, spread
presentation.tsv     gene_symbol, location, ifng_slope, per_leukocyte_unit, covariance (one column a gene)
distributions.tsv    sample_id, then one column an axis and ``index``
untrusted_genes.tsv  gene_symbol, reason; only where there are any
==================== =======================================================================================
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from escape_score.errors import ReferenceInvalidError
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.files import resource_path, table_rows
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import (
    Distributions,
    PresentationModel,
    Reference,
    ReferenceConstants,
    ReferenceGenes,
    WeakestLinkFit,
)
from escape_score.reference.digest import TABLES, UNTRUSTED, digest_tables
from escape_score.reference.known import (
    DEFAULT_REFERENCE,
    find_folder,
    known_references,
)

LENGTH_FACTORS = "length_factors.tsv"
FITTED_TABLES = "sha256 of the fit"
"""Key of the provenance that has the digest of what a fit wrote; a shipped reference has none."""

LINK_COLUMNS = ("ifng_slope", "leukocyte_slope", "intercept", "spread")


class ReferenceHeader(BaseModel):
    """``reference.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    tumour_type: str
    assay: str
    n_samples: int
    anchor_distance: float
    index_location: float
    index_spread: float
    location_variance: float = 0.0
    typical_detections: float = float("nan")
    limits: str = ""
    provenance: dict[str, str]


def load_reference(name_or_path: str = DEFAULT_REFERENCE) -> Reference:
    """Read a reference.

    Parameters
    ----------
    name_or_path
        Name of a reference that is shipped or kept, or a folder.

    Returns
    -------
    Reference
        Frozen; ``sha256`` covers all its files.

    Raises
    ------
    ReferenceInvalidError
        No such reference, or a table is missing or damaged.
    UsageError
        ``name_or_path`` is of a wrong type, or empty.

    Examples
    --------
    >>> import escape_score as es
    >>> es.load_reference("tcga-coadread-v1").n_samples
    592
    """
    return _read_once(find_folder(name_or_path))


def list_references() -> tuple[str, ...]:
    """Names of all references: those shipped, then those that you fetched or fitted.

    Returns
    -------
    tuple of str
        Each can be the argument ``reference`` of :func:`escape_score.profile`.

    Examples
    --------
    >>> import escape_score as es
    >>> "tcga-coadread-v1" in es.list_references()
    True
    """
    return tuple(known.name for known in known_references())


def forget_references() -> None:
    """Read references of the user again from the disk when they are next named, because one was written."""
    _read_of_user.cache_clear()


def read_reduced(folder: Path, further_genes: frozenset[str]) -> Reference:
    """Read a reference reduced to its anchors and some genes: where samples are placed, and their levels.

    Raises ReferenceInvalidError: its header, genes or terms are missing or damaged.
    """
    return _read_once(folder, further_genes)


def _read_once(folder: Path, further_genes: frozenset[str] | None = None) -> Reference:
    """The reference in a folder; only what is not shipped can change while the program runs."""
    is_shipped = folder.parent == resource_path("reference")
    return (_read_shipped if is_shipped else _read_of_user)(folder, further_genes)


@cache
def _read_shipped(folder: Path, further_genes: frozenset[str] | None) -> Reference:
    return _readable(folder, further_genes)


@cache
def _read_of_user(folder: Path, further_genes: frozenset[str] | None) -> Reference:
    return _readable(folder, further_genes)


def _readable(folder: Path, further_genes: frozenset[str] | None) -> Reference:
    """What a folder holds, or a part of it; ReferenceInvalidError where it is missing or damaged."""
    reduced = partial(_assemble_reduced, further_genes=further_genes or frozenset())
    assemble = assemble_reference if further_genes is None else reduced
    try:
        return assemble(folder)
    except (OSError, KeyError, ValueError, csv.Error, ReferenceInvalidError) as error:
        msg = f"{folder}: not a complete reference ({' '.join(str(error).split())[:160]}); rebuild it"
        raise ReferenceInvalidError(msg) from error


def _assemble_reduced(folder: Path, *, further_genes: frozenset[str]) -> Reference:
    header = read_header(folder)
    constants, anchors = read_constants(resource_path("reference", "constants.tsv"))
    return Reference(
        name=header.name,
        description=header.description,
        tumour_type=header.tumour_type,
        assay=header.assay,
        n_samples=header.n_samples,
        genes=_genes(folder / "genes.tsv", anchors, only=anchors | further_genes),
        constants=constants,
        anchor_distance=header.anchor_distance,
        term_stats=_terms(folder / "terms.tsv"),
    )


def assemble_reference(folder: Path) -> Reference:
    """Put the tables of a folder together.

    Tables that are not there yet leave their part empty only while a reference is built; ``reference.json``
    and ``genes.tsv`` are always needed.
    """
    header = read_header(folder)
    slopes = {r["contrast"]: float(r["slope"]) for r in _rows(folder / "slopes.tsv")}
    require_contrasts(slopes)
    constants, anchors = read_constants(resource_path("reference", "constants.tsv"))
    paths = [folder / name for name in (*TABLES, UNTRUSTED)]
    tables = {path.name: path.read_bytes() for path in paths if path.is_file()}
    untrusted = _rows(folder / UNTRUSTED) if (folder / UNTRUSTED).is_file() else []
    return Reference(
        name=header.name,
        description=header.description,
        tumour_type=header.tumour_type,
        assay=header.assay,
        n_samples=header.n_samples,
        genes=_genes(folder / "genes.tsv", anchors),
        constants=constants,
        anchor_distance=header.anchor_distance,
        term_stats=_terms(folder / "terms.tsv"),
        slopes=slopes,
        weakest_links={
            r["gene_symbol"]: WeakestLinkFit(*(float(r[name]) for name in LINK_COLUMNS))
            for r in _rows(folder / "weakest_links.tsv")
        },
        presentation=_presentation(folder / "presentation.tsv"),
        index_stats=(header.index_location, header.index_spread),
        distributions=_distributions(folder / "distributions.tsv"),
        location_variance=header.location_variance,
        typical_detections=header.typical_detections,
        untrusted_genes={r["gene_symbol"]: r["reason"] for r in untrusted},
        limits=header.limits,
        provenance=header.provenance,
        sha256=digest_tables(tables),
        is_edited=header.provenance.get(FITTED_TABLES, "") not in {"", digest_fitted(tables)},
    )


def require_contrasts(slopes: Mapping[str, float]) -> None:
    """Refuse a reference that an earlier version fitted: its tables lack a ratio that axes need.

    Raises ReferenceInvalidError; a reference that is being built has no slopes yet.
    """
    missing = [c.contrast for c in load_axis_catalogue().contrasts if c.contrast not in slopes]
    if slopes and missing:
        msg = f"slopes.tsv lacks {missing[0]}, so it is of another version; fit the reference again"
        raise ReferenceInvalidError(msg)


@cache
def read_length_factors() -> Mapping[str, float]:
    """Effective gene lengths of TCGA's RSEM by approved symbol, as the shipped reference has them."""
    rows = _rows(resource_path("reference", DEFAULT_REFERENCE, LENGTH_FACTORS))
    return {row["gene_symbol"]: float(row["length_bp"]) for row in rows}


def read_header(folder: Path) -> ReferenceHeader:
    """Read ``reference.json``; OSError or ValueError where it is missing or damaged."""
    return ReferenceHeader.model_validate_json((folder / "reference.json").read_text(encoding="utf-8"))


@cache
def read_constants(path: Path) -> tuple[ReferenceConstants, frozenset[str]]:
    """Read figures that come from cells of known type, and the anchor genes."""
    rows = _rows(path)
    single = {r["constant"]: float(r["value"]) for r in rows if not r["gene_symbol"]}
    anchors = frozenset(r["gene_symbol"] for r in rows if r["constant"] == "anchor")
    constants = ReferenceConstants(
        mhc_per_leukocyte_unit=_by_gene(rows, "mhc_per_leukocyte_unit"),
        leukocyte_cap_tpm=single["leukocyte_cap_tpm"],
        ifng_factor=single["ifng_factor"],
        ifng_per_leukocyte_unit=_by_gene(rows, "ifng_per_leukocyte_unit"),
    )
    return constants, anchors


def _by_gene(rows: list[dict[str, str]], constant: str) -> dict[str, float]:
    return {r["gene_symbol"]: float(r["value"]) for r in rows if r["constant"] == constant}


def _rows(path: Path) -> list[dict[str, str]]:
    rows = table_rows(path)
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            msg = f"{path.name} line {line} has not as many fields as the header"
            raise ValueError(msg)
    return rows


def _terms(path: Path) -> dict[str, tuple[float, float]]:
    return {row["term"]: (float(row["location"]), float(row["spread"])) for row in _rows(path)}


def _genes(path: Path, anchors: frozenset[str], *, only: frozenset[str] | None = None) -> ReferenceGenes:
    """Genes of a reference; those in ``only`` where it is given."""
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    if only is not None:  # lines of other genes are not even split
        lines = [line for line in lines if line.partition("\t")[0] in only]
    names, cells = header.split("\t"), [line.split("\t") for line in lines]
    for line, row in enumerate(cells, 2):
        if len(row) != len(names):
            msg = f"{path.name} line {line} has not as many fields as the header"
            raise ValueError(msg)
    columns = dict(zip(names, zip(*cells, strict=True), strict=True))
    symbols = columns["gene_symbol"]
    location, spread = (np.array(columns[name], dtype=np.float64) for name in ("location", "spread"))
    if not (np.isfinite(location).all() and np.isfinite(spread).all() and (spread > 0).all()):
        msg = f"{path.name}: locations must be numbers, and spreads positive ones"
        raise ValueError(msg)
    return ReferenceGenes(
        symbols,
        location,
        spread,
        np.array([symbol in anchors for symbol in symbols], dtype=bool),
        np.array(columns["n_samples"], dtype=np.int64),
    )


def _presentation(path: Path) -> PresentationModel | None:
    """The antigen-presentation model; None where the table is not there yet, or has no rows."""
    rows = _rows(path)
    if not rows:
        return None
    symbols = tuple(row["gene_symbol"] for row in rows)
    vectors = ("gene_symbol", "location", "ifng_slope", "per_leukocyte_unit")
    if tuple(rows[0]) != (*vectors, *symbols):
        msg = f"{path.name}: the columns of the covariance must be the genes of the rows, in their order"
        raise ValueError(msg)
    return PresentationModel(
        gene_symbols=symbols,
        location=_numbers(rows, "location"),
        ifng_slope=_numbers(rows, "ifng_slope"),
        per_leukocyte_unit=_numbers(rows, "per_leukocyte_unit"),
        covariance=np.column_stack([_numbers(rows, symbol) for symbol in symbols]),
    )


def _distributions(path: Path) -> Distributions:
    rows = _rows(path)
    names = [name for name in (rows[0] if rows else {}) if name != "sample_id"]
    scores = {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}
    return Distributions(tuple(row["sample_id"] for row in rows), scores)


def _numbers(rows: list[dict[str, str]], name: str) -> FloatArray:
    return np.array([float(row[name]) for row in rows])


def digest_fitted(tables: Mapping[str, bytes]) -> str:
    """Digest what a fit wrote, as ``reference.json`` records it among what the reference was made from.

    The record itself is left out, and so is the layout of ``reference.json``.
    """
    header = json.loads(tables["reference.json"])
    header["provenance"].pop(FITTED_TABLES, None)
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tables.keys() - {"reference.json"}):
        digest.update(hashlib.sha256(tables[name]).digest())
    return digest.hexdigest()
