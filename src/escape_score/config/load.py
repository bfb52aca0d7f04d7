"""Read a config: text to YAML to checked values, paths relative to the file that names them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from escape_score.config.models import ConfigModel, RunConfig, WorkflowConfig
from escape_score.config.strict_yaml import KeyPath, Places, place_of, read_yaml
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
    """Read the config of a workflow, as :func:`load_config` reads that of a run."""
    return _load(path, WorkflowConfig)


def _load(path: Path, model: type[_Config]) -> _Config:
    data, places = read_yaml(path)
    config = _validated(path, data, model, places)
    _check_outdir(path, config, places)
    return _resolved(config, path.parent)


def _check_outdir(path: Path, config: ConfigModel, places: Places) -> None:
    """Refuse results above the config: a file from elsewhere must not choose where to write."""
    outdir = getattr(config, "outdir", None)
    if outdir is not None and not outdir.is_absolute() and ".." in outdir.parts:
        msg = f"{path}: outdir is '{outdir}'{_place(('outdir',), places)}, above the folder of the config; "
        raise ConfigInvalidError(msg + "name a folder below it, an absolute path, or use --out")


def _validated(path: Path, data: object, model: type[_Config], places: Places) -> _Config:
    """Check values; JSON in between lets strict models take paths and enums from text, and nothing else."""
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = [_problem(detail, model, places) for detail in error.errors(include_url=False)]
        msg = f"{path}: {'; '.join(problems[:5])}"
        raise ConfigInvalidError(msg) from error


def _problem(detail: Mapping[str, object], model: type[ConfigModel], places: Places) -> str:
    """Put one finding of the models into a phrase with key, place and what to do."""
    location = detail["loc"]
    key = tuple(str(part) for part in location) if isinstance(location, tuple) else ()
    name = ".".join(key) or "config"
    if detail["type"] == "extra_forbidden":
        allowed = ", ".join(_block(model, key[:-1]).model_fields)
        return f"unknown key {name}{_place(key, places)}; allowed are {allowed}"
    if detail["type"] == "missing":
        return f"key {name} is missing; add it"
    what = str(detail["msg"]).lower().removeprefix("value error, ")
    return f"{name} is {str(detail['input'])[:40]!r}{_place(key, places)}; {what}"


def _block(model: type[ConfigModel], key: KeyPath) -> type[ConfigModel]:
    """Model of the block that a key stands in."""
    for part in key:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
            model = annotation
    return model


def _place(key: KeyPath, places: Places) -> str:
    return f" ({place_of(places[key])})" if key in places else ""


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
