"""What is wrong with several workflows together, though each by itself may be sound.

They start each other in a circle, share a command, or say more at once than the chat takes. It reads definitions and
nothing else, so the same workflows give the same problems.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from engine.declare import Declarations
from engine.events import canonical, kind_of
from engine.execution import MAX_DEPTH
from engine.formulas import And, Compare, Formula, Literal, Variable
from engine.model import Definition, Run, Trigger, all_states
from engine.validate.echoes import Cause, causes, hears, is_paced
from engine.validate.lines import MANY, WINDOW, Lines, says
from engine.validate.problem import SAY, Problem, paced, places_of, quoted, say, without

CHAT_LIMIT: Final = 20
"""Chat lines in half a minute that Twitch takes of somebody who is no moderator."""
MODERATOR_LIMIT: Final = 100
"""Of a moderator."""
_A_FEW: Final = 4
"""So many messages in half a minute are nothing unusual."""
_SHOWN: Final = 4
_MESSAGES: Final = frozenset({"message.received", "discord.message.received"})


def check_together(
    workflows: Mapping[str, Definition], declarations: Declarations, chat_limit: int = CHAT_LIMIT
) -> tuple[Problem, ...]:
    """All problems that workflows have with each other.

    Args:
        workflows: Those that are switched on, by id.
        declarations: What services can do.
        chat_limit: How many lines in half a minute the bot may say in chat.
    """
    found = [*_circles(workflows, declarations), *_same_command(workflows), *_too_much(workflows, chat_limit)]
    return tuple(dict.fromkeys(found))


# Circles -------------------------------------------------------------------------------------------------------------------

Link: TypeAlias = tuple[str, str, Trigger | None]
"""The workflow that comes of it, how that is said, and the trigger that hears it; None if it is run."""


def _circles(workflows: Mapping[str, Definition], declarations: Declarations) -> Iterator[Problem]:
    listening: dict[str, list[tuple[str, Trigger]]] = {}
    for id, definition in workflows.items():
        for trigger in definition.triggers:
            if not is_paced(definition, trigger):
                listening.setdefault(canonical(trigger.on), []).append((id, trigger))
    links = _in_circles({id: tuple(_links(id, workflows, listening, declarations)) for id in workflows})
    told: set[str] = set()
    for id in links:
        if id in told:
            continue
        circle = _shortest(id, links)
        if circle is not None:
            told |= {each for each, _ in circle}
            yield _circle(circle, workflows)


def _links(
    id: str,
    workflows: Mapping[str, Definition],
    listening: Mapping[str, list[tuple[str, Trigger]]],
    declarations: Declarations,
) -> Iterator[Link]:
    """The other workflows that one starts, each by one way."""
    found: set[str] = {id}
    for state in all_states(workflows[id].states):
        if state.enabled and isinstance(state.action, Run) and state.action.workflow in workflows.keys() - found:
            found.add(state.action.workflow)
            yield state.action.workflow, "runs", None
    for cause in causes(workflows[id], declarations):
        for other, trigger in listening.get(cause.event, ()):
            if other not in found and hears(trigger, cause):
                found.add(other)
                yield other, _how(cause), trigger


def _in_circles(links: Mapping[str, tuple[Link, ...]]) -> dict[str, tuple[Link, ...]]:
    """Without those that nothing starts, and those that start nothing, as long as there are any."""
    kept = dict(links)
    while True:
        started = {to for ways in kept.values() for to, _, _ in ways}
        fewer = {
            id: tuple(link for link in ways if link[0] in kept) for id, ways in kept.items() if ways and id in started
        }
        if len(fewer) == len(kept):
            return fewer
        kept = fewer


def _how(cause: Cause) -> str:
    if cause.says:
        return "is heard by"
    return f'sends "{cause.event}" to' if kind_of(cause.event) is None else f'leads to "{cause.event}", which starts'


def _shortest(start: str, links: Mapping[str, tuple[Link, ...]]) -> list[tuple[str, Link]] | None:
    """The shortest way from a workflow back to itself."""
    ways: list[list[tuple[str, Link]]] = [[(start, link)] for link in links[start]]
    seen: set[str] = set()
    while ways:
        longer: list[list[tuple[str, Link]]] = []
        for way in ways:
            to = way[-1][1][0]
            if to == start:
                return way
            if to not in seen:
                seen.add(to)
                longer += [[*way, (to, link)] for link in links[to]]
        ways = longer
    return None


def _circle(circle: list[tuple[str, Link]], workflows: Mapping[str, Definition]) -> Problem:
    names = [workflows[id].name for id, _ in circle]
    steps = [f'"{workflows[id].name}" {how} "{workflows[to].name}"' for id, (to, how, _) in circle]
    shown = ", ".join(steps[:_SHOWN]) + (f" and {len(steps) - _SHOWN} more" if len(steps) > _SHOWN else "")
    heard = next((to for _, (to, _, trigger) in circle if trigger is not None), None)
    if heard is None:
        last, (to, _, _) = circle[-1]
        mend = _without_run(workflows[last], to)
    else:
        mend = say(f"in {quoted(workflows[heard].name)} {paced(workflows[heard].policy, 10)}")
    sentence = f"they start each other again and again: {shown}; after {MAX_DEPTH} times that is refused"
    return Problem(_listed(names[:_SHOWN]), "warning", sentence, mend)


def _without_run(definition: Definition, workflow: str) -> str | None:
    """The suggestion not to run another workflow any more."""
    places = places_of(definition)
    for state in definition.states:
        if isinstance(state.action, Run) and state.action.workflow == workflow:
            removal = without(definition, places, state.name, "")
            if removal:
                return say(f"in {quoted(definition.name)} {removal.removeprefix(SAY)}")
    return say(f"disable {quoted(definition.name)}")


# Commands ------------------------------------------------------------------------------------------------------------------


def _same_command(workflows: Mapping[str, Definition]) -> Iterator[Problem]:
    by_command: dict[tuple[str, str], dict[str, str]] = {}
    for id, definition in workflows.items():
        for trigger in definition.triggers:
            needed = _needed_text(trigger.when)
            if canonical(trigger.on) in _MESSAGES and needed is not None and needed[0] == "command":
                key = (canonical(trigger.on), needed[1].casefold())
                by_command.setdefault(key, {}).setdefault(id, needed[1])
    for (event, _), found in by_command.items():
        if len(found) > 1:
            names = [workflows[id].name for id in found]
            command = next(iter(found.values()))
            where = " in Discord" if event.startswith("discord") else ""
            sentence = f'all of them start when someone types "{command}"{where}'
            mend = say(f"disable {quoted(names[-1])}")
            yield Problem(_listed(names[:_SHOWN]), "warning", sentence.replace("all", "both", len(names) == 2), mend)


def _needed_text(guard: Formula | None) -> tuple[str, str] | None:
    """The field and text of `field == "text"`, if a guard cannot hold without it."""
    match guard:
        case Compare("==", Variable(path), Literal(str(text))) | Compare("==", Literal(str(text)), Variable(path)):
            return path, text
        case And(operands):
            return next((found for part in operands if (found := _needed_text(part)) is not None), None)
        case _:
            return None


# Too much at once ----------------------------------------------------------------------------------------------------------


def _too_much(workflows: Mapping[str, Definition], limit: int) -> Iterator[Problem]:
    """Events that make all workflows which hear them say more at once than the chat takes."""
    lines = Lines(workflows, _own_listeners(workflows))
    told: set[str] = set()
    for (event, text), heard in _heard(workflows).items():
        counts = {id: count for id in heard if (count := lines.of(id))}
        total = sum(counts.values())
        if event in told or not total:
            continue
        quick = {id: count for id, count in counts.items() if not _all_paced(workflows[id], heard[id])}
        if total > limit:
            told.add(event)
            yield _flood(event, text, counts, limit, workflows)
        elif event in _MESSAGES and sum(quick.values()) * _A_FEW > limit:
            told.add(event)
            yield _flood(event, text, quick, limit, workflows)


def _all_paced(definition: Definition, triggers: Iterable[Trigger]) -> bool:
    return all(is_paced(definition, trigger) for trigger in triggers)


def _own_listeners(workflows: Mapping[str, Definition]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for id, definition in workflows.items():
        for trigger in definition.triggers:
            if kind_of(trigger.on) is None:
                found.setdefault(canonical(trigger.on), {})[id] = None
    return {event: tuple(ids) for event, ids in found.items()}


def _heard(workflows: Mapping[str, Definition]) -> dict[tuple[str, str | None], dict[str, list[Trigger]]]:
    """Which workflows one event may start: apart for each command or other text that it must have."""
    found: dict[tuple[str, str | None], dict[str, list[Trigger]]] = {}
    for id, definition in workflows.items():
        for trigger in definition.triggers:
            needed = _needed_text(trigger.when)
            key = (canonical(trigger.on), None if needed is None else f"{needed[0]}: {needed[1]}".casefold())
            found.setdefault(key, {}).setdefault(id, []).append(trigger)
    for (event, text), heard in found.items():
        if text is not None:
            for id, triggers in found.get((event, None), {}).items():
                heard.setdefault(id, []).extend(triggers)
    return found


def _flood(
    event: str, text: str | None, counts: Mapping[str, int], limit: int, workflows: Mapping[str, Definition]
) -> Problem:
    total = min(MANY, sum(counts.values()))
    most = sorted(counts, key=lambda id: -counts[id])
    shares = ", ".join(f'"{workflows[id].name}" {counts[id]}' for id in most[:_SHOWN])
    what = f'one "{event}"' + (f" with {text}" if text is not None else "")
    about = f"{what} may bring {total if total < MANY else f'{MANY:,} or more'} chat lines at once ({shares})"
    if total > limit:
        sentence = f"{about}, and Twitch takes {limit} in {WINDOW} seconds; the rest come late"
    else:
        sentence = f"{about}, and nobody has to wait between two; Twitch takes {limit} in {WINDOW} seconds"
    chosen = workflows[most[0]]
    if total > limit:
        return Problem("", "warning", sentence, _spread(chosen) or f'put waits between the lines of "{chosen.name}"')
    return Problem("", "warning", sentence, say(f"in {quoted(chosen.name)} {paced(chosen.policy, WINDOW)}"))


def _spread(definition: Definition) -> str | None:
    """The suggestion of a wait in the midst of what a workflow says."""
    saying = [number for number, state in enumerate(definition.states, 1) if says(state)]
    if len(saying) < 2:
        return None
    return say(f"in {quoted(definition.name)} add after step {saying[(len(saying) - 1) // 2]} wait {WINDOW} seconds")


def _listed(names: list[str]) -> str:
    words = [f'"{name}"' for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
