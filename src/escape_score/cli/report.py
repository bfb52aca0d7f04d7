"""``escape-score report`` and ``gather``: stage 5, and the end of a result whose stages ran one by one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.log import print_limited
from escape_score.cli.options import Language, Results, require_results
from escape_score.errors import UsageError


def report(
    results: Results,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the pages; that of the result if not given."),
    ] = None,
    lang: Language = "en",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Also print each sample's page to PDF with a Chromium on the PATH.")
    ] = False,
    summary_pdf: Annotated[
        bool, typer.Option("--summary-pdf", help="Also print a summary of each sample: one A4 page.")
    ] = False,
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", metavar="ID", help="Print PDFs of this sample only; repeatable."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Processes that write pages; up to 4 if not given."),
    ] = None,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="Part file of the stage profile.")
    ] = None,
    chunk: Annotated[int, typer.Option("--chunk", min=1, help="Render this slice of the samples …")] = 1,
    chunks: Annotated[int, typer.Option("--chunks", min=1, help="… of this many.")] = 1,
    part: Annotated[
        Path | None, typer.Option("--part", help="List of the files written, with digests.")
    ] = None,
) -> int:
    """Stage 5: render pages again from the JSON alone."""
    require_results(results)
    from escape_score.config import own_threads
    from escape_score.errors import counted
    from escape_score.pipeline.reports import Prints, render_chunk, render_results
    from escape_score.store.manifest import MANIFEST, SAMPLES
    from escape_score.store.result_folder import INDEX

    if profiles is not None or part is not None or (chunk, chunks) != (1, 1):
        others = {"--out": out, "--pdf": pdf, "--summary-pdf": summary_pdf, "--sample": sample}
        listed, written = _parts_of_stage(profiles, part, others)
        if chunk > chunks:
            msg = f"--chunk: {chunk} is more than --chunks {chunks}; give 1 to {chunks}"
            raise UsageError(msg)
        render_chunk(results, listed, written, chunk=chunk, chunks=chunks, lang=lang)
        return 0
    prints = Prints(has_pages=pdf, has_summaries=summary_pdf, sample_ids=tuple(sample or ()))
    if prints.sample_ids and prints.is_empty:
        message = "--sample: chooses what is printed; add --pdf or --summary-pdf"
        raise UsageError(message)
    where = out or results
    done = render_results(results, where, lang=lang, prints=prints, threads=threads or own_threads())
    print(f"{counted(done.n_pages, 'page')}: {where / INDEX}")
    if not (results / MANIFEST).is_file():
        steps = f"escape-score report {results} --profiles PROFILES --part PAGES"
        steps += f"; escape-score gather {results} --parts PROFILES PAGES"
        said = f"note: {results}: no {MANIFEST}, so it is not a finished result. The stages end with: {steps}"
        print(f"{said} (PROFILES: written by profile --part)", file=sys.stderr)
    if done.prints:
        place = where / (done.prints[0] if len(done.prints) == 1 else SAMPLES)
        print(f"{counted(len(done.prints), 'PDF file')}: {place}")
    if done.n_outdated:
        removed = counted(done.n_outdated, "PDF file")
        print(f"{removed} of earlier pages removed; --pdf or --summary-pdf prints new ones")
    return 0


def _parts_of_stage(
    profiles: Path | None, part: Path | None, others: Mapping[str, object]
) -> tuple[Path, Path]:
    """Part files of the stage; raises UsageError where one is missing, or another option is given."""
    if profiles is None or part is None:
        msg = "--profiles, --part: the stage needs both; without both, report renders a finished result again"
        raise UsageError(msg)
    if given := [name for name, value in others.items() if value]:
        msg = f"{given[0]}: the stage has no such option; leave it out, or leave out --profiles and --part"
        raise UsageError(msg)
    return profiles, part


def gather(
    results: Results,
    parts: Annotated[
        list[Path], typer.Option("--parts", metavar="FILE", help="Part files of profile and report.")
    ],
    more_parts: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Further part files.")
    ] = None,
    lang: Language = "en",
    options: Annotated[str, typer.Option("--options", help="The config's block statistics, as JSON.")] = "{}",
) -> int:
    """End a result whose stages were run one by one: the cohort's statistics, its page and the manifest."""
    from escape_score.config import StatisticsConfig, parse_block
    from escape_score.pipeline.reports import gather_parts

    statistics = parse_block("--options", options, StatisticsConfig)
    failed = gather_parts(results, (*parts, *(more_parts or ())), lang=lang, statistics=statistics)
    lines = [f"warning: {one.sample_id}: failed ({one.problem})" for one in failed]
    print_limited(lines, rest="warning: {n} more failed; see qc.tsv")
    return 0
