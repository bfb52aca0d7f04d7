"""Print ``commands.md``, all commands with their options, from the program itself: ``make commands``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import typer

from escape_score.cli.main import app
from escape_score.errors import ExitCode

PROGRAM = "escape-score"
_CHOICE = re.compile(r"<(?:list\[)?(\S+\|[^]>]+)\]?>$")
_INTRODUCTION = """\
# Commands

Use this page to look up a command or an option. It is made from the program, so it has the same texts as
`escape-score COMMAND --help`. `escape-score` is in `.venv/bin` after `make demo`.

- The stages `read`, `harmonise`, `score`, `profile` and `report` are what the workflow calls. `run` does all
  of them in one process.
- A wrong name is answered with the nearest right one.
- `escape-score --install-completion` completes commands and options in your shell (bash, zsh, fish).
  `--show-completion` prints the script instead.
- `--debug` shows where in the code an error was raised.
"""
_EXIT_CODES = {
    ExitCode.DONE: "done",
    ExitCode.USAGE: "error in the command line or in a config",
    ExitCode.INPUT: "error in an input",
    ExitCode.INTERNAL: "internal error of the program, or all jobs of the workflow were killed",
    ExitCode.PARTIAL: "finished, but some samples failed (column `failed` of `qc.tsv`), or jobs of the"
    " workflow were killed (named on stderr; run the same command again)",
}


def commands_markdown() -> str:
    """Describe every command that users call in Markdown."""
    root = typer.main.get_command(app)
    commands = list(_commands(root, PROGRAM))
    rows = [(f"[`{name}`](#{_anchor(name)})", _summary(command)) for name, command in commands]
    codes = [(str(int(code)), meaning) for code, meaning in _EXIT_CODES.items()]
    parts = [_INTRODUCTION, *_table(("command", "does"), rows), ""]
    parts += ["## Exit codes", "", *_table(("code", "meaning"), codes), ""]
    for name, command in commands:
        parts += [*_section(name, command), ""]
    return "\n".join(parts)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Commands with their full names, those of groups too; hidden ones are for the workflow alone."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _summary(command: Any) -> str:  # noqa: ANN401
    return str(command.help).strip().partition("\n")[0]


def _section(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401
    """Title, usage, text, and a table of arguments and options."""
    context = command.make_context(name, [], resilient_parsing=True)
    records = [one.get_help_record(context) for one in command.params]
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    text = inspect.cleandoc(command.help)
    yield from (f"## {name}", "", "```", usage, "```", "", text, "")
    yield from _table(("argument or option", "meaning"), [_row(*one) for one in filter(None, records)])


def _row(option: str, meaning: str) -> tuple[str, str]:
    """An option and what it means; allowed words are in the meaning, so that the column stays narrow."""
    short, text = " ".join(option.split()), " ".join(meaning.split())
    if found := _CHOICE.search(short):
        words = ", ".join(f"`{word}`" for word in found[1].split("|"))
        short, text = f"{short[: found.start()]}<word>", f"{text} One of: {words}."
    return f"`{short}`", text


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table; a bar inside a cell is escaped."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


if __name__ == "__main__":
    print(commands_markdown(), end="")
