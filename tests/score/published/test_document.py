"""The page of published scores is the table in words."""

from __future__ import annotations

import runpy
from pathlib import Path

from escape_score.score.published import load_published

PAGE = Path(__file__).resolve().parents[3] / "docs" / "build_published_scores.py"
published_markdown = runpy.run_path(str(PAGE))["published_markdown"]


def test_page_is_what_the_table_says(repo_root: Path) -> None:
    page = (repo_root / "docs" / "published-scores.md").read_text(encoding="utf-8")
    assert page == published_markdown(), "write the page again with `make published`"


def test_markdown_names_every_score_once_in_each_table() -> None:
    text = published_markdown()
    for score_id in load_published().score_ids:
        assert text.count(f"\n| `{score_id}`") == 3


def test_markdown_escapes_bars() -> None:
    assert "||" not in published_markdown()
