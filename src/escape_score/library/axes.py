"""Read what the axes are made of, and the method's fixed numbers, from ``resources/axes/``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache

import yaml
from pydantic import ValidationError

from escape_score.errors import ResourceInvalidError
from escape_score.library.files import resource_path, table_rows
from escape_score.library.gene_sets import load_signatures
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.axes import AxisCatalogue, AxisKind, Design
from escape_score.model.signature import GeneRole
from escape_score.model.thresholds import Thresholds

AXIS_FILES = (
    "approaches.tsv",
    "axes.yaml",
    "composition.tsv",
    "contrasts.tsv",
    "index.tsv",
    "targets.tsv",
    "thresholds.tsv",
)
"""Files below ``resources/axes`` that numbers and texts of a result depend on."""

_TABLES = ("composition", "contrasts", "index", "targets")


@cache
def load_axis_catalogue() -> AxisCatalogue:
    """Read the shipped axes, in the order of the result columns, and what is made of them.

    ResourceInvalidError where a key is unknown or missing, or an axis lacks what its kind needs.
    """
    content = yaml.safe_load(resource_path("axes", "axes.yaml").read_text(encoding="utf-8"))
    tables = {name: table_rows(resource_path("axes", f"{name}.tsv")) for name in _TABLES}
    approaches = [_with_types(row) for row in table_rows(resource_path("axes", "approaches.tsv"))]
    try:
        return AxisCatalogue.model_validate({**content, **tables, "approaches": approaches})
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        msg = f"resources/axes: {where}: {fault['msg']}; see the comments in axes.yaml"
        raise ResourceInvalidError(msg) from error


def _with_types(row: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """An approach with the names of its tumour types; refuses a type that the table does not have."""
    names, types = load_tumour_types().names, row["tumour_types"].split()
    unknown = [one for one in types if one not in names]
    if unknown:
        msg = (
            f"resources/axes: approaches.tsv: {row['doi']}: {unknown[0]} is not a type of "
            "resources/tumour_types.tsv; use a value of its column type"
        )
        raise ResourceInvalidError(msg)
    return {**row, "tumour_types": tuple(names[one] for one in types)}


@cache
def load_thresholds() -> Thresholds:
    """Read the method's fixed numbers; ``thresholds.tsv`` also has their units, meanings and sources."""
    groups: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in table_rows(resource_path("axes", "thresholds.tsv")):
        groups[row["group"]][row["threshold"]] = float(row["value"])
    return Thresholds.model_validate(groups)


@cache
def load_design() -> Design:
    """Read all that is fixed before data are seen: the shipped axes, their genes, the fixed numbers."""
    library = load_signatures()
    controls = {gene.component for gene in library.axis_genes if gene.role is GeneRole.CONTROL}
    design = Design(
        catalogue=load_axis_catalogue(),
        thresholds=load_thresholds(),
        signatures=tuple(s for s in library.components if s.signature_id not in controls),
        components={s.signature_id: s.gene_symbols for s in library.components},
    )
    require_names(design.catalogue, design.components)
    return design


def require_names(catalogue: AxisCatalogue, components: Collection[str]) -> None:
    """Refuse, with ResourceInvalidError, a catalogue that uses a name which nothing defines."""
    for where, name, allowed in _uses(catalogue, components):
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            msg = f"resources/axes: {where} uses {name}, which is not defined there; use one of {known}"
            raise ResourceInvalidError(msg)


def _uses(
    catalogue: AxisCatalogue, components: Collection[str]
) -> Iterator[tuple[str, str, Collection[str]]]:
    """Every use of a name: where, the name, and the names allowed there."""
    model, shortfall = catalogue.class_one, catalogue.class_one.shortfall
    terms = {*components, *(contrast.contrast for contrast in catalogue.contrasts), shortfall}
    axes = {axis.axis for axis in catalogue.axes}
    for axis in catalogue.axes:
        own = {shortfall} if axis.kind is AxisKind.CHAIN_LOSS else terms
        yield from ((f"axis {axis.axis}", term.name, own) for term in axis.terms)
        yield from ((f"axis {axis.axis}", term.name, terms) for term in axis.raw_terms)
        yield from ((f"axis {axis.axis}", chain, components) for chain in (axis.chain,) if chain)
    for contrast in catalogue.contrasts:
        parts = (contrast.numerator, contrast.denominator, *((contrast.beside,) if contrast.beside else ()))
        yield from ((f"contrast {contrast.contrast}", part, components) for part in parts)
    yield from (("covariates", name, components) for name in vars(catalogue.covariates).values())
    for name in (model.chain, model.fallback, model.locus, model.locus_controls):
        yield "class_one", name, components
    yield from (("composition", shown.component, components) for shown in catalogue.composition)
    yield from (("hla_components", name, components) for name in catalogue.hla_components)
    yield from (("phenotype", name, terms) for name in catalogue.phenotype.t_cells)
    yield from (("phenotype", name, axes) for name in (catalogue.phenotype.stroma, catalogue.phenotype.lack))
    yield from (("archetype", name, axes) for names in vars(catalogue.archetype).values() for name in names)
    yield from (("decisive", name, axes) for name in catalogue.decisive)
    yield "msi_proxy", catalogue.msi_proxy, axes
    averaged = {axis.axis for axis in catalogue.axes if axis.terms}
    yield from (("index", block.axis, averaged) for block in catalogue.index)
