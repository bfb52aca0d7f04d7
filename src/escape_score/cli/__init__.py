"""The command line: the one place that joins the stages.

Heavy libraries are imported inside the commands, so that ``escape-score --help`` answers at once.
"""

from escape_score.cli.main import main

__all__ = ["main"]
