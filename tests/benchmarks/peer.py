"""Starts the peer in its own environment and has it run rounds between ours.

Its packages are not this project's: uv makes an environment for it, and where that is not possible the comparison is
skipped with the reason.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.benchmarks.said import Silent, line_of
from tests.benchmarks.workload import Synchronous

DBOS: Final = "dbos==3.4.0"
SCRIPT: Final = Path(__file__).with_name("peer_dbos.py")
TO_INSTALL: Final = 90.0
"""Seconds within which it has to be ready."""
ROUND: Final = 120.0


class Peer:
    """A peer that is ready."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def rate(self, in_flight: int, workflows: int) -> float:
        """Steps a second with so many workflows, so many at a time."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{in_flight} {workflows}\n")
        self._process.stdin.flush()
        return float(json.loads(line_of(self._process, ROUND)))


@contextmanager
def peer(synchronous: Synchronous) -> Iterator[Peer]:
    """DBOS on a new file.

    Raises:
        Silent: It cannot be installed, does not start, or breaks; the text says why.
    """
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Silent("there is no uv to install it with")
    with tempfile.TemporaryDirectory(prefix="showcaller-bench-") as folder:
        process = subprocess.Popen(
            [
                *(uv, "run", "--isolated", "--no-project", "--with", DBOS, "--with", "pysqlite3-binary"),
                *("python", str(SCRIPT), str(Path(folder, "peer.db")), synchronous),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        try:
            line_of(process, TO_INSTALL)
            yield Peer(process)
        finally:
            process.kill()
            process.communicate()
