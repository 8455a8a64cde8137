"""The same reply as each place shows it: plain on Twitch, markdown in Discord, colours in a terminal. Pure.

What the bot says in its own words, and what can be typed to it, stands apart from the rest: in Discord as code, in which
nothing is markup; in a terminal in bold. Text of viewers is in there, so nothing of it may mark up, ping or move anything.
"""

import re
from collections.abc import Iterator
from typing import Final

from bot.message import Reply, ReplyKind
from bot.transcript import printable

_COMMAND: Final = re.compile(r"!(?:workflow|wf)(?: [^\n·]*?)?(?=[.;…)]*(?:\s[·(…A-Z]|\s*\n|\s*$))")
_MARKUP: Final = re.compile(r"[\\*_~|`]|<(?=[@#:/\w])|(?m:^(?=>|#{1,3}\s|-#?\s|[ \t]*[-+]\s))|\[(?=[^\]]*\]\()")
_NUMBERED: Final = re.compile(r"(?m)^([ \t]*\d+)(?=\.\s)")
"""A line that would become part of a list, counted anew by Discord."""
_LINK: Final = re.compile(r"(https?://\S+)")
_PING: Final = re.compile(r"@(?=everyone\b|here\b|[!&]?\d)")
_ZERO_WIDTH: Final = "\N{ZERO WIDTH SPACE}"
_COLOURS: Final[dict[ReplyKind, str]] = {"done": "32", "question": "33", "refusal": "31", "answer": "36"}


def twitch(reply: Reply) -> str:
    """One line of at most 500 characters, which the reply already is: Twitch knows no markup."""
    return reply.text


def discord(reply: Reply) -> str:
    """Markdown: words the bot would accept as code, everything else without any markup; never a ping."""
    return "".join(_code(text) if is_said else harmless(text) for text, is_said in _parts(reply))


def terminal(reply: Reply, *, colours: bool) -> str:
    """For a terminal: the kind by its colour, the bot's own words in bold; plain where colours are not wanted."""
    if not colours:
        return printable(reply.text)
    colour = _COLOURS[reply.kind]
    return "".join(
        f"\x1b[1;{colour}m{printable(text)}\x1b[0m" if is_said else f"\x1b[{colour}m{printable(text)}\x1b[0m"
        for text, is_said in _parts(reply)
        if text
    )


def wants_colours(environment: dict[str, str], *, is_terminal: bool) -> bool:
    """Whether to colour: only a terminal that can, and nobody has said no (https://no-color.org)."""
    return is_terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def _parts(reply: Reply) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and of each whether it can be typed to the bot."""
    before, said, after = reply.text, "", ""
    if reply.canonical and reply.canonical in reply.text:
        before, said, after = reply.text.partition(reply.canonical)
    yield from _commands(before)
    if said:
        yield said, True
    yield from _commands(after)


def _commands(text: str) -> Iterator[tuple[str, bool]]:
    end = 0
    for found in _COMMAND.finditer(text):
        yield text[end : found.start()], False
        yield found.group(), True
        end = found.end()
    yield text[end:], False


def harmless(text: str) -> str:
    """A text that Discord shows as it is written: nothing in it marks up or pings; links stay links."""
    parts = _LINK.split(text)
    return "".join(part if at % 2 else _plain(part) for at, part in enumerate(parts))


def _plain(text: str) -> str:
    escaped = _NUMBERED.sub(r"\1\\", _MARKUP.sub(lambda found: f"\\{found.group()}", text))
    return _PING.sub(f"@{_ZERO_WIDTH}", escaped)


def _code(text: str) -> str:
    """Code in which nothing is markup: a line in backticks, several in a block."""
    if "\n" in text:
        return f"\n{_block(text)}\n"
    fence = "``" if "`" in text else "`"
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text.replace('``', f'`{_ZERO_WIDTH}`')}{room}{fence}"


def _block(text: str) -> str:
    return f"```\n{text.replace('```', f'``{_ZERO_WIDTH}`')}\n```"
