"""YAML without surprises: no aliases, no tags, no key twice, and numbers in decimal notation only."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import StreamMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from escape_score.errors import ConfigInvalidError, InputError
from escape_score.library.files import small_text

KeyPath = tuple[str, ...]
Places = dict[KeyPath, StreamMark]
"""Where each key, or entry of a list, begins."""

MAX_CONFIG_BYTES = 256 * 1024
"""A config is written by hand; a larger file is none."""
MAX_DEPTH = 20

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
"""YAML also reads 0x1F, 0o17, 010 and 1_000 as integers; here these stay text."""


def read_yaml(path: Path) -> tuple[dict[str, object], Places]:
    """Read a YAML file that holds one mapping.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    data : dict
        Text, numbers, booleans and None, in lists and dictionaries.
    places : dict
        Line and column, from 0, by the path of a key.

    Raises
    ------
    ConfigInvalidError
        The file is missing, not UTF-8 text, not YAML or not one mapping, or it has an anchor, alias, tag or
        duplicate key.
    """
    try:
        node = _node(path, small_text(path, "config", max_bytes=MAX_CONFIG_BYTES))
    except InputError as error:
        raise ConfigInvalidError(str(error)) from error
    except MaxDepthExceededError as error:
        msg = f"{path}: config is nested too deeply; keys are at most two levels deep"
        raise ConfigInvalidError(msg) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        where = f"{place_of(mark)}: {problem}" if mark else problem
        msg = f"{path}: not valid YAML ({where}); indent with spaces, write 'key: value'"
        raise ConfigInvalidError(msg) from error
    if not isinstance(node, MappingNode):
        what = "empty" if node is None else "not a mapping (a list or a bare value)"
        msg = f"{path}: config is {what}; give keys such as 'expression: matrix.tsv', one a line"
        raise ConfigInvalidError(msg)
    places: Places = {}
    return _mapping(path, node, (), places), places


def place_of(mark: StreamMark) -> str:
    """Line and column as editors count them."""
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _node(path: Path, text: str) -> Node | None:
    """Tree of the only document; nothing is constructed from it."""
    yaml = YAML(pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    node: Node | None = yaml.compose(text)
    for event in YAML(pure=True).parse(text):
        place = place_of(event.start_mark)
        if getattr(event, "anchor", None):
            msg = f"{path}: YAML anchors and aliases (& and *) are not allowed ({place}); write values out"
            raise ConfigInvalidError(msg)
        if getattr(event, "tag", None):
            msg = f"{path}: YAML tags (!) are not allowed in a config ({place}: {event.tag}); take it out"
            raise ConfigInvalidError(msg)
    return node


def _mapping(path: Path, node: MappingNode, above: KeyPath, places: Places) -> dict[str, object]:
    """Plain values by key; refuse keys that are no text or stand twice."""
    data: dict[str, object] = {}
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        if not isinstance(key_node, ScalarNode) or not str(key_node.tag).endswith((":str", ":merge")):
            msg = f"{path}: a key is not a word ({place_of(mark)}); write keys as plain text"
            raise ConfigInvalidError(msg)
        key = (*above, str(key_node.value))
        if key in places:
            lines = f"lines {places[key].line + 1} and {mark.line + 1}"
            msg = f"{path}: duplicate key {'.'.join(key)} ({lines}); keep one"
            raise ConfigInvalidError(msg)
        places[key] = mark
        data[key[-1]] = _value(path, value_node, key, places)
    return data


def _value(path: Path, node: Node, key: KeyPath, places: Places) -> object:
    """Plain value of a node."""
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
