"""Steps whose order is told rather than how to make it: `first the scene, then the welcome`, `swap hype and gameplay`.

There is often more than one way to come to an order; where they differ, it is asked.
"""

from engine.declare import Declarations
from engine.edits import Edit, MoveStep, SetAction, SwapSteps
from engine.model import Call, State, all_states
from grammar.altering import altered
from grammar.context import Context
from grammar.instruction import Question
from grammar.references import Unsettled, Within, exactly, number_of, one_of, only, overview, refuse
from grammar.syntax import Alter, It, Order, Trade, Words


def rearranged(syntax: Trade | Order, within: Within, context: Context) -> tuple[Edit, ...]:
    """What comes to the order that was told.

    Raises:
        Unsettled: There are several ways, or none.
    """
    return _in_order(syntax, within, context) if isinstance(syntax, Order) else _traded(syntax, within, context)


def _in_order(syntax: Order, within: Within, context: Context) -> tuple[Edit, ...]:
    first, second = one_of(syntax.first, within), one_of(syntax.second, within)
    here, there = (number_of(within.definition, state.name) for state in (first, second))
    if here is None or there is None:
        raise refuse(f"I can move only the outer steps of {within.name}. {overview(within)}")
    if here < there:
        return ()  # as it may be by what was said before: `swap them, message first`
    swapped = SwapSteps(first.name, second.name)
    if here == there + 1:
        return (swapped,)
    ways = (MoveStep(first.name, there), MoveStep(second.name, here), swapped)
    raise _asked("How?", tuple((way,) for way in ways), within, context)


def _traded(syntax: Trade, within: Within, context: Context) -> tuple[Edit, ...]:
    firsts, seconds = (_showing(value, within, context.declarations) for value in (syntax.first, syntax.second))
    if firsts and seconds:
        first, second = (only(found, It(), within) for found in (firsts, seconds))
        return (SwapSteps(first.name, second.name),)
    old, new = (syntax.first, syntax.second) if firsts else (syntax.second, syntax.first)
    state = only(firsts or seconds, It(), within)
    change = Alter(exactly(state, within.definition), new)
    instead = SetAction(state.name, altered(state, change, context.workspace, context.declarations))
    asked = f'No step of {within.name} has "{new.text}". Instead of "{old.text}"?'
    raise _asked(asked, ((instead,),), within, context)


def _showing(value: Words, within: Within, declarations: Declarations) -> tuple[State, ...]:
    """The steps that have this scene, source or sound."""
    return tuple(state for state in all_states(within.definition.states) if _has(state, value, declarations))


def _has(state: State, value: Words, declarations: Declarations) -> bool:
    if not isinstance(state.action, Call):
        return False
    method = declarations.find(state.action.service, state.action.method)
    return method is not None and any(
        param.type == value.type and str(state.action.params.get(param.name)).casefold() == value.text.casefold()
        for param in method.params
    )


def _asked(question: str, ways: tuple[tuple[Edit, ...], ...], within: Within, context: Context) -> Unsettled:
    options = tuple(context.change(way, within.definition) for way in ways)
    return Unsettled(Question(f"{question} {', or: '.join(options)}", options))
