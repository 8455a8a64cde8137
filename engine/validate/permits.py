"""What has not been granted: to the bot by a platform, to do or to hear of something, or by the channel to whoever wrote it.

It knows scopes and roles as names only; who holds them is told to it.
"""

from collections.abc import Collection, Iterator, Mapping

from engine.declare import Declarations, Method, Right
from engine.events import kind_of
from engine.model import Call, Collect, Definition, State, WaitFor, all_states
from engine.validate.problem import Places, Problem


def missing_scopes(
    definition: Definition, places: Places, declarations: Declarations, held: Collection[str] | None
) -> Iterator[Problem]:
    """Steps that a platform would refuse; none if it is not known what it has granted."""
    if held is None:
        return
    for state, method in _asked(definition, declarations):
        missing = [scope for scope in method.scopes if scope not in held]
        if missing and state.enabled:
            sentence = f"{method.service} has not granted me {' and '.join(missing)}, so it would refuse this"
            mend = f"allow it with: showcaller setup {method.service}"
            yield Problem(places.where[state.name], "warning", sentence, mend, state.name)


def unheard_events(
    definition: Definition, places: Places, unheard: Mapping[str, Collection[str]] | None
) -> Iterator[Problem]:
    """Triggers and waits for what a platform does not tell the bot of; none if nothing is known of that."""
    if not unheard:
        return
    for trigger in definition.triggers:
        yield from _unheard(trigger.on, f'trigger "{trigger.on}"', None, unheard)
    for state in all_states(definition.states):
        if isinstance(state.action, WaitFor | Collect) and state.enabled:
            yield from _unheard(state.action.event, places.where[state.name], state.name, unheard)


def _unheard(event: str, place: str, state: str | None, unheard: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    kind = kind_of(event)
    scopes = None if kind is None else unheard.get(kind.name)
    if kind is None or scopes is None:
        return
    if scopes:
        sentence = f"{kind.platform} has not granted me {' or '.join(scopes)}, so I do not hear of it"
        yield Problem(place, "warning", sentence, f"allow it with: showcaller setup {kind.platform}", state)
    else:
        yield Problem(
            place, "warning", f"{kind.platform} tells nobody of it, so it happens only if it is emitted", None, state
        )


def overreached(
    definition: Definition,
    places: Places,
    declarations: Declarations,
    roles: Mapping[str, Collection[str]] | None,
) -> Iterator[Problem]:
    """Steps whose authors may not have that done. Of steps that are not named in `roles`, nothing is said."""
    if roles is None:
        return
    for state, method in _asked(definition, declarations):
        held = roles.get(state.name)
        if held is not None and not _may(held, method.right):
            who = "the broadcaster" if method.right == "broadcaster" else "the broadcaster and moderators"
            sentence = f"who wrote this may not have it done: {method.key} is for {who}"
            yield Problem(places.where[state.name], "error", sentence, f"let {who} write it", state.name)


def _may(held: Collection[str], right: Right) -> bool:
    return "broadcaster" in held or (right == "moderator" and "moderator" in held)


def _asked(definition: Definition, declarations: Declarations) -> Iterator[tuple[State, Method]]:
    for state in all_states(definition.states):
        if isinstance(state.action, Call):
            method = declarations.find(state.action.service, state.action.method)
            if method is not None:
                yield state, method
