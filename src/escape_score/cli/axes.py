"""``escape-score axes``: which escape mechanisms are assessed, and what each is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.errors import counted

if TYPE_CHECKING:
    from escape_score.library.axis_details import AxisDetails, ComponentDetails
    from escape_score.model.record import ApproachRecord

commands = typer.Typer(
    help="Escape mechanisms: what is assessed.", no_args_is_help=True, rich_markup_mode=None
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HEADER = ("axis", "title", "group", "adjusted_for", "called")


@commands.command("list")
def list_axes(as_json: AsJson = False) -> int:
    """List all axes in the order of the results; context axes describe the tumour and are not called."""
    from escape_score.library.axes import load_axis_catalogue

    rows = [
        (one.axis, one.title, one.group, one.adjusted_for or "", "context" if one.is_context else "called")
        for one in load_axis_catalogue().axes
    ]
    if as_json:
        print(json.dumps([dict(zip(HEADER, row, strict=True)) for row in rows], indent=2, ensure_ascii=False))
        return 0
    for row in (HEADER, *rows):
        print("\t".join(row))
    return 0


@commands.command("show")
def show_axis(
    axis: Annotated[str, typer.Argument(help="Name of an axis, as axes list shows it.")],
    as_json: AsJson = False,
) -> int:
    """Show what an axis looks at: genes with sources, threshold, adjustment, limits, approaches."""
    from escape_score.library.axis_details import axis_details

    found = axis_details(axis)
    if as_json:
        approaches = [one.model_dump(mode="json", exclude={"is_own_type"}) for one in found.approaches]
        print(json.dumps({**asdict(found), "approaches": approaches}, indent=2, ensure_ascii=False))
        return 0
    print("\n".join(_lines(found)))
    return 0


def _lines(found: AxisDetails) -> Iterator[str]:
    """The axis as text."""
    yield f"{found.axis}: {found.title} ({found.group})"
    yield found.mechanism
    yield f"score: {found.score_is}, in SD of the reference; larger means more resistance"
    yield f"adjusted for: {found.adjusted_for or 'nothing'}"
    if found.is_called:
        where = "1.28 SD: one tumour of the reference in ten is beyond it"
        source = where if found.threshold_source == "tail" else found.threshold_source
        yield f"called from: {found.threshold:g} ({source})"
    else:
        yield "called: no, it describes the tumour"
    yield f"meaning: {found.meaning}"
    yield f"limits: {found.limits}"
    for component in found.components:
        yield from ("", *_component_lines(component))
    if found.approaches:
        yield from ("", "approaches in the literature (no recommendation):")
        yield from (line for one in found.approaches for line in _approach_lines(one))


def _component_lines(component: ComponentDetails) -> Iterator[str]:
    """One component with its genes, one a line: symbol, source, publication."""
    signs = {1: "more expression means more resistance", -1: "less expression means more resistance"}
    said = signs.get(component.sign, "the score is relative to it")
    yield f"{component.component} ({component.use}; {said}), {counted(len(component.genes), 'gene')}:"
    for gene in component.genes:
        yield "\t".join((gene.gene_symbol, gene.source, gene.pmid_or_doi or "–"))


def _approach_lines(one: ApproachRecord) -> Iterator[str]:
    """One approach: evidence and source."""
    where = f"; {', '.join(one.tumour_types)}" if one.tumour_types else ""
    yield f"{one.approach} [{one.level.value}{where}]: {one.statement}"
    yield f"\t{one.citation}, doi:{one.doi}"
