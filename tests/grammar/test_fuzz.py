"""Whatever is typed: an answer, never an exception, soon, and nothing is kept of it.

Sentences of every kind are mutilated at random, with a fixed seed: pieces of others are put in, letters swapped, marks and
line breaks strewn over them. The quick round draws a few thousand, the slow one two hundred thousand.
"""

import contextlib
import gc
import random
import tomllib
import tracemalloc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.errors import EngineError
from grammar.files import FileError
from grammar.instruction import Question, Refusal, Understood
from grammar.language import EXAMPLE_WORK, MAX_MESSAGE_WORK, Language
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.grammar.hostile import FRAGMENTS, changed, repeated

CASES = Path(__file__).parent / "cases"
FILE = (
    'workflow "raid"\nwhen a raid comes in\n1. [hello] say "hi" (then go to step "last"; retry 3 times)\n'
    '2. wait 30 seconds\n3. [last] switch to scene "Hype"'
)
STRANGE = (
    "\u034f\u200b\ufeff\U000e0020\x00\ud7ff\U0001f6a9é½ßİ\u2028\r\n\t'’“”„\"\\{}[]()<>|&;:,.!?#@$%=+-*/^~`0123456789"
)
A_STEP = 200
"""More than one step of the widest beam takes; a budget is looked at between steps."""
MOST_WORK = MAX_MESSAGE_WORK + EXAMPLE_WORK + A_STEP
"""What is tried last ends with what may be done for the message. Counted, as a busy machine stretches time."""


@cache
def language() -> Language:
    """The language, with all that it makes at its first message made: that is not what a message takes."""
    built = Language(DECLARATIONS, tables_folder())
    for begun in ("when someone follows say hi", "what is this", FILE):
        built.understand(begun, Workspace(), teaching=True)
    return built


@cache
def places() -> tuple[Workspace, ...]:
    definition = language().read_definition(FILE)
    views = {
        name: WorkflowView(definition.model_copy(update={"id": name, "name": name})) for name in ("raid", "go_live")
    }
    names = LiveNames(("Hype", "BRB"), ("webcam",), ("airhorn",), ("Hydrate",), ("general",))
    return Workspace(), Workspace(views, "raid", names), Workspace(views, None, names)


@cache
def sentences() -> tuple[str, ...]:
    found = [
        case["say"]
        for path in sorted(CASES.glob("*.toml"))
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    ]
    return (*found, FILE, "\n".join(found[:12]))


def mutilated(chance: random.Random) -> str:
    text = chance.choice(sentences())
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(text) + 1), chance.choice(sentences())
        match chance.randrange(8):
            case 0:
                text = text[:at] + other[chance.randrange(len(other)) :]
            case 1:
                text = text[: at + 1] + text[at : at + 2][::-1] + text[at + 2 :]
            case 2:
                text = text[:at] + chance.choice(STRANGE) * chance.randint(1, 3) + text[at:]
            case 3:
                text = text[:at] + text[at + chance.randint(1, 12) :]
            case 4:
                words = text.split(" ")
                chance.shuffle(words)
                text = " ".join(words)
            case 5:
                text = text[:at] + chance.choice(FRAGMENTS) + text[at:]
            case 6:
                text = changed(text, chance, 500 if chance.random() < 0.02 else 160)
            case _:
                text = text.replace(
                    chance.choice(text or " "), chance.choice((*STRANGE, "", " ")), chance.randint(1, 4)
                )
    return text[:500]


def answered(text: str, chance: random.Random) -> None:
    """Read it as a message, and now and then as a file or as what is being typed."""
    read, place, teaching = language(), chance.choice(places()), chance.random() < 0.2
    begun = read.work
    answer = read.understand(text, place, teaching=teaching)
    assert read.work - begun <= MOST_WORK, text
    match answer:
        case Understood(instruction=instruction):
            assert language().say(instruction, place)
        case Question(text=told):
            assert told
        case Refusal(text=told):
            assert told or not teaching
    if chance.random() < 0.05:
        language().complete(text, place)
        with contextlib.suppress(FileError, EngineError):
            language().read_definition(text)


def rounds(count: int, seed: int) -> Iterator[int]:
    chance = random.Random(seed)
    for number in range(count):
        text = mutilated(chance)
        try:
            answered(text, chance)
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"{text!r} raised {error!r}") from error
        yield number


@pytest.mark.timeout(300)
def test_a_few_thousand_mutilated_messages_are_answered() -> None:
    assert sum(1 for _ in rounds(2_000, seed=1)) == 2_000


def hostile(chance: random.Random) -> Iterator[str]:
    """Messages that cost much: long ones, and such of several lines as are read and tried in many ways."""
    for longest in (500, 2_000):
        yield from (changed(message, chance, longest) for message in repeated(longest))
    for fragment in FRAGMENTS:
        for other in ("stop ", "a, then b "):
            yield f"{(fragment + other) * 8}\n{(other + fragment) * 6}\n{fragment * 5}"[:290]


def test_no_message_asks_for_more_work_than_one_may() -> None:
    read, chance = language(), random.Random(5)
    asked = {}
    for message in hostile(chance):
        begun = read.work
        read.understand(message, chance.choice(places()))
        asked[message] = read.work - begun
    dearest = max(asked, key=lambda message: asked[message])
    assert asked[dearest] <= MOST_WORK, dearest
    assert asked[dearest] > MOST_WORK / 4


@pytest.mark.parametrize("text", ["rurn raid $$$a9s @ninja", "“un “aid without posting anything"])
def test_to_find_out_what_could_have_come_is_work_as_well(text: str) -> None:
    """Hundreds of words could have come there, and each of several hypotheses is asked for them."""
    for place in places():
        begun = language().work
        language().understand(text, place)
        assert language().work - begun <= MOST_WORK


@pytest.mark.timeout(300)
def test_nothing_is_kept_of_messages() -> None:
    """After the caches are full, memory does not grow with what is said."""
    for _ in rounds(400, seed=2):
        pass
    tracemalloc.start()
    try:
        sizes = []
        for number in rounds(600, seed=3):
            if number % 200 == 199:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[0] < 2_000_000, sizes


@pytest.mark.slow
@pytest.mark.timeout(2_400)
def test_two_hundred_thousand_mutilated_messages_are_answered_and_memory_stays() -> None:
    sizes = []
    for number in rounds(200_000, seed=4):
        if number % 40_000 == 39_999:
            gc.collect()
            sizes.append(_resident())
    assert sizes[-1] - sizes[0] < 40_000_000, sizes


def _resident() -> int:
    """Bytes of memory in use, where the system tells; 0 elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4_096
    except OSError:
        return 0
