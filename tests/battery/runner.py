"""Run one case and say what is wrong with how it ended."""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from tests.battery.case import Case, Expect, Inputs, Make
from tests.battery.clean import Clean, clean_cohort
from tests.battery.grid import write_clean

from escape_score.cli import main

MEMORY_BYTES = 6 * 1024**3
SECONDS = 60

USAGE, INPUT = 2, 3
MAX_LINES = 20

FINISHED = {".html", ".json", ".tsv", ".parquet", ".h5ad"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    box
        Folder that holds everything the run could write to.
    out
        Its result folder.
    before
        Files that were in ``box`` before the run.
    """

    code: int
    stdout: str
    stderr: str
    box: Path
    out: Path
    before: frozenset[Path]

    @property
    def made(self) -> list[Path]:
        """Files of the result folder."""
        return sorted(path for path in self.out.rglob("*") if path.is_file())

    @cached_property
    def tables(self) -> Tables:
        """Numbers of ``scores.tsv`` and ``profiles.tsv``."""
        return tables_of(self.out)

    @cached_property
    def records(self) -> dict[str, dict[str, object]]:
        """JSON of each sample, by the name of its file."""
        samples = (path for path in self.made if path.suffix == ".json" and path.parent.name == "samples")
        return {path.stem: json.loads(path.read_text()) for path in samples}

    @property
    def strays(self) -> list[Path]:
        """Whatever was written outside the result folder."""
        written = _files(self.box) - self.before
        return sorted(path for path in written if path != self.out and self.out not in path.parents)


def run_case(case: Case, box: Path) -> tuple[Inputs, Outcome]:
    """Make the files of a case and run it, three folders deep, so that ``..`` has somewhere to go."""
    folder, cwd = box / "in", box / "a" / "b"
    folder.mkdir()
    cwd.mkdir(parents=True)
    inputs = case.make(folder, clean_cohort())
    before = _files(box)
    out = cwd / "out"
    arguments = [inputs.command, *inputs.arguments, "--out", str(out), "--quiet"]
    code, stdout, stderr = (_run_apart if case.is_isolated else _run_here)(arguments, cwd)
    return inputs, Outcome(code, stdout, stderr, box, out, before)


def _files(box: Path) -> frozenset[Path]:
    return frozenset(box.rglob("*"))


def _run_here(arguments: list[str], cwd: Path) -> tuple[int, str, str]:
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = main(arguments)
    return code, said.getvalue(), complained.getvalue()


def _run_apart(arguments: list[str], cwd: Path) -> tuple[int, str, str]:
    """Run in a process that cannot take all memory or time."""
    command = [sys.executable, "-m", "escape_score", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            preexec_fn=_limit_memory,
        )
    except subprocess.TimeoutExpired:
        return -1, "", f"did not end within {SECONDS} s"
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def problems_of(case: Case, inputs: Inputs, outcome: Outcome) -> list[str]:
    """Everything that is not as the case expects; empty where all is well."""
    return [*_always(outcome), *_CHECKS[case.expect](case, inputs, outcome)]


def _always(outcome: Outcome) -> Iterator[str]:
    if "Traceback (most recent call last)" in outcome.stdout + outcome.stderr:
        yield "a traceback"
    if outcome.strays:
        yield f"wrote outside the result folder: {outcome.strays[:3]}"


# --- errors -------------------------------------------------------------------------------------------------


def _error_problems(case: Case, inputs: Inputs, outcome: Outcome) -> Iterator[str]:
    if outcome.code not in (USAGE, INPUT):
        yield f"exit code {outcome.code}: {outcome.stderr[-300:]}"
        return
    lines = outcome.stderr.splitlines()
    path = inputs.faulty or getattr(inputs, case.blame.value)
    faulty = [line for line in lines if line.startswith("error: ")]
    if not faulty or len(faulty) > MAX_LINES or not lines[-1].startswith("error: "):
        yield f"not one line for each fault: {lines}"
    elif not faulty[0].startswith(f"error: {path}"):
        yield f"does not name {path.name} first: {faulty[0]}"
    said = "\n".join(faulty).replace(str(path), "").replace(str(outcome.box), "")
    yield from (
        f"does not mention {word!r}: {said}" for word in case.mention if not re.search(word, said, re.I)
    )
    left = [path.name for path in outcome.made if path.suffix in FINISHED]
    if left:
        yield f"left what looks finished: {left[:3]}"


# --- results ------------------------------------------------------------------------------------------------


def _warn_problems(case: Case, inputs: Inputs, outcome: Outcome) -> Iterator[str]:
    yield from _result_problems(case, inputs, outcome)
    if outcome.code == 0:
        yield from _flag_problems(case, outcome)


def _result_problems(case: Case, inputs: Inputs, outcome: Outcome) -> Iterator[str]:
    """Check that the result is whole, and that numbers which must not change did not."""
    if outcome.code != 0:
        yield f"exit code {outcome.code}: {outcome.stderr[-300:]}"
        return
    yield from _whole_problems(outcome)
    if case.expect is not Expect.WARN or case.unchanged:
        yield from _number_problems(case, outcome)


def _whole_problems(outcome: Outcome) -> Iterator[str]:
    """Check that every sample has one JSON and one page, and the ids in JSON are those of the table."""
    ids = sorted(outcome.tables["scores"].index)
    pages = sorted(
        path.stem for path in outcome.made if path.suffix == ".html" and path.parent.name == "samples"
    )
    records = sorted(str(record["sample_id"]) for record in outcome.records.values())
    if len(pages) != len(ids) or set(pages) != outcome.records.keys():
        yield f"{len(pages)} pages for {len(ids)} samples"
    if [_cell(name) for name in records] != ids and records != ids:
        yield f"ids in JSON {records} are not those of scores.tsv {ids}"
    if not any(path.name == "manifest.json" for path in outcome.made):
        yield "no manifest"


def _cell(name: str) -> str:
    """A name as a table shows it, where a spreadsheet must not take it for a formula."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name


def _flag_problems(case: Case, outcome: Outcome) -> Iterator[str]:
    for path in (path for path in outcome.made if path.suffix == ".json" and path.parent.name == "samples"):
        record = json.loads(path.read_text())
        name = case.renamed.get(str(record["sample_id"]), str(record["sample_id"]))
        is_meant = not case.flagged or name in case.flagged
        if is_meant != (case.flag in flags_in(path)):
            yield f"flag {case.flag} {'missing' if is_meant else 'too much'} in {name}: {flags_in(path)}"


def flags_in(path: Path) -> list[str]:
    """Names of the flags in the JSON of one sample; none in another file."""
    found = json.loads(path.read_text()).get("flags", []) if path.parent.name == "samples" else []
    return [str(note["code"]) for note in found]


def _sanitised_problems(case: Case, inputs: Inputs, outcome: Outcome) -> Iterator[str]:
    yield from _result_problems(case, inputs, outcome)
    for path in outcome.made:
        if path.suffix == ".html":
            page = path.read_text()
            yield from (f"raw {text!r} in {path.name}" for text in case.forbidden if text in page)
        elif path.suffix == ".tsv":
            yield from (f"formula {cell!r} in {path.name}" for cell in _formulas(path.read_text()))


def _formulas(table: str) -> list[str]:
    cells = [cell.strip('"') for line in table.split("\n") for cell in line.split("\t")]
    return [c for c in cells if c[:1] in tuple("=+-@") and c[:1] and not NUMBER.fullmatch(c)][:3]


# --- numbers ------------------------------------------------------------------------------------------------


def tables_of(out: Path) -> Tables:
    """Numbers of ``scores.tsv`` and ``profiles.tsv``, by sample id."""
    return {name: _numbers(out / f"{name}.tsv") for name in ("scores", "profiles")}


def _numbers(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_filter=False)
    table = table.set_index("sample_id")
    kept = {name: pd.to_numeric(table[name], errors="coerce") for name in table if _is_numeric(table[name])}
    return pd.DataFrame(kept, index=table.index)


def _is_numeric(column: pd.Series[str]) -> bool:
    return all(not cell or NUMBER.fullmatch(cell) for cell in column)


@cache
def reference_tables(make: Make | None) -> Tables:
    """Numbers of the clean cohort, or of other inputs that count as right."""
    with TemporaryDirectory() as box:
        out, folder = Path(box) / "out", Path(box) / "in"
        folder.mkdir()
        inputs = (make or _make_clean)(folder, clean_cohort())
        code, _, stderr = _run_here(["run", *inputs.arguments, "--out", str(out), "--quiet"], folder)
        if code:
            msg = f"the reference does not run: {stderr}"
            raise RuntimeError(msg)
        return tables_of(out)


def _make_clean(folder: Path, clean: Clean) -> Inputs:
    return Inputs(write_clean(folder, clean))


def _number_problems(case: Case, outcome: Outcome) -> Iterator[str]:
    for name, found in outcome.tables.items():
        right = reference_tables(case.reference)[name].drop(index=list(case.dropped), errors="ignore")
        old = {_cell(new): old for new, old in case.renamed.items()}
        yield from (f"{name}: {what}" for what in _differences(case, found.rename(index=old), right))


def _differences(case: Case, found: pd.DataFrame, right: pd.DataFrame) -> Iterator[str]:
    if set(found.index) != set(right.index):
        yield f"samples are {sorted(found.index)}"
        return
    samples = list(case.unchanged or right.index)
    # a column without a single number may be written as text in one of the two
    columns = [name for name in right if right[name].notna().any() and not str(name).startswith("n_")]
    lost = [name for name in columns if name not in found]
    if lost:
        yield f"columns lost: {lost[:3]}"
        return
    a, b = found.loc[samples, columns].to_numpy(float), right.loc[samples, columns].to_numpy(float)
    moved = (np.isnan(a) != np.isnan(b)) | (np.abs(a - b) > case.tolerance * np.maximum(1.0, np.abs(b)))
    for at, column in np.argwhere(moved)[:3]:
        yield f"{columns[column]} of {samples[at]} is {a[at, column]:.9g}, should be {b[at, column]:.9g}"


_CHECKS = {
    Expect.ERROR: _error_problems,
    Expect.WARN: _warn_problems,
    Expect.SAME: _result_problems,
    Expect.SANITISED: _sanitised_problems,
}
