"""One call of the data service as its operations see it: params as their types, the rows they may read, and the answer.

What does not fit is refused in a sentence, by `Refused`, which only `engine.data` catches. Nothing here changes anything.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import JsonValue

from engine.data.entries import Entry, kind_of
from engine.data.kept import USERS, DataView
from engine.fitting import as_boolean, as_number, as_text
from engine.formulas import MAX_INTEGER
from engine.keys import key_of
from engine.scope import RESERVED
from engine.storable import size_of

QUOTES: Final = "quotes"
"""The name all quotes are kept under; nothing else can be."""
MAX_KEY: Final = 64
MAX_OWNER: Final = 64
MAX_ITEMS: Final = 1_000
MAX_ITEM: Final = 2_000
MAX_VALUE: Final = 64_000
_KEY: Final = re.compile(r"[^\W\d]\w*")
_TAKEN: Final = RESERVED | {USERS, QUOTES}  # `user` is reserved, too
_E = TypeVar("_E", bound=Entry)


class Refused(Exception):
    """It is not done; `error` is the code that a step may handle, the text is for people."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def full(what: str, most: int, noun: str) -> Refused:
    """The refusal where there is no more room."""
    return Refused("full", f"{what} has {most:,} {noun} already, and that is the limit")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it.

    Attributes:
        output: The step's result.
        place: Owner and key of the row that is changed, if one is.
        entry: What that row holds from now on; None takes it away.
    """

    output: dict[str, Any]
    place: tuple[str, str] | None = None
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A call, with everything an operation may know.

    Attributes:
        chance: A number in [0, 1), for what is picked.
        by: Name of the person it is done for; empty if there is none.
        zone: The community's time zone, for times that people write.
    """

    params: Mapping[str, Any]
    view: DataView
    now: float
    chance: float
    by: str
    zone: str

    def given(self, param: str) -> bool:
        """Whether the call says something there."""
        return self.params.get(param) is not None

    def text(self, param: str, most: int) -> str:
        """A text of so many characters at most, without the blanks around it."""
        text = as_text(param, self._required(param)).strip()
        if not text:
            raise Refused("wrong_param", f"{param} is empty")
        if len(text) > most:
            raise Refused("too_large", f"{param} has {len(text):,} characters; {most:,} is the most")
        return text

    def number(self, param: str, default: float | None = None) -> int | float:
        """A number within what numbers may be; a whole one is whole."""
        if default is not None and not self.given(param):
            return default
        number = whole(as_number(param, self._required(param)))
        if number is None:
            raise Refused("too_large", f"{param} is larger than a number may be")
        return number

    def flag(self, param: str) -> bool:
        """Yes or no; no, if nothing is said."""
        return as_boolean(param, self.params.get(param) or False)

    def value(self, param: str, most: int = MAX_VALUE) -> JsonValue:
        """Anything that can be kept, made of texts, numbers, lists and the like."""
        return kept(param, self._required(param), most)

    def key(self, param: str, default: str | None = None) -> str:
        """The name something is kept under: case does not count, and blanks are `_`, so that templates can say it."""
        if default is not None and not self.given(param):
            return default
        written = self.text(param, MAX_KEY)
        key = key_of(written)
        if not _KEY.fullmatch(key) or len(key) > MAX_KEY:
            raise Refused("wrong_param", f'"{written}" cannot be a name: use letters, digits and _, a letter first')
        if key in _TAKEN:
            raise Refused("wrong_param", f'"{key}" stands for something else already; choose another name')
        return key

    def owner(self) -> str:
        """Whose data: the person in `user`, or the community itself."""
        return person_key(self.person("user")) if self.given("user") else ""

    def person(self, param: str) -> str:
        """A person's name as written, without `@`; whoever it is done for, if nothing is said."""
        if not self.given(param) and not self.by:
            raise Refused("wrong_param", f"{param} is missing, and nobody is behind this run")
        name = self.text(param, MAX_OWNER + 1) if self.given(param) else self.by
        name = name.strip().removeprefix("@")
        if not name or len(name) > MAX_OWNER:
            raise Refused("wrong_param", f"{param} must be a name of 1 to {MAX_OWNER} characters")
        return name

    def entry(self, place: tuple[str, str], kind: type[_E], wanted: str) -> _E | None:
        """What is kept there, which must be of the kind that `wanted` calls it."""
        found = self.view.entry(*place)
        if found is None or isinstance(found, kind):
            return found
        raise Refused("wrong_kind", f'"{place[1]}" is a {kind_of(found)}, not a {wanted}')

    def one_of(self, count: int) -> int:
        """An index below `count`, by chance."""
        return min(int(self.chance * count), count - 1)

    def _required(self, param: str) -> Any:
        if not self.given(param):
            raise Refused("wrong_param", f"{param} is missing")
        return self.params[param]


def person_key(name: str) -> str:
    """How a person is known as an owner of data: their name without regard to case."""
    return name.strip().removeprefix("@").casefold()


def kept(what: str, value: Any, most: int) -> JsonValue:
    """A copy of a value in the plain form that the store gives back.

    Raises:
        Refused: It cannot be kept, or is too large.
    """
    size = size_of(value)
    if size is None:
        raise Refused("wrong_param", f"{what} holds something that cannot be kept")
    if size > most:
        raise Refused("too_large", f"{what} is too large ({size:,} bytes; {most:,} is the most)")
    plain: JsonValue = json.loads(json.dumps(value))
    return plain


def whole(number: float) -> int | float | None:
    """The number, as a whole one if it is one; None if it is larger than a number may be."""
    if not -MAX_INTEGER <= number <= MAX_INTEGER:
        return None
    return int(number) if float(number).is_integer() else number
