"""Bears processes that are to be killed: each life is a fork of one that has imported everything, so a life costs no start.

Run as `python -m tests.crash.nursery MODULE`. Reads the plan of a life as a line of JSON, lets `MODULE.live(MODULE.Plan(...))`
run in a child, and answers with the child's exit code, negative for a signal. A life that takes longer than `LIFE` seconds is
ended by an alarm.
"""

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
LIFE: Final = 120


def _main(name: str) -> None:
    """Let one life after another be lived."""
    module = importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_lived(module.live, module.Plan(**json.loads(line))))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _lived(live: Callable[[Any], Any], plan: Any) -> int:
    signal.alarm(LIFE)
    try:
        asyncio.run(live(plan))
    except BaseException:  # noqa: BLE001  whatever it was, the process that was forked must not go on
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()
    return 0


@contextmanager
def started(errors: Path, *module: str) -> Iterator["subprocess.Popen[str]"]:
    """A module of ours that runs until this is left; what it complains of is in a file."""
    with (
        errors.open("a") as log,
        subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            bufsize=1,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def nursery(module: str, errors: Path) -> Iterator[Callable[[Any], bool]]:
    """Lets lives be lived one after the other; tells of each whether it was killed."""
    with started(errors, "tests.crash.nursery", module) as process:

        def live(plan: Any) -> bool:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(asdict(plan)) + "\n")
            code = int(process.stdout.readline())
            assert code in (0, -signal.SIGKILL), f"{plan} ended with {code}\n{errors.read_text()[-6_000:]}"
            return code != 0

        yield live


if __name__ == "__main__":
    _main(sys.argv[1])
