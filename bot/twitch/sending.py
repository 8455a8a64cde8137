"""When a line may be said, and how: within Twitch's limits, not twice the same, never longer than a message, never too late.

All of it is decided by pure functions of what was sent so far and of the time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

LONGEST: Final = 500
"""Characters of one message."""
MOST_PARTS: Final = 4
WINDOW: Final = 30.0
NORMAL: Final = 20
MODERATOR: Final = 100
SPARE: Final = 0.9
"""The part of a limit that is used, as Twitch does not count exactly when we do."""
SPARE_URGENT: Final = 0.95
"""The same for answers to people, which find a little room where workflows have taken all of theirs."""
BETWEEN: Final = 1.0
"""Seconds between two messages of one who is no moderator."""
SAME_AGAIN: Final = 30.0
"""Seconds within which Twitch refuses the same message from one who is no moderator."""
MAX_AGE: Final = 60.0
"""Seconds for which a line may wait: later it would answer what nobody talks about any more."""
VARIED: Final = " \U000e0000"
"""What makes a message another one without anybody seeing it."""

_TRAILING: Final = re.compile(r"[\s\u034f\u200b\u2060\ufeff\u2800\U000e0000]+$")


@dataclass(frozen=True, slots=True)
class Sent:
    """What was said lately.

    Attributes:
        at: When, in order; no longer ago than the window.
        texts: The latest texts as they went out, with their times.
        not_before: When Twitch said that it wants to hear of us again.
    """

    at: tuple[float, ...] = ()
    texts: tuple[tuple[str, float], ...] = ()
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Now:
    """It may go out, in these words."""

    text: str


@dataclass(frozen=True, slots=True)
class Later:
    """It has to wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Never:
    """It is too old by now, or would be by its turn."""

    waited: float


Decision: TypeAlias = Now | Later | Never


def decide(text: str, asked_at: float, sent: Sent, now: float, *, moderator: bool, urgent: bool = False) -> Decision:
    """What to do with a line that was asked for then and is the next one."""
    pause = pause_before(sent, now, moderator=moderator, urgent=urgent)
    if now + pause - asked_at > MAX_AGE:
        return Never(now - asked_at)
    return Later(pause) if pause > 0 else Now(varied(text, sent, now))


def pause_before(sent: Sent, now: float, *, moderator: bool, urgent: bool = False) -> float:
    """Seconds until the next message may go out; `urgent` are those that answer a person."""
    limit = int((MODERATOR if moderator else NORMAL) * (SPARE_URGENT if urgent else SPARE))
    recent = [at for at in sent.at if now - at < WINDOW]
    full = recent[-limit] + WINDOW - now if len(recent) >= limit else 0.0
    spaced = recent[-1] + BETWEEN - now if recent and not moderator else 0.0
    return max(full, spaced, sent.not_before - now, 0.0)


def varied(text: str, sent: Sent, now: float) -> str:
    """The text, changed so that nobody sees it if exactly this was said a moment ago."""
    lately = {said for said, at in sent.texts if now - at < SAME_AGAIN}
    while text in lately and len(text) + len(VARIED) <= LONGEST:
        text += VARIED
    return text


def noted(sent: Sent, text: str, now: float) -> Sent:
    """What was said, with this."""
    at = (*(each for each in sent.at if now - each < WINDOW), now)
    texts = (*((said, when) for said, when in sent.texts if now - when < SAME_AGAIN), (text, now))
    return replace(sent, at=at, texts=texts)


def held_back(sent: Sent, until: float) -> Sent:
    """Nothing goes out before then."""
    return replace(sent, not_before=max(sent.not_before, until))


def plain(text: str) -> str:
    """A text by which a message is known again: without what clients and we put at its end, and without doubled spaces."""
    return " ".join(_TRAILING.sub("", text).split())


def parts(text: str, longest: int = LONGEST, most: int = MOST_PARTS) -> Sequence[str]:
    """A text in messages that fit, cut at spaces where there are some. What is too much for all of them ends with `…`.

    Twitch shows line breaks as spaces, so they are made spaces here.
    """
    left = " ".join(line.strip() for line in text.splitlines() if line.strip()) if "\n" in text else text.strip()
    found: list[str] = []
    while len(left) > longest:
        if len(found) == most - 1:
            found.append(left[: longest - 1].rstrip() + "…")
            return found
        cut = left.rfind(" ", longest // 2, longest + 1)
        head, left = (left[:cut], left[cut + 1 :]) if cut != -1 else (left[:longest], left[longest:])
        found.append(head.rstrip())
        left = left.lstrip()
    return [*found, left] if left else found
