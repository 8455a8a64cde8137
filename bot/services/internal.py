"""What needs no platform: a line in the log, a word to the owner, a comment, a pick at random. Waiting is the engine's own business.

All of it is done for real. Chance and time come in as functions; the log line goes to a logger, and the word to the owner to
where the bot tells its own state, both handed in by whoever opens the bot.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from bot.pace import Pace
from bot.replies import clipped
from engine.declare import Method, Param
from engine.execution import Done, Effect, Failed, Result
from engine.logged import about

METHODS: Final = (
    Method(
        "internal",
        "log",
        (Param("message", "text", slot="text"), Param("level", "text", required=False, default="info")),
        ("log {message}", "log {message} as {level}"),
        verb="log",
        noun=("log", "log line"),
        repeatable=True,
    ),
    Method(
        "internal",
        "notify",
        (Param("message", "text", slot="text"),),
        (
            "notify me {message}",
            "(notify|alert|warn|inform) (me|us|the owner|the streamer|the mods|the moderators) [that|with] {message}",
        ),
        verb="notify",
        noun=("notification",),
    ),
    Method(
        "internal",
        "comment",
        (Param("text", "text"),),
        ("comment {text}",),
        verb="comment",
        noun=("comment",),
        repeatable=True,
    ),
    Method(
        "internal",
        "random_choice",
        (Param("options", "list"), Param("weights", "list", required=False)),
        (
            "pick one of {options} at random",
            "(pick|choose|take|draw) [a|any] [random|one] (one|choice|of|one of) {options} [at random|randomly]",
            "(pick|choose|take|draw) [a|one] random [one|choice|item|thing] (of|from|out of) {options}",
            "randomly (pick|choose) [one] (of|from) {options}",
        ),
        verb="choice",
        noun=("random choice", "choice"),
        repeatable=True,
    ),
)

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_MAX_OPTIONS: Final = 1_000
NOTICES: Final = 10.0
"""Words to the owner that one workflow has at once, and again each minute."""
LONGEST_NOTICE: Final = 400


class InternalService:
    """Performs the methods above."""

    name: Final = "internal"
    methods: Sequence[Method] = METHODS
    simulated: Final = False

    def __init__(
        self,
        chance: Callable[[], float],
        log: logging.Logger,
        notice: Callable[[str], None],
        now: Callable[[], float],
    ) -> None:
        self._chance = chance
        self._log = log
        self._notice = notice
        self._now = now
        self._pace = Pace(burst=NOTICES, a_second=NOTICES / 60)

    async def perform(self, effect: Effect, begin: Callable[[], Awaitable[None]]) -> Result:
        """Do it; nothing here can hang or be refused by anyone but us."""
        await begin()
        match effect.method:
            case "log":
                return self._write(effect)
            case "notify":
                return self._tell(effect)
            case "comment":
                return Done(effect.params.get("text"))
            case "random_choice":
                return picked(effect.params, self._chance())
            case other:
                return Failed("unknown_method", f"internal cannot do {other}")

    async def settle(self, effect: Effect) -> Result | None:
        """All but a word to the owner may be repeated, and of that nobody knows whether it was read."""
        return None

    def _tell(self, effect: Effect) -> Result:
        message = " ".join(_as_text(effect.params.get("message", "")).split())
        if not message:
            return Failed("wrong_param", "there is nothing to tell")
        if self._pace.take(effect.workflow, self._now()):
            return Failed("rate_limited", f"it has told {NOTICES:.0f} things within a minute already", retryable=True)
        self._notice(f"{effect.workflow}: {clipped(message, LONGEST_NOTICE)}")
        return Done(message)

    def _write(self, effect: Effect) -> Result:
        message = _as_text(effect.params.get("message", ""))
        level = _LEVELS.get(_as_text(effect.params.get("level", "info")).casefold())
        if level is None:
            return Failed("wrong_param", f"a log level is one of {', '.join(_LEVELS)}")
        self._log.log(level, "%s: %s", effect.workflow, message, extra=about(effect))
        return Done(message)


def picked(params: Any, chance: float) -> Result:
    """One of the options, each as likely as its weight; texts from one box may be separated by commas."""
    options = params.get("options")
    if isinstance(options, str):
        options = [part.strip() for part in options.split(",") if part.strip()]
    if not isinstance(options, list | tuple) or not 0 < len(options) <= _MAX_OPTIONS:
        return Failed("wrong_param", f"options must be a list of 1 to {_MAX_OPTIONS} things to choose from")
    weights = params.get("weights")
    if weights is None:
        return Done(options[int(chance * len(options))])
    if not _are_weights(weights, len(options)):
        return Failed("wrong_param", "weights must be one number of 0 or more for each option, not all of them 0")
    likely = [(option, weight) for option, weight in zip(options, weights, strict=True) if weight > 0]
    mark = chance * sum(weights)
    for option, weight in likely:
        mark -= weight
        if mark < 0:
            return Done(option)
    return Done(likely[-1][0])


def _are_weights(weights: object, count: int) -> bool:
    return (
        isinstance(weights, list | tuple)
        and len(weights) == count
        and all(isinstance(weight, int | float) and weight >= 0 for weight in weights)
        and sum(weights) > 0
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
