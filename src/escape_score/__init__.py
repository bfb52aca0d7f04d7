"""Immunoresistance profiles of tumours: one score for every escape mechanism. Research use only.

>>> import escape_score as es
>>> result = es.profile(es.read("matrix.tsv", units="tpm"))  # doctest: +SKIP
>>> result.to_frame()  # doctest: +SKIP
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

__version__ = "1.0.0"

__all__ = [
    "Cohort",
    "Comparison",
    "EscapeProfile",
    "EscapeScoreError",
    "Profiles",
    "Reference",
    "__version__",
    "compare",
    "fit_reference",
    "from_anndata",
    "from_dataframe",
    "list_references",
    "load_reference",
    "pl",
    "profile",
    "profile_cells",
    "read",
    "score_gene_sets",
]

if TYPE_CHECKING:
    from escape_score import pl
    from escape_score.errors import EscapeScoreError
    from escape_score.model.cohort import Cohort
    from escape_score.model.record import EscapeProfile
    from escape_score.model.reference import Reference
    from escape_score.pipeline.cells.profiling import profile_cells
    from escape_score.pipeline.comparing import Comparison, compare
    from escape_score.pipeline.gene_set_scores import score_gene_sets
    from escape_score.pipeline.profiles import Profiles
    from escape_score.pipeline.profiling import profile
    from escape_score.pipeline.references import fit_reference
    from escape_score.read.cohort import read_cohort as read
    from escape_score.read.memory import from_anndata, from_dataframe
    from escape_score.reference.read import list_references, load_reference

_PLACES = MappingProxyType(
    {
        "Cohort": "model.cohort",
        "Comparison": "pipeline.comparing",
        "EscapeProfile": "model.record",
        "EscapeScoreError": "errors",
        "Profiles": "pipeline.profiles",
        "Reference": "model.reference",
        "compare": "pipeline.comparing",
        "fit_reference": "pipeline.references",
        "from_anndata": "read.memory",
        "from_dataframe": "read.memory",
        "list_references": "reference.read",
        "load_reference": "reference.read",
        "profile": "pipeline.profiling",
        "profile_cells": "pipeline.cells.profiling",
        "read": "read.cohort",
        "score_gene_sets": "pipeline.gene_set_scores",
    }
)
"""Modules of the public names; each is imported when its name is first used."""


def __getattr__(name: str) -> object:
    if name == "pl":
        return import_module("escape_score.pl")
    if name not in _PLACES:
        msg = f"module 'escape_score' has no attribute {name!r}"
        raise AttributeError(msg)
    found = getattr(import_module(f"escape_score.{_PLACES[name]}"), "read_cohort" if name == "read" else name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)


class _Package(ModuleType):
    """The package itself: ``read`` and ``profile`` are its functions, although stages have these names too.

    Importing a stage would bind its module to the name; a stage is reached by its own import.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
