"""Which cells a tumour consists of: shares of compartments, with binomial intervals."""

from __future__ import annotations

from scipy.special import betaincinv

from escape_score.cells.quantity import quantity_of, too_few
from escape_score.library.axes import load_design
from escape_score.library.cell_quantities import QuantityGroup, load_quantities
from escape_score.model.cells import COMPARTMENTS, LEUKOCYTES, STROMA, CellQuantity, Compartment, PatientCells

ASSIGNED = tuple(compartment for compartment in COMPARTMENTS if compartment is not Compartment.UNASSIGNED)
PARTS = {
    "malignant_share": (Compartment.MALIGNANT,),
    "leukocyte_share": LEUKOCYTES,
    "t_share": (Compartment.T,),
    "nk_share": (Compartment.NK,),
    "b_share": (Compartment.B,),
    "plasma_share": (Compartment.PLASMA,),
    "myeloid_share": (Compartment.MYELOID,),
    "mast_share": (Compartment.MAST,),
    "stroma_share": STROMA,
}
"""What each share of assigned cells counts."""


def composition_quantities(cells: PatientCells) -> tuple[CellQuantity, ...]:
    """Shares of compartments among assigned cells, and of myeloid cells among leukocytes.

    Every quantity of the group is there, in the order of the table. Without enough cells it has a reason and
    no value. Intervals cover which cells were sampled (Jeffreys), not what dissociation loses.
    """
    made = {quantity: counted_share(quantity, cells, part, ASSIGNED) for quantity, part in PARTS.items()}
    myeloid = "myeloid_share_of_leukocytes"
    made[myeloid] = counted_share(myeloid, cells, (Compartment.MYELOID,), LEUKOCYTES)
    definitions = load_quantities().values()
    return tuple(made[d.quantity] for d in definitions if d.group is QuantityGroup.COMPOSITION)


def counted_share(
    quantity: str, cells: PatientCells, part: tuple[Compartment, ...], whole: tuple[Compartment, ...]
) -> CellQuantity:
    """Share of cells of some compartments among those of others."""
    n_part, n_whole = len(cells.rows(*part)), len(cells.rows(*whole))
    if n_whole < load_quantities()[quantity].min_cells:
        return too_few(quantity, n_whole)
    low, high = jeffreys(n_part, n_whole)
    return quantity_of(quantity, n_part / n_whole, low, high, n_cells=n_whole)


def jeffreys(n_part: int, n_whole: int) -> tuple[float, float]:
    """Interval of a binomial share at the level of all intervals; it reaches 0 where nothing was seen.

    Brown, Cai and DasGupta 2001, 10.1214/ss/1009213286.
    """
    tail = (1 - load_design().thresholds.intervals.interval_level) / 2
    low, high = (float(betaincinv(n_part + 0.5, n_whole - n_part + 0.5, at)) for at in (tail, 1 - tail))
    return 0.0 if n_part == 0 else low, 1.0 if n_part == n_whole else high
