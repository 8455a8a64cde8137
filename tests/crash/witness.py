"""A process of its own that sees what was really done: it puts each effect's id on the disk before it answers, and answers late.

One connection carries one request, a line of JSON:

    {"do": id}    writes the id down, then answers {"ok": true} 5 to 50 ms later
    {"ask": id}   answers {"seen": whether that id has been written down}
    {"drain": 1}  answers once every connection that was open has ended: nothing of a dead client is still on its way

Run as `python -m tests.crash.witness LOG`; it prints its port.
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any, Final

LATE: Final = (0.005, 0.050)


class Witness:
    """What was seen, in a file and in memory."""

    def __init__(self, log: int, chance: random.Random) -> None:
        self._log = log
        self._chance = chance
        self._seen: set[str] = set()
        self._open: set[asyncio.Task[Any]] = set()
        self._disk = asyncio.Lock()
        self._unwritten: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            line = await reader.readline()
            if line.endswith(b"\n"):
                writer.write(json.dumps(await self._answer(json.loads(line), task)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # whoever asked is dead; what was seen stays seen
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, request: dict[str, Any], task: asyncio.Task[Any]) -> dict[str, Any]:
        match request:
            case {"do": str(id)}:
                await self._write_down(id)
                await asyncio.sleep(self._chance.uniform(*LATE))
                return {"ok": True}
            case {"ask": str(id)}:
                return {"seen": id in self._seen}
            case _:
                while others := self._open - {task}:
                    await asyncio.wait(others)
                return {"ok": True}

    async def _write_down(self, id: str) -> None:
        """Return once the id is on the disk; ids that come while another is being written share the next sync."""
        self._unwritten.append(id)
        async with self._disk:
            if id not in self._unwritten:
                return
            ids, self._unwritten = self._unwritten, []
            os.write(self._log, "".join(f"{each}\n" for each in ids).encode())
            await asyncio.to_thread(os.fsync, self._log)
            self._seen.update(ids)


async def main(log: Path) -> None:
    """Serve until killed."""
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    witness = Witness(descriptor, random.Random(1))
    server = await asyncio.start_server(witness.serve, "127.0.0.1", 0, backlog=4_096)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def request(port: int, **what: Any) -> Any:
    """Ask a witness."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(json.dumps(what).encode() + b"\n")
        await writer.drain()
        return json.loads(await reader.readline())
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
