"""The chat at the keyboard: opens the bot, passes lines one after another, and ends in good order whatever ends it.

Ctrl-C, SIGTERM and the end of input all come to the same: nothing is waited for, everything is stored, exit code 0.
"""

import asyncio
import contextlib
import io
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bot.app import Bot, equipment, open_bot
from bot.config import DataFolder
from bot.interpreter import opening
from bot.log import Redacting
from bot.message import Reply, Role
from bot.rendering import wants_colours
from bot.terminal import words
from bot.terminal.output import Entered, ObjectOutput, Output, PlainOutput
from bot.terminal.pipe import MAX_LINE, Typed, lines_of
from bot.terminal.session import Session

log = logging.getLogger(__name__)

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_STDIN: Final = 0


@dataclass(frozen=True, slots=True)
class Options:
    """How a chat was asked for."""

    folder: DataFolder
    name: str
    role: Role
    virtual: bool
    objects: bool


class Chat:
    """Lines in, output out, one line at a time."""

    def __init__(self, bot: Bot, session: Session, output: Output) -> None:
        self._bot = bot
        self._session = session
        self._output = output
        self._turn = asyncio.Lock()

    async def lines(self, source: AsyncIterator[Typed]) -> None:
        """Handle every line until there are no more, or one says to leave."""
        async with self._turn:
            await self._bot.runner.quiescent()
            self._output.between()
        watcher = asyncio.create_task(self._watch(), name="between lines")
        try:
            async for line in source:
                if await self._line(line):
                    return
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        self._output.between()

    async def _line(self, line: Typed) -> bool:
        async with self._turn:
            self._output.begin(hold=not line.text.lstrip().startswith("/"))
            entered = _TOO_LONG if line.too_long else await self._session.enter(line.text)
            self._output.replied(entered)
            await self._bot.runner.quiescent()
            self._output.finish(line.raw, self._session.person, self._session.place)
            return entered.leave

    async def _watch(self) -> None:
        """Let what happens by itself be seen as soon as it is over."""
        while True:
            await self._output.happened.wait()
            async with self._turn:
                await self._bot.runner.quiescent()
                self._output.between()
                self._output.happened.clear()


_TOO_LONG: Final = Entered(
    (Reply("refusal", f"That line is longer than {MAX_LINE} bytes; nothing of it was read. Send it in parts."),)
)


async def chat(options: Options, log_file: Redacting) -> None:
    """Run until the input ends or a signal comes."""
    log.info("the chat begins: %s", options)
    asyncio.get_running_loop().set_exception_handler(_log_it)
    leaving = _Leaving()
    with contextlib.suppress(asyncio.CancelledError), leaving.by_signals():
        await _chat(options, log_file, leaving)


async def _chat(options: Options, log_file: Redacting, leave: Callable[[], None]) -> None:
    async with AsyncExitStack() as stack:
        interactive = not options.objects and all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))
        write = _writer(leave)
        colours = wants_colours(dict(os.environ), is_terminal=interactive)
        with opening():
            equipped = equipment()
            said = partial(words.of, declarations=equipped.declarations)
            output: Output = (
                ObjectOutput(write) if options.objects else PlainOutput(write, said, notes=interactive, colours=colours)
            )
            bot = await open_bot(
                stack,
                options.folder,
                log_file,
                equipment=equipped,
                virtual=options.virtual,
                on_attempt=output.attempt,
                notice=output.notice,
            )
        session = Session(bot, options.name, options.role, words.seconds, str(options.folder.log))
        lines = Chat(bot, session, output)
        if interactive:
            from bot.terminal.prompt import prompted  # heavy, and only people need it

            await lines.lines(prompted(stack, session, options.folder))
        else:
            await lines.lines(lines_of(_STDIN))


def _writer(leave: Callable[[], None]) -> Callable[[str], None]:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")

    def write(text: str) -> None:
        if sys.stdout is None:  # started without one
            return
        try:
            # Looked up each time: the prompt puts its own stream in the place of the terminal's.
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # Nobody reads any more. What is left in the buffer must not be tried again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
            leave()

    return write


class _Leaving:
    """Ends the chat's task from outside, once: by a signal, or because nobody reads any more."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._left = False

    def __call__(self, *_: object) -> None:
        """Leave. What is being stored is still stored, so a second time changes nothing."""
        if not self._left and self._task is not None:
            self._left = True
            self._loop.call_soon_threadsafe(self._task.cancel)

    @contextlib.contextmanager
    def by_signals(self) -> Iterator[None]:
        """While this lasts, signals end the task as the end of input would."""
        for number in _SIGNALS:
            try:
                self._loop.add_signal_handler(number, self)
            except NotImplementedError:  # Windows
                signal.signal(number, self)
        try:
            yield
        finally:
            # Everything is stored by now; what is left of the process ends well, whoever is impatient.
            for number in _SIGNALS:
                with contextlib.suppress(NotImplementedError):
                    self._loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)


def _log_it(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("%s", context.get("message"), exc_info=context.get("exception"))
