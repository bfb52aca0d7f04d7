"""The order of a sample's approaches: evidence of its own tumour type first."""

from __future__ import annotations

from collections.abc import Iterable

from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.cohort import SampleRecord
from escape_score.model.record import ApproachRecord


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
