"""Services: the simulated ones keep the promises of real ones, and internal does what it says."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from bot.services.declared import DECLARATIONS
from bot.services.internal import InternalService
from bot.services.simulated import SERVICES, Failure, FailurePlan, SimulatedService, simulated_services
from engine.execution import Done, Effect, Failed, Result, Unknown

PLAN = FailurePlan(DECLARATIONS)


def effect(
    method: str, params: Mapping[str, Any] | None = None, service: str = "twitch", id: str = "e/main/s/1"
) -> Effect:
    return Effect(id, "home", "e", "w", "s", service, method, params or {}, repeatable=False)


async def perform(service: SimulatedService | InternalService, wanted: Effect) -> tuple[Result, int]:
    """What comes back, and how often it said that it begins."""
    begun = 0

    async def begin() -> None:
        nonlocal begun
        begun += 1

    return await service.perform(wanted, begin), begun


def service(plan: FailurePlan, name: str = "twitch") -> SimulatedService:
    return SimulatedService(name, DECLARATIONS, plan)


async def test_every_platform_is_simulated_with_all_its_methods() -> None:
    services = simulated_services(DECLARATIONS, PLAN)
    assert {simulated.name for simulated in services} == set(SERVICES)
    assert all(simulated.simulated for simulated in services)
    for simulated in services:
        for method in simulated.methods:
            result, begun = await perform(simulated, effect(method.name, service=simulated.name))
            assert isinstance(result, Done), method.key
            assert begun == 1, method.key


async def test_the_same_ask_gets_the_same_answer_and_another_gets_another() -> None:
    first, again, other = [
        (await perform(service(PLAN), effect("create_clip", id=id)))[0]
        for id in ("a/main/s/1", "a/main/s/1", "b/main/s/1")
    ]
    assert first == again
    assert first != other


async def test_a_planned_failure_lasts_as_often_as_was_said() -> None:
    plan = FailurePlan(DECLARATIONS)
    plan.fail(DECLARATIONS.find("twitch", "send_shoutout"), Failure("error", 2, "twice"))  # type: ignore[arg-type]
    results = [(await perform(service(plan), effect("send_shoutout")))[0] for _ in range(3)]
    assert results == [Failed("simulated", "twice", retryable=True)] * 2 + [Done()]


async def test_a_planned_failure_without_a_number_lasts_until_it_is_lifted() -> None:
    plan = FailurePlan(DECLARATIONS)
    method = DECLARATIONS.find("discord", "send_channel_message")
    assert method is not None
    plan.fail(method, Failure("unknown"))
    for name in ("send_message", "send_channel_message", "send_message"):
        result, begun = await perform(service(plan, "discord"), effect(name, service="discord"))
        assert isinstance(result, Unknown), "an alias is the same deed"
        assert begun == 1, "what ends unknown was begun"
    assert plan.lift(method)
    assert not plan.lift(method)
    assert isinstance((await perform(service(plan, "discord"), effect("send_message", service="discord")))[0], Done)


async def test_a_planned_timeout_takes_the_timeout_edge() -> None:
    plan = FailurePlan(DECLARATIONS)
    plan.fail(DECLARATIONS.find("twitch", "send_shoutout"), Failure("timeout"))  # type: ignore[arg-type]
    result, _ = await perform(service(plan), effect("send_shoutout"))
    assert isinstance(result, Failed)
    assert result.error == "timeout"


async def test_a_method_nobody_has_fails_before_it_begins() -> None:
    result, begun = await perform(service(PLAN), effect("explode"))
    assert isinstance(result, Failed)
    assert begun == 0


async def test_a_log_line_is_written_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    internal = InternalService(lambda: 0.5, logging.getLogger("workflow"), lambda _: None, lambda: 0.0)
    with caplog.at_level(logging.DEBUG):
        result, _ = await perform(internal, effect("log", {"message": "hm", "level": "Error"}, "internal"))
    assert result == Done("hm")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("ERROR", "w: hm")]
    assert isinstance(
        (await perform(internal, effect("log", {"message": "x", "level": "loud"}, "internal")))[0], Failed
    )


@pytest.mark.parametrize(
    ("params", "chance", "picked"),
    [
        ({"options": ["a", "b", "c"]}, 0.0, "a"),
        ({"options": ["a", "b", "c"]}, 0.999, "c"),
        ({"options": "red, green"}, 0.5, "green"),
        ({"options": ["a", "b"], "weights": [1, 3]}, 0.24, "a"),
        ({"options": ["a", "b"], "weights": [1, 3]}, 0.26, "b"),
        ({"options": ["a", "b"], "weights": [1, 0]}, 0.999_999, "a"),
    ],
)
async def test_a_pick_follows_chance_and_weights(params: dict[str, Any], chance: float, picked: str) -> None:
    internal = InternalService(lambda: chance, logging.getLogger("workflow"), lambda _: None, lambda: 0.0)
    assert (await perform(internal, effect("random_choice", params, "internal")))[0] == Done(picked)


@pytest.mark.parametrize(
    "params",
    [{}, {"options": []}, {"options": 5}, {"options": ["a"], "weights": [0]}, {"options": ["a", "b"], "weights": [1]}],
)
async def test_a_pick_from_nothing_fails_in_words(params: dict[str, Any]) -> None:
    internal = InternalService(lambda: 0.5, logging.getLogger("workflow"), lambda _: None, lambda: 0.0)
    assert isinstance((await perform(internal, effect("random_choice", params, "internal")))[0], Failed)


async def test_a_workflow_tells_the_owner_something_but_never_floods_them() -> None:
    told: list[str] = []
    clock = [0.0]
    internal = InternalService(lambda: 0.5, logging.getLogger("workflow"), told.append, lambda: clock[0])

    async def notify(message: str) -> Result:
        return (await perform(internal, effect("notify", {"message": message}, service="internal")))[0]

    assert await notify("a raid\n  came") == Done("a raid came")
    assert told == ["w: a raid came"]
    results = [await notify("again") for _ in range(10)]
    assert [isinstance(result, Done) for result in results] == [True] * 9 + [False]
    clock[0] = 60.0
    assert isinstance(await notify("x" * 5_000), Done)
    assert len(told[-1]) < 450
    assert isinstance(await notify("  "), Failed)
