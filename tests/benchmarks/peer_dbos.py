"""The same ten states as one DBOS workflow on SQLite; run by `peer.py` in an environment of its own.

    python peer_dbos.py FILE SYNCHRONOUS

Prints a line when it is ready. Then each line read, `IN_FLIGHT WORKFLOWS`, is a round: so many workflows of ten steps, so
many at a time; the answer is a line of JSON with the steps a second. The file is put into WAL with the `synchronous` that
the engine is measured with. DBOS 3.4 needs a newer SQLite than many systems have, so pysqlite3 takes sqlite3's place.
"""

import asyncio
import json
import sys
import time
from itertools import count
from typing import Any

import pysqlite3
import pysqlite3.dbapi2

sys.modules["sqlite3"] = pysqlite3
sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2

from dbos import DBOS, SetWorkflowID  # noqa: E402  sqlite3 has to be swapped before
from sqlalchemy import Engine, event  # noqa: E402

STATES = 10
VARIABLES = {f"setting_{number}": "x" * 40 for number in range(8)}
"""As large as what an execution of the engine carries."""

_ids = count()


@DBOS.step()
async def nothing(message: str, title: str) -> dict[str, Any]:
    return {"id": "5f2c", "sent": True, "length": len(message)}


@DBOS.workflow()
async def ten_steps(greeting: str, points: int, variables: dict[str, str]) -> None:
    for number in range(STATES):
        await nothing(f"step_{number}: {greeting} streamer", f"streamer has {points} points")
        if points < 100 or greeting == "bye":
            return


async def measured(in_flight: int, workflows: int) -> float:
    left = iter(range(workflows))

    async def one_after_another() -> None:
        for _ in left:
            with SetWorkflowID(f"run-{next(_ids)}"):
                handle = await DBOS.start_workflow_async(ten_steps, "hello", 150, VARIABLES)
            await handle.get_result()

    began = time.perf_counter()
    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return workflows * STATES / (time.perf_counter() - began)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        in_flight, workflows = map(int, line.split())
        print(json.dumps(await measured(in_flight, workflows)), flush=True)


def main() -> None:
    path, synchronous = sys.argv[1:]

    @event.listens_for(Engine, "connect")
    def settings(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", f"synchronous = {synchronous}"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        cursor.close()

    sys.setswitchinterval(0.0005)
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{path}", "log_level": "ERROR"})
    DBOS.launch()
    asyncio.run(serve())
    DBOS.destroy()


if __name__ == "__main__":
    main()
