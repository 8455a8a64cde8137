"""What an author's class becomes: its declarations, the checks of what goes in and comes out, and the words of mistakes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator

from bot.plugins import (
    Begin,
    Call,
    OutcomeUnknown,
    PluginError,
    PluginService,
    Seconds,
    ServiceError,
    Slot,
    User,
    method,
    settle,
)
from engine.declare import Method, Param
from engine.execution import Done, Effect, Failed, Result, Unknown
from engine.secrets import Secret


class Order(BaseModel):
    """Params of every kind."""

    what: str = Field(min_length=2, max_length=10)
    who: User
    wait: Seconds = 5
    many: int = Field(default=1, ge=1, lt=10)
    warm: bool | None = None
    sorts: list[str] = []
    token: SecretStr | None = None
    rest: dict[str, int] = Field(default_factory=dict)
    due: date | None = None

    @field_validator("what")
    @classmethod
    def _not_soup(cls, what: str) -> str:
        if what == "soup":
            raise ValueError("soup is out")
        return what


class Served(BaseModel):
    """A result."""

    count: int
    note: str | None = None


class Kitchen(PluginService):
    """Answers whatever a test puts into `answer`."""

    name = "kitchen"
    answer: Any = None
    begun_before: bool | None = None

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.calls: list[Call] = []
        self.begun = 0

    @method(
        phrases=("serve {what} to {who}", "(bring|hand) {what} to {who}"),
        verb="serve",
        noun=("serving",),
        right="broadcaster",
        aliases=("bring",),
        scopes=("kitchen:write",),
        cacheable_seconds=30,
    )
    async def serve(self, params: Order, call: Call) -> Served:
        self.orders.append(params)
        self.calls.append(call)
        self.begun_before = self.begun > 0
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]

    @method(repeatable=True)
    async def ring(self, begin: Begin) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.begun_before = self.begun > 0
        await begin()

    @method()
    async def count(self) -> list[int]:
        return [1, 2]

    @settle("serve")
    async def was_served(self, params: Order, call: Call) -> Served | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


async def performed(kitchen: Kitchen, name: str, **params: Any) -> Result:
    async def begin() -> None:
        kitchen.begun += 1

    return await kitchen.perform(effect(name, **params), begin)


def effect(name: str, **params: Any) -> Effect:
    return Effect("run/main/serve/1", "home", "run", "dinner", "serve", "kitchen", name, params, False, 2)


def test_a_method_is_declared_as_its_signature_and_models_say() -> None:
    serve, ring, count = Kitchen().methods
    assert serve == Method(
        "kitchen",
        "serve",
        (
            Param("what", "text"),
            Param("who", "user"),
            Param("wait", "seconds", required=False, default=5),
            Param("many", "number", required=False, default=1),
            Param("warm", "boolean", required=False),
            Param("sorts", "list", required=False, default=[]),
            Param("token", "text", required=False, secret=True),
            Param("rest", "any", required=False),
            Param("due", "any", required=False),
        ),
        ("serve {what} to {who}", "(bring|hand) {what} to {who}"),
        {},
        "serve",
        ("serving",),
        repeatable=False,
        right="broadcaster",
        aliases=("bring",),
        scopes=("kitchen:write",),
        cacheable_seconds=30,
    )
    assert ring == Method("kitchen", "ring", repeatable=True)
    assert count == Method("kitchen", "count")


def test_a_method_may_have_another_name_and_a_param_another_word() -> None:
    class Place(BaseModel):
        """One param with a word of its own."""

        where: Annotated[str, Slot("place")]

    class Guide(PluginService):
        """One method."""

        name = "guide"

        @method(name="walk")
        async def go(self, params: Place) -> None: ...

    [go] = Guide().methods
    assert (go.name, go.params) == ("walk", (Param("where", slot="place"),))


async def test_params_arrive_as_the_model_and_the_call_is_known() -> None:
    kitchen = Kitchen()
    kitchen.answer = Served(count=3)
    result = await performed(kitchen, "bring", what="tea", who="bob", token=Secret("key", "hunter22"))

    assert result == Done({"count": 3, "note": None})
    [order] = kitchen.orders
    assert (order.what, order.wait, order.token) == ("tea", 5, SecretStr("hunter22"))
    assert kitchen.calls == [Call("run/main/serve/1", "home", "run", "dinner", "serve", 2)]


async def test_it_has_begun_before_the_coroutine_runs_unless_it_begins_itself() -> None:
    kitchen = Kitchen()
    kitchen.answer = Served(count=1)
    await performed(kitchen, "serve", what="tea", who="bob")
    assert (kitchen.begun_before, kitchen.begun) == (True, 1)

    kitchen = Kitchen()
    await performed(kitchen, "ring")
    assert (kitchen.begun_before, kitchen.begun) == (False, 1)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"who": "bob"}, '"what" is missing'),
        ({"what": "x", "who": "bob"}, "what: it needs at least 2 characters"),
        ({"what": "x" * 11, "who": "bob"}, "what: it has more than 10 characters"),
        ({"what": "soup", "who": "bob"}, "what: soup is out"),
        ({"what": "tea", "who": "bob", "many": 0}, "many: it must be 1 or more"),
        ({"what": "tea", "who": "bob", "many": 10}, "many: it must be less than 10"),
        ({"what": "tea", "who": "bob", "many": "lots"}, "many: it must be a whole number"),
        ({"what": "tea", "who": "bob", "warm": "maybe"}, "warm: it must be true or false"),
        ({"what": "tea", "who": "bob", "sorts": "green"}, "sorts: it must be a list"),
        ({"what": "tea", "who": "bob", "rest": {"a": "b"}}, "rest.a: it must be a whole number"),
        ({"what": "tea", "who": "bob", "due": "soon"}, "due: it does not fit"),
        ({"what": "tea", "who": "bob", "spoon": 1}, 'there is no param "spoon"; it takes'),
        ({"what": "tea", "who": "bob", "token": 5}, "token: it does not fit"),
        ({"what": Secret("key", "hunter22"), "who": "bob"}, "what: it must be a text"),
    ],
)
async def test_a_wrong_param_is_told_in_words_before_anything_begins(params: dict[str, Any], said: str) -> None:
    kitchen = Kitchen()
    result = await performed(kitchen, "serve", **params)

    assert isinstance(result, Failed)
    assert result.error == "wrong_param"
    assert result.message.startswith(f"kitchen.serve: {said}")
    assert not any(word in result.message for word in ("Input", "Value error", "pydantic", "hunter22"))
    assert (kitchen.begun, kitchen.orders) == (0, [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Served.model_construct(count="three"), "count: it must be a whole number"),
        (Served.model_construct(note="nothing to count"), '"count" is missing'),
        (None, "it must be an object"),
        ("done", "it must be an object"),
        (object(), "it holds something that cannot be kept"),
    ],
)
async def test_a_wrong_result_is_a_failure_that_says_it_was_done(answer: object, why: str) -> None:
    kitchen = Kitchen()
    kitchen.answer = answer
    result = await performed(kitchen, "serve", what="tea", who="bob")

    assert isinstance(result, Failed)
    assert result.error == "bad_result"
    assert result.message == f"kitchen.serve was done, but its answer is not what it declares: {why}"


async def test_a_result_need_not_be_a_model() -> None:
    assert await performed(Kitchen(), "count") == Done([1, 2])
    assert await performed(Kitchen(), "ring") == Done(None)


@pytest.mark.parametrize(
    ("raised", "result"),
    [
        (ServiceError("cold", "it is cold"), Failed("cold", "it is cold")),
        (ServiceError("busy", "all busy", retryable=True), Failed("busy", "all busy", retryable=True)),
        (ServiceError("Not A Code", "x" * 1_000), Failed("error", "x" * 399 + "…")),
        (OutcomeUnknown("nobody looked"), Unknown("nobody looked")),
    ],
)
async def test_what_a_method_raises_on_purpose_is_its_result(raised: Exception, result: Result) -> None:
    kitchen = Kitchen()
    kitchen.answer = raised
    assert await performed(kitchen, "serve", what="tea", who="bob") == result


async def test_what_nobody_foresaw_goes_on_to_the_engine() -> None:
    kitchen = Kitchen()
    kitchen.answer = RuntimeError("oh")
    with pytest.raises(RuntimeError):
        await performed(kitchen, "serve", what="tea", who="bob")


async def test_an_unknown_method_is_a_failure() -> None:
    assert await performed(Kitchen(), "wash") == Failed("unknown_method", "kitchen cannot do wash")


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        (Served(count=1), Done({"count": 1, "note": None})),
        (None, None),
        (ServiceError("gone", "it never came"), Failed("gone", "it never came")),
    ],
)
async def test_settling_asks_the_coroutine_that_settles(found: object, settled: Result | None) -> None:
    kitchen = Kitchen()
    kitchen.answer = found
    assert await kitchen.settle(effect("serve", what="tea", who="bob")) == settled


async def test_what_nothing_settles_stays_unknown() -> None:
    assert await Kitchen().settle(effect("ring")) is None
    assert await Kitchen().settle(effect("wash")) is None
    assert await Kitchen().settle(effect("serve", what="what was kept no longer fits", who="bob")) is None


async def test_a_subclass_has_the_methods_of_its_base_under_its_own_name() -> None:
    class Bar(Kitchen):
        """Another name."""

        name = "bar"

    assert [each.key for each in Bar().methods] == ["bar.serve", "bar.ring", "bar.count"]
    assert [each.key for each in Kitchen().methods] == ["kitchen.serve", "kitchen.ring", "kitchen.count"]
    assert await Bar().settle(effect("serve", what="tea", who="bob")) is None


# What cannot be declared -------------------------------------------------------------------------------------------------


class Aliased(BaseModel):
    """A param that is called otherwise outside."""

    inside: str = Field(alias="outside")


def _plain() -> Callable[..., Any]:
    async def plain(self: Any) -> None: ...

    return plain


async def _returns_nothing_said(self: Any): ...  # type: ignore[no-untyped-def]
async def _takes_more(self: Any, other: int) -> None: ...
async def _not_annotated(self: Any, params) -> None: ...  # type: ignore[no-untyped-def]
async def _no_model(self: Any, params: int) -> None: ...
async def _aliased(self: Any, params: Aliased) -> None: ...
async def _unreadable(self: Any, params: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def _no_coroutine(self: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_returns_nothing_said, "does not say what it returns"),
        (_takes_more, "takes 'other'"),
        (_not_annotated, "annotate it"),
        (_no_model, "must be a pydantic model"),
        (_aliased, "has an alias"),
        (_unreadable, "cannot be read"),
        (_no_coroutine, "async def"),
    ],
)
def test_a_method_that_cannot_be_declared_is_told_to_its_author(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(PluginError, match=why):
        type("Odd", (PluginService,), {"name": "odd", "do": method(name="do")(function)})


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"name": "Odd Name"}, "no name for a service"),
        ({"name": "odd", "do": method(name="Do It")(_plain())}, "no name for a method"),
        ({"name": "odd", "do": method(aliases=("do",), name="do")(_plain())}, "two methods of one name"),
        ({"name": "odd", "found": settle("nothing")(_plain())}, "there is no such method"),
    ],
)
def test_a_service_that_cannot_be_declared_is_told_to_its_author(members: dict[str, Any], why: str) -> None:
    with pytest.raises(PluginError, match=why):
        type("Odd", (PluginService,), members)


async def test_two_calls_at_once_do_not_meet() -> None:
    class Both(BaseModel):
        """Which of the two."""

        number: int

    class Pair(PluginService):
        """Waits for the other call before it answers."""

        name = "pair"
        met: ClassVar[asyncio.Barrier]

        @method()
        async def both(self, params: Both) -> int:
            await self.met.wait()
            return params.number

    Pair.met = asyncio.Barrier(2)

    async def begin() -> None: ...

    asked: list[Awaitable[Result]] = [
        Pair().perform(Effect(f"e{n}", "home", "e", "w", "s", "pair", "both", {"number": n}, False), begin)
        for n in (1, 2)
    ]
    assert await asyncio.gather(*asked) == [Done(1), Done(2)]
