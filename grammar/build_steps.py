"""From trees of `steps.lark` to values of the model: actions, steps, triggers, conditions.

One function per rule, one level each. What cannot be built (JSON that is no action, a step number where there are no
steps) is a `NotBuilt` in plain words. Nothing is looked up in a workspace here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from engine.convert import mistake
from engine.errors import EngineError
from engine.events import kind_of
from engine.formulas import And, Compare, Formula, IsEmpty, Literal, Not, Or, TextTest, Variable
from engine.model import Action, Call, Goto, Retry, State, Stop, Target, Trigger, Wait, Way
from grammar.drafts import Draft
from grammar.phrases import Phrase
from grammar.scanners import NoUnit
from grammar.tree import Leaf, Node

_ACTION: Final[TypeAdapter[Action]] = TypeAdapter(Action)
HOUR: Final = 3_600
HOURLY: Final = "0 * * * *"
_MEASURED_NAME: Final = {"viewers": "viewers", "bits": "bits", "count": "count", "months": "months", "level": "level"}


class NotBuilt(EngineError):
    """A sentence has the right form but no meaning; the text says why."""


PlaceName = Callable[[int], str]
_Model = TypeVar("_Model")


def _no_places(number: int) -> str:
    raise NotBuilt(f'step {number} has to be named here: go to step "name"')


@dataclass(frozen=True, slots=True)
class StepBuilder:
    """Builds what stands in trees.

    Attributes:
        by_rule: The phrase of each generated rule (`Driver.phrases.by_rule`).
        place_name: The name of the step with a number, for `go to step 3`.
    """

    by_rule: Mapping[str, Phrase]
    place_name: PlaceName = _no_places

    # Actions -----------------------------------------------------------------------------------------------------------

    def action(self, node: Node) -> Action:
        """What a step does."""
        match node.rule:
            case "wait":
                return cast("Action", _valid(Wait, seconds=_length(node)))
            case "goto":
                return Goto(to=self._place(node))
            case "stop_here":
                return Stop()
            case "do_kind":
                return _checked(lambda: _ACTION.validate_python(_value(node, "JSON")))
            case "do_call":
                return self._named_call(node)
            case _:
                return self._call(node)

    def _named_call(self, node: Node) -> Action:
        service, _, method = str(_value(node, "METHOD")).partition(".")
        written = node.leaf("JSON")
        params = written.value if written is not None else {}
        return _checked(
            lambda: _ACTION.validate_python({"kind": "call", "service": service, "method": method, "params": params})
        )

    def _call(self, node: Node) -> Call:
        phrase = self.by_rule[node.rule]
        params: dict[str, JsonValue] = dict(phrase.method.fixed.get(phrase.index, {}))
        for param, leaf in zip(phrase.slots, node.leaves(), strict=True):
            params[param.name] = slot_value(leaf)
        return Call(service=phrase.method.service, method=phrase.method.name, params=params)

    def _place(self, node: Node) -> str:
        leaf = node.leaf("STRING", "NUMBER")
        if leaf is None:
            raise NotBuilt("go to which step?")
        return str(leaf.value) if leaf.type == "STRING" else self.place_name(int(leaf.value))

    # Steps -------------------------------------------------------------------------------------------------------------

    def steps(self, node: Node) -> tuple[Draft, ...]:
        """All the steps of a `steps` tree; numbers before them are only for people."""
        return tuple(self.step(child) for child in node.nodes("step"))

    def step(self, node: Node) -> Draft:
        """One step; a name that was not written is a placeholder."""
        name = node.leaf("NAME")
        first, *options = node.nodes()
        action = self.action(first)
        said: dict[str, Any] = {}
        transitions: dict[str, Target] = {}
        ends = False
        for option in options:
            if option.rule == "option_end":
                ends = True
            else:
                self._option(option, said, transitions)
        state = cast(
            "State",
            _valid(
                State,
                name=str(name.value) if name is not None else action.kind,
                action=action,
                transitions=transitions,
                **said,
            ),
        )
        return Draft(state, named=name is not None, typed=first.rule not in ("do_kind", "do_call"), ends=ends)

    def _option(self, node: Node, said: dict[str, Any], transitions: dict[str, Target]) -> None:
        target = node.node("target_step", "target_ways")
        match node.rule:
            case "option_success":
                transitions["success"] = self.target(target)
            case "option_failure":
                transitions["error"] = self.target(target)
            case "option_edge":
                transitions[str(_value(node, "EDGE", "STRING"))] = self.target(target)
            case "option_time_limit":
                said["timeout_seconds"] = _seconds(node)
            case "option_retry" | "option_retry_json":
                said["retry"] = retry_of(node)
            case "option_carry_on":
                said["critical"] = False
            case "option_switched_off":
                said["enabled"] = False
            case "option_note":
                said["description"] = _value(node, "STRING")
            case other:
                raise AssertionError(f"steps.lark has no option {other}")

    def target(self, node: Node | None) -> Target:
        """Where an edge leads."""
        if node is None:
            raise NotBuilt("leads where?")
        if node.rule == "target_step":
            return self._place(node)
        return tuple(Way(when=_formula(way), to=self._place(way)) for way in node.nodes("way"))

    # Triggers ----------------------------------------------------------------------------------------------------------

    def trigger(self, node: Node) -> Trigger:
        """What starts a workflow."""
        event = node.node()
        if event is None:
            raise NotBuilt("when what happens?")
        said = _event(event)
        lines = node.node("min_lines")
        if lines is not None:
            said["min_lines"] = _value(lines, "NUMBER")
        if node.node("only_live") is not None:
            said["only_live"] = True
        guard = next((condition(child) for child in node.nodes() if child.rule.startswith("condition")), None)
        if guard is not None:
            said["when"] = guard if "when" not in said else And((said["when"], guard))
        written = node.leaf("JSON")
        extra = written.value if written is not None else {}
        if set(extra) & {"on", "when"}:
            raise NotBuilt("what happens and under which condition is said in words, not in JSON")
        if twice := sorted(set(extra) & set(said)):
            raise NotBuilt(f'"{twice[0]}" is said in words already, and once more in JSON')
        return cast("Trigger", _valid(Trigger, **said, **extra))


# Values -----------------------------------------------------------------------------------------------------------------


def slot_value(leaf: Leaf) -> JsonValue:
    """The value of a param as it stood in a sentence."""
    match leaf.type:
        case "DURATION":
            with_unit(leaf)
            return leaf.value if isinstance(leaf.value, str) else _plain(leaf.value)
        case "ONOFF":
            return bool(leaf.value == "true")
        case _:
            return cast("str | float", leaf.value)


def retry_of(node: Node) -> Retry:
    """`retry 3 times waiting 5 seconds`: three more tries after the first."""
    written = node.leaf("JSON")
    if written is not None:
        return _checked(lambda: Retry.model_validate(written.value))
    said: dict[str, Any] = {"max_attempts": _value(node, "NUMBER") + 1}
    if node.leaf("DURATION") is not None:
        said["delay_seconds"] = _seconds(node)
    return cast("Retry", _valid(Retry, **said))


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _value(node: Node, *types: str) -> Any:
    leaf = node.leaf(*types)
    if leaf is None:
        raise AssertionError(f"{node.rule} has no {' or '.join(types)}")
    return leaf.value


def with_unit(leaf: Leaf) -> None:
    """Refuses a length of time whose unit was not said; a conversation asks for it before anything is built."""
    if isinstance(leaf.value, NoUnit):
        raise NotBuilt(f"{leaf.text} what? Say {leaf.text} seconds, or {leaf.text} minutes")


def _length(node: Node) -> Any:
    leaf = node.leaf("DURATION")
    if leaf is None:
        raise AssertionError(f"{node.rule} has no DURATION")
    with_unit(leaf)
    return leaf.value


def _seconds(node: Node) -> float:
    leaf = node.leaf("DURATION", "UNIT_LENGTH")
    if leaf is None:
        raise AssertionError(f"{node.rule} has no DURATION")
    return _length_of(leaf)


def _length_of(leaf: Leaf) -> float:
    with_unit(leaf)
    if leaf.quoted:
        raise NotBuilt("this time has to be written out, such as 10 seconds")
    return float(leaf.value)


def _formula(node: Node) -> Formula | None:
    leaf = node.leaf("FORMULA")
    return None if leaf is None else cast("Formula", leaf.value)


def _valid(model: Callable[..., Any], **values: Any) -> Any:
    return _checked(lambda: model(**values))


def _checked(make: Callable[[], _Model]) -> _Model:
    try:
        return make()
    except ValidationError as error:
        raise NotBuilt(mistake(error)) from None


# Events -----------------------------------------------------------------------------------------------------------------


def _event(node: Node) -> dict[str, Any]:
    match node.rule:
        case "event_plain":
            return {"on": _value(node, "EVENT")}
        case "event_measured":
            return _measured(node)
        case "event_command":
            return _command(node)
        case "event_reward":
            return {"on": "reward.redeemed", "when": _equals("reward", _value(node, "REWARD"))}
        case "event_category":
            return {"on": "category.changed", "when": _equals("category", _value(node, "NEW_NAME", "STRING"))}
        case "event_named":
            return {"on": _value(node, "STRING")}
        case "every":
            return _every(_seconds(node))
        case "every_random":
            return _random_interval(node)
        case "at_once":
            return _once(node)
        case "at_days":
            return _schedule(node)
        case "hourly":
            return _hourly(node)
        case other:
            raise AssertionError(f"steps.lark has no event {other}")


def _equals(path: str, value: str) -> Formula:
    return Compare("==", Variable(path), Literal(value))


def _command(node: Node) -> dict[str, Any]:
    typed = str(_value(node, "COMMAND", "STRING"))
    where = node.leaf("WHERE")
    name = "discord.message.received" if where is not None and where.value == "discord" else "message.received"
    if typed.startswith("!") and " " not in typed:
        return {"on": name, "when": _equals("command", typed.lower())}
    return {"on": name, "when": TextTest("contains", Variable("message"), Literal(typed))}


def _measured(node: Node) -> dict[str, Any]:
    name = _value(node, "EVENT")
    kind = kind_of(name)
    measure = node.node("measure")
    if kind is None or measure is None or kind.measure is None:
        counted = kind.clause if kind is not None else name
        raise NotBuilt(f'"{counted}" cannot be counted; say the condition with if')
    compared = measure.leaf("COMPARE", "COMPARE_SUFFIX")
    unit = measure.leaf("UNIT")
    if unit is not None and unit.value != kind.measure:
        raise NotBuilt(f'"{kind.clause}" is counted in {kind.unit or kind.measure}, not in {unit.text}')
    operator: Any = compared.value if compared is not None else "=="
    number = Literal(_value(measure, "NUMBER"))
    return {"on": name, "when": Compare(operator, Variable(kind.measure), number)}


def _hourly(node: Node) -> dict[str, Any]:
    if _seconds(node) != HOUR:
        raise NotBuilt("only every hour can be on the hour; for other times say at which, such as every day at 19:30")
    return {"on": "schedule.fired", "schedule": HOURLY}


def _random_interval(node: Node) -> dict[str, Any]:
    """`every 20 to 40 minutes`: a first length without a unit has the second's."""
    least, most = (child for child in node.children if isinstance(child, Leaf))
    longest = _length_of(most)
    if isinstance(least.value, NoUnit):
        return {**_every(least.value.number * _unit_of(most, longest)), "every_most_seconds": longest}
    return {**_every(_length_of(least)), "every_most_seconds": longest}


def _every(seconds: float) -> dict[str, Any]:
    return {"on": "interval.elapsed", "every_seconds": seconds}


def _unit_of(leaf: Leaf, seconds: float) -> float:
    """The seconds of the unit in `40 minutes`."""
    number = re.match(r"\d+(?:\.\d+)?", leaf.text)
    if number is None or not float(number.group()):
        raise NotBuilt(f"say both lengths with their units, such as every 20 minutes to {leaf.text}")
    return seconds / float(number.group())


def _once(node: Node) -> dict[str, Any]:
    minutes = int(_value(node, "TIME"))
    at = f"{_value(node, 'DATE')}T{minutes // 60:02}:{minutes % 60:02}"
    return {"on": "schedule.fired", "at": at}


def _schedule(node: Node) -> dict[str, Any]:
    minutes = int(_value(node, "TIME"))
    days = node.leaf("DAYS")
    return {
        "on": "schedule.fired",
        "schedule": f"{minutes % 60} {minutes // 60} * * {days.value if days is not None else '*'}",
    }


# Conditions -------------------------------------------------------------------------------------------------------------


def condition(node: Node) -> Formula:
    """A condition in words or in parentheses."""
    parts = tuple(_comparison(child) for child in node.nodes())
    if len(parts) == 1:
        return parts[0]
    return Or(parts) if node.rule == "condition_any" else And(parts)


def _comparison(node: Node) -> Formula:
    match node.rule:
        case "formula":
            return cast("Formula", _value(node, "FORMULA"))
        case "compare":
            operator = _value(node, "COMPARE")
            return Compare(operator, _variable(node), Literal(_value(node, "NUMBER", "STRING")))
        case "text_test":
            return TextTest(_value(node, "CONTAINS"), _variable(node), Literal(_value(node, "STRING")))
        case "is_empty":
            return IsEmpty(_variable(node))
        case "is_not_empty":
            return Not(IsEmpty(_variable(node)))
        case "there_are":
            operator = _value(node, "COMPARE", "COMPARE_SUFFIX")
            return Compare(operator, Variable(_MEASURED_NAME[_value(node, "UNIT")]), Literal(_value(node, "NUMBER")))
        case "has_role":
            return _has_role(node)
        case "has_no_role":
            return Not(_has_role(node))
        case other:
            raise AssertionError(f"steps.lark has no comparison {other}")


def _variable(node: Node) -> Variable:
    return Variable(str(_value(node, "VARIABLE")))


def _has_role(node: Node) -> Formula:
    return TextTest("contains", Variable("user.roles"), Literal(_value(node, "ROLE")))
