"""What a model wrote, made fit for a chat: one line of plain words that commands nobody, calls few and leads nowhere. Pure.

A viewer may have talked the model into anything, so nothing it says is trusted: what chats, bots and Discord would take for
a command, a call for everybody or a link is taken out, wherever it stands.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST_READ: Final = 8_000
"""Characters of an answer that are looked at; of more no chat line is made anyway."""
MOST_CALLED: Final = 2
"""So many people may be called by name with an @."""
_MARKED_LINK: Final = re.compile(r"\[([^\]\n]{0,200})\]\([^)\s]{0,500}\)")
_LINK: Final = re.compile(r"(?:[a-z][a-z0-9+.\-]{1,20}://|\bwww[.。．｡])\S+", re.IGNORECASE)
_DOTTED: Final = re.compile(r"(?<=[^\W_])[.。．｡](?=[^\W\d_]{2})")
_MARKUP: Final = re.compile(r"[*_~]{2,}|`+|^\s*(?:#{1,6}|>)\s+", re.MULTILINE)
_MENTION: Final = re.compile(r"<(?:[@#][!&]?|a?:\w+:|/[^:>]{0,60}:|t:)\d*(?::\w)?>")
_EVERYBODY: Final = re.compile(r"[@＠](?=\s*(?:everyone|here|chat|all|everybody)\b)", re.IGNORECASE)
_CALL: Final = re.compile(r"[@＠](?=\w)")
_COMMAND: Final = re.compile(r"(?<!\S)[/!.\\！／]+(?=[^\W\d_])")
_APART: Final = re.compile(r"(?<!\w)(?:[^\W_][\W_]{1,2}){2,}[^\W_](?!\w)")


def cleaned(text: str, longest: int, *, links: bool = False) -> str:
    """A text as one chat line of at most so many characters; empty if nothing is left of it."""
    text = _MARKED_LINK.sub(r"\1", "".join(_seen(character) for character in text[:MOST_READ]))
    text = _MENTION.sub(" ", _MARKUP.sub("", text))
    if not links:
        text = _DOTTED.sub(". ", _LINK.sub(" ", text))
    text = _EVERYBODY.sub("", text)
    text = _few_calls(" ".join(text.split()))
    # What was hidden behind one sign may be a command itself, so it is looked for until there is none.
    while (plain := _COMMAND.sub("", text).lstrip("/!.\\ ")) != text:
        text = plain
    return _cut(text.strip().strip('"').strip(), longest).lstrip("/!.\\ ")


def _seen(character: str) -> str:
    """The character, a blank for what breaks a line, nothing for what nobody sees."""
    kind = unicodedata.category(character)
    if kind in ("Zl", "Zp") or character in "\n\r\t\v\f":
        return "\n"
    return "" if kind in ("Cc", "Cf", "Cs", "Co") and character != "\u200d" else character


def _few_calls(text: str) -> str:
    head, *rest = _CALL.split(text)
    return head + "".join(("@" if number < MOST_CALLED else "") + part for number, part in enumerate(rest))


def _cut(text: str, longest: int) -> str:
    """As much as fits, cut after a sentence or at least after a word."""
    if len(text) <= longest:
        return text
    shortened = text[: longest - 1]
    end = max(shortened.rfind(mark) for mark in (". ", "! ", "? "))
    if end >= longest // 2:
        return shortened[: end + 1]
    return f"{shortened.rpartition(' ')[0] or shortened}…"


# The block list ----------------------------------------------------------------------------------------------------------


def is_blocked(text: str, blocked: Iterable[str]) -> bool:
    """Whether one of these words or phrases is in a text, however it is spelt: LARGE, w i d e, with accents or signs."""
    said = _folded(text)
    together = _folded(_APART.sub(lambda match: re.sub(r"[\W_]", "", match.group()), text))
    return any(
        f" {word} " in each for phrase in blocked if (word := _folded(phrase).strip()) for each in (said, together)
    )


_LIKE: Final = str.maketrans("0134578", "oieastb")
_SIGNS: Final = str.maketrans("@$!", "asi")
_INSIDE: Final = re.compile(r"(?<=[^\W_])[@$!](?=[^\W_])")


def _folded(text: str) -> str:
    """The words of a text between single blanks, each as it is without its looks."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LIKE)
    plain = _INSIDE.sub(lambda match: match.group().translate(_SIGNS), plain)
    letters = "".join(
        "" if unicodedata.category(each) in ("Mn", "Cf") else each if each.isalnum() else " " for each in plain
    )
    return f" {' '.join(letters.split())} "
