"""Take the pictures of the documentation from the pages of the demos: ``make images``.

    python docs/build_images.py RESULTS CELLS [--out docs/images]

RESULTS is the result of ``make demo``, CELLS that of ``make demo-cells``. The pages are opened in the
Chromium of the system. A picture has at most 128 colours, so that it stays small.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

from escape_score.model.record import slug_of
from escape_score.pipeline.pages.pdf import find_chromium
from escape_score.report import render_summary
from escape_score.report.load import read_profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDE, PHONE, SHEET = (1280, 1000), (390, 844), (794, 1123)
"""Sizes in pixels: a screen, a telephone, and a sheet of A4 at 96 dpi."""
SAMPLE, CELL_SAMPLE = "TCGA-A6-5665-01", "12"
N_COLOURS = 128
MAX_BYTES = 200_000
_ARGUMENTS = ("--no-sandbox", "--force-color-profile=srgb", "--hide-scrollbars")


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the page, the size of the window, and where the window begins."""

    name: str
    page: Path
    size: tuple[int, int]
    top: str = "body"


def pictures(results: Path, cells: Path, summary: Path) -> tuple[Picture, ...]:
    """List the pictures of the documentation."""
    sample, cell_sample = _page_of(results, SAMPLE), _page_of(cells, CELL_SAMPLE)
    cohort = results / "index.html"
    return (
        Picture("sample-page", sample, WIDE),
        Picture("sample-page-narrow", sample, PHONE),
        Picture("cohort-page", cohort, WIDE),
        Picture("cohort-figures", cohort, WIDE, top="#overview"),
        Picture("summary-sheet", summary, SHEET),
        Picture("single-cells", cell_sample, WIDE, top="#cells"),
    )


def _page_of(results: Path, sample_id: str) -> Path:
    """The page of a sample."""
    return results / "samples" / f"{slug_of(sample_id)}.html"


@contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        yield browser
        browser.close()


def take(browser: Browser, picture: Picture) -> bytes:
    """Open a page in a window and return what the window shows, as PNG with few colours."""
    width, height = picture.size
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    page.goto(picture.page.absolute().as_uri())
    page.locator(picture.top).first.evaluate("part => part.scrollIntoView()")
    shot = Image.open(BytesIO(page.screenshot()))
    page.close()
    small = BytesIO()
    shot.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Parse the command line and write the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("images"))
    args = parser.parse_args()
    with TemporaryDirectory() as folder, _browser() as browser:
        summary = Path(folder) / "summary.html"
        record = _page_of(args.results, SAMPLE).with_suffix(".json")
        summary.write_text(render_summary(read_profile(record)), encoding="utf-8")
        for picture in pictures(args.results, args.cells, summary):
            png = take(browser, picture)
            if len(png) > MAX_BYTES:
                parser.error(f"{picture.name}: {len(png):,} bytes, at most {MAX_BYTES:,}")
            (args.out / f"{picture.name}.png").write_bytes(png)
            print(f"{picture.name}.png: {len(png) // 1000} kB")


if __name__ == "__main__":
    main()
