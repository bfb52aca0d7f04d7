"""How a cohort is placed on every reference that there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import cast

from escape_score.errors import InputError, ReferenceUnfittableError, attempt
from escape_score.fit.batches import Batches
from escape_score.fit.survey import Survey, level_genes, survey
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.notes import Code, Note, note
from escape_score.model.reference import Reference
from escape_score.reference.auto import Candidate, closest
from escape_score.reference.known import DEFAULT_REFERENCE, KnownReference, Origin, known_references
from escape_score.reference.read import load_reference, read_reduced


@dataclass(frozen=True, eq=False)
class Candidates:
    """References that can be named, and how the tumours of a cohort are placed on each.

    Attributes
    ----------
    survey
        The tumours that are looked at.
    reduced
        Name to a reference reduced to its anchors and the genes of levels.
    skipped
        Notes on kept references that cannot be read.
    """

    survey: Survey
    reduced: Mapping[str, Reference] = field(repr=False)
    placed: tuple[Candidate, ...]
    skipped: tuple[Note, ...] = ()

    @classmethod
    def of(cls, cohort: HarmonisedCohort, origins: Collection[Origin] = tuple(Origin)) -> Candidates:
        """Read the anchors of all references of some origins, and place a cohort on them."""
        known, skipped = [one for one in known_references() if one.origin in origins], list[Note]()
        reduced: dict[str, Reference] = {}
        design = load_design()
        further = frozenset(level_genes(design))
        for one in known:
            found = attempt(partial(read_reduced, one.folder, further))
            if one.origin is Origin.SHIPPED or not found.faults:
                reduced[one.name] = found.get()
            else:
                skipped.append(_skipped(one.name, found.faults[0]))
        wanted = dict.fromkeys(symbol for one in reduced.values() for symbol in one.genes.symbols)
        seen = survey(cohort, tuple(wanted), design)
        found_on = (seen.candidate(one, reduced[one.name]) for one in known if one.name in reduced)
        placed = tuple(one for one in found_on if one is not None)
        return cls(seen, reduced, placed or (_default(known),), tuple(skipped))

    @property
    def public(self) -> tuple[Candidate, ...]:
        """Shipped and fetched references."""
        return tuple(one for one in self.placed if one.origin is not Origin.FITTED)

    def without(self, name: str, fault: InputError) -> Candidates:
        """The same without a reference that cannot be read."""
        left = tuple(one for one in self.placed if one.name != name)
        return replace(self, placed=left, skipped=(*self.skipped, _skipped(name, fault)))

    def base(self) -> Reference:
        """The closest shipped or fetched reference that can be read."""
        found = closest(self.public)
        loaded = attempt(partial(load_reference, found.name))
        if loaded.faults and found.origin is not Origin.SHIPPED:
            return self.without(found.name, loaded.faults[0]).base()
        return loaded.get()

    def batches(self, base: Reference) -> Batches | None:
        """Two groups of tumours that differ like two pipelines; None where none are found."""
        return self.survey.batches(self.reduced[base.name])

    def require_one_pipeline(self, base: Reference, source: str) -> None:
        """Refuse tumours of two pipelines; ReferenceUnfittableError."""
        found = self.batches(base)
        if found is not None:
            groups = in_two_groups(found.params(self.survey.judged.samples))
            raise ReferenceUnfittableError.at(source, groups)

    def comparable(self) -> tuple[Reference, ...]:
        """References that show what is usual: the closest of the own tumour type; else all."""
        own = [one for one in self.public if one.is_own_type]
        chosen = [closest(own)] if own else self.public
        return tuple(self.reduced[one.name] for one in chosen)


def in_two_groups(groups: Mapping[str, object]) -> str:
    """Both groups in words, with what to do."""
    first, second = (", ".join(cast("tuple[str, ...]", groups[name])) for name in ("first", "second"))
    by = f" (column {groups['column']} of the sample sheet separates them)" if groups["column"] else ""
    return (
        f"two groups of samples differ like two pipelines: {groups['n_first']} ({first}, …) and "
        f"{groups['n_second']} ({second}, …){by}; a reference is of one pipeline: take each group on its own"
    )


def _skipped(name: str, fault: InputError) -> Note:
    return note(Code.REFERENCE_SKIPPED, name=name, why=fault.lines[0])


def _default(known: Sequence[KnownReference]) -> Candidate:
    """What is taken where too few anchors are measured to place a cohort; scoring reports that."""
    origin = next(one.origin for one in known if one.name == DEFAULT_REFERENCE)
    return Candidate(DEFAULT_REFERENCE, origin, float("nan"), 0.0, 0.0)
