"""``python -m escape_score`` is the command line."""

from escape_score.cli import program

if __name__ == "__main__":
    program()
