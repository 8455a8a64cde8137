"""What can be said, with examples that work: they are about the asker's own workflows where there are any.

Each example is tried by the language before it is shown, so help never teaches what does not work here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from bot.instructions.topics import LISTED, TOPICS, Topic
from bot.instructions.turn import Outcome, Turn
from bot.replies import Saying, sentence, titled
from grammar.instruction import Help, Understood
from grammar.workspace import WorkflowView, Workspace

_MOST: Final = 4
_MADE_UP: Final = 'create raid when someone raids say "welcome ${user}", wait 10 seconds, shout them out'
_FILLERS: Final = frozenset(
    {
        "with",
        "on",
        "about",
        "for",
        "the",
        "a",
        "an",
        "me",
        "using",
        "how",
        "to",
        "do",
        "i",
        "set",
        "make",
        "it",
        "my",
        "up",
        "please",
    }
    | {"of", "in", "and", "does", "work", "can", "use", "is", "are", "what", "there", "some"}
)


@dataclass(frozen=True, slots=True)
class _Own:
    """What examples are about, and where they are tried."""

    workflow: str
    last: int
    workspace: Workspace


async def help_(turn: Turn, instruction: Help) -> Outcome:
    """What can be said, in general or on a topic."""
    own = _own(turn)
    topic = None if instruction.topic is None else _find(instruction.topic)
    if instruction.topic is None or (topic is None and not _counting(instruction.topic)):
        return turn.tell("answer", _overview(own))
    if topic is None:
        return turn.tell(
            "answer", Saying(f"I have no help on “{instruction.topic[:40]}”, but on: {', '.join(LISTED)}.")
        )
    lines = "\n".join(f"!wf {example}" for example in _working(turn, topic, own))
    return turn.tell("answer", Saying(f"{topic.about}:\n", lines) if lines else Saying(sentence(topic.about)))


def _overview(own: _Own) -> Saying:
    return Saying(
        "Say what should happen, for example:\n",
        '!wf when someone follows, say "hi ${user}"\n'
        f"!wf in {own.workflow} add wait 5 seconds\n"
        f"!wf show {own.workflow}\n"
        "!wf undo\n",
        f"More: !wf help TOPIC, on {', '.join(LISTED)}.",
    )


def _own(turn: Turn) -> _Own:
    """The workflow in focus, or any; a made-up one where there is none."""
    catalogue = turn.desk.catalogue
    entries = catalogue.there()
    focused = catalogue.get(turn.focus) if turn.focus is not None else None
    entry = focused or (entries[0] if entries else None)
    if entry is not None:
        return _Own(titled(entry.record.name), len(entry.definition.states), replace(turn.workspace, focus=entry.id))
    made_up = turn.desk.language.understand(_MADE_UP, Workspace())
    assert isinstance(made_up, Understood), "the example that help is about can be said"  # noqa: S101
    definition = made_up.instruction.definition  # type: ignore[union-attr]
    views = {definition.id: WorkflowView(definition)}
    return _Own(titled(definition.name), len(definition.states), replace(turn.workspace, workflows=views))


def _working(turn: Turn, topic: Topic, own: _Own) -> Iterator[str]:
    """The first examples that are understood here."""
    shown = 0
    for example in topic.examples:
        said = example.replace("{last}", str(own.last)).replace("{}", own.workflow)
        understood = turn.desk.language.understand(said, own.workspace, teaching=False)
        if (
            isinstance(understood, Understood)
            and not understood.corrections
            and type(understood.instruction).__name__ != "NotYet"
        ):
            yield said
            shown += 1
        if shown == _MOST:
            return


def _find(topic: str) -> Topic | None:
    """The topic of that name, or one whose name is among the words or nearly so."""
    by_name = {name: each for each in TOPICS for name in each.names}
    words = _counting(topic)
    for whole in (" ".join(topic.casefold().strip(" ?!.").split()), " ".join(words)):
        if whole in by_name:
            return by_name[whole]
    # Everybody who asks how, asks how to make or change something: what else they say counts more.
    named = sorted((by_name[word] for word in words if word in by_name), key=lambda each: each in TOPICS[:2])
    if named:
        return named[0]
    for word in (" ".join(words), *words):
        if close := get_close_matches(word, by_name, n=1, cutoff=0.75):
            return by_name[close[0]]
    return None


def _counting(topic: str) -> list[str]:
    return [word for word in topic.casefold().strip(" ?!.").split() if word not in _FILLERS]
