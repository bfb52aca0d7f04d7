"""What a release says of itself agrees: version, tag, citation, changes, recipe, links."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from escape_score import __version__

KINDS = {"added", "changed", "deprecated", "removed", "fixed", "security", "numbers"}
CONDA_NAMES = {"snakemake": "snakemake-minimal", "matplotlib": "matplotlib-base"}
"""Names of packages that conda calls otherwise."""


def released(repo_root: Path) -> dict[str, str]:
    """Versions in CHANGELOG.md with their dates, newest first."""
    text = (repo_root / "CHANGELOG.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)$", text, flags=re.MULTILINE))


def citation(repo_root: Path) -> dict[str, object]:
    return dict(yaml.safe_load((repo_root / "CITATION.cff").read_text(encoding="utf-8")))


def tag_here(repo_root: Path) -> str:
    """Tag of the commit that is checked out, if it has one."""
    command = ["git", "describe", "--exact-match", "--tags", "--match", "v*"]
    try:
        done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def test_version_is_that_of_the_tag(repo_root: Path) -> None:
    tag = tag_here(repo_root)
    if not tag:
        pytest.skip("this commit has no tag of a version")
    assert tag == f"v{__version__}"


def test_version_is_written_in_one_file_of_the_package(repo_root: Path) -> None:
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/escape_score/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_citation_is_of_the_newest_release(repo_root: Path) -> None:
    cited = citation(repo_root)
    version, date = next(iter(released(repo_root).items()))
    assert (cited["version"], cited["date-released"]) == (version, date)
    assert version == __version__


def test_citation_has_nothing_that_is_not_known(repo_root: Path) -> None:
    cited = citation(repo_root)
    assert cited["authors"] == [{"name": "The escape_score authors"}]
    assert not {"doi", "identifiers", "repository-code", "url", "contact"} & cited.keys()


def test_changes_are_of_a_known_kind_and_have_words(repo_root: Path) -> None:
    for path in (repo_root / "changes").iterdir():
        if path.name != "README.md":
            name = re.fullmatch(r"\+[a-z0-9-]+\.(\w+)\.md", path.name)
            assert name, path.name
            assert name[1] in KINDS, path.name
            assert path.read_text(encoding="utf-8").strip(), path.name


def preview(folder: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "towncrier",
        "build",
        "--draft",
        "--version",
        "9.0.0",
        "--dir",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(repo_root: Path, tmp_path: Path) -> Path:
    """A project with the settings of this one, and one change of every kind."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        (tmp_path / name).write_bytes((repo_root / name).read_bytes())
    (tmp_path / "changes").mkdir()
    for kind in KINDS:
        (tmp_path / "changes" / f"+one.{kind}.md").write_text(f"Words on {kind}.\n", encoding="utf-8")
    return tmp_path


def test_every_kind_of_change_becomes_a_section(project: Path) -> None:
    shown = preview(project)
    assert set(re.findall(r"^### (\w+)$", shown, flags=re.MULTILINE)) == {kind.title() for kind in KINDS}
    assert set(re.findall(r"^- Words on (\w+)\.$", shown, flags=re.MULTILINE)) == KINDS


def test_changes_of_this_project_are_shown(repo_root: Path) -> None:
    shown = preview(repo_root)
    for path in (repo_root / "changes").glob("+*"):
        assert path.read_text(encoding="utf-8").split("\n")[0] in shown


def test_kinds_are_explained(repo_root: Path) -> None:
    text = (repo_root / "changes" / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)) == KINDS


def test_recipe_that_compares_versions_finds_what_differs(repo_root: Path, tmp_path: Path) -> None:
    text = (repo_root / "docs" / "release.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)[0]
    old = pd.DataFrame(
        {"sample_id": ["a", "b"], "mdsc": [1.0, np.nan], "mdsc_call": ["detected", ""], "treg": 0.0}
    )
    new = old.assign(mdsc=[1.5, np.nan], more=1).drop(columns="treg")
    for name, table in (("old", old), ("new", new)):
        (tmp_path / name).mkdir()
        table.to_parquet(tmp_path / name / "profiles.parquet")
    command = [sys.executable, "-c", code, "old", "new"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[:2] == [
        "columns gone: treg | new: more",
        "2 samples in both; cells that differ: 1",
    ]
    assert said.splitlines()[-1].split() == ["mdsc", "1", "0.5"]


def test_conda_recipe_has_the_version_and_the_dependencies(repo_root: Path) -> None:
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    recipe = yaml.safe_load((repo_root / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    assert recipe["context"]["version"] == __version__
    wanted = {f"python {project['requires-python']}"}
    for dependency in project["dependencies"]:
        name, _, bounds = re.sub(r"([<>=])", r" \1", dependency, count=1).partition(" ")
        wanted.add(f"{CONDA_NAMES.get(name, name)} {bounds}")
    assert set(recipe["requirements"]["run"]) == wanted


def test_every_direct_dependency_is_explained(repo_root: Path) -> None:
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[<>=]", dependency)[0] for dependency in project["dependencies"]}
    text = (repo_root / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Dependencies\n")[2]
    assert set(re.findall(r"^\| `([\w.-]+)` \|", text.partition("\n## ")[0], flags=re.MULTILINE)) == names


def test_continuous_integration_runs_on_every_python_that_is_named(repo_root: Path) -> None:
    project = tomllib.loads((repo_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = set(re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"])))
    jobs = yaml.safe_load((repo_root / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))[
        "jobs"
    ]
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) == named
