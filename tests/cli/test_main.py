"""The program as a process of its own."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.forked import Forks, forks_of

from escape_score import __version__
from escape_score.cli import main
from escape_score.errors import ExitCode
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.gene_sets import load_signatures
from escape_score.reference.known import Origin, data_folder, known_references
from escape_score.reference.read import load_reference

HEAVY = [
    *("anndata", "gseapy", "h5py", "jinja2", "lifelines", "numba", "numpy"),
    *("pandas", "pyarrow", "scanpy", "scipy", "sklearn", "yaml"),
]


class Inputs(Protocol):
    matrix: Path


def program(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "escape_score", *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"], ["reference", "--help"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code = (
        "import sys; from escape_score.cli import main; "
        f"code = main({arguments!r}); print(code, *set({HEAVY!r}) & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["0"]
    assert done.stdout


FAULTS_OF_USE = {
    "run without --out": ["run", "no.tsv"],
    "unknown option": ["run", "no.tsv", "--nope"],
    "wrong unit": ["run", "no.tsv", "--out", "o", "--units", "nope"],
    "missing matrix": ["run", "no.tsv", "--out", "o"],
    "missing sheet": ["run", "here.tsv", "--out", "o", "--samples", "no.tsv"],
    "missing gene sets": ["run", "here.tsv", "--out", "o", "--gene-sets", "no.tsv"],
    "missing lengths": ["run", "here.tsv", "--out", "o", "--gene-lengths", "no.tsv"],
    "missing reference": ["run", "here.tsv", "--out", "o", "--reference", "./no.tsv"],
    "missing config": ["run", "--config", "no.tsv"],
    "missing in config": ["run", "--config", "run.yaml", "--out", "o"],
    "check": ["check", "no.tsv"],
    "workflow": ["workflow", "--config", "no.tsv"],
    "workflow, missing matrix": ["workflow", "--config", "cohorts.yaml"],
    "read": ["read", "no.tsv", "--out", "o.h5ad"],
    "harmonise": ["harmonise", "no.tsv", "--out", "o.h5ad"],
    "score": ["score", "no.tsv", "--out", "o.h5ad"],
    "profile": ["profile", "no.tsv", "--out", "o", "--part", "p"],
    "report": ["report", "no.tsv"],
    "export": ["export", "no.tsv", "--format", "gct", "--out", "o"],
    "reference": ["reference", "fit", "no.tsv", "no.tsv", "--name", "x", "--out", "o"],
    "reference show": ["reference", "show", "tcga-coadread-v1", "--for", "no.tsv"],
    "reference show, ending": ["reference", "show", "x", "--for", "no.tsv", "--plot", "nope"],
    "reference show, no matrix": ["reference", "show", "nope", "--for", "here.tsv"],
    "genesets": ["genesets", "check", "no.tsv"],
}


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Processes that have imported the command line, and nothing that it does not."""
    with forks_of("import escape_score.cli.main") as found:
        yield found


@pytest.mark.parametrize("arguments", FAULTS_OF_USE.values(), ids=FAULTS_OF_USE)
def test_faults_of_use_load_no_heavy_library(arguments: list[str], tmp_path: Path, forks: Forks) -> None:
    for name, text in {
        "here.tsv": "gene\ta\n",
        "run.yaml": "expression: no.tsv\n",
        "cohorts.yaml": "cohorts: cohorts.tsv\n",
        "cohorts.tsv": "cohort\texpression\tsamples\tunits\na\tno.tsv\t\ttpm\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    code = (
        "import sys; from escape_score.cli import main; "
        f"code = main({arguments!r}); print(*set({HEAVY!r}) & set(sys.modules))"
    )
    done = forks.run(code, tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, [])
    assert done.stderr.startswith("error: ")
    assert "no.tsv" in done.stderr or "nope" in done.stderr or "--out is not given" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "here.tsv",
        "run.yaml",
        "cohorts.yaml",
        "cohorts.tsv",
    }


def test_every_missing_file_is_reported(tmp_path: Path) -> None:
    missing = {"--samples": "s.tsv", "--gene-lengths": "l.tsv", "--gene-sets": "g.gmt", "--reference": "./r"}
    options = [word for pair in missing.items() for word in pair]
    done = program("run", "m.tsv", "--out", "o", *options, cwd=tmp_path)
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert {line.split(": ")[1] for line in lines} == {"m.tsv", *missing.values()}
    assert len(lines) == 5


def test_version_and_help_end_well() -> None:
    assert program("--version").stdout.startswith(f"escape-score {__version__}\n")
    done = program("--help")
    assert done.returncode == 0
    for command in (
        "init",
        "run",
        "cells",
        "workflow",
        "export",
        "axes",
        "report",
        "gather",
        "check",
        "verify",
        "schema",
        "genesets",
        "reference",
    ):
        assert f"\n  {command} " in done.stdout


def test_version_names_what_numbers_depend_on() -> None:
    first, python, counts, *references, folder = program("--version").stdout.splitlines()
    assert first == f"escape-score {__version__}"
    assert python == f"Python {platform.python_version()}"
    assert counts == f"{len(load_axis_catalogue().axes)} axes, {len(load_signatures().records)} gene sets"
    shipped = [known for known in known_references() if known.origin is Origin.SHIPPED]
    loaded = {known.name: load_reference(known.name).sha256 for known in shipped[:2]}
    said = dict(line.split() for line in references)
    assert set(said) == {known.name for known in shipped}
    assert {name: digest[:8] for name, digest in loaded.items()} == {name: said[name] for name in loaded}
    assert folder == f"data folder: {data_folder()}"


def test_shell_completion_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    # the shell is named here, since a test may run below none
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = program("--show-completion", "bash")
    assert "_ESCAPE_SCORE_COMPLETE=complete_bash" in shown.stdout
    code = "import sys; from escape_score.cli import main; sys.exit(main([]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            **{"_ESCAPE_SCORE_COMPLETE": "complete_bash", "COMP_WORDS": "escape-score ax", "COMP_CWORD": "1"},
        },
    )
    assert done.stdout.split() == ["axes"]


@pytest.mark.parametrize("arguments", [[], ["genesets"]])
def test_nothing_to_do_shows_the_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage: escape-score")


def test_a_fault_is_one_line_without_traceback_unless_asked_for(tmp_path: Path) -> None:
    done = program("run", "no.tsv", "--out", "o", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: no.tsv: ")
    assert done.stderr.count("\n") == 1
    asked = program("run", "no.tsv", "--out", "o", "--debug", cwd=tmp_path)
    assert asked.returncode == 3
    assert "Traceback" in asked.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_says_what_it_did_on_stderr_only(inputs: Inputs, tmp_path: Path) -> None:
    done = program("run", inputs.matrix, "--units", "counts", "--out", "o", "--no-reports", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    heading, row, *cautions, choice, closing = done.stderr.splitlines()
    assert cautions
    assert all(line.startswith("caution: ") for line in cautions)
    assert heading.split()[:2] == ["cohort", "samples"]
    assert row.split()[1] == "4"
    assert choice.startswith("Compared with tcga-coadread-v1: the closest of 8 references, ")
    assert closing.startswith("4 samples (")
    assert closing.endswith("see o/profiles.tsv")
    assert [p.name for p in tmp_path.iterdir()] == ["o"]


def test_a_closed_pipe_is_no_fault() -> None:
    code = f"{sys.executable} -m escape_score genesets list | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("signature_id")
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


PRINTING = {
    "schema": ["schema"],
    "version": ["--version"],
    "help": ["run", "--help"],
    "list": ["genesets", "list"],
    "show": ["genesets", "show", "effector"],
    "reference": ["reference", "show", "tcga-coadread-v1"],
}


@pytest.mark.parametrize("arguments", PRINTING.values(), ids=PRINTING)
def test_full_disk_behind_stdout_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "escape_score", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    why = "cannot be written (No space left on device)"
    assert done.stderr == f"error: standard output: {why}; choose another file or free space\n"


@pytest.mark.parametrize("as_json", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_full_disk_behind_stdout_of_check_is_one_line(inputs: Inputs, *, as_json: bool) -> None:
    options = [str(inputs.matrix), "--units", "counts", *(["--json"] if as_json else [])]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "escape_score", "check", *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output: cannot be written")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
@pytest.mark.parametrize("arguments", PRINTING.values(), ids=PRINTING)
def test_terminal_of_another_encoding_is_no_fault(encoding: str, arguments: list[str]) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, "-m", "escape_score", *arguments], capture_output=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode(encoding)
    if arguments == ["schema"]:
        assert json.loads(said) == json.loads(program("schema").stdout)


SWALLOWED = """
import signal, sys, time
from escape_score.cli import main

class Collected:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def command(**_):
    Collected()  # what is raised while it is collected, Python swallows
    time.sleep(30)

sys.modules["escape_score.cli.main"]._command = lambda: command
sys.exit(main(["run"]))
"""


def test_a_signal_in_the_garbage_collector_still_ends_the_program_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWED], capture_output=True, text=True, check=False, timeout=25
    )
    assert (done.returncode, done.stderr) == (143, "error: terminated\n")


INTERRUPTED = """
import sys

class Interruption:
    def find_spec(self, name, *_):
        if name == WHERE:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interruption())
from escape_score.cli import main
sys.exit(main(["check", "m.tsv"]))
"""


@pytest.mark.parametrize("where", ["escape_score.cli.main", "typer", "escape_score.cli.workflow"])
def test_an_interruption_while_the_commands_are_loaded_is_one_line(where: str) -> None:
    code = INTERRUPTED.replace("WHERE", repr(where))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")


ABORTING = """
import os, sys
import escape_score.cli
cli = sys.modules["escape_score.cli.main"]

class Late:
    def __del__(self, abort=os.abort):
        abort()

kept = Late()

def refuse(argv=None):
    print("error: m.tsv: no number", file=sys.stderr)
    return 3

cli.main = refuse
END
"""
"""A program that aborts while Python ends, as with a thread of pyarrow that has not freed its last block."""


@pytest.mark.parametrize(
    ("end", "code"), [("sys.exit(cli.main())", -signal.SIGABRT), ("cli.program()", ExitCode.INPUT)]
)
def test_what_a_library_does_while_python_ends_does_not_change_the_exit_code(end: str, code: int) -> None:
    program = ABORTING.replace("END", end)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "error: m.tsv: no number\n")


def test_what_is_registered_for_the_end_of_the_program_is_done() -> None:
    code = """
import sys
import escape_score.cli
cli = sys.modules["escape_score.cli.main"]
cli.main = lambda: print("out", end="") or 5
cli.atexit.register(print, "done", file=sys.stderr)
cli.program()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (5, "out", "done\n")
