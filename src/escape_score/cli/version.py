"""What ``escape-score --version`` prints: the program and the resources that numbers depend on."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator

N_DIGITS = 8
"""Digits of a digest that are shown."""


def version_lines() -> Iterator[str]:
    """Version, axes and gene sets, shipped references with their digests, and the data folder.

    Axes and gene sets are counted in the text of their files: reading them takes most of the time that the
    program may need to answer.
    """
    from escape_score import __version__
    from escape_score.library.files import resource_path
    from escape_score.reference.digest import digest_folder
    from escape_score.reference.known import Origin, data_folder, known_references

    axes = resource_path("axes", "axes.yaml").read_text(encoding="utf-8")
    sets = resource_path("genesets", "signatures.tsv").read_text(encoding="utf-8")
    n_axes, n_sets = len(re.findall(r"(?m)^ +- axis: ", axes)), len(sets.splitlines()) - 1
    yield f"escape-score {__version__}"
    yield f"Python {platform.python_version()}"
    yield f"{n_axes} axes, {n_sets} gene sets"
    for known in known_references():
        if known.origin is Origin.SHIPPED:
            yield f"{known.name} {digest_folder(known.folder)[:N_DIGITS]}"
    yield f"data folder: {data_folder()}"
