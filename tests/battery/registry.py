"""All cases."""

from __future__ import annotations

from tests.battery import (
    cells,
    config,
    container,
    controls,
    dialect,
    file,
    gene_ids,
    gene_sets,
    hostile,
    sample_names,
    shape,
    sheet,
    values,
)
from tests.battery.case import Case

MODULES = (
    controls,
    container,
    dialect,
    gene_ids,
    values,
    shape,
    file,
    sample_names,
    sheet,
    gene_sets,
    config,
    hostile,
    cells,
)

CATEGORIES = tuple(module.CATEGORY for module in MODULES)

CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.cases())
