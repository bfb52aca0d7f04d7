"""The antigen-presentation model against a slow computation, and what must hold of its tests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import ReferenceInvalidError
from escape_score.library.axes import load_axis_catalogue, load_thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel, Reference
from escape_score.pipeline.profiles import Profiles
from escape_score.profile.mhc.presentation import (
    PresentationState,
    as_if_measured,
    chain_loss,
    hypotheses,
    loss_of,
)
from escape_score.reference.read import load_reference

LIMITS = load_thresholds().presentation
SHIPPED = load_reference()
CHAIN = ("B2M", "HLA-A", "HLA-B", "HLA-C", "TAP1", "TAP2", "TAPBP")
PAIRS = load_axis_catalogue().class_one.lost_together


StateOf = Callable[..., PresentationState]


def model_of(reference: Reference) -> PresentationModel:
    assert reference.presentation is not None
    return reference.presentation


def test_assess_presentation_agrees_with_a_slow_computation(demo: Profiles) -> None:
    class_one = demo.maker.context.class_one
    model, state = model_of(demo.reference), class_one.state
    assert state is not None
    genes, constants = demo.scores.genes, demo.reference.constants
    excess = np.maximum(demo.scores.placement.distance**2 - demo.reference.anchor_distance**2, 0.0)
    n = len(model.gene_symbols)
    for row in range(8):
        levels = dict(zip(genes.gene_symbols, genes.log2_tpm[row].tolist(), strict=True))
        fraction = class_one.infiltrate.fraction[row]
        unit = fraction * constants.leukocyte_cap_tpm
        z = []
        for gene, per_unit in constants.ifng_per_leukocyte_unit.items():
            at = demo.reference.genes.symbols.index(gene)
            tpm = 2 ** levels[gene] - 1
            own = max((tpm - per_unit * unit) / (1 - fraction), 0.05 * tpm)
            for level in (levels[gene], math.log2(own + 1)):
                distance = (level - demo.reference.genes.location[at]) / demo.reference.genes.spread[at]
                z.append(max(-5.0, min(5.0, distance)))
        ifng = sum(z) / len(z)
        residual, shift, own_share, noise = [], [], [], []
        for k, gene in enumerate(model.gene_symbols):
            tumour = (1 - fraction) * 2 ** (model.location[k] + model.ifng_slope[k] * ifng)
            leukocytes = LIMITS.leukocyte_mhc_factor * model.per_leukocyte_unit[k] * unit
            share = leukocytes / (tumour + leukocytes)
            residual.append(levels[gene] - math.log2(tumour + leukocytes + 1))
            shift.append(math.log2((1 - share) * 0.2 + share))
            own_share.append(1 - share)
            sd = LIMITS.leukocyte_b2m_sd_log2 if gene == "B2M" else LIMITS.leukocyte_mhc_sd_log2
            noise.append((share * sd) ** 2 + LIMITS.link_noise_sd_log2**2)
        matrix = model.covariance * np.outer(own_share, own_share)
        error = LIMITS.link_distance_factor**2 * excess[row]
        precision = np.linalg.inv(matrix + np.diag(noise) + error * np.eye(n))
        np.testing.assert_allclose(state.residual[row], residual, atol=1e-10)
        for lost in (model.gene_symbols, ("B2M",), ("TAP1", "TAP2")):
            moved = np.array(
                [s if g in lost else 0.0 for g, s in zip(model.gene_symbols, shift, strict=True)]
            )
            power = math.sqrt(moved @ precision @ moved)
            found = loss_of(state, lost)
            direction = precision @ moved / power
            assert found.z[row] == pytest.approx(direction @ residual, abs=1e-8)
            assert found.detectable_sd[row] == pytest.approx(power, abs=1e-8)


@given(st.floats(0.0, 400.0), st.floats(-2.0, 2.0), st.sampled_from([*CHAIN, "TAP1+TAP2"]))
def test_a_sample_at_its_expectation_has_lost_nothing(
    state_of: StateOf, unit: float, ifng: float, name: str
) -> None:
    test = loss_of(state_of(unit=unit, ifng=ifng), hypotheses(CHAIN, PAIRS)[name])
    assert abs(test.z[0]) < 1e-6
    assert test.detectable_sd[0] > 0


@given(st.sampled_from(CHAIN), st.floats(0.0, 3.0), st.floats(0.01, 2.0), st.floats(0.0, 300.0))
def test_loss_grows_as_a_gene_falls(
    state_of: StateOf, gene: str, fall: float, more: float, unit: float
) -> None:
    less = loss_of(state_of({gene: -fall}, unit=unit), (gene,)).z[0]
    assert loss_of(state_of({gene: -fall - more}, unit=unit), (gene,)).z[0] > less


@given(st.floats(0.0, 3.0), st.floats(0.01, 2.0), st.floats(0.0, 300.0))
def test_chain_loss_grows_as_a_loss_deepens(state_of: StateOf, fall: float, more: float, unit: float) -> None:
    """Along the loss itself, each gene as far as its infiltrate lets it fall."""
    shift = dict(zip(state_of(unit=unit).gene_symbols, state_of(unit=unit).shift[0], strict=True))
    deep, deeper = (
        chain_loss(state_of({g: size * s for g, s in shift.items()}, unit=unit), LIMITS).z[0]
        for size in (fall, fall + more)
    )
    assert deeper > deep


@given(st.sampled_from([*CHAIN, "TAP1+TAP2"]), st.floats(0.0, 400.0), st.floats(5.0, 100.0))
def test_infiltrate_hides_a_loss(state_of: StateOf, name: str, unit: float, more: float) -> None:
    lost = hypotheses(CHAIN, PAIRS)[name]
    seen = loss_of(state_of(unit=unit), lost).detectable_sd[0]
    assert loss_of(state_of(unit=unit + more), lost).detectable_sd[0] < seen


@given(st.sampled_from(CHAIN), st.floats(0.1, 2.0))
def test_distance_to_the_reference_hides_a_loss(state_of: StateOf, gene: str, excess: float) -> None:
    near = loss_of(state_of(), (gene,))
    far = loss_of(state_of(excess=excess), (gene,))
    assert far.detectable_sd[0] < near.detectable_sd[0]


@pytest.mark.parametrize("missing", [("NLRC5",), ("HLA-A", "PSMB8", "TAPBP")])
def test_a_gene_that_is_not_measured_takes_no_part(missing: tuple[str, ...], state_of: StateOf) -> None:
    """The same numbers as from a model that never had the gene."""
    shifts = {"B2M": -1.0, "TAP1": 0.5}
    state = state_of({**shifts, **dict.fromkeys(missing, math.nan)})
    model = model_of(SHIPPED)
    keep = [k for k, symbol in enumerate(model.gene_symbols) if symbol not in missing]
    smaller = PresentationModel(
        tuple(model.gene_symbols[k] for k in keep),
        model.location[keep],
        model.ifng_slope[keep],
        model.per_leukocyte_unit[keep],
        model.covariance[np.ix_(keep, keep)],
    )
    levels = state_of(shifts)
    for lost in (model.gene_symbols, ("B2M",)):
        small = PresentationState(
            smaller,
            levels.residual[:, keep],
            levels.shift[:, keep],
            np.linalg.inv(np.linalg.inv(levels.precision)[:, keep][:, :, keep]),
            levels.is_measured[:, keep],
            levels.share[:, keep],
            levels.error[:, keep],
        )
        assert loss_of(state, lost).z[0] == pytest.approx(loss_of(small, lost).z[0], abs=1e-9)
        found, expected = (loss_of(s, lost).detectable_sd[0] for s in (state, small))
        assert found == pytest.approx(expected, abs=1e-9)
    for gene in missing:
        assert np.isnan(loss_of(state, (gene,)).z[0])


def test_as_if_measured_adds_what_genes_could_tell(state_of: StateOf) -> None:
    """Limits of detection and precision are those of a sample that has the genes."""
    whole = state_of()
    for missing in (("NLRC5",), ("HLA-A", "PSMB8", "TAPBP")):
        state = as_if_measured(state_of(dict.fromkeys(missing, math.nan)), LIMITS)
        assert state.is_measured.all()
        np.testing.assert_allclose(state.precision, whole.precision)
        np.testing.assert_allclose(state.shift, whole.shift)


def test_weights_of_a_test_tell_what_a_gene_adds(state_of: StateOf) -> None:
    names = model_of(SHIPPED).gene_symbols
    base, missing = state_of(), state_of({"B2M": math.nan})
    for gene in ("B2M", "TAP1"):
        k = names.index(gene)
        moved = loss_of(state_of({gene: 0.25}), names).z[0] - loss_of(base, names).z[0]
        assert moved == pytest.approx(0.25 * loss_of(base, names).weight[0, k])
    assert loss_of(missing, names).weight[0, names.index("B2M")] == 0
    assert (loss_of(missing, ("B2M",)).weight == 0).all()


def test_too_few_genes_of_the_chain_give_no_loss(state_of: StateOf) -> None:
    names = model_of(SHIPPED).gene_symbols
    for n_missing, is_known in ((len(names) - 3, True), (len(names) - 2, False)):
        state = state_of(dict.fromkeys(names[:n_missing], math.nan))
        assert np.isfinite(chain_loss(state, LIMITS).z[0]) == is_known


def test_hypotheses_look_for_the_transporter_as_one() -> None:
    assert hypotheses(CHAIN, PAIRS)["TAP1+TAP2"] == ("TAP1", "TAP2")
    assert list(hypotheses(("B2M", "TAP1"), PAIRS)) == ["B2M", "TAP1"]


@pytest.mark.parametrize(
    ("symbols", "vector", "matrix"),
    [
        (("A", "A"), [1.0, 1.0], [[1.0, 0.0], [0.0, 1.0]]),
        (("A", "B"), [1.0], [[1.0, 0.0], [0.0, 1.0]]),
        (("A", "B"), [1.0, 1.0], [[1.0, 0.0]]),
        (("A", "B"), [1.0, -1.0], [[1.0, 0.0], [0.0, 1.0]]),
        (("A", "B"), [1.0, 1.0], [[1.0, 0.0], [0.0, 0.0]]),
        (("A", "B"), [1.0, math.nan], [[1.0, 0.0], [0.0, 1.0]]),
    ],
)
def test_presentation_model_refuses_what_does_not_fit(
    symbols: tuple[str, ...], vector: list[float], matrix: list[list[float]]
) -> None:
    values: FloatArray = np.array(vector)
    with pytest.raises(ReferenceInvalidError, match="presentation model"):
        PresentationModel(symbols, values, values, values, np.array(matrix))
