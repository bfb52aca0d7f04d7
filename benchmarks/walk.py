"""Follow a matrix through the package: which modules a run passes it to, and how often it climbs back up.

    python benchmarks/walk.py [MATRIX] [UNITS]

A stop is a call of a function of the package that gets the matrix in the form it has by then: path, opened
matrix, cohort, harmonised cohort or the source of its blocks. Methods of these objects are not stops. A climb
is a stop on a higher layer than the one before; tests/test_architecture.py names the layers. Prints the
stops, then modules and climbs from ``run`` to the scores.
"""

from __future__ import annotations

import inspect
import runpy
import sys
from itertools import groupby, pairwise
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "resources" / "demo" / "expression.parquet"
CARRIERS = {"Cohort", "HarmonisedCohort", "MatrixReading", "SignatureScores"}


def carries(value: object, matrix: Path) -> bool:
    """Whether a value is the matrix in one of its forms."""
    is_path = isinstance(value, Path) and value == matrix
    is_source = hasattr(value, "block") and hasattr(value, "gene_ids")
    return is_path or is_source or type(value).__name__ in CARRIERS


def followed(matrix: Path, units: str) -> list[str]:
    """Modules of the stops from ``run`` to the scores, in order."""
    from escape_score.pipeline import profiling
    from escape_score.pipeline.profiling import ProfileOptions, profile_opened
    from escape_score.read import read_cohort

    package = Path(profiling.__file__).parents[1]
    stops = [f"{package.name}.cli.run"]

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(str(package)):
            return
        names = inspect.getargs(frame.f_code).args
        held = [frame.f_locals.get(name) for name in names if name not in {"self", "cls"}]
        module = str(frame.f_globals["__name__"])
        if any(carries(value, matrix) for value in held) and ".model." not in module:
            stops.append(module)

    sys.setprofile(watch)
    try:
        profile_opened(lambda: read_cohort(matrix, units=units), ProfileOptions())
    finally:
        sys.setprofile(None)
    last = max(at for at, module in enumerate(stops) if module.startswith("escape_score.score"))
    return [module for module, _ in groupby(stops[: last + 1])]


def main() -> None:
    """Print stops, modules and climbs."""
    matrix = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO
    stops = followed(matrix, sys.argv[2] if len(sys.argv) > 2 else "counts")
    layers = runpy.run_path(str(ROOT / "tests" / "test_architecture.py"))["LAYERS"]
    floor = {package: at for at, packages in enumerate(layers) for package in packages}
    floors = [floor[module.split(".")[1]] for module in stops]
    for module, level in zip(stops, floors, strict=True):
        print(f"{level:3d}  {module}")
    climbs = sum(later > earlier for earlier, later in pairwise(floors))
    print(f"{len(set(stops))} modules, {climbs} climbs back up, {len(stops)} stops")


if __name__ == "__main__":
    main()
