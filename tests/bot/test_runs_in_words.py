"""What people wish of runs, what status and why tell of them, and what is refused or asked about first."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.services.declared import DECLARATIONS
from bot.services.simulated import Failure
from tests.fakes_room import Room


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = await Room().open()
    yield room
    await room.close()


def say(name: str, message: str, **more: Any) -> dict[str, Any]:
    action = {"service": "twitch", "method": "send_chat_message", "params": {"message": message}}
    return {"name": name, "action": action, **more}


def rest(name: str, seconds: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "action": {"service": "internal", "method": "wait", "params": {"seconds": seconds}}, **more}


def listens(name: str, kind: str = "wait_for", event: str = "message.received", **more: Any) -> dict[str, Any]:
    outer = {key: more.pop(key) for key in ("timeout_seconds",) if key in more}
    return {"name": name, "action": {"kind": kind, "event": event, **more}, **outer}


def block(*states: dict[str, Any]) -> dict[str, Any]:
    return {"initial_state": states[0]["name"], "states": linked(*states)}


def linked(*states: dict[str, Any]) -> list[dict[str, Any]]:
    following = [*(state["name"] for state in states[1:]), None]
    return [
        {"transitions": {} if then is None else {"success": then}, **state}
        for state, then in zip(states, following, strict=True)
    ]


async def made(room: Room, id: str, *states: dict[str, Any], **more: Any) -> None:
    written = {"id": id, "name": id, "initial_state": states[0]["name"], "states": linked(*states), **more}
    said = await room.say(f"!wf import {json.dumps(written)}")
    assert said.kind == "done", said.text


def fails(room: Room, times: int, reason: str = "OBS is not running") -> None:
    method = DECLARATIONS.find("twitch", "send_chat_message")
    assert method is not None
    room.plan.fail(method, Failure("error", times, reason))


# Later -------------------------------------------------------------------------------------------------------------------


async def test_a_run_that_is_put_off_tells_when_it_starts_and_how_to_call_it_off(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    said = await room.say("!wf run raid in 20 minutes")
    assert said.text == (
        "raid (v1) starts at 08:20:00, in 20 minutes: run raid in 20 minutes. Call it off: !wf cancel raid"
    )
    assert (await room.say("!wf status")).text == "raid: starts at 08:20:00, in 20 minutes (run by mo)"
    await room.wait(1_200)
    assert room.did() == ["twitch.send_chat_message"]


async def test_calling_a_run_off_tells_what_else_that_ends(room: Room) -> None:
    await made(room, "raid", rest("w", 60))
    await room.say("!wf run raid")
    said = await room.say("!wf run raid in 20 minutes")
    assert said.text.endswith("Call it off: !wf cancel raid (that ends 1 other run, too)")


async def test_a_time_of_day_is_the_next_one_and_says_so_if_that_is_tomorrow(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    assert "starts at 19:00:00, in 11 hours" in (await room.say("!wf run raid at 19:00")).text
    assert "starts at 2027-01-16 07:00, in 23 hours" in (await room.say("!wf run raid at 7am")).text


async def test_a_run_put_off_for_more_than_a_year_is_refused(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    assert (await room.say("!wf run raid in 400 days")).kind == "refusal"
    assert (await room.say("!wf status")).text == "Nothing is running."


async def test_what_was_called_off_and_what_was_not_let_in_is_told_by_why(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    await room.say("!wf run raid in 20 minutes")
    assert "raid will not start at 08:20:00" in (await room.say("!wf cancel raid")).text
    assert (await room.say("!wf why raid")).text == (
        "raid was asked for at 08:00:00 (run by mo) and was stopped by mo at 08:00:00, before it began."
    )
    await room.say("!wf run raid in 10 minutes")
    await room.say("!wf disable raid")
    await room.wait(600)
    assert (await room.say("!wf why raid")).text == (
        "raid was asked for at 08:00:00 (run by mo), but at 08:10:00 it did not begin: it is switched off."
    )


async def test_pausing_tells_what_still_starts(room: Room) -> None:
    await made(room, "raid", rest("w", 60))
    await room.say("!wf run raid in 5 minutes")
    assert (await room.say("!wf pause raid")).text == "No run of raid is going on."
    await room.say("!wf run raid")
    assert (await room.say("!wf pause raid")).text == (
        "Done: pause raid. raid is paused at step 1 of 1 (w). raid still starts at 08:05:00, in 5 minutes."
    )


async def test_the_agenda_has_what_triggers_start_and_what_people_put_off(room: Room) -> None:
    assert (await room.say("!wf schedule")).text == "Nothing more is scheduled today."
    await made(room, "hydrate", say("a", "drink"), triggers=[{"on": "schedule.fired", "schedule": "0 20 * * *"}])
    await made(room, "raid", say("a", "hi"))
    await room.say("!wf run raid in 2 hours")
    await room.say("!wf run raid in 3 days")
    assert (await room.say("!wf what is scheduled today")).text == (
        "Still to come today (UTC): 10:00 raid (run by mo) · 20:00 hydrate. 1 run put off to another day: !wf status"
    )


async def test_who_put_a_run_off_is_told_and_for_whom(room: Room) -> None:
    await made(room, "raid", say("a", "hi ${user}"))
    await room.say("!wf run raid in 2 hours with user=bob")
    assert (await room.say("!wf what is scheduled today")).text == (
        "Still to come today (UTC): 10:00 raid (run by mo for bob)."
    )


# What is asked of one ----------------------------------------------------------------------------------------------------


async def test_what_starts_a_workflow_is_told_with_the_next_time(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    assert (await room.say("!wf what starts raid")).text == "raid starts only by hand: !wf run raid."
    await room.say("!wf run raid in 20 minutes")
    assert (await room.say("!wf when does raid run")).text == (
        "raid starts only by hand: !wf run raid. Next at 08:20:00, in 20 minutes."
    )
    await made(room, "hydrate", say("a", "drink"), triggers=[{"on": "schedule.fired", "schedule": "0 20 * * *"}])
    assert (await room.say("!wf when is hydrate due")).text == (
        "hydrate starts every day at 20:00. Next at 20:00:00, in 12 hours."
    )
    await room.say("!wf disable hydrate")
    assert (await room.say("!wf what starts hydrate")).text == "hydrate starts every day at 20:00. It is switched off."


async def test_how_long_a_workflow_takes_is_told_as_far_as_it_is_known(room: Room) -> None:
    await made(room, "raid", say("a", "hi"), rest("w", 90))
    await made(room, "plain", say("a", "hi"))
    await made(room, "quiz", rest("w", 5), listens("answered"))
    assert (await room.say("!wf how long does raid take")).text == "raid takes 1 minute 30 seconds."
    assert (await room.say("!wf how long is plain")).text == "plain waits for nothing: it is over at once."
    assert (await room.say("!wf how long does quiz take")).text == (
        'quiz takes 5 seconds, and as long as step "answered" waits for what happens.'
    )


async def test_who_may_run_a_workflow_is_told_with_what_else_holds(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    assert (
        await room.say("!wf who may run raid")
    ).text == "The streamer and moderators may run raid. It has no cooldown."
    await made(room, "lurk", say("a", "hi"), triggers=[{"on": "follow.received"}], policy={"cooldown": {"seconds": 30}})
    assert (await room.say("!wf who can run lurk")).text == (
        "The streamer and moderators may run lurk, and whoever does what starts it. For lurk holds: cooldown 30 seconds."
    )
    await room.say("!wf only vips may run lurk")
    assert (await room.say("!wf who may run lurk")).text == (
        "For lurk holds: only vips may run it, cooldown 30 seconds. The streamer may always."
    )


async def test_what_a_workflow_has_to_do_with_is_found(room: Room) -> None:
    await made(room, "raid", say("a", "hi"), policy={"cooldown": {"seconds": 30}})
    await made(
        room,
        "hydrate",
        {"name": "a", "action": {"service": "overlay", "method": "play_sound", "params": {"sound": "airhorn"}}},
    )
    await made(room, "both", {"name": "a", "action": {"kind": "run", "workflow": "hydrate"}})
    await made(room, "sip", say("a", "hi"), triggers=[{"on": "reward.redeemed", "when": 'reward == "Hydrate now"'}])
    assert (await room.say('!wf list using "airhorn"')).text == "hydrate (on): only by hand"
    assert (await room.say("!wf which workflows use hydrate")).text == "both (on): only by hand"
    assert (await room.say('!wf list using "hydrate now"')).text == 'sip (on): when someone redeems "Hydrate now"'
    assert (await room.say("!wf list with a cooldown")).text == "raid (on): only by hand"
    assert (await room.say('!wf list using "trombone"')).text == 'No workflow is using "trombone".'


async def test_a_trial_makes_up_what_only_the_trigger_brings_and_says_so(room: Room) -> None:
    await made(room, "raid", say("a", "${viewers} are here"), triggers=[{"on": "raid.received", "when": "viewers > 4"}])
    assert (await room.say("!wf test raid")).text == (
        "Dry run with made-up values: if a raid comes in: someone (viewers 5) · raid v1 would start · "
        'would say "5 are here" · then it is over. Nothing was done.'
    )
    assert (await room.say("!wf test raid with viewers=9")).text.startswith("Dry run: raid v1 would start")


# In line -----------------------------------------------------------------------------------------------------------------


async def test_a_run_that_stands_in_line_says_behind_how_many(room: Room) -> None:
    await made(room, "raid", rest("w", 60), policy={"mode": "queued", "max": 5})
    assert (await room.say("!wf run raid")).text.startswith("Started raid (v1)")
    assert (await room.say("!wf run raid")).text == "raid (v1) stands in line behind 1: run raid."
    assert (await room.say("!wf run raid")).text == "raid (v1) stands in line behind 2: run raid."
    assert (
        "raid was asked for at 08:00:00 (run by mo) and stands in line behind 2."
        in (await room.say("!wf why raid")).text
    )
    await room.wait(60)
    assert (await room.say("!wf status")).text == (
        "raid: step 1 of 1, waiting 1 minute since 08:01:00, 1 minute left, then it ends · "
        "raid: stands in line behind 1 (run by mo)"
    )
    await room.wait(60)
    assert (
        "started at 08:02:00 (run by mo, waiting since 08:00:00) and goes on" in (await room.say("!wf why raid")).text
    )


async def test_workflows_of_one_group_stand_in_one_line(room: Room) -> None:
    for id in ("raid", "hype"):
        await made(room, id, rest("w", 60), policy={"mode": "queued", "group": "stage"})
    await room.say("!wf run raid")
    assert (await room.say("!wf run hype")).text == "hype (v1) stands in line behind 1: run hype."


async def test_a_refusal_tells_when_it_would_be_let_in(room: Room) -> None:
    await made(room, "raid", say("a", "hi"), policy={"cooldown": {"seconds": 300}}, triggers=["raid"])
    await room.happens("raid.received")
    await room.wait(60)
    await room.happens("raid.received")
    assert "It would be let in at 08:05:00, in 4 minutes." in (await room.say("!wf why raid")).text
    await room.wait(300)
    assert "It would be let in by now." in (await room.say("!wf why raid")).text


# Waits -------------------------------------------------------------------------------------------------------------------


async def test_a_wait_for_a_person_and_a_gathering_are_told_in_words(room: Room) -> None:
    await made(room, "ask", listens("w", who="Bob", when='command == "!yes"', timeout_seconds=20), say("a", "ok"))
    await made(room, "vote", listens("c", "collect", count=50, seconds=30), say("a", "ok"))
    await room.say("!wf run ask")
    await room.say("!wf run vote")
    await room.say("I am in", who="ann", roles=())
    assert (await room.say("!wf status")).text == (
        'ask: step 1 of 2, waits until bob types !yes, 20 seconds left, then say "ok" · '
        'vote: step 1 of 2, has gathered 1 of 50, 30 seconds left, then say "ok"'
    )


async def test_skipping_ends_a_wait_for_an_event_and_draws_from_what_was_gathered(room: Room) -> None:
    await made(room, "vote", listens("c", "collect", seconds=30), say("a", "${results.c.count} came"))
    await room.say("!wf run vote")
    await room.say("me", who="ann", roles=())
    assert "vote goes on at step 2 of 2 (a)" in (await room.say("!wf skip the wait in vote")).text
    assert [attempt.effect.params["message"] for attempt in room.attempts] == ["1 came"]


async def test_several_runs_that_wait_are_asked_about_first(room: Room) -> None:
    await made(room, "raid", rest("w", 60))
    await room.say("!wf run raid")
    await room.say("!wf run raid")
    asked = await room.say("!wf skip the wait in raid")
    assert (asked.kind, asked.text) == (
        "question",
        "Skip the wait in raid? 2 runs of raid wait there. Say yes or no.",
    )
    assert "And" not in (await room.say("yes")).text
    assert (await room.say("!wf status")).text == "Nothing is running."


async def test_a_slip_of_the_pen_skips_nothing_before_a_yes(room: Room) -> None:
    await made(room, "raid", rest("w", 60))
    await room.say("!wf run raid")
    assert (await room.say("!wf sikp the wait in raid")).kind == "question"
    assert "raid: step 1 of 1" in (await room.say("!wf status")).text


async def test_extending_moves_the_end_and_leaves_the_workflow_as_it_is(room: Room) -> None:
    await made(room, "raid", rest("w", 60))
    await room.say("!wf run raid")
    await room.wait(50)
    said = await room.say("!wf extend the running wait of raid by 30 seconds")
    assert said.text == (
        "Done: extend the running wait of raid by 30 seconds. raid waits until 08:01:30, 40 seconds left."
    )
    assert "waits no longer" in (await room.say("!wf shorten the running wait of raid by 10 minutes")).text
    assert (await room.say("!wf show step 1 of raid")).text == "raid, step 1 of 1: wait 1 minute"
    assert (await room.say("!wf status raid")).text.startswith("raid is not running")


async def test_a_wait_that_no_time_ends_cannot_be_extended(room: Room) -> None:
    await made(room, "ask", listens("w"))
    await room.say("!wf run ask")
    said = await room.say("!wf extend the running wait by 30 seconds")
    assert (said.kind, said.text) == (
        "refusal",
        "ask waits for no time, so I cannot extend the running wait of ask by 30 seconds.",
    )


async def test_a_paused_wait_is_extended_and_skipped_without_going_on(room: Room) -> None:
    await made(room, "raid", rest("w", 60), say("a", "hi"))
    await room.say("!wf run raid")
    await room.wait(50)
    await room.say("!wf pause raid")
    await room.wait(50)
    said = await room.say("!wf extend the running wait of raid by 5 seconds")
    assert said.text.endswith("raid is paused; 15 seconds of the wait are left.")
    said = await room.say("!wf skip the wait in raid")
    assert said.text.endswith("raid stays paused at step 1 of 2 (w) and goes on from there when it is resumed.")
    assert room.did() == []
    await room.say("!wf resume raid")
    assert room.did() == ["twitch.send_chat_message"]


async def test_a_step_at_which_nothing_waits_is_told_with_where_the_run_is(room: Room) -> None:
    await made(room, "raid", say("a", "hi"), rest("w", 60))
    await room.say("!wf run raid")
    said = await room.say("!wf skip step 1 of raid")
    assert said.text == (
        "Nothing waits at step 1 of 2 (a). "
        "raid: step 2 of 2, waiting 1 minute since 08:00:00, 1 minute left, then it ends."
    )


# Blocks ------------------------------------------------------------------------------------------------------------------


async def test_every_branch_and_round_is_told_and_no_json(room: Room) -> None:
    around = {"name": "again", "action": {"kind": "repeat", "times": 5, "block": block(rest("w", 10))}}
    both = {
        "name": "both",
        "action": {
            "kind": "parallel",
            "branches": [
                {"name": "lights", "block": block(around)},
                {"name": "host", "block": block(listens("h"))},
                {"name": "music", "needs": ["lights", "host"], "block": block(say("m", "la"))},
            ],
        },
    }
    await made(room, "gala", both, {"name": "intro", "action": {"kind": "run", "workflow": "intro"}})
    await made(room, "intro", rest("i", 5))
    await room.say("!wf run gala")
    await room.wait(14)
    assert (await room.say("!wf status")).text == (
        "gala: step 1 of 2 side by side: lights, round 2 of 5, waiting 10 seconds since 08:00:10, 6 seconds left; "
        "host waits until someone writes in chat, since 08:00:00; music comes after lights and host, then run intro"
    )
    await room.say("hello", who="ann", roles=())
    await room.wait(36)
    assert (
        "gala: step 2 of 2, runs intro, which is at step 1 of 1 (i), then it ends"
        in (await room.say("!wf status")).text
    )


async def test_branches_show_what_they_do_in_the_order_in_which_they_are_written(room: Room) -> None:
    lanes = [{"name": f"l{number}", "block": block(say(f"s{number}", f"{number}"))} for number in range(8)]
    await made(room, "gala", {"name": "all", "action": {"kind": "parallel", "branches": lanes}})
    await room.say("!wf run gala")
    assert [attempt.effect.params["message"] for attempt in room.attempts] == [f"{number}" for number in range(8)]


async def test_many_branches_fit_into_two_messages(room: Room) -> None:
    lanes = [{"name": f"a branch {number} {'x' * 40}", "block": block(rest(f"s{number}", 60))} for number in range(30)]
    await made(room, "gala", {"name": "all", "action": {"kind": "parallel", "branches": lanes}})
    await room.say("!wf run gala")
    for words in ("status", "why gala", "pause gala", "list runs"):
        said = await room.say(f"!wf {words}")
        assert 0 < len(said.replies) <= 2
        assert all(len(reply.text) <= 500 for reply in said.replies)


# Retry -------------------------------------------------------------------------------------------------------------------


async def test_a_retry_is_told_whole_by_why(room: Room) -> None:
    await made(room, "raid", rest("w", 60), say("a", "hi ${x}"), variables={"x": "all"})
    fails(room, 1)
    await room.say("!wf run raid")
    await room.wait(60)
    assert (await room.say("!wf list runs of raid")).text == (
        'raid at 08:00:00 (run by mo) failed after 1 minute: "a" failed: OBS is not running'
    )
    await room.wait(60)
    said = await room.say("!wf retry raid with x=ann", who="ann")
    assert said.text == (
        "raid goes on at step 2 of 2 (a), where it failed at 08:01:00 (OBS is not running): retry raid with x=ann."
    )
    assert room.attempts[-1].effect.params == {"message": "hi ann"}
    assert (await room.say("!wf why raid")).text == (
        "raid started at 08:00:00 (run by mo), failed at 08:01:00 at step 2 of 2 (a): OBS is not running, "
        "was retried by ann at 08:02:00 and completed after 2 minutes."
    )


async def test_a_retry_is_asked_about_if_a_later_run_has_come_since(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    fails(room, 1)
    await room.say("!wf run raid")
    await room.say("!wf run raid")
    asked = await room.say("!wf retry raid")
    assert asked.text == (
        "Retry raid? It failed at 08:00:00, but a later run of it completed at 08:00:00. Say yes or no."
    )
    room.did()
    assert "raid goes on at step 1 of 1 (a)" in (await room.say("yes")).text
    assert room.did() == ["twitch.send_chat_message"]


async def test_there_is_nothing_to_retry_where_nothing_has_failed(room: Room) -> None:
    await made(room, "raid", say("a", "hi"))
    assert (await room.say("!wf retry")).text == "No run has failed lately."
    assert "has not run yet, so there is nothing to retry" in (await room.say("!wf retry raid")).text
    await room.say("!wf run raid")
    assert "the last one completed at 08:00:00" in (await room.say("!wf retry raid")).text


# What took it ------------------------------------------------------------------------------------------------------------


async def test_why_tells_of_a_wait_that_kept_the_event(room: Room) -> None:
    await made(room, "clap", say("a", "clap"), triggers=[{"on": "message.received", "when": 'command == "!go"'}])
    await made(room, "ask", listens("w", when='command == "!go"', consume=True), rest("x", 60))
    await room.say("!wf run ask")
    await room.say("!go", who="bob", roles=())
    assert room.did() == []
    assert (await room.say("!wf why clap")).text.startswith(
        "clap did not start at 08:00:00 (someone writes in chat: bob): ask (step 1 of 2 (w)) waited for that and kept it."
    )


async def test_what_a_wait_kept_is_not_told_where_it_would_not_have_started_anything(room: Room) -> None:
    await made(room, "clap", say("a", "clap"), triggers=[{"on": "message.received", "when": 'command == "!clap"'}])
    await made(room, "ask", listens("w", when='command == "!go"', consume=True), rest("x", 60))
    await room.say("!wf run ask")
    await room.say("!go", who="bob", roles=())
    assert "kept it" not in (await room.say("!wf why clap")).text


async def test_why_tells_of_gifts_that_are_counted_in_a_larger_one(room: Room) -> None:
    await made(room, "thanks", say("a", "thank you"), triggers=["gift"])
    await made(room, "hello", say("a", "welcome"), triggers=["sub"])
    await room.happens("gift.received", who="ann", count=2, gift_id="g1")
    for who in ("bob", "cleo"):
        await room.happens("subscription.received", who=who, gift_id="g1")
    assert room.did() == ["twitch.send_chat_message"]
    assert (
        "2 single subs of that gift came with it and count as this one; they start nothing."
        in (await room.say("!wf why thanks")).text
    )
    assert (await room.say("!wf why hello")).text.startswith(
        "hello did not start for 2 single subs at 08:00:00: they belong to a gift of ann, which counts once."
    )


# Who may -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish",
    [
        "skip the wait in raid",
        "extend the running wait of raid by 30 seconds",
        "shorten the running wait of raid by 30 seconds",
        "retry raid",
        "pause everything",
        "what is scheduled today",
        "list runs",
    ],
)
async def test_who_may_only_run_a_workflow_may_do_nothing_else_with_its_runs(room: Room, wish: str) -> None:
    await made(room, "raid", rest("w", 60), policy={"may_run": ["vip"]})
    assert (await room.say("!wf run raid in 1 minute", who="vic", roles=("vip",))).kind == "done"
    assert (await room.say("!wf run raid", who="vic", roles=("vip",))).kind == "done"
    said = await room.say(f"!wf {wish}", who="vic", roles=("vip",))
    assert (said.kind, said.text) == ("refusal", "Only the streamer and moderators can change workflows.")
    assert (
        "60 seconds left" in (await room.say("!wf status")).text
        or "1 minute left" in (await room.say("!wf status")).text
    )
