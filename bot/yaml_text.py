"""YAML as text, made plain data and back: what JSON could say too, and nothing more.

The library splits the text into events; what they mean is decided here. Plain words are texts unless they are `true`,
`false`, `null` or a number in decimals: `on`, `no` and `12:30` stay what was typed, and a date is no date. Tags are
refused, a key may stand once, and what anchors and aliases unfold to is counted before it is unfolded, so that no text of
a few lines becomes gigabytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from engine.errors import DefinitionError

MAX_SIZE: Final = 200_000
MAX_NESTING: Final = 64
MAX_VALUES: Final = 50_000
_LONG: Final = 64
"""A text counts once more for so many characters."""

_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR: Final = "tag:yaml.org,2002:str"
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,3})?")


def read_yaml(text: str) -> Any:
    """Plain data from YAML.

    Raises:
        DefinitionError: It is none that can be used; the sentence has the line and column.
    """
    if len(text) > MAX_SIZE:
        raise DefinitionError(f"The text has {len(text):,} characters; {MAX_SIZE:,} is the most.")
    if (half := next((character for character in text if "\ud800" <= character <= "\udfff"), None)) is not None:
        raise DefinitionError(f"A text holds half a character, {half!a}; write it as a whole one.")
    try:
        return _built(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        what = (error.problem or error.context or "it cannot be read").removesuffix(".")
        raise DefinitionError(f"This is not YAML: {what}{_at(error.problem_mark)}.") from error
    except yaml.YAMLError as error:
        raise DefinitionError("This is not YAML: it holds a character that YAML does not allow.") from error


def write_yaml(data: Any) -> str:
    """YAML that `read_yaml` reads as the same data."""
    written: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return written


# Reading ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    """A list or object that is being read.

    Attributes:
        made: The list or object itself.
        anchor: Its anchor, if it has one.
        key: The key that waits for its value.
        size: How many values it holds, unfolded.
    """

    made: list[Any] | dict[str, Any]
    anchor: str | None
    mark: Any
    key: str | None = None
    size: int = 1


@dataclass(slots=True)
class _Reading:
    """Where reading stands: what is open, and what has an anchor."""

    open: list[_Open] = field(default_factory=list)
    known: dict[str, tuple[Any, int]] = field(default_factory=dict)
    roots: list[Any] = field(default_factory=list)

    def put(self, value: Any, size: int, mark: Any) -> None:
        """Put a value where it belongs: into what is open, or at the top."""
        if not self.open:
            self.roots.append(value)
            return
        inside = self.open[-1]
        inside.size += size
        if inside.size > MAX_VALUES:
            raise DefinitionError(f"This YAML unfolds to more than {MAX_VALUES:,} values{_at(mark)}; no workflow does.")
        if isinstance(inside.made, list):
            inside.made.append(value)
        elif inside.key is None:
            inside.key = _key(value, inside.made, mark)
        else:
            inside.made[inside.key] = value
            inside.key = None

    def begin(self, made: list[Any] | dict[str, Any], event: Any) -> None:
        """Open a list or object."""
        if len(self.open) >= MAX_NESTING:
            raise DefinitionError(
                f"It is nested more than {MAX_NESTING} deep{_at(event.start_mark)}; no workflow needs that."
            )
        self.open.append(_Open(made, event.anchor, event.start_mark))

    def end(self) -> None:
        """Close what was opened last."""
        done = self.open.pop()
        if done.anchor is not None:
            self.known[done.anchor] = done.made, done.size
        self.put(done.made, done.size, done.mark)

    def alias(self, event: Any) -> None:
        """What an anchor stands for, once more."""
        if event.anchor not in self.known:
            raise DefinitionError(
                f"This is not YAML I can use: nothing is called *{event.anchor}{_at(event.start_mark)}."
            )
        value, size = self.known[event.anchor]
        self.put(value, size, event.start_mark)


def _built(events: Iterator[Any]) -> Any:
    reading = _Reading()
    for event in events:
        match event:
            case yaml.ScalarEvent():
                value, size = _scalar(event), 1 + len(event.value) // _LONG
                if event.anchor is not None:
                    reading.known[event.anchor] = value, size
                reading.put(value, size, event.start_mark)
            case yaml.SequenceStartEvent():
                _refuse_tag(event)
                reading.begin([], event)
            case yaml.MappingStartEvent():
                _refuse_tag(event)
                reading.begin({}, event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                reading.end()
            case yaml.AliasEvent():
                reading.alias(event)
            case _:
                pass
    if len(reading.roots) != 1:
        found = "nothing in it" if not reading.roots else "more than one document in it"
        raise DefinitionError(f"There is {found}; I expected one workflow as YAML.")
    return reading.roots[0]


def _key(value: Any, made: dict[str, Any], mark: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise DefinitionError(f"This is not YAML I can use: a key must be a word{_at(mark)}.")
    key = str(value)
    if key in made:
        raise DefinitionError(f'This is not YAML I can use: "{key[:40]}" stands twice in one object{_at(mark)}.')
    return key


def _scalar(event: Any) -> Any:
    if event.tag not in (None, "!", _STR):
        _refuse_tag(event)
    plain = event.tag is None and event.style in (None, "")  # the loader in C says "", the other one None
    return _meant(event.value) if plain else event.value


def _meant(word: str) -> Any:
    """What a word without quotes stands for."""
    if word in _WORDS:
        return _WORDS[word]
    if _WHOLE.fullmatch(word):
        return int(word)
    if _DECIMAL.fullmatch(word) and (number := float(word)) not in (float("inf"), float("-inf")):
        return number
    return word


def _refuse_tag(event: Any) -> None:
    if event.tag is not None:
        raise DefinitionError(f'This is not YAML I can use: the tag "{event.tag[:40]}"{_at(event.start_mark)}.')


def _at(mark: Any) -> str:
    return "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"


# Writing ---------------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes every value out, and quotes each text that would be read as something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_STR, text, style=None if _meant(text) == text and text.isprintable() else '"')


def _number(dumper: yaml.SafeDumper, number: float) -> yaml.ScalarNode:
    written = repr(number)  # always with a point, which other readers of YAML want
    return dumper.represent_scalar(
        "tag:yaml.org,2002:float", written if "." in written else written.replace("e", ".0e")
    )


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)
