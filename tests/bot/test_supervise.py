"""Supervisors: a platform that dies is tried again with pauses, told of once, and takes nothing with it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from bot.supervise import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    STEADY,
    TOLD_AFTER,
    GivesUp,
    Line,
    Standing,
    Supervisor,
    came_up,
    ended,
    gone,
    supervised,
    tell_at,
    went_down,
)


def local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


def down_since(at: float, *, ever: bool = True) -> Standing:
    return went_down(Standing("Discord", up=True, since=0.0, ever=ever), at, "it cannot be reached")


# Pure --------------------------------------------------------------------------------------------------------------------


def test_pauses_double_up_to_a_limit() -> None:
    standing, pauses = Standing("Discord"), []
    for _ in range(10):
        standing, pause = ended(standing, 0.0, "", chance=1.0)
        pauses.append(pause)

    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_pauses_of_many_bots_are_spread() -> None:
    assert ended(Standing("Discord"), 0.0, "", chance=0.0)[1] == FIRST_PAUSE / 2


def test_a_steady_connection_makes_earlier_failures_forgotten() -> None:
    worn = Standing("Discord", up=True, since=0.0, failures=6)

    assert ended(worn, STEADY, "", chance=1.0)[1] == FIRST_PAUSE
    assert ended(worn, STEADY - 1, "", chance=1.0)[1] == 64 * FIRST_PAUSE


def test_nobody_hears_of_a_loss_that_is_soon_over() -> None:
    standing = down_since(1_000.0)

    assert gone(standing, 1_000.0 + TOLD_AFTER - 1, local)[1] is None
    assert came_up(standing, 1_000.0 + TOLD_AFTER - 1)[1] is None


def test_a_loss_is_told_once_with_its_time_and_its_reason() -> None:
    standing, said = gone(down_since(68_520.0), 68_520.0 + TOLD_AFTER, local)

    assert said == "Discord is gone since 19:02 (it cannot be reached). I keep trying; everything else goes on."
    assert gone(standing, 70_000.0, local)[1] is None
    assert tell_at(standing) is None


def test_who_was_told_of_a_loss_hears_how_long_it_was() -> None:
    standing, _ = gone(down_since(0.0), 60.0, local)

    assert came_up(standing, 245.0) == (
        Standing("Discord", up=True, since=245.0, ever=True),
        "Discord is back after 4 minutes.",
    )


def test_a_platform_that_never_came_is_not_said_to_be_gone() -> None:
    standing = went_down(Standing("Twitch"), 68_520.0, "it cannot be reached")

    _, said = gone(standing, 68_540.0, local)

    assert said is not None
    assert said.startswith("Twitch is not there yet: I have been trying since 19:02")


# The thin shell ------------------------------------------------------------------------------------------------------


class Scene:
    """A supervisor whose attempts are written down beforehand; pauses take no time."""

    def __init__(self, *attempts: Callable[[Line], Awaitable[None]]) -> None:
        self.left = list(attempts)
        self.said: list[str] = []
        self.pauses: list[float] = []
        self.made = 0
        self.closed = 0
        self.over = asyncio.Event()
        self.supervisor = Supervisor(
            "Twitch",
            self.attempt,
            now=asyncio.get_running_loop().time,
            local=local,
            notice=self.said.append,
            chance=lambda: 1.0,
            sleep=self.sleep,
        )

    async def attempt(self, line: Line) -> None:
        self.made += 1
        if self.left:
            await self.left.pop(0)(line)
            return
        self.over.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def breaks(_: Line) -> None:
    raise AttributeError("'NoneType' object has no attribute 'sequence'")


async def comes_and_breaks(line: Line) -> None:
    line.up()
    raise KeyError("d")


async def ends(_: Line) -> None:
    return


async def cancels_itself(_: Line) -> None:
    raise asyncio.CancelledError


async def gives_up(_: Line) -> None:
    raise GivesUp("The token is not valid: run showcaller setup.")


async def test_every_way_to_end_leads_to_a_new_attempt() -> None:
    scene = Scene(breaks, comes_and_breaks, ends, cancels_itself)

    async with supervised([scene.supervisor]):
        await scene.over.wait()

    assert scene.made == 5
    assert scene.pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("ever", [True, False])
async def test_others_are_told_that_it_is_gone_or_off_only_once_it_has_been_there(
    monkeypatch: pytest.MonkeyPatch, ever: bool
) -> None:
    monkeypatch.setattr("bot.supervise.TOLD_AFTER", 0.0)
    told: list[str] = []

    async def comes_and_goes(line: Line) -> None:
        if ever:
            line.up()
        line.down("it ended")
        await asyncio.sleep(0.05)

    scene = Scene(comes_and_goes, comes_and_goes, gives_up)
    scene.supervisor.told_also = told.append
    await scene.supervisor.run()

    assert [
        each.split(" since")[0].split(" after")[0] for each in scene.said if not each.startswith("Twitch stays")
    ] == (
        ["Twitch is gone", "Twitch is back", "Twitch is gone"]
        if ever
        else ["Twitch is not there yet: I have been trying"]
    )
    assert [each.split(" since")[0].split(" after")[0] for each in told] == (
        ["Twitch is gone", "Twitch is back", "Twitch is gone", OFF] if ever else []
    )


OFF = "Twitch stays off until something is mended. Everything else goes on."


async def test_one_that_gives_up_says_what_to_do_and_leaves_the_others_alone() -> None:
    stuck, other = Scene(gives_up), Scene(breaks)

    async with supervised([stuck.supervisor, other.supervisor]):
        await other.over.wait()

    assert stuck.made == 1
    assert stuck.said == [
        "Twitch stays off until that is mended: The token is not valid: run showcaller setup. Everything else goes on."
    ]
    assert other.closed == 1


async def test_closing_closes_the_client_of_the_running_attempt() -> None:
    scene = Scene()

    async with supervised([scene.supervisor]):
        await scene.over.wait()

    assert scene.closed == 1


async def test_a_client_that_will_not_close_holds_nobody_up() -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def stubborn(_: Line) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await let_go.wait()

    scene = Scene(stubborn)
    started = asyncio.get_running_loop().time()
    async with supervised([scene.supervisor], within=0.05):
        await begun.wait()

    assert asyncio.get_running_loop().time() - started < 2.0
    let_go.set()
    await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(4))
async def test_a_client_that_says_at_its_closing_that_it_is_gone_holds_nobody_up(turns: int) -> None:
    begun = asyncio.Event()

    async def says_so(line: Line) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            line.down("closed")
            for _ in range(turns):
                await asyncio.sleep(0)

    scene = Scene(says_so)
    async with supervised([scene.supervisor], within=5.0):
        await begun.wait()
        await asyncio.sleep(0)
        started = asyncio.get_running_loop().time()

    assert asyncio.get_running_loop().time() - started < 2.0


async def test_a_supervisor_that_broke_does_not_break_its_owner() -> None:
    scene = Scene(breaks)

    async def no_sleep(_: float) -> None:
        raise RuntimeError("no sleep")

    scene.supervisor._sleep = no_sleep
    async with supervised([scene.supervisor]):
        await asyncio.sleep(0.01)

    assert scene.made == 1


async def test_people_are_told_of_a_loss_without_a_further_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.supervise.TOLD_AFTER", 0.02)
    told = asyncio.Event()

    async def comes_and_goes(line: Line) -> None:
        line.up()
        line.down("it cannot be reached")
        await told.wait()
        line.up()

    scene = Scene(comes_and_goes)

    def notice(sentence: str) -> None:
        scene.said.append(sentence)
        told.set()

    scene.supervisor._notice = notice
    async with supervised([scene.supervisor]):
        await scene.over.wait()

    assert [" ".join(sentence.split()[:4]) for sentence in scene.said] == [
        "Twitch is gone since",
        "Twitch is back after",
    ]
