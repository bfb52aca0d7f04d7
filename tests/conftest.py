"""What every test leans on: reproducible property tests, and browser tests only where there is a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# Drawn examples are the same in every run, and a busy machine is no failure.
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")

REPO_ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the browser tests where there is no Chromium."""
    if shutil.which("chromium"):
        return
    skip = pytest.mark.skip(reason="no chromium on PATH")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds src/, workflow/, config/ and resources/."""
    return REPO_ROOT
