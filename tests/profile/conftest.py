"""One made-up sample of the antigen-presentation model."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from escape_score.library.axes import load_thresholds
from escape_score.model.scores import GeneValues
from escape_score.profile.mhc.presentation import (
    Infiltrate,
    PresentationState,
    assess_presentation,
    tumour_ifng,
)
from escape_score.reference.read import load_reference

THRESHOLDS = load_thresholds()
SHIPPED = load_reference()


def genes_of(levels: dict[str, list[float]]) -> GeneValues:
    """Placed values of some genes: z as in the shipped reference."""
    symbols = tuple(sorted(levels))
    at = [SHIPPED.genes.symbols.index(symbol) for symbol in symbols]
    log2_tpm = np.array([levels[symbol] for symbol in symbols]).T
    z = (log2_tpm - SHIPPED.genes.location[at]) / SHIPPED.genes.spread[at]
    return GeneValues(symbols, log2_tpm, np.clip(z, -5, 5))


def make_state(
    shifts: dict[str, float] | None = None, *, unit: float = 10.0, ifng: float = 0.0, excess: float = 0.0
) -> PresentationState:
    """One sample at its expectation, some genes shifted by log2 amounts; NaN = not measured."""
    model, cap = SHIPPED.presentation, SHIPPED.constants.leukocyte_cap_tpm
    assert model is not None
    infiltrate = Infiltrate(np.array([unit]), np.array([min(unit / cap, 0.9)]), np.array([False]))
    levels = {
        symbol: [SHIPPED.genes.location[SHIPPED.genes.symbols.index(symbol)] + ifng]
        for symbol in SHIPPED.constants.ifng_per_leukocyte_unit
    }
    response = tumour_ifng(genes_of(levels), infiltrate, SHIPPED, THRESHOLDS)
    for k, symbol in enumerate(model.gene_symbols):
        tumour = (1 - infiltrate.fraction[0]) * 2 ** (
            model.location[k] + model.ifng_slope[k] * float(response[0])
        )
        leukocytes = THRESHOLDS.presentation.leukocyte_mhc_factor * model.per_leukocyte_unit[k] * unit
        levels[symbol] = [math.log2(tumour + leukocytes + 1) + (shifts or {}).get(symbol, 0.0)]
    return assess_presentation(
        genes_of(levels),
        infiltrate,
        response,
        model,
        excess_distance=np.array([excess]),
        limits=THRESHOLDS.presentation,
    )


@pytest.fixture(scope="session")
def state_of() -> Callable[..., PresentationState]:
    """Make the state of one sample at its expectation, some genes shifted."""
    return make_state
