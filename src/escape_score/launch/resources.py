"""How much memory and time the jobs of the workflow ask for, and how samples are cut into jobs."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from types import MappingProxyType

SMALLEST_CHUNK = 500
LARGEST_CHUNK = 5_000
USUAL_CHUNKS = 20
"""Chunks of a cohort, unless that makes them smaller or larger than the two above."""


@dataclass(frozen=True)
class Need:
    """What a stage needs for a cohort of any size.

    Parameters
    ----------
    base_mb
        Memory without a sample, MiB: the program, its libraries, the reference and one block of samples.
    mb_per_sample
        Memory of one more sample, MiB.
    minutes_per_1000
        Time of a thousand samples, minutes.
    """

    base_mb: int
    mb_per_sample: float
    minutes_per_1000: float

    def memory_mb(self, n_samples: int, *, attempt: int = 1) -> int:
        """Memory to ask for, MiB; grows with each attempt, counted from 1."""
        return attempt * ceil(self.base_mb + self.mb_per_sample * n_samples)

    def minutes(self, n_samples: int, *, attempt: int = 1) -> int:
        """Time to ask for, minutes; grows with each attempt, counted from 1."""
        return attempt * ceil(BASE_MINUTES + self.minutes_per_1000 * n_samples / 1000)


BASE_MINUTES = 10
"""For a slow start on a busy file system; the program itself starts within seconds."""

# Twice to three times what docs/hpc.md lists as measured: 20,000 genes, two shared cores. `read` holds a
# matrix of text as a whole, 8 bytes a value, whose genes may be 40,000; all others hold blocks of samples.
# Methods beside the axes that compare samples hold the whole matrix too.
NEEDS = MappingProxyType(
    {
        "read": Need(1_000, 0.3, 5.0),
        "harmonise": Need(1_000, 0.02, 3.0),
        "score": Need(1_000, 0.05, 2.0),
        "score_methods": Need(1_500, 0.8, 20.0),
        "profile": Need(800, 0.1, 4.0),
        "report": Need(400, 0.02, 3.0),
        "gather": Need(400, 0.02, 2.0),
    }
)


def chunk_size_of(n_samples: int, stated: int | None) -> int:
    """Samples whose pages one job writes.

    A page takes milliseconds, a job a second to start, or seven on a cluster: small cohorts stay whole, and
    large ones are cut into so many jobs that a handful of cores have work. It depends on nothing but the
    cohort, so that a run on another machine repeats no job.

    Parameters
    ----------
    n_samples
        Samples of the cohort, 0 or more.
    stated
        What the config says; None leaves it to the number of samples.

    Returns
    -------
    int
        At least 1.
    """
    if stated is not None:
        return stated
    return min(max(ceil(n_samples / USUAL_CHUNKS), SMALLEST_CHUNK), LARGEST_CHUNK)
