"""What to say to a wish that no change follows from, such as `make it better`: changes that could be meant, as sentences.

They are made from the steps the workflow has, so that each works as it stands.
"""

from collections.abc import Callable, Iterator
from typing import Final

from engine.model import Call, Definition, State, Wait
from engine.wording import shortened
from grammar.instruction import Refusal
from grammar.names import quoted_name
from grammar.workspace import WorkflowView

_MOST: Final = 3
_LONGEST: Final = 60


class Vague(Refusal):
    """A wish was understood as one, so that no other reading of it is looked for."""


def too_vague(view: WorkflowView, describe: Callable[[Definition, State], str]) -> Vague:
    """What is answered, with the sentences that could be meant.

    Args:
        view: The workflow that is to become better.
        describe: Says a step in canonical words.
    """
    definition = view.definition
    name = quoted_name(definition.name)
    sentences = [f"in {name} {edit}" for edit in _edits(definition)][:_MOST]
    steps = " · ".join(
        shortened(f"{number} {describe(definition, state)}", _LONGEST)
        for number, state in enumerate(definition.states[:4], 1)
    )
    more = f" and {len(definition.states) - 4} more" if len(definition.states) > 4 else ""
    text = f"What should be different? {name} does: {steps}{more}. Say it like: {' · '.join(sentences)}"
    return Vague(text, suggestions=tuple(sentences))


def _edits(definition: Definition) -> Iterator[str]:
    for number, state in enumerate(definition.states, 1):
        if isinstance(state.action, Wait):
            yield f"make step {number} wait 5 seconds"
            break
    for number, state in enumerate(definition.states, 1):
        if isinstance(state.action, Call) and "message" in state.action.params:
            yield f'step {number} should say "hello ${{user}}"'
            break
    yield "add wait 5 seconds at the end"
    if len(definition.states) > 1:
        yield f"remove step {len(definition.states)}"
