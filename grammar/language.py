"""The one door to the language: text and workspace in, an instruction, question or refusal out; and back into words.

    language = Language(declarations)
    match language.understand("in raid make the wait half a minute", workspace):
        case Understood(instruction, corrections, notes): ...
        case Question(text, options, gap, verbatim): ...
        case Refusal(text): ...

A message is read as each family of sentences; the cheapest reading that means something here is taken, and two that are
equally likely and mean different things are asked about. Nothing is kept between messages but caches of names.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from engine.convert import mistake
from engine.declare import Declarations
from engine.edits import InsertSteps, MoveStep, SetAction
from engine.errors import EngineError
from engine.keys import key_of
from engine.model import Definition, Trigger, all_states
from grammar import names, suggest
from grammar.afterwards import after, comes_to_the_same, together
from grammar.beginnings import Beginnings
from grammar.breath import put_right
from grammar.build_edits import is_rather_steps
from grammar.build_instructions import InstructionBuilder
from grammar.context import Context, Telling
from grammar.counted import with_units
from grammar.counters import named, other_number
from grammar.doubts import Doubts, is_unknown, kept_as_typed, left_open, which_unit
from grammar.drafts import MissingPiece
from grammar.driver import CHAT, Driver, Limits, Parsed, Reading, Stuck
from grammar.examples import FIRST, example
from grammar.files import FileError, looks_like_file, read_definition
from grammar.instruction import (
    Change,
    Control,
    Create,
    Delete,
    Extend,
    Import,
    Instruction,
    Question,
    Redo,
    Refusal,
    Rename,
    RunWorkflow,
    SetEnabled,
    Skip,
    Understanding,
    Understood,
    Undo,
)
from grammar.lexicon import LiveLexicon
from grammar.likelihood import NEARLY, ambient_steps, by_likelihood
from grammar.lines import lines_of
from grammar.live import LiveWords
from grammar.missing import held_open, missing, no_such, unknown
from grammar.own_words import CONNECTORS, EDIT_VERBS, OWN_VERBS
from grammar.references import Unsettled, key
from grammar.remarks import before_remark
from grammar.resolve import Resolver
from grammar.retelling import said_by_the_only_one
from grammar.say import AND_THEN, Sayer
from grammar.slips import Slips
from grammar.table import no_collecting
from grammar.tree import Node, alike
from grammar.units import UNITS, UnitUnsaid, counted_in, replaces_such, unitless
from grammar.wishes import Vague
from grammar.words import clean, joints, split
from grammar.workspace import Workspace

FAMILIES: Final = ("manage", "edit", "create")
MAKING: Final = ("create ", "when ", "every ")
"""What begins so makes a workflow."""
MAX_PARTS: Final = 4
MAX_JOINTS: Final = 3
PART: Final = Limits(characters=500, words=60, work=800)
PARTS: Final = (Change, Control, Delete, Extend, Rename, Redo, RunWorkflow, SetEnabled, Skip, Undo)
"""What may be one of several instructions in one message."""
MAX_READINGS: Final = 8
MAX_PHRASE: Final = 3
"""A completion looks so many words back for the beginning of a phrase."""
MAX_SLIPS: Final = 3
"""So many words that may be slips are looked into."""
MAX_WORDS_LOOKED_AT: Final = 120
MAX_MESSAGE_WORK: Final = 4_200
"""What may be done for a message before it is known what to say to it, over all ways in which it is read."""
HELD_OPEN_WORK: Final = 1_000
"""What may be done of it to find out whether its last word stands for what is still to be said."""
EXAMPLE_WORK: Final = 1_200
"""What may be done at the least to find an example of what works, if it means nothing."""
TRIAL: Final = replace(CHAT, work=600)
_SCOPES: Final = frozenset({"WORKFLOW", "IN_WORKFLOW", "_COLON"})
NO_NAMES: Final = LiveLexicon()
_WORD: Final = re.compile(r"\w+")
_IMPORT: Final = re.compile(r"import\b[ \t]*:?\s*(?P<source>.*)\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Begun:
    """What was read of a sentence, and the families of sentences that can begin so."""

    text: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    reading: Reading
    likelihood: tuple[float, int]
    answer: Understanding


class Language:
    """Reads and says everything, over the methods of some declarations; tables may be kept in a folder."""

    def __init__(self, declarations: Declarations, tables: Path | None = None) -> None:
        self._declarations = declarations
        with no_collecting():
            self._driver = Driver(declarations, tables=tables)
            self._live = LiveWords(declarations, self._driver.phrases.own, tables)
        self._builder = InstructionBuilder(self._driver.phrases.by_rule, self._read_steps)
        verbs = frozenset(words.partition(" ")[0] for _, _, words in self._driver.phrases.entries) | OWN_VERBS
        self._doubts = Doubts(self._driver.phrases, self._driver.lexicon, verbs)
        self._slips = Slips(verbs | EDIT_VERBS, self._is_known)
        self._sayer = Sayer(declarations, verbs | CONNECTORS)
        self._telling = Telling(self._sayer.instruction, self._sayer.step, self._sayer.trigger)

    @property
    def table_size(self) -> tuple[int, int]:
        """How many states the parser's table has, and how many actions."""
        return self._driver.table_size

    @property
    def work(self) -> int:
        """What has been done for all messages so far, as it is limited for each."""
        return self._driver.work

    # Reading ---------------------------------------------------------------------------------------------------------------

    def understand(self, text: str, workspace: Workspace, *, teaching: bool = True) -> Understanding:
        """What a message means; it comes without the prefix by which the bot is addressed.

        Args:
            text: The message.
            workspace: What it is read against.
            teaching: Whether a refusal is to be shown; one that nobody sees costs less without examples.
        """
        sentence = put_right(clean(text).strip())
        if not sentence:
            return Refusal(f"Say what I should do. Try: {FIRST}, or: help")
        imported = _IMPORT.match(sentence)
        if imported is not None:
            return _import(imported.group("source"))
        if looks_like_file(sentence):
            return self._file(sentence, workspace)
        lines = (
            lines_of(sentence, Beginnings(self._driver, self._live.of(workspace), CHAT))
            if "\n" in sentence
            else (sentence,)
        )
        end = self._driver.work + MAX_MESSAGE_WORK
        if len(lines) == 1:
            return self._read(lines[0], workspace, end, teaching=teaching)
        return self._together(lines, workspace, end, teaching=teaching)

    def _together(self, lines: tuple[str, ...], workspace: Workspace, end: int, *, teaching: bool) -> Understanding:
        """Several lines: first what is made and what starts it, then a step a line; or an edit a line."""
        head, used = "", 0
        for line in lines[:-1]:
            begun = f"{head}: {line.rstrip(' :')}" if head else line.rstrip(" :")
            if not _asks_for_steps(self._read(begun, workspace, end, teaching=False, asking=False)):
                break
            head, used = begun, used + 1
        steps = " · ".join(lines[used:])
        whole = f"{head}: {steps}" if head else steps
        answer = self._read(whole, workspace, end, teaching=False, asking=False)
        if isinstance(answer, Refusal) and not head:
            scoped = f"{lines[0]} " if lines[0].endswith(":") else f"{lines[0]}; "
            edited = scoped + "; ".join(lines[1:])
            edits = self._read(edited, workspace, end, teaching=False, asking=False)
            if isinstance(edits, Understood) and isinstance(edits.instruction, Change):
                return self._slip_in(edited, edits, workspace, end) or edits
        if isinstance(answer, Understood):
            return self._slip_in(whole, answer, workspace, end) or answer
        if isinstance(answer, Refusal):
            answer = self._read(whole, workspace, end, teaching=teaching)
        return replace(answer, at=None) if isinstance(answer, Refusal) else answer

    def _read(
        self,
        sentence: str,
        workspace: Workspace,
        end: int,
        *,
        teaching: bool = True,
        asking: bool = True,
        limits: Limits = CHAT,
    ) -> Understanding:
        """What one sentence means; if it is not understood and `teaching`, with an example of one that is.

        With `asking`, a sentence that ends too early is asked to be completed. Nothing is tried when the driver has done
        as much work as `end`.
        """
        if asking:
            until = min(end, self._driver.work + HELD_OPEN_WORK)
            asked = held_open(sentence, lambda head: self._read(head, workspace, until, teaching=False))
            if asked is not None:
                return asked
        if AND_THEN in sentence and (parts := self._in_parts(sentence, workspace, end, certain=True)) is not None:
            return parts
        readings, stuck = self._readings(sentence, workspace, end, limits)
        if any(each.reason == "too long" for each in stuck.values()):
            return suggest.refusal(next(iter(stuck.values())), sentence, workspace, lambda _: False)
        if (counting := _counting(readings, stuck, sentence, workspace)) is not None:
            again = self._read(sentence, counting, end, teaching=False, asking=asking, limits=limits)
            if not isinstance(again, Refusal):
                return again
        if not readings and asking and (parts := self._in_parts(sentence, workspace, end)) is not None:
            return parts
        if not readings and asking and (remarked := self._before_remark(sentence, workspace, end)) is not None:
            return remarked
        if not readings:
            return self._not_read(stuck, sentence, workspace, teaching=teaching, asking=asking, end=end)
        answer = self._best(readings, sentence, workspace)
        if asking and isinstance(answer, Understood):
            return self._slip_in(sentence, answer, workspace, end) or answer
        if teaching and isinstance(answer, names.NoneYet):
            working = example(sentence, workspace, self._works_in(workspace, end))
            making = working if working.startswith(MAKING) else FIRST
            return Refusal(f"{answer.text} Make one, such as: {making}", answer.at)
        return answer

    def _readings(
        self, sentence: str, workspace: Workspace, end: int, limits: Limits
    ) -> tuple[list[Reading], dict[str, Stuck]]:
        """What a sentence may be read as, and where each family stopped that cannot say it; of one too long just that."""
        live = self._live.of(workspace)
        readings: list[Reading] = []
        stuck: dict[str, Stuck] = {}
        for family in FAMILIES:
            match self._driver.parse(sentence, live, family, limits, end):
                case Parsed(found):
                    readings.extend(found)
                case Stuck(reason="too long") as at:
                    return [], {family: at}
                case Stuck() as at:
                    stuck[family] = at
        return readings, stuck

    def _not_read(
        self,
        stuck: Mapping[str, Stuck],
        sentence: str,
        workspace: Workspace,
        *,
        teaching: bool,
        asking: bool,
        end: int,
    ) -> Question | Refusal:
        """What to say where no reading was found: ask for what is missing, else teach; trials end at `end`."""
        if not asking and not teaching:
            return Refusal("")
        furthest = _furthest(stuck.values())
        merged = _merged(furthest, stuck.values())
        begun = _Begun(
            sentence[: furthest.at].rstrip(), tuple(family for family, each in stuck.items() if each.at == furthest.at)
        )
        asked: Question | None = None
        if asking and furthest.reason == "syntax" and furthest.word is None:
            # Of commands, only values given to a run and topics of help are texts.
            commands = replace(stuck["manage"], _expected=lambda: stuck["manage"].expected - {"TEXT"})
            ended = _merged(furthest, ({**stuck, "manage": commands}).values())
            asked = missing(ended, sentence, workspace, self._makes_sense_in(workspace, end, begun))
        elif asking and furthest.reason == "syntax":
            asked = unknown(merged, sentence, workspace, self._works_in(workspace, end, begun))
        if asked is not None:
            return asked
        if not teaching:
            return Refusal("")
        end = max(end, self._driver.work + EXAMPLE_WORK)
        return suggest.refusal(merged, sentence, workspace, self._works_in(workspace, end, begun))

    def _before_remark(self, sentence: str, workspace: Workspace, end: int) -> Question | None:
        """Asks whether what stands before a remark is meant; `it's` may begin one more change, so nothing is done unasked."""
        instruction = before_remark(sentence)
        meant = None if instruction is None else self._tried(instruction, workspace, end)
        if instruction is None or not isinstance(meant, Understood):
            return None
        said = self.say(meant.instruction, workspace)
        remark = suggest.shown(sentence[len(instruction) :].strip(" ,;.!–—-"))
        return Question(f'"{remark}" is nothing to do. Without it that means: {said}', (said,))

    def _in_parts(self, sentence: str, workspace: Workspace, end: int, *, certain: bool = False) -> Understood | None:
        """Several instructions that are joined by "and" or "then", where the whole means nothing by itself.

        Each must be a full instruction by itself, a change or a control, and means what it means after those before it.
        """
        found: list[Understood] = []
        rest: str | None = sentence
        while rest is not None and len(found) < MAX_PARTS and self._driver.work < end:
            last = self._part(rest, workspace, end) if found and not (certain and joints(rest, certain=True)) else None
            if last is not None:
                found.append(last)
                return Understood(
                    together(each.instruction for each in found),
                    tuple(correction for each in found for correction in each.corrections),
                    tuple(note for each in found for note in each.notes),
                )
            for stop, start in joints(rest, certain=certain)[:MAX_JOINTS]:
                first = self._part(rest[:stop], workspace, end)
                if first is not None:
                    found.append(first)
                    rest, workspace = rest[start:], after(first.instruction, workspace)
                    break
            else:
                rest = None
        return None

    def _part(self, sentence: str, workspace: Workspace, end: int) -> Understood | None:
        """What one of several instructions means; a bare step is none, as it may be a step of what was said before."""
        live = self._live.of(workspace)
        readings: list[Reading] = []
        for family in ("manage", "edit"):
            match self._driver.parse(sentence, live, family, PART, end):
                case Parsed(found):
                    readings.extend(found)
                case Stuck():
                    pass
        readings = [each for each in readings if each.start != "edit" or ambient_steps(each.tree) is None]
        answer = self._best(readings, sentence, workspace) if readings else None
        return answer if isinstance(answer, Understood) and isinstance(answer.instruction, PARTS) else None

    def _works_in(self, workspace: Workspace, end: int, begun: "_Begun | None" = None) -> Callable[[str], bool]:
        """Whether a sentence is understood there; none is any more when all that was tried has asked too much."""
        return lambda sentence: isinstance(self._tried(sentence, workspace, end, begun), Understood)

    def _makes_sense_in(self, workspace: Workspace, end: int, begun: "_Begun") -> Callable[[str], bool]:
        """Whether a sentence is understood there, or would be asked about."""
        return lambda sentence: not isinstance(self._tried(sentence, workspace, end, begun), Refusal)

    def _tried(self, sentence: str, workspace: Workspace, end: int, begun: "_Begun | None" = None) -> Understanding:
        """What a sentence would mean that nobody has said; it gives no examples itself.

        If it begins like what was said, it is first read only as the families that came as far as that.
        """
        if self._driver.work >= end:
            return Refusal("")
        if begun is not None and len(begun.families) < len(FAMILIES) and sentence.startswith(f"{begun.text} "):
            live = self._live.of(workspace)
            if all(
                isinstance(self._driver.parse(sentence, live, family, TRIAL, end), Stuck) for family in begun.families
            ):
                return Refusal("")
        return self._read(sentence, workspace, end, teaching=False, asking=False, limits=TRIAL)

    def _best(self, readings: list[Reading], sentence: str, workspace: Workspace) -> Understanding:
        """The likeliest reading that means something; equally likely ones that differ are asked about."""
        meant = [each for each in readings if each.start != "edit" or not is_rather_steps(each.tree)] or readings
        ranked = by_likelihood(meant)
        most = ranked[0][0][0] + NEARLY
        candidates: list[_Candidate] = []
        for likelihood, reading in ranked[:MAX_READINGS]:
            # A comma may be read in two ways that come to the same; that is not worked out twice.
            if likelihood[0] <= most and not any(alike(each.reading.tree, reading.tree) for each in candidates):
                answer = self._meaning(reading, sentence, workspace)
                candidates.append(_Candidate(reading, likelihood, answer))
        if isinstance(candidates[0].answer, Vague):
            return candidates[0].answer
        first = candidates[0]
        for kind in (Understood, Question):
            fitting = [each for each in candidates if isinstance(each.answer, kind)]
            if (
                fitting
                and kind is Understood
                and (_is_rather_a_change(first, fitting[0]) or _is_rather_half_said(first, fitting[0], workspace))
            ):
                return first.answer
            if fitting:
                return self._chosen(fitting, sentence, workspace)
        return candidates[0].answer

    def _chosen(self, fitting: list[_Candidate], sentence: str, workspace: Workspace) -> Understanding:
        best = _about_it(fitting, workspace) or fitting[0]
        equal = [each.answer for each in fitting if each.likelihood == best.likelihood or _is_rival(best, each)]
        instructions: list[Instruction] = []
        for answer in equal:
            if isinstance(answer, Understood) and not any(
                comes_to_the_same(answer.instruction, each, workspace) for each in instructions
            ):
                instructions.append(answer.instruction)
        meanings = [self.say(each, workspace) for each in instructions] if len(instructions) > 1 else []
        meanings = list(dict.fromkeys(meanings))
        if len(meanings) > 1:
            return Question(f"That could mean: {', or: '.join(meanings)}. Which one?", tuple(meanings))
        if not isinstance(best.answer, Understood):
            return best.answer
        instruction = best.answer.instruction
        instead = self._instead_of_adding(best.reading, instruction, workspace)
        if instead is not None:
            ways = (self.say(instead, workspace), self.say(instruction, workspace))
            return Question(f"Instead of what it says now, or as one more step? {', or: '.join(ways)}", ways)
        says = partial(self.say, instruction, workspace)
        return self._doubts.question(best.reading, sentence, workspace, says) or best.answer

    def _instead_of_adding(
        self, reading: Reading, instruction: Instruction, workspace: Workspace
    ) -> Instruction | None:
        """What `make it say bye` may mean as well where exactly one step says something: that one says it then."""
        if not _is_of_it(reading) or reading.tokens[-1].type not in ("TEXT", "STRING"):
            return None
        match instruction:
            case Change(workflow=workflow, edits=(InsertSteps(at=at, states=(new,)),)):
                definition = workspace.workflows[workflow].definition
                changed = said_by_the_only_one(definition, new.action, self._declarations)
                return Change(workflow, (changed,)) if changed is not None and at > len(definition.states) else None
            case _:
                return None

    def _slip_in(self, sentence: str, taken: Understood, workspace: Workspace, end: int) -> Question | None:
        """Asks where a word was taken for a part of a text or for a name that hides one by which all means something else."""
        put_right = {typed.casefold() for typed, _ in taken.corrections}
        found = (
            slip
            for slip in self._slips.find(split(sentence, MAX_WORDS_LOOKED_AT))
            if sentence[slip.start : slip.end].casefold() not in put_right
        )
        for slip in islice(found, MAX_SLIPS):
            if self._driver.work >= end:
                return None
            typed = sentence[slip.start : slip.end]
            meant = self._tried(f"{sentence[: slip.start]}{slip.word}{sentence[slip.end :]}", workspace, end)
            if not isinstance(meant, Understood) or len(meant.corrections) > len(taken.corrections):
                continue
            if _with_word(meant.instruction, slip.word, typed) != _with_word(taken.instruction, slip.word, typed):
                said, as_typed = self.say(meant.instruction, workspace), self.say(taken.instruction, workspace)
                return Question(f'Is "{typed}" meant as {slip.word}, or just what you typed?', (said, as_typed))
        return None

    def _is_known(self, word: str) -> bool:
        return word in self._driver.lexicon.vocabulary

    def _meaning(self, reading: Reading, sentence: str, workspace: Workspace) -> Understanding:
        resolver = Resolver(Context(workspace, self._declarations, self._telling, sentence))
        for leaf in reading.tokens:
            if leaf.type == "DISCORD_ROLE" and workspace.names.roles and is_unknown(leaf, workspace):
                return no_such(leaf, sentence, workspace)
        asked = left_open(reading, sentence)
        if asked is not None:
            return self._counted_as_before(reading, resolver, workspace) or asked
        try:
            instruction = resolver.resolve(self._builder.build(with_units(reading.tree, workspace)))
        except Unsettled as unsettled:
            return unsettled.answer
        except UnitUnsaid as unsaid:
            number = next(leaf for leaf in reversed(reading.tokens) if leaf.text == unsaid.number)
            return which_unit(number, sentence)
        except MissingPiece as missing:
            return Question(missing.question, gap=missing.gap(sentence), verbatim=missing.verbatim)
        except EngineError as error:
            return Refusal(f"I cannot take that: {error}.")
        except ValidationError as error:
            return Refusal(f"I cannot take that: {mistake(error)}.")
        return Understood(instruction, reading.corrections, kept_as_typed(sentence, instruction))

    def _counted_as_before(self, reading: Reading, resolver: Resolver, workspace: Workspace) -> Understanding | None:
        """What is meant if a bare number counts what the lengths it replaces plainly count; None if it replaces none.

        Where it could mean nothing whatever it counted, that is told: `400 is too low, make it 9` where there is no 400.
        """
        number = unitless(reading)
        refused: Understanding | None = None
        for unit in UNITS if number is not None and reading.start == "edit" else ():
            answer: Understanding
            try:
                tree = with_units(counted_in(reading, unit).tree, workspace)
                meant = [resolver.resolve(self._builder.build(tree))]
                answer = Understood(meant[0], reading.corrections)
            except Unsettled as unsettled:
                meant, answer = list(unsettled.meant), unsettled.answer
                if isinstance(answer, Refusal) and (refused is not None or unit == UNITS[0]):
                    refused = answer
                    continue
            except (UnitUnsaid, MissingPiece, EngineError, ValidationError):
                return None
            if meant and all(replaces_such(each, number or 0, unit, workspace) for each in meant):
                return answer
            refused = None
        return refused

    def _read_steps(self, text: str) -> Node | None:
        outcome = self._driver.parse(text, NO_NAMES, "steps_line")
        return outcome.best.tree.nodes("steps")[0] if isinstance(outcome, Parsed) else None

    def _file(self, source: str, workspace: Workspace) -> Understanding:
        try:
            definition = read_definition(source, self._driver, self._live.of(workspace))
        except FileError as error:
            return Refusal(_sentence(str(error)))
        try:
            names.checked(definition.name, workspace, quoted=True)
            names.checked(definition.id, workspace, quoted=True)
        except Unsettled as unsettled:
            return unsettled.answer
        return Understood(Create(definition))

    def read_definition(self, text: str) -> Definition:
        """A workflow from its file form.

        Raises:
            FileError: A line cannot be read; the message says which and why.
        """
        return read_definition(text, self._driver)

    def complete(self, text: str, workspace: Workspace) -> list[str]:
        """What the word being typed could become: whole words and names, best first."""
        words = text.split(" ")
        found: dict[str, None] = {}
        for back in range(1, min(len(words), MAX_PHRASE) + 1):
            head, typed = " ".join(words[:-back]), " ".join(words[-back:])
            begun = len(typed) - len(words[-1])
            found |= dict.fromkeys(each[begun:] for each in self._completed(head, typed, workspace))
        return list(found)[: suggest.MAX_COMPLETIONS]

    def _completed(self, head: str, typed: str, workspace: Workspace) -> list[str]:
        """The words and names that begin with what was typed after something that can be read."""
        if not head.strip():
            return suggest.completions(("WORKFLOW", "IN_WORKFLOW"), typed, workspace, suggest.VERBS)
        live = self._live.of(workspace)
        terminals: set[str] = set()
        for family in FAMILIES:
            outcome = self._driver.parse(f"{head} \N{WHITE SQUARE}", live, family)
            if isinstance(outcome, Stuck) and outcome.word == "\N{WHITE SQUARE}":
                terminals |= outcome.expected
        return suggest.completions(terminals, typed, workspace, self._words(terminals))

    def _words(self, terminals: Iterable[str]) -> list[str]:
        phrases = self._driver.lexicon.first_phrase
        return sorted(phrases[terminal] for terminal in terminals if terminal in phrases)

    # Saying ----------------------------------------------------------------------------------------------------------------

    def say(self, instruction: Instruction, workspace: Workspace) -> str:
        """An instruction in canonical words; understood in the same workspace they mean it again."""
        return self._sayer.instruction(instruction, workspace)

    def say_step(self, definition: Definition, name: str) -> str:
        """What a step does."""
        return self._sayer.step(definition, definition.state(name))

    def say_trigger(self, trigger: Trigger) -> str:
        """`when a raid comes in`."""
        return self._sayer.trigger(trigger)

    def say_definition(self, definition: Definition) -> str:
        """The file form, which `read_definition` reads back."""
        return self._sayer.file(definition)


def _about_it(fitting: list[_Candidate], workspace: Workspace) -> _Candidate | None:
    """`make it say hi` after a step was talked about that says something: that step says hi, no other is added."""
    if workspace.step is None or not _is_of_it(fitting[0].reading):
        return None
    for candidate in fitting:
        match candidate.answer:
            case Understood(instruction=Change(workflow=workflow, edits=(SetAction(name=name, action=action),))):
                states = all_states(workspace.workflows[workflow].definition.states)
                old = next((state for state in states if state.name == name), None)
                if name == workspace.step and old is not None and key(old.action) == key(action):
                    return candidate
            case _:
                pass
    return None


def _is_of_it(reading: Reading) -> bool:
    """`make it say hi`: a step is added with a word for adding that may be about a step that is there."""
    first = next((leaf for leaf in reading.tokens if leaf.type not in _SCOPES), reading.tokens[0])
    return first.type == "_ADD" and first.text.split()[-1].casefold() == "it"


def _is_rival(best: _Candidate, other: _Candidate) -> bool:
    """`hype scene first`: a scene that is there may go first, as well as be shown once more."""
    adds = any(leaf.type in ("BARE_SCENE", "BARE_SOUND") for leaf in best.reading.tokens)
    match other.answer:
        case Understood(instruction=Change(edits=(MoveStep(),))):
            return adds
        case _:
            return False


def _is_rather_a_change(first: _Candidate, other: _Candidate) -> bool:
    """`change the scene to brb` where there are two: it is asked which, rather than read as one more step."""
    if not isinstance(first.answer, Question) or not first.answer.options or first.reading.start != "edit":
        return False
    return (
        ambient_steps(first.reading.tree) is None
        and other.reading.start == "edit"
        and bool(ambient_steps(other.reading.tree))
    )


def _is_rather_half_said(first: _Candidate, other: _Candidate, workspace: Workspace) -> bool:
    """`make it quicker`: it is asked how long, rather than a sound played that nobody knows."""
    if not isinstance(first.answer, Question) or first.answer.gap is None:
        return False
    return any(is_unknown(leaf, workspace) for leaf in other.reading.tokens)


def _asks_for_steps(answer: Understanding) -> bool:
    if isinstance(answer, Understood) and isinstance(answer.instruction, Create):
        return names.is_blank(answer.instruction.definition)
    return isinstance(answer, Question) and answer.gap is not None and answer.gap.endswith(": {}")


def _with_word(instruction: Instruction, word: str, typed: str) -> str:
    """All that an instruction holds, with a word as it was typed wherever it is a part of a text or a name."""
    return re.sub(rf"(?<![^\W_]){word}(?![^\W_])", typed, repr(instruction), flags=re.IGNORECASE)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _import(source: str) -> Understanding:
    if not source.strip():
        return Question("What should I import? Paste its JSON, its text form or a share code.", gap="import {}")
    return Understood(Import(source))


def _furthest(stuck: Collection[Stuck]) -> Stuck:
    """The failure that got furthest."""
    return max(stuck, key=lambda each: (each.reason != "syntax", each.at))


def _counting(
    readings: Collection[Reading], stuck: Mapping[str, Stuck], sentence: str, workspace: Workspace
) -> Workspace | None:
    """The workspace in which a counter is known that a sentence counts first and speaks of again; None if there is none."""
    read = min(readings, key=lambda each: each.cost).tokens if readings else _furthest(stuck.values()).read
    known = workspace.names.counters
    said = {str(leaf.value) for leaf in read if leaf.type == "COUNTER"}
    words = Counter(key_of(word) for word in _WORD.findall(sentence)) if said else Counter[str]()
    new = sorted(
        name
        for name in said
        if named(name, known) is None and sum(words[key_of(each)] for each in (name, other_number(name))) > 1
    )
    if not new:
        return None
    return replace(workspace, names=replace(workspace.names, counters=(*known, *new)), counting=tuple(new))


def _merged(furthest: Stuck, all_stuck: Collection[Stuck]) -> Stuck:
    """The failure that got furthest, with what all families expected there."""
    there = [each for each in all_stuck if each.at == furthest.at]
    return Stuck(
        furthest.at,
        furthest.word,
        furthest.reason,
        lambda: frozenset[str]().union(*(each.expected for each in there)),
        lambda: furthest.read,
    )
