"""The command line: one file a command, which parses options, calls the package and prints."""

from escape_score.cli.main import main

__all__ = ["main"]
