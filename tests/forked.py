"""Code in processes of their own that share the time for their imports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 60
"""Time after which a process is killed."""

SERVER = """
import json, os, signal, sys, traceback
exec(sys.argv[1])
for line in sys.stdin:
    job = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    signal.alarm(job["seconds"])
    os.chdir(job["cwd"])
    for number, path in ((0, os.devnull), (1, job["stdout"]), (2, job["stderr"])):
        os.dup2(os.open(path, os.O_RDWR), number)
    code = 1
    try:
        exec(job["code"], {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""
"""Each line of its input is run in a copy of the process, which has nothing but the imports."""


@dataclass(frozen=True)
class Ended:
    """How a process ended; killed ones have minus the number of the signal as their code."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Forks:
    """A process with imports, of which each piece of code gets a copy."""

    server: subprocess.Popen[str]
    folder: Path

    def run(self, code: str, cwd: Path) -> Ended:
        """Run code in a copy; what it raises is a traceback and exit code 1."""
        said, complained = self.folder / "stdout", self.folder / "stderr"
        for path in (said, complained):
            path.write_bytes(b"")
        job = {"code": code, "cwd": str(cwd), "seconds": SECONDS}
        job |= {"stdout": str(said), "stderr": str(complained)}
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(json.dumps(job), file=self.server.stdin, flush=True)
        ended = int(self.server.stdout.readline())
        return Ended(ended, said.read_text(encoding="utf-8"), complained.read_text(encoding="utf-8"))


@contextmanager
def forks_of(imports: str, environment: Mapping[str, str] | None = None) -> Iterator[Forks]:
    """Start the process: ``imports`` are run once, in the whole environment where one is given."""
    command = [sys.executable, "-c", SERVER, imports]
    pipe = subprocess.PIPE
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as server,
    ):
        yield Forks(server, Path(folder))
