"""What a bare number counts where it replaces a length that is known: `make it 45` of a wait of 30 seconds is 45 seconds.

Only where that is plain: any other unit would be far off. Elsewhere the unit is for the asker to say. No words are read.
"""

from collections.abc import Iterator
from typing import Final

from engine.edits import SetAction, SetTriggers
from engine.model import Action, Call, State, Wait, all_states
from grammar.driver import Reading
from grammar.instruction import Change, Instruction
from grammar.scanners import NoUnit
from grammar.workspace import Workspace

UNITS: Final = (1, 60, 3_600, 86_400)
_FAR_OFF: Final = 10
"""So many times longer or shorter than before is no likely change of a length."""


class UnitUnsaid(Exception):
    """A length of time whose unit was not said and is not plain; `number` is how it was typed."""

    def __init__(self, number: str) -> None:
        super().__init__(number)
        self.number = number


def plain_unit(length: object, number: float) -> int | None:
    """The seconds that a number counts by in place of a length; None if that has to be asked."""
    if not isinstance(length, int | float) or isinstance(length, bool) or length <= 0 or number <= 0:
        return None
    own = max(unit for unit in UNITS if length % unit == 0 or unit == 1)
    off = {unit: max(number * unit / length, length / (number * unit)) for unit in UNITS}
    others = [off[unit] for unit in UNITS if unit != own]
    return own if all(other > _FAR_OFF and off[own] < other for other in others) else None


def unitless(reading: Reading) -> float | None:
    """The one number in a reading that stands for a length of time; None if there are several, or none."""
    numbers = {leaf.start: leaf.value.number for leaf in reading.tokens if isinstance(leaf.value, NoUnit)}
    return next(iter(numbers.values())) if len(numbers) == 1 else None


def counted_in(reading: Reading, unit: int) -> Reading:
    """The same reading with its number counted in a unit."""
    tokens = (
        leaf._replace(value=leaf.value.number * unit) if isinstance(leaf.value, NoUnit) else leaf
        for leaf in reading.tokens
    )
    return reading.of(tuple(tokens))


def replaces_such(meant: Instruction, number: float, unit: int, workspace: Workspace) -> bool:
    """Whether all that an instruction does is to put so many of a unit in place of lengths that are plainly counted in it."""
    if not isinstance(meant, Change) or not meant.edits:
        return False
    states = {state.name: state for state in all_states(workspace.workflows[meant.workflow].definition.states)}
    triggers = workspace.workflows[meant.workflow].definition.triggers
    for edit in meant.edits:
        if isinstance(edit, SetTriggers):
            new = [each.every_seconds for each in edit.triggers if each not in triggers]
            old = [each.every_seconds for each in triggers if each not in edit.triggers]
            if new != [number * unit] or len(old) != 1 or plain_unit(old[0], number) != unit:
                return False
            continue
        if not isinstance(edit, SetAction) or edit.name not in states:
            return False
        if not any(plain_unit(old, number) == unit for old in _replaced(states[edit.name], edit.action, number * unit)):
            return False
    return True


def _replaced(state: State, after: Action, length: float) -> Iterator[object]:
    """What a length stands in place of."""
    match state.action, after:
        case Wait(seconds=old), Wait(seconds=new) if new == length:
            yield old
        case Call(params=were), Call(params=are):
            yield from (were.get(name) for name, value in are.items() if value == length and were.get(name) != value)
        case _:
            pass
