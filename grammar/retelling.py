"""The text of a step said in another way: as an announcement, in another channel, in its place or once more after it.

Which methods say a text is told by their declarations: they need one text and nothing else that only the asker knows. The
text stays as it is; what is not said of the new way is never made up.
"""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from engine.declare import Declarations, Method, Param
from engine.edits import SetAction
from engine.events import kind_of
from engine.model import Action, Call, Definition, State, all_states
from grammar.altering import altered
from grammar.context import Context
from grammar.references import Unsettled, Within, all_of, one_of, only, overview, refuse
from grammar.syntax import Alter, It, Kind, OfKind, Retell
from grammar.wishes import Vague

_SLOT: Final = re.compile(r"\{\w+\}")


def text_of(action: Action, declarations: Declarations) -> str | None:
    """The one text that a step says; None if it says none."""
    method = declarations.find(action.service, action.method) if isinstance(action, Call) else None
    text = own_text(method) if method is not None else None
    value = action.params.get(text.name) if text is not None and isinstance(action, Call) else None
    return value if isinstance(value, str) else None


def speaker(syntax: Retell, within: Within, declarations: Declarations) -> State:
    """The step whose text is meant.

    Raises:
        Unsettled: No step says one.
        Unclear: Several may be meant.
    """
    speaking = _speaking(within, declarations)
    match syntax.reference:
        case It():
            last = [state for state in speaking if state.name == within.it]
            return only(tuple(last) or speaking, syntax.reference, within)
        case OfKind(kind=kind, ordinal=int() as place) as reference if not kind.keys:
            meant = one_of(reference, within)
            index = place - 1 if place > 0 else place
            says = text_of(meant.action, declarations) is not None
            return meant if says or not -len(speaking) <= index < len(speaking) else speaking[index]
        case reference:
            return one_of(reference, within)


def speakers(syntax: Retell, within: Within, declarations: Declarations) -> tuple[State, ...]:
    """The steps whose texts are meant, if it is about several: `both`."""
    match syntax.reference:
        case OfKind(kind=kind, every=True) if not kind.keys:
            found = _speaking(within, declarations)
            if len(found) != 2:
                raise refuse(f"Which two? {overview(within)}")
            return found
        case OfKind(every=True) as reference if syntax.mode == "instead" and syntax.old is None:
            return all_of(reference, within)
        case _:
            return ()


def _speaking(within: Within, declarations: Declarations) -> tuple[State, ...]:
    """The steps that say a text."""
    return tuple(
        state for state in all_states(within.definition.states) if text_of(state.action, declarations) is not None
    )


def teller(kind: Kind, declarations: Declarations) -> Method | None:
    """The method that says a text in the way that is meant: the one that is called so first of all."""
    fitting = [method for method in _tellers(declarations) if method.key in kind.keys]
    named = [method for method in fitting if kind.words == method.verb or kind.words in method.noun]
    return next(iter((*named, *fitting)), None)


def _tellers(declarations: Declarations) -> Iterator[Method]:
    for method in declarations:
        if own_text(method) is not None:
            yield method


def own_text(method: Method) -> Param | None:
    """The text of a method that says one, where all else it needs is told by what is there."""
    needed = [param for param in method.params if param.required and param.type != "user"]
    return needed[0] if len(needed) == 1 and needed[0].type == "text" and needed[0].slot == "text" else None


def manners(method: Method) -> dict[str, dict[str, JsonValue]]:
    """The words by which a method says its text in a way of its own, with what makes it so: `reply`."""
    found: dict[str, dict[str, JsonValue]] = {}
    for index, fixed in method.fixed.items():
        verb, _, rest = method.phrases[index].partition(" ")
        if own_text(method) is not None and _SLOT.fullmatch(rest) and all(value is True for value in fixed.values()):
            found[verb] = dict(fixed)
    return found


def retold(action: Action, by: Method, definition: Definition, declarations: Declarations, words: str = "") -> Call:
    """The text of a step, said by another method, in the way that these words tell; in the channel it went to.

    Raises:
        Unsettled: It says none, or the method needs what is not known here.
    """
    said, text = text_of(action, declarations), own_text(by)
    if said is None or text is None:
        raise refuse("That step says no text.")
    params: dict[str, JsonValue] = {}
    for param in by.params:
        if param is text:
            params[param.name] = said
        elif param.required:
            params[param.name] = _somebody(by, said, definition)
        elif param.type == "channel" and isinstance(action, Call) and action.service == by.service:
            params |= {param.name: action.params[param.name]} if param.name in action.params else {}
    return Call(service=by.service, method=by.name, params=params | manners(by).get(words, {}))


def said_by_the_only_one(definition: Definition, action: Action, declarations: Declarations) -> SetAction | None:
    """A text said by the one step that says something, as it says it now; None if there is no such step, or several."""
    text = text_of(action, declarations)
    speaking = [state for state in all_states(definition.states) if text_of(state.action, declarations) is not None]
    if text is None or len(speaking) != 1 or not isinstance(speaking[0].action, Call):
        return None
    call = speaking[0].action
    method = declarations.find(call.service, call.method)
    param = own_text(method) if method is not None else None
    if param is None:
        return None
    new = Call(service=call.service, method=call.method, params={**call.params, param.name: text})
    return SetAction(speaking[0].name, new)


def _somebody(by: Method, said: str, definition: Definition) -> str:
    """Whom it is about: who started it, if all that starts it tells of somebody."""
    kinds = [kind_of(trigger.on) for trigger in definition.triggers]
    if kinds and all(kind is not None and "user" in kind.fields for kind in kinds):
        return "${user}"
    raise Unsettled(Vague(f'To whom? Say it as a step of its own, such as: {by.verb} "{said}" to ninja'))


def said_otherwise(syntax: Retell, state: State, within: Within, context: Context) -> Action:
    """What a step does that says its text in another way.

    Raises:
        Unsettled: It says none, or it is not known how.
    """
    declarations, definition = context.declarations, within.definition
    if text_of(state.action, declarations) is None:
        raise refuse(f"That step says nothing: {within.describe(state)}. {overview(within)}")
    place = syntax.place
    if place is not None and place.type == "channel":
        there = _in_a_channel(syntax, state, within, context)
        return altered(there, Alter(syntax.reference, place), context.workspace, declarations)
    if place is not None:
        by = next((method for method in _tellers(declarations) if method.service == place.text), None)
    else:
        by = teller(syntax.deed, declarations) if syntax.deed is not None else None
    if by is None:
        what = syntax.deed.words if syntax.deed is not None else "place"
        raise Unsettled(Vague(f'What a step says cannot be made into "{what}". Say: replace the step with ...'))
    action = retold(state.action, by, definition, declarations, syntax.deed.words if syntax.deed is not None else "")
    return action if syntax.title is None else _titled(action, by, syntax.title)


def _in_a_channel(syntax: Retell, state: State, within: Within, context: Context) -> State:
    """A step whose text goes to a channel; what is said to one person is said there by whatever posts in channels."""
    call, declarations = state.action, context.declarations
    method = declarations.find(call.service, call.method) if isinstance(call, Call) else None
    if method is None or not any(param.type == "user" and param.required for param in method.params):
        return state
    keys = syntax.deed.keys if syntax.deed is not None else frozenset[str]()
    posting = [each for each in _tellers(declarations) if any(param.type == "channel" for param in each.params)]
    by = next((each for each in posting if each.key in keys), posting[0] if posting else None)
    if by is None:
        return state
    return state.model_copy(update={"action": retold(call, by, within.definition, declarations)})


def _titled(action: Call, by: Method, title: str) -> Call:
    """The same with a title above it.

    Raises:
        Unsettled: It can have none.
    """
    if by.param("title") is None:
        raise refuse(f"{by.noun[0] if by.noun else by.verb} has no title.".capitalize())
    return action.model_copy(update={"params": {**action.params, "title": title}})
