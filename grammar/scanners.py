"""Small parts that are recognised by their form: numbers, durations, clock times, weekdays, formulas, ids.

Each scanner gets a sentence and a place and answers with every reading that begins there, as (value, place after it),
longest first. It knows no grammar: whether a duration may stand there is the parser's business. All are linear.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from engine.errors import ExpressionError
from engine.expressions import parse_formula
from grammar.words import Word, unescape

Found: TypeAlias = list[tuple[Any, int]]

MAX_DURATION: Final = 366 * 86_400
_MAX_DIGITS: Final = 20

UNITS: Final[Mapping[str, float]] = MappingProxyType(
    {
        unit: seconds
        for seconds, units in (
            (0.001, "ms millisecond milliseconds millis"),
            (1, "s sec secs second seconds"),
            (60, "m min mins minute minutes"),
            (3_600, "h hr hrs hour hours"),
            (86_400, "d day days"),
            (604_800, "w wk wks week weeks"),
            (2_592_000, "month months"),
            (31_536_000, "y yr yrs year years"),
        )
        for unit in units.split()
    }
)
_SMALLER: Final = {3_600: 60.0, 60: 1.0}
_ONES: Final = dict(
    zip(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        range(20),
        strict=True,
    )
)
_TENS: Final = dict(
    zip(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], range(20, 100, 10), strict=True)
)
_FRACTIONS: Final = {"½": 0.5, "1/2": 0.5, "¼": 0.25, "1/4": 0.25, "¾": 0.75, "3/4": 0.75}
_FUSED: Final = {
    f"{tens}{ones}": value + one for tens, value in _TENS.items() for ones, one in _ONES.items() if 0 < one < 10
}
NUMBER_WORDS: Final[Mapping[str, int]] = MappingProxyType({**_ONES, **_TENS, **_FUSED, "hundred": 100, "dozen": 12})
WEEKDAYS: Final[Mapping[str, int]] = MappingProxyType(
    {
        spelling: number
        for number, spellings in enumerate(
            (
                "sunday sundays sun",
                "monday mondays mon",
                "tuesday tuesdays tue tues",
                "wednesday wednesdays wed weds",
                "thursday thursdays thu thur thurs",
                "friday fridays fri",
                "saturday saturdays sat",
            )
        )
        for spelling in spellings.split()
    }
)
MONTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        spelling: number
        for number, spellings in enumerate(
            (
                "january jan",
                "february feb",
                "march mar",
                "april apr",
                "may",
                "june jun",
                "july jul",
                "august aug",
                "september sep sept",
                "october oct",
                "november nov",
                "december dec",
            ),
            1,
        )
        for spelling in spellings.split()
    }
)
VOCABULARY: Final = frozenset({*UNITS, *NUMBER_WORDS, *WEEKDAYS, *MONTHS, "half", "quarter", "midnight", "noon"})


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its words; `mended` are the words with obvious slips in numbers, units and weekdays put right."""

    text: str
    words: tuple[Word, ...]
    mended: tuple[str, ...]

    def place_at(self, offset: int) -> int | None:
        """The place of the word that begins at or after an offset, if no word is cut by it."""
        low, high = 0, len(self.words)
        while low < high:
            middle = (low + high) // 2
            if self.words[middle].start < offset:
                low = middle + 1
            else:
                high = middle
        return low if low == 0 or self.words[low - 1].end <= offset else None


def _key(sentence: Sentence, at: int) -> str:
    return sentence.mended[at] if at < len(sentence.mended) else ""


# Numbers ----------------------------------------------------------------------------------------------------------------


def _digits(sentence: Sentence, at: int) -> float | int | None:
    if at >= len(sentence.words) or sentence.words[at].kind != "number":
        return None
    written = sentence.words[at].text.replace(",", "")
    if ":" in written:
        return None
    if "." in written:
        return float(written)
    return int(written) if written.isdecimal() and len(written) <= _MAX_DIGITS else None


def _glued(sentence: Sentence, at: int) -> bool:
    return at < len(sentence.words) and sentence.words[at].glued


def _goes_on(sentence: Sentence, at: int) -> bool:
    """Whether the word goes on there; the plus of "1k+" is a word of its own."""
    return _glued(sentence, at) and _key(sentence, at) != "+"


def number(sentence: Sentence, at: int) -> Found:
    """`5`, `1,000`, `1k`, `2.5`, `twenty five`, `a hundred`; a single `a` is no number."""
    digits = _digits(sentence, at)
    if digits is not None:
        if _key(sentence, at + 1) in ("k", "m") and _glued(sentence, at + 1) and not _goes_on(sentence, at + 2):
            factor = 1_000 if _key(sentence, at + 1) == "k" else 1_000_000
            scaled = digits * factor
            exact = int(scaled) if float(scaled).is_integer() else scaled
            return [(exact, at + 2), (digits, at + 1)]
        return [(digits, at + 1)]
    worded = _number_words(sentence, at)
    return [worded] if worded is not None else []


def _number_words(sentence: Sentence, at: int) -> tuple[int, int] | None:
    first = _key(sentence, at)
    if first in ("a", "one") and _key(sentence, at + 1) in ("hundred", "dozen"):
        return NUMBER_WORDS[_key(sentence, at + 1)], at + 2
    if first in _TENS:
        joined = at + 2 if _key(sentence, at + 1) == "and" else at + 1
        ones = _ONES.get(_key(sentence, joined), 0)
        if 0 < ones < 10:
            return _TENS[first] + ones, joined + 1
        return _TENS[first], at + 1
    if first in NUMBER_WORDS and first not in ("hundred", "dozen"):
        if _key(sentence, at + 1) == "hundred" and NUMBER_WORDS[first] < 10:
            return NUMBER_WORDS[first] * 100, at + 2
        return NUMBER_WORDS[first], at + 1
    return None


@dataclass(frozen=True, slots=True)
class NoUnit:
    """`90` where a length of time is wanted: seconds or minutes is for the asker to say, never guessed."""

    number: float | int


# Durations --------------------------------------------------------------------------------------------------------------


def duration(sentence: Sentence, at: int) -> Found:
    """`10s`, `1m30`, `1 hour 5 minutes`, `an hour and a half`, `half a minute`, `1:30`, `90.5 seconds`."""
    clock = _clock_length(sentence, at)
    if clock is not None:
        return [clock]
    part = _part(sentence, at)
    if part is None:
        return []
    total, unit, end = part
    found: Found = [(total, end)]
    while (following := _next_part(sentence, end, unit)) is not None:
        more, unit, end = following
        total += more
        found.append((total, end))
        if unit == 0:
            break
    return [(value, place) for value, place in reversed(found) if 0 <= value <= MAX_DURATION]


def _clock_length(sentence: Sentence, at: int) -> tuple[float, int] | None:
    word = sentence.words[at]
    if word.kind != "number" or ":" not in word.text:
        return None
    if _key(sentence, at + 1) in ("am", "pm") or len(word.text) > _MAX_DIGITS:
        return None
    total = 0
    for part in word.text.split(":"):
        total = total * 60 + int(part)
    following = UNITS.get(_key(sentence, at + 1))
    if following in (60, 3_600) and word.text.count(":") == 1:
        return float(total if following == 60 else total * 60), at + 2
    return float(total), at + 1


def _part(sentence: Sentence, at: int) -> tuple[float, float, int] | None:
    """A quantity and its unit: (seconds, seconds of the unit, place after)."""
    quantity = _quantity(sentence, at)
    if quantity is None:
        return None
    value, end = quantity
    for _ in range(2):
        if _key(sentence, end) in ("of", "a", "an", "full", "whole"):
            end += 1
    unit = UNITS.get(_key(sentence, end))
    if unit is None or (len(_key(sentence, end)) == 1 and sentence.words[end].text.isupper() and unit > 3_600):
        return None
    # What is written in seconds is kept to the last bit; of larger units only the noise of multiplying is taken away.
    return value if unit == 1 else round(value * unit, 6), unit, end + 1


def _quantity(sentence: Sentence, at: int) -> tuple[float, int] | None:
    """`5`, `a`, `half`, `5 and a half`, `one and three quarters`, `a couple`."""
    first = _key(sentence, at)
    if first == "a" and _key(sentence, at + 1) in ("couple", "half", "quarter"):
        at += 1
        first = _key(sentence, at)
    if first == "couple":
        return 2, at + 1
    fraction = _fraction(sentence, at)
    if fraction is not None:
        return fraction
    if first in ("a", "an"):
        whole, end = 1.0, at + 1
    else:
        numbers = [(value, end) for value, end in number(sentence, at) if _key(sentence, end - 1) not in ("k", "m")]
        if not numbers:
            return None
        whole, end = numbers[0]
    rest = _and_fraction(sentence, end)
    return (whole + rest[0], rest[1]) if rest is not None else (whole, end)


def _fraction(sentence: Sentence, at: int) -> tuple[float, int] | None:
    first = _key(sentence, at)
    if first in ("half", "quarter"):
        return (0.5 if first == "half" else 0.25), at + 1
    if first in _FRACTIONS:
        return _FRACTIONS[first], at + 1
    spelled = first + _key(sentence, at + 1) + _key(sentence, at + 2)
    if spelled in _FRACTIONS and _key(sentence, at + 1) == "/":
        return _FRACTIONS[spelled], at + 3
    if first == "three" and _key(sentence, at + 1) in ("quarter", "quarters"):
        return 0.75, at + 2
    if first == "two" and _key(sentence, at + 1) in ("quarter", "quarters"):
        return 0.5, at + 2
    if first == "one" and _key(sentence, at + 1) in ("quarter", "half"):
        return (0.25 if _key(sentence, at + 1) == "quarter" else 0.5), at + 2
    return None


def _and_fraction(sentence: Sentence, at: int) -> tuple[float, int] | None:
    if _key(sentence, at) != "and":
        return None
    start = at + 2 if _key(sentence, at + 1) in ("a", "an") else at + 1
    found = _fraction(sentence, start)
    return found if found is not None and found[0] < 1 else None


def _next_part(sentence: Sentence, at: int, unit: float) -> tuple[float, float, int] | None:
    """What may follow a part: `5 minutes`, `and a half`, or a bare number of the next smaller unit."""
    start = at
    while _key(sentence, start) in (",", "and") and start < at + 2:
        start += 1
    part = _part(sentence, start)
    if part is not None:
        return part if part[1] < unit or (unit >= 86_400 and part[1] > unit) else None
    fraction = _and_fraction(sentence, at)
    if fraction is not None:
        return fraction[0] * unit, 0, fraction[1]
    if unit not in _SMALLER or _key(sentence, start - 1) == ",":
        return None
    numbers = number(sentence, start)
    if not numbers or not 0 < numbers[0][0] < 60:
        return None
    return numbers[0][0] * _SMALLER[int(unit)], 0, numbers[0][1]


# Clock times and days ---------------------------------------------------------------------------------------------------


def clock(sentence: Sentence, at: int) -> Found:
    """`8pm`, `19:30`, `7.30 pm`, `half past seven in the evening`, `noon`, as minutes after midnight."""
    found: list[tuple[Any, int]] = []
    for time, end in (*_clock_in_figures(sentence, at), *_clock_in_words(sentence, at)):
        end = end + 1 if _key(sentence, end) == "oclock" else end
        half, after = _half_of_the_day(sentence, end)
        if half is not None and isinstance(time, NoHalf):
            found.append(((time.hour % 12 + half) * 60 + time.minute, after))
        found.append((time, after if half is not None and not isinstance(time, NoHalf) else end))
    return found


def _half_of_the_day(sentence: Sentence, at: int) -> tuple[int | None, int]:
    """`in the evening`: 12 hours more, and where it ends."""
    words = tuple(_key(sentence, at + place) for place in range(3))
    if words[:2] == ("at", "night") or words[0] == "tonight":
        return 12, at + (2 if words[0] == "at" else 1)
    if words[:2] != ("in", "the") or words[2] not in ("morning", "afternoon", "evening"):
        return None, at
    return (0 if words[2] == "morning" else 12), at + 3


def _clock_in_words(sentence: Sentence, at: int) -> Found:
    """`half past seven`, `a quarter to eight`, `ten past six`."""
    start = _past(sentence, at, "a")
    first = _key(sentence, start)
    minutes = {"half": 30, "quarter": 15}.get(first)
    end = start + 1
    if first == "half" and (half_past := _half_past(sentence, end)):
        return half_past
    if minutes is None and (said := number(sentence, at)) and isinstance(said[0][0], int) and 0 < said[0][0] < 60:
        minutes, end = said[0]
    if minutes is None or _key(sentence, end) not in ("past", "to"):
        return []
    hours = number(sentence, end + 1)
    if not hours or not isinstance(hours[0][0], int) or not 1 <= hours[0][0] <= 12:
        return []
    hour, after = hours[0]
    if (half := _key(sentence, after)) in ("am", "pm"):
        whole = hour % 12 + (12 if half == "pm" else 0)
        return [((whole * 60 + (minutes if _key(sentence, end) == "past" else -minutes)) % 1440, after + 1)]
    return [
        (NoHalf(hour, minutes) if _key(sentence, end) == "past" else NoHalf((hour - 2) % 12 + 1, 60 - minutes), after)
    ]


def _half_past(sentence: Sentence, at: int) -> Found:
    """`half 5`, which is half past five."""
    said = number(sentence, at)
    hour, end = said[0] if said else (0, at)
    if not isinstance(hour, int) or not 1 <= hour <= 12 or UNITS.get(_key(sentence, end)) is not None:
        return []
    return [(NoHalf(hour, 30), end)]


def _clock_in_figures(sentence: Sentence, at: int) -> Found:
    word = sentence.words[at]
    if word.key in ("noon", "midday", "midnight"):
        return [(0 if word.key == "midnight" else 720, at + 1)]
    if word.kind != "number" or len(word.text) > 5:
        return []
    hours, _, minutes = word.text.replace(".", ":").partition(":")
    half = _key(sentence, at + 1)
    if half not in ("am", "pm") and ":" not in word.text:
        return _bare_hour(sentence, at)
    hour, minute = int(hours), int(minutes or 0)
    if half in ("am", "pm"):
        if not 1 <= hour <= 12 or minute > 59:
            return []
        return [((hour % 12 + (12 if half == "pm" else 0)) * 60 + minute, at + 2)]
    return [(hour * 60 + minute, at + 1)] if hour < 24 and minute < 60 else []


@dataclass(frozen=True, slots=True)
class NoHalf:
    """`at 8`, `at half past 7`: in the morning or in the evening is for the asker to say."""

    hour: int
    minute: int = 0


def _bare_hour(sentence: Sentence, at: int) -> Found:
    hour = _digits(sentence, at)
    end = at + 2 if _key(sentence, at + 1) == "oclock" else at + 1
    if not isinstance(hour, int) or not 0 <= hour < 24 or UNITS.get(_key(sentence, end)) is not None:
        return []
    return [(hour * 60 if hour == 0 or hour > 12 else NoHalf(hour), end)]


_DATE: Final = re.compile(r"20\d\d-[01]\d-[0-3]\d(?!\d)")


def date(sentence: Sentence, at: int) -> Found:
    """`2026-11-27`, as it is written."""
    match = _DATE.match(sentence.text, sentence.words[at].start)
    if match is None:
        return []
    end = sentence.place_at(match.end())
    return [(match.group(), end)] if end is not None else []


@dataclass(frozen=True, slots=True)
class Days:
    """Which days, as cron's last three fields say it."""

    day: str = "*"
    month: str = "*"
    weekday: str = "*"


def days(sentence: Sentence, at: int) -> Found:
    """`friday`, `tue and thurs`, `mon-fri`, `weekdays`, `the 1st and 15th of every month`, `the last friday of the month`, `december 25`."""
    at = _past(sentence, at, "the")
    start = _past(sentence, at, "month", "monthly", "year", "yearly", "annually")
    if start > at:
        start = _past(sentence, _past(sentence, start, "on"), "the")
    found = [_weekdays(sentence, at), _in_the_month(sentence, start, said=start > at), _in_the_year(sentence, start)]
    return sorted((each for each in found if each is not None), key=lambda each: -each[1])


def _weekdays(sentence: Sentence, at: int) -> tuple[Days, int] | None:
    group = _DAY_GROUPS.get(_key(sentence, at))
    if group is not None:
        return Days(weekday=group), at + 1
    parts: list[str] = []
    end = at
    while (day := WEEKDAYS.get(_key(sentence, end))) is not None:
        last, at = _range_end(sentence, end + 1)
        parts.extend([str(day)] if last is None else _span(day, last))
        end = at
        while _key(sentence, end) in (",", "and", "&", "+", "plus") and end < at + 2:
            end += 1
    if not parts:
        return None
    plain = all(part.isdecimal() for part in parts)
    return Days(weekday=",".join(sorted(set(parts)) if plain else dict.fromkeys(parts))), at


_DAY_GROUPS: Final = {
    "day": "*",
    "days": "*",
    "daily": "*",
    "afternoon": "*",
    "afternoons": "*",
    "evening": "*",
    "evenings": "*",
    "morning": "*",
    "mornings": "*",
    "night": "*",
    "weekday": "1-5",
    "weekdays": "1-5",
    "weekend": "0,6",
    "weekends": "0,6",
}


def _range_end(sentence: Sentence, at: int) -> tuple[int | None, int]:
    """The last day of `mon-fri` or `monday to friday`; a hyphen only leaves the words glued."""
    day = WEEKDAYS.get(_key(sentence, at))
    if day is not None and _glued(sentence, at):
        return day, at + 1
    if _key(sentence, at) in ("to", "-", "–", "till", "until", "through", "thru"):
        day = WEEKDAYS.get(_key(sentence, at + 1))
        if day is not None:
            return day, at + 2
    return None, at


def _span(first: int, last: int) -> list[str]:
    if first < last:
        return [f"{first}-{last}"]
    return [str(day % 7) for day in range(first, last + 8)]


def _past(sentence: Sentence, at: int, *words: str) -> int:
    return at + 1 if _key(sentence, at) in words else at


def _ordinal(sentence: Sentence, at: int) -> tuple[int, int] | None:
    """`1st`, `first`, `last` (-1); place after it."""
    at = _past(sentence, at, "the")
    if _key(sentence, at) in _ORDINALS:
        return _ORDINALS[_key(sentence, at)], at + 1
    digits = _digits(sentence, at)
    if isinstance(digits, int) and _key(sentence, at + 1) in ("st", "nd", "rd", "th") and _glued(sentence, at + 1):
        return digits, at + 2
    return None


_ORDINALS: Final = {
    **{
        word: number
        for number, word in enumerate(
            ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"], 1
        )
    },
    "last": -1,
}


def _in_the_month(sentence: Sentence, at: int, *, said: bool) -> tuple[Days, int] | None:
    """`1st and 15th of every month`; "month" must be said, since "the first" means a step elsewhere."""
    numbers: list[int] = []
    end = at
    while (found := _ordinal(sentence, end)) is not None:
        numbers.append(found[0])
        at = found[1]
        end = at
        while _key(sentence, end) in (",", "and", "&", "+", "plus") and end < at + 2:
            end += 1
    if not numbers:
        return None
    weekday = WEEKDAYS.get(_key(sentence, at))
    end = at + 1 if weekday is not None or _key(sentence, at) in ("day", "days") else at
    end, closed = _of_the_month(sentence, end)
    if not (closed or said):
        return None
    if weekday is not None:
        which = "L" if numbers == [-1] else f"#{numbers[0]}"
        fits = len(numbers) == 1 and (numbers[0] == -1 or 1 <= numbers[0] <= 5)
        return (Days(weekday=f"{weekday}{which}"), end) if fits else None
    if numbers == [-1]:
        return Days(day="L"), end
    listed = sorted(set(numbers))
    return (Days(day=",".join(map(str, listed))), end) if listed[0] >= 1 and listed[-1] <= 31 else None


def _of_the_month(sentence: Sentence, at: int) -> tuple[int, bool]:
    end = _past(sentence, at, "of", "in")
    end = _past(sentence, end, "every", "each", "the", "a")
    return (end + 1, True) if _key(sentence, end) == "month" else (at, False)


def _in_the_year(sentence: Sentence, at: int) -> tuple[Days, int] | None:
    """`december 25`, `25th of december`."""
    at = _past(sentence, at, "the")
    month = MONTHS.get(_key(sentence, at))
    start = at + 1 if month is not None else at
    found = _ordinal(sentence, start)
    if found is None:
        digits = _digits(sentence, start)
        found = (digits, start + 1) if isinstance(digits, int) else None
    if found is None or not 1 <= found[0] <= 31:
        return None
    number, end = found
    if month is None:
        end = _past(sentence, end, "of")
        month = MONTHS.get(_key(sentence, end))
        end += 1
    return None if month is None else (Days(str(number), str(month)), end)


_ZONE: Final = re.compile(r"(?:[A-Z][A-Za-z]+(?:/[A-Z][\w+\-]+)+|UTC|GMT)(?![\w/])")


def zone(sentence: Sentence, at: int) -> Found:
    """`Europe/Berlin`: the name of a time zone, as it is written."""
    match = _ZONE.match(sentence.text, sentence.words[at].start)
    end = sentence.place_at(match.end()) if match is not None else None
    return [(match.group(), end)] if match is not None and end is not None else []


def emoji(sentence: Sentence, at: int) -> Found:
    """`🚩`: characters that are no letters, written together; `:frog:`, one of a server."""
    own = _OWN_EMOJI.match(sentence.text, sentence.words[at].start)
    if own is not None and (end := sentence.place_at(own.end())) is not None:
        return [(own.group(), end)]
    end = at
    while end < len(sentence.words) and _is_emoji(sentence.words[end]) and (end == at or sentence.words[end].glued):
        end += 1
    if end == at:
        return []
    return [(sentence.text[sentence.words[at].start : sentence.words[end - 1].end], end)]


def emojis(sentence: Sentence, at: int) -> Found:
    """`👍`, `👍 👎`, `👍 and then 👎`, as many as there are."""
    found: Found = []
    listed: list[str] = []
    place = at
    while place < len(sentence.words) and (said := emoji(sentence, place)):
        end = said[0][1]
        listed.append(said[0][0])
        written = sentence.text[sentence.words[at].start : sentence.words[end - 1].end]
        found.append((" ".join(listed) if any(key in written for key in ("then", "also", "&", "+")) else written, end))
        place = end
        while _key(sentence, place) in _BETWEEN_EMOJI and place < end + 3:
            place += 1
    return found[::-1]


_OWN_EMOJI: Final = re.compile(r"<a?:\w{2,32}:\d{1,20}>|:\w{2,32}:(?!\w)")
_BETWEEN_EMOJI: Final = frozenset({",", "and", "&", "+", "then", "also"})


def _is_emoji(word: Word) -> bool:
    return word.kind == "mark" and not word.text.isascii() and word.text not in _MARKS


_MARKS: Final = frozenset("·“”„«»→–—…’‘\N{WHITE SQUARE}")


# Forms in brackets -------------------------------------------------------------------------------------------------------

_ID: Final = re.compile(r'\(\s*(?:(?P<plain>[\w\-]+)|"(?P<quoted>(?:[^"\\]|\\.)*)")\s*\)', re.DOTALL)


def identifier(sentence: Sentence, at: int) -> Found:
    """`(raid_workflow)`, or `("any text")`."""
    if sentence.words[at].text != "(":
        return []
    match = _ID.match(sentence.text, sentence.words[at].start)
    if match is None:
        return []
    end = sentence.place_at(match.end())
    plain = match.group("plain")
    return [(plain if plain is not None else unescape(match.group("quoted")), end)] if end is not None else []


_METHOD: Final = re.compile(r"[^\W\d]\w*\.[^\W\d]\w*(?![\w.])")


def method(sentence: Sentence, at: int) -> Found:
    """`obs.set_text`: a service and its method."""
    match = _METHOD.match(sentence.text, sentence.words[at].start)
    if match is None:
        return []
    end = sentence.place_at(match.end())
    return [(match.group(), end)] if end is not None else []


_PLAIN_NAME: Final = re.compile(r"[A-Za-z]\w*", re.ASCII)


def plain_name(sentence: Sentence, at: int) -> Found:
    """The name of a variable or a workflow that is one word: any, also one that means something elsewhere."""
    word = sentence.words[at]
    return [(word.text, at + 1)] if word.kind == "word" and _PLAIN_NAME.fullmatch(word.text) else []


_BETWEEN_ITEMS: Final = frozenset({",", "or", "and", "&"})


def listed(sentence: Sentence, at: int) -> Found:
    """`"a", "b" or "c"`: texts in quotes, the longest list first."""
    found: Found = []
    items: list[Any] = []
    place = at
    while place < len(sentence.words) and sentence.words[place].kind == "quote":
        items.append(sentence.words[place].value)
        found.append((tuple(items), place + 1))
        place += 1
        while _key(sentence, place) in _BETWEEN_ITEMS and place < found[-1][1] + 2:
            place += 1
        if place == found[-1][1]:
            break
    return found[::-1]


_STEP_PATH: Final = re.compile(r"\d{1,4}(?:\.\d{1,4})+(?![\w.])")


def step_path(sentence: Sentence, at: int) -> Found:
    """`3.1`: a step inside another."""
    if sentence.words[at].kind != "number":
        return []
    match = _STEP_PATH.match(sentence.text, sentence.words[at].start)
    end = sentence.place_at(match.end()) if match is not None else None
    return [(tuple(map(int, match.group().split("."))), end)] if match is not None and end is not None else []


_STEP_NUMBER: Final = re.compile(r"(?P<number>\d{1,20}(?:\.\d{1,20})*)(?:[.):](?!\d))?")


def step_number(sentence: Sentence, at: int) -> Found:
    """`1`, `1.` or `3.1` before a step."""
    if sentence.words[at].kind != "number":
        return []
    match = _STEP_NUMBER.match(sentence.text, sentence.words[at].start)
    end = sentence.place_at(match.end()) if match is not None else None
    return [(match.group("number"), end)] if match is not None and end is not None else []


def place_number(sentence: Sentence, at: int) -> Found:
    """`3` where a step is meant: its number and nothing that it counts."""
    word = sentence.words[at]
    if word.kind != "number" or not word.text.isdecimal() or len(word.text) > 3:
        return []
    if _glued(sentence, at + 1) and sentence.words[at + 1].kind != "mark":
        return []
    return [(int(word.text), at + 1)]


def formula(sentence: Sentence, at: int) -> Found:
    """A condition in parentheses, handed as it is to the engine's only reader of formulas."""
    if sentence.words[at].text != "(":
        return []
    start = sentence.words[at].start
    end = _closing(sentence.text, start)
    place = sentence.place_at(end) if end is not None else None
    if end is None or place is None:
        return []
    try:
        return [(parse_formula(sentence.text[start + 1 : end - 1]), place)]
    except ExpressionError:
        return []


def _closing(text: str, start: int) -> int | None:
    depth = 0
    at = start
    while at < len(text):
        character = text[at]
        if character == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None


def mend(words: Sequence[Word], corrected: Mapping[int, str]) -> tuple[str, ...]:
    """The keys of words, with the corrected ones in their place."""
    return tuple(corrected.get(place, word.key) for place, word in enumerate(words))


OPENING: Final = frozenset(
    {*NUMBER_WORDS, *_FRACTIONS, *WEEKDAYS, *MONTHS, *_DAY_GROUPS, *_ORDINALS, "a", "an", "the", "couple"}
    | {"half", "quarter", "noon", "midday", "midnight", "month", "monthly", "year", "yearly", "annually"}
)
"""Words with which a number, a length of time, a time of day or days may begin, where no digit does."""
