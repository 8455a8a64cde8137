"""How many chat messages a second are held against 1,000 enabled triggers, on one core, when none of them is meant.

    uv run python tests/benchmarks/matching.py [--seconds 5]

800 of the triggers listen to chat: 300 for a command, 300 for a word or phrase (every fifth by a pattern), 100 for how a
message begins, 100 for roles, counters and other values, some of them in forms that no index can use. The other 200 listen
for anything else. Messages are drawn once, with a fixed seed, out of the same words that the phrases are made of, by
people with and without roles; those that a trigger would take are left out by evaluating every guard by itself. A message
is counted when it has gone the way the runner takes it: surroundings, scope, match. Time is that of the process, which is
what one core needs, whatever else the machine does. The last line is one JSON object.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.context import Context, event_scope
from engine.errors import EvaluationError
from engine.evaluate import compile_guard
from engine.events import TYPES, Event
from engine.model import Definition
from engine.people import person_in
from engine.triggers import TriggerIndex

SEED: Final = 20_261
MESSAGES: Final = 2_000
ROUND: Final = 500
COUNTERS: Final = (
    *("deaths", "wins", "losses", "jumps", "hugs", "pats", "falls", "bosses", "saves", "memes", "puns", "crashes"),
    *(f"count_{number}" for number in range(13)),
)
COMMON: Final = """
    the a and to of you it is that this was for on are with they be have at one not but what all were when we can said
    there use how she which do their time if will way about many then them write would like so these her long make see
    him two has look more day could go come did number sound no most people my over know water than call first who may
    down side been now find stream chat game play run boss level win lose death jump good bad nice great night morning
    hello hi hey welcome back thanks love raid follow sub clip song music volume scene cam mic lag delay bot mod vip
    hype pog gg wp lol lmao kekw sad happy cute cat dog food pizza coffee tea sleep work school test build code bug
""".split()  # noqa: SIM905  a text is easier to read
CONTEXT: Final = Context(
    config={"chat": {"greeting": "hello"}},
    data={name: place % 4 for place, name in enumerate(COUNTERS)},
    stream={"live": True, "viewers": 41, "title": "any%", "category": "Celeste"},
)


def definitions() -> list[Definition]:
    """1,000 workflows with one trigger each, in mixed order."""
    chance = random.Random(SEED)
    triggers = [*_commands(), *_phrases(chance), *_beginnings(chance), *_others(chance), *_elsewhere()]
    assert len(triggers) == 1_000
    chance.shuffle(triggers)
    return [_workflow(f"w{number}", trigger) for number, trigger in enumerate(triggers)]


def _workflow(name: str, trigger: dict[str, Any]) -> Definition:
    say = {"service": "chat", "method": "say", "params": {"message": "hi"}}
    states = [{"name": "say", "action": say, "transitions": {}}]
    return Definition.model_validate(
        {"id": name, "name": name, "initial_state": "say", "states": states, "triggers": [trigger]}
    )


def _on_chat(guards: Iterator[str]) -> list[dict[str, Any]]:
    return [{"on": "message.received", "when": guard} for guard in guards]


def _commands() -> list[dict[str, Any]]:
    return _on_chat(f'command == "!{word}{number}"' for number, word in zip(range(300), COMMON * 3, strict=False))


def _words(chance: random.Random, least: int, most: int) -> list[str]:
    return [chance.choice(COMMON) for _ in range(chance.randint(least, most))]


def _phrases(chance: random.Random) -> list[dict[str, Any]]:
    """Phrases of common words, single words nobody says by chance, and patterns of either."""

    def guards() -> Iterator[str]:
        for number in range(300):
            phrase = " ".join(_words(chance, 2, 4)) if number % 3 else f"{chance.choice(COMMON)}{chance.choice(COMMON)}"
            if number % 5:
                yield f'message contains "{phrase}"'
            else:
                yield f'message matches "\\\\b{phrase.replace(" ", " +")}s?\\\\b"'

    return _on_chat(guards())


def _beginnings(chance: random.Random) -> list[dict[str, Any]]:
    return _on_chat(f'message starts with "{" ".join(_words(chance, 2, 3))}"' for _ in range(100))


def _others(chance: random.Random) -> list[dict[str, Any]]:
    """Roles and counters, alone and together; the last ten say it in a way that has to be worked out every time."""

    def guards() -> Iterator[str]:
        for number in range(90):
            counter, most = COUNTERS[number % len(COUNTERS)], 5 + chance.randint(0, 200)
            role = ("vip", "moderator", "subscriber")[number % 3]
            yield (
                f"data.{counter} > {most}",
                f'user.roles contains "{role}" and data.{counter} >= {most}',
                f'words > {30 + number} and user.roles contains "{role}"',
                f'data.{counter} between {most} and {most + 10} or user.roles contains "artist_{number}"',
                f'stream.viewers > {100 + number} and message contains "{chance.choice(COMMON)}"',
                f'user is one of ("viewer_{10_000 + number}", "viewer_{20_000 + number}")',
            )[number % 6]
        for number in range(10):
            one, other = COUNTERS[number], COUNTERS[-number - 1]
            yield (
                f"data.{one} + data.{other} > {100 + number}",
                f'not user.roles contains "everyone" and data.{one} > 1',
            )[number % 2]

    return _on_chat(guards())


def _elsewhere() -> list[dict[str, Any]]:
    """Triggers of every other event; those of Discord's messages listen for words, too."""
    names = [kind.name for kind in TYPES if kind.name != "message.received"]
    return [
        {"on": name, "when": f'message contains "{COMMON[number % len(COMMON)]}"'}
        if "message" in name
        else {"on": name}
        for number, name in zip(range(200), names * 20, strict=False)
    ]


def messages(written: Sequence[Definition]) -> list[Event]:
    """Chat lines of the triggers' own words that no trigger takes."""
    chance = random.Random(SEED + 1)
    guards = [
        compile_guard(trigger.when)
        for definition in written
        for trigger in definition.triggers
        if trigger.on == "message.received" and trigger.when is not None
    ]
    found: list[Event] = []
    while len(found) < MESSAGES:
        event = _message(chance, len(found))
        scope = event_scope(event, CONTEXT, caller=person_in(event.payload["user"]))
        if not any(_holds(guard, scope) for guard in guards):
            found.append(event)
    return found


def _holds(guard: Any, scope: Any) -> bool:
    try:
        return bool(guard(scope))
    except EvaluationError:
        return False


def _message(chance: random.Random, number: int) -> Event:
    words = _words(chance, 2, 16)
    if chance.random() < 0.3:
        words[0] = words[0].capitalize()
    if chance.random() < 0.2:
        words.append(chance.choice(("PogChamp", "🎉🎉", "höllisch", "LUL", "?!")))
    command = None
    if chance.random() < 0.1:  # commands of other bots
        words.insert(0, f"!{chance.choice(COMMON)}")
        command = words[0]
    text = " ".join(words)
    held = [
        role for role, share in (("subscriber", 0.25), ("vip", 0.05), ("moderator", 0.05)) if chance.random() < share
    ]
    payload = {
        "user": {"name": f"viewer_{chance.randint(1, 5_000)}", "roles": ["everyone", *held]},
        "message": text,
        "command": command,
        "arguments": " ".join(words[1:]) if command else text,
        "words": len(words),
        "message_id": f"id-{number}",
    }
    return Event(f"e{number}", "message.received", 1_800_000_000.0 + number, "home", payload)


@cache
def _laid_out() -> tuple[TriggerIndex, list[list[Event]]]:
    """The index and the messages in rounds, each heard once; drawing them takes longer than any measure of them."""
    written = definitions()
    index = TriggerIndex()
    for definition in written:
        index.put(definition.id, definition)
    said = messages(written)
    rounds = [said[at : at + ROUND] for at in range(0, len(said), ROUND)]
    for part in rounds:
        _hear(index, part)
    return index, rounds


def match_rate(seconds: float = 3.0) -> float:
    """Messages a second, of the median round, within a time."""
    index, rounds = _laid_out()
    rates: list[float] = []
    ends = time.process_time() + seconds
    while not rates or time.process_time() < ends:
        part = rounds[len(rates) % len(rounds)]
        begun = time.process_time()
        _hear(index, part)
        rates.append(len(part) / (time.process_time() - begun))
    return sorted(rates)[len(rates) // 2]


def _hear(index: TriggerIndex, part: Sequence[Event]) -> None:
    for event in part:
        context = Context(CONTEXT.config, CONTEXT.data, CONTEXT.stream, CONTEXT.zone, (0.25, 0.75))
        scope = event_scope(event, context, caller=person_in(event.payload.get("user")))
        matches = index.match(event, scope)
        assert not matches.held


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    rate = match_rate(parser.parse_args().seconds)
    print(f"{rate:,.0f} messages/s, {1e6 / rate:.1f} µs each")
    print(json.dumps({"match_per_s": round(rate)}))


if __name__ == "__main__":
    main()
