"""Pages printed to PDF by a Chromium that is there already; none is downloaded."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from escape_score.errors import EscapeScoreError, UsageError
from escape_score.pipeline.pages.chromium import Chromium, ChromiumError, result_of, running_chromium
from escape_score.store.atomic import replacing

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAX_TABS = 4
"""Pages printed at once, at most one a core: each takes some 100 MB."""

_LAYOUT = {"printBackground": True, "preferCSSPageSize": True, "generateTaggedPDF": True}
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)(\d{14})")
_NODE = re.compile(rb"\(node(\d{8})\)")
"""A part of the page in the tags of a PDF."""


def find_chromium() -> Path:
    """Look for a Chromium on the path; raises UsageError: there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is not None:
        return Path(found)
    message = "PDF: no Chromium is on the PATH; install one (Debian: chromium), or leave out --pdf"
    raise UsageError(message)


def print_pages(chromium: Path, pages: Iterable[Path]) -> tuple[Path, ...]:
    """Print HTML files to PDF files next to them, of the same name, several at once in one browser.

    The PDF files; they hold no date, so that the same page gives the same bytes. Raises EscapeScoreError:
    chromium failed or hung.
    """
    todo = tuple(pages)
    if not todo:
        return ()
    n_tabs = min(MAX_TABS, os.cpu_count() or 1, len(todo))
    # the browser ends before the threads are waited for: what they wait for fails then
    with ThreadPoolExecutor(n_tabs) as tabs, running_chromium(chromium) as browser:
        prints = [tabs.submit(_print_page, browser, page) for page in todo]
        try:
            return tuple(one.result() for one in prints)
        except ChromiumError as error:
            failed = next(
                page for page, one in zip(todo, prints, strict=True) if one.done() and one.exception()
            )
            message = f"{chromium}: could not print {failed.name} ({error}); run without --pdf"
            raise EscapeScoreError(message) from error
        finally:
            tabs.shutdown(wait=False, cancel_futures=True)


def _print_page(browser: Chromium, page: Path) -> Path:
    """Print one page in a renderer of its own: what was printed before leaves no trace in the PDF."""
    context = browser.call("Target.createBrowserContext")["browserContextId"]
    target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Inspector", "Page"):
        browser.call(f"{domain}.enable", session)
    loaded = browser.expect("Page.loadEventFired", session)
    problem = browser.call("Page.navigate", session, url=page.resolve().as_uri()).get("errorText")
    if problem:
        raise ChromiumError(problem)
    result_of(loaded)
    printed = base64.b64decode(browser.call("Page.printToPDF", session, **_LAYOUT)["data"])
    browser.call("Target.disposeBrowserContext", browserContextId=context)
    pdf = page.with_suffix(".pdf")
    with replacing(pdf) as temporary:
        temporary.write_bytes(_reproducible(printed))
    return pdf


def _reproducible(pdf: bytes) -> bytes:
    """Take out the date, and count the parts of the page from 0: a browser may have counted others before."""
    first = min(map(int, _NODE.findall(pdf)), default=0)
    undated = _DATE.sub(rb"\g<1>19700101000000", pdf)
    return _NODE.sub(lambda node: b"(node%08d)" % (int(node[1]) - first), undated)
