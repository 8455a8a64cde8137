"""One slip in a word of the language: the sentence means the same, or is asked about, or refused; never another thing done.

The sentences are those of `cases/` and what they come to in canonical words. One letter of one word outside texts is left
out, doubled, changed or exchanged with the next one.
"""

import random
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from grammar.driver import Parsed
from grammar.instruction import Change, Control, Create, Delete, Instruction, RunWorkflow, Understood
from grammar.language import FAMILIES
from grammar.likelihood import likelihood
from grammar.words import split
from grammar.workspace import Workspace
from tests.grammar.test_cases import CASES, language, stage, workspace_of

FEWEST_LETTERS = 4
QUICK, LARGE = 150, 1_500
OWN = {"TEXT", "NEW_NAME", "FORMULA", "VARIABLE", "JSON", "WORKFLOW", "IN_WORKFLOW", "STEP_NAME", "CONTENT"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@cache
def understood_cases() -> tuple[tuple[str, str], ...]:
    """Each sentence, and where it is said, that is understood as it stands and holds no free text."""
    found: dict[tuple[str, str], None] = {}
    for case in CASES:
        if "canonical" not in case or "\n" in case["say"] or case.get("corrected"):
            continue
        for sentence in (case["say"], case["canonical"]):
            found[sentence, str(case.get("in", ""))] = None
    return tuple(found)


def _own_words(sentence: str, workspace: Workspace) -> list[tuple[int, int]]:
    """Where texts, names and formulas stand, which are the asker's own words."""
    live = language()._live.of(workspace)
    readings = [
        reading
        for family in FAMILIES
        if isinstance(outcome := language()._driver.parse(sentence, live, family), Parsed)
        for reading in outcome.readings
    ]
    best = min(readings, key=likelihood, default=None)
    if best is None:
        return [(0, len(sentence))]
    return [(leaf.start, leaf.end) for leaf in best.tokens if leaf.type in OWN]


def slipped(sentence: str, draw: random.Random, workspace: Workspace) -> str | None:
    """The sentence with one slip in a word of the language; None if it has no such word."""
    known = language()._driver.lexicon.trie
    own = _own_words(sentence, workspace)
    words = [
        word
        for word in split(sentence, 200)
        if word.kind == "word"
        and len(word.key) >= FEWEST_LETTERS
        and word.text.isascii()
        and known.get(word.key)
        and not any(start <= word.start < end for start, end in own)
    ]
    if not words:
        return None
    word = draw.choice(words)
    at = draw.randrange(len(word.text))
    letters = list(word.text)
    match draw.randrange(4):
        case 0:
            del letters[at]
        case 1:
            letters.insert(at, letters[at])
        case 2:
            letters[at] = draw.choice(LETTERS)
        case _:
            at = min(at, len(letters) - 2)
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    typed = "".join(letters)
    return None if typed == word.text else sentence[: word.start] + typed + sentence[word.end :]


def outcomes(count: int) -> tuple[Counter[str], list[str]]:
    draw = random.Random(4)
    told: Counter[str] = Counter()
    bad: list[str] = []
    for sentence, where in _drawn(draw):
        typed = slipped(sentence, draw, workspace_of({"in": where}) if where else stage())
        if typed is None:
            continue
        kind = _outcome(sentence, typed, where)
        if kind is not None:
            told[kind] += 1
            if kind in ("swallowed", "another"):
                bad.append(f"{kind}: {typed}")
        if sum(told.values()) >= count:
            break
    return told, bad


def _drawn(draw: random.Random) -> Iterator[tuple[str, str]]:
    cases = understood_cases()
    while True:
        yield draw.choice(cases)


def _outcome(sentence: str, typed: str, where: str) -> str | None:
    workspace = workspace_of({"in": where}) if where else stage()
    right = language().understand(sentence, workspace)
    if not isinstance(right, Understood):
        return None
    answer = language().understand(typed, workspace)
    if not isinstance(answer, Understood):
        return type(answer).__name__.casefold()
    if answer.instruction == right.instruction:
        return "same"
    if not answer.corrections and _with_text(answer.instruction, right.instruction):
        return "swallowed"
    if isinstance(answer.instruction, Change | Control | Create | Delete | RunWorkflow):
        return "another" if type(answer.instruction) is not type(right.instruction) else "other value"
    return "looks"


def _with_text(answer: Instruction, right: Instruction) -> bool:
    """Whether the same sort of thing is done with another text, in which the slip has gone."""
    return type(answer) is type(right) and isinstance(answer, Change | Create)


def _judge(told: Counter[str], bad: list[str]) -> None:
    total = sum(told.values())
    print({kind: f"{count} ({100 * count / total:.1f} %)" for kind, count in told.most_common()})
    print("\n".join(bad[:60]))


def test_a_slip_in_a_word_hardly_ever_changes_what_is_meant() -> None:
    told, bad = outcomes(QUICK)
    _judge(told, bad)
    total = sum(told.values())
    assert told["same"] >= 0.75 * total
    assert told["another"] <= 0.02 * total


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_slips_are_put_right_nine_times_of_ten() -> None:
    told, bad = outcomes(LARGE)
    _judge(told, bad)
    total = sum(told.values())
    assert told["same"] >= 0.9 * total, told
    assert told["swallowed"] <= 0.01 * total, bad
    assert told["another"] == 0, bad


def test_every_case_file_is_read() -> None:
    assert tomllib is not None
    assert len(understood_cases()) > 300


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [
        ("say b eles say c", ["else"]),
        ("wait 10 seconds then say bye", []),
        ("wait twenty minutes then say bye", []),
    ],
)
def test_what_a_number_counts_is_no_slip(sentence: str, meant: list[str]) -> None:
    """To find out whether it is one takes as long as the sentence itself."""
    assert [slip.word for slip in language()._slips.find(split(sentence, 20))] == meant
