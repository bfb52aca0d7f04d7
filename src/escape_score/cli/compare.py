"""``escape-score compare``: several results on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import Language
from escape_score.errors import counted


def compare(
    results: Annotated[list[Path], typer.Argument(help="Folders of finished results, two or more.")],
    *,
    out: Annotated[
        Path, typer.Option("--out", help="Folder of the comparison; new, empty, or an earlier one.")
    ],
    title: Annotated[str, typer.Option("--title", help="Title of the page.")] = "",
    names: Annotated[
        str,
        typer.Option("--names", metavar="A,B…", help="Names of the cohorts, in the order of the results."),
    ] = "",
    lang: Language = "en",
) -> int:
    """Compare cohorts on one page: their calls, and effects pooled over them."""
    from escape_score.pipeline.comparing import compare as compare_results
    from escape_score.pipeline.comparing.gathering import require_outside
    from escape_score.report.text.i18n import translations
    from escape_score.store.ownership import comparison_files
    from escape_score.store.result_folder import INDEX

    translations(lang)
    require_outside(out, results)
    comparison_files(out)
    chosen = tuple(name.strip() for name in names.split(",")) if names else ()
    found = compare_results(results, title=title, names=chosen)
    found.write(out, lang=lang)
    n_effects = counted(found.record.n_tests, "pooled effect")
    print(f"{counted(len(found.cohorts), 'cohort')}, {n_effects}: {out / INDEX}")
    return 0
