"""Read what the axes are made of, and the method's fixed numbers, from ``resources/axes/``."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import yaml

from escape_score.library.files import resource_path, table_rows
from escape_score.library.gene_sets import load_signatures
from escape_score.model.axes import (
    Axis,
    AxisCatalogue,
    Contrast,
    Design,
    IndexBlockDefinition,
    Term,
)
from escape_score.model.record import ApproachRecord
from escape_score.model.signature import GeneRole
from escape_score.model.thresholds import Thresholds

_LOCUS = "mhc_region_genes"
_LOCUS_CONTROLS = "mhc_region_controls"


def _term(text: str) -> Term:
    """Read ``name`` or ``-name``."""
    return Term(name=text.removeprefix("-"), sign=-1 if text.startswith("-") else 1)


@cache
def load_axis_catalogue() -> AxisCatalogue:
    """Read the shipped axes, contrasts, index blocks and approaches.

    Returns
    -------
    AxisCatalogue
        Axes in the order of the result columns.
    """
    axes = yaml.safe_load(resource_path("axes", "axes.yaml").read_text(encoding="utf-8"))["axes"]
    return AxisCatalogue(
        axes=tuple(Axis.model_validate(axis) for axis in axes),
        contrasts=tuple(
            Contrast.model_validate(row) for row in table_rows(resource_path("axes", "contrasts.tsv"))
        ),
        index_blocks=tuple(
            IndexBlockDefinition(
                block=row["block"],
                weight=float(row["weight"]),
                terms=tuple(_term(text) for text in row["terms"].split(",")),
            )
            for row in table_rows(resource_path("axes", "index.tsv"))
        ),
        approaches=tuple(
            ApproachRecord.model_validate(row) for row in table_rows(resource_path("axes", "approaches.tsv"))
        ),
    )


@cache
def load_thresholds() -> Thresholds:
    """Read the method's fixed numbers.

    Returns
    -------
    Thresholds
        One field a row of ``thresholds.tsv``, which also carries unit, meaning and source.
    """
    groups: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in table_rows(resource_path("axes", "thresholds.tsv")):
        groups[row["group"]][row["threshold"]] = float(row["value"])
    return Thresholds.model_validate(groups)


@cache
def load_design() -> Design:
    """Read everything that is fixed before data are seen.

    Returns
    -------
    Design
        The shipped axes, their genes and the method's fixed numbers.
    """
    library = load_signatures()
    controls = {gene.component for gene in library.axis_genes if gene.role is GeneRole.CONTROL}
    return Design(
        catalogue=load_axis_catalogue(),
        thresholds=load_thresholds(),
        signatures=tuple(s for s in library.components if s.signature_id not in controls),
        components={s.signature_id: s.gene_symbols for s in library.components},
        locus_genes=library.component(_LOCUS).gene_symbols,
        control_genes=library.component(_LOCUS_CONTROLS).gene_symbols,
    )
