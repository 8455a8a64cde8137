"""What has to be subscribed to so that every workflow hears what it waits for, and how that differs from what is. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.twitch.sources import ALWAYS, FOUND, IF_GRANTED, SOURCES, Source
from engine.events import canonical, types


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who is who: ids of the channel's owner and of the account that speaks; they may be the same."""

    broadcaster: str
    bot: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription as Twitch knows it.

    Attributes:
        condition: Sorted pairs.
        token_for: Id of the account in whose name it is made.
    """

    type: str
    version: str
    condition: tuple[tuple[str, str], ...]
    token_for: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done."""

    missing: tuple[Subscription, ...]
    extra: tuple[Subscription, ...]


def wanted(
    events: Iterable[str], accounts: Accounts, granted: Mapping[str, Collection[str]]
) -> tuple[frozenset[Subscription], tuple[tuple[Source, tuple[str, ...]], ...]]:
    """What to subscribe to for these events, and what cannot be for want of scopes: (source, one of these scopes).

    Args:
        events: Names by which triggers and waits ask, in any spelling.
        accounts: Who is who.
        granted: Scopes by account id; an account that is not there has not signed in.
    """
    names = {canonical(name) for name in events}
    asked = [
        source
        for source in SOURCES
        if source.type in ALWAYS or source.type in IF_GRANTED or not names.isdisjoint(source.events)
    ]
    found: set[Subscription] = set()
    refused: list[tuple[Source, tuple[str, ...]]] = []
    for source in asked:
        owner = _owner(source, accounts, granted)
        if owner is None and source.type in IF_GRANTED and names.isdisjoint(source.events):
            continue
        if owner is None:
            refused.append((source, _lacking(source, accounts, granted)))
        else:
            found.update(_subscriptions(source, accounts, owner))
    return frozenset(found), tuple(refused)


def unheard(accounts: Accounts, granted: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """The events of Twitch that are not heard, with the scopes of which one is needed; none where nothing would help."""
    told = {*FOUND, *(name for source in SOURCES for name in source.events)}
    never: dict[str, tuple[str, ...]] = {
        kind.name: () for kind in types() if kind.platform == "twitch" and kind.name not in told
    }
    lacking = [source for source in SOURCES if _owner(source, accounts, granted) is None]
    return never | {name: _lacking(source, accounts, granted) for source in lacking for name in source.events}


def _candidates(source: Source, accounts: Accounts) -> tuple[str, ...]:
    either = (accounts.broadcaster, accounts.bot)
    return {"broadcaster": either[:1], "either": either, "bot": either[::-1]}[source.owner]


def _owner(source: Source, accounts: Accounts, granted: Mapping[str, Collection[str]]) -> str | None:
    """In whose name, of those who may."""
    for account in _candidates(source, accounts):
        scopes = granted.get(account)
        if scopes is not None and not source.lacks(scopes):
            return account
    return None


def _lacking(source: Source, accounts: Accounts, granted: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """The scopes of which one would help the account that it would be heard with."""
    return source.lacks(granted.get(_candidates(source, accounts)[0], ()))


def _subscriptions(source: Source, accounts: Accounts, owner: str) -> Iterable[Subscription]:
    for condition in source.conditions:
        values = {key: accounts.broadcaster if key.endswith("broadcaster_user_id") else owner for key in condition}
        yield Subscription(source.type, source.version, tuple(sorted(values.items())), owner)


def difference(desired: Collection[Subscription], live: Collection[Subscription]) -> Difference:
    """What is missing, chat first, and what is there for nothing."""
    missing = sorted(set(desired) - set(live), key=lambda each: (each.type not in ALWAYS, each.type, each.condition))
    return Difference(tuple(missing), tuple(set(live) - set(desired)))


def live_one(data: Mapping[str, Any]) -> Subscription:
    """A subscription as the library keeps it."""
    type = data["type"]
    condition = {key: value for key, value in data["condition"].items() if value}
    return Subscription(
        str(getattr(type, "value", type)),
        str(data["version"]),
        tuple(sorted(condition.items())),
        str(data["token_for"]),
    )


RETRY_FIRST: Final = 2.0
RETRY_LONGEST: Final = 30.0
RETRY_REFUSED: Final = 600.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """That a subscription could not be made.

    Attributes:
        times: In a row.
        again_at: When to try again.
        refused: Whether Twitch said no for want of a right, so that it is not a matter of time.
    """

    times: int
    again_at: float
    refused: bool = False


def after_failure(before: Trouble | None, now: float, status: int | None) -> Trouble:
    """When to try again; `status` is Twitch's answer, None if there was none."""
    times = 1 if before is None else before.times + 1
    if status in (401, 403):
        return Trouble(times, now + RETRY_REFUSED, refused=True)
    return Trouble(times, now + min(RETRY_FIRST * 2.0 ** min(times - 1, 10), RETRY_LONGEST))
