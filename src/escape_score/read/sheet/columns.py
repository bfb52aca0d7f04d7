"""What the columns of a sample sheet are: named by the package, by other programs or by the user."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from escape_score.errors import (
    InputError,
    SampleSheetInvalidError,
    did_you_mean,
    listed,
    nearest,
    unknown_name,
)

DAYS_PER: Mapping[str, float] = MappingProxyType({"days": 1.0, "months": 30.4375, "years": 365.25})
"""Days of a unit of time: a year of 365.25 days has twelve months."""

ENDPOINT_NAMES = (("os", "overallsurvival"), ("pfs", "progressionfreesurvival"))
EVENT_COLUMNS = tuple(f"{endpoint}_event" for endpoint, _ in ENDPOINT_NAMES)

KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sample_id": ("sampleid", "sample", "samples", "samplename", "sampleidentifier"),
        "patient_id": (
            *("patientid", "patient", "patientname", "pid"),
            *("subjectid", "subject", "participantid", "individual"),
        ),
        "timepoint": ("timepoint", "visit"),
        "cancer_type": ("cancertype", "tumourtype", "tumortype"),
        "response": ("response", "bestresponse", "bestoverallresponse", "bor", "recist", "clinicalbenefit"),
        "purity": ("purity", "tumourpurity", "tumorpurity"),
        "msi": ("msi", "msistatus"),
        "tmb": ("tmb", "tumourmutationalburden", "tumormutationalburden"),
        "pdl1_ihc": ("pdl1ihc",),
        "site": ("site", "biopsysite", "tumoursite", "tumorsite"),
        "sample_type": ("sampletype", "tissuetype"),
        **{
            f"{endpoint}_{unit}": (f"{endpoint}{unit}", f"{name}{unit}")
            for endpoint, name in ENDPOINT_NAMES
            for unit in DAYS_PER
        },
        "os_event": (
            "osevent",
            "osstatus",
            "vitalstatus",
            "overallsurvivalstatus",
            "status",
            "vital",
            "dead",
        ),
        "pfs_event": ("pfsevent", "pfsstatus", "progressionfreestatus"),
    }
)
"""Names of columns that are read, with the names they are known by, letters and digits alone."""

FILE_NAMES = frozenset({"path", "file", "filepath", "filename"})
"""Names of a column of files, in a sheet that lists one table a sample."""

WORDED = frozenset({"status", "vital", "dead"})
"""Names that could be anything: such a column is an event only if all its cells are words of an event."""

INDEX_NAMES = frozenset({"", "unnamed0", "index", "rownames"})
"""Headers of a column of row names, as pandas, R and spreadsheets leave it."""

NEAR = 0.8
"""Least similarity, by difflib, at which a known name is suggested: one letter of five wrong or missing."""

GROUP_VALUES, GROUP_NUMBERS = range(2, 21), range(2, 6)
_PERSONAL = re.compile(
    r"name|birth|dob|date|address|zip|postcode|phone|\btel\b|mail|mrn|insurance|comment|note|remark|initial|doctor",
    re.IGNORECASE,
)
"""Names of columns that may identify a patient, or hold free text."""
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")

MAX_GROUP_COLUMNS = 10
"""A column is a group where it has so many words, or whole numbers; only the first columns are kept."""


def plain(name: str) -> str:
    """A name without letter case, blanks and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def has_ids(header: Sequence[str]) -> bool:
    """Whether a header names a column of sample ids."""
    return any(plain(name) in KNOWN["sample_id"] for name in header)


_OURS = {name: ours for ours, names in KNOWN.items() for name in names}
_SUGGESTED = tuple(name for name in _OURS if len(name) > 3)  # noqa: PLR2004
"""Names that are long enough for a slip of one letter to be known."""


@dataclass(frozen=True)
class NamedColumns:
    """The columns of a sheet.

    Attributes
    ----------
    names
        What each is called: the package's name, or its own where it is not known; in the order of the sheet.
    unknown
        Names of those that are not read.
    """

    names: tuple[str, ...]
    unknown: tuple[str, ...]
    faults: tuple[InputError, ...] = field(default=(), repr=False)


def name_columns(
    label: str, header: Sequence[str], mapped: Mapping[str, str], *, is_status: Mapping[int, bool]
) -> NamedColumns:
    """Find out what the columns of a sheet are.

    Parameters
    ----------
    mapped
        The package's names to those of this sheet, as a user says. A pair of two equal names that the package
        does not know keeps a column under its own name.
    is_status
        Whether a column holds nothing but words of an event, by position.
    """
    given = [cell.strip() for cell in header]
    called = [
        (name.lower(), "" if (short := plain(name)) in WORDED and not is_status.get(at) else short)
        for at, name in enumerate(given)
    ]
    faults = [*_map_faults(label, given, mapped), *_double_faults(label, given)]
    at_of = {ours: _position(given, theirs) for ours, theirs in mapped.items() if ours in KNOWN}
    taken = {at for at in at_of.values() if at is not None}
    for ours in KNOWN:
        free = [at for at in range(len(given)) if at not in taken and ours not in at_of]
        found = _best(called, free, ours)
        if found is not None:
            at_of[ours] = found
            taken.add(found)
    if "sample_id" not in at_of:
        at_of["sample_id"] = 0 if given and plain(given[0]) in INDEX_NAMES else None
        if at_of["sample_id"] is None:
            msg = f"{label}: sample sheet has no column sample_id (columns: {', '.join(given[:8])}); "
            faults.append(SampleSheetInvalidError(msg + "name it so, or give --map sample_id=COLUMN"))
    ours_at = {at: ours for ours, at in at_of.items() if at is not None}
    others = (name for at, name in enumerate(given) if at not in ours_at and name)
    unknown = tuple(name for name in others if plain(name) not in FILE_NAMES)
    names = tuple(ours_at.get(at, name if name not in KNOWN else f"{name} ") for at, name in enumerate(given))
    return NamedColumns(names, unknown, tuple(faults))


def _best(called: Sequence[tuple[str, str]], free: Sequence[int], ours: str) -> int | None:
    """Position of the first name that the sheet has: the package's own, then others in their order."""
    for alias in (None, *KNOWN[ours]):
        for at in free:
            exact, plainly = called[at]
            if exact == ours if alias is None else plainly == alias:
                return at
    return None


def _position(given: Sequence[str], theirs: str) -> int | None:
    """Where a column is that a user names, in any letter case."""
    lower = [name.lower() for name in given]
    if theirs in given:
        return given.index(theirs)
    return lower.index(theirs.lower()) if theirs.lower() in lower else None


def _map_faults(label: str, given: Sequence[str], mapped: Mapping[str, str]) -> Iterator[InputError]:
    """Pairs of ``--map`` that cannot be carried out; one of two equal names only keeps a column."""
    for ours, theirs in mapped.items():
        if ours == theirs and ours not in KNOWN:
            continue
        if ours not in KNOWN:
            what = unknown_name("column", ours, tuple(KNOWN))
            yield SampleSheetInvalidError.at(f"--map {ours}={theirs}", what)
        elif _position(given, theirs) is None:
            asked = did_you_mean(theirs, given) or ";"
            msg = f"{label}: no column {theirs!r} (--map {ours}={theirs}){asked} name one of "
            yield SampleSheetInvalidError(msg + listed(given, limit=50))


def _double_faults(label: str, given: Sequence[str]) -> Iterator[InputError]:
    counts = Counter(name.lower() for name in given)
    twice = [name for name, count in counts.items() if count > 1 and name in KNOWN]
    if twice:
        msg = f"{label}: duplicate columns in the sample sheet ({', '.join(twice)}); keep one of each"
        yield SampleSheetInvalidError(msg)


def near_name(name: str) -> str:
    """The known name that a column probably means; empty where there is none."""
    found = nearest(plain(name), _SUGGESTED, cutoff=NEAR)
    return _OURS[found] if found else ""


def could_be_groups(values: Collection[str]) -> bool:
    """Whether values are few enough; measurements are no groups, grades are."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return len(values) in GROUP_VALUES
    return len(values) in GROUP_NUMBERS and all(number.is_integer() for number in numbers)


def group_columns(columns: Mapping[str, Sequence[str]], patients: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that divide the samples into groups.

    They have :data:`GROUP_VALUES` values, and each occurs in several patients. Names, dates, free text and
    whatever else may identify a patient are never copied into a result: no value of a single patient is, and
    no column that is called so.
    """
    found = []
    for name, values in columns.items():
        owners: dict[str, set[str]] = defaultdict(set)
        for value, patient in zip(values, patients, strict=True):
            if value:
                owners[value].add(patient)
        are_shared = all(len(of_value) > 1 for of_value in owners.values())
        is_personal = _PERSONAL.search(name) or any(map(_DATE.search, owners))
        if could_be_groups(owners) and are_shared and not is_personal:
            found.append(name)
    return tuple(found[:MAX_GROUP_COLUMNS])
