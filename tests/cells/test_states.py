"""States of T cells and myeloid cells, on cells simulated from the shipped profiles."""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.sparse as sp

from escape_score.cells.states import SHARES, cell_states, state_genes, state_quantities
from escape_score.library.axes import load_design
from escape_score.library.cell_quantities import QuantityGroup, load_quantities
from escape_score.library.cell_states import load_states
from escape_score.library.files import resource_path
from escape_score.model.cells import CODE_OF, CellQuantity, Compartment, PatientCells
from escape_score.model.record import Call

N_STATES_GROUP = 9
DEPTHS = (1.0, 0.5, 0.25)


def simulated(
    profile: str, state: str, n_cells: int, depth: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Counts of the genes of a profile in cells of one state, and the depth of each cell."""
    shipped = load_states()[profile]
    at = shipped.states.index(state)
    n_umi = depth * np.exp(0.4 * rng.standard_normal(n_cells))
    size = 1 / shipped.dispersion[at]
    rates = rng.gamma(size, 1 / size, (n_cells, len(size))) * np.exp(shipped.log_rate[at])
    counts = rng.poisson(n_umi[:, None] * rates)
    return {"n_umi": n_umi, **dict(zip(shipped.gene_symbols, counts.T, strict=True))}


def joined(parts: list[tuple[Compartment, list[dict[str, np.ndarray]]]]) -> PatientCells:
    """Cells of a patient; a later profile of the same cells overwrites genes that both have."""
    cells = [
        (compartment, {k: v for part in layers for k, v in part.items()}) for compartment, layers in parts
    ]
    genes = state_genes()
    columns = [
        np.column_stack([counts.get(gene, np.zeros(len(counts["n_umi"]))) for gene in genes])
        for _, counts in cells
    ]
    matrix = np.vstack(columns)
    n_umi = np.concatenate([counts["n_umi"] for _, counts in cells])
    codes = np.concatenate([np.full(len(counts["n_umi"]), CODE_OF[kind]) for kind, counts in cells])
    return PatientCells(
        "p",
        ("s",),
        genes,
        sp.csr_array(matrix),
        n_umi,
        codes.astype(np.int8),
        np.zeros(len(n_umi), dtype=np.int32),
        matrix.sum(axis=0)[None],
        np.array([n_umi.sum()]),
        np.array([np.nan]),
    )


@cache
def patient(depth: float = 4000.0, *, exhausted: int = 40, tregs: int = 30, seed: int = 3) -> PatientCells:
    """100 CD8 T cells, 100 other T cells, 80 myeloid, 20 NK and 50 malignant cells."""
    rng = np.random.default_rng(seed)

    def t(state: str, cd8_state: str, n_cells: int) -> tuple[Compartment, list[dict[str, np.ndarray]]]:
        inner = simulated("cd8", cd8_state, n_cells, depth, rng)
        lineage = simulated("t", state, n_cells, 1.0, rng)
        again = {**lineage, "n_umi": inner["n_umi"]}
        shipped = load_states()["t"]
        size = 1 / shipped.dispersion[shipped.states.index(state)]
        rates = np.exp(shipped.log_rate[shipped.states.index(state)]) * rng.gamma(
            size, 1 / size, (n_cells, len(size))
        )
        counts = rng.poisson(inner["n_umi"][:, None] * rates)
        again.update(dict(zip(shipped.gene_symbols, counts.T, strict=True)))
        return (Compartment.T, [again, inner] if state == "cd8" else [again])

    nothing = {"n_umi": np.full(50, depth)}
    parts = [
        t("cd8", "exhausted", exhausted),
        t("cd8", "effector", 100 - exhausted),
        t("treg", "effector", tregs),
        t("cd4", "effector", 100 - tregs),
        (Compartment.MYELOID, [simulated("myeloid", "tam_like", 50, depth, rng)]),
        (Compartment.MYELOID, [simulated("myeloid", "mdsc_like", 20, depth, rng)]),
        (Compartment.MYELOID, [simulated("myeloid", "dendritic", 10, depth, rng)]),
        (Compartment.NK, [{"n_umi": np.full(20, depth)}]),
        (Compartment.MALIGNANT, [nothing]),
    ]
    return joined([part for part in parts if len(part[1][0]["n_umi"])])


@cache
def by_id(cells: PatientCells, *, seed: int = 0) -> dict[str, CellQuantity]:
    return {quantity.quantity: quantity for quantity in state_quantities(cells, seed=seed)}


def without(cells: PatientCells, *genes: str) -> PatientCells:
    keep = [gene not in genes for gene in cells.gene_symbols]
    kept = tuple(gene for gene in cells.gene_symbols if gene not in genes)
    return replace(cells, gene_symbols=kept, counts=cells.counts[:, np.flatnonzero(keep)])


def at(cells: PatientCells, rows: np.ndarray) -> PatientCells:
    return replace(
        cells,
        counts=cells.counts[rows],
        n_umi=cells.n_umi[rows],
        codes=cells.codes[rows],
        sample_of=cells.sample_of[rows],
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_shares_are_found_at_any_depth(depth: float) -> None:
    found = by_id(patient(4000 * depth))
    for quantity, truth, error in (
        ("cd8_share_of_t", 0.5, 0.1),
        ("cd8_exhausted_share", 0.4, 0.12),
        ("treg_share_of_t", 0.15, 0.06),
        ("tam_like_share_of_myeloid", 50 / 80, 0.12),
        ("mdsc_like_share_of_myeloid", 20 / 80, 0.12),
        ("effector_share", 120 / 350, 0.08),
    ):
        assert found[quantity].value == pytest.approx(truth, abs=error), quantity
        assert found[quantity].low <= truth <= found[quantity].high or quantity == "effector_share"


def test_absent_states_have_an_interval_from_zero() -> None:
    found = by_id(patient(exhausted=0, tregs=0))
    assert found["cd8_exhausted_share"].low == 0
    assert found["treg_share_of_t"].low == 0
    assert found["cd8_exhausted_share"].call is Call.NOT_DETECTED


def test_a_majority_of_exhausted_cells_is_called() -> None:
    found = by_id(patient(exhausted=95))["cd8_exhausted_share"]
    assert found.call is Call.DETECTED
    assert found.low >= (load_quantities()["cd8_exhausted_share"].threshold or math.inf)


def test_more_exhausted_cells_raise_share_and_score() -> None:
    few, many = by_id(patient(exhausted=10)), by_id(patient(exhausted=80))
    for quantity in ("cd8_exhausted_share", "cd8_exhaustion_score"):
        assert many[quantity].low > few[quantity].high


def test_thinning_moves_shares_less_than_their_error() -> None:
    cells, rng = patient(), np.random.default_rng(0)
    thin = replace(
        cells,
        n_umi=cells.n_umi / 4,
        counts=sp.csr_array(rng.binomial(cells.counts.toarray().astype(int), 0.25)),
    )
    deep, shallow = by_id(cells), by_id(thin)
    for share in SHARES:
        assert deep[share.quantity].low <= shallow[share.quantity].value <= deep[share.quantity].high


def test_order_of_cells_changes_nothing() -> None:
    cells = patient()
    order = np.random.default_rng(1).permutation(len(cells.n_umi))
    straight, shuffled = by_id(cells), by_id(at(cells, order))
    for quantity, found in straight.items():
        numbers = (found.value, found.low, found.high)
        other = shuffled[quantity]
        assert numbers == pytest.approx((other.value, other.low, other.high), abs=2e-3, nan_ok=True)
        assert found.reason.kind == other.reason.kind


def test_the_same_seed_gives_the_same_quantities() -> None:
    cells = patient()
    assert state_quantities(cells, seed=5) == state_quantities(cells, seed=5)


def test_all_quantities_come_in_the_order_of_the_table() -> None:
    wanted = [
        d.quantity
        for d in load_quantities().values()
        if d.group in {QuantityGroup.T_CELLS, QuantityGroup.MYELOID}
    ]
    empty = at(patient(), np.array([], dtype=int))
    assert len(wanted) == N_STATES_GROUP
    for cells in (patient(), empty, replace(patient(), is_umi=False)):
        assert [quantity.quantity for quantity in state_quantities(cells, seed=0)] == wanted


def test_few_cells_are_not_evaluable_and_never_zero() -> None:
    cells = patient()
    few = at(cells, np.r_[0:5, 110:115, 205:210, 285:290])
    for found in by_id(few).values():
        assert math.isnan(found.value)
        assert math.isnan(found.low)
        assert found.reason.kind == "few_cells"
        assert dict(found.reason.params)["n"] == found.n_cells
        assert dict(found.reason.params)["least"] == load_quantities()[found.quantity].min_cells


def test_reads_have_levels_but_no_shares() -> None:
    found = by_id(replace(patient(), is_umi=False))
    for share in SHARES:
        assert math.isnan(found[share.quantity].value)
        assert found[share.quantity].reason.kind == "no_umi"
    assert math.isfinite(found["cd8_exhaustion_score"].value)


def test_without_cd8_genes_nothing_of_cd8_cells_is_evaluable() -> None:
    found = by_id(without(patient(), "CD8A", "CD8B"))
    for quantity in (
        "cd8_share_of_t",
        "cd8_exhausted_share",
        "cd8_stem_like_share",
        "cd8_exhaustion_score",
        "effector_share",
    ):
        assert math.isnan(found[quantity].value)
        assert found[quantity].reason.kind == "no_genes"
    assert math.isfinite(found["treg_share_of_t"].value)


def test_some_missing_genes_widen_the_interval_and_half_of_them_end_it() -> None:
    markers = load_states()["cd8"].markers("exhausted")
    cells = patient()
    whole, some, most = (by_id(without(cells, *markers[:n]))["cd8_exhausted_share"] for n in (0, 4, 6))
    assert some.high - some.low > whole.high - whole.low
    assert most.reason.kind == "few_genes"
    assert most.call is Call.NOT_EVALUABLE


def test_an_interval_that_is_too_wide_is_not_evaluable() -> None:
    cells = patient(150.0)
    found = by_id(at(cells, np.r_[0:12, 40:70, 100:200]))["cd8_exhausted_share"]
    assert math.isnan(found.value)
    assert found.reason.kind in {"wide_interval", "few_cells"}


def test_probabilities_are_of_the_cells_they_describe() -> None:
    cells = patient()
    found = cell_states(cells)
    t, myeloid = cells.rows(Compartment.T), cells.rows(Compartment.MYELOID)
    for state, rows in (("cd8", t), ("treg", t), ("tam_like", myeloid), ("mdsc_like", myeloid)):
        assert np.array_equal(np.flatnonzero(~np.isnan(found[state])), rows)
    is_cd8 = ~np.isnan(found["exhausted"])
    assert np.array_equal(is_cd8, found["cd8"] >= load_design().thresholds.cell_state.least_probability)
    for state, inside, outside in (
        ("exhausted", range(40), range(40, 100)),
        ("treg", range(100, 130), range(130, 200)),
    ):
        assert np.nanmean(found[state][inside]) > 0.7
        assert np.nanmean(found[state][outside]) < 0.2


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_states", resource_path("cells", "build_states.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_table_is_what_the_script_makes_of_its_wheels(builder: ModuleType, wheels: Path) -> None:
    made = builder.all_rows(
        *(read(wheels) for read in (builder.spectra_cells, builder.scirpy_cells, builder.qian_cells))
    )
    shipped = resource_path("cells", "states.tsv").read_text(encoding="utf-8").splitlines()
    assert shipped == ["\t".join(map(str, row)) for row in (builder.COLUMNS, *made)]


def test_every_marker_is_higher_in_its_state(builder: ModuleType) -> None:
    for profile, states in builder.MARKERS.items():
        shipped = load_states()[profile]
        assert shipped.states == tuple(states)
        top = shipped.is_marker.argmax(axis=0)
        highest = shipped.log_rate.argmax(axis=0)
        assert (top == highest).mean() > 0.85, profile
    assert np.isfinite(shipped.log_rate).all()


def test_anchored_rates_find_states_without_labels(builder: ModuleType) -> None:
    rng, shipped = np.random.default_rng(4), load_states()["cd8"]
    parts = [
        simulated("cd8", state, n, 4000.0, rng)
        for state, n in zip(shipped.states, (60, 120, 120), strict=True)
    ]
    counts = np.vstack([np.column_stack([part[gene] for gene in shipped.gene_symbols]) for part in parts])
    n_umi = np.concatenate([part["n_umi"] for part in parts])
    cells = builder.Cells(counts.astype(float), shipped.gene_symbols, n_umi, np.full(len(n_umi), "x"))
    rates = builder.anchored_rates(cells, "cd8", builder.marker_start(cells, "cd8"), 1.0)
    assert rates.n_cells[0] == pytest.approx(60, abs=15)
    is_exhausted = shipped.is_marker[0]
    found = builder.log_rates(rates)[0][0, is_exhausted]
    assert found == pytest.approx(shipped.log_rate[0, is_exhausted], abs=0.6)


def test_a_changed_wheel_is_refused(builder: ModuleType, tmp_path: Path) -> None:
    (tmp_path / builder.SCIRPY.file_name).write_bytes(b"other")
    with pytest.raises(builder.WheelChangedError, match="sha256"):
        builder.wheel_path(builder.SCIRPY, tmp_path)
