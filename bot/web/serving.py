"""Serves an application on a socket of this machine, inside the bot's own event loop and never taking it down.

The server's library ends the process where a port is taken, and listens to signals itself: so the port is taken here, and
signals stay with the bot.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

HOST: Final = "127.0.0.1"
_CLOSE_WITHIN: Final = 2
_MOST_AT_ONCE: Final = 100
_LONGEST_HEAD: Final = 16_384


class PortTaken(Exception):
    """Something else listens there."""


def listening(port: int) -> socket.socket:
    """A socket on this machine; 0 takes any port.

    Raises:
        PortTaken: It cannot be had.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise PortTaken from error


async def serve(app: ASGIApp, listener: socket.socket, end: Callable[[], None] = lambda: None) -> None:
    """Serve until cancelled; then `end` lets go of what lasts, and what is under way gets two seconds."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # addresses have tokens in them
            lifespan="off",
            ws="none",
            http="h11",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            timeout_graceful_shutdown=_CLOSE_WITHIN,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        end()
        server.should_exit = True
        await serving
        raise
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """One that leaves signals alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
