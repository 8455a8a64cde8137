"""The bot on its real platforms: opens, runs until somebody ends it, and leaves in good order.

What people should know while it runs is printed, a line each with its time, and logged.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Final

from bot.app import equipment, open_bot
from bot.config import DataFolder
from bot.interpreter import opening
from bot.log import Redacting
from bot.metrics import PrometheusMetrics
from bot.platforms import Platforms
from bot.tokens import TokenFile
from engine.errors import EngineError
from engine.runner import Attempt

log = logging.getLogger(__name__)

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")
NOTHING_SET_UP: Final = "Nothing is set up yet, so there is nowhere to be. Begin with: showcaller setup"


class NothingSetUp(EngineError):
    """There is no platform to run on."""

    def __init__(self) -> None:
        super().__init__(NOTHING_SET_UP)


async def run(folder: DataFolder, log_file: Redacting, say: Callable[[str], None]) -> None:
    """Run until a signal comes.

    Args:
        folder: Where everything is kept.
        log_file: Gets to know what may not be written.
        say: Shows a line.

    Raises:
        NothingSetUp: There is no platform to run on.
        EngineError: It cannot be opened; the text says why.
    """
    tokens = TokenFile.open(folder.path)
    log_file.secrets = tokens.secrets
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_it)
    leave = asyncio.Event()
    for name in _SIGNALS:
        if hasattr(signal, name):
            try:
                loop.add_signal_handler(getattr(signal, name), leave.set)
            except NotImplementedError:  # Windows
                signal.signal(getattr(signal, name), lambda *_: loop.call_soon_threadsafe(leave.set))
    metrics = PrometheusMetrics()
    platforms = Platforms(tokens, metrics.generate)

    def notice(sentence: str) -> None:
        shown = log_file.hidden(sentence)
        say(f"{datetime.now().astimezone():%H:%M:%S} {shown}")
        platforms.tell(shown)

    async with AsyncExitStack() as stack:
        with opening():
            bot = await open_bot(
                stack,
                folder,
                log_file,
                equipment=await asyncio.to_thread(equipment),
                virtual=False,
                on_attempt=_note,
                notice=notice,
                abroad=platforms.abroad,
                metrics=metrics,
            )
        if not platforms.there:
            raise NothingSetUp
        await stack.enter_async_context(platforms.running(bot))
        notice("I am here. End me with Ctrl-C.")
        await leave.wait()
        notice("Leaving: nothing new is taken, what is under way ends or is kept for the next start.")


def _note(attempt: Attempt) -> None:
    if attempt.outcome != "done":
        effect = attempt.effect
        log.warning(
            "%s.%s of %s: %s (%s)", effect.service, effect.method, effect.workflow, attempt.outcome, attempt.message
        )


def _log_it(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("%s", context.get("message"), exc_info=context.get("exception"))


def printed(line: str) -> None:
    """Show a line to whoever started it, if anybody still looks."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
