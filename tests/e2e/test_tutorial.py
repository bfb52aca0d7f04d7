"""The commands of docs/tutorial.md, run as they stand there, say what stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_tutorial_commands_say_what_the_tutorial_says(repo_root: Path, tmp_path: Path) -> None:
    text = (repo_root / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(
        r"^```bash\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", text, flags=re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == text.count("```bash")
    assert len([said for _, said in blocks if said]) == text.count("```text")
    (tmp_path / "resources").symlink_to(repo_root / "resources")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for commands, said in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == 0, f"{commands}\n{done.stderr}"
        for line in said.splitlines():
            assert line in done.stdout, f"{commands}\n{done.stdout}"
    assert (tmp_path / "pages" / "index.html").is_file()
