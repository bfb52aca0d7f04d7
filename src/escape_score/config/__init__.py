"""Config files and the table of cohorts of a workflow."""

from escape_score.config.cohorts import CohortEntry, CohortKind, read_cohorts
from escape_score.config.load import load_config, load_workflow_config
from escape_score.config.models import (
    DEFAULT_STATISTICS,
    CellsConfig,
    ConfigModel,
    ReadConfig,
    RunConfig,
    ScoreConfig,
    StatisticsConfig,
    WorkflowConfig,
    own_threads,
    parse_block,
)

__all__ = [
    "DEFAULT_STATISTICS",
    "CellsConfig",
    "CohortEntry",
    "CohortKind",
    "ConfigModel",
    "ReadConfig",
    "RunConfig",
    "ScoreConfig",
    "StatisticsConfig",
    "WorkflowConfig",
    "load_config",
    "load_workflow_config",
    "own_threads",
    "parse_block",
    "read_cohorts",
]
