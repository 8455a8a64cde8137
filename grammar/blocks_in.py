"""Changing the steps that an action holds. Nothing here reads."""

from collections.abc import Callable

from engine.model import Action, Block, Choose, ForEach, Parallel, Repeat, blocks


def map_blocks(action: Action, change: Callable[[Block], Block]) -> Action:
    """An action with each of its blocks changed."""
    if not blocks(action):
        return action
    match action:
        case Choose():
            cases = tuple(case.model_copy(update={"block": change(case.block)}) for case in action.cases)
            return action.model_copy(update={"cases": cases})
        case Parallel():
            branches = tuple(branch.model_copy(update={"block": change(branch.block)}) for branch in action.branches)
            return action.model_copy(update={"branches": branches})
        case Repeat() | ForEach():
            return action.model_copy(update={"block": change(action.block)})
        case _:
            return action
