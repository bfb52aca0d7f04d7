"""All that is known of one axis, from its definition to its genes and the approaches tied to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from escape_score.errors import UsageError, unknown_name
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.gene_sets import load_signatures
from escape_score.model.axes import Axis, AxisCatalogue, AxisKind
from escape_score.model.record import ApproachRecord
from escape_score.model.signature import AxisGene

KIND_WORDS = {
    AxisKind.MEAN: "mean of its components",
    AxisKind.WEAKEST_LINK: "the weakest gene of a chain",
    AxisKind.CHAIN_LOSS: "shortfall of a chain against what leukocytes and interferon response explain",
    AxisKind.LINK_LOSS: "the gene of a chain that is lowest against the others",
}
"""What the score of an axis is, in words."""


@dataclass(frozen=True)
class ComponentDetails:
    """One component.

    Parameters
    ----------
    use
        What it does in the axis: ``score``, ``adjustment`` or ``chain``.
    sign
        +1: more expression means more resistance; −1: less; 0 for an adjustment.
    genes
        With role, direction and source of each.
    """

    component: str
    use: str
    sign: int
    genes: tuple[AxisGene, ...]


@dataclass(frozen=True)
class AxisDetails:
    """One axis with its components and approaches; ``score_is`` says in words how it is computed."""

    axis: str
    title: str
    group: str
    mechanism: str
    score_is: str
    adjusted_for: str
    is_called: bool
    threshold: float
    threshold_source: str
    meaning: str
    limits: str
    components: tuple[ComponentDetails, ...]
    approaches: tuple[ApproachRecord, ...]


def find_axis(name: str) -> Axis:
    """Look an axis up; raises UsageError with the nearest right name: there is none of this name."""
    catalogue = load_axis_catalogue()
    names = tuple(axis.axis for axis in catalogue.axes)
    if name not in names:
        by_title = {axis.title.lower(): axis.axis for axis in catalogue.axes}
        if name.lower() in by_title:
            return catalogue.axis(by_title[name.lower()])
        raise UsageError(unknown_name("axis", name, names))
    return catalogue.axis(name)


def axis_details(name: str) -> AxisDetails:
    """Gather what is known of an axis, by its id or title.

    Raises UsageError: no axis has the name; the message has the nearest right one.
    """
    axis, catalogue = find_axis(name), load_axis_catalogue()
    return AxisDetails(
        axis=axis.axis,
        title=axis.title,
        group=axis.group,
        mechanism=axis.mechanism,
        score_is=KIND_WORDS[axis.kind],
        adjusted_for=axis.adjusted_for or "",
        is_called=not axis.is_context,
        threshold=axis.threshold,
        threshold_source=axis.threshold_source,
        meaning=axis.meaning,
        limits=axis.limits,
        components=tuple(_components(axis, catalogue)),
        approaches=tuple(one for one in catalogue.approaches if one.mechanism == axis.axis),
    )


def _components(axis: Axis, catalogue: AxisCatalogue) -> Iterator[ComponentDetails]:
    """Components, each once: those of the score first."""
    genes_of = load_signatures().genes_of
    uses = {(name, use): sign for name, use, sign in _uses(axis, catalogue)}
    for (name, use), sign in sorted(uses.items(), key=lambda one: one[0][1] == "adjustment"):
        yield ComponentDetails(name, use, sign, genes_of(name))


def _uses(axis: Axis, catalogue: AxisCatalogue) -> Iterator[tuple[str, str, int]]:
    """Name, use and sign of every component of an axis; contrasts are taken apart."""
    contrasts = {one.contrast: one for one in catalogue.contrasts}
    shortfalls = {catalogue.class_one.shortfall}
    for term in axis.terms:
        contrast = contrasts.get(term.name)
        if contrast is not None:
            yield contrast.numerator, "score", term.sign
            yield contrast.denominator, "adjustment", 0
        elif term.name in shortfalls:
            yield catalogue.class_one.chain, "chain", -1
        else:
            yield term.name, "score", term.sign
    if axis.chain:
        yield axis.chain, "chain", -1
    if axis.kind is not AxisKind.MEAN:
        yield from ((name, "adjustment", 0) for name in vars(catalogue.covariates).values())
