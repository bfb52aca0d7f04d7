"""Which config file the rules read: one file, whole, also where another workflow includes them as a module.

Snakemake merges config files and values of ``--config``. This workflow does not use the merged values. So
every fault has a line and a column, and paths are relative to the file that names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from escape_score.errors import UsageError

KEY: Final = "configfile"
"""Key of a module's config that names the file."""

PAGES_FINISHED: Final[Mapping[str, object]] = {"pages": "finished"}
"""The only values of ``--config`` that are used."""


def config_file(workflow: Any, values: Mapping[str, object]) -> Path:  # noqa: ANN401
    """Config file of this run, or of the workflow that includes the rules as a module.

    Parameters
    ----------
    workflow
        What Snakemake gives the rules, a ``snakemake.workflow.Workflow``.
    values
        What Snakemake calls ``config`` in them.

    Raises
    ------
    UsageError
        No single file is named, or a module has a prefix.
    """
    given = workflow.config_settings
    if workflow.modifier.is_main_snakefile():
        shipped = Path(workflow.basedir).parent / "config" / "config.yaml"
        return main_config(shipped, given.configfiles, given.config)
    if workflow.modifier.modify_path("results") != "results":
        # the commands of the rules name their folders, which a prefix does not reach
        msg = "module: a prefix is not supported; remove it: results are in results/ of the working directory"
        raise UsageError(msg)
    return module_config(values, [*workflow.configfiles, *given.configfiles])


def main_config(shipped: Path, files: Sequence[Path], values: Mapping[str, object]) -> Path:
    """Last file of ``--configfile``, or the shipped one, where the workflow runs by itself.

    Parameters
    ----------
    shipped
        Config of the demo.
    files
        Files that ``--configfile`` names.
    values
        Values of ``--config``.

    Raises
    ------
    UsageError
        There are values other than ``pages=finished``.
    """
    if values and values != PAGES_FINISHED:
        msg = "--config: values given here are not read; write them into the config file"
        raise UsageError(msg)
    return [shipped, *files][-1]


def module_config(values: Mapping[str, object], files: Sequence[Path | str]) -> Path:
    """Config file of the workflow where another one includes it as a module.

    Parameters
    ----------
    values
        What the module is given with ``config:``.
    files
        Config files of the including workflow, the last one read last.

    Returns
    -------
    Path
        The file that ``values["configfile"]`` names, else the last of ``files`` if ``values`` is its content.

    Raises
    ------
    UsageError
        ``values`` names no file, and no file has this content.
    """
    named = values.get(KEY)
    if isinstance(named, str) and len(values) == 1:
        return Path(named)
    if values and files and yaml.safe_load(Path(files[-1]).read_text(encoding="utf-8")) == values:
        return Path(files[-1])
    msg = 'module: values of config are not read; name a file, config: {"configfile": "config/config.yaml"}'
    raise UsageError(msg)
