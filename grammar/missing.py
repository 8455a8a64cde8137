"""The piece that a sentence lacks at its end: what is asked for it, and where the answer goes.

`replace step 2` is no mistake, it is half of an instruction. Which piece is missing follows from what the parser expected
there; that it is this one is tried with a sample, by a function handed in, before anybody is asked.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from grammar.driver import Stuck
from grammar.instruction import Question
from grammar.names import lookup, quoted_name
from grammar.workspace import Workspace

MAX_TRIED: Final = 12
MAX_WORKFLOWS: Final = 9


@dataclass(frozen=True, slots=True)
class _Piece:
    """One that can be missing.

    Attributes:
        expects: The terminal that the parser expects at its beginning.
        question: How it is asked for.
        joint: What stands between the sentence and the answer.
        samples: Answers, one of which makes a sentence that works, if this is the piece.
        verbatim: Whether the answer is a text that is quoted.
    """

    expects: str
    question: str
    joint: str
    samples: tuple[str, ...]
    verbatim: bool = False


_PIECES: Final = (
    _Piece("_WITH_THOSE", "With what?", " with", ('say "hello"',)),
    _Piece("_TO", "How long should it be? Such as: 30 seconds.", " to", ("30 seconds",)),
    _Piece("_TO", "What should it say?", " to", ("hello there",), verbatim=True),
    _Piece("_TO", "Which one?", " to", ('"Main"', "#general")),
    _Piece("_AS", "What should it be called?", " to", ('"my workflow"',), verbatim=True),
    _Piece("_BEFORE", "Where to? Such as: to the end, or after step 2.", "", ("to the end", "before step 1")),
    _Piece("_LATER", "When? Such as: in 20 minutes, or at 19:00.", "", ("in 20 minutes",)),
    _Piece("_BY_LENGTH", "By how much? Such as: 30 seconds.", " by", ("30 seconds",)),
    _Piece("DURATION", "How long? Such as: 30 seconds.", "", ("30 seconds",)),
    _Piece("TEXT", "What should it say?", "", ("hello there",), verbatim=True),
    _Piece("SCENE", "Which scene?", "", ('"Main"',)),
    _Piece("SOUND", "Which sound?", "", ('"airhorn"',)),
    _Piece("SOURCE", "Which source?", "", ('"webcam"',)),
    _Piece("REWARD", "Which reward?", "", ('"Hydrate"',)),
    _Piece("CHANNEL", "Which channel?", "", ("#general",)),
    _Piece("USER", "Whom?", "", ("${user}",)),
    _Piece("EVENT", "When what happens? Such as: someone follows.", "", ("someone follows",)),
    _Piece("NUMBER", "How often? Such as: 3 times.", "", ("3 times",)),
    _Piece("_STEP", "Which step? Such as: step 1, or the wait.", "", ("step 1",)),
    _Piece("STRING", "What should it be?", "", ('"hello"',), verbatim=True),
)


def missing(stuck: Stuck, sentence: str, workspace: Workspace, works: Callable[[str], bool]) -> Question | None:
    """What to ask where a sentence ends too early; None if it does not, or nothing short would mend it.

    Args:
        stuck: Where reading stopped.
        sentence: What was said.
        workspace: Whose names are offered.
        works: Whether a sentence is understood there, or asks for a further piece.
    """
    if stuck.word is not None or not stuck.read or "{}" in sentence or sentence.count('"') % 2:
        return None
    begun = sentence.rstrip()
    if lookup(begun, workspace) is not None or stuck.read[-1].type == "VARIABLE":
        # What follows a variable may be anything, so that anything would seem to mend it.
        return None
    if "WORKFLOW" in stuck.expected and (asked := _which_workflow(begun, workspace, works)) is not None:
        return asked
    for tried, (piece, sample) in enumerate(_possible(stuck)):
        if tried >= MAX_TRIED:
            break
        if works(f"{begun}{piece.joint} {sample}"):
            return Question(piece.question, gap=f"{begun}{piece.joint} {{}}", verbatim=piece.verbatim)
    return None


def _possible(stuck: Stuck) -> Iterator[tuple[_Piece, str]]:
    for piece in _PIECES:
        if piece.expects in stuck.expected:
            yield from ((piece, sample) for sample in piece.samples)


def _which_workflow(begun: str, workspace: Workspace, works: Callable[[str], bool]) -> Question | None:
    """The own workflows as numbered answers; the one there is is not asked about."""
    names = [quoted_name(view.definition.name) for view in workspace.workflows.values()]
    options = tuple(f"{begun} {name}" for name in names[:MAX_WORKFLOWS])
    if len(options) < 2 or not works(options[0]):
        return None
    return Question(f"Which workflow? {', '.join(names[:MAX_WORKFLOWS])}", options, hints=tuple(names[:MAX_WORKFLOWS]))
