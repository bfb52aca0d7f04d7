"""Pages of samples. A sample whose page cannot be made takes no other along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from escape_score.errors import EscapeScoreError, UsageError
from escape_score.report.load import read_visible
from escape_score.report.render import render_visible
from escape_score.report.text.visible import VisibleProfile
from escape_score.store.manifest import SAMPLES, FailedSample, FileEntry, Part, write_file


@contextmanager
def noting_failure(failed: list[FailedSample], slug: str, folder: Path) -> Iterator[None]:
    """Note that the block failed for one sample, and go on; the note names files as seen from ``folder``.

    A full disk, too little memory or a wrong option concerns all samples and ends the stage.
    """
    try:
        yield
    except (UsageError, MemoryError):
        raise
    except Exception as error:
        said = error.lines[0] if isinstance(error, EscapeScoreError) else f"{type(error).__name__}: {error}"
        problem = " ".join(said.replace(f"{folder}/", "").split())
        failed.append(FailedSample(slug=slug, problem=problem))


class PageWriter:
    """Writes the page of each profile that is submitted, at once.

    Parameters
    ----------
    folder
        Pages are written into its ``samples/``.
    lang
        Language of the pages.
    on_sample
        Called after each page.
    """

    def __init__(self, folder: Path, lang: str, on_sample: Callable[[], None] = lambda: None) -> None:
        self.folder, self.lang, self.on_sample = folder, lang, on_sample
        self._entries: list[FileEntry] = []
        self._failed: list[FailedSample] = []

    def submit(self, source: Path, shown: VisibleProfile | None = None) -> None:
        """Write the page of the profile in a file; ``shown``: what it holds, if it has been read."""
        path = self.folder / SAMPLES / f"{source.stem}.html"
        with noting_failure(self._failed, source.stem, source.parents[1]):
            page = render_visible(shown or read_visible(source), lang=self.lang)
            self._entries.append(write_file(self.folder, path, page))
        self.on_sample()

    def finish(self) -> Part:
        """Wait for the pages submitted: files in the order of the profiles, and samples that failed."""
        return Part(files=tuple(self._entries), failed=tuple(self._failed))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End what still works; pages that are not finished are not written."""
