"""A real Chromium without a window, driven over its own protocol, for tests of the overlay's page."""

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

PROGRAM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
WITHIN = 40.0
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--window-size=1280,720",
    "--remote-debugging-port=0",
)


class Chromium:
    """One browser with one page.

    Args:
        profile: A folder of its own.
        sounds: Whether pages may play sounds by themselves, as in OBS.
    """

    def __init__(self, profile: Path, *, sounds: bool = True) -> None:
        self._profile = profile
        self._options = (*_QUIET, *(("--autoplay-policy=no-user-gesture-required",) if sounds else ()))
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.complaints: list[str] = []

    async def __aenter__(self) -> Self:
        assert PROGRAM is not None
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *self._options,
            f"--user-data-dir={self._profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        port_file = self._profile / "DevToolsActivePort"
        async with asyncio.timeout(WITHIN):
            while not (port_file.exists() and "\n" in port_file.read_text()):  # noqa: ASYNC110  another program writes it
                await asyncio.sleep(0.05)
        port = port_file.read_text().split("\n")[0]
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as listed:
            target = next(each for each in await listed.json() if each["type"] == "page")
        self._socket = await self._session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        self._reading = asyncio.create_task(self._read())
        await self.call("Runtime.enable")
        await self.call("Log.enable")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._socket.close()
        await self._session.close()
        self._process.terminate()
        await self._process.wait()

    async def call(self, method: str, **params: Any) -> Any:
        """Ask the browser for something."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        return await asyncio.wait_for(answer, WITHIN)

    async def look(self, code: str) -> Any:
        """What a piece of code comes to in the page."""
        found = await self.call("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def open(self, url: str) -> None:
        """Go to a page, and wait until it is there."""
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    async def until(self, code: str) -> None:
        """Wait until something holds in the page."""
        async with asyncio.timeout(WITHIN):
            while not await self.look(code):  # noqa: ASYNC110  the browser tells nobody
                await asyncio.sleep(0.05)

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result"))
            elif told["method"] == "Log.entryAdded":
                entry = told["params"]["entry"]
                if not entry.get("url", "").endswith("/favicon.ico"):  # asked for by itself, and nobody misses it
                    self.complaints.append(entry["text"])
