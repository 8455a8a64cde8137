"""Words of a message with their places: the only module that looks at characters outside scanners.

`clean` takes away what chat clients add; `split` cuts a text into words, one linear pass, offsets kept. A word's `key` is
what lexicons match (NFKC, case folded, without apostrophes); its `text` is what was typed, byte for byte. Quotes, JSON
objects, `${variables}` and `[names]` are one word each. This module knows no lexicon and no grammar, only how words are
abbreviated (`lexicon/spellings.toml`).
"""

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from pydantic import JsonValue

Kind: TypeAlias = Literal[
    "word", "number", "quote", "variable", "brace", "channel", "user", "command", "argument", "json", "name", "mark"
]

ARTICLES: Final = frozenset(("the", "a", "an"))
SHORT_WAYS: Final = "lexicon/spellings.toml"
MAX_FAILED_JSON: Final = 16
_INVISIBLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Zs", "Zl", "Zp"})
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_REPLY_PREFIX: Final = re.compile(r"\A@\w{1,25}\s+(?=[!/])")
_NO_WORD: Final = "\0"
"""The key of what is no word begins with it: a quote in a name is the same as just this quote, and never any other."""
_QUOTES: Final = {'"': '"', "“": '”“"', "”": '”"', "„": '“”"', "«": "»", "＂": '＂"'}
_SPACE: Final = re.compile(r"[\s\u200b-\u200f\u2060-\u2064\ufeff\u034f\U000e0000-\U000e007f]+")
_NAME: Final = re.compile(r'\[(?:(?P<plain>[\w\- ]+)|"(?P<quoted>(?:[^"\\]|\\.)*)")\]', re.DOTALL)
_JSON_START: Final = re.compile(r'\{\s*["}]')
_WORD: Final = re.compile(
    r"""
      (?P<variable>\$\{[^{}\n]{1,200}\})
    | (?P<brace>\{[^\W\d][\w.]{0,63}\})
    | (?P<argument>[^\W\d][\w.]*=(?:"(?:[^"\\]|\\.)*"|[^\s"=<>][^\s"]*))
    | (?P<channel>\#[\w\-]+)
    | (?P<user>@\w+)
    | (?P<command>![^\W_][\w\-]*)
    | (?P<file>\w[\w\-]{0,62}\.(?:mp3|wav|ogg|oga|opus|m4a|aac|flac|weba|webm|mp4|mov|gif|png|jpe?g|webp|svg)(?![\w\-]))
    | (?P<number>\d+(?::\d\d)+|\d{1,3}(?:,\d{3})+(?![\d.])|\d+(?:\.\d+)?)
    | (?P<unit>(?<=\d)[^\W\d_]+(?=\d))
    | (?P<word>[^\W\d_](?:[^\W\d]|['’](?=[^\W\d_])|(?<=[\w])\d)*|_\w+)
    | (?P<mark>->|→|>=|<=|==|!=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN: Final = re.compile(r"[a-z]+(?: [a-z]+)*")
_BARE: Final = re.compile(r" ([A-Za-z]+)(?= |\Z)")
_HYPHENS: Final = frozenset("-‐‑")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE: Final = re.compile(r'\\([nrt"\\])')
_decoder: Final = json.JSONDecoder()


def _short_ways() -> dict[str, str]:
    """What each short way to type a word stands for."""
    table = tomllib.loads((Path(__file__).parent / SHORT_WAYS).read_text(encoding="utf-8"))
    return {short: word for word, shorts in table.items() for short in shorts}


_SHORT: Final = _short_ways()


class Word(NamedTuple):
    """One word of a message.

    Attributes:
        kind: What it is.
        text: As typed, with its quotes or brackets.
        key: What lexicons match.
        start: Offset of its first character.
        end: Offset after its last.
        value: What stands in a quote, a name, a JSON object; the name in a variable, brace, channel, user; (key, value)
            of an argument; else the text.
        glued: Whether it follows the word before it without a blank.
    """

    kind: Kind
    text: str
    key: str
    start: int
    end: int
    value: JsonValue
    glued: bool


def clean(message: str) -> str:
    """A message without what clients add around it: the `@bot` of a threaded answer and trailing invisible characters."""
    end = len(message)
    while end and _is_invisible(message[end - 1]):
        end -= 1
    return _REPLY_PREFIX.sub("", message[:end].lstrip(), count=1)


def _is_invisible(character: str) -> bool:
    return (
        character.isspace()
        or character in _INVISIBLE
        or "\U000e0000" <= character <= "\U000e007f"
        or unicodedata.category(character) in _INVISIBLE_CATEGORIES
    )


@lru_cache(maxsize=4_096)
def key_of(text: str) -> str:
    """The form in which two spellings of a word are the same."""
    if text.isascii():
        key = text.lower().replace("'", "")
        return _SHORT.get(key, key)
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "").replace("'", "").replace("⁄", "/")


@lru_cache(maxsize=4_096)
def fold(name: str) -> str:
    """Names are compared without case, and a blank is an underscore."""
    return "_".join(name.casefold().replace("_", " ").split())


def split(text: str, limit: int) -> tuple[Word, ...]:
    """The words of a text, at most `limit` of them.

    Blanks and hyphens between letters only part words.
    """
    return _cut(text)[:limit] if FEW < limit <= MOST else tuple(islice(_Cutter(text).words(), limit))


@lru_cache(maxsize=8)
def _cut(text: str) -> tuple[Word, ...]:
    """As many words as of a message are ever looked at; whoever has to do with a message asks for them."""
    return tuple(islice(_Cutter(text).words(), MOST))


_JOINTS: Final = frozenset({"and", "then", ",", ".", ";", "&", "n", "also", "plus", "but", "+"})
_NO_JOINT_ALONE: Final = frozenset({"also", "but", "+"})
MOST: Final = 241
FEW: Final = 64
_MOST_WORDS: Final = 240


def joints(text: str, *, certain: bool = False) -> list[tuple[int, int]]:
    """Where a text may fall into two sentences: the end of the first and the start of the second, around `and then`.

    Args:
        text: The sentences.
        certain: Only where the bot itself would say so: `; and then `.
    """
    words = split(text, _MOST_WORDS)
    found: list[tuple[int, int]] = []
    at = 1
    while at < len(words) - 1:
        end = at
        while end < len(words) and words[end].key in _JOINTS and words[end].kind != "quote":
            end += 1
        if certain and tuple(word.key for word in words[at:end]) != (";", "and", "then"):
            pass
        elif end > at and end < len(words) and (end > at + 1 or words[at].key not in _NO_JOINT_ALONE):
            found.append((words[at - 1].end, words[end].start))
        at = max(end, at + 1)
    return found


def keys(phrase: str) -> tuple[str, ...]:
    """The keys of a phrase of a lexicon."""
    if _PLAIN.fullmatch(phrase):
        words = phrase.split(" ")
        return tuple(words if _SHORT.keys().isdisjoint(words) else [_SHORT.get(word, word) for word in words])
    return tuple(word.key for word in split(phrase, 64))


class _Cutter:
    """Walks over a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._glued = False
        self._may_quote = True
        self._failed_json = 0

    def words(self) -> Iterator[Word]:
        """All words; most are letters between blanks, of which nothing else has to be asked."""
        text = self._text
        while True:
            while (match := _BARE.match(text, self._at)) is not None:
                written = match.group(1)
                key = written.lower()
                start, self._at = match.span(1)
                self._glued = True
                yield Word("word", written, _SHORT.get(key, key), start, self._at, written, False)
            self._skip()
            if self._at >= len(text):
                return
            word = self._special() or self._plain()
            self._at = word.end
            self._glued = True
            yield word

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        if space is not None:
            self._at = space.end()
            self._glued = False
        elif self._glued and self._is_inner_hyphen():
            self._at += 1

    def _is_inner_hyphen(self) -> bool:
        at, text = self._at, self._text
        return 0 < at < len(text) - 1 and text[at] in _HYPHENS and text[at - 1].isalnum() and text[at + 1].isalnum()

    def _special(self) -> Word | None:
        match self._text[self._at]:
            case "[":
                return self._name()
            case "{":
                return self._json()
            case character if character in _QUOTES and self._may_quote:
                return self._quote(_QUOTES[character])
            case _:
                return None

    def _name(self) -> Word | None:
        match = _NAME.match(self._text, self._at)
        if match is None:
            return None
        plain = match.group("plain")
        return self._word("name", match.end(), plain if plain is not None else unescape(match.group("quoted")))

    def _json(self) -> Word | None:
        if self._failed_json >= MAX_FAILED_JSON or _JSON_START.match(self._text, self._at) is None:
            return None
        try:
            value, end = _decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            self._failed_json += 1
            return None
        return self._word("json", end, value)

    def _quote(self, closing: str) -> Word | None:
        if self._glued and self._text[self._at - 1].isalnum():
            return None
        at = self._at + 1
        while at < len(self._text):
            character = self._text[at]
            if character in closing:
                return self._word("quote", at + 1, unescape(self._text[self._at + 1 : at]))
            at += 2 if character == "\\" else 1
        # No quote closes after this place, so looking again at every later one would only cost time.
        self._may_quote = False
        return None

    def _plain(self) -> Word:
        match = _WORD.match(self._text, self._at)
        if match is None:
            raise AssertionError("the last alternative takes any character")
        group = match.lastgroup
        kind: Kind = "word" if group in ("unit", "file") else group  # type: ignore[assignment]
        written = match.group()
        return self._word(kind, match.end(), _value(kind, written))

    def _word(self, kind: Kind, end: int, value: JsonValue) -> Word:
        written = self._text[self._at : end]
        key = key_of(written) if kind in ("word", "number", "mark", "command", "channel") else f"{_NO_WORD}{written}"
        return Word(kind, written, key, self._at, end, value, self._glued)


def _value(kind: Kind, written: str) -> JsonValue:
    match kind:
        case "variable":
            return written[2:-1]
        case "brace":
            return written[1:-1]
        case "channel" | "user":
            return written[1:]
        case "argument":
            name, _, value = written.partition("=")
            quoted = value.startswith('"')
            return [name, unescape(value[1:-1]) if quoted else value]
        case _:
            return written


def unescape(text: str) -> str:
    r"""A text without its escapes `\"` `\\` `\n` `\r` `\t`; any other backslash stands for itself."""
    return _ESCAPE.sub(lambda match: _ESCAPES[match.group(1)], text) if "\\" in text else text


def quoted(text: str) -> str:
    """A text in quotes, as it is read back."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
