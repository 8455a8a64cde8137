"""What the start of a run brings, said in words where a text is wanted: `post the clip`, `say who raided`, `say the title`.

Only a text that is nothing but such words means a value, and only one that is known there; inside a longer text they are
words like others. Which value it is follows from the names of the fields and the few words beside them here.
"""

import re
from collections.abc import Mapping
from itertools import product
from typing import Final

from engine.events import types

MARK: Final = "\ufdd1"
"""Before an unquoted text that may mean a value, until it is known which values there are."""
BY_COMMAND: Final = "\ufdd2"
"""Among the known values where only commands start it."""
_NAMED: Final = re.compile(r"(?:the|its|their|that|this) (?P<name>[^\W\d]\w*(?: [^\W\d]\w*)?)")
_ALSO_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "user": (
        *(
            f"who {did}{whom}"
            for did, whom in product(
                (
                    "raided",
                    "followed",
                    "subscribed",
                    "subbed",
                    "cheered",
                    "gifted",
                    "made",
                    "clipped",
                    "wrote",
                    "joined",
                ),
                ("", " us", " it", " it was"),
            )
        ),
        "who it was",
        "who it is",
        "who did it",
        *(
            f"the {doer}{name}"
            for doer, name in product(
                (
                    "user",
                    "viewer",
                    "raider",
                    "follower",
                    "subscriber",
                    "cheerer",
                    "chatter",
                    "member",
                    "gifter",
                    "person",
                ),
                ("s name", "'s name", "’s name"),
            )
        ),
        "the name of the user",
        "the name of the raider",
        "their name",
        "the username",
    ),
    "url": ("the clip", "the clip link", "the link of the clip", "the link to the clip", "a link to the clip"),
    "link": (
        *(
            f"{article} link {of} {it}"
            for article, of, it in product(("a", "the"), ("to", "of"), ("the message", "it"))
        ),
        *(f"{article} link to the {it}" for article, it in product(("a", "the"), ("msg", "post", "comment"))),
        "the message link",
        "the message's link",
    ),
    "message": (
        *(
            f"{what} {they} {did}"
            for what, they, did in product(
                ("what", "whatever"),
                ("they", "the user", "the viewer"),
                ("said", "say", "wrote", "write", "typed", "type", "entered", "enter"),
            )
        ),
        *("the msg", "their msg", "their text", "their input", "the text they typed", "the text they entered"),
        *("whatever they typed in", "what they typed in", "the input"),
    ),
    "category": ("the game", "the game's name", "the name of the game", "what is being played"),
    "viewers": ("the viewer count", "how many viewers there are", "how many people are watching"),
    "bits": ("how many bits they cheered", "how many bits it was", "how many bits it is"),
    "count": ("how many subs", "the number of subs", "how many gifts", "the number of gifts", "how many they gifted"),
    "reward": ("the name of the reward", "the reward's name", "which reward it was"),
    "emoji": ("the reaction", "which emoji"),
    "winner": ("who won", "what won", "the winning answer", "the result"),
    "gifter": ("who gifted it", "the gifter"),
    "clock": ("the time", "what time it is"),
    "date": ("the date",),
}
_LINKS: Final = ("the link", "its link", "a link", "a link to it", "the url", "its url", "the link to it")


_IN_BRACES: Final[Mapping[str, tuple[str, ...]]] = {
    "user": (
        "username",
        "user_name",
        "name",
        "nick",
        "viewer",
        "raider",
        "follower",
        "subscriber",
        "cheerer",
        "gifter",
        "chatter",
        "member",
        "redeemer",
        "sender",
    ),
    "seconds": ("duration", "length", "secs"),
    "category": ("game", "gamename", "game_name", "gametitle", "game_title"),
    "winner": ("outcome", "result", "answer", "choice", "option"),
    "bits": ("amount", "bit"),
    "count": ("amount", "subs", "gifts", "number"),
    "months": ("month",),
    "level": ("lvl",),
    "viewers": ("viewer_count", "viewercount", "raiders", "people", "ppl"),
    "message": ("input", "user_input", "userinput", "text", "msg"),
    "url": ("link", "clip", "clip_url", "clip_link"),
    "link": ("link", "url"),
    "reward": ("redeem", "redemption", "reward_name"),
    "cost": ("price", "points"),
    "target": ("touser", "to_user", "mention", "mentioned", "tagged"),
    "arguments": ("args", "query"),
    "emoji": ("reaction", "emote"),
}
"""What else is written in braces for a field, as other bots call it."""
_PEOPLE: Final = frozenset({"viewers"})
"""Counted things that are somebody: `the viewers` are no number."""


def _table() -> Mapping[str, tuple[str, ...]]:
    """The fields that each phrase may mean."""
    found: dict[str, list[str]] = {}
    counted = {name for event in types() for name, kind in event.fields.items() if kind == "number"}
    for name in sorted(counted):
        for phrase in (f"how many {name}", f"the number of {name}", f"the amount of {name}"):
            found.setdefault(phrase, []).append(name)
    for name, phrases in (*_ALSO_CALLED.items(), ("url", _LINKS), ("link", _LINKS)):
        for phrase in phrases:
            found.setdefault(phrase, []).append(name)
    return {phrase: tuple(names) for phrase, names in found.items()}


_MEANT: Final = _table()
_NEAR: Final = {
    written: tuple(name for name, others in _IN_BRACES.items() if written in others)
    for others in _IN_BRACES.values()
    for written in others
}


def _names(text: str) -> tuple[str, ...]:
    """The values that a text may mean."""
    said = " ".join(text.casefold().split())
    name = _NAMED.fullmatch(said)
    own = () if name is None or name["name"] in _PEOPLE else (name["name"].replace(" ", "_"),)
    return (*_MEANT.get(said, ()), *own)


def marked(text: str) -> str:
    """An unquoted text, with a mark if it may mean a value."""
    return f"{MARK}{text}" if _names(text) else text


def settled(text: str, known: frozenset[str]) -> str:
    """A text that may mean a value as that value, if it is known there; else it may still mean what a step gives."""
    if not text.startswith(MARK):
        return text
    name = next((each for each in _names(text.removeprefix(MARK)) if each in known), None)
    return text if name is None else f"${{{_without_command(name, known)}}}"


def _without_command(name: str, known: frozenset[str]) -> str:
    """What is typed after a command is meant, where one starts it, and not the command with it."""
    return "arguments" if name == "message" and BY_COMMAND in known else name


def meant(text: str, made: Mapping[str, str]) -> str:
    """A text that may still mean a value: what the steps before it gave, if they gave such, else as it was typed."""
    if not text.startswith(MARK):
        return text
    typed = text.removeprefix(MARK)
    return next((made[each] for each in _names(typed) if each in made), typed)


def near(name: str, known: frozenset[str]) -> str | None:
    """The known value that a name which is not known plainly stands for: `{game}` for the category."""
    plain = name.casefold()
    names = (*_NEAR.get(plain, ()), *_names(f"the {plain.replace('_', ' ')}"))
    found = next((each for each in names if each in known), None)
    return None if found is None else _without_command(found, known)
