"""Config files and the table of cohorts of a workflow."""

from escape_score.config.cohorts import CohortEntry, CohortKind, read_cohorts
from escape_score.config.load import load_config, load_workflow_config
from escape_score.config.models import (
    CellsConfig,
    ConfigModel,
    ReadConfig,
    RunConfig,
    ScoreConfig,
    WorkflowConfig,
    parse_block,
)

__all__ = [
    "CellsConfig",
    "CohortEntry",
    "CohortKind",
    "ConfigModel",
    "ReadConfig",
    "RunConfig",
    "ScoreConfig",
    "WorkflowConfig",
    "load_config",
    "load_workflow_config",
    "parse_block",
    "read_cohorts",
]
