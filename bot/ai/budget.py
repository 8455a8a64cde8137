"""What asking models may cost in a day, and what it has cost: counted before each ask and kept, so no restart resets it.

An ask takes the most it may cost from the budget first, durably; what it did not use is given back when that is known. So a
crash in the middle costs too much, never too little.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.ports import Batch, ConfigRecord, Store

_KEY: Final = "ai.spent"


class OverBudget(Exception):
    """The day's budget does not allow it; the text says which part of it is used up."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a day may cost."""

    requests: int
    tokens: int


USUAL: Final = Limits(200, 200_000)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a day, written 2026-11-20, has cost so far."""

    day: str = ""
    requests: int = 0
    tokens: int = 0


def taken(spent: Spent, day: str, tokens: int, limits: Limits) -> Spent:
    """The same with one more ask, of so many tokens at most.

    Raises:
        OverBudget: It is more than the day may cost.
    """
    spent = spent if spent.day == day else Spent(day)
    if spent.requests >= limits.requests:
        raise OverBudget(f"models have been asked {spent.requests} times today, and no more are allowed a day")
    if spent.tokens + tokens > limits.tokens:
        raise OverBudget(
            f"it could take {tokens:,} tokens; {spent.tokens:,} of the {limits.tokens:,} for today are used"
        )
    return replace(spent, requests=spent.requests + 1, tokens=spent.tokens + tokens)


def given_back(spent: Spent, day: str, tokens: int) -> Spent:
    """The same with so many tokens of that day not used after all; negative if more were."""
    return replace(spent, tokens=max(0, spent.tokens - tokens)) if spent.day == day else spent


class Budget:
    """The budget of one community, kept in its store.

    Args:
        today: Tells the community's date.
    """

    def __init__(self, community: str, store: Store, today: Callable[[], str]) -> None:
        self._community = community
        self._store = store
        self._today = today
        self._lock = asyncio.Lock()

    async def take(self, tokens: int, limits: Limits) -> str:
        """Take an ask of so many tokens at most; tells the day it is taken from.

        Raises:
            OverBudget: It is more than the day may cost; nothing was taken.
            StoreError: It could not be kept; nothing may be asked.
        """
        async with self._lock:
            spent = taken(await self._spent(), self._today(), tokens, limits)
            await self._keep(spent)
        return spent.day

    async def give_back(self, day: str, tokens: int) -> None:
        """So many of what was taken on that day were not used.

        Raises:
            StoreError: It could not be kept; they count as used.
        """
        async with self._lock:
            spent = await self._spent()
            changed = given_back(spent, day, tokens)
            if changed != spent:
                await self._keep(changed)

    async def _spent(self) -> Spent:
        record = (await self._store.config(self._community)).get(_KEY)
        return Spent() if record is None else _read(record.value)

    async def _keep(self, spent: Spent) -> None:
        value = {"day": spent.day, "requests": spent.requests, "tokens": spent.tokens}
        await self._store.commit(Batch(config=[ConfigRecord(self._community, _KEY, value)]))


def _read(value: Any) -> Spent:
    return Spent(str(value["day"]), int(value["requests"]), int(value["tokens"]))
