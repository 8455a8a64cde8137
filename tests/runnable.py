"""Draws workflows that can be run: every kind of action, nested, with edges, guards, limits and failures of all sorts.

Unlike `tests.strategies`, which draws whatever can be written, all of these compile; whether they make sense is another
matter. Methods are those of the service `svc`: `look` may be repeated, `say` may not.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from engine.declare import Declarations, Method, Param

DECLARATIONS = Declarations(
    (
        Method("svc", "look", (Param("n", "any", required=False),), repeatable=True),
        Method("svc", "say", (Param("n", "any", required=False),)),
    )
)
EVENTS = ("follow.received", "message.received", "made.up")
GUARDS = st.sampled_from(["n > 1", "missing is empty", "n / 0 == 1", "n < 3", "loop.round > 1"])
DEPTH = 2
MOST_STATES = 14


@dataclass
class _Making:
    """What is drawn so far: names in order, and how many states may still come."""

    draw: Any
    left: int = MOST_STATES
    names: int = 0
    kinds: set[str] = field(default_factory=set)

    def name(self) -> str:
        self.names += 1
        self.left -= 1
        return f"s{self.names}"


@st.composite
def definitions(draw: st.DrawFn, *, id: str = "w", runs: tuple[str, ...] = ("other", "w")) -> dict[str, Any]:
    """A workflow as JSON data."""
    making = _Making(draw)
    states = _block(making, DEPTH, runs, outermost=True)
    names = [state["name"] for state in states]
    extra = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "on_error": st.sampled_from(names),
                "timeout_seconds": st.sampled_from([7, 30]),
                "max_loop_iterations": st.sampled_from([1, 3, 20]),
            },
        )
    )
    return {"id": id, "name": id, "initial_state": names[0], "states": states, **extra}


def _block(making: _Making, depth: int, runs: tuple[str, ...], *, outermost: bool = False) -> list[dict[str, Any]]:
    count = making.draw(st.integers(2 if outermost else 1, 4 if outermost else 2))
    names = [making.name() for _ in range(count)]
    return [_state(making, name, names, place, depth, runs) for place, name in enumerate(names)]


def _state(
    making: _Making, name: str, names: list[str], place: int, depth: int, runs: tuple[str, ...]
) -> dict[str, Any]:
    draw = making.draw
    action = _action(making, names, depth, runs)
    transitions: dict[str, Any] = {}
    if place + 1 < len(names) and draw(st.integers(0, 5)):
        transitions["success"] = names[place + 1]
    elif draw(st.integers(0, 4)) == 0:
        transitions["success"] = draw(_targets(names))
    for event in ("error", "timeout", "cancel", "unknown", "made.up"):
        if draw(st.integers(0, 5)) == 0:
            transitions[event] = draw(_targets(names))
    state: dict[str, Any] = {"name": name, "action": action, "transitions": transitions}
    if draw(st.integers(0, 4)) == 0:
        state["timeout_seconds"] = draw(st.sampled_from([1, 5]))
    if "service" in action and draw(st.integers(0, 2)) == 0:
        state["retry"] = {"max_attempts": 3, "delay_seconds": draw(st.sampled_from([0, 2])), "backoff": 2}
    if draw(st.integers(0, 5)) == 0:
        state["critical"] = False
    if draw(st.integers(0, 11)) == 0:
        state["enabled"] = False
    return state


def _targets(names: list[str]) -> st.SearchStrategy[Any]:
    ways = st.lists(
        st.builds(lambda when, to: {"when": when, "to": to}, GUARDS, st.sampled_from(names)), min_size=1, max_size=2
    )
    return st.one_of(st.sampled_from(names), st.sampled_from(names), ways)


def _call(draw: Any) -> dict[str, Any]:
    params = draw(st.sampled_from([{}, {"n": "${n}"}, {"n": "${missing}"}, {"n": "${loop.round}"}]))
    return {"service": "svc", "method": draw(st.sampled_from(["look", "say"])), "params": params}


def _action(  # noqa: C901  one case a kind
    making: _Making, names: list[str], depth: int, runs: tuple[str, ...]
) -> dict[str, Any]:
    draw = making.draw
    nested = depth > 0 and making.left > 2
    kind = draw(
        st.sampled_from(
            ["call", "call", "call", "call", "wait", "wait", "wait_for", "collect", "set", "transform", "goto", "stop"]
            + ["emit", "run"]
            + (["choose", "parallel", "parallel", "repeat", "for_each"] if nested else [])
        )
    )
    making.kinds.add(kind)
    match kind:
        case "call":
            return _call(draw)
        case "wait":
            seconds = draw(st.sampled_from([0, 3, 3, 1, "${n}"]))
            return {"service": "internal", "method": "wait", "params": {"seconds": seconds}}
        case "wait_for":
            extra = draw(
                st.fixed_dictionaries(
                    {}, optional={"who": st.sampled_from(["bob", "${user}"]), "consume": st.just(True), "when": GUARDS}
                )
            )
            return {"kind": "wait_for", "event": draw(st.sampled_from(EVENTS)), **extra}
        case "collect":
            bounds = draw(st.sampled_from([{"seconds": 4}, {"count": 2}, {"seconds": 4, "count": 1}, {"seconds": 0}]))
            once = draw(st.booleans())
            return {"kind": "collect", "event": draw(st.sampled_from(EVENTS)), "once_per_user": once, **bounds}
        case "set":
            return {"kind": "set", "values": {"n": draw(st.sampled_from([1, 2, "${n}"]))}}
        case "transform":
            return {"kind": "transform", "formula": "n + 1", "into": draw(st.sampled_from(["n", "m"]))}
        case "goto":
            return {"kind": "goto", "to": draw(st.sampled_from(names))}
        case "stop":
            return {"kind": "stop"}
        case "emit":
            return {"kind": "emit", "event": "made.up", "payload": {"n": "${n}"}}
        case "run":
            return {"kind": "run", "workflow": draw(st.sampled_from(runs)), "detached": draw(st.booleans())}
        case "choose":
            cases = [{"when": draw(GUARDS), "block": _inner(making, depth, runs)}]
            if draw(st.booleans()):
                cases.append({"block": _inner(making, depth, runs)})
            return {"kind": "choose", "cases": cases}
        case "parallel":
            count = draw(st.integers(1, 3))
            branches = []
            for number in range(count):
                needs = [f"b{draw(st.integers(0, number - 1))}"] if number and draw(st.integers(0, 2)) == 0 else []
                branches.append(
                    {
                        "name": f"b{number}",
                        "block": _inner(making, depth, runs),
                        "needs": needs,
                        "critical": draw(st.integers(0, 3)) > 0,
                    }
                )
            return {"kind": "parallel", "branches": branches, "join": draw(st.sampled_from(["all", "any", "none"]))}
        case "repeat":
            how = draw(st.sampled_from([{"times": 3}, {"times": "${n}"}, {"while": "n < 3"}, {}]))
            return {"kind": "repeat", "block": _inner(making, depth, runs), **how}
        case _:
            items = draw(st.sampled_from([["x", "y"], [], "a, b, c", "${missing}"]))
            return {"kind": "for_each", "items": items, "variable": "item", "block": _inner(making, depth, runs)}


def _inner(making: _Making, depth: int, runs: tuple[str, ...]) -> dict[str, Any]:
    states = _block(making, depth - 1, runs)
    return {"initial_state": states[0]["name"], "states": states}
