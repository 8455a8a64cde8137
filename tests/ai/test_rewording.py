"""What is not understood may be guessed: nothing comes of a guess but a question, and of that only what its asker may do."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.ai.rewording import SENTENCES, ModelRewriter
from bot.config import Settings
from bot.rewording import Unread
from bot.services.declared import DECLARATIONS
from grammar.instruction import Create, Understood
from grammar.workspace import WorkflowView, Workspace
from tests.ai.asks import asker, settings
from tests.fakes_room import LANGUAGE, Room
from tests.servers.models import ModelServer, fails, says

HYPE = 'create hype: when someone cheers: say "wow" then play "airhorn"'
GIBBERISH = "frobnicate the quux"


class Guesser:
    """Guesses what it was told to, as soon as it may."""

    def __init__(self) -> None:
        self.is_on = True
        self.says: Sequence[str] | Exception = ()
        self.asked: list[Unread] = []
        self.begun = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def guesses(self, unread: Unread) -> Sequence[str]:
        self.asked.append(unread)
        self.begun.set()
        await self.may.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def guesser() -> Guesser:
    return Guesser()


@pytest.fixture
async def room(guesser: Guesser) -> AsyncIterator[Room]:
    room = await Room(rewriter=guesser).open()
    assert (await room.say(f"!wf {HYPE}")).kind == "done"
    yield room
    await room.close()


async def test_a_guess_is_shown_in_canonical_words_and_done_after_a_yes(room: Room, guesser: Guesser) -> None:
    guesser.says = ["in hype make step 1 say bye"]
    said = await room.say(f"!wf {GIBBERISH}")
    assert said.kind == "question"
    assert 'A model reads that as: hype v2: step 1 say "wow" -> say "bye". Is that what you mean?' in said.text
    assert "bye" not in (await room.say("!wf show hype")).text
    await room.say(f"!wf {GIBBERISH}")
    assert (await room.say("yes")).kind == "done"
    assert 'say "bye"' in (await room.say("!wf show hype")).text


async def test_whoever_guesses_is_told_what_was_typed_and_what_there_is_but_no_setting(
    room: Room, guesser: Guesser
) -> None:
    room.config["weather"] = {"key": "sesame-open-42"}
    told = (await room.say(f"!wf {GIBBERISH}")).text
    [unread] = guesser.asked
    assert (unread.text, unread.workflows) == (GIBBERISH, ("hype",))
    assert unread.refusal in told
    assert 'say "wow"' in unread.focus
    assert "sesame" not in repr(unread)


@pytest.mark.parametrize(
    "guess",
    [
        "yes",
        "no",
        "import {}",
        "I think you mean: delete hype",
        "frobnicate",
        "",
        "!",
        "x" * 2_000,
        "delte hype",
        "/ban bob",
    ],
)
async def test_what_means_nothing_or_answers_for_the_asker_is_told_as_not_understood(
    room: Room, guesser: Guesser, guess: str
) -> None:
    guesser.is_on = False
    usual = await room.say(f"!wf {GIBBERISH}")
    guesser.is_on = True
    guesser.says = [guess]
    said = await room.say(f"!wf {GIBBERISH}")
    assert guesser.asked
    assert [(reply.kind, reply.text) for reply in said.replies] == [(reply.kind, reply.text) for reply in usual.replies]
    assert (await room.say("yes")).chat


async def test_one_who_breaks_costs_nobody_an_answer(room: Room, guesser: Guesser) -> None:
    guesser.says = RuntimeError("sesame-open-42")
    said = await room.say(f"!wf {GIBBERISH}")
    assert said.kind == "refusal"
    assert "sesame" not in said.text


@pytest.mark.parametrize(
    "typed", ["show hype", "delete hype", "add a wait", "x " * 300, "in hype make step 1 say bye", "yes", "help"]
)
async def test_nobody_guesses_what_is_understood_asked_or_endless(room: Room, guesser: Guesser, typed: str) -> None:
    await room.say(f"!wf {typed}")
    assert not guesser.asked


async def test_nobody_guesses_for_viewers(room: Room, guesser: Guesser) -> None:
    await room.say("!wf let vips edit hype")
    await room.say(f"!wf {GIBBERISH}", who="vip", roles=("vip",))
    await room.say(f"!wf {GIBBERISH}", who="vera", roles=())
    assert not guesser.asked


async def test_others_are_answered_while_somebody_guesses(room: Room, guesser: Guesser) -> None:
    guesser.may.clear()
    guesser.says = ["delete workflow hype"]
    waiting = asyncio.create_task(room.say(f"!wf {GIBBERISH}"))
    await guesser.begun.wait()
    assert (await room.say("!wf show hype", who="ann")).kind == "answer"
    guesser.may.set()
    assert (await waiting).kind == "question"


async def test_a_guess_that_comes_late_takes_no_other_questions_place(room: Room, guesser: Guesser) -> None:
    guesser.may.clear()
    guesser.says = ["delete workflow hype"]
    waiting = asyncio.create_task(room.say(f"!wf {GIBBERISH}"))
    await guesser.begun.wait()
    assert (await room.say("!wf add a wait")).kind == "question"
    guesser.may.set()
    assert (await waiting).kind == "refusal"
    assert "wait 5 seconds" in (await room.say("5 seconds")).text


async def test_a_yes_to_what_has_changed_meanwhile_does_nothing(room: Room, guesser: Guesser) -> None:
    guesser.says = ["in hype: remove step 2"]
    await room.say(f"!wf {GIBBERISH}")
    await room.say('!wf in hype: add after step 1 say "more"', who="ann")
    assert (await room.say("yes")).kind == "refusal"
    assert "airhorn" in (await room.say("!wf show hype")).text


# A model that guesses ------------------------------------------------------------------------------------------------------

UNREAD = Unread(GIBBERISH, "I do not know frobnicate.", ("hype",), 'workflow hype\n1. say "wow"')


def rewriter(set_up: Settings) -> ModelRewriter:
    return ModelRewriter(asker(set_up), lambda: True, DECLARATIONS)


async def test_a_model_is_told_the_forms_and_answers_in_lines(server: ModelServer) -> None:
    server.answer = says("  delete workflow hype\n\nrun hype\nNONE\nshow hype\nlist workflows")
    assert await rewriter(settings(server)).guesses(UNREAD) == ["delete workflow hype", "run hype", "show hype"]
    system, user = (message["content"] for message in server.came[0][2]["messages"])
    assert GIBBERISH not in system
    assert user.endswith(f"TYPED: {GIBBERISH}")
    for told in ("say {message}", "when a raid comes in", "in hype: remove step 2", "WORKFLOWS: hype", 'say "wow"'):
        assert told in user


async def test_a_model_that_knows_nothing_or_fails_guesses_nothing(server: ModelServer) -> None:
    for answer in (says("NONE"), says("none."), says(" \n "), fails(500)):
        server.answer = answer
        assert not await rewriter(settings(server)).guesses(UNREAD)
    assert not await rewriter(Settings()).guesses(UNREAD)


async def test_a_guess_is_paid_from_the_days_budget(server: ModelServer) -> None:
    server.answer = says("run hype")
    one = rewriter(settings(server, requests_a_day=1))
    assert await one.guesses(UNREAD)
    assert not await one.guesses(UNREAD)
    assert len(server.came) == 1


def test_every_form_a_model_is_shown_is_understood_as_it_stands() -> None:
    made = LANGUAGE.understand(SENTENCES[0], Workspace({}, None))
    assert isinstance(made, Understood)
    assert isinstance(made.instruction, Create)
    there = Workspace({"hype": WorkflowView(made.instruction.definition, 1, True, True)}, None)
    for sentence in SENTENCES[1:]:
        understood = LANGUAGE.understand(sentence, there)
        assert isinstance(understood, Understood), (sentence, understood)
        assert not understood.corrections
        assert not understood.notes
