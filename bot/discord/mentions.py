"""Whom a post pings: those who stand in the step as it is written, which somebody has said yes to. Pure.

What came into its texts from elsewhere, from viewers above all, pings nobody. A written mark may name somebody by a variable,
`<@${user.id}>`; who that is shows in the text that was made of it, as long as no mark is in there that was not written: then
nobody can tell which is which, and only those count who are written out.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import discord

_EVERYBODY: Final = re.compile(r"@(?:everyone|here)\b")
_ROLE: Final = re.compile(r"<@&(\d{1,20})>")
_SOMEBODY: Final = re.compile(r"<@!?(\d{1,20})>")
_MARK: Final = "<@"
_MOST: Final = 100
"""Discord takes so many."""


def mentions_in(written: Mapping[str, object], made: Mapping[str, object]) -> discord.AllowedMentions:
    """Whom the texts of a step ping.

    Args:
        written: The step's params as they are written.
        made: The same with the values of their variables.
    """
    pairs = [(text, str(made.get(key, ""))) for key, text in written.items() if isinstance(text, str)]
    users = dict.fromkeys(id for text, said in pairs for id in _people(text, said))
    everything = " ".join(text for text, _ in pairs)
    return discord.AllowedMentions(
        everyone=_EVERYBODY.search(everything) is not None,
        roles=[discord.Object(int(id)) for id in _ROLE.findall(everything)],
        users=[discord.Object(int(id)) for id in list(users)[:_MOST]],
        replied_user=False,
    )


def _people(written: str, said: str) -> Iterable[str]:
    """Whose marks are written in a text."""
    return _SOMEBODY.findall(said if said.count(_MARK) == written.count(_MARK) else written)
