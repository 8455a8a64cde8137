"""What a bot can be asked to do: its own services and those of plugins, their methods and events, and the language over all of it.

A plugin that is broken costs only itself: it is left out, and one sentence says which and why. What the language cannot read
back exactly as it says it counts as broken too. This module opens no plugin and names no service of the bot.
"""

import contextlib
import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint
from math import prod
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from bot.plugins import PluginError, PluginService
from engine import events
from engine.declare import Declarations, Method, ParamType
from engine.errors import EngineError
from engine.events import EventType
from engine.model import Call, Definition, State, Trigger
from engine.ports import Service
from grammar.language import Language
from grammar.own_words import OWN_WORDS
from grammar.phrases import SLOTS, Phrase, cut

log = logging.getLogger(__name__)

MAX_METHODS: Final = 100
MAX_PHRASES: Final = 30
MAX_WORDINGS: Final = 600
CHOICES: Final = "[](|)"
_MAX_REASON: Final = 300
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_SAMPLES: Final[dict[ParamType, JsonValue]] = {
    "text": "some words",
    "number": 5,
    "boolean": True,
    "seconds": 30,
    "user": "ninja",
    "channel": "general",
    "scene": "Main",
    "source": "Webcam",
    "filter": "Blur",
    "sound": "horn",
    "reward": "Hydrate",
    "role": "Member",
    "counter": "deaths",
    "list": ["one", "two"],
    "any": "anything",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A service that somebody offers.

    Attributes:
        label: Who offers it, for people: `"lamp" of showcaller-lamp 1.0`.
        make: Makes it; may fail in any way.
    """

    label: str
    make: Callable[[], object]


@dataclass(frozen=True)
class Equipment:
    """What a bot can do.

    Attributes:
        builtin: The methods it knows without plugins.
        plugins: The services of plugins that fit.
        problems: One sentence for each plugin that was left out.
        tables: The folder in which the language keeps its tables; None if it keeps none.
    """

    builtin: Declarations
    plugins: tuple[Service, ...] = ()
    problems: tuple[str, ...] = ()
    tables: Path | None = None

    @cached_property
    def declarations(self) -> Declarations:
        """All methods."""
        return _declared(self.builtin, self.plugins)

    @cached_property
    def language(self) -> Language:
        """The language over all methods and events."""
        return Language(self.declarations, self.tables)

    def renewed(self, plugins: Sequence[Service]) -> "Equipment":
        """The same with new instances of the same services; the language is not built again."""
        for service in plugins:
            events.learn(_events_of(service))
        again = Equipment(self.builtin, tuple(plugins), self.problems, self.tables)
        again.__dict__["language"] = self.language
        return again

    def without(self, service: Service, why: str) -> "Equipment":
        """The same without one plugin, with the reason said."""
        events.forget(_events_of(service))
        kept = tuple(each for each in self.plugins if each is not service)
        return Equipment(self.builtin, kept, (*self.problems, _left_out(f'"{service.name}"', why)), self.tables)


def offered(entry_points: Iterable[EntryPoint]) -> Iterator[Found]:
    """What installed packages offer, in the order of its names."""
    for point in sorted(entry_points, key=lambda point: (point.name, point.value)):
        package = "" if point.dist is None else f" of {point.dist.name} {point.dist.version}"
        yield Found(f'"{point.name}"{package}', lambda point=point: point.load()())  # type: ignore[misc]


def equip(
    builtin: Declarations, reserved: Iterable[str], found: Iterable[Found], tables: Path | None = None
) -> Equipment:
    """Take every service that fits; what does not is left out and told.

    Args:
        builtin: The methods of the bot itself.
        reserved: Names no plugin may take.
        found: What is offered.
        tables: Where the language keeps its tables.
    """
    taken = dict.fromkeys(reserved, "the bot itself")
    made: list[_Made] = []
    problems: list[str] = []
    for each in found:
        try:
            service = _checked(_made(each), taken)
        except PluginError as error:
            problems.append(_left_out(each.label, str(error)))
            continue
        taken[service.name] = each.label
        made.append(_Made(each.label, service))
    equipment = _fitted(builtin, made, problems, tables)
    for problem in equipment.problems:
        log.error("%s", problem)
    return equipment


@dataclass(frozen=True, slots=True)
class _Made:
    label: str
    service: Service = field(compare=False)


def _left_out(label: str, why: str) -> str:
    why = why if len(why) <= _MAX_REASON else why[: _MAX_REASON - 1] + "…"
    return f"The plugin {label} was left out: {why.rstrip('.')}."


def _declared(builtin: Declarations, services: Iterable[Service]) -> Declarations:
    return Declarations((*builtin, *(method for service in services for method in service.methods)))


def _events_of(service: Service) -> Sequence[EventType]:
    return service.events if isinstance(service, PluginService) else ()


# One by one --------------------------------------------------------------------------------------------------------------


def _made(found: Found) -> object:
    """The service, whatever its making prints or raises."""
    printed = io.StringIO()
    try:
        # What is printed at import would stand among the bot's own answers.
        with contextlib.redirect_stdout(printed):
            return found.make()
    except PluginError:
        raise
    except (Exception, SystemExit) as error:
        log.exception("%s broke when it was loaded", found.label)
        told = f" ({error})" if str(error) else ""
        raise PluginError(f"it broke when it was loaded: {type(error).__name__}{told}") from error
    finally:
        if printed.getvalue():
            log.info("%s printed: %s", found.label, printed.getvalue()[:2_000])


def _checked(made: object, taken: dict[str, str]) -> Service:
    """What was made, if it is a service that can stand beside those there are."""
    service = _as_service(made)
    if not _NAME.fullmatch(service.name):
        raise PluginError(f"{service.name!r} is no name for a service")
    if service.name in taken:
        raise PluginError(f'the name "{service.name}" is taken by {taken[service.name]}')
    if len(service.methods) > MAX_METHODS:
        raise PluginError(f"it has {len(service.methods)} methods; {MAX_METHODS} are the most")
    try:
        Declarations(service.methods)
    except ValueError as error:
        raise PluginError(str(error)) from error
    for method in service.methods:
        _check_method(service, method)
    return service


def _as_service(made: object) -> Service:
    name, methods = getattr(made, "name", None), getattr(made, "methods", None)
    callable_ = all(callable(getattr(made, each, None)) for each in ("perform", "settle"))
    whole = isinstance(name, str) and isinstance(methods, Sequence) and hasattr(made, "simulated")
    if not (whole and callable_ and all(isinstance(each, Method) for each in methods or ())):
        raise PluginError(
            f"its entry point makes {type(made).__name__}, which is no service; name a PluginService class"
        )
    return made  # type: ignore[return-value]


def _check_method(service: Service, method: Method) -> None:
    if method.service != service.name:
        raise PluginError(f"{service.name} declares {method.key}, which is another service's")
    if len(method.phrases) > MAX_PHRASES:
        raise PluginError(f"{method.key} has {len(method.phrases)} phrases; {MAX_PHRASES} are the most")
    for index, written in enumerate(method.phrases):
        try:
            phrase = cut(method, index)
            wordings = phrase.words
        except ValueError as error:
            said = str(error)
            raise PluginError(said if said.startswith(method.key) else f"{method.key}: {said}") from error
        if index == 0 and any(character in written for character in CHOICES):
            raise PluginError(
                f'{method.key}: the first phrase "{written}" is the one the bot says, so it has no choices'
            )
        if not all(wordings[0]):
            raise PluginError(f'{method.key}: the phrase "{written}" must begin with a word of its own')
        if own := sorted(OWN_WORDS.intersection(words[0] for words in wordings[0])):
            raise PluginError(f'{method.key}: the phrase "{written}" begins with "{own[0]}", a word of the bot\'s own')
        left_out = {param.name for param in method.params if param.required} - {param.name for param in phrase.slots}
        if unsaid := sorted(left_out.difference(method.fixed.get(index, {}))):
            raise PluginError(f'{method.key}: the phrase "{written}" leaves out {unsaid[0]}, which is required')
        if prod(len(words) for words in wordings) > MAX_WORDINGS:
            raise PluginError(f'{method.key}: the phrase "{written}" can be said in more than {MAX_WORDINGS} ways')
    for index, values in method.fixed.items():
        if not 0 <= index < len(method.phrases) or any(method.param(name) is None for name in values):
            raise PluginError(f"{method.key}: `fixed` names a phrase or a param that is not there")


# Together --------------------------------------------------------------------------------------------------------------


def _fitted(builtin: Declarations, made: Sequence[_Made], problems: Sequence[str], tables: Path | None) -> Equipment:
    """All that the language takes: all at once if it can be, else one after another to find those it cannot."""
    if not made:
        return Equipment(builtin, (), tuple(problems), tables)
    whole = Equipment(builtin, tuple(each.service for each in made), tuple(problems), tables)
    if _misfit(whole, whole.plugins) is None:
        return whole
    fitting = Equipment(builtin, (), tuple(problems), tables)
    for each in made:
        more = Equipment(builtin, (*fitting.plugins, each.service), fitting.problems, tables)
        why = _misfit(more, (each.service,))
        if why is None:
            fitting = more
        else:
            fitting = Equipment(builtin, fitting.plugins, (*fitting.problems, _left_out(each.label, why)), tables)
    return fitting


def _misfit(equipment: Equipment, services: Iterable[Service]) -> str | None:
    """Why the language cannot take these services beside what it has; None if it can, and their events are learnt."""
    learnt: list[EventType] = []
    try:
        for service in services:
            learnt.extend(events.learn(_events_of(service)))
        why = next(_unsayable(equipment, services), None)
    except Exception as error:
        log.info("the language cannot take it", exc_info=error)
        why = f"the language cannot take its sentences: {_first_line(error)}"
    if why is not None:
        events.forget(learnt)
    return why


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _unsayable(equipment: Equipment, services: Iterable[Service]) -> Iterator[str]:
    """Sentences that would not be read as they are said: of these services, and of the bot since these are beside it."""
    for service in services:
        for method in service.methods:
            for index in range(len(method.phrases)):
                if not _is_said(equipment.language, method, index):
                    yield f'{method.key}: "{method.phrases[index]}" is not read back as it is said; another sentence has it'
        for kind in _events_of(service):
            if not _reads_back(equipment.language, _started_by(kind)):
                yield f'"when {kind.clause}" is not read back as {kind.name}; choose other words'
    for method in equipment.builtin:
        if method.phrases and not _is_said(equipment.language, method, 0):
            yield f'beside it "{method.phrases[0]}" ({method.key}) would no longer be understood'


def _is_said(language: Language, method: Method, index: int) -> bool:
    """Whether a phrase that the bot would say is read back; others, with choices in them, are only read."""
    written = method.phrases[index]
    if any(character in written for character in CHOICES):
        return index != 0
    phrase = cut(method, index)
    definition = _asking(method, phrase, method.fixed.get(index, {}))
    words = language.say_step(definition, definition.initial_state)
    # A list has no words of its own, so what asks for one is only read, and said as `do service.method with {...}`.
    said = any(SLOTS[param.type] == "JSON" for param in phrase.slots) or not words.startswith(f"do {method.key}")
    return said and _reads_back(language, definition)


def _reads_back(language: Language, definition: Definition) -> bool:
    try:
        return language.read_definition(language.say_definition(definition)) == definition
    except EngineError:
        return False


def _asking(method: Method, phrase: Phrase, fixed: dict[str, JsonValue]) -> Definition:
    """A workflow of one step that is said by this phrase."""
    params = {**{param.name: _SAMPLES[param.type] for param in phrase.slots}, **fixed}
    return _workflow([State(name="step", action=Call(service=method.service, method=method.name, params=params))])


def _started_by(kind: EventType) -> Definition:
    action = Call(service="internal", method="log", params={"message": "heard"})
    return _workflow([State(name="step", action=action)], [Trigger(on=kind.name)])


def _workflow(states: Sequence[State], triggers: Sequence[Any] = ()) -> Definition:
    return Definition(
        id="sample", name="sample", initial_state=states[0].name, states=tuple(states), triggers=tuple(triggers)
    )
