"""A workflow on its way to strangers and back: what does not travel, and what it would do, said before it is let in. Pure.

Rights and secrets stay at home both ways: whoever shares gives none away, and no code from a stranger names a secret of
those who import it, or says who may run and change what it brings.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.share_codes import code_of, text_in
from engine.convert import export_data, import_data
from engine.declare import Declarations
from engine.model import Call as CallAction
from engine.model import Definition, all_states
from engine.wording import counted, shortened
from grammar.language import Language
from grammar.names import slug

_MOST_STARTS: Final = 150


@dataclass(frozen=True, slots=True)
class Parcel:
    """A workflow fit to travel.

    Attributes:
        left_out: What it had that stays at home, for people.
    """

    definition: Definition
    left_out: tuple[str, ...] = ()


def share_code(definition: Definition, language: Language, declarations: Declarations) -> tuple[str, tuple[str, ...]]:
    """A workflow as a code, and what is not in it.

    Raises:
        BadCode: It is too long for one.
    """
    parcel = packed(definition, declarations)
    return code_of(language.say_definition(parcel.definition).strip()), parcel.left_out


def received(code: str, language: Language, declarations: Declarations) -> Parcel:
    """The workflow in a code.

    Raises:
        BadCode: The code cannot be read.
        DefinitionError: There is no workflow in it.
    """
    return packed(language.read_definition(text_in(code)), declarations)


def packed(definition: Definition, declarations: Declarations) -> Parcel:
    """The workflow without what stays at home."""
    left_out: list[str] = []
    data = export_data(definition, "json")
    states = [_plain(state, declarations, left_out) for state in data["states"]]
    plain = import_data({**data, "states": states}).definition
    policy = plain.policy.model_copy(update={"may_run": None, "may_edit": None})
    if policy != plain.policy:
        left_out.append("who may run and edit it")
    return Parcel(plain.model_copy(update={"policy": policy}), tuple(dict.fromkeys(left_out)))


def _plain(value: Any, declarations: Declarations, left_out: list[str]) -> Any:
    """The same data without the values of params that are secret."""
    if isinstance(value, list):
        return [_plain(each, declarations, left_out) for each in value]
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("service"), str) and isinstance(value.get("method"), str):
        method = declarations.find(value["service"], value["method"])
        params = value.get("params") or {}
        secret = {param.name for param in method.params if param.secret} if method is not None else set()
        left_out.extend(f"the {name} of {value['service']}.{value['method']}" for name in params if name in secret)
        return {**value, "params": {name: each for name, each in params.items() if name not in secret}}
    return {key: _plain(each, declarations, left_out) for key, each in value.items()}


def freely_named(definition: Definition, is_taken: Callable[[str], bool]) -> Definition:
    """The workflow under a name and an id that nothing has, or had."""
    name, number = definition.name, 2
    while is_taken(name):
        name, number = f"{definition.name} {number}", number + 1
    return definition.model_copy(update={"name": name, "id": slug(name, is_taken)})


def starts_alike(one: Definition, other: Definition) -> bool:
    """Whether both would start on the same, so that one of them is rather off."""
    return bool(other.triggers) and one.triggers == other.triggers


def in_short(definition: Definition, language: Language, declarations: Declarations) -> str:
    """Every sort of thing it does, however long it is, and what starts it."""
    starts = ", ".join(language.say_trigger(trigger) for trigger in definition.triggers) or "when it is run by hand"
    does = ", ".join(dict.fromkeys(_deeds(definition, declarations)))
    count = counted(len(list(all_states(definition.states))), "step")
    return f"It has {count}, does: {does}; and starts {shortened(starts, _MOST_STARTS)}."


def _deeds(definition: Definition, declarations: Declarations) -> Iterator[str]:
    for state in all_states(definition.states):
        if not isinstance(state.action, CallAction):
            yield state.action.kind.replace("_", " ")
            continue
        method = declarations.find(state.action.service, state.action.method)
        yield state.action.method.replace("_", " ") if method is None else method.name.replace("_", " ")
