"""Columns that are several quantities of one sample, such as TPM, FPKM and counts, and which of them is read.

The declared unit chooses; without one TPM, else FPKM, else counts: TPM need no conversion, FPKM no lengths.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from escape_score.errors import MatrixInvalidError, listed
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit, Strand
from escape_score.read.checks.names import plain_name
from escape_score.read.formats.text_layout import STRAND_COLUMNS
from escape_score.read.request import ReadRequest

_TPM = ("tpm", "tpms", "tpm_unstranded")
_FPKM = ("fpkm", "rpkm", "fpkms", "rpkms", "fpkm_unstranded")
_WHOLE = (
    "count",
    "counts",
    "raw_count",
    "raw_counts",
    "read_count",
    "read_counts",
    "reads",
    STRAND_COLUMNS[0],
)
_ESTIMATED = ("expected_count", "est_counts", "numreads", "expected_counts", "estimated_counts")
_NORMALISED = ("normalized_count", "normalized_counts", "normalised_count", "normalised_counts")
_UMI = ("umi", "umis", "umi_count", "umi_counts")

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "tpm": _TPM,
        "fpkm": _FPKM,
        "counts": (*_WHOLE, *_ESTIMATED),
        "estimated_counts": (*_ESTIMATED, *_WHOLE),
        "cpm": ("cpm",),
        "normalised_counts": _NORMALISED,
        "tcga_rsem": _NORMALISED,
        "umi": (*_UMI, *_WHOLE),
    }
)
"""Names of columns by unit, as ``plain_name`` writes them, best first: RSEM, salmon, kallisto, StringTie,
Cufflinks, STAR, featureCounts, HTSeq, and tables of the GDC and of GEO."""

_AUTO_ORDER = ("tpm", "fpkm", "counts")
_STATED = MappingProxyType({"tpm": ExpressionUnit.TPM, "fpkm": ExpressionUnit.FPKM})
"""Units that a column's name states; whether counts are whole is for the numbers to show."""

_SECONDARY_WORDS = """
coverage cov fpkm_uq fpkm_uq_unstranded isopct scaled_estimate stranded_first stranded_second
fpkm_conf_lo fpkm_conf_hi conf_lo conf_hi fpkm_status status posterior_mean_count pme_tpm pme_fpkm
posterior_standard_deviation_of_count isopct_from_pme_tpm tpm_ci_lower_bound tpm_ci_upper_bound
tpm_coefficient_of_quartile_variation fpkm_ci_lower_bound fpkm_ci_upper_bound
fpkm_coefficient_of_quartile_variation
"""
_SECONDARY = frozenset(_SECONDARY_WORDS.split())
"""Columns of these programs that are never read as expression."""

_UNKNOWN = frozenset({"value", "values", "expression", "expr", "signal", "intensity", "abundance"})
"""Names of a quantity whose unit they leave open."""

_PRIMARY = frozenset(word for words in WORDS.values() for word in words)
QUANTITY_WORDS = _PRIMARY | _SECONDARY | _UNKNOWN
"""Names of columns that are quantities, and never samples."""

_AFFIX_WORDS = (_PRIMARY | _SECONDARY) - {"reads", "umi", "umis", "status", *STRAND_COLUMNS}
_AFFIX = "|".join(
    word.replace("_", r"[\s._-]?") for word in sorted(_AFFIX_WORDS, key=lambda word: (-len(word), word))
)
_BREAK = r"[\s._:|(\[-]+"
_SUFFIXED = re.compile(rf"(?P<sample>.+?){_BREAK}(?P<quantity>{_AFFIX})[)\]]?", re.IGNORECASE)
_PREFIXED = re.compile(rf"(?P<quantity>{_AFFIX}){_BREAK}(?P<sample>.+?)[)\]]?", re.IGNORECASE)
_HINT = re.compile(r"tpm|fpkm|rpkm|cpm|count|numreads", re.IGNORECASE)


@dataclass(frozen=True)
class Selection:
    """Columns that are read as samples, where not all are.

    Parameters
    ----------
    columns
        Positions among the columns of numbers; the three of ``STRAND_COLUMNS`` where the counts decide.
    sample_ids
        Names of the samples; None where the one sample is named by its file.
    unit
        Unit that the columns' names state; None where the numbers decide.
    chosen, left_out
        Quantity that is read, empty where its columns do not name it, and columns that are not read.
    """

    columns: tuple[int, ...]
    sample_ids: tuple[str, ...] | None
    unit: ExpressionUnit | None
    chosen: str
    left_out: tuple[str, ...] = ()

    @property
    def is_by_strand(self) -> bool:
        """Whether the columns are counts by strand, of which one is still to be chosen."""
        return self.sample_ids is None and len(self.columns) > 1

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a user must know of the choice."""
        if not self.left_out:
            return ()
        kind = "column" if self.chosen else "bare"
        return (note(Code.QUANTITY_CHOSEN, kind, chosen=self.chosen, names=self.left_out),)


def select_quantity(label: Path | str, names: Sequence[str], request: ReadRequest) -> Selection | None:
    """Choose among columns of numbers those of one quantity; None where each column is a sample.

    Raises MatrixInvalidError: no column is in the declared unit, or quantities and samples are mixed.
    """
    plain = [plain_name(name) for name in names[: len(QUANTITY_WORDS)]]
    if len(set(plain)) == len(names) > 0 and set(plain) <= QUANTITY_WORDS:
        return _of_one_sample(label, names, plain, request)
    if len(names) > 1 and any(map(_HINT.search, names)):
        return _of_several_samples(label, names, request)
    return None


# --- one sample ---------------------------------------------------------------------------------------------


def _of_one_sample(
    label: Path | str, names: Sequence[str], plain: Sequence[str], request: ReadRequest
) -> Selection:
    if set(STRAND_COLUMNS) <= set(plain) and _best(plain, request.units)[0] == STRAND_COLUMNS[0]:
        return _of_strands(plain, request.strand)
    word, unit = _best(plain, request.units)
    word = word or _only_one(plain, request.units)
    if not word:
        raise _no_quantity(label, names, request.units)
    at = plain.index(word)
    left_out = (name for position, name in enumerate(names) if position != at)
    return Selection((at,), None, unit, names[at], tuple(left_out))


def _only_one(plain: Sequence[str], declared: ExpressionUnit) -> str:
    """The only column that may be expression, unless its name contradicts the declared unit."""
    candidates = [word for word in plain if word not in _SECONDARY]
    if len(candidates) != 1:
        return ""
    is_open = declared.value not in WORDS or candidates[0] in _UNKNOWN
    return candidates[0] if is_open else ""


def _of_strands(plain: Sequence[str], strand: Strand) -> Selection:
    """Counts of one strandedness, or of all three where none is declared."""
    columns = tuple(plain.index(word) for word in STRAND_COLUMNS)
    if strand is Strand.AUTO:
        return Selection(columns, None, ExpressionUnit.COUNTS, "")
    at = (Strand.UNSTRANDED, Strand.FORWARD, Strand.REVERSE).index(strand)
    return Selection((columns[at],), None, ExpressionUnit.COUNTS, STRAND_COLUMNS[at])


def _best(words: Iterable[str], declared: ExpressionUnit) -> tuple[str, ExpressionUnit | None]:
    """Name of the best column for a unit, empty where there is none, and the unit that it states."""
    found = set(words)
    order = _AUTO_ORDER if declared is ExpressionUnit.AUTO else (declared.value,)
    pairs = ((word, key) for key in order for word in WORDS.get(key, ()) if word in found)
    word, key = next(pairs, ("", ""))
    return word, _STATED.get(key)


def _unit_of(word: str) -> str:
    """Unit that declares a column of this name, empty where there is none."""
    return next((key for key, words in WORDS.items() if word in words and key != "tcga_rsem"), "")


def _no_quantity(label: Path | str, names: Sequence[str], declared: ExpressionUnit) -> MatrixInvalidError:
    known = [f"{name} ({unit})" for name in names if (unit := _unit_of(plain_name(name)))]
    if not known:
        msg = f"columns {listed(names)} are quantities of one sample, none of them in a known unit; "
        return MatrixInvalidError.at(label, msg + "give TPM, FPKM or counts")
    msg = f"no column in the declared unit {declared.value}; the quantities are {', '.join(known)}; "
    return MatrixInvalidError.at(label, msg + "declare one of their units with --units")


# --- several samples ----------------------------------------------------------------------------------------


def _of_several_samples(label: Path | str, names: Sequence[str], request: ReadRequest) -> Selection | None:
    """Quantities of several samples, named such as ``A_TPM``, ``A_FPKM``, or ``A`` and ``A_FPKM``."""
    table: dict[str, dict[str, int]] = defaultdict(dict)
    bare: list[tuple[int, str]] = []
    for at, name in enumerate(names):
        sample, word = _split(name)
        if not word:
            bare.append((at, name))
        elif table[sample].setdefault(word, at) != at:
            msg = f"columns {names[table[sample][word]]!r} and {name!r} are both {word} of sample {sample}; "
            raise MatrixInvalidError.at(label, msg + "leave one of them out")
    for at, name in bare:
        if name in table:
            table[name][""] = at
    if max((len(quantities) for quantities in table.values()), default=0) < 2:  # noqa: PLR2004
        return None
    others = [name for _, name in bare if name not in table]
    if others:
        msg = f"columns {listed(names)} mix quantities of one sample with columns {listed(others)}; "
        raise MatrixInvalidError.at(label, msg + "leave all but one quantity out")
    return _one_quantity(label, names, table, request.units)


def _split(name: str) -> tuple[str, str]:
    """Sample and quantity of a column's name; no quantity where it names none."""
    found = _SUFFIXED.fullmatch(name.strip()) or _PREFIXED.fullmatch(name.strip())
    return (found["sample"].strip(), plain_name(found["quantity"])) if found else (name, "")


def _one_quantity(
    label: Path | str,
    names: Sequence[str],
    table: Mapping[str, Mapping[str, int]],
    declared: ExpressionUnit,
) -> Selection:
    words = list(dict.fromkeys(word for quantities in table.values() for word in quantities))
    word, unit = _best(words, declared)
    if not word and "" not in words:
        raise _no_quantity(label, [one for one in words if one], declared)
    lacking = [sample for sample, quantities in table.items() if word not in quantities]
    if lacking:
        msg = f"samples {listed(lacking)} have no column of {word or 'values'}, which others have; "
        raise MatrixInvalidError.at(label, msg + "give all samples the same quantities")
    columns = tuple(quantities[word] for quantities in table.values())
    others = sorted(at for quantities in table.values() for one, at in quantities.items() if one != word)
    left_out = tuple(names[at] for at in others)
    return Selection(columns, tuple(table), unit, word, left_out)
