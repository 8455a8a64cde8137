"""Workflows of all kinds, drawn from a number: the same number gives the same workflows, in whichever process.

They may run each other, but only those that come later in the list, so that no run has endless children; the last one is
started by the events that the others emit.
"""

from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from engine.model import Definition
from tests.runnable import definitions

COUNT: Final = 8
LISTENER: Final = "listener"
COUNTER: Final = "counted"
MOST_ROUNDS: Final = 20
"""How often a state may come in one run: what goes round without end fills the file, and tells nothing new."""
CHOSEN_OF: Final = 10
"""So many are drawn for each that is kept; the ones with more kinds of actions are."""
POLICIES: Final[tuple[dict[str, Any], ...]] = ({}, {"mode": "queued"}, {}, {"mode": "restart"}, {}, {"mode": "single"})


def draw(number: int) -> tuple[Definition, ...]:
    """The workflows of a number."""
    made = [_richest(number, place) for place in range(COUNT)]
    return (*(Definition.model_validate(each) for each in made), _listener())


def _drawn(number: int, place: int) -> list[dict[str, Any]]:
    drawn: list[dict[str, Any]] = []

    @seed(number * COUNT + place)
    @settings(
        max_examples=CHOSEN_OF,
        database=None,
        phases=(Phase.generate,),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(definitions(id=f"w{place}", runs=_later(place)))
    def collect(data: dict[str, Any]) -> None:
        drawn.append(data)

    collect()
    return drawn


def _later(place: int) -> tuple[str, ...]:
    return tuple(f"w{later}" for later in range(place + 1, COUNT)) or ("nobody",)


def _richest(number: int, place: int) -> dict[str, Any]:
    """Of the ones drawn for a place, the one with most in it."""
    found = max(_drawn(number, place), key=lambda each: len(repr(each)))
    policy = POLICIES[place % len(POLICIES)]
    _count_now_and_then(found["states"])
    return {**found, "max_loop_iterations": MOST_ROUNDS, "triggers": [f"crash.w{place}"], "policy": policy}


def _count_now_and_then(states: list[dict[str, Any]]) -> None:
    """Let some of the calls count up what the community keeps, instead of asking the service."""
    for state in states:
        action = state["action"]
        if "service" in action and action["service"] == "svc" and int(state["name"].removeprefix("s")) % 4 == 0:
            state["action"] = {"service": "data", "method": "add_to_counter", "params": {"counter": COUNTER}}
        for inner in (action, *action.get("cases", ()), *action.get("branches", ())):
            if "block" in inner:
                _count_now_and_then(inner["block"]["states"])


def _look(name: str) -> dict[str, Any]:
    return {"name": name, "action": {"service": "svc", "method": "look", "params": {}}, "transitions": {}}


def _listener() -> Definition:
    return Definition.model_validate(
        {
            "id": LISTENER,
            "name": LISTENER,
            "initial_state": "notice",
            "states": [_look("notice")],
            "triggers": ["made.up"],
        }
    )
