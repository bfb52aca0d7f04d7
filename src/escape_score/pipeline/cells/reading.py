"""The job that reads one sample of single cells; it loads nothing that only later steps need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from escape_score.errors import SampleUnknownError
from escape_score.model.record import slug_of
from escape_score.read.cells import CellRequest, open_cells
from escape_score.store.cells import write_sample


def read_one(inputs: Sequence[Path], request: CellRequest, *, slug: str, out: Path) -> None:
    """Write the cells of the sample that has this slug.

    Raises SampleUnknownError: no sample has it. InputError, InputFaultsError: the inputs cannot be used.
    """
    with open_cells(inputs, request) as cohort:
        named = {slug_of(sample_id): sample_id for sample_id in cohort.sample_ids}
        if slug not in named:
            msg = f"{cohort.label}: no sample has the slug {slug}; run the same command again"
            raise SampleUnknownError(msg)
        write_sample(out, cohort.load(named[slug], is_only=True))
