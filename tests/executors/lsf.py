"""Stands in for the commands of LSF, the first of its arguments: a job runs at once, on this machine.

Jobs and how they ended are files in the folder that STAND_IN names. A file `refuse` there refuses all jobs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLACE = Path(os.environ["STAND_IN"])


def bsub(*words: str) -> int:
    """Start a job whose output goes to the file after -o; the last word is its command."""
    if (PLACE / "refuse").exists():
        print("none: No such queue. Job not submitted.")
        return 255
    options = dict(zip(words[:-1:2], words[1:-1:2], strict=False))
    number = len(list(PLACE.glob("*.json"))) + 1
    (PLACE / f"{number}.json").write_text(json.dumps(words), encoding="utf-8")
    ended = PLACE / f"{number}.ended"
    command = f'({words[-1]}) > "{options["-o"]}" 2>&1; echo $? > "{ended}.part"; mv "{ended}.part" "{ended}"'
    nothing = subprocess.DEVNULL
    subprocess.Popen(["sh", "-c", command], cwd=options["-cwd"], stdout=nothing, stderr=nothing)
    print(f"Job <{number}> is submitted to queue <normal>.")
    return 0


def bjobs(*_words: str) -> int:
    """Number and state of every job."""
    for job in PLACE.glob("*.json"):
        ended = job.with_suffix(".ended")
        state = {"0": "DONE"}.get(ended.read_text().strip(), "EXIT") if ended.exists() else "RUN"
        print(job.stem, state)
    return 0


def badmin(*_words: str) -> int:
    """Where the files of the cluster are."""
    print(f"MBD configuration\n LSB_SHAREDIR = {PLACE}\n LSF_CONFDIR = {PLACE}")
    params = PLACE / "lsbatch" / "one" / "configdir" / "lsb.params"
    params.parent.mkdir(parents=True, exist_ok=True)
    params.write_text("DEFAULT_QUEUE = normal\n", encoding="utf-8")
    return 0


def lsclusters(*_words: str) -> int:
    """Name of the cluster."""
    print("CLUSTER_NAME STATUS\none ok")
    return 0


COMMANDS = {"bsub": bsub, "bjobs": bjobs, "badmin": badmin, "lsclusters": lsclusters}

if __name__ == "__main__":
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
