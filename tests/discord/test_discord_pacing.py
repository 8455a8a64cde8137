"""How fast workflows post in a channel, and what becomes of what is too much."""

import asyncio

import pytest

from bot.discord.pacing import MAX_AGE, MOST_WAITING, POSTS, WITHIN, Pacing, TooLate
from bot.drops import Drops, lines_for


class Room:
    """A pacing whose time is the sum of what was slept."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.told: list[str] = []
        self.posted: list[tuple[str, float]] = []
        self.pacing = Pacing(self.now, Drops(lines_for("Discord"), self.now, self.told.append), self._sleep)

    def now(self) -> float:
        return self.time

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.time += seconds

    async def post(self, text: str, channel: str = "general") -> bool:
        try:
            await self.pacing.turn(channel)
        except TooLate:
            return False
        self.posted.append((text, self.time))
        return True


async def test_no_five_seconds_hold_more_posts_of_workflows_than_are_theirs_and_the_order_stays() -> None:
    room = Room()

    await asyncio.gather(*(room.post(str(number)) for number in range(30)))

    assert [text for text, _ in room.posted] == [str(number) for number in range(30)]
    times = [at for _, at in room.posted]
    assert max(sum(start <= at < start + WITHIN for at in times) for start in times) == POSTS


async def test_what_would_come_too_late_or_is_too_much_is_dropped_and_all_of_it_is_told() -> None:
    room = Room()

    kept = await asyncio.gather(*(room.post(str(number)) for number in range(MOST_WAITING + 50)))

    assert sum(kept) == len(room.posted) == POSTS * (1 + MAX_AGE / WITHIN)
    room.pacing._drops.tell()
    assert sum(int(sentence.split()[0]) for sentence in room.told) == kept.count(False)
    assert room.told[0] == "1 line for Discord was dropped: it takes no more."


async def test_one_channel_that_is_full_keeps_no_other_waiting() -> None:
    room = Room()

    flood = [asyncio.create_task(room.post(str(number))) for number in range(20)]
    await asyncio.sleep(0)
    await room.post("elsewhere", "news")

    assert ("elsewhere", 1_000.0) in room.posted
    await asyncio.gather(*flood)


async def test_of_channels_that_nobody_posts_in_any_more_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.discord.pacing._CHANNELS", 3)
    room = Room()

    for number in range(10):
        await room.post("hello", f"channel{number}")

    assert len(room.pacing._channels) <= 4
