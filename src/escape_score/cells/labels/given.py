"""Compartments of cells from labels that the file has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from escape_score.errors import FileUnreadableError, did_you_mean
from escape_score.library.cell_types import LINEAGE_CODE, CellType, Lineage, key_of_label, load_cell_types
from escape_score.library.files import small_text
from escape_score.model.cells import CODE_OF, CellSample, Codes, Compartment

UserMap = Mapping[str, CellType]
"""From labels, as :func:`key_of_label` writes them, to what they stand for."""

UNASSIGNED = CellType(Compartment.UNASSIGNED)


@dataclass(frozen=True, eq=False)
class GivenLabels:
    """What the labels of a file mean.

    Parameters
    ----------
    codes
        Shape (n_cells,): positions in ``COMPARTMENTS``.
    lineages
        Shape (n_cells,): positions in ``LINEAGES``; which tumour a cell can belong to, and NONE where its
        label excludes that.
    unknown
        Labels that were not understood, sorted; their cells are unassigned.
    """

    codes: Codes = field(repr=False)
    lineages: Codes = field(repr=False)
    unknown: tuple[str, ...] = ()


def labels_from_given(sample: CellSample, user_map: UserMap | None = None) -> GivenLabels:
    """Compartments by the labels of the file.

    Parameters
    ----------
    sample
        Its ``given_types`` are looked up; where it has none, all cells are unassigned.
    user_map
        The user's own meaning of labels, which goes before the shipped table.
    """
    given = sample.given_types
    if given is None:
        given = np.full(sample.n_cells, "", dtype=np.str_)
    labels, positions = np.unique(given, return_inverse=True)
    found = [_understood(str(label), user_map or {}) for label in labels]
    types = [one or UNASSIGNED for one in found]
    codes = np.array([CODE_OF[one.compartment] for one in types], dtype=np.int8)
    lineages = np.array([LINEAGE_CODE[one.lineage] for one in types], dtype=np.int8)
    unknown = tuple(str(label) for label, one in zip(labels, found, strict=True) if one is None)
    return GivenLabels(_of_cells(codes, positions), _of_cells(lineages, positions), unknown)


def _of_cells(values: Codes, positions: npt.NDArray[np.intp]) -> Codes:
    return np.asarray(values[positions], dtype=np.int8)


def _understood(label: str, user_map: UserMap) -> CellType | None:
    own = user_map.get(key_of_label(label))
    return load_cell_types().understood(label) if own is None else own


def read_label_map(path: Path) -> dict[str, CellType]:
    """Read a user's map: a tab-separated table of a label and its compartment, without a header or with one.

    A cell of the compartment ``epithelial`` is taken as not malignant. ``candidate`` leaves it to the copy
    number whether an epithelial cell is malignant.

    Raises
    ------
    FileMissingError
        The file does not exist.
    FileUnreadableError
        It is not a text table of two columns, or a compartment is not known.
    """
    found: dict[str, CellType] = {}
    for number, line in enumerate(small_text(path, "map of cell labels").splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or (number == 1 and cells[-1].lower() == "compartment"):
            continue
        found[key_of_label(cells[0])] = _mapped(path, number, cells)
    return found


CANDIDATE = "candidate"
_N_COLUMNS = 2


def _mapped(path: Path, number: int, cells: list[str]) -> CellType:
    """What a row of a user's map says."""
    allowed = (*(one.value for one in Compartment), CANDIDATE)
    if len(cells) != _N_COLUMNS or cells[1].lower() not in allowed:
        asked = did_you_mean(cells[1], allowed) if len(cells) == _N_COLUMNS else ""
        msg = (
            f"{path}: not a label and a compartment (line {number}){asked or ';'} "
            f"write them with a tab between, the compartment being one of {', '.join(allowed)}"
        )
        raise FileUnreadableError(msg)
    if cells[1].lower() == CANDIDATE:
        return CellType(Compartment.EPITHELIAL, Lineage.EPITHELIAL)
    compartment = Compartment(cells[1].lower())
    is_fibroblast = compartment is Compartment.FIBROBLAST
    return CellType(compartment, Lineage.MESENCHYMAL if is_fibroblast else Lineage.NONE)
