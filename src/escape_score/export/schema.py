"""JSON Schemas of what a result holds as JSON."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from escape_score.model.record import EscapeProfile
from escape_score.model.record_statistics import CohortStatistics

if TYPE_CHECKING:
    from pydantic import BaseModel

PUBLISHED_MODELS: MappingProxyType[str, type[BaseModel]] = MappingProxyType(
    {"profile": EscapeProfile, "cohort": CohortStatistics}
)
"""Records that programs read from a result, by the word that ``escape-score schema`` takes."""


def schema_files() -> dict[str, str]:
    """Write ``profile.schema.json`` of ``samples/*.json`` and ``cohort.schema.json`` of ``cohort.json``."""
    return {f"{name}.schema.json": schema_text(model) for name, model in PUBLISHED_MODELS.items()}


def schema_text(model: type[BaseModel]) -> str:
    """JSON Schema (2020-12) of a record, as ``escape-score schema`` prints it."""
    return json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
