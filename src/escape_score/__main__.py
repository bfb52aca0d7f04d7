"""``python -m escape_score`` is the command line."""

import sys

from escape_score.cli import main

if __name__ == "__main__":
    sys.exit(main())
