"""What authors of plugins build on: a service is a class, each of its methods one decorated coroutine.

    class Counter(PluginService):
        name = "counter"

        @method(phrases=("bump {what}",))
        async def bump(self, params: Bump, call: Call) -> Bumped: ...

A package offers such classes under the entry point group `showcaller.services`. Everything public is named here;
`docs/plugins.md` tells how it is used and `bot.testkit` is for tests. This module opens nothing and loads nothing.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

from pydantic import JsonValue

from bot.typed import (
    Begin,
    Call,
    Channel,
    Kind,
    Options,
    OutcomeUnknown,
    PluginError,
    Reward,
    Scene,
    Seconds,
    ServiceError,
    Slot,
    Sound,
    Source,
    TypedMethod,
    User,
)
from engine.declare import Method, Right
from engine.events import EventType
from engine.execution import Effect, Failed, Result

__all__ = [
    "GROUP",
    "Begin",
    "Call",
    "Channel",
    "EventType",
    "Kind",
    "OutcomeUnknown",
    "PluginError",
    "PluginService",
    "Reward",
    "Scene",
    "Seconds",
    "ServiceError",
    "Slot",
    "Sound",
    "Source",
    "Stage",
    "User",
    "method",
    "settle",
]

GROUP: Final = "showcaller.services"
_SERVICE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EVENT: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
_MARK: Final = "__showcaller_method__"
_SETTLES: Final = "__showcaller_settles__"

Coroutine = TypeVar("Coroutine", bound=Callable[..., Awaitable[Any]])


def method(
    *,
    name: str | None = None,
    phrases: Sequence[str] = (),
    fixed: Mapping[int, Mapping[str, JsonValue]] | None = None,
    verb: str = "",
    noun: Sequence[str] = (),
    repeatable: bool = False,
    right: Right = "moderator",
    aliases: Sequence[str] = (),
    scopes: Sequence[str] = (),
    cacheable_seconds: float = 0,
) -> Callable[[Coroutine], Coroutine]:
    """Make a coroutine a method of its service.

    Args:
        name: What workflows call it; the coroutine's name if left out.
        phrases: Sentences for it with `{param}` slots; the first is the one the bot says. `[word]` may be left out and
            `(a|b)` is a choice, but not in the first.
        fixed: Params that a phrase stands for by itself: {phrase index: {param: value}}.
        verb: The stem of a step's name; the method's name if left out.
        noun: The words by which a step of this kind is referred to ("the bump").
        repeatable: Whether doing it twice under one call id is harmless. Not, unless said.
        right: The least role that whoever writes such a step must hold.
        aliases: Other names for the same deed.
        scopes: What a platform must have granted.
        cacheable_seconds: How long a result may be reused; 0 = never.
    """
    options = Options(
        name,
        tuple(phrases),
        fixed or {},
        verb,
        tuple(noun),
        repeatable,
        right,
        tuple(aliases),
        tuple(scopes),
        cacheable_seconds,
    )

    def mark(function: Coroutine) -> Coroutine:
        setattr(function, _MARK, options)
        return function

    return mark


def settle(name: str) -> Callable[[Coroutine], Coroutine]:
    """Let a coroutine find out what became of a call of that method which was under way when the bot was stopped.

    It takes `(self, params, call)` and returns the method's result if it was done, raises a `ServiceError` if it was not, and
    returns None if that cannot be known.
    """

    def mark(function: Coroutine) -> Coroutine:
        setattr(function, _SETTLES, name)
        return function

    return mark


class Stage:
    """What a service knows of the bot it serves.

    Args:
        now: UTC seconds since 1970, on the bot's clock.
        sleep: Sleeps so many seconds on that clock; a virtual one moves only when it is told to.
        setting: The value of a setting of this service, or None: `token` is what `/config secret lamp.token ...` set.
        happened: Tells the bot of an event: name, the user's name or None, the event's own id or None, and its fields.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        setting: Callable[[str], JsonValue],
        happened: Callable[[str, str | None, str | None, Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.setting = setting
        self._happened = happened

    async def happened(self, name: str, *, user: str | None = None, id: str | None = None, **fields: JsonValue) -> None:
        """Let workflows hear of an event that the service declares.

        Args:
            name: Its canonical name.
            user: Whom it is about.
            id: Its own id, if it has one: a second event of the same id is the same event.
            fields: What it carries.
        """
        await self._happened(name, user, id, fields)


class PluginService:
    """A service of a plugin. Made once, without arguments; `opened` and `closed` are for what takes time.

    Attributes:
        name: As written in actions.
        events: What it can tell of; workflows may start on these.
        stage: What it knows of its bot; there from `opened` on.
    """

    name: ClassVar[str] = ""
    events: ClassVar[Sequence[EventType]] = ()
    simulated: ClassVar[bool] = False
    stage: Stage
    _typed: ClassVar[Mapping[str, TypedMethod]] = {}
    _methods: ClassVar[Sequence[Method]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Declare what the class can do.

        Raises:
            PluginError: It cannot be declared so.
        """
        super().__init_subclass__(**options)
        if not cls.name:
            return
        _check_name(cls)
        typed = [TypedMethod(cls.name, function, mark) for function, mark in _marked(cls, _MARK)]
        by_name = {spelling: each for each in typed for spelling in (each.declaration.name, *each.declaration.aliases)}
        if len(by_name) < sum(1 + len(each.declaration.aliases) for each in typed):
            raise PluginError(f"{cls.name} has two methods of one name")
        for function, name in _marked(cls, _SETTLES):
            if name not in by_name:
                raise PluginError(f"{cls.name}.{function.__name__} settles {name!r}, but there is no such method")
            by_name[name].settling = function
        cls._typed = by_name
        cls._methods = tuple(each.declaration for each in typed)

    @property
    def methods(self) -> Sequence[Method]:
        """Its declarations."""
        return self._methods

    async def opened(self) -> None:
        """The bot is about to work; connect to what is needed. What is raised leaves this service out."""

    async def closed(self) -> None:
        """The bot has stopped; nothing more is asked."""

    async def perform(self, effect: Effect, begin: Begin) -> Result:
        """Do it; the kit calls the coroutine."""
        found = self._typed.get(effect.method)
        if found is None:
            return Failed("unknown_method", f"{self.name} cannot do {effect.method}")
        return await found.perform(self, effect, begin)

    async def settle(self, effect: Effect) -> Result | None:
        """Find out what became of it; the kit calls the coroutine that settles it, if there is one."""
        found = self._typed.get(effect.method)
        return None if found is None else await found.settle(self, effect)


def _check_name(cls: type[PluginService]) -> None:
    if not _SERVICE.fullmatch(cls.name):
        raise PluginError(f"{cls.name!r} is no name for a service: write small letters, digits and _")
    for kind in cls.events:
        if not _EVENT.fullmatch(kind.name):
            raise PluginError(f"{kind.name!r} is no name for an event: write it in the past tense and dotted")


def _marked(cls: type, mark: str) -> Iterator[tuple[Callable[..., Any], Any]]:
    """The functions of a class that carry a mark, inherited ones first, in the order they were written."""
    found = {
        name: function
        for owner in reversed(cls.__mro__)
        for name, function in vars(owner).items()
        if not name.startswith("__")
    }
    for function in found.values():
        if (value := getattr(function, mark, None)) is not None:
            yield function, value
