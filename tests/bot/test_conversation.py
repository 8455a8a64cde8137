"""What the bot answers, and what it does and does not do because of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.declared import DECLARATIONS
from bot.services.simulated import Failure
from engine.convert import write_json
from engine.errors import StoreUnwritable
from engine.secrets import Secret
from tests.fakes_room import HOME, BrokenSettings, Room

RAID = 'when a raid of more than 5 viewers comes in, say "welcome ${user}!", wait 10 seconds, then shout them out'
HI = 'create hi when someone follows say "hi ${user}"'


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = await Room().open()
    yield room
    await room.close()


async def made(room: Room, sentence: str = RAID, **who: Any) -> None:
    said = await room.say(f"!wf {sentence}", **who)
    assert said.kind == "done", said.text


# Replies -------------------------------------------------------------------------------------------------------------


async def test_a_creation_is_answered_with_words_that_would_make_it_again(room: Room) -> None:
    said = await room.say(f"!workflow {RAID}")
    assert said.text == (
        'Created raid (v1). When a raid of more than 5 viewers comes in: 1 say "welcome ${user}!" · 2 wait 10 seconds · '
        "3 shout out ${user}. Undo: !workflow undo"
    )
    assert said.canonical is not None
    other = await Room().open()
    assert (await other.say(f"!wf {said.canonical}")).canonical == said.canonical
    await other.close()


async def test_an_edit_is_answered_with_the_version_and_what_changed(room: Room) -> None:
    await made(room)
    said = await room.say("!wf in raid make the wait half a minute")
    assert said.text == "raid v2: step 2 wait 10 seconds -> wait 30 seconds. Undo: !workflow undo"
    assert said.canonical == "raid v2: step 2 wait 10 seconds -> wait 30 seconds"
    assert [reply.revision for reply in said.replies] == [2]


async def test_saving_tells_what_still_runs_on_the_old_version(room: Room) -> None:
    await made(room)
    await room.happens("raid.received", viewers=50)
    said = await room.say("!wf in raid make the wait half a minute")
    assert "1 run still goes on with v1." in said.text
    await room.wait(10)
    assert room.did() == ["twitch.send_chat_message", "twitch.send_shoutout"]


async def test_a_long_workflow_is_answered_in_two_messages_and_shown_in_pages(room: Room) -> None:
    steps = ", then ".join(f'say "{number} {"la " * 30}"' for number in range(1, 13))
    said = await room.say(f"!wf create song when someone types !song {steps}")
    assert said.kind == "done"
    assert len(said.replies) == 2
    assert all(len(reply.text) <= 500 for reply in said.replies)
    assert "!wf show song" in said.text
    shown: list[str] = []
    for page in range(1, 20):
        said = await room.say(f"!wf show song {page}")
        assert len(said.replies) <= 2
        assert all(len(reply.text) <= 500 for reply in said.replies)
        if said.kind == "refusal":
            break
        shown.append(said.text)
    assert len(shown) > 1
    for number in range(1, 13):
        assert sum(f'say "{number} la ' in text for text in shown) == 1


# Questions -----------------------------------------------------------------------------------------------------------


async def test_a_deletion_waits_for_the_yes_of_its_asker(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf delete raid")).kind == "question"
    assert (await room.say("yes", "ben")).chat
    assert "raid" in (await room.say("!wf list", "ben")).text
    said = await room.say("yes")
    assert said.canonical == "delete workflow raid"
    assert "raid" not in (await room.say("!wf list", "ben")).text


async def test_a_question_counts_for_a_minute_and_in_its_place_only(room: Room) -> None:
    await made(room)
    await room.say("!wf delete raid")
    assert (await room.say("yes", platform="discord", channel="mods")).chat
    await room.wait(60)
    assert (await room.say("yes")).chat
    assert "raid" in (await room.say("!wf list")).text


async def test_a_question_survives_a_restart(room: Room) -> None:
    await made(room)
    await room.say("!wf delete raid")
    room = await room.restarted()
    assert (await room.say("yes")).kind == "done"
    room = await room.restarted()
    assert (await room.say("yes")).chat, "answered is answered"
    assert "raid" not in (await room.say("!wf list")).text
    await room.close()


async def test_a_yes_and_what_it_does_are_one_commit(room: Room) -> None:
    await made(room)
    await room.say("!wf delete raid")
    (asked,) = room.store.commits[-1].proposals or room.store.commits[-2].proposals
    await room.say("yes")
    deleting = [batch for batch in room.store.commits if any(change.kind == "delete" for change in batch.changes)]
    assert [batch.proposals_answered for batch in deleting] == [[asked.id]]


async def test_a_question_is_answered_before_anything_starts_because_of_it(room: Room) -> None:
    await made(room)
    await room.say("!wf run riad")
    await room.say("yes")
    answered = [number for number, batch in enumerate(room.store.commits) if batch.proposals_answered]
    started = [number for number, batch in enumerate(room.store.commits) if batch.executions]
    assert answered[0] < started[0], "a crash in between must not let a second yes start it twice"


async def test_a_yes_to_what_has_changed_meanwhile_is_asked_again(room: Room) -> None:
    await made(room)
    await room.say("!wf delete raid")
    await room.say("!wf in raid make the wait half a minute", "ben")
    said = await room.say("yes")
    assert said.kind == "question"
    assert "ben" in said.text
    assert "wait 30 seconds" in said.text
    assert (await room.say("yes")).kind == "done"


async def test_a_no_changes_nothing_with_or_without_prefix(room: Room) -> None:
    await made(room)
    for no in ("no", "!wf no", "never mind"):
        await room.say("!wf delete raid")
        assert (await room.say(no)).kind == "answer"
        assert (await room.say("yes")).chat
    assert "raid" in (await room.say("!wf list")).text


async def test_nothing_runs_because_of_a_typo_before_a_yes(room: Room) -> None:
    await made(room, HI)
    await made(room)
    said = await room.say("!wf run riad")
    assert said.kind == "question"
    assert 'I read "riad" as raid.' in said.text
    assert room.did() == []
    assert (await room.say("yes")).kind == "done"
    assert room.did() == ["twitch.send_chat_message"]


async def test_nothing_stops_because_of_a_typo_before_a_yes(room: Room) -> None:
    await made(room)
    await room.happens("raid.received", viewers=50)
    assert (await room.say("!wf stop riad")).kind == "question"
    assert len(await room.runner.live(HOME)) == 1
    assert (await room.say("yes")).kind == "done"
    assert await room.runner.live(HOME) == ()


async def test_stopping_everything_asks_and_says_what(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf stop everything")).text == "Nothing is running."
    await room.happens("raid.received", viewers=50)
    said = await room.say("!wf stop everything")
    assert said.kind == "question"
    assert "raid" in said.text
    assert len(await room.runner.live(HOME)) == 1
    assert (await room.say("!wf yes")).kind == "done"
    assert await room.runner.live(HOME) == ()


async def test_a_no_to_a_deed_on_several_workflows_leaves_the_focus_where_it_was(room: Room) -> None:
    for sentence in ("create aa: say hi, wait 5s", "create bb: say x", "show aa"):
        await room.say(f"!wf {sentence}")
    assert (await room.say("!wf delete everything")).kind == "question"
    await room.say("no")
    assert (await room.say("!wf show")).text.startswith("aa ")


async def test_why_tells_first_what_came_last_even_within_one_second(room: Room) -> None:
    await made(room)
    await room.happens("raid.received", viewers=1)
    await room.happens("raid.received", viewers=50)
    assert "started" in (await room.say("!wf why raid")).text.split("·")[0]
    await room.happens("raid.received", viewers=2)
    assert "did not start" in (await room.say("!wf why raid")).text.split("·")[0]


async def test_a_missing_piece_is_the_next_message_plain_or_prefixed(room: Room) -> None:
    await made(room, HI)
    for answer in ("20 seconds", "!wf 20 seconds"):
        assert (await room.say("!wf add a wait")).kind == "question"
        said = await room.say(answer)
        assert said.canonical is not None
        assert said.canonical.endswith("wait 20 seconds")


async def test_a_text_is_taken_as_it_is(room: Room) -> None:
    await made(room, HI)
    await room.say("!wf add a message")
    said = await room.say('when "you" follow, delete hi \\o/')
    assert said.canonical == 'hi v2: add as step 2 say "when \\"you\\" follow, delete hi \\\\o/"'
    await room.say("!wf add a message")
    assert (await room.say('"in quotes"')).canonical == 'hi v3: add as step 3 say "in quotes"'


async def test_a_new_instruction_drops_the_question(room: Room) -> None:
    await made(room, HI)
    await room.say("!wf add a message")
    assert (await room.say("!wf list")).kind == "answer"
    assert (await room.say("hello everyone")).chat


async def test_what_does_not_fit_is_said_once_and_then_left_to_the_chat(room: Room) -> None:
    await made(room, HI)
    await room.say("!wf add a wait")
    assert (await room.say("what a save xD")).kind == "question"
    assert (await room.say("gg everyone gg")).chat
    assert (await room.say("20 seconds")).canonical == "hi v2: add as step 2 wait 20 seconds"


async def test_numbered_answers_mean_what_they_meant_when_they_were_numbered(room: Room) -> None:
    await made(room, 'create two when someone follows say "a", wait 5 seconds, say "b", wait 9 seconds')
    said = await room.say("!wf remove the wait")
    assert said.kind == "question"
    assert "remove step 2" in said.text
    assert "remove step 4" in said.text
    await room.say("!wf in two remove step 1", "ben")
    again = await room.say("2")
    assert again.kind == "question", "the numbers have moved"
    assert (await room.say("2")).canonical == "two v3: remove step 3"


# Rights --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["in raid remove step 1", "delete raid", "create x say hi", "undo", "stop everything", "gibberish", "list"]
)
async def test_viewers_are_refused_without_details(room: Room, text: str) -> None:
    await made(room)
    said = await room.say(f"!wf {text}", "vic", ())
    assert [reply.kind for reply in said.replies] == ["refusal"]
    assert said.text == "Only the streamer and moderators can change workflows."


async def test_a_moderator_may_not_write_what_only_the_broadcaster_may_do(room: Room) -> None:
    await made(room)
    said = await room.say("!wf in raid add stop streaming")
    assert said.kind == "refusal"
    assert "broadcaster" in said.text
    assert "v1" in (await room.say("!wf show raid")).text
    assert (await room.say("!wf in raid add stop streaming", "streamer", ("broadcaster",))).kind == "done"


async def test_a_moderator_may_change_other_steps_of_what_the_broadcaster_wrote(room: Room) -> None:
    await made(room, 'create out say "bye", then stop streaming', who="streamer", roles=("broadcaster",))
    assert (await room.say("!wf in out add wait 5 seconds before step 2")).kind == "done"
    revision = await room.store.revision(HOME, "out", 2)
    assert revision is not None
    assert [revision.step_authors[state.name].name for state in revision.definition.states] == [
        "streamer",
        "mo",
        "streamer",
    ]


async def test_a_policy_says_who_may_edit(room: Room) -> None:
    await made(room, HI, who="streamer", roles=("broadcaster",))
    said = await room.say('!wf in hi policy {"may_edit": ["broadcaster"]}', "streamer", ("broadcaster",))
    assert said.kind == "done", said.text
    said = await room.say("!wf in hi add wait 5 seconds")
    assert said.kind == "refusal"
    assert "broadcaster" in said.text


# Versions ------------------------------------------------------------------------------------------------------------


async def test_undoing_anothers_change_asks_and_says_whose(room: Room) -> None:
    await made(room, who="anna")
    await room.say("!wf in raid make the wait half a minute", "ben")
    said = await room.say("!wf undo raid", "anna")
    assert said.kind == "question"
    assert "ben" in said.text
    said = await room.say("yes", "anna")
    assert said.kind == "done"
    assert said.replies[0].revision == 3


async def test_a_deleted_workflow_is_named_and_brought_back(room: Room) -> None:
    await made(room)
    await room.say("!wf delete raid")
    await room.say("yes")
    said = await room.say("!wf show raid")
    assert said.kind == "refusal"
    assert "!workflow undo raid" in said.text
    assert (await room.say("!wf undo raid")).kind == "done"
    assert (await room.say("!wf show raid")).kind == "answer"


async def test_undo_alone_means_what_this_person_talked_about_even_after_a_restart(room: Room) -> None:
    await made(room, RAID, who="anna")
    await made(room, HI, who="ben")
    room = await room.restarted()
    said = await room.say("!wf undo", "anna")
    assert said.replies[0].workflow == "raid"
    await room.close()


async def test_undo_without_focus_means_ones_own_last_change_then_anyones(room: Room) -> None:
    await made(room, RAID, who="anna")
    await made(room, HI, who="ben")
    elsewhere: dict[str, Any] = {"platform": "twitch", "channel": "elsewhere"}
    said = await room.say("!wf undo", "anna", **elsewhere)
    assert (said.kind, said.replies[0].workflow) == ("done", "raid")
    said = await room.say("!wf redo", "anna", channel="yet elsewhere")
    assert (said.kind, said.replies[0].workflow) == ("done", "raid")
    said = await room.say("!wf undo", "carl", **elsewhere)
    assert said.kind == "question", "whose it is, is asked"


async def test_renaming_and_switching_can_be_undone_and_redone(room: Room) -> None:
    await made(room, HI)
    assert (await room.say('!wf rename hi to "hello there"')).canonical == 'rename hi to "hello there"'
    await room.say("!wf disable hi")
    assert (await room.say("!wf disable hi")).kind == "answer"
    for text, name, enabled in (
        ("undo", "hello there", True),
        ("redo", "hello there", False),
        ("undo 2", None, True),
        ("redo 9", None, True),
    ):
        await room.say(f"!wf {text}")
        entry = room.conversation.catalogue.get("hi")
        assert entry is not None
        assert entry.record.enabled is enabled
        assert name is None or entry.record.name == name


async def test_a_name_taken_meanwhile_keeps_an_undo_from_bringing_it_back(room: Room) -> None:
    await made(room, HI)
    await room.say("!wf rename hi to greeting")
    await room.say("!wf rename greeting to hello")
    await made(room, 'create greeting say "x"')
    refused = await room.say("!wf undo hello")
    assert refused.kind == "refusal"
    assert "Another workflow is named greeting now" in refused.text


async def test_too_many_undos_are_refused_whole(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf undo 9 raid")).kind == "refusal"
    assert "v1" in (await room.say("!wf show raid")).text


async def test_history_tells_who_when_and_in_which_words(room: Room) -> None:
    await made(room, who="anna")
    await room.say("!wf in raid make the wait half a minute", "ben")
    text = (await room.say("!wf history raid")).text
    for words in ("anna", "ben", "v1", "v2", "in raid make the wait half a minute", "08:00:00"):
        assert words in text


# What runs -----------------------------------------------------------------------------------------------------------


async def test_status_tells_the_step_since_when_how_long_and_what_then(room: Room) -> None:
    await made(room)
    await room.happens("raid.received", viewers=50)
    await room.wait(6)
    text = (await room.say("!wf status")).text
    assert text == "raid: step 2 of 3, waiting 10 seconds since 08:00:00, 4 seconds left, then shout out ${user}"


async def test_pausing_freezes_and_resuming_goes_on(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf resume raid")).text == "No run of raid is paused."
    await room.happens("raid.received", viewers=50)
    await room.wait(4)
    assert "raid is paused at step 2 of 3 (wait)" in (await room.say("!wf pause raid")).text
    await room.wait(3_600)
    text = (await room.say("!wf status")).text
    assert "step 2 of 3, paused since 08:00:04 at wait 10 seconds, 6 seconds left" in text
    assert "goes on" in (await room.say("!wf resume raid")).text
    room.did()
    await room.wait(6)
    assert room.did() == ["twitch.send_shoutout"]


async def test_status_of_what_does_not_run_tells_how_it_ended(room: Room) -> None:
    await made(room, 'create hi say "hi"')
    assert "has not run yet" in (await room.say("!wf status hi")).text
    await room.say("!wf run hi")
    assert "Its last run completed at 08:00:00." in (await room.say("!wf status hi")).text


async def test_a_list_is_of_what_was_asked_for(room: Room) -> None:
    assert "There are no workflows yet" in (await room.say("!wf list")).text
    await made(room)
    await made(room, HI)
    await room.say("!wf disable hi")
    assert (await room.say("!wf list disabled")).text == "hi (off): when someone follows"
    assert (await room.say("!wf list running")).text == "No workflow is running."
    await room.happens("raid.received", viewers=50)
    assert "1 run going on" in (await room.say("!wf list running")).text
    for number in range(40):
        await made(room, f'create many_{number} when someone follows say "x"')
    listed = await room.say("!wf list")
    assert len(listed.replies) <= 2
    assert "many_39" in listed.text or "more" in listed.text


async def test_one_step_is_shown_by_its_number(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf show step 2 of raid")).text == "raid, step 2 of 3: wait 10 seconds"
    assert (await room.say("!wf show step 7 of raid")).kind == "refusal"


async def test_a_retry_is_told_by_status(room: Room) -> None:
    await made(room, 'create so say "hi" (retry 3 times waiting 20 seconds)')
    method = DECLARATIONS.find("twitch", "send_chat_message")
    assert method is not None
    room.plan.fail(method, Failure("error", 1, "slow mode"))
    await room.say("!wf run so")
    assert "tried again in 20 seconds" in (await room.say("!wf status")).text


async def test_what_would_not_run_is_refused_with_the_reason(room: Room) -> None:
    await made(room, HI)
    said = await room.say('!wf create loop when someone types !loop: 1 say "x" (then go to step "say")')
    assert said.kind == "refusal"
    assert "Nothing was changed." in said.text
    assert room.conversation.catalogue.get("loop") is None


async def test_why_tells_what_kept_it_from_starting(room: Room) -> None:
    await made(room)
    await room.happens("raid.received", "tiny", viewers=3)
    text = (await room.say("!wf why")).text
    for words in ("raid", "tiny", "3", "5"):
        assert words in text


async def test_why_tells_who_ran_it_what_failed_and_where_it_went_on(room: Room) -> None:
    await made(room, 'create out say "bye ${target}" (if it fails go to step "wait") · wait 5 seconds')
    await room.say("!wf run out", "anna")
    text = (await room.say("!wf why")).text
    for words in ("run by anna", "goes on", "step 1 of 2 (say) failed", "target", "it went on at wait"):
        assert words in text
    await room.say("!wf stop out", "ben")
    assert "ben" in (await room.say("!wf why out")).text


async def test_why_tells_a_try_that_was_followed_by_another_from_a_step_that_was_gone_to(room: Room) -> None:
    await made(
        room, 'create out: 1 do twitch.send_chat_message with {"message": "hi"} (retry 2 times waiting 5 seconds)'
    )
    method = DECLARATIONS.find("twitch", "send_chat_message")
    assert method is not None
    room.plan.fail(method, Failure("error", 2, "no net"))
    await room.say("!wf run out")
    assert "step 1 of 1 (say) failed: no net; it was tried again." in (await room.say("!wf why out")).text
    await room.wait(10)
    text = (await room.say("!wf why out")).text
    assert "completed" in text
    assert text.count("it was tried again") == 2
    assert "it went on" not in text


async def test_why_tells_of_a_trigger_that_never_starts_it(room: Room) -> None:
    await made(room, 'create friday_show: when event "scheduled.show" say hi')
    asleep = 'when event "scheduled.show": the schedule is named but not defined, so it never starts by itself.'
    text = (await room.say("!wf why friday_show")).text
    assert "it starts only by hand" in text
    assert asleep in text
    await room.say("!wf run friday_show")
    assert asleep in (await room.say("!wf why friday_show")).text


async def test_a_secret_is_refused_in_a_text_when_it_is_said(room: Room) -> None:
    room.config["key"] = Secret("key", "hunter22")
    said = await room.say('!wf when someone follows say "${key}"')
    assert said.kind == "refusal"
    assert '"key" is a secret' in said.text
    await made(room, HI)
    assert (await room.say('!wf in hi make step 1 say "${config.key}"')).kind == "refusal"


async def test_why_of_nothing_is_answered(room: Room) -> None:
    assert (await room.say("!wf why")).text == "No workflow has been started yet, and none was kept from starting."
    await made(room)
    assert (await room.say("!wf why raid")).text == (
        "raid has not been started yet; it starts when a raid of more than 5 viewers comes in."
    )


async def test_a_diff_says_what_came_what_went_and_what_changed(room: Room) -> None:
    await made(room)
    await room.say("!wf in raid make the wait half a minute; remove step 1")
    await room.say("!wf in raid also when someone follows")
    assert (await room.say("!wf diff raid")).text == "raid v2 -> v3: + when someone follows"
    text = (await room.say("!wf diff raid since v1")).text
    for words in ('- step 1 say "welcome ${user}!"', "wait 10 seconds -> wait 30 seconds", "+ when someone follows"):
        assert words in text
    assert (await room.say("!wf diff raid since v9")).kind == "refusal"


async def test_running_tells_what_has_not_been_given(room: Room) -> None:
    await made(room, 'create out say "bye, we visit ${target}"')
    assert "target" in (await room.say("!wf run out")).text
    assert "Not given" not in (await room.say("!wf run out with target=ninja")).text


async def test_cancelling_tells_what_it_came_to(room: Room) -> None:
    await made(room)
    assert (await room.say("!wf cancel raid")).text == "No run of raid is going on."
    await room.happens("raid.received", viewers=50)
    said = await room.say("!wf cancel raid")
    assert said.kind == "done"
    assert said.canonical == "cancel raid"
    assert "raid has ended" in said.text


# Failures ------------------------------------------------------------------------------------------------------------


async def test_what_cannot_be_stored_is_said_and_has_not_happened(room: Room) -> None:
    await made(room)
    room.store.fail_with = StoreUnwritable("The disk is full.")
    for text in ("!wf in raid make the wait half a minute", "!wf delete raid", "!wf disable raid", "!wf undo raid"):
        said = await room.say(text)
        assert [reply.kind for reply in said.replies] == ["refusal"], text
        assert said.text == "The disk is full. Nothing was changed."
    room.store.fail_with = None
    assert "wait 10 seconds" in (await room.say("!wf show raid")).text


async def test_more_than_triggers_and_steps_is_said_in_words_that_make_it_again(room: Room) -> None:
    text = 'workflow "hi"\nwhen someone follows\npolicy {"mode": "single"}\n\n1. say "a · b"\n2. wait 5 seconds (on cancel go to step "say")'
    said = await room.say(f"!wf import {text}")
    assert said.kind == "done", said.text
    assert "\n" not in said.text
    canonical = said.canonical
    assert canonical is not None
    before = room.conversation.catalogue.get("hi")
    await room.say("!wf delete hi")
    await room.say("yes")
    again = await room.say(f"!wf {canonical}")
    assert again.canonical == canonical
    after = room.conversation.catalogue.get("hi")
    assert before is not None
    assert after is not None
    assert after.definition == before.definition


async def test_no_failure_escapes(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.config = BrokenSettings()
    said = await room.say("!wf list")
    assert said.kind == "refusal"
    assert "nobody foresaw" not in said.text
    assert "nobody foresaw" in caplog.text


_PARTS = st.sampled_from(
    [*['create', 'in', 'raid', 'add', 'wait', '5', 'seconds', 'say', '"hi"', 'remove', 'step', '2', 'the', '1', '${user}', 'undo', 'redo', 'show', 'list', 'status', 'why', 'delete', 'run'],
     *["stop", "everything", "rename", "to", "hi", "history", "diff", "since", "v1", "export", "as", "json", "import", "{", "}", "help", "yes", "no", "when", "someone", "follows"],
     "-> ;", " · ", "\n", '"', "!wf", "99", "it", "enable", "disable", "cancel", "pause", "\\", "é🎉", "[x]", "(", ")"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_PARTS, max_size=9).map(" ".join), max_size=12))
async def test_whatever_is_said_is_answered_in_words_that_fit(said: list[str]) -> None:
    room = await Room().open()
    await made(room)
    for text in said:
        answer = await room.say(f"!wf {text}")
        assert answer.replies, text
        for reply in answer.replies:
            assert 0 < len(reply.text) <= 500, text
            assert not reply.text.startswith(("!", "/")), text
            assert "went wrong inside me" not in reply.text, text
            whole = reply.canonical is None or reply.kind != "done" or len(reply.canonical) >= 300
            assert whole or reply.canonical in reply.text, (text, reply)  # type: ignore[operator]
    await room.close()


async def test_a_value_after_a_look_is_no_second_thought_about_itself(room: Room) -> None:
    await made(room)
    await room.say("!wf list")
    assert "went wrong" not in (await room.say("!wf 2")).text
    assert "went wrong" not in (await room.say("!wf make it 20")).text


# Sharing -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("platform", ["twitch", "discord"])
async def test_what_is_exported_can_be_imported(room: Room, form: str, platform: Any) -> None:
    await made(room)
    exported = (await room.say(f"!wf export raid as {form}", platform=platform)).joined
    before = room.conversation.catalogue.get("raid")
    await room.say("!wf delete raid")
    await room.say("yes")
    said = await room.say(f"!wf import {exported}", platform=platform)
    assert said.kind == "done", said.text
    after = room.conversation.catalogue.get("raid")
    assert before is not None
    assert after is not None
    assert after.definition == before.definition


async def test_json_with_comments_is_imported_over_a_workflow_after_a_yes(room: Room) -> None:
    await made(room)
    definition = room.conversation.catalogue.get("raid")
    assert definition is not None
    source = write_json(definition.definition).replace('"seconds": 10', '"seconds": 20 // longer')
    assert (await room.say(f"!wf import {source}")).kind == "question"
    said = await room.say("yes")
    assert said.kind == "done", said.text
    assert "wait 20 seconds" in said.text


async def test_however_much_there_is_to_say_the_way_back_is_said(room: Room) -> None:
    steps = ", then ".join(f'say "{number} ${{missing_{number}}} {"la " * 30}"' for number in range(1, 9))
    said = await room.say(f"!wf create song when someone types !song {steps}")
    assert said.text.endswith("Undo: !workflow undo")
    assert [reply.canonical is not None for reply in said.replies] == [True, False]


LOG = '{"id": "%s", "name": "%s", "initial_state": "a", "states": [{"name": "a", "action": {"service": "%s", "method": "%s", "params": {}}}]}'


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (LOG % ("undo", "Undo", "obs", "start_recording"), "instruction by itself"),
        (LOG % ("42", "W", "obs", "start_recording"), "number"),
        (LOG % ("w", "RAID", "obs", "start_recording"), "raid already"),
        (LOG % ("w", "W", "obs", "explode"), "explode"),
        (LOG % ("w", "W", "obs", "stop_streaming"), "broadcaster"),
        ('{"id": "w", "states": [', "JSON"),
        ('workflow "w"\n1. frobnicate the gizmo', "frobnicate"),
    ],
)
async def test_what_must_not_be_imported_is_refused_and_nothing_is(room: Room, source: str, says: str) -> None:
    await made(room)
    said = await room.say(f"!wf import {source}")
    assert [reply.kind for reply in said.replies] == ["refusal"]
    assert says in said.text
    assert [entry.id for entry in room.conversation.catalogue.there()] == ["raid"]


async def test_importing_over_a_workflow_asks(room: Room) -> None:
    await made(room)
    exported = (await room.say("!wf export raid as json")).joined
    await room.say("!wf in raid make the wait half a minute")
    assert (await room.say(f"!wf import {exported}")).kind == "question"
    assert (await room.say("yes")).kind == "done"
    assert "wait 10 seconds" in (await room.say("!wf show raid")).text


async def test_every_example_of_the_help_is_understood(room: Room) -> None:
    await made(room)
    topics = ["create", "edit", "waits", "triggers", "run", "undo", "show", "names", "files"]
    for topic in ["", *topics]:
        text = (await room.say(f"!wf help {topic}".strip(), platform="discord", channel="mods")).text
        examples = [line.removeprefix("!wf ") for line in text.splitlines() if line.startswith("!wf ")]
        assert examples, topic
        for example in examples:
            other = await Room().open()
            await made(other)
            said = await other.say(f"!wf {example}")
            understood = said.kind in ("done", "answer", "question") or said.text == "There is nothing to redo."
            assert understood, f"{example}: {said.text}"
            await other.close()


async def test_a_save_that_closes_a_circle_says_so_once(room: Room) -> None:
    one = '{"id":"%s","name":"%s","initial_state":"a","triggers":["%s"],"states":[{"name":"a","action":{"kind":"emit","event":"%s"}}]}'
    assert "each other" not in (await room.say("!wf import " + one % ("ping", "ping", "pong.sent", "ping.sent"))).text
    closed = (await room.say("!wf import " + one % ("pong", "pong", "ping.sent", "pong.sent"))).text
    assert "they start each other again and again" in closed
    assert "each other" not in (await room.say("!wf in pong description x")).text
    mended = closed.partition("say: ")[2].partition("}}")[0] + "}}"
    assert (await room.say(f"!wf {mended}")).kind == "done"
    await room.say("!wf disable pong")
    assert "each other" not in (await room.say("!wf enable pong")).text


async def test_what_is_refused_is_not_suggested_to_be_edited(room: Room) -> None:
    refused = await room.say(
        '!wf import {"id":"w","name":"w","initial_state":"a","states":[{"name":"a","action":{"kind":"collect","event":"raid"}}]}'
    )
    assert refused.kind == "refusal"
    assert "it would take: change step 1 to do" in refused.text
    assert "say: " not in refused.text
