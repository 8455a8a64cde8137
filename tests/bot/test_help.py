"""Help never teaches what does not work: every example is tried, and what is shown fits a chat message."""

from collections.abc import AsyncIterator

import pytest

from bot.instructions.topics import LISTED, TOPICS
from tests.fakes_room import Room

MADE = 'create raid: when someone raids say "welcome ${user}", wait 10 seconds, shout them out'


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = await Room().open()
    yield room
    await room.close()


async def test_help_itself_fits_one_message_with_and_without_workflows(room: Room) -> None:
    for _ in range(2):
        said = await room.say("!wf help")
        assert len(said.replies) == 1
        assert all(topic in said.text for topic in LISTED)
        await room.say(f"!wf {MADE}")


@pytest.mark.parametrize("topic", TOPICS, ids=[topic.names[0] for topic in TOPICS])
async def test_a_topic_has_examples_that_work_on_the_askers_own_workflow(room: Room, topic: object) -> None:
    await room.say(f"!wf {MADE}")
    names = topic.names  # type: ignore[attr-defined]
    said = await room.say(f"!wf help {names[0]}")
    assert said.kind == "answer"
    assert "!wf " in said.text, "at least one"
    assert len(said.replies) <= 2
    for name in names[1:]:
        assert (await room.say(f"!wf help {name}")).text == said.text, name


async def test_a_topic_is_found_in_a_question_and_in_spite_of_a_slip(room: Room) -> None:
    await room.say(f"!wf {MADE}")
    waits = (await room.say("!wf help waits")).text
    assert (await room.say("!wf how do i add a wait")).text == waits
    assert (await room.say("!wf help wiats")).text == waits
    assert "no help on" in (await room.say("!wf help quantum physics")).text


def test_every_name_of_a_topic_is_its_own() -> None:
    names = [name for topic in TOPICS for name in topic.names]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})
    assert set(LISTED) <= {topic.names[0] for topic in TOPICS}
