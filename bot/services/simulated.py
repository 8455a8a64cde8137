"""A service that only says what it would do. It keeps every promise of a real one, so workflows can be tried without accounts.

It answers at once, with results shaped like the platform's own, made from the effect's id alone: the same ask gets the same
answer. A `FailurePlan` lets its calls fail on purpose. It prints nothing; whoever listens to the runner's attempts does.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, assert_never

from engine.declare import Declarations, Method
from engine.execution import Done, Effect, Failed, Result, Unknown

FailureKind: TypeAlias = Literal["error", "timeout", "unknown"]

SERVICES: Final = ("twitch", "discord", "obs", "overlay", "http", "ai")


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next calls of a method go wrong; `times` = None means every time until it is lifted."""

    kind: FailureKind
    times: int | None = None
    reason: str | None = None

    def result(self, effect: Effect) -> Result:
        """What the service answers instead of doing it."""
        name = f"{effect.service}.{effect.method}"
        match self.kind:
            case "error":
                return Failed("simulated", self.reason or f"{name} failed, as asked for with /fail", retryable=True)
            case "timeout":
                return Failed("timeout", self.reason or f"{name} did not answer in time", retryable=True)
            case "unknown":
                return Unknown(self.reason or f"nobody can say whether {name} was done")
            case _ as never:
                assert_never(never)


class FailurePlan:
    """Which methods fail, how, and how many times more. Methods are kept by canonical name, so an alias fails too."""

    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self._planned: dict[str, Failure] = {}

    def fail(self, method: Method, failure: Failure) -> None:
        """Let a method fail from now on."""
        self._planned[method.key] = failure

    def lift(self, method: Method) -> bool:
        """Let it work again; tells whether it had been failing."""
        return self._planned.pop(method.key, None) is not None

    def take(self, effect: Effect) -> Failure | None:
        """The failure this effect meets, if one is planned; counts it off."""
        method = self._declarations.find(effect.service, effect.method)
        key = method.key if method is not None else f"{effect.service}.{effect.method}"
        failure = self._planned.get(key)
        if failure is None or failure.times is None:
            return failure
        if failure.times == 1:
            del self._planned[key]
        else:
            self._planned[key] = Failure(failure.kind, failure.times - 1, failure.reason)
        return failure


class SimulatedService:
    """Performs the declared methods of one service without touching anything."""

    simulated: Final = True

    def __init__(self, name: str, declarations: Declarations, plan: FailurePlan) -> None:
        self.name = name
        self.methods: Sequence[Method] = tuple(method for method in declarations if method.service == name)
        self._declarations = declarations
        self._plan = plan

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Answer as the platform would, or as the plan says."""
        method = self._declarations.find(effect.service, effect.method)
        if method is None:
            return Failed("unknown_method", f"{effect.service} cannot do {effect.method}")
        await begin()
        failure = self._plan.take(effect)
        return failure.result(effect) if failure is not None else Done(output_of(method, effect))

    async def settle(self, effect: Effect) -> Result | None:
        """Nothing was ever sent that could be looked up, so nobody knows whether it was shown."""
        return None


def output_of(method: Method, effect: Effect) -> dict[str, Any] | str | None:
    """A result shaped like the platform's; None for what has none."""
    token = hashlib.sha256(effect.id.encode()).hexdigest()[:12]
    match method.key:
        case "twitch.send_chat_message":
            return {"message_id": token}
        case "discord.send_message":
            return {"message_id": token, "url": f"https://discord.com/channels/0/0/{int(token, 16)}"}
        case "twitch.create_clip":
            return {"id": token, "url": f"https://clips.twitch.tv/{token}", "title": effect.params.get("title")}
        case "twitch.create_stream_marker":
            return {"id": token}
        case "obs.save_replay_buffer":
            return {"path": effect.params.get("filename") or f"replay-{token}.mkv"}
        case "ai.ask":
            return "(what a model would answer)"
        case _:
            return None


def simulated_services(declarations: Declarations, plan: FailurePlan) -> tuple[SimulatedService, ...]:
    """One for each platform, sharing one plan."""
    return tuple(SimulatedService(name, declarations, plan) for name in SERVICES)
