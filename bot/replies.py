"""How replies are worded and cut: durations, times, names, and the room there is on each platform. Pure.

A reply never begins like a command, on Twitch it has one line of at most 500 characters, and where it must be cut it is
cut between steps, never inside one. What a reply says is the business of `bot.instructions`.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.message import Platform, Reply, ReplyKind
from engine.events import kind_of
from engine.wording import counted
from grammar.names import quoted_name

LIMITS: Final[dict[Platform, int]] = {"twitch": 500, "discord": 2_000}
MOST_MESSAGES: Final = 2
_LONGEST_HEAD: Final = 200
_LONGEST_TAIL: Final = 250
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_SEPARATORS: Final = (" · ", "; ", "\n")


# Small words -----------------------------------------------------------------------------------------------------------


def spoken(seconds: float) -> str:
    """A duration: `1 minute 30 seconds`; what is left of a second counts as one."""
    left = max(0, math.ceil(seconds - 1e-6))
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(counted(count, unit))
    return " ".join(parts) or "0 seconds"


def roughly(seconds: float) -> str:
    """A duration of which nobody counts the seconds, where that is so."""
    return spoken(seconds if seconds < 600 else math.ceil(seconds / 60) * 60)


def moment(at: float, now: float, zone: ZoneInfo) -> str:
    """A time of day, with the date if that is another one."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    return f"{then:%H:%M:%S}" if then.date() == today.date() else f"{then:%Y-%m-%d %H:%M}"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def titled(name: str) -> str:
    """A workflow's name as it is written in sentences: one plain word, or in quotes."""
    return quoted_name(name)


def quoted(text: str) -> str:
    """A text in double quotes, as the language writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def clipped(text: str, most: int) -> str:
    """A text of at most so many characters; what was cut off is marked."""
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + "…"


def sentence(text: str) -> str:
    """A text with an end."""
    return text if text.endswith((".", "?", "!", "…", ":")) else f"{text}."


# Cutting -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Saying:
    """Something to be said that may have to be cut.

    Attributes:
        head: Comes first, in the first message.
        body: What may be cut, between its pieces.
        tail: Comes after it, in the last message; clipped where it is long.
        end: Comes last and is never cut, such as how to undo it.
        rest: What is said where pieces had to be left out, such as `more: !wf show raid 2`; `{}` is their number.
    """

    head: str = ""
    body: str = ""
    tail: str = ""
    rest: str = "and {} more"
    end: str = ""


def messages(saying: Saying, platform: Platform, most: int = MOST_MESSAGES) -> tuple[str, ...]:
    """The texts of one saying, fit for a platform."""
    return _laid_out(saying, platform, most)[0]


def _laid_out(saying: Saying, platform: Platform, most: int) -> tuple[tuple[str, ...], bool]:
    """The texts of one saying, and whether all of it is in them."""
    limit = LIMITS[platform]
    head = saying.head if len(saying.head) <= limit else clipped(saying.head, limit)
    whole = fit(f"{head}{saying.body}{saying.tail}{saying.end}", platform)
    if len(whole) <= limit:
        return (whole,), head == saying.head
    if len(kept_whole := _body_whole(saying, platform)) == MOST_MESSAGES <= most:
        return kept_whole, True
    head = clipped(saying.head, _LONGEST_HEAD) + (" " if len(saying.head) > _LONGEST_HEAD else "")
    tail = clipped(saying.tail, _LONGEST_TAIL) + (" " if len(saying.tail) > _LONGEST_TAIL else "") + saying.end
    split = [fit(piece, platform, ends=False) for piece in pieces(saying.body)]
    found = _packed(head, split, tail, limit)
    kept = len(split)
    while len(found) > most and kept:
        kept -= 1
        rest = saying.rest.replace("{}", str(len(split) - kept))
        found = _packed(head, split[:kept], f"{rest}{tail}", limit)
    short = len(saying.head) <= _LONGEST_HEAD and len(saying.tail) <= _LONGEST_TAIL
    is_all = short and kept == len(split) and len(found) <= most and all(len(piece) <= limit for piece in split)
    return tuple(_not_a_command(text.strip()) for text in found[:most]), is_all


def _body_whole(saying: Saying, platform: Platform) -> tuple[str, ...]:
    """The body in one message with the head or with the tail, if that leaves two messages; else nothing."""
    tail = f"{saying.tail}{saying.end}"
    for one, other in ((f"{saying.head}{saying.body}", tail.lstrip(". ")), (saying.head, f"{saying.body}{tail}")):
        texts = (fit(one, platform), fit(other, platform))
        if all(0 < len(text) <= LIMITS[platform] for text in texts):
            return texts
    return ()


def pieces(text: str) -> list[str]:
    """A text in canonical words, cut between steps and edits; joined, the pieces are the text again.

    A separator counts only outside of quotes and brackets: inside them it belongs to a step.
    """
    found: list[str] = []
    start = 0
    for at, separator in _borders(text):
        found.append(text[start : at + len(separator)])
        start = at + len(separator)
    return [*found, text[start:]] if text[start:] or not found else found


def _borders(text: str) -> Iterator[tuple[int, str]]:
    depth = 0
    inside = False
    position = 0
    while position < len(text):
        character = text[position]
        if inside:
            position += 2 if character == "\\" else 1
            inside = character != '"'
            continue
        separator = next((mark for mark in _SEPARATORS if text.startswith(mark, position)), None)
        if separator is not None and (depth == 0 or separator == "\n"):
            yield position, separator
            position += len(separator)
            depth = 0
            continue
        inside = character == '"'
        depth = max(0, depth + (character in "([{") - (character in ")]}"))
        position += 1


def _packed(head: str, split: Sequence[str], tail: str, limit: int) -> list[str]:
    found: list[str] = []
    current = head
    for piece in split:
        if len(current) + len(piece.rstrip()) > limit and current:
            found.append(current)
            current = ""
        current += piece if len(piece) <= limit else clipped(piece, limit - 3) + " · "
    if len(current) + len(tail) > limit and current:
        found.append(current)
        current = tail.lstrip(". ")
    else:
        current += tail
    return [*found, current] if current.strip() else found


def fit(text: str, platform: Platform, *, ends: bool = True) -> str:
    """A text without what a platform cannot show; on Twitch a line break is a dot between."""
    clean = _CONTROL.sub(" ", text)
    if not ends:
        return clean.replace("\n", " · ") if platform == "twitch" else clean
    return _not_a_command((_dotted(clean) if platform == "twitch" else clean).strip())


def _dotted(text: str) -> str:
    """Lines with a dot between them, but after a colon."""
    if "\n" not in text:
        return text
    found = ""
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        found += f"{' ' if found.endswith(':') else ' · '}{line}" if found else line
    return found


def in_one_line(text: str) -> str:
    """Canonical words of several lines as one, which is read back as those lines."""
    return " · ".join(line for line in (line.strip() for line in text.split("\n")) if line)


def _not_a_command(text: str) -> str:
    # What begins with one of these would be taken for a command: by us, by another bot, or by the platform.
    return f"Here: {text}" if text.startswith(("!", "/", ".")) else text


def cause(event: str, who: str | None) -> str:
    """What started a run, in words: `a raid comes in: ninja`, `run by mo`."""
    if event == "manual":
        return f"run by {who or 'hand'}"
    kind = kind_of(event)
    clause = kind.clause if kind is not None else event
    return f"{clause}: {who}" if who else clause


# Replies -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class About:
    """What a reply is about: its canonical words, and the workflow with its version after it."""

    canonical: str | None = None
    workflow: str | None = None
    revision: int | None = None


NOTHING: Final = About()


def replies(
    kind: ReplyKind, saying: Saying, platform: Platform, about: About = NOTHING, most: int = MOST_MESSAGES
) -> tuple[Reply, ...]:
    """A saying as replies; the canonical words go with the message that holds them, else with the first."""
    texts, is_all = _laid_out(saying, platform, most)
    everything = (f"{about.workflow or 'answer'}.txt", f"{saying.head}{saying.body}{saying.tail}{saying.end}\n")
    whole = None if is_all or kind != "answer" else everything
    canonical = about.canonical
    holder = next((at for at, text in enumerate(texts) if canonical is not None and canonical in text), 0)
    return tuple(
        Reply(kind, text, canonical if at == holder else None, about.workflow, about.revision, whole=whole)
        for at, text in enumerate(texts)
    )


def one(kind: ReplyKind, text: str, platform: Platform, about: About = NOTHING) -> tuple[Reply, ...]:
    """A saying that is one message, clipped if it must be."""
    shown = clipped(fit(text, platform), LIMITS[platform])
    return (Reply(kind, shown, about.canonical, about.workflow, about.revision),)


def refusal(text: str, platform: Platform, about: About = NOTHING) -> tuple[Reply, ...]:
    """Nothing was done, and why."""
    return one("refusal", sentence(text), platform, about)
