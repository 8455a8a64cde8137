"""How the interpreter is set in a process that serves: it has thousands of small things to do, and each is waited for.

All of it is set for the whole process, so only those who begin one do it: the bot, and what measures it.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SWITCH_INTERVAL: Final = 0.0005
"""The store's thread must get the interpreter as soon as it has written; the default of 5 ms is longer than a commit."""

YOUNG: Final = 10_000
"""So many new objects until those among them are looked for that only hold each other.

By default it is 700, fewer than one commit makes: with ten thousand runs in memory, a third of all work was looking through
them for what is hardly ever there, all at once while something waits. What refers to nothing goes at once, as ever.
"""

OLD: Final = (20, 50)


@contextmanager
def opening() -> Iterator[None]:
    """While everything is opened that stays, nothing is looked through; from its end on the interpreter serves."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.disable()
    try:
        yield
    finally:
        begin_to_serve()


def begin_to_serve() -> None:
    """Set the interpreter for serving; what is there now stays, and is never looked through again."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(YOUNG, *OLD)
    gc.enable()
