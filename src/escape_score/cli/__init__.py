"""The command line: one file a command (stages 1 to 4 in one); each parses options, calls and prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main", "program"]

try:
    from escape_score.cli.main import main, program
except KeyboardInterrupt:
    # to load the commands takes half the time of a short one, and ends in one line as all of them do

    def main(argv: Sequence[str] | None = None) -> int:
        """Say that loading the command line was interrupted; 130."""
        import sys

        print("error: interrupted", file=sys.stderr)
        return 130

    def program() -> NoReturn:
        """End the process, whose loading was interrupted."""
        raise SystemExit(main())
