"""One question to the models: who is asked, in which order, what it may cost, and what it comes to if nobody answers.

It knows no library. What sends is loaded when the first question is asked, in a thread: it weighs more than the rest of the
bot, and most never need it.
"""

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bot.ai.budget import Budget, OverBudget
from bot.ai.models import Model, NotUsable, Options, chosen
from engine.errors import StoreError
from engine.secrets import struck_out

log = logging.getLogger(__name__)

AT_ONCE: Final = 4
"""Questions under way at most; more wait for their turn."""
NOT_INSTALLED: Final = (
    "What asks language models is not installed. Install Showcaller with it: uv tool install '.[ai]', or in a checkout: "
    "uv run --extra ai showcaller run"
)


class Unanswered(Exception):
    """Nobody answered, or nobody was asked.

    Attributes:
        error: The name of the error, as workflows see it.
        retryable: Whether a later ask may be answered.
    """

    def __init__(self, error: str, sentence: str, *, retryable: bool = False) -> None:
        super().__init__(sentence)
        self.error = error
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked.

    Attributes:
        instructions: How to answer; the bot's own words only.
        said: What is asked, with whatever others wrote.
        needs: Properties that the model must have.
        tokens: Tokens that an answer may have.
    """

    instructions: str
    said: str
    needs: tuple[str, ...] = ()
    tokens: int = 300


@dataclass(frozen=True, slots=True)
class Answered:
    """A model's own words, not cleaned of anything; and how many tokens it took, if the server told."""

    text: str
    tokens: int | None = None


class Send(Protocol):
    """Asks one model once."""

    async def __call__(self, model: Model, wanted: Wanted, within: float) -> Answered:
        """Ask.

        Raises:
            Unanswered: No answer came; the text names no address and no key.
        """
        ...


async def loaded() -> Send:
    """What sends, with the library behind it.

    Raises:
        ImportError: It is not installed.
    """
    module = await asyncio.to_thread(importlib.import_module, "bot.ai.client")
    send: Send = module.send
    return send


class Asker:
    """Asks the models of one community.

    Args:
        options: Tells what is set.
        budget: What it may cost.
        secrets: Tells what may never be sent.
        load: Loads what sends.
    """

    def __init__(
        self,
        options: Callable[[], Options],
        budget: Budget,
        secrets: Callable[[], Iterable[str]],
        load: Callable[[], Awaitable[Send]] = loaded,
    ) -> None:
        self.options = options
        self._budget = budget
        self._secrets = secrets
        self._load = load
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def ask(self, wanted: Wanted) -> Answered:
        """The first answer that comes.

        Raises:
            Unanswered: None came; the text says why, fit for people.
        """
        said = struck_out(wanted.said, self._secrets())
        wanted = Wanted(wanted.instructions, said, wanted.needs, wanted.tokens)
        try:
            options = self.options()
            models = chosen(options.models, wanted.needs, estimated(wanted))
        except NotUsable as error:
            raise Unanswered("not_set_up", str(error)) from None
        try:
            send = await self._load()
        except ImportError as error:
            log.info("models cannot be asked: %s", error)
            raise Unanswered("not_installed", NOT_INSTALLED) from None
        async with self._turns:
            return await self._first(models, wanted, options, send)

    async def _first(self, models: Sequence[Model], wanted: Wanted, options: Options, send: Send) -> Answered:
        failures: list[Unanswered] = []
        for model in models:
            try:
                return await self._one(model, wanted, options, send)
            except Unanswered as error:
                log.info("model %s: %s", model.name, error)
                failures.append(error)
        raise _together(failures)

    async def _one(self, model: Model, wanted: Wanted, options: Options, send: Send) -> Answered:
        """Ask one of them, paid from the budget; what failed has cost at most what was sent."""
        most = estimated(wanted)
        try:
            day = await self._budget.take(most, options.limits)
        except (OverBudget, StoreError) as error:
            raise Unanswered("over_budget", str(error)) from None
        used = most - wanted.tokens
        try:
            answered = await send(model, wanted, options.within)
            used = most if answered.tokens is None else answered.tokens
        finally:
            await self._settle(day, most - used)
        return answered

    async def _settle(self, day: str, unused: int) -> None:
        try:
            await self._budget.give_back(day, unused)
        except StoreError as error:
            log.warning("what a model has cost could not be stored: %s", error)


def estimated(wanted: Wanted) -> int:
    """How many tokens question and answer may have together: rather too many than too few."""
    return (len(wanted.instructions.encode()) + len(wanted.said.encode("utf-8", "replace"))) // 3 + 16 + wanted.tokens


def _together(failures: Sequence[Unanswered]) -> Unanswered:
    """Why none of them answered: one reason as it is, several in a row."""
    first = failures[0]
    if len(failures) == 1:
        return first
    said = "; ".join(dict.fromkeys(str(failure) for failure in failures))
    return Unanswered(failures[-1].error, said, retryable=any(failure.retryable for failure in failures))
