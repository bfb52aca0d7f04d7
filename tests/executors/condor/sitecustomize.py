"""Stands in for the queue of an HTCondor pool, where this folder is on the path of Python.

A job is described by HTCondor's own code and runs at once, on this machine, with the environment that it
would have in a pool. Jobs are files in the folder that STAND_IN names. A file `refuse` there refuses all.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

KEPT = ("RequestMemory", "RequestCpus", "AllowedExecuteDuration", "AccountingGroup", "Requirements", "Env")
COMPLETED, RUNNING = 4, 2


class Schedd:
    """Queue of the pool."""

    jobs: ClassVar[list[subprocess.Popen[bytes]]] = []

    def submit(self, description: Mapping[str, str]) -> SimpleNamespace:
        """Start a job."""
        place = Path(os.environ["STAND_IN"])
        if (place / "refuse").exists():
            msg = "no such accounting group"
            raise RuntimeError(msg)
        advert = next(iter(htcondor.Submit(dict(description)).jobs()))
        kept = {key: str(advert[key]) for key in KEPT if key in advert}
        words = dict(shlex.split(f"x={word}")[0][2:].split("=", 1) for word in advert["Environment"].split())
        (place / f"{len(self.jobs) + 1}.json").write_text(json.dumps({**kept, **words}), encoding="utf-8")
        command = [advert["Cmd"], *shlex.split(advert["Args"])]
        with Path(advert["Out"]).open("wb") as out, Path(advert["Err"]).open("wb") as err:
            self.jobs.append(subprocess.Popen(command, cwd=advert["Iwd"], env=words, stdout=out, stderr=err))
        return SimpleNamespace(cluster=lambda: len(self.jobs))

    def query(self, **_how: object) -> Iterator[dict[str, int]]:
        """State of every job."""
        for number, job in enumerate(self.jobs, start=1):
            status = job.poll()
            state = RUNNING if status is None else COMPLETED
            yield {"ClusterId": number, "JobStatus": state, "ExitCode": status or 0}


# jobs do not have the packages of who sends them
with suppress(ImportError):
    import htcondor
    import htcondor2

    htcondor2.Schedd = Schedd
