import os
import re
import sys
from pathlib import Path

from escape_score import __version__ as PACKAGE_VERSION
from escape_score.errors import EscapeScoreError, UsageError
from escape_score.launch.plan import plan_workflow

# Plain `snakemake` may run without an activated environment; its jobs must find the program of this one.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))


def checked_plan():
    """One config file is read whole: Snakemake's merging of several, and of --config, plays no part."""
    default = Path(workflow.basedir).parent / "config" / "config.yaml"
    try:
        if workflow.config_settings.config not in ({}, {"pages": "finished"}):
            raise UsageError(
                "--config: values on the command line are not read; write them into the config file"
            )
        return plan_workflow([default, *workflow.overwrite_configfiles][-1])
    except EscapeScoreError as error:
        print(*(f"error: {line}" for line in error.lines), sep="\n", file=sys.stderr)
        sys.exit(int(error.exit_code))


PLAN = checked_plan()
GENE_SETS = PLAN.gene_sets or []
REFERENCE = ["--reference", PLAN.reference] if PLAN.reference else []
FITTED = "work/{cohort}/reference"
IS_FITTED = PLAN.reference == "cohort"


wildcard_constraints:
    cohort="|".join(map(re.escape, PLAN.cohorts)),
    chunk=r"[1-9]\d*",


def of_cohort(attribute):
    """For a rule: what is planned for the wildcard's cohort; no file where there is none."""

    def value(wildcards):
        return getattr(PLAN.cohorts[wildcards.cohort], attribute) or []

    return value


def memory_mb(rule):
    """For a rule: memory by the size of its cohort, more with every attempt."""

    def value(wildcards, attempt):
        return PLAN.cohorts[wildcards.cohort].memory_mb(rule, attempt)

    return value


def minutes(rule):
    """For a rule: time by the size of its cohort, more with every attempt."""

    def value(wildcards, attempt):
        return PLAN.cohorts[wildcards.cohort].minutes(rule, attempt)

    return value


def option(flag, name):
    """For a rule: a flag and the input it hands on; nothing where the rule has no such input."""

    def words(wildcards, input):
        return [flag, input.get(name)] if input.get(name) else []

    return words


def report_parts(wildcards):
    """Parts of all chunks; with `--config pages=finished` without those that failed."""
    n_chunks = PLAN.cohorts[wildcards.cohort].n_chunks
    parts = [f"work/{wildcards.cohort}/report-{k + 1}.part.json" for k in range(n_chunks)]
    return list(filter(os.path.exists, parts)) if workflow.config_settings.config else parts
