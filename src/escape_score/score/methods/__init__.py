"""Gene-set scoring methods beside the default one: rank, walk and z methods over a matrix and many sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import cast

from escape_score.model.method_choice import MethodName
from escape_score.score.kernels.values import MethodScores, SetIndex, Values
from escape_score.score.methods.method import Method, Needs, Scope

__all__ = ["METHODS", "Method", "MethodScores", "Needs", "Scope", "SetIndex", "Values"]


class _Methods(Mapping[str, Method]):
    """The record ``METHOD`` of each module here of the name of a method, imported when first looked up."""

    def __getitem__(self, name: str) -> Method:
        if name not in iter(self):
            raise KeyError(name)
        return cast(Method, import_module(f"{__name__}.{name}").METHOD)

    def __iter__(self) -> Iterator[str]:
        return (name.value for name in MethodName)

    def __len__(self) -> int:
        return len(MethodName)


METHODS: Mapping[str, Method] = _Methods()
"""All methods by name."""
