"""Compare the tumour type of the sample sheet with that of the reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, note


def type_notes(samples: Iterable[SampleRecord], reference_type: str) -> Iterator[tuple[str, Note]]:
    """Compare the tumour type of the sheet with that of the reference.

    Parameters
    ----------
    samples
        Samples with what the sheet says of them; those without a ``cancer_type`` are not compared.
    reference_type
        Tumour type of the reference, free text. Nothing is compared where it is empty or not known.

    Yields
    ------
    tuple of str and Note
        Sample id, and ``tumour_type_differs`` or ``tumour_type_unknown``.
    """
    types = load_tumour_types()
    theirs = types.understood(reference_type)
    for sample in samples:
        given = sample.cancer_type.strip()
        own = types.understood(given)
        if given and not own:
            yield sample.sample_id, note(Code.TUMOUR_TYPE_UNKNOWN, given=given)
        elif own and theirs and not types.agree(own, theirs):
            found = note(Code.TUMOUR_TYPE_DIFFERS, given=given, reference_type=reference_type)
            yield sample.sample_id, found
