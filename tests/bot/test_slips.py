"""Nothing runs, stops or goes because of a slip: every instruction that does, with every single slip in it, asks first."""

from collections.abc import Iterator

import pytest

from grammar.instruction import Control, Delete, Extend, RetryRun, RunWorkflow, Skip, Understood
from grammar.workspace import WorkflowView, Workspace
from tests.fakes_room import LANGUAGE, Room

DEEDS = Control | Delete | Extend | RetryRun | RunWorkflow | Skip
MADE = 'create raid when someone raids say "hi", wait 5 minutes, say "bye"'
SENTENCES = (
    "run raid", "start raid", "stop raid", "cancel raid", "pause raid", "resume raid", "delete workflow raid",
    "stop everything", "cancel everything", "pause everything", "skip the wait in raid", "retry raid", "run raid in 5 minutes",
    "extend the running wait of raid by 30 seconds", "delete raid",
)  # fmt: skip
ADDED = ("not", "dont", "never", "almost", "maybe", "xyz", "later")


def slips(sentence: str) -> Iterator[str]:
    """The sentence with a letter left out, doubled or swapped, a word left out, and a word put in."""
    for place, letter in enumerate(sentence):
        if letter.isalpha():
            yield f"{sentence[:place]}{sentence[place + 1 :]}"
            yield f"{sentence[:place]}{letter}{sentence[place:]}"
            if sentence[place + 1 : place + 2].isalpha():
                yield f"{sentence[:place]}{sentence[place + 1]}{letter}{sentence[place + 2 :]}"
    words = sentence.split()
    for place in range(len(words) + 1):
        if place < len(words) and len(words) > 1:
            yield " ".join([*words[:place], *words[place + 1 :]])
        for added in ADDED:
            yield " ".join([*words[:place], added, *words[place:]])


@pytest.fixture
def workspace() -> Workspace:
    made = LANGUAGE.understand(MADE, Workspace())
    assert isinstance(made, Understood)
    definition = made.instruction.definition  # type: ignore[union-attr]
    return Workspace({definition.id: WorkflowView(definition, running=True)}, definition.id)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("sentence", SENTENCES)
async def test_a_deed_reached_by_a_slip_is_asked_about(sentence: str, workspace: Workspace) -> None:
    slipped = [each for each in dict.fromkeys(slips(sentence)) if _is_deed_by_correction(each, workspace)]
    room = await Room().open()
    assert (await room.say(f"!wf {MADE}")).kind == "done"
    await room.happens("raid.received", viewers=5)
    room.did()
    for typed in slipped:
        said = await room.say(f"!wf {typed}")
        assert said.kind in ("question", "answer", "refusal"), f"{typed}: {said.text}"
        assert room.did() == [], typed
        await room.say("no")
    assert (await room.say("!wf status")).text.startswith("raid: step 2 of 3"), "it still stands where it stood"
    await room.close()


def _is_deed_by_correction(sentence: str, workspace: Workspace) -> bool:
    answer = LANGUAGE.understand(sentence, workspace, teaching=False)
    return isinstance(answer, Understood) and bool(answer.corrections) and isinstance(answer.instruction, DEEDS)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_word_put_in_makes_no_deed_unasked(sentence: str, workspace: Workspace) -> None:
    """A word the language skips as a filler must be one; `do not run raid` never runs it."""
    words = sentence.split()
    for place in range(len(words) + 1):
        for added in ("not", "dont", "never", "almost"):
            typed = " ".join([*words[:place], added, *words[place:]])
            answer = LANGUAGE.understand(typed, workspace, teaching=False)
            if isinstance(answer, Understood) and not answer.corrections:
                assert not isinstance(answer.instruction, DEEDS), typed
