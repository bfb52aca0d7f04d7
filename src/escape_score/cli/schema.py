"""``escape-score schema``: JSON Schemas of records and configs."""

from __future__ import annotations

from typing import Annotated

import typer

from escape_score.errors import UsageError, unknown_name


def schema(
    what: Annotated[
        str, typer.Argument(help="profile, cohort, comparison, config or workflow-config")
    ] = "profile",
) -> int:
    """Print the JSON Schema of the profile, the cohort's statistics, a comparison or the config."""
    from pydantic import BaseModel

    from escape_score.config import RunConfig, WorkflowConfig
    from escape_score.export.schema import PUBLISHED_MODELS, schema_text
    from escape_score.model.record_comparison import CohortComparison

    models: dict[str, type[BaseModel]] = {
        **PUBLISHED_MODELS,
        "comparison": CohortComparison,
        "config": RunConfig,
        "workflow-config": WorkflowConfig,
    }
    if what not in models:
        msg = f"schema: {unknown_name('record', what, tuple(models))}"
        raise UsageError(msg)
    print(schema_text(models[what]), end="")
    return 0
