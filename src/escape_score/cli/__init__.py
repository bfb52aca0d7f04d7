"""The command line: one file a command (stages 1 to 4 in one); each parses options, calls and prints."""

from escape_score.cli.main import main

__all__ = ["main"]
