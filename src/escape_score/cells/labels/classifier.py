"""A trained classifier of cells, which a workflow passes from the job of a cohort to those of its samples."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from escape_score.cells.labels.expression import Expression
from escape_score.errors import FileUnreadableError
from escape_score.library.cell_types import load_markers
from escape_score.library.files import small_file
from escape_score.model.cohort import FloatArray
from escape_score.store.atomic import replacing

_DAMAGED = (OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, SyntaxError, MemoryError)
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error)
"""What numpy and zipfile raise at a file in which bytes were changed."""


@dataclass(frozen=True, eq=False)
class CellClassifier:
    """Multinomial logistic regression over log-normalised counts.

    Parameters
    ----------
    gene_symbols
        Features.
    weights
        Shape (n_classes, n_genes), float32.
    intercepts
        Shape (n_classes,), float32.
    classes
        Shape (n_classes,): marker sets, as positions in :func:`load_markers`.
    on_levels
        Shape (n_sets,): what a marker set scores where it is expressed.
    """

    gene_symbols: tuple[str, ...] = field(repr=False)
    weights: npt.NDArray[np.float32] = field(repr=False)
    intercepts: npt.NDArray[np.float32] = field(repr=False)
    classes: npt.NDArray[np.int64]
    on_levels: FloatArray = field(repr=False)

    @classmethod
    def empty(cls, on_levels: FloatArray) -> Self:
        """A classifier that knows no class."""
        none = np.empty(0, dtype=np.float32)
        return cls((), none.reshape(0, 0), none, np.empty(0, dtype=np.int64), on_levels)

    @classmethod
    def unused(cls) -> Self:
        """A classifier that is not needed, because the cells have labels."""
        return cls.empty(np.zeros(len(load_markers())))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the marker sets that it knows."""
        return tuple(load_markers()[number].name for number in self.classes)

    def probabilities(self, cells: Expression) -> FloatArray:
        """Probability of each class in each cell; shape (n_cells, n_classes).

        A feature that the sample does not have counts as not expressed.
        """
        columns, places = cells.columns(self.gene_symbols)
        weights = np.zeros((cells.logged.shape[1], len(self.classes)), dtype=np.float32)
        weights[columns] = self.weights[:, places].T
        logits = np.asarray(cells.logged @ weights, dtype=np.float64) + self.intercepts
        powers = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def to_file(self, path: Path) -> None:
        """Write as ``.npz``; the same classifier gives the same bytes.

        OutputUnwritableError where it cannot be written.
        """
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {one.name: np.asarray(getattr(self, one.name)) for one in fields(self)}
        np.savez_compressed(buffer, **arrays)
        with replacing(path) as temporary:
            temporary.write_bytes(buffer.getvalue())

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read what :meth:`to_file` wrote.

        Raises
        ------
        FileMissingError
            The file does not exist.
        FileUnreadableError
            It is not such a file.
        """
        data = small_file(path, "classifier of cells")
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                values = {one.name: arrays[one.name] for one in fields(cls)}
        except (*_DAMAGED, *_DAMAGED_ZIP) as error:
            msg = f"{path}: not a classifier of cells, or damaged; remove it, then run the same command again"
            raise FileUnreadableError(msg) from error
        symbols = tuple(str(symbol) for symbol in values.pop("gene_symbols"))
        return cls(gene_symbols=symbols, **values)
