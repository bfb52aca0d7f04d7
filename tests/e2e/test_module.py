"""The workflow as a module of another one, planned by the real Snakemake."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SNAKEMAKE = Path(sys.executable).parent / "snakemake"
RULE = """

rule count_samples:
    input:
        "results/demo-coadread/profiles.tsv",
    output:
        "counted.txt",
    shell:
        "wc -l {input:q} > {output:q}"
"""


def module_in_readme(repo_root: Path) -> str:
    """The lines that config/README.md shows, with the path of this workflow."""
    text = (repo_root / "config" / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^```\n(module .*?)^```$", text, flags=re.MULTILINE | re.DOTALL)[0]
    return str(lines).replace("path/to/escape_score", str(repo_root))


@pytest.fixture
def folder(tmp_path: Path, repo_root: Path) -> Path:
    """A workflow of someone else, with the config of the demo."""
    (tmp_path / "config").mkdir()
    for name in ("config.yaml", "cohorts.tsv"):
        text = (repo_root / "config" / name).read_text(encoding="utf-8")
        (tmp_path / "config" / name).write_text(text.replace("../resources", str(repo_root / "resources")))
    return tmp_path


def plan(folder: Path, snakefile: str, *targets: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(snakefile, encoding="utf-8")
    command = [str(SNAKEMAKE), "--dry-run", "--cores", "1", "--", *targets]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def jobs_of(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    found = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    return {name: int(count) for name, count in found}


def test_module_plans_its_rules_under_their_new_names(folder: Path, repo_root: Path) -> None:
    done = plan(folder, module_in_readme(repo_root) + RULE, "counted.txt")
    assert done.returncode == 0, done.stderr
    stages = {f"escape_score_{stage}": 1 for stage in ("read", "harmonise", "score", "profile")}
    assert jobs_of(done) == {**stages, "count_samples": 1, "total": 5}


def test_module_takes_the_config_of_the_including_workflow(folder: Path, repo_root: Path) -> None:
    lines = module_in_readme(repo_root).replace('{"configfile": "config/config.yaml"}', "config")
    done = plan(folder, f'configfile: "config/config.yaml"\n\n\n{lines}')
    assert done.returncode == 0, done.stderr
    assert jobs_of(done)["escape_score_all"] == 1


def test_module_refuses_a_prefix_in_one_line(folder: Path, repo_root: Path) -> None:
    lines = module_in_readme(repo_root).replace("    config:\n", '    prefix:\n        "sub"\n    config:\n')
    done = plan(folder, lines)
    assert done.returncode == 2
    assert done.stderr.startswith("error: module: a prefix is not supported")
    assert len(done.stderr.splitlines()) == 1
