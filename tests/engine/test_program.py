"""Compiling a workflow: which waits may come right after a step, so that it listens for them and for no others."""

from typing import Any

import pytest

from engine.declare import Declarations
from engine.program import compile_program
from tests.fakes import METHODS, look, workflow

HEAR = {"name": "hear", "action": {"kind": "wait_for", "event": "message.received"}, "transitions": {}}


def block(*states: dict[str, Any]) -> dict[str, Any]:
    return {"initial_state": states[0]["name"], "states": list(states)}


def parallel(*needs: str) -> dict[str, Any]:
    branches = [{"name": "a", "block": block(look("first"))}, {"name": "b", "block": block(HEAR), "needs": list(needs)}]
    return {"name": "both", "action": {"kind": "parallel", "branches": branches, "join": "all"}}


def choose() -> dict[str, Any]:
    cases = [{"when": "n > 1", "block": block(look("first"))}, {"block": block(HEAR)}]
    return {"name": "either", "action": {"kind": "choose", "cases": cases}}


def repeat() -> dict[str, Any]:
    linked = [{**HEAR, "transitions": {"success": "first"}}, look("first")]
    return {"name": "rounds", "action": {"kind": "repeat", "times": 3, "block": block(*linked)}}


@pytest.mark.parametrize(
    ("state", "waits"),
    [(parallel("a"), ("hear",)), (parallel(), ()), (choose(), ()), (repeat(), ("hear",))],
    ids=["a branch that needs this one", "a branch beside this one", "another case", "the next round"],
)
def test_a_step_in_a_block_listens_for_the_waits_that_may_come_after_it(
    state: dict[str, Any], waits: tuple[str, ...]
) -> None:
    program = compile_program(workflow("w", look("before"), state), Declarations(METHODS))
    assert program.states["first"].next_waits == waits
    if state["name"] != "rounds":
        assert program.states["before"].next_waits == ("hear",)
