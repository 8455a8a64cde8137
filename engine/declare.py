"""What a service says of itself: its methods, their params, their words, and what may safely happen twice.

A declaration is all the rest of the bot ever learns of a service: validation checks params against it, the grammar gets
its sentences from it, the runner asks it whether an effect may be repeated. It performs nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import JsonValue

ParamType: TypeAlias = Literal[
    "text",
    "number",
    "boolean",
    "seconds",
    "user",
    "channel",
    "scene",
    "source",
    "filter",
    "sound",
    "reward",
    "role",
    "counter",
    "list",
    "any",
]
Right: TypeAlias = Literal["moderator", "broadcaster"]


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a method.

    Attributes:
        name: As in `params`.
        type: What it takes; scene, source, filter, sound, reward, channel, role (of Discord) and counter are live names.
        required: A call without it is refused when it is saved.
        default: What the performer uses if it is left out.
        secret: Whether a Secret may stand here; anywhere else a secret is a save-time error.
        slot: The word for it in sentences, if not its name ("text", "scene").
        several: Whether its text is a list, with commas between the things in it.
        form: What a text is written as in sentences, if not as any words: emoji, or a message that may be "it".
    """

    name: str
    type: ParamType = "text"
    required: bool = True
    default: JsonValue = None
    secret: bool = False
    slot: str | None = None
    several: bool = False
    form: Literal["", "emoji", "message"] = ""


@dataclass(frozen=True, slots=True)
class Method:
    """One thing a service can do.

    Attributes:
        service: The service's name.
        name: The method's canonical name, the platform's own request in snake_case.
        params: In order.
        phrases: Sentences for it with `{param}` slots; the first is canonical. `[word]` may be left out, `(a|b)` is a
            choice; the canonical one has neither. A phrase need not name every param: see `fixed`.
        fixed: Params a phrase stands for by itself: {phrase index: {param: value}}.
        verb: The stem of a step's name, such as `say`.
        noun: The words by which a step of this kind is referred to ("the message", "the scene change").
        repeatable: Whether doing it twice under one effect id is harmless. Not, unless said.
        right: The least role its author must hold.
        aliases: Other method names for the same deed; kept as written.
        scopes: What the platform must have granted.
        cacheable_seconds: How long a result may be reused; 0 = never.
        gives: What words may mean of its result, such as the `url` of a clip: `make a clip and post the link`.
        for_others: Whether nobody asks for it for themselves: whom a command shouts out is who is named after it.
        posts: Whether its result has the `message_id` of a message that steps after it may mean.
        like: The method of another service whose words mean this one where they are about somebody of this service:
            `time them out` after a message of Discord. Its params have the same names.
        own_people: Whether it would be somebody else to whom it is done, if they are no people of this service.
        answering: With `like`, the params with which this one says something where it was asked for; what is a reply
            of the other service is one of this.
    """

    service: str
    name: str
    params: tuple[Param, ...] = ()
    phrases: tuple[str, ...] = ()
    fixed: dict[int, dict[str, JsonValue]] = field(default_factory=dict)
    verb: str = ""
    noun: tuple[str, ...] = ()
    repeatable: bool = False
    right: Right = "moderator"
    aliases: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    cacheable_seconds: float = 0
    gives: tuple[str, ...] = ()
    for_others: bool = False
    posts: bool = False
    like: str = ""
    own_people: bool = False
    answering: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`service.name`."""
        return f"{self.service}.{self.name}"

    def param(self, name: str) -> Param | None:
        """The parameter of that name, if there is one."""
        return next((param for param in self.params if param.name == name), None)


class Declarations:
    """All methods known to a bot, found by service and any of their names."""

    def __init__(self, methods: Iterable[Method]) -> None:
        self._canonical = tuple(methods)
        self._by_key: dict[tuple[str, str], Method] = {}
        for method in self._canonical:
            for name in (method.name, *method.aliases):
                key = (method.service, name)
                if key in self._by_key:
                    raise ValueError(f"{method.service}.{name} is declared twice")
                self._by_key[key] = method

    def __iter__(self) -> Iterator[Method]:
        return iter(self._canonical)

    def find(self, service: str, method: str) -> Method | None:
        """The declaration of a method by its name or an alias."""
        return self._by_key.get((service, method))

    def services(self) -> frozenset[str]:
        """The names of all services."""
        return frozenset(service for service, _ in self._by_key)

    def names(self, service: str) -> tuple[str, ...]:
        """Every name a method of that service answers to."""
        return tuple(name for owner, name in self._by_key if owner == service)
