"""Render the conda recipe, to see that rattler-build can read it; needs py-rattler-build."""

from __future__ import annotations

from pathlib import Path

from rattler_build import Stage0Recipe, VariantConfig

recipe = Stage0Recipe.from_file(Path(__file__).with_name("recipe.yaml"))
for rendered in recipe.render(VariantConfig()):
    print(rendered.recipe.package.name, rendered.recipe.package.version, rendered.variant)
