"""NanoString nCounter: RCC files, one for each sample, and tables of counts with a column of code classes.

Counts are scaled as the nCounter Expression Data Analysis Guide (NanoString, MAN-C0011) describes: by the
geometric mean of the positive controls, and then by that of the housekeeping genes. The guide scales to the
mean of all samples of an experiment. Here the target is a fixed number, so that a sample's values do not
depend on the samples read with it; all values differ from the guide's by one factor. Background is not
subtracted.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from escape_score.errors import FileUnreadableError, MatrixInvalidError, UnitContradictedError, listed
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.names import check_samples, plain_name
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe, probe_path
from escape_score.read.files.streams import encoding_of, iter_lines, open_text
from escape_score.read.formats.reader import (
    ArrayMatrix,
    MatrixFormat,
    MatrixReading,
    layout_advice,
    refuse_transpose,
)
from escape_score.read.formats.text import N_LAYOUT_LINES, read_table
from escape_score.read.formats.text_layout import TextLayout, find_layout, split_line
from escape_score.read.request import ReadRequest

TARGET = 1_000.0
"""Geometric mean that controls are scaled to. In 42 samples of the Human Immunology panel (GSE117751) the
median is 938 for positive controls and 896 for housekeeping genes, so that values remain near the counts."""

MIN_HOUSEKEEPING = 3
"""Housekeeping genes needed to scale by them; the guide recommends three or more."""

N_BACKGROUND_SDS = 2.0
"""Standard deviations above the mean of the negative controls that are background (the guide's threshold)."""

MIN_FIELDS_OF_VIEW, BINDING_DENSITY = 0.75, (0.05, 2.25)
"""Fraction of fields of view that were counted, and range of the binding density, of a sound lane (the guide;
MAX and FLEX systems)."""

_GENE_CLASSES = ("endogenous", "housekeeping")
_TOO_RARE = "POS_F"
"""The positive control of 0.125 fM is at the limit of detection and is left out."""

_logger = logging.getLogger(__name__)

_RCC_NAME = re.compile(r"(?P<name>.+)\.rcc(?:\.(?:gz|zst|bz2|xz))?", re.IGNORECASE)
_CLASS_NAMES = ("codeclass", "code_class", "class_name")
_GENE_NAMES = ("name", "gene_name", "probe_name", "gene")
_HEADER_CELLS = re.compile(r"[,;\t]")

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """Counts of all codes.

    Parameters
    ----------
    sample_ids, classes, names
        Samples, and code class and name of each code.
    values
        Shape (n_samples, n_codes).
    faulty_lanes
        Samples whose lane was not read as it should be.
    """

    sample_ids: tuple[str, ...]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    values: FloatArray
    faulty_lanes: tuple[str, ...] = ()

    def of_class(self, start: str) -> BoolArray:
        """Which codes are of a class, such as ``endogenous``; ``Endogenous1`` is one too."""
        return np.array([one.strip().lower().startswith(start) for one in self.classes], dtype=bool)


def scaled_reading(counts: Counts, parts: tuple[Path, ...] = ()) -> MatrixReading:
    """Scale counts by their controls, and leave out the codes that are no genes."""
    factors, notes = _factors(counts)
    is_gene = np.any([counts.of_class(kind) for kind in _GENE_CLASSES], axis=0)
    genes = tuple(name for name, kept in zip(counts.names, is_gene, strict=True) if kept)
    source = ArrayMatrix(counts.sample_ids, genes, counts.values[:, is_gene] * factors[:, None])
    return MatrixReading(source, notes=notes, parts=parts, unit=ExpressionUnit.NANOSTRING)


def _factors(counts: Counts) -> tuple[FloatArray, tuple[Note, ...]]:
    """Factor of each sample, shape (n_samples,), and what was done.

    A factor by housekeeping genes holds the one by positive controls, which cancels out.
    """
    lanes = [note(Code.NANOSTRING_WEAK, "lane", names=counts.faulty_lanes)] if counts.faulty_lanes else []
    housekeeping = counts.of_class("housekeeping")
    is_rare = np.array([_TOO_RARE in name.upper() for name in counts.names], dtype=bool)
    positive = counts.of_class("positive") & ~is_rare
    factors: FloatArray = np.ones(len(counts.sample_ids))
    if housekeeping.sum() >= MIN_HOUSEKEEPING:
        factors = TARGET / _geometric_mean(counts.values[:, housekeeping])
        done = note(Code.NANOSTRING_SCALED, "housekeeping", n=int(housekeeping.sum()), target=TARGET)
    elif positive.any():
        factors = TARGET / _geometric_mean(counts.values[:, positive])
        done = note(Code.NANOSTRING_SCALED, "positive", n=int(positive.sum()), target=TARGET)
    else:
        done = note(Code.NANOSTRING_WEAK, "no_controls")
    is_count = np.all((counts.values % 1 == 0) | np.isnan(counts.values), axis=1)
    before = _named(counts, ~is_count)
    notes = [done] if is_count.any() else []
    notes += [note(Code.NANOSTRING_SCALED, "before", names=before)] if before else []
    return np.where(is_count, factors, 1.0), (*notes, *lanes, *_background_notes(counts, housekeeping))


def _named(counts: Counts, chosen: BoolArray) -> list[str]:
    return [name for name, is_chosen in zip(counts.sample_ids, chosen, strict=True) if is_chosen]


def _geometric_mean(values: FloatArray) -> FloatArray:
    """Geometric mean of each sample, with a count of 0 as 1, shape (n_samples,); missing counts left out."""
    means: FloatArray = np.exp(np.nanmean(np.log(np.maximum(values, 1.0)), axis=1))
    return means


def _background_notes(counts: Counts, housekeeping: BoolArray) -> Iterator[Note]:
    """Flag samples whose housekeeping genes are within the background."""
    negative = counts.values[:, counts.of_class("negative")]
    if negative.shape[1] < 2 or not housekeeping.any():  # noqa: PLR2004
        return
    background = np.nanmean(negative, axis=1) + N_BACKGROUND_SDS * np.nanstd(negative, axis=1, ddof=1)
    if names := _named(counts, _geometric_mean(counts.values[:, housekeeping]) <= background):
        yield note(Code.NANOSTRING_WEAK, "background", names=names)


def _check_request(path: Path, request: ReadRequest) -> None:
    refuse_transpose(path, request, "NanoString file")
    if request.units not in (ExpressionUnit.AUTO, ExpressionUnit.NANOSTRING):
        msg = f"declared unit {request.units.value} contradicts the layout, which is of NanoString (code "
        raise UnitContradictedError.at(path, msg + "classes); leave --units out, or give nanostring")


# --- RCC files ------------------------------------------------------------------------------------------


def _is_rcc(probe: Probe) -> bool:
    if probe.is_folder:
        return bool(_rcc_files(probe.path))
    return probe.text_head.lstrip().startswith(b"<Header>") and b"<Sample_Attributes>" in probe.text_head


def _rcc_files(path: Path) -> tuple[Path, ...]:
    """RCC files of a folder, by name."""
    try:
        return tuple(sorted(one for one in path.iterdir() if _RCC_NAME.fullmatch(one.name)))
    except OSError as error:
        msg = f"the folder cannot be read ({error.strerror}); check its permissions"
        raise FileUnreadableError.at(path, msg) from error


@dataclass(frozen=True)
class _Lane:
    """What one RCC file holds."""

    codes: tuple[tuple[str, str], ...]
    counts: tuple[float, ...]
    attributes: Mapping[str, str]

    @property
    def is_faulty(self) -> bool:
        """Whether too few fields of view were counted, or codes are too sparse or too dense to tell apart."""
        fields = _number(self.attributes.get("FovCounted", "")) / _number(self.attributes.get("FovCount", ""))
        density = _number(self.attributes.get("BindingDensity", ""))
        low, high = BINDING_DENSITY
        return fields < MIN_FIELDS_OF_VIEW or density < low or density > high


def _number(text: str) -> float:
    """Number of an attribute, NaN where there is none; NaN is neither low nor high."""
    try:
        return float(text) or float("nan")
    except ValueError:
        return float("nan")


def _read_lane(path: Path, limits: ReadLimits) -> _Lane:
    """Read one RCC file.

    Raises FileUnreadableError: it is cut short, or is no RCC file. Raises MatrixInvalidError: a count is
    no whole number.
    """
    if probe_path(path, limits).is_folder:
        raise FileUnreadableError.at(path, "a folder where an RCC file belongs; give the file")
    sections: dict[str, list[tuple[int, str]]] = {}
    section, ended = "", set[str]()
    with open_text(path, limits) as stream:
        for number, line in enumerate(iter_lines(stream, path=path, limits=limits), start=1):
            tag = line.strip()
            if tag.startswith("</"):
                ended.add(tag[2:-1])
                section = ""
            elif tag.startswith("<") and tag.endswith(">"):
                section = tag[1:-1]
            elif section and tag:
                sections.setdefault(section, []).append((number, tag))
            if number > limits.max_genes:
                raise MatrixInvalidError.at(path, f"too large (more than {limits.max_genes} lines)")
    if "Code_Summary" not in ended or "Code_Summary" not in sections:
        msg = "an RCC file without a complete Code_Summary; the file may be truncated, copy it again"
        raise FileUnreadableError.at(path, msg)
    pairs = [line.partition(",") for _, line in sections.get("Lane_Attributes", [])]
    codes, counts = _codes(path, sections["Code_Summary"])
    return _Lane(codes, counts, {key: value.strip() for key, _, value in pairs})


def _codes(
    path: Path, lines: Sequence[tuple[int, str]]
) -> tuple[tuple[tuple[str, str], ...], tuple[float, ...]]:
    """Class and name of each code, and its count."""
    header = [plain_name(cell) for cell in split_line(lines[0][1], ",")]
    if not {"codeclass", "name", "count"} <= set(header):
        msg = f"line {lines[0][0]} should name CodeClass, Name and Count; it holds {lines[0][1][:60]!r}"
        raise MatrixInvalidError.at(path, msg)
    at_class, at_name, at_count = (header.index(name) for name in ("codeclass", "name", "count"))
    codes, counts = [], []
    for number, line in lines[1:]:
        cells = split_line(line, ",")
        if len(cells) != len(header) or not re.fullmatch(r"[0-9]{1,15}(?:\.0+)?", cells[at_count].strip()):
            msg = f"line {number} is no code with a count ({line[:60]!r}); copy the file again"
            raise MatrixInvalidError.at(path, msg)
        codes.append((cells[at_class].strip(), cells[at_name].strip()))
        counts.append(float(cells[at_count]))
    return tuple(codes), tuple(counts)


def _open_rcc(path: Path, request: ReadRequest) -> MatrixReading:
    _check_request(path, request)
    files = _rcc_files(path) if path.is_dir() else (path,)
    others = sorted(_visible_files(path) - {one.name for one in files}) if path.is_dir() else []
    sample_ids = tuple(_sample_id(one.name) for one in files)
    check_samples(str(path), sample_ids, request.limits, layout=layout_advice(request))
    lanes = [_read_lane(one, request.limits) for one in files]
    other = next((at for at, lane in enumerate(lanes) if lane.codes != lanes[0].codes), 0)
    if other:
        names = listed([files[0].name, files[other].name])
        msg = f"files with other codes ({names}); give one folder for each panel"
        raise MatrixInvalidError.at(path, msg)
    classes, names_of = zip(*lanes[0].codes, strict=True) if lanes[0].codes else ((), ())
    values = np.array([lane.counts for lane in lanes]).reshape(len(lanes), len(classes))
    faulty = tuple(name for name, lane in zip(sample_ids, lanes, strict=True) if lane.is_faulty)
    if others:
        _logger.warning("%s: other files are not read: %s", path, listed(others))
    return scaled_reading(Counts(sample_ids, classes, names_of, values, faulty), files)


def _visible_files(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if one.is_file() and not one.name.startswith(".")}


def _sample_id(name: str) -> str:
    found = _RCC_NAME.fullmatch(name)
    return found["name"] if found else name


NANOSTRING_RCC = MatrixFormat(
    "NanoString RCC (a folder of them, or one)",
    _is_rcc,
    _open_rcc,
    lambda path, _: len(_rcc_files(path)) if path.is_dir() else 1,
    lambda path, _: _rcc_files(path) if path.is_dir() else (path,),
)
"""Lanes of nCounter, one sample a file; a sample has the name of its file."""


# --- tables of counts -----------------------------------------------------------------------------------


def _is_table(probe: Probe) -> bool:
    """Recognise a header with a code class and a name."""
    head = probe.text_head
    text = head[:16_384].decode(encoding_of(head), errors="replace").lstrip("\ufeff \r\n")
    cells = [plain_name(cell.strip('"')) for cell in _HEADER_CELLS.split(text.split("\n")[0])[:8]]
    return any(name in cells for name in _CLASS_NAMES) and any(name in cells for name in _GENE_NAMES)


def _table_layout(path: Path, request: ReadRequest) -> tuple[TextLayout, int]:
    """Layout of the table, its rows named by gene, and the column of code classes."""
    with open_text(path, request.limits) as stream:
        lines = tuple(islice(iter_lines(stream, path=path, limits=request.limits), N_LAYOUT_LINES))
    layout = find_layout(path, lines)
    plain = [plain_name(name) for name in layout.names]
    at_class, at_name = (
        next((plain.index(name) for name in names if name in plain), -1)
        for names in (_CLASS_NAMES, _GENE_NAMES)
    )
    if min(at_class, at_name) < 0:
        msg = "no columns of code class and name below one header; export the table again"
        raise MatrixInvalidError.at(path, msg)
    samples = tuple(
        at for at in layout.sample_columns if at > max(at_class, at_name) and not plain[at].startswith("%")
    )
    others = tuple(at for at in range(len(plain)) if at not in {at_name, *samples, *layout.blank_columns})
    layout = replace(
        layout,
        gene_column=at_name,
        sample_columns=samples,
        annotation_columns=others,
        second_gene_column=None,
    )
    return layout, at_class


def _open_table(path: Path, request: ReadRequest) -> MatrixReading:
    _check_request(path, request)
    layout, at_class = _table_layout(path, request)
    advice = layout_advice(request)
    by_name = read_table(path, layout, request.limits, advice)
    by_class = read_table(path, replace(layout, gene_column=at_class), request.limits, advice)
    source, classes = by_name.source, by_class.source.gene_ids
    if len(classes) != len(source.gene_ids):
        raise MatrixInvalidError.at(path, "a code without class or name; give every code both")
    check_shape(path, request.limits, n_genes=len(classes))
    sample_ids = tuple(_sample_id(name) for name in source.sample_ids)
    values = source.block(0, len(sample_ids))
    reading = scaled_reading(Counts(sample_ids, classes, source.gene_ids, values))
    return replace(reading, notes=(*by_name.notes, *reading.notes))


NANOSTRING_TABLE = MatrixFormat(
    "NanoString table with code classes",
    _is_table,
    _open_table,
    lambda path, request: len(_table_layout(path, request)[0].sample_columns),
)
"""Exports of nSolver and raw counts as GEO has them: one row for each code, one column for each sample."""
