"""The import rules of ARCHITECTURE.md, read off the syntax trees of the package."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "escape_score"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PLUGIN = PACKAGE.parent / "snakemake_logger_plugin_escape_score" / "__init__.py"
LAYERS = (
    {"errors"},
    {"model"},
    {"library", "genes", "config", "store"},
    {"reference"},
    {"read", "harmonise", "score"},
    {"profile", "cells"},
    {"fit"},
    {"statistics", "export", "report"},
    {"pipeline"},
    {"launch", "pl"},
    {"cli"},
    {"__main__"},
)
"""From the lowest up: a module imports its own package and what is below it, and only these neighbours."""
NEIGHBOURS = {("genes", "library"), ("config", "library"), ("store", "library")}
PUBLIC = {"", "__version__"}
SNAKEMAKE = "launch"
HEAVY = {
    "formulaic",
    "gseapy",
    "lifelines",
    "llvmlite",
    "matplotlib",
    "numba",
    "scanpy",
    "sklearn",
    "statsmodels",
    "umap",
    "zarr",
}
SEEDED = {"default_rng", "Generator", "SeedSequence", "PCG64", "BitGenerator"}
EFFECTS = {
    *("open", "print", "input", "exec", "eval", "read_text", "read_bytes", "write_text", "write_bytes"),
    *(
        "read_csv",
        "read_table",
        "read_parquet",
        "read_h5ad",
        "read_excel",
        "read_json",
        "load",
        "loads",
        "safe_load",
    ),
    *("mkdir", "unlink", "chdir", "exists", "is_file", "is_dir", "iterdir", "glob", "rglob", "cwd", "getcwd"),
    *("getenv", "putenv", "basicConfig", "addHandler", "setLevel", "simplefilter", "filterwarnings"),
    *("Popen", "check_output", "check_call", "seed", "default_rng", "urlopen", "now", "today", "time"),
}


def module_of(source: Path) -> str:
    """``read/text.py`` → ``read.text``; a package is named like its folder."""
    parts = source.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported anywhere in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(source: Path) -> set[str]:
    """Modules of this package that a file imports, without the package's name."""
    names = imported(tree_of(source))
    return {name.removeprefix("escape_score.") for name in names if name.startswith("escape_score.")}


def component(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes evaluated when a module is imported: everything but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for evaluated in (
                *child.decorator_list,
                *child.args.defaults,
                *filter(None, child.args.kw_defaults),
            ):
                yield evaluated
                yield from run_at_import(evaluated)
        elif isinstance(child, ast.Lambda) or _is_for_types(child):
            continue
        elif not _is_main_guard(child):
            yield child
            yield from run_at_import(child)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ ==")


def called_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@functools.cache
def tree_of(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


def offences(find: Callable[[Path], Iterable[object]]) -> dict[str, list[object]]:
    """What breaks a rule, by module."""
    found = {module_of(source): list(find(source)) for source in SOURCES}
    return {module: places for module, places in found.items() if places}


def test_package_is_found() -> None:
    assert {"errors", "model"} <= {component(module_of(source)) for source in SOURCES}


def floor_of(name: str) -> int:
    return next(floor for floor, packages in enumerate(LAYERS) if name in packages)


def above(source: Path) -> set[str]:
    """Parts of the package that a module imports and may not."""
    name = component(module_of(source))
    if name == "":
        return set()
    allowed = {other for packages in LAYERS[: floor_of(name)] for other in packages}
    neighbours = {other for own, other in NEIGHBOURS if own == name}
    used = {component(target) for target in own_imports(source)} - PUBLIC - {name}
    return used - allowed - neighbours


def test_modules_import_only_lower_layers() -> None:
    assert offences(above) == {}


def beyond_records(source: Path) -> list[str]:
    if component(module_of(source)) != "report":
        return []
    targets = [target for target in own_imports(source) if component(target) != "report"]
    allowed = ("errors", "model.record")
    return [target for target in targets if target not in PUBLIC and not target.startswith(allowed)]


def test_report_imports_only_errors_and_records() -> None:
    assert offences(beyond_records) == {}


def test_components_form_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for source in SOURCES:
        name = component(module_of(source))
        graph.setdefault(name, set()).update({component(target) for target in own_imports(source)} - {name})
    assert list(graphlib.TopologicalSorter(graph).static_order())


def lines_of(source: Path, is_wrong: Callable[[ast.AST], bool]) -> list[str]:
    found = (node for node in ast.walk(tree_of(source)) if is_wrong(node))
    return [f"line {getattr(node, 'lineno', 0)}: {ast.unparse(node)}" for node in found]


def test_modules_have_no_relative_import() -> None:
    def is_relative(node: ast.AST) -> bool:
        return isinstance(node, ast.ImportFrom) and node.level > 0

    assert offences(lambda source: lines_of(source, is_relative)) == {}


def snakemake_words(source: Path) -> set[str]:
    if component(module_of(source)) == SNAKEMAKE:
        return set()
    nodes = ast.walk(tree_of(source))
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names = {component(name).split("_", maxsplit=1)[0] for name in imported(tree_of(source))}
    return {"snakemake"} & (words | names)


def test_modules_leave_snakemake_to_the_launcher() -> None:
    assert offences(snakemake_words) == {}


def test_plugin_imports_the_launcher_and_its_interface_alone() -> None:
    names = set(imported(ast.parse(PLUGIN.read_text(encoding="utf-8"))))
    others = {name for name in names if component(name) not in sys.stdlib_module_names}
    allowed = (f"escape_score.{SNAKEMAKE}.", "snakemake_interface_logger_plugins.")
    assert [name for name in others if not name.startswith(allowed)] == []


def test_plugin_starts_without_the_matrix_libraries() -> None:
    # Snakemake imports it at every start, whether it is asked for or not.
    assert loaded_by(f"import {PLUGIN.parent.name}", "anndata", "pandas", "rich", "scipy") == []


def heavy_imports(source: Path) -> set[str]:
    nodes = [node for node in run_at_import(tree_of(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    at_import = ast.Module(body=list[ast.stmt](nodes), type_ignores=[])
    return {component(name) for name in imported(at_import)} & HEAVY


def test_modules_import_heavy_libraries_only_inside_functions() -> None:
    assert offences(heavy_imports) == {}


def effects(source: Path) -> list[str]:
    calls = [node for node in run_at_import(tree_of(source)) if isinstance(node, ast.Call)]
    return [f"line {call.lineno}: {called_name(call)}" for call in calls if called_name(call) in EFFECTS]


def test_modules_do_nothing_at_import() -> None:
    assert offences(effects) == {}


def test_modules_keep_no_global_state() -> None:
    assert offences(lambda source: lines_of(source, lambda node: isinstance(node, ast.Global))) == {}


def is_unseeded(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return called_name(node) == "default_rng" and not node.args
    is_of_numpy = isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}
    return is_of_numpy and getattr(node, "attr", "") not in SEEDED


def test_modules_draw_only_from_a_seeded_generator() -> None:
    assert offences(lambda source: lines_of(source, is_unseeded)) == {}
    assert offences(lambda source: {"random"} & set(imported(tree_of(source)))) == {}


def loaded_by(statement: str, *libraries: str) -> list[str]:
    """Those of some libraries that a statement imports."""
    program = f"import sys; {statement}; print(*{set(libraries)} & set(sys.modules))"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    ).stdout.split()


def test_rendering_starts_without_the_matrix_libraries() -> None:
    assert loaded_by("import escape_score.report", "anndata", "pandas", "scanpy", "scipy") == []


def test_profiling_starts_without_libraries_that_few_runs_need() -> None:
    # they take longer to import than the profile of one sample takes to compute
    parts = (
        "escape_score.pipeline.profiling, escape_score.pipeline.profiles, escape_score.pipeline.cells.stages"
    )
    assert (
        loaded_by(f"import {parts}", "openpyxl", "scipy.stats", "scipy.optimize", "sklearn", "matplotlib")
        == []
    )
