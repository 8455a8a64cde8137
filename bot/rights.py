"""Who may talk to the bot, change a workflow, and put which steps into one. Pure.

Who may start a workflow is the engine's business, which asks every time one starts. Here it is about words.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from engine.admission import may_start
from engine.declare import Declarations, Method
from engine.execution import Person
from engine.model import Call, Definition, State, all_states

ONLY_STAFF: Final = "Only the streamer and moderators can change workflows."
STAFF: Final[frozenset[str]] = frozenset({"broadcaster", "moderator"})


def is_staff(person: Person) -> bool:
    """Whether somebody is the streamer or a moderator."""
    return not STAFF.isdisjoint(person.roles)


def may_edit(person: Person, definition: Definition) -> bool:
    """Whether somebody may change this workflow: those its policy names, else staff; the streamer always."""
    allowed = definition.policy.may_edit
    return is_staff(person) if allowed is None else may_start(person.roles, allowed)


def may_run(person: Person, definition: Definition) -> bool:
    """Whether somebody may run this workflow by hand."""
    allowed = definition.policy.may_run
    return is_staff(person) if allowed is None else may_start(person.roles, allowed)


def overreaching(
    definition: Definition, authors: Mapping[str, Person], person: Person, declarations: Declarations
) -> Iterator[tuple[State, Method]]:
    """The steps this person made or changed without holding the right that their method asks for."""
    for state in all_states(definition.states):
        if not isinstance(state.action, Call) or authors.get(state.name, person) != person:
            continue
        method = declarations.find(state.action.service, state.action.method)
        if method is not None and not _holds(person, method):
            yield state, method


def _holds(person: Person, method: Method) -> bool:
    return "broadcaster" in person.roles or (method.right == "moderator" and is_staff(person))
