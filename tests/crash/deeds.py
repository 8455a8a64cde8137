"""Something that is done to files and must be whole or not at all, killed at each thing it asks the system for.

A hook sees every call of the functions in `ASKED` and `SCRIPTS`, in every thread: the product knows nothing of it. It kills before the
n-th, after it, or a moment after it has begun, which is in the middle of what takes longer.
"""

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal

from storage.backup import backup, restore
from storage.sqlite import SQLiteStore
from tests.crash.bot import die

ASKED: Final = frozenset({"execute", "connect", "open", "fsync", "replace", "rename", "link", "unlink"})
SCRIPTS: Final = frozenset({"executescript"})
"""Asked for through a function of the driver that is written in Python."""


@dataclass(frozen=True)
class Plan:
    """What to do, and when to die of it.

    Attributes:
        other: The file that is written by a backup, or put back by a restore.
        at: At the how many-th call; 0 for never.
        seconds: For `during`, how long after the call has begun.
    """

    deed: Literal["migrate", "backup", "restore"]
    database: str
    other: str
    when: Literal["before", "after", "during"]
    at: int
    seconds: float = 0.0


class Hook:
    """Counts calls, and kills."""

    def __init__(self, plan: Plan) -> None:
        self._events = ("c_return", "return") if plan.when == "after" else ("c_call", "call")
        self._plan = plan
        self._count = 0

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        if event not in self._events or not _counts(frame, event, called):
            return
        self._count += 1
        if self._count == self._plan.at:
            if self._plan.when == "during":
                _die_later(self._plan.seconds)
            else:
                die()


def _counts(frame: FrameType, event: str, called: Any) -> bool:
    if event.startswith("c_"):
        return getattr(called, "__name__", "") in ASKED
    return frame.f_code.co_name in SCRIPTS


def _die_later(seconds: float) -> None:
    """A process of its own does it, as this one may be busy."""
    victim = os.getpid()
    if os.fork() == 0:
        time.sleep(seconds)
        os.kill(victim, 9)
        os._exit(0)


async def live(plan: Plan) -> None:
    """Do it."""
    hook = Hook(plan)
    threading.setprofile(hook)
    sys.setprofile(hook)
    database, other = Path(plan.database), Path(plan.other)
    match plan.deed:
        case "migrate":
            await (await SQLiteStore.open(database)).close()
        case "backup":
            await backup(database, other)
        case "restore":
            await restore(other, database)
