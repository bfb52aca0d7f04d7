"""MultiQC custom content: columns of the general statistics, and a table of the mechanisms.

MultiQC shows names and texts as HTML and takes what is after the last slash for the name of a sample.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from escape_score.export.tables import (
    CALL_TEXTS,
    INDEX_WORDS,
    ResultTables,
    axis_entities,
    called_entities,
)
from escape_score.model.record import slug_of

if TYPE_CHECKING:
    import pandas as pd

Cells = dict[str, float | str]

NAMESPACE = "escape_score"
GENERAL_FILE = "escape_score_general_mqc.json"
MECHANISMS_FILE = "escape_score_mechanisms_mqc.json"
TRIMMED = ".:_- "
"""Marks that MultiQC takes off both ends of a name, by its default configuration."""
AXIS_RANGE = 3
"""Scores beyond are coloured alike."""


def multiqc_files(tables: ResultTables) -> dict[str, str]:
    """Write two ``*_mqc.json`` for MultiQC; what is not evaluable is left out, its cell stays empty."""
    documents = {GENERAL_FILE: _general(tables), MECHANISMS_FILE: _mechanisms(tables)}
    return {
        name: json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        for name, document in documents.items()
    }


def multiqc_name(sample_id: str) -> str:
    """Name a sample so that MultiQC keeps it apart and shows it as text.

    MultiQC drops all before a slash, and some marks at both ends: ids that would lose something are written
    without these and get the end of their file's name. Endings such as ``.bam`` go as in every report of
    MultiQC, which joins the samples of all programs by what is left.
    """
    readable = re.sub(r"[/\\]", "_", sample_id).strip(TRIMMED)
    name = sample_id if readable == sample_id else f"{readable}_{slug_of(sample_id)[-8:]}".lstrip(TRIMMED)
    return html.escape(name, quote=True)


def _general(tables: ResultTables) -> dict[str, Any]:
    """Index, phenotype, archetype, status and number of mechanisms detected."""
    headers: dict[str, dict[str, Any]] = {
        "immunoresistance_index": {
            "title": "Resistance index",
            "description": html.escape(INDEX_WORDS),
            "min": 0,
            "max": 100,
            "format": "{:,.1f}",
            "scale": "OrRd",
        },
        "n_detected": {
            "title": "Mechanisms",
            "description": "Escape mechanisms detected",
            "min": 0,
            "format": "{:,.0f}",
            "scale": "Blues",
        },
    }
    for column, (title, description) in CALL_TEXTS.items():
        headers[column] = {"title": title, "description": description}
    headers = {f"escape_score_{column}": header for column, header in headers.items()}
    return {
        "id": "escape_score_general",
        "plot_type": "generalstats",
        "namespace": NAMESPACE,
        "headers": headers,
        "data": _by_sample(tables, _general_cells(tables)),
    }


def _general_cells(tables: ResultTables) -> Iterator[Cells]:
    calls = [f"{axis.column}_call" for axis in called_entities(tables)]
    n_detected = (tables.profiles[calls] == "detected").sum(axis=1)
    n_evaluable = tables.profiles[calls].isin(["detected", "borderline", "not_detected"]).sum(axis=1)
    for (_, row), n, n_known in zip(tables.profiles.iterrows(), n_detected, n_evaluable, strict=True):
        cells = _numbers(row, ("immunoresistance_index",)) | ({"n_detected": int(n)} if n_known else {})
        cells |= {column: html.escape(str(row[column])) for column in CALL_TEXTS if row[column]}
        yield {f"escape_score_{column}": value for column, value in cells.items()}


def _mechanisms(tables: ResultTables) -> dict[str, Any]:
    """Scores of all axes."""
    axes = axis_entities(tables)
    columns = [axis.column for axis in axes]
    return {
        "id": "escape_score_mechanisms",
        "section_name": "Escape mechanisms",
        "description": (
            "Scores of the mechanisms of immune escape in standard deviations of the reference; "
            "larger = more resistance, empty = not evaluable. Research use only."
        ),
        "plot_type": "table",
        "pconfig": {
            "id": "escape_score_mechanisms_table",
            "namespace": NAMESPACE,
            "title": f"{NAMESPACE}: escape mechanisms",
        },
        "headers": {
            axis.column: {
                "title": html.escape(axis.title),
                "description": html.escape(axis.description),
                "min": -AXIS_RANGE,
                "max": AXIS_RANGE,
                "format": "{:,.2f}",
                "scale": "RdBu-rev",
            }
            for axis in axes
        },
        "data": _by_sample(tables, (_numbers(row, columns) for _, row in tables.profiles.iterrows())),
    }


def _numbers(row: pd.Series[Any], columns: Iterable[str]) -> Cells:
    """Those numbers of a row that are known."""
    return {column: float(row[column]) for column in columns if not math.isnan(row[column])}


def _by_sample(tables: ResultTables, cells: Iterator[Cells]) -> dict[str, Cells]:
    return dict(zip(map(multiqc_name, tables.sample_ids), cells, strict=True))
