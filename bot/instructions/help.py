"""What can be said, with examples that work: they are about the asker's own workflows where there are any."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bot.instructions.turn import Outcome, Turn
from bot.replies import Saying, titled
from grammar.instruction import Help


@dataclass(frozen=True, slots=True)
class _Own:
    """What examples are about."""

    workflow: str
    last: int


@dataclass(frozen=True, slots=True)
class _Topic:
    names: tuple[str, ...]
    about: str
    examples: Callable[[_Own], tuple[str, ...]]


_TOPICS: Final = (
    _Topic(
        ("create", "new", "make", "creating", "workflows", "workflow"),
        "A workflow begins with what starts it, or with a name",
        lambda own: (
            'when someone raids, say "welcome ${user}!", wait 10 seconds, then shout them out',
            'create lurk when someone types !lurk say "${user} is lurking"',
        ),
    ),
    _Topic(
        ("edit", "change", "steps", "step", "add", "remove", "move", "editing", "insert"),
        "Steps are named by number, kind or content",
        lambda own: (
            f'in {own.workflow} add say "thank you" at the end',
            f"in {own.workflow} add wait 5 seconds before step {own.last}",
            f'in {own.workflow} replace step {own.last} with say "bye"',
            f"in {own.workflow} remove step {own.last}",
        ),
    ),
    _Topic(
        ("waits", "wait", "durations", "time", "delay"),
        "A wait goes on through restarts",
        lambda own: (f"in {own.workflow} add wait 5 minutes", "status"),
    ),
    _Topic(
        ("triggers", "trigger", "when", "events", "event", "start"),
        "Raids, follows, subs, gifts, cheers, rewards, chat commands, the stream's start and end can start a workflow",
        lambda own: (
            f"in {own.workflow} also when someone follows",
            'create clap when someone redeems "Hydrate" say "cheers!"',
            'create big when a raid of more than 50 viewers comes in say "wow"',
        ),
    ),
    _Topic(
        ("rules", "cooldown", "cooldowns", "limits", "policy", "permissions", "rights", "modes"),
        "What holds for a whole workflow: how often, when, for whom",
        lambda own: (
            f"in {own.workflow} cooldown 30 seconds per user",
            f"in {own.workflow} only while live",
            f"let vips run {own.workflow}",
            f"in {own.workflow} mods skip the cooldown",
            f"in {own.workflow} one at a time",
        ),
    ),
    _Topic(
        ("conditions", "condition", "only if", "guards", "guard"),
        "A start can be held to conditions and days",
        lambda own: (
            f"in {own.workflow} only if they are not a bot",
            f"in {own.workflow} not on sundays",
            'create big when a raid of more than 50 viewers comes in say "wow"',
        ),
    ),
    _Topic(
        ("templates", "template", "copy", "copies"),
        "Workflows to begin with come with me; any one can be copied",
        lambda own: ("templates", "create from template giveaway", f'copy {own.workflow} as "another"'),
    ),
    _Topic(
        ("placeholders", "variables", "variable", "messages", "message"),
        "A message may name what the start brings, what is given and what is there",
        lambda own: (
            f"placeholders of {own.workflow}",
            f"{own.workflow} needs a target",
            f"run {own.workflow} with target=ninja",
        ),
    ),
    _Topic(
        ("run", "stop", "cancel", "pause", "resume", "control", "running", "status"),
        "Stop ends at once, cancel lets it clean up",
        lambda own: (
            f"run {own.workflow}",
            f"run {own.workflow} in 20 minutes",
            "status",
            f"pause {own.workflow}",
            f"cancel {own.workflow}",
        ),
    ),
    _Topic(
        ("skip", "extend", "retry", "later", "schedule", "scheduled", "queue", "runs"),
        "What runs can be hurried, held up and tried again; the workflow stays as it is written",
        lambda own: (
            f"skip the wait in {own.workflow}",
            f"extend the running wait of {own.workflow} by 30 seconds",
            f"retry {own.workflow}",
            f"run {own.workflow} at 19:00",
            "what is scheduled today",
            f"list runs of {own.workflow}",
        ),
    ),
    _Topic(
        ("test", "tests", "trying", "backtest", "simulate", "dry run"),
        "Ask what would happen; nothing is done",
        lambda own: (
            f"test {own.workflow}",
            f"test {own.workflow} when someone follows with user=ann",
            f"test {own.workflow} if step {own.last} fails",
            f"backtest {own.workflow}",
        ),
    ),
    _Topic(
        ("undo", "redo", "history", "diff", "versions", "version"),
        "Every change is a version and can be taken back",
        lambda own: (
            "undo",
            "redo",
            f"history {own.workflow}",
            f"diff {own.workflow}",
            f"restore {own.workflow} to v1",
        ),
    ),
    _Topic(
        ("show", "list", "why", "look", "questions", "ask"),
        "Ask what there is and why something happened",
        lambda own: ("list", f"show {own.workflow}", f"why {own.workflow}", "status"),
    ),
    _Topic(
        ("names", "rename", "delete", "enable", "disable", "switch"),
        "Deleting asks first and can be undone",
        lambda own: (f"rename {own.workflow} to greeting", f"disable {own.workflow}", f"delete {own.workflow}"),
    ),
    _Topic(
        ("files", "export", "import", "share", "sharing"),
        "A workflow can be printed and read in again",
        lambda own: (f"export {own.workflow} as text", f"export {own.workflow} as json"),
    ),
)


async def help_(turn: Turn, instruction: Help) -> Outcome:
    """What can be said, in general or on a topic."""
    own = _own(turn)
    if instruction.topic is None:
        return turn.tell("answer", _overview(own))
    topic = _find(instruction.topic)
    if topic is None:
        topics = ", ".join(each.names[0] for each in _TOPICS)
        return turn.tell("answer", Saying(f"I have no help on “{instruction.topic[:40]}”, but on: {topics}."))
    lines = "\n".join(f"!wf {example}" for example in topic.examples(own))
    return turn.tell("answer", Saying(f"{topic.about}:\n", lines))


def _overview(own: _Own) -> Saying:
    topics = ", ".join(topic.names[0] for topic in _TOPICS)
    return Saying(
        "Say what should happen, for example:\n",
        '!wf when someone follows, say "hi ${user}", wait 5 seconds, then play "airhorn"\n'
        f"!wf in {own.workflow} remove step {own.last}\n"
        f"!wf show {own.workflow}\n"
        "!wf undo\n",
        f"More: !wf help TOPIC, on {topics}.",
    )


def _own(turn: Turn) -> _Own:
    """The workflow in focus, or any; a made-up one where there is none."""
    catalogue = turn.desk.catalogue
    entries = catalogue.there()
    focused = catalogue.get(turn.focus) if turn.focus is not None else None
    entry = focused or (entries[0] if entries else None)
    return _Own("raid", 2) if entry is None else _Own(titled(entry.record.name), len(entry.definition.states))


def _find(topic: str) -> _Topic | None:
    by_name = {name: each for each in _TOPICS for name in each.names}
    word = topic.casefold().strip()
    close = get_close_matches(word, by_name, n=1, cutoff=0.75)
    return by_name.get(word) or (by_name[close[0]] if close else None)
