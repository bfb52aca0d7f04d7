"""Config files: every key with its default, range and meaning, and a YAML reader without surprises."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml.events import AliasEvent

from escape_score.errors import (
    ConfigInvalidError,
    FileMissingError,
    InputError,
    InputFaultsError,
    SampleSheetInvalidError,
)
from escape_score.model.units import ExpressionUnit

MAX_CONFIG_BYTES = 1024**2
"""A config is written by hand; a larger file is none."""

COHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Cohort names become folders and Snakemake wildcards."""

_COHORT_COLUMNS = ("cohort", "expression", "samples", "units", "gene_lengths")
_REQUIRED_COLUMNS = _COHORT_COLUMNS[:4]

KeyPath = tuple[str, ...]
_Config = TypeVar("_Config", bound="ConfigModel")


class ConfigModel(BaseModel):
    """Base of all config blocks: unknown keys are errors, nothing is converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class ReadConfig(ConfigModel):
    """Options of the stage ``read``."""

    max_samples: int = Field(20_000, ge=1, le=1_000_000, description="Most samples a matrix may have.")
    max_genes: int = Field(100_000, ge=1, le=1_000_000, description="Most gene rows a matrix may have.")


class HarmoniseConfig(ConfigModel):
    """Options of the stage ``harmonise``."""

    gene_lengths: Path | None = Field(
        None, description="TSV of gene lengths in bp for counts; the shipped GENCODE lengths where empty."
    )


class ScoreConfig(ConfigModel):
    """Options of the stage ``score``."""

    gene_sets: Path | None = Field(None, description="GMT file of further gene sets to score.")


class ProfileConfig(ConfigModel):
    """Options of the stage ``profile``."""

    reference: str | None = Field(
        None,
        min_length=1,
        description=(
            "Reference by name, by path (with '/' in it, relative to this file), or 'cohort'; "
            "the shipped one where empty."
        ),
    )


class ReportConfig(ConfigModel):
    """Options of the stage ``report``."""

    lang: Literal["en"] = Field("en", description="Language of the pages.")
    chunk_size: int = Field(100, ge=1, le=10_000, description="Samples whose pages are rendered by one job.")


class StageBlocks(ConfigModel):
    """Keys that a single run and a workflow share."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="Seed of every random draw.")] = 1
    threads: Annotated[int, Field(ge=1, le=256, description="Threads of one job.")] = 1
    min_genes: Annotated[
        int, Field(ge=1, le=100_000, description="Fewest recognised genes a matrix may have.")
    ] = 200
    read: ReadConfig = Field(default_factory=ReadConfig, description="Options of the stage read.")
    harmonise: HarmoniseConfig = Field(
        default_factory=HarmoniseConfig, description="Options of the stage harmonise."
    )
    score: ScoreConfig = Field(default_factory=ScoreConfig, description="Options of the stage score.")
    profile: ProfileConfig = Field(default_factory=ProfileConfig, description="Options of the stage profile.")
    report: ReportConfig = Field(default_factory=ReportConfig, description="Options of the stage report.")


class RunConfig(StageBlocks):
    """Config of ``escape-score run``; the command line wins over each key."""

    expression: Path | None = Field(None, description="Expression matrix, relative to this file.")
    samples: Path | None = Field(None, description="Sample sheet, relative to this file.")
    units: ExpressionUnit = Field(ExpressionUnit.AUTO, description="Unit of the matrix.")
    outdir: Path | None = Field(None, description="Folder of the results, relative to this file.")


class WorkflowConfig(StageBlocks):
    """Config of ``escape-score workflow``."""

    cohorts: Path = Field(
        description="TSV with columns cohort, expression, samples, units and, optionally, gene_lengths."
    )


@dataclass(frozen=True)
class CohortEntry:
    """One row of the table of cohorts.

    Parameters
    ----------
    cohort
        Name, safe as folder name.
    expression
        Matrix; exists.
    samples, gene_lengths
        Sample sheet and gene lengths; exist, or None.
    units
        Declared unit.
    """

    cohort: str
    expression: Path
    samples: Path | None
    units: ExpressionUnit
    gene_lengths: Path | None


def load_config(path: Path) -> RunConfig:
    """Read the config of a single run.

    Parameters
    ----------
    path
        YAML file. Paths in it are relative to its folder.

    Returns
    -------
    RunConfig
        Paths made absolute or relative to the working folder; the files named are not opened.

    Raises
    ------
    ConfigInvalidError
        The file is missing, empty, no mapping, uses anchors, aliases or tags, has a key twice or an unknown
        key, or a value of wrong type or out of range.
    """
    return _load(path, RunConfig)


def load_workflow_config(path: Path) -> WorkflowConfig:
    """Read the config of a workflow.

    Parameters
    ----------
    path
        YAML file. Paths in it are relative to its folder.

    Returns
    -------
    WorkflowConfig
        As :func:`load_config`.

    Raises
    ------
    ConfigInvalidError
        As :func:`load_config`.
    """
    return _load(path, WorkflowConfig)


def read_cohorts(path: Path) -> tuple[CohortEntry, ...]:
    """Read the table of cohorts of a workflow.

    Parameters
    ----------
    path
        TSV with columns cohort, expression, samples, units and, optionally, gene_lengths; ``samples`` and
        ``gene_lengths`` may be empty, an empty unit means auto. Paths are relative to the folder of the
        table.

    Returns
    -------
    tuple of CohortEntry
        In the order of the table.

    Raises
    ------
    SampleSheetInvalidError, FileMissingError
        The only fault found.
    InputFaultsError
        All faults, where there are several.
    """
    rows = _cohort_rows(path)
    faults = [fault for line, row in rows for fault in _cohort_faults(path, line, row)]
    faults += _duplicate_faults(path, rows)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InputFaultsError(tuple(faults))
    return tuple(_cohort_entry(path, row) for _, row in rows)


# --- YAML without surprises ---------------------------------------------------------------------------------


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that takes no aliases and no tags, and remembers the line of every key."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self.path = path
        self.lines: dict[KeyPath, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            msg = (
                f"{self.path}: YAML anchors and aliases (& and *) are not allowed (line {line}); write "
                "values out"
            )
            raise ConfigInvalidError(msg)
        if getattr(event, "tag", None):
            msg = (
                f"{self.path}: YAML tags (!) are not allowed in a config (line {line}: {event.tag}); take "
                "it out"
            )
            raise ConfigInvalidError(msg)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _load(path: Path, model: type[_Config]) -> _Config:
    loader = _StrictLoader(_config_text(path), path)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            what = "empty" if node is None else "not a mapping (a list or a bare value)"
            msg = f"{path}: config is {what}; give keys such as 'expression: matrix.tsv', one a line"
            raise ConfigInvalidError(msg)
        _check_keys(loader, node, ())
        data = loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigInvalidError(_yaml_message(path, error)) from error
    except RecursionError as error:
        msg = f"{path}: config is nested too deeply; keys stand at most two levels deep"
        raise ConfigInvalidError(msg) from error
    finally:
        loader.dispose()
    return _resolved(_validated(path, data, model, loader.lines), path.parent)


def _config_text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            msg = f"{path}: config is not a regular file; give a YAML file"
            raise ConfigInvalidError(msg)
        if path.stat().st_size > MAX_CONFIG_BYTES:
            msg = (
                f"{path}: too large for a config (over {MAX_CONFIG_BYTES} bytes); give a YAML file of options"
            )
            raise ConfigInvalidError(msg)
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"{path}: config not found (no such file); check the path"
        raise ConfigInvalidError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: config cannot be read as UTF-8 text ({error}); save it as UTF-8"
        raise ConfigInvalidError(msg) from error


def _yaml_message(path: Path, error: Exception) -> str:
    """Say in one line where a file is no YAML."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
    return f"{path}: not valid YAML ({place}: {problem}); indent with spaces, write 'key: value'"


def _check_keys(loader: _StrictLoader, node: yaml.MappingNode, above: KeyPath) -> None:
    """Refuse keys that are no text or stand twice, and remember their lines."""
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or not key_node.tag.endswith(":str"):
            msg = f"{loader.path}: a key is not a word (line {line}); write keys as plain text"
            raise ConfigInvalidError(msg)
        key = (*above, str(key_node.value))
        if key in loader.lines:
            msg = (
                f"{loader.path}: duplicate key {'.'.join(key)} (lines {loader.lines[key]} and {line}); "
                "keep one"
            )
            raise ConfigInvalidError(msg)
        loader.lines[key] = line
        if isinstance(value_node, yaml.MappingNode):
            _check_keys(loader, value_node, key)


# --- values to models ---------------------------------------------------------------------------------------


def _validated(path: Path, data: object, model: type[_Config], lines: Mapping[KeyPath, int]) -> _Config:
    """Check values; JSON in between lets strict models take paths and enums from text, and nothing else."""
    for key in _non_finite(data, ()):
        msg = f"{path}: {'.'.join(key)} is not a finite number{_place(key, lines)}; give a number"
        raise ConfigInvalidError(msg)
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = [_problem(detail, model, lines) for detail in error.errors(include_url=False)]
        msg = f"{path}: {'; '.join(problems[:5])}"
        raise ConfigInvalidError(msg) from error


def _non_finite(value: object, above: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, float) and not math.isfinite(value):
        yield above
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _non_finite(inner, (*above, str(key)))
    if isinstance(value, list):
        for inner in value:
            yield from _non_finite(inner, above)


def _problem(detail: Mapping[str, object], model: type[ConfigModel], lines: Mapping[KeyPath, int]) -> str:
    """Put one finding of the models into a phrase with key, place and what to do."""
    location = detail["loc"]
    key = tuple(str(part) for part in location) if isinstance(location, tuple) else ()
    name = ".".join(key) or "config"
    if detail["type"] == "extra_forbidden":
        allowed = ", ".join(_block(model, key[:-1]).model_fields)
        return f"unknown key {name}{_place(key, lines)}; allowed are {allowed}"
    if detail["type"] == "missing":
        return f"key {name} is missing; add it"
    what = str(detail["msg"]).lower()
    return f"{name} is {str(detail['input'])[:40]!r}{_place(key, lines)}; {what}"


def _block(model: type[ConfigModel], key: KeyPath) -> type[ConfigModel]:
    """Model of the block that a key stands in."""
    for part in key:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
            model = annotation
    return model


def _place(key: KeyPath, lines: Mapping[KeyPath, int]) -> str:
    return f" (line {lines[key]})" if key in lines else ""


def _resolved(config: _Config, folder: Path) -> _Config:
    """Make paths relative to the folder of the config."""
    changes: dict[str, object] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, ConfigModel):
            changes[name] = _resolved(value, folder)
        elif isinstance(value, Path):
            changes[name] = folder / value
        elif name == "reference" and isinstance(value, str) and "/" in value:
            changes[name] = str(folder / value)
    return config.model_copy(update=changes)


# --- table of cohorts ---------------------------------------------------------------------------------------


def _cohort_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Lines of the table by column, blank lines and comments left out."""
    if not path.is_file():
        msg = f"{path}: table of cohorts not found (no such file); check the key cohorts"
        raise FileMissingError(msg)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: table of cohorts is no UTF-8 text; save it as TSV in UTF-8"
        raise SampleSheetInvalidError(msg) from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    filled = [(line, cells) for line, cells in lines if any(cells) and not cells[0].startswith("#")]
    if len(filled) < 2:  # noqa: PLR2004
        msg = f"{path}: table of cohorts is empty; give a header and one row a cohort"
        raise SampleSheetInvalidError(msg)
    header = _cohort_header(path, filled[0][1])
    return [(line, _cohort_row(path, header, line, cells)) for line, cells in filled[1:]]


def _cohort_header(path: Path, cells: Sequence[str]) -> Sequence[str]:
    missing = [name for name in _REQUIRED_COLUMNS if name not in cells]
    unknown = [name for name in cells if name not in _COHORT_COLUMNS]
    if missing or unknown or len(set(cells)) < len(cells):
        msg = f"{path}: columns of the table of cohorts are {', '.join(cells)}; they must be "
        raise SampleSheetInvalidError(
            msg + f"{', '.join(_REQUIRED_COLUMNS)} and, optionally, gene_lengths, each once"
        )
    return cells


def _cohort_row(path: Path, header: Sequence[str], line: int, cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(header):
        msg = f"{path}: line {line} has {len(cells)} fields where the header has {len(header)}; mend the row"
        raise SampleSheetInvalidError(msg)
    return dict(zip(header, cells, strict=True))


def _cohort_faults(path: Path, line: int, row: Mapping[str, str]) -> Iterator[InputError]:
    """Faults of one row."""
    if not COHORT_NAME.fullmatch(row["cohort"]):
        msg = f"{path}: cohort name {row['cohort']!r} (line {line}) is not safe as a folder name; "
        yield SampleSheetInvalidError(msg + "use letters, digits, '.', '_' and '-', a letter or digit first")
    if row["units"] and row["units"] not in set(ExpressionUnit):
        msg = f"{path}: unknown units {row['units']!r} (line {line}); use one of {', '.join(ExpressionUnit)}"
        yield SampleSheetInvalidError(msg)
    if not row["expression"]:
        msg = f"{path}: expression is empty (line {line}); name a matrix"
        yield SampleSheetInvalidError(msg)
    for column in ("expression", "samples", "gene_lengths"):
        named = row.get(column, "")
        if named and not (path.parent / named).exists():
            msg = (
                f"{path.parent / named}: file not found ({column} of cohort {row['cohort']}, line {line} of "
            )
            yield FileMissingError(msg + f"{path}); check the path")


def _duplicate_faults(path: Path, rows: Sequence[tuple[int, Mapping[str, str]]]) -> list[InputError]:
    """Cohort names that stand twice; case does not count, as in some file systems."""
    counts = Counter(row["cohort"].casefold() for _, row in rows)
    return [
        SampleSheetInvalidError(f"{path}: duplicate cohort name {name!r}; give each cohort its own name")
        for name, count in counts.items()
        if count > 1
    ]


def _cohort_entry(path: Path, row: Mapping[str, str]) -> CohortEntry:
    def resolve(named: str) -> Path | None:
        return path.parent / named if named else None

    return CohortEntry(
        cohort=row["cohort"],
        expression=path.parent / row["expression"],
        samples=resolve(row["samples"]),
        units=ExpressionUnit(row["units"] or ExpressionUnit.AUTO),
        gene_lengths=resolve(row.get("gene_lengths", "")),
    )
