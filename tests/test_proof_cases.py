"""Workflows that people really want and no other bot can keep: written by sentences, over both platforms, killed in the middle.

Each case says what is typed, what happens, when the bot is killed and how much later it is back, and then everything that
Twitch and Discord must have seen of it: nothing is missing, and nothing stands there twice.
"""

import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.config import COMMUNITY, DataFolder
from engine.execution import Execution
from storage.sqlite import SQLiteStore
from tests.on_the_air import OnTheAir
from tests.servers.discord import DiscordServer
from tests.servers.twitch import FakeTwitch

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["case"]
FOR_EVER = 1_000
PARTS = ("FIRST", "SECOND")
"""What cases call that which chance or time decides, in the order in which it is seen."""


@pytest.fixture
async def air(tmp_path: Path) -> AsyncIterator[OnTheAir]:
    """A bot that is set up on both platforms and not started yet."""
    discord = await DiscordServer().start()
    async with FakeTwitch() as twitch:
        made = OnTheAir(twitch, discord, DataFolder(tmp_path / "data"))
        await made.set_up()
        yield made
        await made.end()
    await discord.stop()


async def carry_out(air: OnTheAir, case: dict[str, Any], step: dict[str, Any]) -> None:
    """One thing that happens, is waited for, or goes wrong."""
    for kind in (typed, happened, awaited, harmed):
        if await kind(air, case, step):
            return
    raise ValueError(step)


async def typed(air: OnTheAir, case: dict[str, Any], step: dict[str, Any]) -> bool:
    """Somebody types something; what is said to the bot is answered."""
    match step:
        case {"twitch": text, "answer": answer}:
            answered = await air.ask_in_twitch(step.get("by", "streamer"), text)
            assert answer in answered, (text, answered)
        case {"discord": text, "answer": answer}:
            answered = await air.ask_in_discord(step.get("by", "streamer"), text, step.get("in", "general"))
            assert answer in answered, (text, answered)
        case {"twitch": text, "by": by}:
            who = decided(air, case)[PARTS.index(by)] if by in PARTS else by
            await air.type_in_twitch(who, text, *step.get("badges", ()))
        case {"discord": text, "by": by, "in": channel}:
            await air.discord.say(air.member(by), text, air.channel(channel))
        case _:
            return False
    return True


async def happened(air: OnTheAir, _: dict[str, Any], step: dict[str, Any]) -> bool:
    """Something happens on a platform."""
    match step:
        case {"tells": type, "event": event}:
            await air.tell_of(type, event)
        case {"live": live}:
            air.twitch.live = live
            fields = {"id": "9", "type": "live", "broadcaster_user_id": "1"}
            await air.tell_of("stream.online" if live else "stream.offline", fields)
        case {"joins": name}:
            await air.discord.join(air.member(name))
        case {"leaves": name}:
            await air.discord.leave(air.member(name))
        case {"reacts": emoji, "to": text, "in": channel, "by": by}:
            place = air.channel(channel)
            message = next(id for id, each in air.discord.messages[place].items() if each["content"] == text)
            await air.discord.react(air.member(by), message, emoji, channel=place)
        case _:
            return False
    return True


async def awaited(air: OnTheAir, _: dict[str, Any], step: dict[str, Any]) -> bool:
    """Something has been seen on a platform, or stands in the store."""
    times = step.get("times", 1)
    match step:
        case {"seen": words}:
            await air.until(lambda: sum(words in line for line in (*air.on_twitch(), *air.on_discord())) >= times)
        case {"asked": words}:  # of Discord, whether or not it did it
            await air.until(lambda: any(words in str(call.body) for call in air.discord.calls))
        case {"heard_itself": text}:
            await air.until_heard_itself(text)
        case {"rests": state}:
            await air.until_runs(
                lambda runs: sum(any(each.state == state for each in run.branches) for run in runs) == times
            )
        case {"ended": workflow}:
            await air.until_runs(lambda runs: sum(run.workflow == workflow and is_over(run) for run in runs) == times)
        case {"gathered": number}:
            await air.until_runs(lambda runs: number in [len(each.gathered) for run in runs for each in run.branches])
        case _:
            return False
    return True


async def harmed(air: OnTheAir, case: dict[str, Any], step: dict[str, Any]) -> bool:
    """Something goes wrong; with a kill, from when the bot is back."""
    match step:
        case {"kill": later}:
            await air.kill(later)
            await harmed(air, case, {key: value for key, value in step.items() if key != "kill"})
            await air.begin()
        case {"silent": [verb, path, words]}:  # Twitch does it, and its answer never comes
            air.twitch.held.add((verb, path, words))
        case {"breaks": [method, path, text]}:  # Discord does it, and says that it broke
            air.discord.plan(method, path, 500, after=True, times=FOR_EVER, text=text or None)
        case {"swallows": [method, path, text]}:  # Discord never hears of it, and says that it broke
            air.discord.plan(method, path, 500, times=FOR_EVER, text=text or None)
        case _:
            return False
    return True


def is_over(run: Execution) -> bool:
    return run.ended_at is not None


def decided(air: OnTheAir, case: dict[str, Any]) -> list[str]:
    """What chance or time has decided so far."""
    found = (re.search(case.get("parts", "$.^"), line) for line in (*air.on_twitch(), *air.on_discord()))
    return [match.group(1) for match in found if match is not None]


def in_parts(lines: list[str], found: list[str]) -> list[str]:
    """Lines with what was decided by the part that it plays."""
    for part, text in zip(PARTS, found, strict=False):
        lines = [re.sub(rf"\b{text}\b", part, line) for line in lines]
    return lines


@pytest.mark.slow  # each starts the program several times
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_it_is_written_in_sentences_and_a_kill_in_the_middle_loses_and_repeats_nothing(
    air: OnTheAir, case: dict[str, Any]
) -> None:
    for name in case.get("channels", ()):
        air.discord.add_channel(name)
    for name in case.get("people", ()):
        air.account(name)
    for name in case.get("roles", ()):
        air.discord.add_role(name)
    rewards = [{"id": f"reward-{name}", "title": name} for name in case.get("rewards", ())]
    air.twitch.answer("GET", "channel_points/custom_rewards", 200, {"data": rewards}, times=FOR_EVER)
    await air.begin()

    for step in case["do"]:
        await carry_out(air, case, step)
    await air.until_runs(lambda runs: len(runs) == len(case["runs"]) and all(map(is_over, runs)))
    async with await SQLiteStore.open(air.folder.database, read_only=True) as store:
        runs = sorted(f"{run.workflow} {run.status}" for run in await store.executions(COMMUNITY, limit=100))

    assert runs == sorted(case["runs"]), runs
    assert in_parts(air.on_twitch(), decided(air, case)) == case["twitch"]
    in_order = sorted if case.get("side_by_side") else list
    assert in_order(in_parts(air.on_discord(), decided(air, case))) == in_order(case["discord"])


def test_every_case_is_killed_while_something_is_under_way() -> None:
    for case in CASES:
        at = next(place for place, step in enumerate(case["do"]) if "kill" in step)
        assert {"rests", "breaks", "swallows", "silent"} & {key for step in case["do"][:at] for key in step}, case[
            "name"
        ]
