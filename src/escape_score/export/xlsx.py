"""One workbook with the tables of a result, for spreadsheets.

Numbers are numbers, an empty cell is not evaluable, and no text can be taken for a formula. The same result
gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from escape_score.errors import UsageError
from escape_score.export.tables import ResultTables
from escape_score.model.record_statistics import (
    AdjustedRow,
    CohortStatistics,
    ConfidenceInterval,
    InteractionRow,
)
from escape_score.store.columns import COLUMNS
from escape_score.store.tables import safe_cell

if TYPE_CHECKING:
    from openpyxl import Workbook

FILE = "escape_score_results.xlsx"
MAX_COLUMNS = 16_384
"""Columns that a sheet of Excel can have."""
NARROW, WIDE = 9, 60
"""Least and largest width of a column, in letters."""
N_MEASURED = 200
"""Rows by which the width of a column is chosen."""
_DATE = datetime.datetime(1980, 1, 1)
"""The first date that a zip file can have."""
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_STATISTICS = (
    *("comparison", "measure", "title", "kind", "n", "groups"),
    *("estimate", "value", "low", "high", "p_value", "q_value"),
    *("adjusted_for", "adjusted_estimate", "adjusted_value", "adjusted_low", "adjusted_high"),
    *("adjusted_n", "adjusted_p_value", "adjusted_q_value"),
    *("interaction_with", "interaction_ratios", "interaction_n"),
    *("interaction_p_value", "interaction_q_value"),
)

Row = Sequence[object]


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name, its header, and its rows, which are made when they are written."""

    name: str
    header: Sequence[str]
    rows: Iterable[Row]
    sample: Sequence[Row] = ()


def xlsx_files(results: Path, tables: ResultTables) -> dict[str, bytes]:
    """Write the workbook of a result.

    Raises UsageError: a table has more columns than a sheet can have.
    """
    from openpyxl import Workbook

    sheets = list(_sheets(results, tables))
    for sheet in sheets:
        _require_width(sheet)
    book = Workbook(write_only=True)
    book.properties.creator = f"escape-score {tables.package_version}"
    book.properties.title = safe_cell(tables.cohort)
    book.properties.created = _DATE
    for sheet in sheets:
        _add(book, sheet)
    written = io.BytesIO()
    book.save(written)
    return {FILE: _undated(written)}


def _require_width(sheet: Sheet) -> None:
    """Refuse a table that no sheet can hold, before anything is written."""
    n = len(sheet.header)
    if n > MAX_COLUMNS:
        msg = f"--format xlsx: {sheet.name} has {n} columns, and a sheet {MAX_COLUMNS} at most; "
        msg += "use --format gct, or the tables of the result"
        raise UsageError(msg)


def _sheets(results: Path, tables: ResultTables) -> Iterator[Sheet]:
    """Sheets in their order; those of single cells, and statistics, where the result has them."""
    yield _of_frame("profiles", tables.profiles.reset_index())
    if (results / "cells.parquet").is_file():
        yield _of_frame("cells", pd.read_parquet(results / "cells.parquet"))
    yield _of_frame("scores", tables.scores.reset_index())
    described = _columns(results)
    yield _qc(results / "qc.tsv", described)
    yield _sheet(
        "columns",
        ("table", "column", "type", "unit", "values", "empty", "meaning"),
        [(table, *column.values()) for table, columns in described.items() for column in columns],
    )
    if (results / "cohort.json").is_file():
        text = (results / "cohort.json").read_text(encoding="utf-8")
        statistics = CohortStatistics.model_validate_json(text)
        yield _sheet("statistics", _STATISTICS, list(_statistics_rows(statistics)))


def _of_frame(name: str, table: pd.DataFrame) -> Sheet:
    """A table; rows are made one at a time, since a table of thousands of samples has millions of cells."""
    columns = [table.iloc[:, at].tolist() for at in range(table.shape[1])]
    rows = zip(*columns, strict=True)
    return Sheet(name, [str(column) for column in table.columns], rows, list(zip(*columns, strict=True))[:1])


def _sheet(name: str, header: Sequence[str], rows: Sequence[Row]) -> Sheet:
    return Sheet(name, header, rows, rows[:N_MEASURED])


def _columns(results: Path) -> dict[str, list[dict[str, str]]]:
    """The data dictionary of the result; empty for a result of an older version."""
    path = results / COLUMNS
    if not path.is_file():
        return {}
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    return {name: table["columns"] for name, table in tables.items()}


def _qc(path: Path, described: dict[str, list[dict[str, str]]]) -> Sheet:
    """The table of input quality, which is text: numbers are those columns that the dictionary says."""
    with path.open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle, delimiter="\t")
    types = {column["column"]: column["type"] for column in described.get("qc", [])}
    read = [tuple(map(_read, row, (types.get(name, "text") for name in header))) for row in rows]
    return _sheet("qc", header, read)


def _read(text: str, kind: str) -> object:
    """A cell of a text table as what it is."""
    if kind == "number":
        return float(text) if text else None
    return text == "True" if kind == "true or false" and text else text


def _statistics_rows(found: CohortStatistics) -> Iterator[Row]:
    """Every comparison of the cohort in one table: groups, response, survival."""
    for comparison in found.comparisons:
        for row in comparison.rows:
            groups = "; ".join(f"{of.group}: n={of.n}, median={of.median:.3g}" for of in row.groups)
            effect = (row.effect_name.value, row.effect, *_ends(row.effect_interval))
            n = sum(of.n for of in row.groups)
            sizes, rates = (n, groups), (row.p_value, row.q_value)
            models = (*_adjusted(row.adjusted), *_interaction(None))
            yield (comparison.column, *_measure(row.measure), *sizes, *effect, *rates, *models)
    for one in () if found.response is None else found.response.rows:
        groups = f"R: n={one.n_responders}; NR: n={one.n_nonresponders}"
        estimate = ("area under the ROC curve", one.auroc, *_ends(one.interval))
        sizes, rates = (one.n_responders + one.n_nonresponders, groups), (one.p_value, one.q_value)
        models = (*_adjusted(one.adjusted), *_interaction(one.interaction))
        yield ("response", *_measure(one.measure), *sizes, *estimate, *rates, *models)
    for endpoint in found.survival:
        for cox in endpoint.rows:
            ratio = ("hazard ratio per SD", cox.hazard_ratio, *_ends(cox.interval))
            sizes, rates = (cox.n, f"{cox.n_events} events"), (cox.p_value, cox.q_value)
            models = (*_adjusted(cox.adjusted), *_interaction(cox.interaction))
            yield (endpoint.endpoint, *_measure(cox.measure), *sizes, *ratio, *rates, *models)


def _adjusted(model: AdjustedRow | None) -> Row:
    """The model with covariates; only that of more than two groups has a test."""
    if model is None:
        return (None,) * 8
    named = (", ".join(model.covariates), model.estimate_name.value, model.estimate)
    rates = (None, None) if model.test is None else (model.test.p_value, model.test.q_value)
    return (*named, *_ends(model.interval), model.n, *rates)


def _interaction(model: InteractionRow | None) -> Row:
    """Whether the association differs between groups; each group is compared with the first."""
    if model is None:
        return (None,) * 5
    ratios = "; ".join(
        f"{one.group} / {model.groups[0]}: {one.ratio:.3g} [{one.interval.low:.3g}, {one.interval.high:.3g}]"
        for one in model.ratios
    )
    return model.column, ratios, model.n, model.p_value, model.q_value


def _measure(one: Any) -> tuple[str, str, str]:  # noqa: ANN401
    return one.measure, one.title, one.kind.value


def _ends(interval: ConfidenceInterval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _add(book: Workbook, sheet: Sheet) -> None:
    """Write a sheet: a bold header that stays in view, and as wide as its texts."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(sheet.name)
    page.freeze_panes = "B2"
    for at, name in enumerate(sheet.header):
        texts = (name, *(row[at] for row in sheet.sample))
        width = max(len(text) + 2 for text in texts if isinstance(text, str))
        page.column_dimensions[get_column_letter(at + 1)].width = min(max(width, NARROW), WIDE)
    bold = Font(bold=True)
    header = [WriteOnlyCell(page, safe_cell(name)) for name in sheet.header]
    for cell in header:
        cell.font = bold
    page.append(header)
    for row in sheet.rows:
        page.append([_cell(value) for value in row])


def _cell(value: object) -> object:
    """A value as a workbook holds it: None is an empty cell."""
    if isinstance(value, str):
        return safe_cell(value) or None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _undated(written: io.BytesIO) -> bytes:
    """The same workbook without the time at which it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z", content)
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return out.getvalue()
