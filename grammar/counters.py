"""Counters as people speak of them: by a name in any number, and as the value that a text or a condition means by it.

What is counted is a name in a step; nobody declares it. So a counter is known where a workflow here counts it, or where the
same sentence does. A value that the steps before have just made is named by their result, which nobody else can have
changed since; any other is looked up among what the community keeps, where nothing means 0.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from engine.keys import key_of
from engine.model import Call, Definition, State, all_states

SERVICE: Final = "data"
PARAM: Final = "counter"
_METHODS: Final = frozenset({"add_to_counter", "take_from_counter", "set_counter", "get_counter"})
_KEY: Final = re.compile(r"[^\W\d]\w*")
_MEANT: Final = re.compile("\\$\\{\ufdd0count (\\w+)\\}")


def other_number(name: str) -> str:
    """The same name of one, or of many: `death` and `deaths`, `loss` and `losses`."""
    plain = name.casefold()
    if plain.endswith(("sses", "shes", "ches", "xes")):
        return name[:-2]
    if plain.endswith(("ss", "sh", "ch", "x")):
        return f"{name}es"
    return name[:-1] if plain.endswith("s") else f"{name}s"


def spellings(known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each known counter by all names it answers to; by that of another number only where no other has it."""
    by_key: dict[str, str] = {}
    for name in known:
        by_key.setdefault(key_of(name), name)
    for name in by_key.values():
        yield name, name
        if key_of(other := other_number(name)) not in by_key and len(other) > 1:
            yield other, name


def named(said: str, known: Iterable[str]) -> str | None:
    """The known counter that is meant."""
    return next((name for spelling, name in spellings(known) if key_of(spelling) == key_of(said)), None)


# What steps count --------------------------------------------------------------------------------------------------------


def counted(state: State) -> tuple[str, bool] | None:
    """The counter that a step is about, and whether everybody has one of their own; None if it is about none."""
    action = state.action
    if not isinstance(action, Call) or action.service != SERVICE or action.method not in _METHODS:
        return None
    name = action.params.get(PARAM)
    if not isinstance(name, str) or _KEY.fullmatch(key_of(name)) is None:
        return None
    return name, "user" in action.params


def counters_in(definition: Definition) -> tuple[str, ...]:
    """The counters of the community that a workflow is about, as they are written there."""
    found = (counted(state) for state in all_states(definition.states))
    return tuple(dict.fromkeys(each[0] for each in found if each is not None and not each[1]))


# What texts mean by them ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters that `{name}` in a text may mean at one place.

    Attributes:
        meant: What is kept, by the names that may be written for it.
        values: What then stands in `${...}`, by what is kept.
    """

    meant: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def among(self, states: Iterable[State]) -> "Counts":
        """The same, where also these steps count."""
        found = [each for state in states if (each := counted(state)) is not None]
        if not found:
            return self
        keys = dict.fromkeys((*self.meant.values(), *(key_of(name) for name, _ in found)))
        kept = {key_of(name): looked_up(key_of(name)) for name, is_own in found if not is_own}
        return Counts(_meant(keys), {**kept, **self.values})

    def after(self, state: State) -> "Counts":
        """The same behind a step: its result is what its counter stands at."""
        about = counted(state)
        if about is None or _KEY.fullmatch(state.name) is None:
            return self
        return replace(self, values={**self.values, key_of(about[0]): f"{state.name}.value"})


def counts_of(known: Iterable[str], definition: Definition | None = None) -> Counts:
    """The counters a text may mean in a workflow, or in a new one; there the community's are looked up.

    A counter that everybody has of their own is whose the one step is about that counts it.
    """
    meant = list(dict.fromkeys(map(key_of, known)))
    states = () if definition is None else tuple(all_states(definition.states))
    shadowed = {state.name for state in states}
    values = {key: looked_up(f"data.{key}" if key in shadowed else key) for key in meant}
    own: dict[str, list[str]] = {}
    for state in states:
        if (about := counted(state)) is not None and about[1] and key_of(about[0]) not in values:
            own.setdefault(key_of(about[0]), []).append(state.name)
    values |= {key: f"{names[0]}.value" for key, names in own.items() if len(names) == 1}
    return Counts(_meant((*meant, *own)), values)


def looked_up(name: str) -> str:
    """What stands in `${...}` for what is kept under a name; nothing has been counted yet where there is nothing."""
    return f"{name}|default 0"


def _meant(keys: Iterable[str]) -> Mapping[str, str]:
    return {key_of(spelling): key for spelling, key in spellings(keys)}


def mark(key: str) -> str:
    """What stands in a text for a counter until it is known where its value is to be had there."""
    return f"${{\ufdd0count {key}}}"


def valued(text: str, counts: Counts) -> str:
    """A text with a value for each counter that is marked in it; one of which there is none is left as it was typed."""

    def value(found: re.Match[str]) -> str:
        key = found.group(1)
        return f"${{{counts.values[key]}}}" if key in counts.values else f"{{{key}}}"

    return _MEANT.sub(value, text) if "\ufdd0" in text else text
