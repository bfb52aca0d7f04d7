"""Recipes of containers and environments, read without an engine: they name the lock and files that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "containers" / "Dockerfile"
APPTAINER = ROOT / "containers" / "escape_score.def"
INSTRUCTIONS = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "LABEL", "ENV", "USER", "ENTRYPOINT", "CMD"}
SECTIONS = {"files", "post", "environment", "runscript", "test", "labels", "help"}


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def sections() -> dict[str, str]:
    """Sections of the Apptainer definition; its header stands under ``header``."""
    parts = re.split(r"^%(\w+)\n", APPTAINER.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {"header": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def copied() -> set[str]:
    """Files that the Dockerfile takes from the repository."""
    sources = set()
    for name, arguments in instructions():
        if name == "COPY" and "--from" not in arguments:
            sources |= set(arguments.split()[:-1])
    return sources


def test_dockerfile_parses() -> None:
    names = [name for name, _ in instructions()]
    assert set(names) <= INSTRUCTIONS
    assert names[0] == "ARG"
    assert names.count("FROM") == 2
    assert [name for name in names if name in {"ENTRYPOINT", "CMD"}] == ["ENTRYPOINT", "CMD"]


def test_dockerfile_runs_as_an_ordinary_user_from_a_fixed_base() -> None:
    by_name = dict(instructions())
    assert by_name["USER"] != "root"
    assert re.fullmatch(r"BASE=python:3\.\d+-\S+", by_name["ARG"])
    assert all("latest" not in arguments for _, arguments in instructions())


def test_apptainer_definition_parses() -> None:
    found = sections()
    assert set(found) == {"header"} | SECTIONS
    assert re.search(r"^Bootstrap: docker\nFrom: python:3\.\d+-\S+$", found["header"], flags=re.MULTILINE)
    assert 'exec escape-score "$@"' in found["runscript"]


@pytest.mark.parametrize("section", ["post", "environment", "runscript", "test"])
def test_apptainer_scripts_are_shell(section: str) -> None:
    done = subprocess.run(
        ["sh", "-n"], input=sections()[section], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_recipes_take_the_same_files_and_all_are_there() -> None:
    from_apptainer = {line.split()[0] for line in sections()["files"].splitlines() if line.strip()}
    assert copied() == from_apptainer
    assert all((ROOT / source).exists() for source in copied())
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in kept if line.startswith("!")} == copied()


def test_recipes_take_what_the_build_needs() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    included = re.search(r"force-include\]\n((?:\".*\n)+)", project)
    assert included is not None
    assert set(re.findall(r'^"(\w+)"', included[1], flags=re.MULTILINE)) <= copied()


@pytest.mark.parametrize(
    "text",
    [DOCKERFILE.read_text(encoding="utf-8"), APPTAINER.read_text(encoding="utf-8")],
    ids=["docker", "apptainer"],
)
def test_recipe_installs_the_lock_with_hashes_and_nothing_else(text: str) -> None:
    installs = re.findall(r"pip install ([^\n&]*)", text)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-deps" in installs[1]


def test_conda_environment_installs_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["--require-hashes -r requirements.lock"]
    assert "python =3.11" in environment["dependencies"]


@pytest.mark.parametrize(
    "name",
    ["run", "slurm", "slurm-node", "bundle", "lint-workflow", "lint-files", "release", "audit"],
)
def test_ci_script_is_bash_that_stops_at_a_fault(name: str) -> None:
    script = ROOT / ".ci" / name
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
