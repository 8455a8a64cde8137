"""Steps that are there already, put into a block: under a condition, into a loop, or side by side.

The steps stay as they are, names and all; what they lead to when something goes wrong becomes the block's. Nothing here
reads words.
"""

from itertools import pairwise

from engine.declare import Declarations
from engine.edits import Edit, RemoveSteps, ReplaceStep
from engine.model import Action, Block, Case, Choose, Parallel, ParallelBranch, Repeat, State, Target, all_states
from engine.names import fresh
from grammar.build_blocks import branch_name
from grammar.references import Within, all_of, number_of, refuse
from grammar.syntax import Wrap


def wrapped(wrap: Wrap, within: Within, declarations: Declarations) -> tuple[Edit, ...]:
    """The edits that put steps into a block.

    Raises:
        Unsettled: They do not stand next to each other, or lead where a block cannot.
    """
    states = all_of(wrap.reference, within)
    _refuse_apart(states, within)
    if wrap.beside and len(states) < 2:
        raise refuse("At the same time as what? Name at least two steps, such as: do steps 1 and 2 at the same time")
    edges: dict[str, Target] = {}
    for state in states:
        for event, target in state.transitions.items():
            if event != "success" and edges.setdefault(event, target) != target:
                raise refuse(f'Those steps lead to different places on "{event}", so they cannot be one block.')
    action = _action(wrap, states)
    taken = {state.name for state in all_states(within.definition.states)}
    outer = State(name=fresh(action, taken, declarations), action=action, transitions=edges)
    rest = tuple(state.name for state in states[1:])
    replaced = ReplaceStep(states[0].name, (outer,))
    return (RemoveSteps(rest), replaced) if rest else (replaced,)


def _refuse_apart(states: tuple[State, ...], within: Within) -> None:
    if len(states) == 1:
        return
    numbers = [number_of(within.definition, state.name) for state in states]
    first = numbers[0]
    if first is None or numbers != list(range(first, first + len(states))):
        raise refuse("Only steps that stand next to each other can go into one block. Move them together first.")
    for state, following in pairwise(states):
        if state.transitions.get("success") != following.name:
            raise refuse(f"Step {number_of(within.definition, state.name)} does not lead to the next one.")


def _action(wrap: Wrap, states: tuple[State, ...]) -> Action:
    if wrap.beside:
        branches = (
            ParallelBranch(name=branch_name(number), block=_block((state,))) for number, state in enumerate(states, 1)
        )
        return Parallel(branches=tuple(branches))
    if wrap.when is not None:
        return Choose(cases=(Case(when=wrap.when, block=_block(states)),))
    return Repeat(block=_block(states), times=wrap.times, while_=wrap.holds)


def _block(states: tuple[State, ...]) -> Block:
    following = (*(state.name for state in states[1:]), None)
    inside = tuple(
        state.model_copy(update={"transitions": {} if to is None else {"success": to}})
        for state, to in zip(states, following, strict=True)
    )
    return Block(initial_state=states[0].name, states=inside)
