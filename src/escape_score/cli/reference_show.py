"""``escape-score reference show``: what a reference is, and how far a cohort is from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.cli.log import CommandLog, remarks_to
from escape_score.cli.options import (
    AsSamples,
    ColumnMap,
    GeneLengths,
    Layer,
    LengthsFromPositions,
    Samples,
    SheetName,
    Strandedness,
    Transpose,
    Units,
    read_request,
    require_files,
)
from escape_score.errors import UsageError, attempt, counted, raise_faults

if TYPE_CHECKING:
    from escape_score.model.reference import Reference
    from escape_score.pipeline.distances import AutoChoice, CohortDistances, DistanceBin, ReferenceDistance
    from escape_score.reference.known import KnownReference

BAR_WIDTH = 40
BLOCK, BLOCK_ASCII = "█", "#"
MARK = "*"
SHARES = "good, matched = share of the samples that match well, and well or moderately"
JUDGED = "tumours whose values are trusted, one sample a patient, a limited number spread over the cohort"
COLUMNS = ("reference", "n", "tumour type", "median", "good", "matched", "own type")


def show(
    name: Annotated[str, typer.Argument(help="Name or folder.")],
    *,
    cohort: Annotated[
        Path | None,
        typer.Option(
            "--for", metavar="MATRIX", help="Also show how far the samples of a matrix are from it."
        ),
    ] = None,
    samples: Samples = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    lengths_from_positions: LengthsFromPositions = None,
    transpose: Transpose = None,
    sheet: SheetName = None,
    layer: Layer = None,
    strand: Strandedness = None,
    as_samples: AsSamples = None,
    columns: ColumnMap = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Also draw these distances: .svg, .png or .pdf."),
    ] = None,
) -> int:
    """Show what a reference was made from, and with --for how far a cohort is from it.

    --for MATRIX places all samples on this reference and on all others. It shows how many samples match, a
    histogram of their distances, all references sorted by distance, and which one --reference auto would take
    and why. --plot FILE draws the distances from all references.
    """
    if cohort is None:
        _require_none(
            {
                "plot": plot,
                "samples": samples,
                "units": units,
                "gene-lengths": gene_lengths,
                "lengths-from-positions": lengths_from_positions,
                "transpose": transpose,
                "sheet": sheet,
                "layer": layer,
                "strand": strand,
                "as-samples": as_samples,
                "map": columns,
            }
        )
        print_reference(name)
        return 0
    _require_inputs(name, cohort, samples=samples, gene_lengths=gene_lengths, plot=plot)
    from escape_score.pipeline.distances import auto_choice, measure_distances
    from escape_score.read import read_requested

    request = read_request(
        units=units,
        transpose=transpose,
        sheet=sheet,
        layer=layer,
        strand=strand,
        as_samples=as_samples,
        columns=columns,
    )
    with remarks_to(CommandLog()):
        found = measure_distances(
            partial(read_requested, cohort, request, samples=samples),
            name,
            gene_lengths=gene_lengths,
            lengths_from_positions=bool(lengths_from_positions),
        )
    choice = auto_choice(found)
    if plot is not None:
        _write_plot(plot, found)
    print_reference(name)
    print_distances(found, choice, cohort)
    if plot is not None:
        print(f"figure: {plot}")
    return 0


def _require_none(given: Mapping[str, object]) -> None:
    """Refuse options that say how a cohort is read or drawn where there is no cohort."""
    if names := [f"--{name}" for name, value in given.items() if value]:
        msg = f"{', '.join(names)}: only for the samples of a matrix; name it with --for"
        raise UsageError(msg)


def _require_inputs(
    name: str, cohort: Path, *, samples: Path | None, gene_lengths: Path | None, plot: Path | None
) -> None:
    """Refuse a file for the figure that cannot be written, then report every input that is not there."""
    from escape_score.reference.known import find_folder
    from escape_score.store.figures import require_figure_file

    if plot is not None:
        require_figure_file(plot, cohort, samples, gene_lengths)
    named = attempt(partial(find_folder, name))
    files = attempt(partial(require_files, cohort, samples=samples, gene_lengths=gene_lengths))
    raise_faults((*named.faults, *files.faults))


def _write_plot(plot: Path, found: CohortDistances) -> None:
    """Draw the distances, before anything is printed."""
    from escape_score.pipeline.distance_figure import distance_figure
    from escape_score.store.figures import write_figure

    write_figure(plot, partial(distance_figure, found))


def print_reference(name: str) -> None:
    """Print what a reference is and what it was made from."""
    from escape_score.reference.known import find_folder, known_at
    from escape_score.reference.read import load_reference

    reference = load_reference(name)
    print(f"{reference.name}: {reference.description}")
    print(f"origin: {_origin(known_at(find_folder(name)))}")
    print(f"tumour type: {reference.tumour_type}; assay: {reference.assay}; samples: {reference.n_samples}")
    print(f"limits: {reference.limits or 'none noted'}")
    print(f"genes: {len(reference.genes.symbols)}, of these anchors: {int(reference.genes.is_anchor.sum())}")
    print(f"anchor distance of its own tumours: {reference.anchor_distance:.2f} log2")
    print(f"typical detections: {_typical(reference)}")
    for gene, reason in reference.untrusted_genes.items():
        print(f"not used: {gene}: {reason}")
    for key, value in reference.provenance.items():
        print(f"made from: {key}: {value}")
    print(f"sha256: {reference.sha256}")
    if reference.is_edited:
        print(f"warning: {name}: a file was changed after the fit; fit it again", file=sys.stderr)


def _origin(known: KnownReference | None) -> str:
    """Where a reference comes from, in words."""
    from escape_score.reference.known import Origin

    if known is None:
        return "a folder that no name finds"
    words = {
        Origin.SHIPPED: "shipped with the program",
        Origin.FETCHED: f"fetched from a public source, kept in {known.folder}",
        Origin.FITTED: f"fitted on your matrices, kept in {known.folder}",
    }
    return words[known.origin]


def _typical(reference: Reference) -> str:
    """Typical detections in words; not known while a reference is built, or in one of an older version."""
    n = reference.typical_detections
    return "not known" if n != n else f"{n:.2f} mechanisms detected in a tumour of it, on average"  # noqa: PLR0124


def print_distances(found: CohortDistances, choice: AutoChoice, matrix: Path) -> None:
    """Print how far a cohort is from a reference and from the others, and what ``auto`` would take."""
    shown, n = found.shown, len(found.cohort.sample_ids)
    print(f"\n{matrix}: {counted(n, 'sample')}; unit: {found.cohort.unit.unit.value}")
    print(f"match with {shown.name}: {_matches(shown)}")
    print(f"median distance: {_log2(shown.median)}")
    print("", *histogram_lines(shown, has_blocks=can_print(BLOCK)), "", sep="\n")
    print(*table_lines(found), f"{MARK} = shown above; {SHARES}", "", sep="\n")
    print(f"auto takes: {choice.name}\nwhy: {choice.why}")
    if choice.n_judged != n:
        print(f"auto looked at {choice.n_judged} of the {n} samples: {JUDGED}")
    for warning in choice.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _matches(one: ReferenceDistance) -> str:
    """Number of samples by match."""
    from escape_score.model.record import ReferenceMatch

    counts = [f"{match.value} {one.count(match)}" for match in ReferenceMatch]
    return f"{', '.join(counts)}, not placed {one.count(None)}"


def _log2(distance: float) -> str:
    """A distance in words; NaN where no sample was placed."""
    return "not placed" if distance != distance else f"{distance:.2f} log2"  # noqa: PLR0124


def can_print(text: str) -> bool:
    """Whether the terminal has the letters of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def histogram_lines(one: ReferenceDistance, *, has_blocks: bool) -> Iterator[str]:
    """Draw the distances as bars, one line a bin, with the limits and the typical distance marked."""
    from escape_score.pipeline.distances import bins_of

    bins, block = bins_of(one), BLOCK if has_blocks else BLOCK_ASCII
    most, width = max(1, *(part.n for part in bins)), len(str(len(one.distance)))
    yield f"distance (log2) of the samples from {one.name}"
    for part in bins:
        bar = block * -(-part.n * BAR_WIDTH // most)
        marks = ", ".join(_marks(part, one))
        yield f"{_range(part)} |{part.n:>{width}} {bar:<{BAR_WIDTH}} {marks}".rstrip()


def _range(part: DistanceBin) -> str:
    """Ends of a bin, in ASCII."""
    return f"{part.low:4.1f} - {part.high:3.1f}" if part.high < float("inf") else f"{part.low:4.1f} +    "


def _marks(part: DistanceBin, one: ReferenceDistance) -> Iterator[str]:
    """What lies in a bin."""
    good, moderate = one.limits
    for text, value in (
        ("own tumours, typical:", one.reference.anchor_distance),
        ("good below", good),
        ("moderate below", moderate),
    ):
        if part.holds(value):
            yield f"{text} {value:.2f}"


def table_lines(found: CohortDistances) -> Iterator[str]:
    """All references in columns, the closest first; the one that is shown has a star."""
    has_types = bool(found.candidates.survey.own_types)
    rows = [COLUMNS, *(_row(one, is_shown=one is found.shown, has_types=has_types) for one in found.ranked)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(_aligned(row, widths)).rstrip()


def _row(one: ReferenceDistance, *, is_shown: bool, has_types: bool) -> tuple[str, ...]:
    """One reference; whether it is of the own type is not known where the sheet gives no type."""
    own = ("yes" if one.is_own_type else "no") if has_types else "not known"
    numbers = (f"{one.share_good:.0%}", f"{one.share_matched:.0%}", own)
    mark, median = MARK if is_shown else "", f"{one.median:.2f}"
    median = "not placed" if median == "nan" else median
    return (one.name + mark, str(one.reference.n_samples), one.reference.tumour_type, median, *numbers)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Texts to the left, numbers to the right."""
    for title, text, width in zip(COLUMNS, row, widths, strict=True):
        is_number = title in {"n", "median", "good", "matched"}
        yield text.rjust(width) if is_number else text.ljust(width)
