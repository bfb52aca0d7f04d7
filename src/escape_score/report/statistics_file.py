"""The statistics of a cohort read back from a result folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from escape_score.errors import ResultInvalidError
from escape_score.model.record_statistics import STATISTICS_VERSION, CohortStatistics

STATISTICS = "cohort.json"


def read_statistics(results: Path) -> CohortStatistics | None:
    """Read what the labels of a cohort's sample sheet say about its scores.

    Parameters
    ----------
    results
        Folder that a run wrote.

    Returns
    -------
    CohortStatistics or None
        None where the folder has no ``cohort.json``, as results made before there was one, or bare JSON of
        samples.

    Raises
    ------
    ResultInvalidError
        It cannot be read, or is of another version.
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
