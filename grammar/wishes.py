"""What to say to a wish that no change follows from, such as `make it better`: changes that could be meant, as sentences.

They are made from the steps the workflow has, so that each works as it stands.
"""

from collections.abc import Callable, Iterator
from typing import Final

from engine.events import kind_of
from engine.expressions import quote
from engine.keys import key_of
from engine.model import Call, Definition, State, Wait
from engine.wording import shortened
from grammar.counters import named, other_number
from grammar.instruction import Question, Refusal
from grammar.names import quoted_name
from grammar.syntax import CounterWish
from grammar.workspace import WorkflowView, Workspace

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


def counting(wish: CounterWish, workspace: Workspace) -> Question:
    """The workflows that may be meant by `a death counter`: what happens is counted, else a command counts."""
    if wish.counter is None:
        return Question("What should be counted? Such as: deaths", gap="i want to count {}")
    known = named(wish.counter, workspace.names.counters)
    is_many = wish.counter.casefold().endswith("s") and len(other_number(wish.counter)) < len(wish.counter)
    many = wish.counter if is_many else other_number(wish.counter)
    counter = known or many
    steps = f"count up the {quote(counter)} counter, then say {quote(f'{counter}: ${{count.value}}')}"
    kind = kind_of(wish.event) if wish.event is not None else None
    if kind is not None:
        sentence = f"when {kind.clause} count up the {quote(counter)} counter"
        return Question(f"That could be counted each time {kind.clause}. Then it means: {sentence}", (sentence,))
    command = f"!{key_of(other_number(many))}"
    options = [f"when a mod or the streamer types {command} {steps}", f"when someone types {command} {steps}"]
    if (template := next((each for each in workspace.templates if key_of(each) == key_of(counter)), None)) is not None:
        options.append(f"create from template {quoted_name(template)}")
    return Question(f"Then {command} counts. Who may count: mods, or everybody?", tuple(options))


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
