r"""Steps as they were said, on their way to states: names still to be given, variables still to be recognised.

`linked` makes the states of a new workflow, which follow each other; `loose` makes states to be put into one, which
`engine.edits` links. `{name}` in a typed text becomes `${name}` if that variable is known there, `\\{` stays a brace.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from engine.declare import Declarations
from engine.events import kind_of
from engine.model import Action, Call, Goto, State, Stop, Trigger, Wait, all_states
from engine.names import expected, fresh, verb

ALWAYS_KNOWN: Final = frozenset({"user", "caller", "event", "date", "time", "clock"})
_BRACE: Final = re.compile(r"\\\{|(?<![$\\])\{(?P<name>[^\W\d]\w*(?:\.\w+)*)\}")
_NAMED: Final = re.compile(r"\$\{([^\W\d]\w*)")
_TO_ESCAPE: Final = re.compile(r"(?<=\\)\{|(?<![$\\])\{(?=[^\W\d]\w*(?:\.\w+)*\})")


class MissingPiece(Exception):
    """Something was left out that only the asker can say.

    Attributes:
        question: How it is asked for.
        end: Offset in the sentence after which the answer goes; its end if None.
        joint: What stands between the sentence and the answer.
        verbatim: Whether the answer is a text, to be quoted.
    """

    def __init__(self, question: str, *, end: int | None = None, joint: str = "", verbatim: bool = False) -> None:
        super().__init__(question)
        self.question = question
        self.end = end
        self.joint = joint
        self.verbatim = verbatim

    def gap(self, sentence: str) -> str:
        """The sentence with `{}` where the answer goes; its own braces are not doubled, there is one `{}` only."""
        end = len(sentence) if self.end is None else self.end
        return f"{sentence[:end].rstrip()}{self.joint} {{}}{sentence[end:]}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A step as it was said.

    Attributes:
        state: The step; its name counts only if `named`.
        named: Whether its name was written.
        typed: Whether its texts were typed in a sentence; those of JSON are kept as they are.
        ends: Whether it was said that nothing follows.
    """

    state: State
    named: bool = False
    typed: bool = True
    ends: bool = False


def variables_of(triggers: Iterable[Trigger], known: Iterable[str]) -> frozenset[str]:
    """Every variable that a text may mean without `$`: what the triggers bring, and what is known beside."""
    fields = {name for trigger in triggers if (kind := kind_of(trigger.on)) is not None for name in kind.fields}
    return frozenset({*ALWAYS_KNOWN, *fields, *known})


def named_in(states: tuple[State, ...]) -> frozenset[str]:
    """The variables that texts of these states name already."""
    found: set[str] = set()
    for state in all_states(states):
        if isinstance(state.action, Call):
            texts = [value for value in state.action.params.values() if isinstance(value, str)]
            found.update(name for text in texts for name in _NAMED.findall(text))
    return frozenset(found)


def linked(steps: tuple[Draft, ...], known: frozenset[str], declarations: Declarations) -> tuple[State, ...]:
    """The states of a new workflow, each leading to the next unless it says otherwise."""
    states = loose(_with_usual_names(steps, declarations), known, set(), declarations)
    following = (*(state.name for state in states[1:]), None)
    return tuple(
        state if to is None or draft.ends else _leading(state, to)
        for draft, state, to in zip(steps, states, following, strict=True)
    )


def _with_usual_names(steps: tuple[Draft, ...], declarations: Declarations) -> tuple[Draft, ...]:
    """Unnamed steps under the names the rules give at their places, where those are free."""
    taken = {
        inner.name for draft in steps for inner in all_states((draft.state,)) if draft.named or inner != draft.state
    }
    stems: list[str] = []
    named: list[Draft] = []
    for draft in steps:
        usual = expected(draft.state.action, stems, declarations)
        stems.append(verb(draft.state.action, declarations))
        if not draft.named and usual not in taken:
            draft = replace(draft, state=draft.state.model_copy(update={"name": usual}), named=True)
            taken.add(usual)
        named.append(draft)
    return tuple(named)


def _leading(state: State, to: str) -> State:
    if "success" in state.transitions or isinstance(state.action, Goto | Stop):
        return state
    return state.model_copy(update={"transitions": {"success": to, **state.transitions}})


def loose(
    steps: tuple[Draft, ...], known: frozenset[str], taken: Iterable[str], declarations: Declarations
) -> tuple[State, ...]:
    """States with names of their own that lead nowhere unless they say so."""
    used = set(taken)
    used |= {draft.state.name for draft in steps if draft.named}
    states: list[State] = []
    for draft in steps:
        action = recognised(draft.state.action, known) if draft.typed else draft.state.action
        name = draft.state.name if draft.named else fresh(action, used, declarations)
        state = draft.state.model_copy(update={"name": name, "action": action})
        used |= {inner.name for inner in all_states((state,))}
        states.append(state)
    return tuple(states)


def recognised(action: Action, known: frozenset[str]) -> Action:
    """An action whose typed texts name known variables properly."""
    match action:
        case Call():
            params = {name: _in_value(value, known) for name, value in action.params.items()}
            return action if params == action.params else replace_params(action, params)
        case Wait(seconds=str() as seconds):
            return Wait(seconds=recognise(seconds, known))
        case _:
            return action


def replace_params(call: Call, params: dict[str, JsonValue]) -> Call:
    """The same call with other params."""
    return Call(service=call.service, method=call.method, params=params)


def _in_value(value: JsonValue, known: frozenset[str]) -> JsonValue:
    return recognise(value, known) if isinstance(value, str) else value


def recognise(text: str, known: frozenset[str]) -> str:
    r"""A typed text with `{name}` as `${name}` if that is known, and `\{` as `{`."""

    def put(match: re.Match[str]) -> str:
        name = match.group("name")
        if name is None:
            return "{"
        return f"${match.group()}" if name.partition(".")[0] in known or name in known else match.group()

    return _BRACE.sub(put, text)


def escaped(text: str) -> str:
    r"""The text that `recognise` turns into this one, whatever is known."""
    return _TO_ESCAPE.sub(r"\\{", text)


def map_texts(action: Action, change: Callable[[str], str]) -> Action:
    """An action with every text of a call, and a wait's variable, changed."""
    match action:
        case Call():
            return replace_params(
                action,
                {name: change(value) if isinstance(value, str) else value for name, value in action.params.items()},
            )
        case Wait(seconds=str() as seconds):
            return Wait(seconds=change(seconds))
        case _:
            return action
