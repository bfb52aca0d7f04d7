"""Print ``cell-quantities.md``, the page of what single cells show, from its table: ``make quantities``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from escape_score.library.cell_quantities import (
    QuantityDefinition,
    QuantityGroup,
    QuantityUnit,
    load_quantities,
)

_INTRODUCTION = """\
# Quantities of single cells

This page lists every quantity that `escape-score cells` makes from the cells of a patient. How they are made,
and how far to trust them, is in [single cells](cells.md). This page is made from
`resources/cells/quantities.tsv`.

- Each quantity has a value, a 90 % interval and the number of cells behind it. An empty value means not
  evaluable, never zero.
- A quantity is called only if it has a threshold. It is `detected` if its whole interval is beyond the
  threshold, `borderline` if only the value is, and `not_detected` otherwise.
- The others describe the tumour. They have no call.
- The mechanism is the axis of bulk that the quantity is compared with.
- In `profiles.tsv` the name of a column is `cells_` and the id.
"""
_TITLES = {
    QuantityGroup.PRESENTATION: "Antigen presentation of malignant cells",
    QuantityGroup.MALIGNANT: "State of malignant cells",
    QuantityGroup.T_CELLS: "T cells",
    QuantityGroup.MYELOID: "Myeloid cells",
    QuantityGroup.COMPOSITION: "Proportions of cells",
}
_UNITS = {
    QuantityUnit.FRACTION: "fraction, 0 to 1",
    QuantityUnit.LOG2_RATIO: "log2 ratio",
    QuantityUnit.LOG2_RATE: "log2 of counts in 10,000",
}
_MADE = ("quantity", "unit", "mechanism", "detected", "cells, at least")
_READ = ("quantity", "meaning", "limits", "source")


def quantities_markdown() -> str:
    """Describe every quantity in Markdown, group by group in the order of pages."""
    definitions = load_quantities().values()
    parts = [_INTRODUCTION]
    for group, title in _TITLES.items():
        members = [one for one in definitions if one.group is group]
        parts += [f"## {title}", "", *_markdown_table(_MADE, map(_made, members)), ""]
        parts += [*_markdown_table(_READ, map(_read, members)), ""]
    return "\n".join(parts)


def _made(one: QuantityDefinition) -> tuple[str, ...]:
    """Id and title, unit, mechanism, call, and the cells that it needs."""
    axis = f"`{one.axis}`" if one.axis else "–"
    return (
        f"`{one.quantity}` {one.title}",
        _UNITS[one.unit],
        axis,
        _call(one),
        f"{one.min_cells}: {one.cells}",
    )


def _call(one: QuantityDefinition) -> str:
    """The values that are detected."""
    if one.threshold is None:
        return "not called"
    return f"{'above' if one.direction > 0 else 'below'} {one.threshold:g}".replace("-", "−")


def _read(one: QuantityDefinition) -> tuple[str, ...]:
    """Id, meaning, limits and source."""
    return f"`{one.quantity}`", one.meaning, one.limits, one.source


def _markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; a bar inside a cell is escaped."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


if __name__ == "__main__":
    print(quantities_markdown(), end="")
