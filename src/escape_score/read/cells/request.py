"""What a caller says about files of single cells."""

from __future__ import annotations

from dataclasses import dataclass

from escape_score.config.models import CellsConfig
from escape_score.read.files.limits import ReadLimits

CELL_LIMITS = ReadLimits(
    max_file_bytes=1024**4, max_expanded_bytes=1024**4, max_samples=10_000_000, max_genes=200_000
)
"""Sizes above which a file of cells is refused. Its cells are read in blocks, so that only their names, some
100 bytes each, are all in memory. The droplets of a 10x chip are 6.8 million; two genomes have 120,000
features."""


DEFAULT_GATES = CellsConfig()


@dataclass(frozen=True, kw_only=True)
class CellRequest:
    """How files of single cells are to be read.

    Parameters
    ----------
    sample_column, patient_column, cell_type_column
        Columns of obs with the sample, the patient and the type of each cell. Without the first, a file is
        one sample.
    layer
        Layer of an h5ad, ``"raw"`` for its raw matrix; ``X`` where None.
    gates
        Which cells are left out, and how many a sample needs.
    limits
        Sizes above which a file is refused.
    """

    sample_column: str | None = None
    patient_column: str | None = None
    cell_type_column: str | None = None
    layer: str | None = None
    gates: CellsConfig = DEFAULT_GATES
    limits: ReadLimits = CELL_LIMITS

    @classmethod
    def from_config(cls, config: CellsConfig) -> CellRequest:
        """Make a request of a config's block ``cells``."""
        return cls(
            sample_column=config.sample_column,
            patient_column=config.patient_column,
            cell_type_column=config.cell_type_column,
            layer=config.layer,
            gates=config,
        )


DEFAULT_CELL_REQUEST = CellRequest()
