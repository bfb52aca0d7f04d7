"""YAML without surprises: no aliases, no tags, no key twice."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from yaml.events import AliasEvent

from escape_score.errors import ConfigInvalidError

KeyPath = tuple[str, ...]

MAX_CONFIG_BYTES = 1024**2
"""A config is written by hand; a larger file is none."""


_LEFT_AS_TEXT = (":timestamp", ":merge", ":int", ":float")

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)$")
_DECIMAL = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)
"""Numbers as everybody writes them: YAML 1.1 reads 010 as 8, 1:30 as 90 and 1_000 as 1000."""


class StrictLoader(yaml.SafeLoader):
    """A safe loader that takes no aliases and no tags, and remembers the line of every key."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self.path = path
        self.lines: dict[KeyPath, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose one node, or refuse what a config has no use for."""
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


StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(_LEFT_AS_TEXT)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
StrictLoader.add_implicit_resolver("tag:yaml.org,2002:int", _INTEGER, list("-+0123456789"))
StrictLoader.add_implicit_resolver("tag:yaml.org,2002:float", _DECIMAL, list("-+.0123456789"))


def config_text(path: Path) -> str:
    """Read the text of a config, or say in one line why there is none."""
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


def yaml_message(path: Path, error: Exception) -> str:
    """Say in one line where a file is no YAML."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
    return f"{path}: not valid YAML ({place}: {problem}); indent with spaces, write 'key: value'"


def check_keys(loader: StrictLoader, node: yaml.MappingNode, above: KeyPath) -> None:
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
            check_keys(loader, value_node, key)
