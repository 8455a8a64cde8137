"""A bot in a busy chat, for as long as is wanted: the real runner on a real file, with figures of itself in the end.

Run as `python -m tests.soak.life DATABASE SECONDS RATE`; prints one JSON object. Events come at `RATE` a second, or as fast
as they are taken if that is slower. Whoever posts them keeps the books: of each event, what the runner said it came to.
"""

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from engine.clock import SystemClock
from engine.declare import Method, Param
from engine.events import Event
from engine.execution import Done, Effect, Failed, Person, Result
from engine.folding import PATIENCE
from engine.model import Definition
from engine.ports import Batch, RevisionRecord, WorkflowRecord
from engine.runner import Posted, Runner
from storage.sqlite import SQLiteStore

COMMUNITY: Final = "soak"
STREAMER: Final = Person("streamer", roles=("broadcaster",))
VIEWERS: Final = 20_000
UNDER_WAY: Final = 512
"""So many events at most are handed in and not yet answered; with more, whoever brings them waits."""
GOING_ON: Final = 600
"""With more runs than that going on the machine is not fast enough, and whoever brings events waits: at the full rate it
is two thirds of that."""
LAST: Final = 60.0
"""Seconds within which everything has to end when no more events come, and no more headers are waited for."""
TICK: Final = 0.01


@dataclass
class Figures:
    """What came of it.

    Attributes:
        offered: Events handed in; `took` seconds went by meanwhile.
        answers: What they came to, each counted once.
        expected: How many runs must be there in the end, by workflow.
        memory: Resident bytes, once a second; likewise bytes of the `journal`, and more seldom `objects` that the collector knows.
        tasks: How many there were in the end that were not there in the beginning.
        most_tasks: The most there ever were.
        live: Runs going on when no more events came; `stuck` is what was left of them.
        lag: Milliseconds by which the event loop was late: median, 99 of 100, worst.
        acts: What the service was asked for, and `attempts` that ended, by outcome.
    """

    offered: int = 0
    took: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    memory: list[int] = field(default_factory=list)
    objects: list[int] = field(default_factory=list)
    journal: list[int] = field(default_factory=list)
    tasks: int = 0
    most_tasks: int = 0
    live: int = 0
    stuck: list[str] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)


class SlowService:
    """Answers after 0 to 20 ms; now and then it is busy, and seldom it fails."""

    name = "stage"
    methods: Sequence[Method] = (
        Method("stage", "say", (Param("text"),)),
        Method("stage", "look", (Param("text"),), repeatable=True),
    )
    simulated = False

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        await begin()
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        luck = self._chance.random()
        if luck < 0.05:
            return Failed("busy", "busy just now", retryable=True)
        return Failed("no", "that cannot be done") if luck < 0.055 else Done({"luck": luck})

    async def settle(self, effect: Effect) -> Result | None:
        return None


# Workflows -------------------------------------------------------------------------------------------------------------


def _call(name: str, method: str, to: str | None = None, **more: Any) -> dict[str, Any]:
    action = {"service": "stage", "method": method, "params": {"text": f"{name} for ${{user}}"}}
    ways = {} if to is None else {"success": to}
    return {
        "name": name,
        "action": action,
        "transitions": ways,
        "retry": {"max_attempts": 3, "delay_seconds": 0.2},
        **more,
    }


def _wait(name: str, seconds: float, to: str) -> dict[str, Any]:
    return {
        "name": name,
        "action": {"service": "internal", "method": "wait", "params": {"seconds": seconds}},
        "transitions": {"success": to},
    }


def _block(*states: dict[str, Any]) -> dict[str, Any]:
    return {"initial_state": states[0]["name"], "states": list(states)}


def _workflow(id: str, triggers: list[Any], *states: dict[str, Any], **policy: Any) -> Definition:
    return Definition.model_validate(
        {
            "id": id,
            "name": id,
            "initial_state": states[0]["name"],
            "states": list(states),
            "triggers": triggers,
            "policy": policy,
        }
    )


WORKFLOWS: Final = (
    _workflow(
        "hello",
        [{"on": "message.received", "when": 'message starts with "!hello"'}],
        _call("hello", "say"),
        cooldown={"seconds": 5, "per": "user"},
    ),
    _workflow("welcome", ["follow.received"], _call("greet", "say", "rest"), _wait("rest", 2, "look"), _call("look", "look")),
    _workflow(
        "arrival",
        ["raid.received"],
        {
            "name": "both",
            "action": {
                "kind": "parallel",
                "branches": [
                    {"name": "one", "block": _block(_call("cheer_up", "say", critical=False))},
                    {
                        "name": "two",
                        "block": _block(
                            {
                                "name": "answer",
                                "action": {"kind": "wait_for", "event": "message.received", "who": "${user}"},
                                "timeout_seconds": 3,
                                "transitions": {"success": "seen", "timeout": "seen"},
                            },
                            _call("seen", "look", critical=False),
                        ),
                    },
                ],
                "join": "all",
            },
            "transitions": {"success": "thank"},
        },
        {"name": "thank", "action": {"kind": "run", "workflow": "thanks", "detached": False}, "transitions": {}},
    ),
    _workflow("thanks", [], _call("thank_you", "say", critical=False)),
    _workflow(
        "bits",
        ["cheer.received"],
        {
            "name": "thrice",
            "action": {"kind": "repeat", "times": 3, "block": _block(_call("sparkle", "look", critical=False))},
            "transitions": {"success": "tell"},
        },
        {
            "name": "tell",
            "action": {"kind": "emit", "event": "bits.counted", "payload": {"n": "${bits}"}},
            "transitions": {},
        },
    ),
    _workflow("counted", ["bits.counted"], _call("count", "look", critical=False)),
    _workflow(
        "vote",
        [{"on": "message.received", "when": 'message starts with "!poll"'}],
        {
            "name": "gather",
            "action": {"kind": "collect", "event": "message.received", "when": 'message starts with "vote"', "seconds": 3},
            "transitions": {"success": "result"},
        },
        _call("result", "say"),
        mode="single",
    ),
    _workflow("prize", ["reward.redeemed"], _call("give", "say", "rest"), _wait("rest", 0.5, "put_back"), _call("put_back", "look"), mode="queued", max=20, key="user"),
    _workflow("subbed", ["subscription.received"], _call("celebrate", "say")),
    _workflow("gifted", ["gift.received"], _call("celebrate", "say")),
)  # fmt: skip


# What happens ------------------------------------------------------------------------------------------------------------

_KINDS: Final = (
    ("message.received", 870),
    ("follow.received", 40),
    ("raid.received", 20),
    ("cheer.received", 20),
    ("reward.redeemed", 20),
    ("subscription.received", 15),
    ("gift.received", 5),
    ("again", 10),
)
_WORDS: Final = ("hello there", "nice one", "lol", "vote a", "vote b", "what is this game", "!hello", "!poll", "gg")
_WEIGHTS: Final = (20, 20, 20, 1, 1, 20, 1, 0.2, 20)


class Chat:
    """Makes events, some of them twice, and gifts of which some have no header."""

    def __init__(self, chance: random.Random, now: Callable[[], float]) -> None:
        self._chance = chance
        self._now = now
        self._made = 0
        self._recent: list[Event] = []
        self._gifts = 0
        self.singly: set[str] = set()
        """Ids of subscriptions that stand for themselves, whatever gift they say they belong to."""

    def next(self) -> Event:
        """What happens next."""
        (kind,) = self._chance.choices([name for name, _ in _KINDS], [weight for _, weight in _KINDS])
        if kind == "again" and self._recent:
            return self._chance.choice(self._recent)
        event = self._make("follow.received" if kind == "again" else kind)
        self._recent = [*self._recent[-50:], event]
        return event

    def _make(self, kind: str) -> Event:
        self._made += 1
        chance, id = self._chance, f"event{self._made}"
        payload: dict[str, Any] = {"user": {"name": f"viewer{chance.randrange(VIEWERS)}", "roles": []}}
        match kind:
            case "message.received":
                payload["message"] = chance.choices(_WORDS, _WEIGHTS)[0]
            case "cheer.received":
                payload["bits"] = chance.randint(1, 500)
            case "raid.received":
                payload["viewers"] = chance.randint(1, 500)
            case "gift.received":
                self._gifts += 1
                payload["gift_id"] = f"gift{self._gifts}"
            case "subscription.received":
                match chance.randrange(3):
                    case 0:
                        payload["gift_id"] = f"gift{self._gifts}" if self._gifts else "nobody's"
                    case 1:
                        payload["gift_id"] = f"lost{self._made}"
                if payload.get("gift_id", "lost").startswith(("lost", "nobody")):
                    self.singly.add(id)
        return Event(id, kind, self._now(), COMMUNITY, payload)


# The life ----------------------------------------------------------------------------------------------------------------


class Soak:
    """Brings events to a runner, and keeps the books."""

    def __init__(self, runner: Runner, chat: Chat) -> None:
        self._runner = runner
        self._chat = chat
        self.figures = Figures()
        self._room = asyncio.Semaphore(UNDER_WAY)

    async def bring(self, seconds: float, rate: float) -> None:
        """So many events a second, or fewer where no more are taken."""
        began = last = time.monotonic()
        owed = 0.0
        async with asyncio.TaskGroup() as posting:
            while (now := time.monotonic()) < began + seconds:
                owed = min(owed + (now - last) * rate, rate)  # what was not taken for a second does not come later
                last = now
                if sum(self._runner.census(COMMUNITY).values()) > GOING_ON:
                    owed = 0.0
                for _ in range(int(owed)):
                    await self._room.acquire()
                    posting.create_task(self._post(self._chat.next()))
                owed -= int(owed)
                await asyncio.sleep(TICK)
        self.figures.took = time.monotonic() - began

    async def _post(self, event: Event) -> None:
        try:
            self._note(await self._runner.post(event))
        finally:
            self._room.release()

    def _note(self, posted: Posted) -> None:
        figures = self.figures
        figures.offered += 1
        figures.answers[_answer(posted)] += 1
        figures.expected.update(run.workflow for run in posted.started)
        figures.refusals += len(posted.refused)
        if posted.folded and posted.event.id in self._chat.singly:
            figures.expected["subbed"] += 1  # it will stand for itself

    async def watch(self, journal: Path) -> None:
        """Note once a second what the process takes up, and all the time how late the event loop is."""
        late: list[float] = []
        try:
            while True:
                until = time.monotonic() + 1
                while (now := time.monotonic()) < until:
                    await asyncio.sleep(TICK)
                    late.append((time.monotonic() - now - TICK) * 1_000)
                self.figures.memory.append(resident())
                if len(self.figures.memory) % 5 == 1:  # counting them takes time
                    self.figures.objects.append(len(gc.get_objects()))
                self.figures.journal.append(journal.stat().st_size if journal.exists() else 0)
                self.figures.most_tasks = max(self.figures.most_tasks, len(asyncio.all_tasks()))
        finally:
            cuts = quantiles(late, n=100) if len(late) > 1 else [0.0] * 99
            self.figures.lag = [cuts[49], cuts[98], max(late, default=0.0)]

    async def end(self) -> None:
        """Let everything come to its end by itself."""
        self.figures.live = len(await self._runner.live(COMMUNITY))
        await asyncio.sleep(PATIENCE + 1)  # for headers that do not come
        until = time.monotonic() + LAST
        while (live := await self._runner.live(COMMUNITY)) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        self.figures.stuck = [f"{run.workflow} {run.status} at {[each.state for each in run.branches]}" for run in live]
        await self._runner.quiescent()


def _answer(posted: Posted) -> str:
    if posted.duplicate:
        return "duplicate"
    if posted.folded:
        return "folded"
    if posted.started:
        return "started"
    if posted.refused:
        return "refused"
    return "heard" if posted.heard else "recorded"


def resident() -> int:
    """Bytes of memory that this process takes up."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def live(database: Path, seconds: float, rate: float) -> Figures:
    """All of it."""
    chance = random.Random(1)
    numbers = iter(range(10**12))
    async with await SQLiteStore.open(database, synchronous="NORMAL") as store:
        clock = SystemClock()
        chat = Chat(chance, clock.now)
        runner = Runner(
            store,
            [SlowService(random.Random(2))],
            clock,
            ids=lambda: f"{next(numbers):012x}",
            chance=chance.random,
            on_attempt=lambda attempt: soak.figures.attempts.update([attempt.outcome]),
            notices=lambda _, sentence: soak.figures.notices.update([sentence[:60]]),
        )
        soak = Soak(runner, chat)
        await runner.open(COMMUNITY)
        await runner.save(
            Batch(
                workflows=[WorkflowRecord(COMMUNITY, each.id, each.name, 1) for each in WORKFLOWS],
                revisions=[RevisionRecord(COMMUNITY, each.id, 1, each, STREAMER, 0.0) for each in WORKFLOWS],
            )
        )
        before = len(asyncio.all_tasks())
        watching = asyncio.create_task(soak.watch(Path(f"{database}-wal")))
        await soak.bring(seconds, rate)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await soak.end()
        soak.figures.tasks = len(asyncio.all_tasks()) - before
        await runner.close()
    return soak.figures


if __name__ == "__main__":
    print(json.dumps(vars(asyncio.run(live(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))))))
