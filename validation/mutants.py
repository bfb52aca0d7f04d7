"""Tell how many small faults in the numerical code the tests notice: a mutation test.

    make mutants
    python validation/mutants.py [--count 500] [--seed 1] [--seconds 20] [--only 3,10-19]

cosmic-ray makes the mutants: its core operators change one number, operator, condition, loop or decorator.
A place in a file is drawn with equal chances from all places, then one change of that place. Not drawn are
changes that do not parse, and changes of annotations, docstrings, ``__all__``, ``if TYPE_CHECKING``, and
``repr``, ``eq`` and ``frozen`` of dataclasses. A mutant is only in the memory of its own process. The tests
that run the changed statement are run until one fails: those of its module, then quick ones, as many as
take ``--seconds`` without a change. Results are in ``build/mutants/results.jsonl``. A run that was stopped
goes on; ``--only`` tests mutants of the same draw again. Remove ``build/mutants/touched.json`` after a
change of the tests.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from itertools import accumulate
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"
BUILD = ROOT / "build" / "mutants"
TOUCHED, RESULTS, KERNELS = BUILD / "touched.json", BUILD / "results.jsonl", BUILD / "kernels"

PACKAGES = ("score", "profile", "statistics", "cells")
TESTS = (
    *(f"tests/{name}" for name in (*PACKAGES, "fit")),
    "tests/pipeline/cells",
    "tests/test_invariance.py",
)
LIBRARIES = (
    "anndata gseapy h5py jinja2 lifelines numba openpyxl pandas pyarrow.parquet pydantic requests "
    "ruamel.yaml scanpy scipy.stats sklearn.linear_model statsmodels.api typer"
)
"""Imported once, before the processes of the mutants are forked."""

LIMIT_FACTOR, LIMIT_S = 3, 30
"""A mutant whose tests take longer than this many times their time, and these seconds, is killed."""

COMPILE_S = 60
"""Additional seconds for a mutant in compiled code."""

FAULT = 99
"""Exit code of a process in which this script itself fails."""


# --- the draw


@dataclass(frozen=True)
class Mutant:
    """One change of one file: the ``occurrence``-th place at which an operator of cosmic-ray fits."""

    number: int
    file: str
    line: int
    operator: str
    occurrence: int
    before: str
    after: str
    source: str


def operators() -> dict[str, Any]:
    """Core operators of cosmic-ray, without those that need the names of variables."""
    sys.path.append(str(BUILD / "cosmic-ray"))
    from cosmic_ray.operators.provider import OperatorProvider

    provider = OperatorProvider()
    return {name: provider[name]() for name in provider if not name.startswith("Variable")}


def places(file: Path, found: dict[str, Any]) -> dict[tuple[Any, Any], list[tuple[str, int]]]:
    """Changes, as operator and occurrence, by their place in a file."""
    from cosmic_ray.ast import ast_nodes, get_ast

    changes, seen = defaultdict(list), Counter[str]()
    for node in ast_nodes(get_ast(file.read_text(encoding="utf-8"))):
        for name, operator in found.items():
            for place in operator.mutation_positions(node):
                changes[place].append((name, seen[name]))
                seen[name] += 1
    return changes


def mutated(source: str, operator: Any, occurrence: int) -> str:  # noqa: ANN401
    """The source with one change."""
    from cosmic_ray.ast import ast_nodes, get_ast

    tree, seen = get_ast(source), 0
    for node in list(ast_nodes(tree)):
        for index, _ in enumerate(operator.mutation_positions(node)):
            if seen == occurrence:
                siblings = node.parent.children
                at = siblings.index(node)
                new = operator.mutate(node, index)
                siblings[at : at + 1] = [] if new is None else [new]
                return str(tree.get_code())
            seen += 1
    msg = f"{operator}: occurrence {occurrence} is not there"
    raise ValueError(msg)


class _WithoutWords(ast.NodeTransformer):
    """Take out what does not change how a module runs."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        return None if node.arg in {"repr", "eq", "frozen"} else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if ast.unparse(node.targets[0]) == "__all__" else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)


@cache
def meaning(source: str) -> str | None:
    """What a module does, as text to compare; nothing if it cannot be parsed."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(source, "", "exec", dont_inherit=True)
    except SyntaxError:
        return None
    return ast.dump(_WithoutWords().visit(ast.parse(source)))


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after a change."""
    old, new = before.splitlines(), after.splitlines()
    head = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    tail = next((i for i, (a, b) in enumerate(zip(old[::-1], new[::-1], strict=False)) if a != b), 0)
    return tuple("\n".join(part[head : max(len(part) - tail, head)]).strip() for part in (old, new))


def draw(count: int, seed: int) -> list[Mutant]:
    """As many mutants as wanted, always the same for a seed and a state of the files."""
    found, chance = operators(), random.Random(seed)
    files = sorted(file for name in PACKAGES for file in (SRC / "escape_score" / name).rglob("*.py"))
    sites = [
        (file, place, changes) for file in files for place, changes in sorted(places(file, found).items())
    ]
    print(f"{len(sites)} places in {len(files)} files, {sum(len(site[2]) for site in sites)} mutants")
    chance.shuffle(sites)
    drawn: list[Mutant] = []
    for file, ((line, _), _), changes in sites:
        source = file.read_text(encoding="utf-8")
        for name, occurrence in chance.sample(changes, len(changes)):
            text = mutated(source, found[name], occurrence)
            if meaning(text) not in {None, meaning(source)}:
                path = str(file.relative_to(SRC))
                pair = changed_lines(source, text)
                drawn.append(Mutant(len(drawn), path, line, name, occurrence, *pair, text))
                break
        if len(drawn) == count:
            break
    return drawn


# --- which tests run a statement


class Recorder:
    """Notes for each test, and for each fixture that tests share, which lines run and how long it takes."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured, self._context = measured, ""
        self.seconds: Counter[str] = Counter()
        self.shared: dict[str, list[str]] = {}
        self.compiled: defaultdict[str, set[tuple[str, int, int]]] = defaultdict(set)

    @contextmanager
    def _in(self, context: str) -> Iterator[None]:
        before, self._context = self._context, context
        self._measured.switch_context(context)
        start = time.monotonic()
        yield
        self.seconds[context] += time.monotonic() - start
        self._context = before
        self._measured.switch_context(before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Iterator[None]:
        """Lines of a test."""
        definitions = item._fixtureinfo.name2fixturedefs.values()
        self.shared[item.nodeid] = [_name(one[-1]) for one in definitions if one[-1].scope != "function"]
        with self._in(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[None]:
        """Lines of a fixture, if it is made once for several tests."""
        if fixturedef.scope == "function":
            return (yield)
        with self._in(_name(fixturedef)):
            return (yield)

    def pytest_collection_finish(self) -> None:
        """Note calls of compiled functions too, whose lines cannot be seen."""
        from escape_score.score.kernels.jit import Lazy

        call = Lazy.__call__

        def noted(lazy: Lazy, *arguments: Any) -> Any:  # noqa: ANN401
            self.compiled[self._context] |= set(_spans(lazy))
            return call(lazy, *arguments)

        Lazy.__call__ = noted  # type: ignore[method-assign]


def _name(fixture: pytest.FixtureDef[Any]) -> str:
    """A name of a fixture that no test has."""
    return f"fixture {fixture.baseid} {fixture.argname}"


def _spans(lazy: Any) -> Iterator[tuple[str, int, int]]:  # noqa: ANN401
    """File, first and last line of a compiled function, and of all that it calls."""
    function = lazy._function
    code: CodeType = function.__code__
    last = max(line for _, _, line in code.co_lines() if line is not None)
    yield code.co_filename, code.co_firstlineno, last
    for name in code.co_names:
        called = function.__globals__.get(name)
        if isinstance(called, type(lazy)):
            yield from _spans(called)


def record(folder: Path) -> int:
    """Run all tests once, and write what each of them runs; in a process of its own."""
    measured = coverage.Coverage(data_file=None, include=[str(SRC / "escape_score" / "*")], config_file=False)
    recorder = Recorder(measured)
    measured.start()
    code = run_pytest([*TESTS, "-m", "not slow and not browser"], folder, recorder)
    measured.stop()
    data = measured.get_data()
    runs: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            runs[file][line] |= {context for context in contexts if context}
    for context, spans in recorder.compiled.items():
        for file, first, last in spans:
            for line in range(first, last + 1):
                runs[file][line].add(context)
    lines = {
        str(Path(file).relative_to(SRC)): {line: sorted(names) for line, names in found.items()}
        for file, found in runs.items()
        if Path(file).is_relative_to(SRC)
    }
    TOUCHED.write_text(
        json.dumps({"lines": lines, "shared": recorder.shared, "seconds": recorder.seconds}), encoding="utf-8"
    )
    return code


@dataclass(frozen=True)
class Tests:
    """What ``record`` wrote: contexts of each line, shared fixtures of each test, seconds of both."""

    lines: dict[str, dict[str, list[str]]]
    shared: dict[str, list[str]]
    seconds: dict[str, float]

    def of(self, mutant: Mutant, most_s: float) -> list[str]:
        """Tests of a changed statement, so many seconds of them: those of its module, then quick ones.

        They are in an order in which those of a file follow each other.
        """
        own = f"test_{Path(mutant.file).name}"
        tests = sorted(
            self._running(mutant), key=lambda one: (not _file(one).endswith(own), self.seconds[one])
        )
        before = accumulate((self.seconds[one] for one in tests), initial=0.0)
        taken = [one for one, start in zip(tests, before, strict=False) if start < most_s]
        total: Counter[str] = Counter()
        for one in taken:
            total[_file(one)] += self.seconds[one]
        files = {file: (not file.endswith(own), seconds, file) for file, seconds in total.items()}
        return sorted(taken, key=lambda one: (files[_file(one)], self.seconds[one]))

    def _running(self, mutant: Mutant) -> list[str]:
        """Tests that run a statement, by themselves or in a shared fixture."""
        first, last = statement((SRC / mutant.file).read_text(encoding="utf-8"), mutant.line)
        contexts = self._contexts(mutant.file, first, last)
        if last == sys.maxsize:
            contexts |= {one for file in importers(mutant.file) for one in self._contexts(file, first, last)}
        return [
            one for one, shared in self.shared.items() if one in contexts or contexts.intersection(shared)
        ]

    def _contexts(self, file: str, first: int, last: int) -> set[str]:
        lines = self.lines.get(file, {})
        return {one for line, found in lines.items() if first <= int(line) <= last for one in found}

    def limit(self, tests: list[str]) -> float:
        """Seconds after which these tests are stopped."""
        fixtures = {shared for one in tests for shared in self.shared[one]}
        return LIMIT_FACTOR * sum(self.seconds.get(one, 0.0) for one in (*tests, *fixtures)) + LIMIT_S


def statement(source: str, line: int) -> tuple[int, int]:
    """First and last line of the statement at a line; for the head of a function, of the function.

    Of the whole file if the statement runs at import or its result is kept.
    """
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and _first(node) <= line <= (node.end_lineno or 0)
    ]
    around.sort(key=_first)
    functions = [node for node in around if isinstance(node, ast.FunctionDef)]
    kept = any("cache" in ast.unparse(one) for node in functions for one in node.decorator_list)
    if not functions or kept:
        return 1, sys.maxsize
    inner = around[-1]
    body = getattr(inner, "body", None)
    if not body or inner is functions[-1]:
        return inner.lineno, inner.end_lineno or inner.lineno
    return inner.lineno, max(body[0].lineno - 1, inner.lineno)


def _file(test: str) -> str:
    """File of a test."""
    return test.split("::", maxsplit=1)[0]


def _first(node: ast.stmt) -> int:
    """First line of a statement, with its decorators."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def importers(file: str) -> set[str]:
    """Files of the four packages that import something from a file."""
    name = file.removesuffix(".py").replace("/", ".")
    files = (path for package in PACKAGES for path in (SRC / "escape_score" / package).rglob("*.py"))
    return {str(path.relative_to(SRC)) for path in files if f"from {name} import" in path.read_text("utf-8")}


# --- the run


class Chosen:
    """Runs only some tests, in a given order, and notes the first that fails."""

    def __init__(self, tests: list[str], note: Path) -> None:
        self._place, self._note = {one: place for place, one in enumerate(tests)}, note

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = sorted(
            (one for one in items if one.nodeid in self._place), key=lambda one: self._place[one.nodeid]
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self._note.write_text(f"{report.nodeid}\n{report.longreprtext[-600:]}", encoding="utf-8")

    pytest_collectreport = pytest_runtest_logreport


class Mutated(importlib.abc.MetaPathFinder, SourceFileLoader):
    """Finds one module, and loads the text of a mutant in its place."""

    def __init__(self, mutant: Mutant) -> None:
        name = mutant.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        SourceFileLoader.__init__(self, name, str(SRC / mutant.file))
        self._text = mutant.source

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is the mutated one."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:
        """Compile the mutant without keeping its code; a warning about its syntax fails no test."""
        with warnings.catch_warnings(action="ignore"):
            return compile(self._text, self.path, "exec", dont_inherit=True)


def run_pytest(arguments: list[str], folder: Path, plugin: object) -> int:
    """Run tests in this process; compiled functions are kept in the folder."""
    import numba

    numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(folder / "kernels")
    fixed = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", f"--basetemp={folder / 'tmp'}"]
    # the libraries are imported before pytest starts
    fixed += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main([*fixed, *arguments], plugins=[plugin]))


def stale(file: str) -> list[Path]:
    """Compiled functions of a file, and of all files that use it."""
    found, more = {file}, {file}
    while more:
        more = {one for name in more for one in importers(name)} - found
        found |= more
    return [path for name in found for path in KERNELS.glob(f"*/{Path(name).stem}.*")]


def in_process(work: Callable[[], int], log: Path, limit: float) -> int | None:
    """Fork a process that works; give its exit code, or nothing if it was stopped at the limit."""
    child = os.fork()
    if not child:
        os.setsid()
        with log.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        code = FAULT
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def judge(mutant: Mutant, tests: list[str], limit: float) -> dict[str, Any]:
    """Whether the tests notice a mutant, and by which test."""
    if not tests:
        return {"outcome": "no test"}
    without = {path.name for path in stale(mutant.file)}

    def work() -> int:
        shutil.copytree(KERNELS, folder / "kernels", ignore=lambda _, names: without.intersection(names))
        sys.meta_path.insert(0, Mutated(mutant))
        files = sorted({one.split("::")[0] for one in tests})
        return run_pytest([*files, "-x"], folder, Chosen(tests, folder / "note"))

    with tempfile.TemporaryDirectory(dir=BUILD) as name:
        folder = Path(name)
        start = time.monotonic()
        code = in_process(work, folder / "log", limit + COMPILE_S * bool(without))
        note = folder / "note" if (folder / "note").exists() else folder / "log"
        outcome = {0: "survived", None: "too long"}.get(code, "killed")
        found = {"outcome": outcome, "seconds": round(time.monotonic() - start, 1), "tests": len(tests)}
        return found | {"code": code, "by": note.read_text("utf-8", "replace")[-700:] if code else ""}


def prepare() -> Tests:
    """Import what all processes share, and learn which tests run which lines."""
    sys.path[:0] = [str(SRC), str(ROOT)]
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    for name in LIBRARIES.split():
        importlib.import_module(name)
    if not TOUCHED.exists():
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            code = in_process(lambda: record(Path(folder)), BUILD / "record.log", 3600)
            if code:
                sys.exit(f"error: {BUILD / 'record.log'}: the tests fail without a change; fix them first")
            shutil.rmtree(KERNELS, ignore_errors=True)
            shutil.move(Path(folder) / "kernels", KERNELS)
    return Tests(**json.loads(TOUCHED.read_text(encoding="utf-8")))


def chosen(text: str, count: int) -> set[int]:
    """Numbers of mutants, from a list such as ``3,10-19``; all without one."""
    if not text:
        return set(range(count))
    ends = [part.split("-") for part in text.split(",")]
    return {number for part in ends for number in range(int(part[0]), int(part[-1]) + 1)}


def report(results: dict[int, dict[str, Any]]) -> None:
    """Print the share that was killed, and what survived."""
    for number, one in sorted(results.items()):
        if one["outcome"] in {"survived", "no test"}:
            place = f"{one['file']}:{one['line']}"
            print(f"{number:4} {one['outcome']:9} {place}: {one['before']}  ->  {one['after']}")
    outcomes = Counter(one["outcome"] for one in results.values())
    killed = outcomes["killed"] + outcomes["too long"]
    print(f"{killed} of {len(results)} mutants were killed ({killed / len(results):.1%}): {dict(outcomes)}")


def main() -> None:
    """Draw, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of tests for a mutant, quickest first")
    parser.add_argument("--only", default="", help="numbers of mutants to test again: 3,10-19")
    options = parser.parse_args()
    os.chdir(ROOT)
    tests = prepare()
    earlier = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    results = {one["number"]: one for one in map(json.loads, earlier)}
    wanted = chosen(options.only, options.count) - (set() if options.only else set(results))
    for mutant in draw(options.count, options.seed):
        if mutant.number not in wanted:
            continue
        chosen_tests = tests.of(mutant, options.seconds)
        found = asdict(mutant) | judge(mutant, chosen_tests, tests.limit(chosen_tests))
        del found["source"]
        results[mutant.number] = found
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        print(mutant.number, mutant.file, mutant.line, found["outcome"], found.get("seconds", ""), flush=True)
    report(results)


if __name__ == "__main__":
    main()
