"""JSON as people write it, made plain data: with comments, trailing commas, and keys and quotes as JavaScript has them.

Every mistake is told with its line and column in the text as it was written.

It knows nothing of workflows, and every input has a cap.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from engine.errors import DefinitionError

MAX_SIZE: Final = 500_000
MAX_NESTING: Final = 64


def parse_json(text: str) -> Any:
    """Parse JSON with `//` and `/* */` comments, trailing commas, keys without quotes and texts in single quotes.

    An object may be without its outer braces, as it is when it was copied out of the middle of one.

    Raises:
        DefinitionError: It is not JSON; the sentence has the line and column.
    """
    if len(text) > MAX_SIZE:
        raise DefinitionError(f"The text has {len(text):,} characters; {MAX_SIZE:,} is the most.")
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise DefinitionError("There is nothing in it; I expected a workflow as JSON.")
    pieces = _strict(text)
    try:
        data = json.loads("".join(pieces), object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        at = _origin(pieces, error.pos)
        early = not "".join(pieces[at:]).strip()
        explained = "it ends too early" if early else _EXPLAINED.get(error.msg, error.msg)
        raise DefinitionError(f"This is not JSON: {explained} in {_position(text, at)}.") from error
    except (ValueError, RecursionError) as error:
        raise DefinitionError(f"This is not JSON I can use: {error}.") from error
    _refuse_half_characters(data)
    return data


def _strict(text: str) -> list[str]:
    """The same text as JSON proper: for each character what stands in its place, so that no place is lost."""
    pieces = list(text)
    depth = 0
    comma: int | None = None  # a comma after a value, after which nothing has come yet
    before, earlier = "", ""
    word = 0, 0
    bare = False  # whether the outer braces are missing
    for kind, start, end in _lexemes(text):
        if kind == "comment":
            pieces[start:end] = [character if character == "\n" else " " for character in text[start:end]]
            continue
        if kind == ":" and earlier == "" and before in _KEYS:
            bare, earlier = True, "{"
        if kind in ("]", "}") and comma is not None:
            pieces[comma] = " "
        elif kind == ":" and before == "word" and earlier in ("{", ","):
            pieces[word[0]] = f'"{pieces[word[0]]}'
            pieces[word[1] - 1] += '"'
        elif kind == "single":
            _in_double_quotes(pieces, start, end)
        comma = start if kind == "," and before not in ("", "[", "{", ",") else None
        before, earlier, word = kind, before, (start, end)
        if kind in ("[", "{"):
            depth += 1
            if depth > MAX_NESTING:
                raise DefinitionError(
                    f"It is nested more than {MAX_NESTING} deep in {_position(text, start)}; no workflow needs that."
                )
        elif kind in ("]", "}"):
            depth -= 1
    if bare:
        pieces[0] = "{" + pieces[0]
        if comma is not None:
            pieces[comma] = " "
        pieces.append("}")
    return pieces


def _in_double_quotes(pieces: list[str], start: int, end: int) -> None:
    """Make a text in single quotes one in double quotes."""
    pieces[start] = pieces[end - 1] = '"'
    at = start + 1
    while at < end - 1:
        if pieces[at] == "\\":
            if pieces[at + 1] == "'":
                pieces[at] = ""
            at += 1
        elif pieces[at] == '"':
            pieces[at] = '\\"'
        at += 1


def _origin(pieces: list[str], position: int) -> int:
    """Which character a position in the joined pieces belongs to."""
    length = 0
    for at, piece in enumerate(pieces):
        length += len(piece)
        if length > position:
            return at
    return len(pieces)


_KEYS: Final = frozenset({"word", "text", "single"})
_WORD: Final = re.compile(r"[\w$]+")


def _lexemes(text: str) -> Iterator[tuple[str, int, int]]:
    """Brackets, commas, colons, words, texts, comments and everything else, each with where it stands."""
    position, length = 0, len(text)
    while position < length:
        character = text[position]
        if character.isspace():
            position += 1
            continue
        start = position
        if character in "\"'":
            position = _end_of_string(text, position)
            yield "text" if character == '"' else "single", start, position
        elif text.startswith("//", position):
            end = text.find("\n", position)
            position = length if end < 0 else end
            yield "comment", start, position
        elif text.startswith("/*", position):
            end = text.find("*/", position + 2)
            if end < 0:
                raise DefinitionError(f"The comment that begins in {_position(text, position)} is not closed.")
            position = end + 2
            yield "comment", start, position
        elif (word := _WORD.match(text, position)) is not None:
            position = word.end()
            yield "word", start, position
        else:
            position += 1
            yield character if character in "[]{},:" else "other", start, position


def _end_of_string(text: str, start: int) -> int:
    position, quote = start + 1, text[start]
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == quote:
            return position + 1
        else:
            position += 1
    raise DefinitionError(f"The text that begins in {_position(text, start)} is not closed.")


def _position(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"


_EXPLAINED: Final = {
    "Expecting value": "I expected a value",
    "Expecting ',' delimiter": "I expected a comma or the closing bracket",
    "Expecting ':' delimiter": "I expected a colon",
    "Expecting property name enclosed in double quotes": "I expected a name in double quotes",
    "Extra data": "something follows after its end",
    "Invalid control character at": "a line break or control character stands inside a text",
    "Invalid \\escape": "a backslash stands before the wrong character",
    "Invalid \\uXXXX escape": "a \\u escape is not complete",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f'"{key}" stands twice in one object')
            seen.add(key)
    return made


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(f"{digits[:10]}... is too large a number")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number JSON has")


def _refuse_half_characters(data: object) -> None:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        shown = error.object[error.start].encode("unicode_escape").decode()
        raise DefinitionError(f"A text holds half a character, {shown}; write it as a whole one.") from error
