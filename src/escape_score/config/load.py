"""Read a config: text to YAML to checked values, paths relative to the file that names them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from escape_score.config.models import ConfigModel, RunConfig, WorkflowConfig
from escape_score.config.strict_yaml import KeyPath, StrictLoader, check_keys, config_text, yaml_message
from escape_score.errors import ConfigInvalidError

_Config = TypeVar("_Config", bound=ConfigModel)


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


def _load(path: Path, model: type[_Config]) -> _Config:
    try:
        loader = StrictLoader(config_text(path), path)
    except yaml.YAMLError as error:
        raise ConfigInvalidError(yaml_message(path, error)) from error
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            what = "empty" if node is None else "not a mapping (a list or a bare value)"
            msg = f"{path}: config is {what}; give keys such as 'expression: matrix.tsv', one a line"
            raise ConfigInvalidError(msg)
        check_keys(loader, node, ())
        data = loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigInvalidError(yaml_message(path, error)) from error
    except RecursionError as error:
        msg = f"{path}: config is nested too deeply; keys stand at most two levels deep"
        raise ConfigInvalidError(msg) from error
    finally:
        loader.dispose()
    config = _validated(path, data, model, loader.lines)
    _check_outdir(path, config, loader.lines)
    return _resolved(config, path.parent)


def _check_outdir(path: Path, config: ConfigModel, lines: Mapping[KeyPath, int]) -> None:
    """Refuse results above the config: a file from elsewhere must not choose where to write."""
    outdir = getattr(config, "outdir", None)
    if outdir is not None and not outdir.is_absolute() and ".." in outdir.parts:
        msg = f"{path}: outdir is '{outdir}'{_place(('outdir',), lines)}, above the folder of the config; "
        raise ConfigInvalidError(msg + "name a folder below it, an absolute path, or use --out")


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
    what = str(detail["msg"]).lower().removeprefix("value error, ")
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
