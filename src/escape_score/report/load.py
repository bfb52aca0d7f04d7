"""Published profiles and statistics read back from a result folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from escape_score.errors import ResultInvalidError
from escape_score.model.record import SCHEMA_VERSION, EscapeProfile
from escape_score.model.record_statistics import STATISTICS_VERSION, CohortStatistics
from escape_score.report.text.visible import VisibleProfile, is_visible_json, visible_profile

STATISTICS = "cohort.json"
_MAKE_ANEW = "run escape-score again to write this folder anew"


def read_profiles(results: Path) -> tuple[EscapeProfile, ...]:
    """Read every profile of a result folder.

    Parameters
    ----------
    results
        Folder that a run wrote; its ``samples/*.json`` are read.

    Returns
    -------
    tuple of EscapeProfile
        In the order of :func:`iter_profiles`.

    Raises
    ------
    ResultInvalidError
        There are no profiles, or one cannot be read.
    """
    return tuple(iter_profiles(results))


def iter_profiles(results: Path, listed: Sequence[str] | None = None) -> Iterator[EscapeProfile]:
    """Read the profiles of a result folder one at a time, for cohorts too large to hold.

    As :func:`profile_paths` lists them. Raises ResultInvalidError: there are no profiles, or one cannot be
    read.
    """
    return map(read_profile, profile_paths(results, listed))


def profile_paths(results: Path, listed: Sequence[str] | None = None) -> list[Path]:
    """Find the profiles of a result folder.

    Those ``listed``, relative to the folder; all ``samples/*.json`` where None. Ordered by file name, with
    numbers inside names in numeric order (``s2`` before ``s10``). Raises ResultInvalidError: there are none.
    """
    found = (results / "samples").glob("*.json") if listed is None else (results / path for path in listed)
    paths = sorted(found, key=natural_order)
    if not paths:
        message = (
            f"{results}: holds no profiles (samples/*.json); "
            "give the --out folder of a run made without --no-reports"
        )
        raise ResultInvalidError(message)
    return paths


def read_profile(path: Path) -> EscapeProfile:
    """Read one profile as published.

    Raises ResultInvalidError: it is no profile of this version, or its file is named for another sample.
    """
    return _read(path)[0]


def read_visible(path: Path) -> VisibleProfile:
    """Read one profile for its page: as :func:`read_profile`, with invisible characters as escapes."""
    profile, content = _read(path)
    # what is looked at is the file: to write the profile as JSON once more takes as long as to read it
    return VisibleProfile(profile) if is_visible_json(content) else visible_profile(profile)


def _read(path: Path) -> tuple[EscapeProfile, bytes]:
    """Read one profile, and the JSON that it was made of."""
    if not path.is_file():
        message = f"{path}: is not a regular file; {_MAKE_ANEW}"
        raise ResultInvalidError(message)
    try:
        content = path.read_bytes()
        profile = EscapeProfile.model_validate_json(content)
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); check the file's permissions"
        raise ResultInvalidError(message) from error
    except ValidationError as error:
        message = f"{path}: {_what_it_is(path.read_bytes(), error)}; {_MAKE_ANEW}"
        raise ResultInvalidError(message) from error
    if profile.slug != path.stem:
        message = f"{path}: belongs to another sample (its slug is {profile.slug!r}); {_MAKE_ANEW}"
        raise ResultInvalidError(message)
    return profile, content


def read_statistics(results: Path) -> CohortStatistics | None:
    """Read what the labels of a cohort's sample sheet say about its scores.

    None where the folder has no ``cohort.json``, as results made before there was one, or bare JSON of
    samples. Raises ResultInvalidError: it cannot be read, or is of another version.
    """
    path = results / STATISTICS
    if not path.exists():
        return None
    try:
        statistics = CohortStatistics.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        msg = f"{path}: cannot be read as statistics of this version; run escape-score again to write it anew"
        raise ResultInvalidError(msg) from error
    if statistics.schema_version != STATISTICS_VERSION:
        msg = (
            f"{path}: has version {statistics.schema_version} where this program reads {STATISTICS_VERSION}; "
            "run escape-score again to write it anew"
        )
        raise ResultInvalidError(msg)
    return statistics


def _what_it_is(content: bytes, error: ValidationError) -> str:
    """What a file is instead of a profile: one of an earlier version, or something else."""
    version = re.search(rb'"schema_version": ?"(1[.0-9]*)"', content)
    if version is not None:
        return f"is a profile of version {version[1].decode()}, this program reads version {SCHEMA_VERSION}"
    return f"is not a profile of this version ({_first_fault(error)})"


def _first_fault(error: ValidationError) -> str:
    """Say what is wrong and where, without the offending value."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Sort key with runs of digits as numbers; the text breaks ties such as 01 and 1."""
    parts = re.split(r"([0-9]+)", path.stem)
    return [(int(part) if part.isdecimal() else 0, part) for part in parts]
