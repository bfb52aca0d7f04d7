"""Names of tumour types, as sheets and references write them, from ``resources/tumour_types.tsv``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from escape_score.errors import ResourceInvalidError
from escape_score.library.files import resource_path, table_rows

TUMOUR_TYPES_FILE = "tumour_types.tsv"

_FILLERS = (
    "a advanced and au aux avance cancer cancers carcinoma carcinomas carcinome carcinomes d de des du en et"
    " grade i ii iia iib iii iiia iiib iiic iv iva ivb invasif invasive l la le les localised localized"
    " malignancies malignancy malignant maligne metastatic metastatique neoplasm neoplasms of or ou patient"
    " patients primary primitif recurrent stade stage tcga the tumeur tumeurs tumor tumors tumour tumours"
    " unresectable untreated"
)
"""Words that do not separate one tumour type from another."""

_SEPARATORS = re.compile(r"[/,;+&|()\[\]]|\b(?:and|or|et|ou)\b", re.IGNORECASE)
"""What stands between several names in one text: ``LUAD/LUSC``, ``Lung Adenocarcinoma (LUAD)``."""


@dataclass(frozen=True)
class TumourTypes:
    """The table of tumour types.

    Attributes
    ----------
    names
        Type to its name on the pages.
    members
        Type to itself and all types that it contains.
    """

    names: Mapping[str, str]
    members: Mapping[str, frozenset[str]] = field(repr=False)
    _types: Mapping[str, str] = field(repr=False)

    def understood(self, text: str) -> frozenset[str]:
        """Types that a free text names; several for ``LUAD/LUSC``, none where a part is not in the table.

        A type that contains another one named is left out: ``Lung (LUAD)`` is LUAD.
        """
        whole = self._types.get(key_of(text))
        if whole is not None:
            return frozenset({whole})
        parts = [key for key in map(key_of, _SEPARATORS.split(text)) if key]
        found = {self._types[key] for key in parts if key in self._types}
        if not all(key in self._types for key in parts):
            return frozenset()
        return frozenset(one for one in found if not found & (self.members[one] - {one}))

    def agree(self, some: Iterable[str], others: Iterable[str]) -> bool:
        """Whether some types and others can be the same: one contains the other, or both a third."""
        return not self._all_members(some).isdisjoint(self._all_members(others))

    def _all_members(self, types: Iterable[str]) -> frozenset[str]:
        return frozenset[str]().union(*(self.members[one] for one in types))


def key_of(text: str) -> str:
    """A name without what may differ between two spellings of it.

    Lower-case words in alphabetical order, without accents, punctuation, digits and filler words.
    """
    joined = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe").replace("æ", "ae"))
    bare = "".join(character for character in joined if not unicodedata.combining(character))
    words = {re.sub("[ao]e", "e", word) for word in re.findall(r"[a-z]+", bare)}
    return " ".join(sorted(words.difference(_FILLERS.split())))


@cache
def load_tumour_types() -> TumourTypes:
    """Read the shipped table; ResourceInvalidError where a name is in two rows or a wider type is unknown."""
    return tumour_types_of(table_rows(resource_path(TUMOUR_TYPES_FILE)))


def tumour_types_of(rows: Iterable[Mapping[str, str]]) -> TumourTypes:
    """Make the table of its rows; raises what :func:`load_tumour_types` does."""
    by_type = {row["type"]: row for row in rows}
    types: dict[str, str] = {}
    for tumour_type, row in by_type.items():
        for name in (tumour_type, row["name"], *row["tcga"].split(), *row["synonyms"].split(";")):
            _add(types, name, tumour_type)
    parents = {tumour_type: row["part_of"].split() for tumour_type, row in by_type.items()}
    return TumourTypes(
        names=MappingProxyType({tumour_type: row["name"] for tumour_type, row in by_type.items()}),
        members=MappingProxyType(_members(parents)),
        _types=MappingProxyType(types),
    )


def _add(types: dict[str, str], name: str, tumour_type: str) -> None:
    """Add a name of a type."""
    key = key_of(name)
    if key and types.setdefault(key, tumour_type) != tumour_type:
        both = f"{types[key]} and {tumour_type}"
        msg = f"resources/{TUMOUR_TYPES_FILE}: {name.strip()!r} names {both}; keep it in one row"
        raise ResourceInvalidError(msg)


def _members(parents: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    """Every type with all types that it contains."""
    members = {tumour_type: {tumour_type} for tumour_type in parents}
    for tumour_type in parents:
        for wider in _wider(tumour_type, parents):
            members[wider].add(tumour_type)
    return {tumour_type: frozenset(found) for tumour_type, found in members.items()}


def _wider(tumour_type: str, parents: Mapping[str, list[str]]) -> set[str]:
    """All types that contain a type."""
    found: set[str] = set()
    left = [*parents[tumour_type]]
    while left:
        wider = left.pop()
        if wider not in parents:
            msg = f"resources/{TUMOUR_TYPES_FILE}: {tumour_type} is part of {wider}, which has no row; add it"
            raise ResourceInvalidError(msg)
        if wider not in found:
            found.add(wider)
            left += parents[wider]
    return found
