"""Pages printed to PDF by a Chromium that is there already; none is downloaded."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from escape_score.errors import EscapeScoreError, UsageError

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TIMEOUT_SECONDS = 120

_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-pdf-header-footer",
)
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)(\d{14})")


def find_chromium() -> Path:
    """Look for a Chromium on the path; raises UsageError: there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is not None:
        return Path(found)
    message = "--pdf: no Chromium is on the PATH; install one (Debian: chromium), or leave --pdf out"
    raise UsageError(message)


def print_pages(chromium: Path, pages: Iterable[Path]) -> tuple[Path, ...]:
    """Print HTML files to PDF files next to them, of the same name.

    The PDF files; they hold no date, so that the same page gives the same bytes. Raises EscapeScoreError:
    chromium failed or hung.
    """
    with tempfile.TemporaryDirectory(prefix="escape-score-chromium-") as folder:
        return tuple(_print_page(chromium, page, Path(folder)) for page in pages)


def _print_page(chromium: Path, page: Path, folder: Path) -> Path:
    """Print one page; ``folder`` holds what Chromium writes for itself."""
    pdf = page.with_suffix(".pdf")
    # the sandbox needs a user that is not root, and our pages run no script
    options = (*_OPTIONS, "--no-sandbox") if os.geteuid() == 0 else _OPTIONS
    files = (f"--user-data-dir={folder}", f"--print-to-pdf={pdf}", page.resolve().as_uri())
    try:
        subprocess.run([chromium, *options, *files], check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
        pdf.write_bytes(_DATE.sub(rb"\g<1>19700101000000", pdf.read_bytes()))
    except (OSError, subprocess.SubprocessError) as error:
        message = f"{chromium}: could not print {page.name} ({type(error).__name__}); run without --pdf"
        raise EscapeScoreError(message) from error
    return pdf
