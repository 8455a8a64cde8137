"""Lines from a pipe or a file, without ever keeping the process from ending.

A thread reads the file descriptor itself: event loops cannot watch files or Windows' pipes, and a thread that sleeps in
Python's own buffered reader would hold a lock that the interpreter wants at exit.
"""

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Final

MAX_LINE: Final = 200_000
"""Bytes of one line; a longer one is read past and refused."""

_CHUNK: Final = 65_536
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Typed:
    r"""One line of input.

    Attributes:
        raw: As it came, without its end.
        text: With `\n` made a line break.
        too_long: Whether the rest of it was dropped.
    """

    raw: str
    text: str
    too_long: bool = False


def typed(raw: str) -> Typed:
    r"""A line from a pipe. `\\n` stays as it is, since the language's own texts mean a backslash by that."""
    return Typed(raw, _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[0], raw))


class _Lines:
    """Cuts a stream of bytes into lines of bounded length."""

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def feed(self, chunk: bytes) -> list[Typed]:
        """The lines that end in this chunk."""
        *ended, rest = (self._rest + chunk).split(b"\n")
        lines = [self._line(line) for line in ended]
        if len(rest) > MAX_LINE:
            rest, self._dropping = rest[:MAX_LINE], True
        self._rest = rest
        return lines

    def end(self) -> list[Typed]:
        """The last line, if it had no end."""
        return [self._line(self._rest)] if self._rest else []

    def _line(self, raw: bytes) -> Typed:
        too_long = self._dropping or len(raw) > MAX_LINE
        self._dropping = False
        line = typed(raw[:MAX_LINE].removesuffix(b"\r").decode("utf-8", "replace"))
        return Typed(line.raw, line.text, too_long) if too_long else line


async def lines_of(descriptor: int) -> AsyncIterator[Typed]:
    """Every line of a file descriptor, read no further ahead than the reader asks for."""
    queue: asyncio.Queue[list[Typed] | None] = asyncio.Queue(maxsize=1)
    loop = asyncio.get_running_loop()

    def hand_over(lines: list[Typed] | None) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(lines), loop).result()

    def read() -> None:
        lines = _Lines()
        try:
            while chunk := _read(descriptor):
                hand_over(lines.feed(chunk))
            hand_over(lines.end())
            hand_over(None)
        except (RuntimeError, CancelledError):
            return  # the loop has gone; nobody listens any more

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (batch := await queue.get()) is not None:
        for line in batch:
            yield line


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        return b""  # a terminal that went away reads as its end
