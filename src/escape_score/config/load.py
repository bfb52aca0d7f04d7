"""Read a config: YAML without surprises to checked values, paths relative to the file that names them.

No aliases, no tags, no key twice, and numbers in decimal notation only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from escape_score.config.models import VALUE_ERROR, ConfigModel, RunConfig, WorkflowConfig
from escape_score.errors import ConfigInvalidError, InputError, did_you_mean
from escape_score.library.files import small_text

_Config = TypeVar("_Config", bound=ConfigModel)

KeyPath = tuple[str, ...]
Places = dict[KeyPath, StreamMark]
"""Where each key, or entry of a list, begins."""

MAX_CONFIG_BYTES = 256 * 1024
"""A config is written by hand; a larger file is none."""
MAX_DEPTH = 20

_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
"""YAML also reads 0x1F, 0o17, 010 and 1_000 as integers; here these stay text."""


def load_config(path: Path) -> RunConfig:
    """Read the config of a single run from YAML; paths are relative to its folder, and are not opened.

    Raises ConfigInvalidError: the file is missing, empty, no mapping, uses anchors, aliases or tags, has a
    key twice or an unknown key, or a value of wrong type or out of range.
    """
    return _load(path, RunConfig)


def load_workflow_config(path: Path) -> WorkflowConfig:
    """Read the config of a workflow, as :func:`load_config` reads that of a run."""
    return _load(path, WorkflowConfig)


def _load(path: Path, model: type[_Config]) -> _Config:
    data, places = _read_yaml(path)
    try:
        # JSON in between lets strict models take paths and enums from text, and nothing else
        config = model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = [_problem(detail, model, places) for detail in error.errors(include_url=False)]
        raise ConfigInvalidError.at(path, "; ".join(problems[:5])) from error
    outdir = getattr(config, "outdir", None)
    if outdir is not None and not outdir.is_absolute() and ".." in outdir.parts:
        # a file from elsewhere must not choose where to write
        msg = f"outdir is '{outdir}'{_shown_place(('outdir',), places)}, above the folder of the config; "
        raise ConfigInvalidError.at(path, msg + "name a folder below it, an absolute path, or use --out")
    resolved = _resolved(config, path.parent)
    _refuse_variables(path, resolved, places)
    return resolved


def _refuse_variables(path: Path, config: ConfigModel, places: Places, above: KeyPath = ()) -> None:
    """Refuse a path with the name of a variable in it: a folder called ``$HOME`` is never meant."""
    for name in type(config).model_fields:
        value, key = getattr(config, name), (*above, name)
        if isinstance(value, ConfigModel):
            _refuse_variables(path, value, places, key)
        elif (isinstance(value, Path) or name == "reference") and _VARIABLE.search(str(value)):
            msg = f"{'.'.join(key)} is '{value}'{_shown_place(key, places)}, and variables are not expanded; "
            if not Path(value).exists():
                raise ConfigInvalidError.at(path, msg + "write the path out, or begin it with ~/")


def _problem(detail: Mapping[str, object], model: type[ConfigModel], places: Places) -> str:
    """Put one finding of the models into a phrase with key, place and what to do."""
    location = detail["loc"]
    key = tuple(str(part) for part in location) if isinstance(location, tuple) else ()
    name = ".".join(key) or "config"
    if detail["type"] == "extra_forbidden":
        allowed = tuple(_block(model, key[:-1]).model_fields)
        asked = did_you_mean(key[-1], allowed) or ";"
        return f"unknown key {name}{_shown_place(key, places)}{asked} allowed are {', '.join(allowed)}"
    if detail["type"] == "missing":
        return f"key {name} is missing; add it"
    what = str(detail["msg"])
    # the words of our own checks stay as they are
    is_own = what.startswith(VALUE_ERROR)
    what = what.removeprefix(VALUE_ERROR) if is_own else what.lower()
    asked = did_you_mean(str(detail["input"]), re.findall("'([^']+)'", what)) or ";"
    return f"{name} is {str(detail['input'])[:40]!r}{_shown_place(key, places)}{asked} {what}"


def _block(model: type[ConfigModel], key: KeyPath) -> type[ConfigModel]:
    """Model of the block that a key is in."""
    for part in key:
        annotation = model.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, ConfigModel):
            model = annotation
    return model


def _shown_place(key: KeyPath, places: Places) -> str:
    return f" ({_place_of(places[key])})" if key in places else ""


def _resolved(config: _Config, folder: Path) -> _Config:
    """Make paths relative to the folder of the config; one that begins with ``~`` is below the home."""
    changes: dict[str, object] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, ConfigModel):
            changes[name] = _resolved(value, folder)
        elif isinstance(value, Path):
            changes[name] = folder / _at_home(value)
        elif name == "reference" and isinstance(value, str) and "/" in value:
            changes[name] = str(folder / _at_home(Path(value)))
    return config.model_copy(update=changes)


def _at_home(path: Path) -> Path:
    """A path with a leading ``~`` replaced by the home folder of the user, where that is known."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


# --- YAML ------------------------------------------------------------------------------------------------


def _read_yaml(path: Path) -> tuple[dict[str, object], Places]:
    """Plain values of a file of one mapping, and where each key is."""
    try:
        node = _node(path, small_text(path, "config", max_bytes=MAX_CONFIG_BYTES))
    except InputError as error:
        raise ConfigInvalidError(str(error)) from error
    except MaxDepthExceededError as error:
        msg = "config is nested too deeply; keys are at most two levels deep"
        raise ConfigInvalidError.at(path, msg) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        where = f"{_place_of(mark)}: {problem}" if mark else problem
        msg = f"not valid YAML ({where}); indent with spaces, write 'key: value'"
        raise ConfigInvalidError.at(path, msg) from error
    if not isinstance(node, MappingNode):
        what = "empty" if node is None else "not a mapping (a list or a bare value)"
        msg = f"config is {what}; give keys such as 'expression: matrix.tsv', one a line"
        raise ConfigInvalidError.at(path, msg)
    places: Places = {}
    return _mapping(path, node, (), places), places


def _place_of(mark: StreamMark) -> str:
    """Line and column as editors count them."""
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _node(path: Path, text: str) -> Node | None:
    """Tree of the only document; nothing is constructed from it."""
    yaml = YAML(pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    node: Node | None = yaml.compose(text)
    for event in YAML(pure=True).parse(text):
        place = _place_of(event.start_mark)
        if getattr(event, "anchor", None):
            msg = f"YAML anchors and aliases (& and *) are not allowed ({place}); write values out"
            raise ConfigInvalidError.at(path, msg)
        if getattr(event, "tag", None):
            msg = f"YAML tags (!) are not allowed in a config ({place}: {event.tag}); take it out"
            raise ConfigInvalidError.at(path, msg)
    return node


def _mapping(path: Path, node: MappingNode, above: KeyPath, places: Places) -> dict[str, object]:
    """Plain values by key; refuse keys that are no text or given twice."""
    data: dict[str, object] = {}
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        if not isinstance(key_node, ScalarNode) or not str(key_node.tag).endswith((":str", ":merge")):
            msg = f"a key is not a word ({_place_of(mark)}); write keys as plain text"
            raise ConfigInvalidError.at(path, msg)
        key = (*above, str(key_node.value))
        if key in places:
            lines = f"lines {places[key].line + 1} and {mark.line + 1}"
            raise ConfigInvalidError.at(path, f"duplicate key {'.'.join(key)} ({lines}); keep one")
        places[key] = mark
        data[key[-1]] = _value(path, value_node, key, places)
    return data


def _value(path: Path, node: Node, key: KeyPath, places: Places) -> object:
    if isinstance(node, MappingNode):
        return _mapping(path, node, key, places)
    if isinstance(node, SequenceNode):
        entries = {(*key, str(at)): entry for at, entry in enumerate(node.value)}
        places.update({own: entry.start_mark for own, entry in entries.items()})
        return [_value(path, entry, own, places) for own, entry in entries.items()]
    return _scalar(str(node.tag).rpartition(":")[2], str(node.value))


def _scalar(kind: str, text: str) -> object:
    """Plain value of a text of the kind that YAML takes it for."""
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and "_" not in text:
        return float(re.sub(r"\.(?=[a-zA-Z])", "", text))  # .inf and .nan
    if kind == "bool":
        return {"true": True, "false": False}.get(text.lower(), text)
    return None if kind == "null" else text
