"""How a number made from cells becomes a quantity with its call."""

from __future__ import annotations

import math

from escape_score.library.cell_quantities import load_quantities
from escape_score.model.cells import CellQuantity
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import Call


def quantity_of(
    quantity: str, value: float, low: float, high: float, *, n_cells: int, limit: float = math.nan
) -> CellQuantity:
    """A quantity with its call.

    Detected if the whole interval is beyond the threshold, borderline if only the value is.
    """
    rule = load_quantities()[quantity]
    if rule.threshold is None:
        call, kind = None, "described"
    else:
        nearest, value_at, threshold = (
            (low, value, rule.threshold) if rule.direction > 0 else (-high, -value, -rule.threshold)
        )
        call = (
            Call.DETECTED
            if nearest >= threshold
            else Call.BORDERLINE
            if value_at >= threshold
            else Call.NOT_DETECTED
        )
        kind = call.value
    reason = note(Code.CELL_QUANTITY, kind, threshold=math.nan if rule.threshold is None else rule.threshold)
    return CellQuantity(quantity, value, low, high, n_cells, limit, call, reason)


def not_evaluable(quantity: str, reason: Note, *, n_cells: int, limit: float = math.nan) -> CellQuantity:
    """A quantity without a value, and why."""
    is_called = load_quantities()[quantity].threshold is not None
    call = Call.NOT_EVALUABLE if is_called else None
    return CellQuantity(quantity, math.nan, math.nan, math.nan, n_cells, limit, call, reason)


def too_few(quantity: str, n_cells: int) -> CellQuantity:
    """Not evaluable, because it has too few cells."""
    least = load_quantities()[quantity].min_cells
    return not_evaluable(
        quantity, note(Code.CELL_QUANTITY, "few_cells", n=n_cells, least=least), n_cells=n_cells
    )
