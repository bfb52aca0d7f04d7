"""The tumour type of a sample: compared with that of the reference, and first among its approaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import ApproachRecord


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


def own_type(sample: SampleRecord, reference_type: str) -> frozenset[str]:
    """Tumour types of a sample.

    Those of the sheet, or of the reference where the sheet gives none; empty where the name is not known.
    """
    return load_tumour_types().understood(sample.cancer_type.strip() or reference_type)


def own_first(approaches: Iterable[ApproachRecord], own: frozenset[str]) -> tuple[ApproachRecord, ...]:
    """Order approaches: evidence of the sample's own tumour types, of other types, of no single type.

    Each gets ``is_own_type``. With no type in ``own`` the order stays.
    """
    marked = [item.model_copy(update={"is_own_type": _is_own(item, own)}) for item in approaches]
    return tuple(sorted(marked, key=lambda item: (True, False, None).index(item.is_own_type)))


def _is_own(item: ApproachRecord, own: frozenset[str]) -> bool | None:
    """Whether evidence is of the sample's types; None where either has none."""
    types = load_tumour_types()
    seen = frozenset[str]().union(*map(types.understood, item.tumour_types))
    return types.agree(own, seen) if own and seen else None
