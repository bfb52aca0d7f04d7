"""What a command says while it works."""

from __future__ import annotations

import io
import json
import logging
import sys
from pathlib import Path
from typing import Protocol

import pandas as pd
import pytest

from escape_score.cli import main
from escape_score.cli.log import CommandLog, TransferProgress, is_flagged, remarks_to
from escape_score.model.notes import Code


class Inputs(Protocol):
    matrix: Path
    options: list[str]


def test_run_logs_json_lines_of_every_stage(
    inputs: Inputs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [option for option in inputs.options if option != "--quiet"]
    assert main(["run", *options, "--out", str(tmp_path / "o"), "--log-json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert stages == ["read", "harmonise", "score", "profile", "write", "report"]
    (summary,) = (event for event in events if event["event"] == "summary")
    assert (summary["cohorts"][0]["samples"], summary["cohorts"][0]["failed"]) == (4, 0)
    assert summary["seconds"] > sum(event["seconds"] for event in events if event["event"] == "stage") * 0.9


@pytest.mark.parametrize(("log", "says"), [(CommandLog(), True), (CommandLog(is_quiet=True), False)])
def test_summary_names_where_to_look_in_one_line(
    log: CommandLog, says: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "/a/long/path" * 12
    log.summary([{"cohort": "a", "samples": 3, "look at": where}], seconds=1.25, closing="3 samples")
    said = capsys.readouterr().err
    assert (where in said) is says
    assert said.endswith("3 samples\n") is says


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), False),
        ((Code.COUNTS_CONVERTED, Code.RENAMED_SYMBOLS), False),
        ((Code.COUNTS_CONVERTED, Code.UNITS_SUSPECT), True),
        ((Code.SAMPLE_EMPTY,), True),
    ],
)
def test_is_flagged_counts_cautions_and_errors_only(codes: tuple[Code, ...], expected: bool) -> None:
    assert is_flagged(codes) is expected


REMARK = "columns 'gene_name' are descriptions and are not read as values"


@pytest.fixture
def described(inputs: Inputs, tmp_path: Path) -> Path:
    """A matrix with a column that is not read."""
    frame = pd.read_csv(inputs.matrix, sep="\t")
    frame.insert(1, "gene_name", "of a gene")
    frame.to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    return tmp_path / "m.tsv"


def test_commands_say_remarks_as_notes(described: Path, capfd: pytest.CaptureFixture[str]) -> None:
    said = f"note: {described}: {REMARK}"
    assert main(["check", str(described), "--units", "counts"]) == 0
    assert capfd.readouterr().err.splitlines() == [said]
    out = described.parent / "c.h5ad"
    assert main(["read", str(described), "--units", "counts", "--out", str(out)]) == 0
    assert capfd.readouterr().err.splitlines() == [said]


@pytest.mark.parametrize("how", ["", "--quiet", "--log-json"])
def test_run_says_remarks_unless_quiet(how: str, described: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(described), "--units", "counts", "--no-reports", "--out", str(described.parent / "o")]
    assert main([*words, *([how] if how else [])]) == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if REMARK in line]
    text = f"{described}: {REMARK}"
    if how == "--log-json":
        (event,) = map(json.loads, lines)
        assert (event["event"], event["note"]) == ("note", text)
    else:
        assert lines == ([] if how else [f"note: {text}"])


def test_remarks_go_where_they_went_before_once_a_command_ends() -> None:
    logger = logging.getLogger("escape_score")
    before = logger.handlers
    with remarks_to(CommandLog()):
        assert logger.handlers != before
    assert logger.handlers is before


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "is_quiet", "is_shown"),
    [(Terminal(), False, True), (Terminal(), True, False), (io.StringIO(), False, False)],
)
def test_transfer_is_shown_on_a_terminal_only(
    stream: io.StringIO, is_quiet: bool, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with TransferProgress(is_quiet=is_quiet) as progress:
        progress.update("fetch", 500_000, 2_000_000)
        progress.update("fetch", 2_000_000, 2_000_000)
        progress.update("fit", 0, None)
    said = stream.getvalue()
    assert ("fit" in said) is is_shown
    assert bool(said) is is_shown
