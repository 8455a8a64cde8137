"""The words of answers: yes and no, which of several, and second thoughts such as `no, I meant step 3`. Pure.

It knows no workflow and reads no instruction: it tells what an answer can be, and whoever understands sentences decides
whether that makes sense. What is not surely an answer is none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final, Literal

YES: Final = frozenset(
    {"yes", "y", "yeah", "yep", "yup", "yes please", "yes pls", "yes do it", "do it", "confirm", "sure", "go ahead"}
    | {"ja", "si", "oui"}
)
NO: Final = frozenset(
    {"no", "n", "nope", "nah", "no thanks", "no thank you", "cancel", "cancel that", "dont", "don't", "no don't"}
    | {"no dont", "do not", "nein", "non", "nothing", "neither", "neither one", "none", "none thanks"}
    | {f"{none} of {them}" for none in ("neither", "none", "not any") for them in ("them", "those", "these", "the two")}
)
_AND_YES: Final = frozenset(
    {
        "ok",
        "okay",
        "right",
        "correct",
        "please",
        "pls",
        "delete it",
        "do that",
        "go for it",
        "thats right",
        "that's right",
    }
    | {"that one", "thats the one", "that's the one", "exactly", "of course", "definitely", "absolutely", "yea", "ya"}
)
"""What is said beside a yes, and is none alone."""
_AND_NO: Final = frozenset(
    {
        "keep it",
        "keep that",
        "leave it",
        "leave that",
        "stop",
        "wait",
        "please",
        "pls",
        "thanks",
        "thank you",
        "dont do it",
    }
    | {"don't do it", "dont delete it", "don't delete it", "do not delete it", "keep them", "leave them"}
)
"""What is said beside a no, and is none alone."""
DROP: Final = frozenset(
    {"never mind", "nevermind", "nvm", "forget it", "forget that", "forget about it", "leave it", "drop it"}
    | {"no never mind", "no nevermind", "no nvm", "no forget it", "skip it"}
)
_ORDINALS: Final = (
    ("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"), ("sixth", "6th"),
    ("seventh", "7th"), ("eighth", "8th"), ("ninth", "9th"), ("tenth", "10th"),
)  # fmt: skip
_PLACES: Final = {word: place for place, words in enumerate(_ORDINALS) for word in words}
_NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER: Final = re.compile(r"(?:#|no\.? ?|number |nr\.? ?|option |answer )?(\d{1,3})[.)]?")
_ORDINAL: Final = re.compile(
    rf"(?:(?:only|just|the) )*(?P<place>{'|'.join(_PLACES)}|last|latter|former)(?: (?P<noun>\w+))?"
)
_ONES: Final = frozenset({"one", "option", "answer"})
_ALL: Final = re.compile(
    r"(?:the )?(?:both|all|each)(?: (?:of (?:them|those|these)|one|two|three|four|(?P<noun>\w+?)s))?(?: pl(?:ea)?s)?"
)
_MORE: Final = "longe[rs]t?|bigg?e[rs]t?|larger|largest|highe[rs]t?|long|big|most"
_LESS: Final = "shorte[rs]t?|smalle[rs]t?|lowe[rs]t?|short|small|least"
_COMPARED: Final = re.compile(rf"(?:the )?(?:(?P<more>{_MORE})|{_LESS})(?: (?P<noun>\w+))?")
_LENGTH: Final = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s?(?P<unit>s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?)?\b"
)
_UNITS: Final = {"s": ("seconds", 1), "m": ("minutes", 60), "h": ("hours", 3_600), "d": ("days", 86_400)}
_POINTS_AT_ONE: Final = re.compile(r"(?:the|that|this) (?:one\b.*|(?:\S+ ){1,3}one)")
_WORD: Final = re.compile(r"[\w$#!@.'-]+")
_MEANINGLESS: Final = frozenset(
    {"the", "that", "this", "one", "with", "at", "which", "is", "a", "an", "please", "it", "of", "says", "about", "in"}
)

# What a second thought begins with, longest first where one begins another.
_WRONG: Final = (
    "no not that one", "not that one", "not this one", "not that", "not this", "no not that", "that's wrong",
    "thats wrong", "that is wrong", "that was wrong", "that's the wrong one", "thats the wrong one", "that's not it",
    "thats not it", "wrong one", "the wrong one", "wrong step", "the wrong step", "wrong", "not it", "that's not what i meant",
    "thats not what i meant", "not what i meant",
)  # fmt: skip
_NOT_SO: Final = ("no no no", "no no", "no", "nope", "nah", "go back", "step back")
_AS_BEFORE: Final = (
    *(
        f"{it} {was} {before}"
        for it in ("i", "it", "you", "that")
        for was in ("was right", "had it right")
        for before in ("the first time", "at first", "before", "to begin with")
    ),
    *(f"it was {fine} {how}" for fine in ("fine", "better", "good", "ok") for how in ("before", "the way it was")),
    "the first one was right", "like it was before", "as it was before", "the way it was before",
)  # fmt: skip
_MEANT: Final = (
    "i actually meant", "i did mean", "i meant to say", "i meant", "i mean", "meant", "i wanted to say", "i wanted", "i want",
    "what i meant was", "i was thinking of", "i said", "make that", "rather", "more like", "better", "it should be", "let it be",
)  # fmt: skip
_SIGHS: Final = (
    "hold on", "hang on", "my bad", "my mistake", "oops", "whoops", "woops", "ups", "sorry", "sry", "wait", "argh", "ugh",
    "hmm", "hm", "oh", "ah", "uh", "um", "damn", "actually", "well", "ok", "okay", "please", "pls", "lol", "haha", "and",
)  # fmt: skip
RATHER: Final = ("instead", "rather")
_ENDINGS: Final = (
    "instead", "instead please", "instead pls", "please", "pls", "rather", "sorry", "thanks", "thx", "i mean", "i meant",
)  # fmt: skip
_MEANING: Final = frozenset({*RATHER, "i"})
"""First words of endings that say that something else was meant."""
_ALSO: Final = re.compile(
    r"(?:and )?(?P<more>\S.{0,60}?),? (?:too|as well)|(?:and )?also (?P<also>\S.{0,60})", re.IGNORECASE
)
_NO_LONGER: Final = re.compile(
    r"(?:and |but )?no(?:t the)? (?P<less>[^,;]{1,60}?),? (?:after all|any ?more|either)", re.IGNORECASE
)
_ONLY: Final = re.compile(r"(?:only|just) (?:the )?\w+", re.IGNORECASE)
_NOT_BUT: Final = re.compile(
    r"not (?:the )?(?P<no>[^,;]{1,40}?)(?:,| but|;)\s+(?:but )?(?P<rest>(?!.*\bthen\W*\Z).+)",
    re.IGNORECASE | re.DOTALL,
)
"""`not mods, stop it then` is no contrast: it tells what is done in that case."""
_BUT_NOT: Final = re.compile(
    r"(?P<rest>[^,;]{1,60}?),? (?:and )?not (?P<no>(?:the |step |after |before )[^,;]{1,40})", re.IGNORECASE
)
_OTHER: Final = re.compile(r"(?:(?:do|take|use|it's|its|make it) )?(?:the )?other(?: one)?")
_OTHER_KIND: Final = re.compile(r"(?:the )?other (?P<noun>\w+(?: \w+)?)")
_SIGHED: Final = re.compile(
    r"(?:oops|whoops|woops|ups|sorry|sry|argh|ugh|hmm+|oh|ah|uh|um|damn|my bad)[,.!…-]+\s+(?=\w)", re.IGNORECASE
)
_BETWEEN: Final = " \t\n.,;:!?-–—…"
_MAKE_IT: Final = re.compile(r"(?:make|set|change) (?:it|that)\b", re.IGNORECASE)
_VALUE: Final = re.compile(r"\d[\d.:]*(?:\s?\w+){0,2}")
_MOST_PEELED: Final = 5


@dataclass(frozen=True, slots=True)
class Thought:
    """A second thought, with what it begins with taken off.

    Attributes:
        rest: What is left, byte for byte but for its ends.
        rejects: Whether what was said before is denied: no, wrong, not that one.
        means: Whether it is said what was meant.
        wrong: Whether only the choice is denied, not the wish: not that one, wrong one.
        turn: Whether it is to hold beside what was said before, no longer, or is as it was before that.
        denied: What is said not to be meant.
    """

    rest: str
    rejects: bool = False
    means: bool = False
    wrong: bool = False
    turn: Literal["", "more", "less", "back"] = ""
    denied: str = ""


# Yes and no ----------------------------------------------------------------------------------------------------------------


def verdict(said: str) -> bool | None:
    """Yes or no, where that is all that is said."""
    word = bare(said)
    if word in YES or _is_made_of(word, YES, _AND_YES):
        return True
    is_no = word in NO or word in DROP or _is_made_of(word, NO | DROP, _AND_NO)
    return False if is_no or _is_sighed_no(said) else None


def _is_made_of(word: str, sure: frozenset[str], beside: frozenset[str]) -> bool:
    """Whether an answer is nothing but such words, one of which at least is sure: `yeah do it`, `no keep it`."""
    left, found = word, False
    while left:
        begins = [each for each in (*sure, *beside) if left == each or left.startswith((f"{each} ", f"{each}, "))]
        if not begins:
            return False
        longest = max(begins, key=len)
        found = found or longest in sure
        left = left[len(longest) :].lstrip(" ,.!")
    return found


def _is_sighed_no(said: str) -> bool:
    """`no wait`, `oh no, never mind`: nothing is left of it but a no."""
    return any((not thought.rest and thought.rejects) or bare(thought.rest) in DROP for thought in thoughts(said))


def is_dropped(said: str, *, verbatim: bool = False) -> bool:
    """Whether the asker no longer wants to answer; where a text is wanted, only by words that are hardly one."""
    word = bare(said)
    return (
        word in DROP
        or (verbatim and word in NO)
        or (not verbatim and (word in NO or _is_made_of(word, NO | DROP, _AND_NO) or _is_sighed_no(said)))
    )


# Which of several ------------------------------------------------------------------------------------------------------


def chosen(said: str, options: Sequence[str], hints: Sequence[str] = ()) -> int | None:
    """The place of the option that is meant, from 0: by number, by ordinal, or by words only that one has.

    Args:
        said: The answer.
        options: Sentences.
        hints: What is known beside each of them, such as what the step says that it is about.
    """
    found = _pointed(bare(said), options, hints)
    if found is not None:
        return found
    for thought in thoughts(said):
        if thought.rest and (found := _pointed(bare(thought.rest), options, hints)) is not None:
            return found
    return None


def _pointed(word: str, options: Sequence[str], hints: Sequence[str]) -> int | None:
    if number := _NUMBER.fullmatch(word):
        return _within(int(number.group(1)) - 1, options)
    if word in _NUMBERS:
        return _within(_NUMBERS.index(word), options)
    told = tuple(hint or option for hint, option in zip_longest(hints[: len(options)], options))
    if (ordinal := _ORDINAL.fullmatch(word)) and _is_of_all(ordinal["noun"], told):
        return _ordered(ordinal["place"], options)
    if (compared := _COMPARED.fullmatch(word)) and _is_of_all(compared["noun"], told):
        return _outermost(told, most=compared["more"] is not None)
    for known in (options, hints):
        exact = next((place for place, each in enumerate(known) if bare(each).strip('"') == word.strip('"')), None)
        if exact is not None:
            return exact
    return _described(word, options, hints)


def _ordered(word: str, options: Sequence[str]) -> int | None:
    match word:
        case "last":
            return _within(len(options) - 1, options)
        case "former" | "latter":
            return (0 if word == "former" else 1) if len(options) == 2 else None
        case _:
            return _within(_PLACES[word], options)


def _is_of_all(noun: str | None, told: Sequence[str]) -> bool:
    """Whether a noun counts the options and not something else: `the second wait` is no option where one is a message."""
    return noun is None or noun in _ONES or (noun != "step" and all(noun in _WORD.findall(bare(each)) for each in told))


def _outermost(told: Sequence[str], *, most: bool) -> int | None:
    """The option with the greatest or the least length in it, if just one has that."""
    lengths = [_length(each) for each in told]
    if any(length is None for length in lengths):
        return None
    wanted = (max if most else min)(length for length in lengths if length is not None)
    return lengths.index(wanted) if lengths.count(wanted) == 1 else None


def _length(told: str) -> float | None:
    """All lengths of time in words, together."""
    found = [float(each["number"]) * _UNITS[each["unit"][0]][1] for each in _LENGTH.finditer(told) if each["unit"]]
    return sum(found) if found else None


def _spelled(said: str) -> str:
    """Words with every length of time written as it is said back: `10s` is `10 seconds`."""
    return _LENGTH.sub(lambda each: f"{each['number']} {_UNITS[each['unit'][0]][0]}" if each["unit"] else each[0], said)


def means_all(said: str, options: Sequence[str], hints: Sequence[str] = ()) -> bool:
    """`both`, `all of them`, `both waits`: not one of several, but each of them."""
    found = _ALL.fullmatch(bare(said))
    if found is None or (bare(said).split()[-1] == "two" and len(options) != 2):
        return False
    told = tuple(hint or option for hint, option in zip_longest(hints[: len(options)], options))
    return _is_of_all(found["noun"], told)


def points_at_one(said: str) -> bool:
    """`the one with hype`, `the blue one`: one of several, if that is one."""
    return _POINTS_AT_ONE.fullmatch(bare(said)) is not None


def _described(word: str, options: Sequence[str], hints: Sequence[str]) -> int | None:
    """The only option that has all the words that count."""
    wanted = {each for each in _WORD.findall(_spelled(word)) if each not in _MEANINGLESS}
    if not wanted:
        return None
    known = [f"{option} {hints[place] if place < len(hints) else ''}" for place, option in enumerate(options)]
    fitting = [place for place, text in enumerate(known) if wanted <= set(_WORD.findall(bare(_spelled(text))))]
    return fitting[0] if len(fitting) == 1 else None


def _within(place: int, options: Sequence[str]) -> int | None:
    return place if 0 <= place < len(options) else None


# Second thoughts -------------------------------------------------------------------------------------------------------


def thoughts(said: str, *, begun: bool = False) -> tuple[Thought, ...]:
    """What a message can be as a second thought: with ever more of its beginning taken off. None if it has no such beginning.

    `no wait, step 3` may be about a wait, or about step 3: both are given. With `begun`, what only gives another value,
    such as `make it 20` or `20 seconds`, is one too.
    """
    found = tuple(_peeled(said))
    if begun and (_MAKE_IT.match(said) or _VALUE.fullmatch(said.strip(_BETWEEN))):
        return (Thought(said.strip(_BETWEEN), means=_MAKE_IT.match(said) is not None), *found)
    if begun and _ONLY.match(said.strip(_BETWEEN)):
        return (Thought(said.strip(_BETWEEN)), *found)
    if begun and (more := _ALSO.fullmatch(said.strip(_BETWEEN))):
        return (*found, Thought(more["more"] or more["also"], turn="more"))
    if begun and (less := _NO_LONGER.fullmatch(said.strip(_BETWEEN))):
        return (Thought(less["less"], turn="less"),)
    return found


def _peeled(said: str) -> Iterator[Thought]:
    whole = said.strip(_BETWEEN)
    rest = _without_ending(whole)
    ending = whole[len(rest) :].casefold().strip(_BETWEEN).split()
    thought = Thought(rest, means=ending[:1] != [] and ending[0] in _MEANING)
    if rest != whole:
        yield thought
    for _ in range(_MOST_PEELED):
        shorter = _one_off(thought)
        if shorter is None:
            return
        thought = shorter
        yield thought


def _one_off(thought: Thought) -> Thought | None:
    folded = thought.rest.casefold().replace("’", "'")
    for pattern in (_NOT_BUT, _BUT_NOT):
        if (contrast := pattern.fullmatch(thought.rest)) is not None and not thought.wrong:
            rest = contrast["rest"].strip(_BETWEEN)
            return Thought(rest, rejects=True, means=thought.means, denied=contrast["no"].strip())
    for phrases, made in (
        (_WRONG, Thought("", rejects=True, means=thought.means, wrong=True)),
        (_AS_BEFORE, Thought("", rejects=True, means=thought.means, turn="back")),
        (_NOT_SO, Thought("", rejects=True, means=thought.means, wrong=thought.wrong)),
        (_MEANT, Thought("", thought.rejects, means=True, wrong=thought.wrong)),
        (_SIGHS, Thought("", thought.rejects, thought.means, thought.wrong)),
    ):
        for phrase in phrases:
            if folded.startswith(phrase) and not folded[len(phrase) :][:1].isalnum():
                rest = thought.rest[len(phrase) :].strip(_BETWEEN)
                return replace(made, rest=rest)
    return None


def _without_ending(said: str) -> str:
    folded = said.casefold()
    for ending in _ENDINGS:
        if folded.endswith(f" {ending}"):
            return said[: -len(ending)].strip(_BETWEEN)
    return said


def gives_value(said: str) -> bool:
    """`actually make it 20 instead`: another value for what was just talked about."""
    return any(_MAKE_IT.match(thought.rest) for thought in thoughts(said, begun=True))


def without_sigh(said: str) -> str:
    """A message without an `oops,` or `sorry,` before what is meant."""
    return _SIGHED.sub("", said.strip(), count=1)


def is_other(said: str) -> bool:
    """`the other one`."""
    return _OTHER.fullmatch(bare(said)) is not None


def other_kind(said: str) -> str | None:
    """The noun of `the other wait`."""
    found = _OTHER_KIND.fullmatch(bare(said))
    return None if found is None or found["noun"] == "one" else found["noun"]


def bare(said: str) -> str:
    """A message as answers are compared: without case, ends and doubled blanks."""
    return " ".join(said.casefold().replace("’", "'").strip(" \t\n.,!?").split())
