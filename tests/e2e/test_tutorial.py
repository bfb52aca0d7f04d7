"""The commands of the tutorial and the quick start run as they are shown, and print what is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


PROGRAMS = {"bash": ("bash", "-euo", "pipefail", "-c"), "python": (sys.executable, "-c")}
"""What runs a block of a page, by its language."""
WRITTEN = {
    "tutorial": ("pages/index.html",),
    "quickstart": (
        "results/quick/index.html",
        "results/quick-python/index.html",
        "study/results/quick/index.html",
    ),
}


@pytest.mark.parametrize("page", WRITTEN)
def test_commands_of_a_page_print_what_it_shows(page: str, repo_root: Path, tmp_path: Path) -> None:
    text = (repo_root / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(
        r"^```(bash|python)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", text, flags=re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == text.count("```bash") + text.count("```python") > 0
    assert len([said for *_, said in blocks if said]) == text.count("```text")
    (tmp_path / "resources").symlink_to(repo_root / "resources")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for language, commands, said in blocks:
        done = subprocess.run(
            [*PROGRAMS[language], commands],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == 0, f"{commands}\n{done.stderr}"
        for line in said.splitlines():
            assert line in done.stdout, f"{commands}\n{done.stdout}"
    assert [path for path in WRITTEN[page] if not (tmp_path / path).is_file()] == []
