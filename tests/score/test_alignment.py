"""Which columns of a cohort meet which genes of a reference."""

from __future__ import annotations

import pytest

from escape_score.errors import AnchorsMissingError
from escape_score.model.reference import Reference
from escape_score.score.alignment import align, require_anchors


def test_align_keeps_anchors_and_needed_genes_in_the_order_of_the_reference(reference: Reference) -> None:
    cohort = ("X3", "X1", "NOBODY", "A02", "A00", "X2")
    alignment = align(cohort, reference, {"X1", "X3", "ELSEWHERE"})
    assert alignment.symbols == ("A00", "A02", "X1", "X3")
    assert alignment.is_anchor.tolist() == [True, True, False, False]
    at = [reference.genes.symbols.index(symbol) for symbol in alignment.symbols]
    assert alignment.location.tolist() == reference.genes.location[at].tolist()
    assert alignment.spread.tolist() == reference.genes.spread[at].tolist()


def test_positions_follow_the_reference_not_the_question(reference: Reference) -> None:
    alignment = align(("A01", "A00", "X1"), reference, {"X1"})
    assert alignment.positions(("X1", "A01", "NOBODY", "A00")).tolist() == [0, 1, 2]


def test_require_anchors_names_file_reference_and_both_numbers(reference: Reference) -> None:
    alignment = align(tuple(f"A{i:02d}" for i in range(19)), reference, ())
    require_anchors(alignment, min_anchors=19, cohort="m.tsv", reference="small")
    with pytest.raises(AnchorsMissingError, match=r"^m\.tsv: 19 of .* small are measured, 20 are needed"):
        require_anchors(alignment, min_anchors=20, cohort="m.tsv", reference="small")
