"""A raid on both platforms: real libraries on loopback, real store, real engine, and a crowd in a process of its own.

    uv run python tests/benchmarks/raid.py [--minutes M | --quick]

500 messages a second come with twenty triggers on. Counted is whether an event was lost or run twice, and what became of
every line over the rate of a platform; measured is how long it takes from the moment at which a message should have come to
the moment at which a service is asked for what it causes, how late the loop is, and whether memory stays flat. What is lost,
done twice or not accounted for, and memory that grows, end it with an error; so do times over their goals, unless the crowd
itself was late: then the machine was busy with other things, and they are only told. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.app import Bot, Opening, equipment, open_bot
from bot.config import COMMUNITY, DataFolder, Settings, with_value
from bot.interpreter import begin_to_serve
from bot.log import log_to
from bot.message import Message, Place
from bot.platforms import DISCORD, Platforms
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from engine.declare import Method
from engine.execution import Done, Effect, Failed, Person, Result
from engine.ports import Batch, Service
from storage.sqlite import SQLiteStore
from tests.benchmarks.crowd import STAMP

RATE: Final = 500.0
MINUTES: Final = 30.0
QUICK_SECONDS: Final = 15.0
STREAMER: Final = Person("streamer", "twitch", ("broadcaster",), "1")
LOOK: Final = 0.002
LOOK_AGAIN: Final = 0.2
PATIENCE: Final = 70.0
"""Seconds that a whole run gives lines to have their turn: until the last has been said or was dropped."""
QUICK_PATIENCE: Final = 18.0
"""The same for a quick one: until the chat takes lines again. What waits then is left to the next start."""
GOALS: Final = {"hand_over_p99_ms": 50.0, "loop_lag_p99_ms": 20.0}
PUNCTUAL: Final = 10.0
"""Milliseconds by which the crowd, which has little to do, may be late where times are to mean anything."""
WITHIN: Final = 30.0
"""Seconds for everything that waits for nothing but the machine to end once no more comes."""
GROWTH: Final = 1.06
"""How much larger the last quarter may be than the second one."""
LONG: Final = 180.0
"""Seconds from which on memory can be told to be flat: until then people are met for the first time."""
LARGEST: Final = 130e6
"""Bytes that it may add at any time to what the process took up before it."""
LINES: Final = {
    "said": ("twitchhype", "discordhype"),
    "deleted": ("twitchspam",),
    "posted": ("twitchtell", "discordtell"),
}
"""What comes in of what these workflows ask for, each once. `twitchinfo` always says the same, so that lines can be merged."""

TOLD: Final = re.compile(r"(\d+) lines? for .+ dropped")

DOES: Final = {
    "twitch": {
        **{f"!{letter}": f"add 1 to the t{letter} counter" for letter in "abcdefg"},
        "!later": "wait 1 second, then add 1 to the tlater counter",
        "!spam": 'delete the message "${message_id}"',
        "!hype": 'say "${arguments}"',
        "!tell": 'post "${arguments}" in #general',
        "!info": 'say "Welcome! We play chess until nine."',
    },
    "discord": {
        **{f"!{letter}": f"add 1 to the d{letter} counter" for letter in "abcd"},
        "!later": "wait 1 second, then add 1 to the dlater counter",
        "!hype": 'say "${arguments}"',
        "!tell": 'post "${arguments}" in #general',
    },
}
SILENT: Final = '!wf create quiet: when someone says "never said by anybody", say "oh"'
"""The last of twenty: it looks at every message and takes none."""


class Histogram:
    """Milliseconds, counted in tenths, so that measuring for long takes no more memory."""

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * 100_000))
        self.total = 0

    def add(self, milliseconds: float) -> None:
        self._counts[min(max(int(milliseconds * 10), 0), len(self._counts) - 1)] += 1
        self.total += 1

    def percentile(self, part: float) -> float:
        """The value that so many of them do not exceed."""
        left = self.total * part
        for tenths, count in enumerate(self._counts):
            left -= count
            if left < 0:
                return (tenths + 1) / 10
        return 0.0


@dataclass
class Books:
    """What is written down while it lasts.

    Attributes:
        handed: How often a service was asked because of each message, by its number.
        before: Bytes that the process took up before.
        asked: How often a service was asked, by workflow.
        waited: From when a message should have come to that.
        fates: What became of what was asked, by workflow.
    """

    handed: bytearray
    before: int
    asked: Counter[str] = field(default_factory=Counter)
    waited: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    fates: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)


class Watched:
    """A service, and when it is asked for what."""

    def __init__(self, service: Service, books: Books) -> None:
        self._service = service
        self._books = books
        self.name = service.name
        self.simulated = service.simulated

    @property
    def methods(self) -> Sequence[Method]:
        return self._service.methods

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        now = time.monotonic_ns()
        if (stamp := STAMP.search(json.dumps(dict(effect.params)))) is not None:
            self._books.handed[int(stamp[1])] += 1
            self._books.waited.add((now - int(stamp[2])) / 1e6)
        self._books.asked[effect.workflow] += 1
        result = await self._service.perform(effect, begin)
        self._books.fates[f"{effect.workflow} {_fate(result)}"] += 1
        return result

    async def settle(self, effect: Effect) -> Result | None:
        return await self._service.settle(effect)


def _fate(result: Result) -> str:
    match result:
        case Done():
            return "done"
        case Failed(error=error):
            return error
        case _:
            return "unknown"


class World:
    """The process with the two platforms and the crowd."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def heard(self) -> Any:
        """The next line it prints."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, "the crowd's process broke"
        return json.loads(line)

    async def ask(self, do: str, **more: Any) -> Any:
        """Give an order and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.heard()


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("crowd.py")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 28,
    )
    try:
        yield World(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _set_up(folder: DataFolder, told: Any) -> None:
    folder.make()
    tokens = TokenFile.open(folder.path)
    for key, name in ((BOT, "bot"), (BROADCASTER, "broadcaster")):
        tokens.put(key, Token(*told["pairs"][name], tuple(told["scopes"])))
    tokens.put(DISCORD, Token(told["discord"]))
    settings, records = Settings(), []
    for key, value in told["settings"].items():
        settings, record = with_value(settings, key, value, secret=False)
        records.append(record)
    async with await SQLiteStore.open(folder.database) as store:
        await store.commit(Batch(config=records))


@asynccontextmanager
async def _opened(folder: DataFolder, books: Books) -> AsyncIterator[Bot]:
    platforms = Platforms(TokenFile.open(folder.path))
    abroad = platforms.abroad

    def watched(opening: Opening) -> Sequence[Service]:
        return [Watched(service, books) for service in abroad.services(opening)]

    async with AsyncExitStack() as stack:
        bot = await open_bot(
            stack,
            folder,
            log_to(folder.log),
            equipment=equipment(),
            virtual=False,
            on_attempt=lambda _: None,
            notice=lambda sentence: books.notices.update([sentence]),
            abroad=replace(abroad, services=watched),
        )
        await stack.enter_async_context(platforms.running(bot))
        yield bot


async def _write_workflows(bot: Bot) -> None:
    sentences = [
        f"!wf create {platform}{word[1:]}: when someone types {word}{' in discord' if platform == 'discord' else ''}, {does}"
        for platform, words in DOES.items()
        for word, does in words.items()
    ]
    for number, sentence in enumerate([*sentences, SILENT]):
        heard = await bot.hear(Message(f"set-up-{number}", sentence, STREAMER, Place("twitch"), time.time()))
        said = [reply.text for reply in heard.replies]
        assert said[0].startswith("Created "), (sentence, said)


async def _watch(books: Books) -> None:
    """How late the loop is all the time, and once a second what the process takes up."""
    next_second = 0.0
    while True:
        began = time.monotonic()
        await asyncio.sleep(LOOK)
        now = time.monotonic()
        books.late.add((now - began - LOOK) * 1_000)
        if now >= next_second:
            next_second = now + 1
            books.memory.append(_resident())


def _resident() -> int:
    """Bytes of memory the process takes up."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass
class Outcome:
    """Both sides' books, and what the store holds in the end."""

    books: Books
    written: Any
    came_in: Any
    counters: dict[str, int]
    left: Counter[str]
    cpu: float


async def raid(folder: DataFolder, seconds: float, rate: float, patience: float) -> Outcome:
    """Let it come and go.

    Args:
        patience: Seconds for which lines may still wait for their turn once no more come; then the bot is closed, and keeps
            them for its next start.
    """
    books = Books(bytearray(int(seconds * rate * 2) + 1_000), _resident())
    async with world() as crowd:
        await _set_up(folder, await crowd.heard())
        async with _opened(folder, books) as bot:
            await _write_workflows(bot)
            await crowd.ask("wait")
            begin_to_serve()
            watching = asyncio.create_task(_watch(books))
            cpu = time.process_time()
            written = await crowd.ask("chat", seconds=seconds, rate=rate)
            cpu = time.process_time() - cpu
            watching.cancel()
            counters = await _ended(bot, written, patience)
        came_in = await crowd.ask("end")
    async with await SQLiteStore.open(folder.database, read_only=True) as store:
        left = Counter(due.effect.workflow for due in await store.outbox(COMMUNITY))
    return Outcome(books, written, came_in, counters, left, cpu / seconds)


async def _ended(bot: Bot, written: Any, patience: float) -> dict[str, int]:
    """Wait for what takes no more than a moment, then for the lines; the counters then."""
    wanted = _wanted(written)
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN):
            while await _counters(bot) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN)
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while bot.runner.census(COMMUNITY):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN)
    return await _counters(bot)


async def _counters(bot: Bot) -> dict[str, int]:
    return {row.key.rpartition(":")[2]: int(row.value["value"]) for row in await bot.store.data(COMMUNITY)}


def _wanted(written: Any) -> dict[str, int]:
    """How far each counter has to come."""
    counted = ((key.split(), count) for key, count in written["words"].items())
    return {f"{on[0]}{word[1:]}": count for (on, word), count in counted if "counter" in DOES[on][word]}


# What is found -----------------------------------------------------------------------------------------------------------


def faults(outcome: Outcome, seconds: float) -> list[str]:
    """What must not be: something lost, done twice or not accounted for, memory that grows."""
    found, books, wanted = [], outcome.books, _wanted(outcome.written)
    if outcome.counters != wanted:
        found.append(f"the counters are at {outcome.counters}, not at {wanted}")
    stamped = [number for numbers in outcome.written["stamped"].values() for number in numbers]
    lost = sum(books.handed[number] == 0 for number in stamped)
    twice = sum(times > 1 for times in books.handed)
    if lost or twice or sum(map(bool, books.handed)) != len(stamped):
        found.append(f"{lost} messages were lost, {twice} were run twice, of {len(stamped)}")
    for workflow, asked in books.asked.items():
        ended = sum(count for fate, count in books.fates.items() if fate.split()[0] == workflow)
        if ended + outcome.left[workflow] != asked:
            found.append(f"{workflow} asked for {asked}: {ended} ended, {outcome.left[workflow]} were left")
    for what, workflows in LINES.items():
        seen, done = outcome.came_in[what], sum(books.fates[f"{workflow} done"] for workflow in workflows)
        left = sum(outcome.left[workflow] for workflow in workflows)
        if len(set(seen)) != len(seen):
            found.append(f"{len(seen) - len(set(seen))} came in twice of what was {what}")
        if not done <= len(seen) <= done + left:
            found.append(f"{len(seen)} were {what}, {done} are known to be, and {left} were left")
    dropped = sum(count for fate, count in books.fates.items() if fate.endswith(" dropped"))
    told = sum(int(number[1]) * count for said, count in books.notices.items() if (number := TOLD.match(said)))
    if told != dropped:
        found.append(f"{dropped} lines were dropped, people were told of {told}")
    if (added := max(books.memory) - books.before) > LARGEST:
        found.append(f"it took up {added / 1e6:.0f} MB more")
    if seconds >= LONG and (growth := _growth(books.memory)) > GROWTH:
        found.append(f"memory grew by {growth - 1:.0%}")
    return found


def missed(told: Mapping[str, Any]) -> list[str]:
    """The goals of time that were missed, on a machine where they can be told."""
    if told["crowd_late_p99_ms"] > PUNCTUAL:
        return []
    return [f"{key} is {told[key]:g}, not below {goal:g}" for key, goal in GOALS.items() if told[key] >= goal]


def _growth(seen: Sequence[int]) -> float:
    quarter = max(len(seen) // 4, 1)
    return median(seen[-quarter:]) / median(seen[quarter : 2 * quarter] or seen)


def _told(outcome: Outcome, seconds: float) -> dict[str, Any]:
    books, written = outcome.books, outcome.written
    return {
        "messages_per_s": round(written["sent"] / seconds, 1),
        "crowd_late_p99_ms": round(written["late"], 2),
        "hand_over_p50_ms": books.waited.percentile(0.5),
        "hand_over_p99_ms": books.waited.percentile(0.99),
        "loop_lag_p99_ms": books.late.percentile(0.99),
        "cpu": round(outcome.cpu, 3),
        "memory_mb": round(books.memory[-1] / 1e6, 1),
        "memory_growth": round(_growth(books.memory), 3),
        "moves": written["moves"],
        "drops": written["drops"],
        "asked": dict(sorted(books.asked.items())),
        "merged": books.fates["twitchinfo done"] - outcome.came_in["informed"],
        "fates": dict(sorted(books.fates.items())),
        "kept": dict(outcome.left),
        "came_in": {what: seen if isinstance(seen, int) else len(seen) for what, seen in outcome.came_in.items()},
        "notices": dict(books.notices),
    }


def _beside(key: str, value: Any) -> str:
    goal = GOALS.get(key)
    return "" if goal is None else f"   goal < {goal:g}: {'reached' if value < goal else 'MISSED'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about forty seconds")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    arguments = parser.parse_args()
    seconds = QUICK_SECONDS if arguments.quick else arguments.minutes * 60
    with tempfile.TemporaryDirectory(prefix="showcaller-raid-") as folder:
        data = DataFolder(Path(folder))
        outcome = asyncio.run(raid(data, seconds, RATE, QUICK_PATIENCE if arguments.quick else PATIENCE))
        size = data.database.stat().st_size
    told = _told(outcome, seconds) | {"database_mb": round(size / 1e6, 1)}
    found = [*faults(outcome, seconds), *missed(told)]
    for key, value in told.items():
        print(f"{key:24} {value}{_beside(key, value)}")
    if told["crowd_late_p99_ms"] > PUNCTUAL:
        print("The crowd itself was late, so times say more of the machine than of the bot.")
    for fault in found:
        print(f"FAULT: {fault}")
    print(json.dumps({**told, "faults": len(found)}))
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
