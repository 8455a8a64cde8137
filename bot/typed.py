"""A coroutine with a pydantic model for its params and another for its result, as a method that services declare and perform.

What the coroutine's signature and models say is the declaration; nothing is written twice. Values are checked on the way in
and on the way out, and what is wrong with one is told in words for people. It knows one method and no service.
"""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from engine.convert import mistake
from engine.declare import Method, Param, ParamType, Right
from engine.execution import Done, Effect, Failed, Result, Unknown
from engine.secrets import Secret
from engine.storable import size_of

Begin = Callable[[], Awaitable[None]]

MAX_MESSAGE: Final = 400
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TYPES: Final[Mapping[Any, ParamType]] = {
    str: "text",
    SecretStr: "text",
    bool: "boolean",
    int: "number",
    float: "number",
}


class PluginError(Exception):
    """Something a plugin says of itself that cannot be; the text tells its author what."""


class ServiceError(Exception):
    """It was not done; raised by a method.

    Args:
        code: A short word such as `not_found`, which `retry on` can name.
        message: One sentence for people.
        retryable: Whether trying again may help.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable

    def result(self) -> Failed:
        """What the engine is told."""
        code = self.code if _CODE.fullmatch(self.code) else "error"
        return Failed(code, _short(self.message), self.retryable)


class OutcomeUnknown(Exception):
    """Nobody can say whether it was done; raised by a method after it handed its request over."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of the step that asks.

    Attributes:
        id: The same for the same ask for ever, also after a crash; hand it on where a platform takes such a key.
        workflow: Id of the workflow; `step` is the step's name in it.
        attempt: Which try this is, from 1.
    """

    id: str
    community: str
    execution: str
    workflow: str
    step: str
    attempt: int


# What a param's annotation may carry ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of thing a param is in sentences, where its Python type does not say it."""

    type: ParamType


@dataclass(frozen=True, slots=True)
class Slot:
    """The word by which people are asked for a param, if not its name."""

    word: str


User = Annotated[str, Kind("user")]
Channel = Annotated[str, Kind("channel")]
Scene = Annotated[str, Kind("scene")]
Source = Annotated[str, Kind("source")]
Filter = Annotated[str, Kind("filter")]
Sound = Annotated[str, Kind("sound")]
Reward = Annotated[str, Kind("reward")]
Role = Annotated[str, Kind("role")]
Counter = Annotated[str, Kind("counter")]
Seconds = Annotated[float, Kind("seconds")]


# Declaring ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Options:
    """What is said of a method beside its signature; see `engine.declare.Method`."""

    name: str | None
    phrases: tuple[str, ...]
    fixed: Mapping[int, Mapping[str, JsonValue]]
    verb: str
    noun: tuple[str, ...]
    repeatable: bool
    right: Right
    aliases: tuple[str, ...]
    scopes: tuple[str, ...]
    cacheable_seconds: float


class NoParams(BaseModel):
    """The params of a method that takes none."""


class TypedMethod:
    """One coroutine of a service, declared and checked.

    Args:
        service: The service's name.
        function: A coroutine function of it: `(self, params: Model, call: Call, begin: Begin) -> Result`, of which
            all but `self` may be left out.
        options: What its decorator said.

    Raises:
        PluginError: It cannot be declared so.
    """

    def __init__(self, service: str, function: Callable[..., Any], options: Options) -> None:
        self._function = function
        self._where = f"{service}.{function.__name__}"
        hints = self._hints()
        self._takes = self._parts(hints)
        self._params = self._model(hints)
        self._answer: TypeAdapter[Any] = TypeAdapter(hints["return"])
        self.settling: Callable[..., Any] | None = None
        self.declaration = self._declared(service, options)
        self._names = frozenset(param.name for param in self.declaration.params)
        self._secret = frozenset(param.name for param in self.declaration.params if param.secret)

    def _hints(self) -> dict[str, Any]:
        if not inspect.iscoroutinefunction(self._function):
            raise PluginError(f"{self._where} is not a coroutine: write `async def`")
        try:
            hints = get_type_hints(self._function, include_extras=True)
        except (NameError, TypeError) as error:
            raise PluginError(f"the annotations of {self._where} cannot be read: {error}") from error
        if "return" not in hints:
            raise PluginError(f"{self._where} does not say what it returns: annotate a model, or None")
        return hints

    def _parts(self, hints: Mapping[str, Any]) -> tuple[str, ...]:
        names = tuple(inspect.signature(self._function).parameters)[1:]
        for name in names:
            if name not in ("params", "call", "begin"):
                raise PluginError(
                    f"{self._where} takes {name!r}; a method takes params, call and begin, by these names"
                )
            if name not in hints:
                raise PluginError(f"{self._where} does not say what its {name!r} is: annotate it")
        return names

    def _model(self, hints: Mapping[str, Any]) -> type[BaseModel]:
        model = hints.get("params", NoParams)
        if not (inspect.isclass(model) and issubclass(model, BaseModel)):
            raise PluginError(f"the params of {self._where} must be a pydantic model")
        return model

    def _declared(self, service: str, options: Options) -> Method:
        name = options.name or self._function.__name__
        for each in (name, *options.aliases):
            if not _NAME.fullmatch(each):
                raise PluginError(f"{each!r} is no name for a method: write small letters, digits and _")
        params = tuple(self._param(key, field) for key, field in self._params.model_fields.items())
        return Method(
            service,
            name,
            params,
            options.phrases,
            {index: dict(values) for index, values in options.fixed.items()},
            options.verb,
            options.noun,
            options.repeatable,
            options.right,
            options.aliases,
            options.scopes,
            options.cacheable_seconds,
        )

    def _param(self, name: str, field: FieldInfo) -> Param:
        if field.alias is not None or field.validation_alias is not None:
            raise PluginError(f"the param {name!r} of {self._where} has an alias; give the field itself that name")
        kind = next((each.type for each in field.metadata if isinstance(each, Kind)), None)
        slot = next((each.word for each in field.metadata if isinstance(each, Slot)), None)
        bare, inner = _without_none(field.annotation)
        default = field.default if not field.is_required() and field.default_factory is None else None
        return Param(
            name,
            kind or inner or _type_of(bare),
            required=field.is_required(),
            default=default if size_of(default) is not None else None,
            secret=bare is SecretStr,
            slot=slot,
        )

    # Performing ------------------------------------------------------------------------------------------------------------

    async def perform(self, service: Any, effect: Effect, begin: Begin) -> Result:
        """Let the coroutine do it, with params that fit, and take its answer if that fits."""
        try:
            params = self._read(effect.params)
        except _WrongParam as wrong:
            return Failed("wrong_param", f"{self.declaration.key}: {wrong}")
        if "begin" not in self._takes:
            await begin()
        try:
            answer = await self._function(service, **self._given(params, effect, begin))
        except ServiceError as error:
            return error.result()
        except OutcomeUnknown as error:
            return Unknown(_short(str(error)))
        return self._result(answer)

    async def settle(self, service: Any, effect: Effect) -> Result | None:
        """What the service finds out about an effect that was begun before a crash; None if it cannot know."""
        if self.settling is None:
            return None
        try:
            answer = await self.settling(service, self._read(effect.params), _call(effect))
        except ServiceError as error:
            return error.result()
        except _WrongParam:
            return None
        return None if answer is None else self._result(answer)

    def _given(self, params: BaseModel, effect: Effect, begin: Begin) -> dict[str, Any]:
        everything = {"params": params, "call": _call(effect), "begin": begin}
        return {name: everything[name] for name in self._takes}

    def _read(self, params: Mapping[str, Any]) -> BaseModel:
        for name in params:
            if name not in self._names:
                takes = ", ".join(sorted(self._names)) or "nothing"
                raise _WrongParam(f'there is no param "{name[:40]}"; it takes {takes}')
        given = {name: self._revealed(name, value) for name, value in params.items()}
        try:
            return self._params.model_validate(given)
        except ValidationError as error:
            raise _WrongParam(in_words(error, self._secret)) from None

    def _revealed(self, name: str, value: Any) -> Any:
        return value.reveal() if isinstance(value, Secret) and name in self._secret else value

    def _result(self, answer: Any) -> Result:
        """The answer as it is kept, if it is what the method declares."""
        try:
            kept = self._answer.dump_json(answer, by_alias=True, warnings="none")
            checked = self._answer.dump_json(answer, by_alias=True, round_trip=True, warnings="none")
            self._answer.validate_json(checked, strict=True)
        except ValidationError as error:
            return self._bad_result(in_words(error))
        except Exception:  # noqa: BLE001  a value may break in as many ways as there are values
            return self._bad_result("it holds something that cannot be kept")
        return Done(json.loads(kept))

    def _bad_result(self, why: str) -> Failed:
        name = self.declaration.key
        return Failed("bad_result", f"{name} was done, but its answer is not what it declares: {why}")


class _WrongParam(Exception):
    """A param that does not fit, in words."""


def _call(effect: Effect) -> Call:
    return Call(effect.id, effect.community, effect.execution, effect.workflow, effect.state, effect.attempt)


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_MESSAGE else sentence[: MAX_MESSAGE - 1] + "…"


def _without_none(annotation: Any) -> tuple[Any, ParamType | None]:
    """An annotation without `| None`, and the kind its only other member carries."""
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        annotation = members[0] if len(members) == 1 else Any
    kind: ParamType | None = None
    if get_origin(annotation) is Annotated:
        annotation, *carried = get_args(annotation)
        kind = next((each.type for each in carried if isinstance(each, Kind)), None)
    return annotation, kind


def _type_of(annotation: Any) -> ParamType:
    if get_origin(annotation) in (list, tuple) or annotation in (list, tuple):
        return "list"
    return _TYPES.get(annotation, "any") if inspect.isclass(annotation) else "any"


# Mistakes in words -----------------------------------------------------------------------------------------------------


def in_words(error: ValidationError, secret: frozenset[str] = frozenset()) -> str:
    """The first thing wrong with a value, in words for people and never in the validator's own.

    Of a field in `secret` no more is said than that it does not fit: a reason may quote it.
    """
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    place = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
    if first["type"] != "missing" and secret.intersection(first["loc"][:1]):
        return f"{place}: it does not fit"
    match first["type"]:
        case "missing":
            return f'"{place}" is missing'
        case "string_too_short":
            what = f"it needs at least {context['min_length']:,} characters"
        case "less_than":
            what = f"it must be less than {context['lt']:,}"
        case "value_error" | "assertion_error":
            what = str(context["error"]) or "it does not fit"
        case _:
            said = mistake(error)
            # What is not worded yet would come in the validator's words.
            return said.replace(first["msg"], "it does not fit") if first["msg"] in said else said
    return f"{place}: {what}" if place else what
