"""Tests of the names of layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import anndata as ad
import numpy as np

from escape_score.store.layers import named_layers


@dataclass(frozen=True)
class WithX:
    """What anndata 0.13 gives: ``X`` is the layer without a name."""

    layers: dict[str | None, int] = field(default_factory=lambda: {"counts": 1, None: 2})


def test_named_layers_are_those_with_a_name() -> None:
    assert named_layers(cast("ad.AnnData", WithX())) == {"counts": 1}


def test_named_layers_of_the_installed_anndata() -> None:
    values = np.eye(2)
    named = named_layers(ad.AnnData(values, layers={"counts": 2 * values}))
    assert list(named) == ["counts"]
    np.testing.assert_array_equal(named["counts"], 2 * values)
    assert named_layers(ad.AnnData(values)) == {}
