"""The documentation has every public name, and its commands, links and sources exist."""

from __future__ import annotations

import inspect
import re
import runpy
import shlex
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

import escape_score as es
from escape_score.cli.main import app
from escape_score.library.columns import columns_of
from escape_score.model.notes import FLAGS, severity_of

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "config/README.md",
    *(f"docs/{path.name}" for path in DOCS.glob("*.md")),
)
DOI = re.compile(r"10\.\d{4,9}/[^\s|,;'\"`<>{}]+")


def test_every_public_name_has_a_page(repo_root: Path) -> None:
    text = (repo_root / "docs" / "api.rst").read_text(encoding="utf-8")
    lists = re.findall(r"^\.\. autosummary::\n   :toctree: api\n\n((?:   \S+\n)+)", text, flags=re.MULTILINE)
    names = {name for listed in lists for name in listed.split()}
    drawn = {f"pl.{name}" for name, f in vars(es.pl).items() if _is_public_function(name, f)}
    assert len(drawn) >= 2
    assert names >= (set(es.__all__) - {"__version__", "pl"}) | drawn


def _is_public_function(name: str, found: object) -> bool:
    return inspect.isfunction(found) and found.__module__ == "escape_score.pl" and not name.startswith("_")


def test_tests_named_in_the_quality_checks_are_there(repo_root: Path) -> None:
    text = (repo_root / "docs" / "qc.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]*test_\w+\.py)(?:::(test_[\w*]+))?`", text)
    assert len(named) >= 20
    for path, pattern in named:
        functions = re.findall(
            r"^def (test_\w+)", (repo_root / "tests" / path).read_text(), flags=re.MULTILINE
        )
        assert any(fnmatch(name, pattern or "*") for name in functions), f"{path}::{pattern}"


def test_quality_checks_explain_every_flag(repo_root: Path) -> None:
    text = (repo_root / "docs" / "qc.md").read_text(encoding="utf-8")
    section = text.partition("## All flags\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| .+ \|$", section, flags=re.MULTILINE)
    assert rows == [(flag.value, severity_of(flag).value) for flag in FLAGS]


def test_every_name_for_contributors_is_there(repo_root: Path) -> None:
    # building the site is slow, and takes only such names
    text = (repo_root / "docs" / "api.rst").read_text(encoding="utf-8").partition("For contributors")[2]
    names = re.findall(r"^   (\w+(?:\.\w+)+)$", text, flags=re.MULTILINE)
    assert len(names) > 15
    for name in names:
        module, _, attribute = f"escape_score.{name}".rpartition(".")
        assert hasattr(import_module(module), attribute), name


def test_columns_named_in_the_recipe_for_r_are_columns_of_a_result(repo_root: Path) -> None:
    text = (repo_root / "docs" / "r.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:profiles|shown|known|joined)\$`?([\w:]+)", text)) - {"group", "columns"}
    named |= set(re.findall(r"aes\((?:\w+, )?(?:colour = )?(\w+)\)", text))
    known = {*columns_of("profiles"), *columns_of("scores.h5ad: obs")}
    assert len(named) >= 7
    assert named <= known
    scores = set(re.findall(r"scores\$`?([\w:]+)", text))
    assert scores
    assert scores <= columns_of("scores").keys()


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_page_shows_have_known_names_and_options(page: str, repo_root: Path) -> None:
    text = (repo_root / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(?:bash)?\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`((?:\.venv/bin/)?escape-score [^`]+)`", text)
    for line in filter(_is_command, [*map(str.strip, lines), *inline]):
        command, words = _command_of(line)
        options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {
            "--help",
            "--debug",
        }
        named = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
        assert named <= options, line


def _is_command(line: str) -> bool:
    return re.match(r"(\.venv/bin/)?escape-score\s+[a-z]", line) is not None


def _command_of(line: str) -> tuple[Any, list[str]]:
    """The command of a line and the words behind it, without a comment and what is meant for Snakemake."""
    words = shlex.split(line.partition("  #")[0].partition("|")[0].partition(" -- ")[0], posix=False)[1:]
    command = typer.main.get_command(app)
    while hasattr(command, "commands") and words and re.fullmatch("[a-z]+", words[0]):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    return command, words


def test_readme_is_short_and_begins_with_two_commands(repo_root: Path) -> None:
    text = (repo_root / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    first = text.split("```")[1]
    assert re.findall(r"^make (\w+)", first, flags=re.MULTILINE) == ["demo", "test"]


def test_entry_to_cite_has_the_version_of_the_program(repo_root: Path) -> None:
    assert f"\nversion: {es.__version__}\n" in (repo_root / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_links_to_exist(page: str, repo_root: Path) -> None:
    text = re.sub(r"```\w*\n.*?```", "", (repo_root / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link}
    missing = [link for link in links - {""} if not ((repo_root / page).parent / link).exists()]
    assert missing == []


def test_every_picture_of_a_page_is_made_by_the_script(repo_root: Path) -> None:
    pictures = runpy.run_path(str(DOCS / "build_images.py"))["pictures"](Path(), Path(), Path())
    made = {f"{picture.name}.png" for picture in pictures}
    shown = {
        name for page in PAGES for name in re.findall(r"images/([\w-]+\.png)", (repo_root / page).read_text())
    }
    assert shown == made == {path.name for path in (DOCS / "images").glob("*.png")}


def test_page_of_commands_is_that_of_the_program() -> None:
    page = runpy.run_path(str(DOCS / "build_commands.py"))["commands_markdown"]()
    assert page == (DOCS / "commands.md").read_text(encoding="utf-8"), "run: make commands"


def test_bibliography_has_the_publications_that_are_cited_and_no_other() -> None:
    listed = _dois((DOCS / "references.bib").read_text(encoding="utf-8"))
    cited = {doi for path in DOCS.glob("*.md") for doi in _dois(path.read_text(encoding="utf-8"))}
    cited |= _dois((ROOT / "resources" / "axes" / "approaches.tsv").read_text(encoding="utf-8"))
    assert len(listed) > 50
    assert listed == cited


def _dois(text: str) -> set[str]:
    """DOIs of a text, without the signs of its sentences."""
    found = (one.rstrip(".)") for one in DOI.findall(text))
    return {f"{one})".lower() if one.count("(") > one.count(")") else one.lower() for one in found}
