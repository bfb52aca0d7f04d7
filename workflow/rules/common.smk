import os
import re
import sys
from functools import partial
from operator import attrgetter
from pathlib import Path

from escape_score import __version__ as PACKAGE_VERSION
from escape_score.errors import EscapeScoreError
from escape_score.launch.config_file import PAGES_FINISHED, config_file
from escape_score.launch.plan import RESOURCES
from escape_score.launch.results import plan_run

# Plain `snakemake` may run without an activated environment; its jobs must find the program of this one.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))


def checked_plan():
    """One config file is read whole: Snakemake's merging of several, and of --config, plays no part."""
    try:
        return plan_run(config_file(workflow, config), is_main=workflow.is_main_process)
    except EscapeScoreError as error:
        print(*(f"error: {line}" for line in error.lines), sep="\n", file=sys.stderr)
        sys.exit(int(error.exit_code))


PLAN = checked_plan()
SETTINGS = PLAN.config


wildcard_constraints:
    cohort="|".join(map(re.escape, PLAN.cohorts)),
    chunk=r"[1-9]\d*",
    sample=r"[a-z0-9-]+",
    patient=r"[a-z0-9-]+",


def of_cohort(attribute):
    """For a rule: what is planned for the wildcard's cohort; no file where there is none."""

    def value(wildcards):
        return attrgetter(attribute)(PLAN.cohorts[wildcards.cohort]) or []

    return value


def requests(rule):
    """For a rule: all that its jobs request by the number of samples, more with every attempt."""

    def asked(resource, wildcards, attempt):
        return PLAN.cohorts[wildcards.cohort].request(resource, rule, wildcards.get("patient"), attempt)

    return {resource: partial(asked, resource) for resource in RESOURCES}


def cells_of(part):
    """For a rule: files of the cells of samples, of the wildcard's patient if there is one, or of patients."""

    def files(wildcards):
        return PLAN.cohorts[wildcards.cohort].cell_files(part, wildcards.get("patient"))

    return files


def option(flag, name):
    """For a rule: a flag and the input, or inputs, it names; nothing where the rule has no such input."""

    def words(wildcards, input):
        return PLAN.words(flag, input.get(name))

    return words


def report_parts(wildcards):
    """Parts of all chunks; with `--config pages=finished` without those that failed."""
    return PLAN.cohorts[wildcards.cohort].report_parts(
        is_finished=workflow.config_settings.config == PAGES_FINISHED
    )
