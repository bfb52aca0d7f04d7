from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from escape_score.errors import EscapeScoreError
from escape_score.pipeline.pdf import print_pages

Refused = Callable[..., tuple[str, ...]]


def test_report_says_in_one_line_that_there_is_no_chromium(
    finished: Path, tmp_path: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (line,) = refused(2, "report", finished, "--out", tmp_path / "pages", "--pdf")
    assert "no Chromium" in line
    assert not (tmp_path / "pages").exists()


def test_print_pages_says_which_page_failed(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    page = tmp_path / "page.html"
    page.write_text("<p>", encoding="utf-8")
    with pytest.raises(EscapeScoreError, match=r"could not print page\.html"):
        print_pages(broken, [page])
