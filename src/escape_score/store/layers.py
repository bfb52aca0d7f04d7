"""Layers of an AnnData object under any version of anndata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anndata import AnnData


def named_layers(adata: AnnData) -> dict[str, Any]:
    """Layers by name, without ``X``: from anndata 0.13 on ``adata.layers`` also lists it, under None."""
    return {name: adata.layers[name] for name in adata.layers if name is not None}
