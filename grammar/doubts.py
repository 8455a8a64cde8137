"""What is asked about a reading rather than guessed: a text that may hold another step, talk that may be no step, `wait 90`.

It looks at what was read and at names, and builds no instruction; what the reading means is said by whoever asks.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Final

from rapidfuzz.distance import OSA

from engine.keys import key_of
from engine.model import Set, all_states
from grammar import suggest
from grammar.drafts import named_in
from grammar.driver import Reading
from grammar.instruction import Instruction, Question
from grammar.lattice import MIN_TYPO_LENGTH
from grammar.lexicon import Lexicon
from grammar.likelihood import ambient_steps, is_later
from grammar.own_words import EDIT_VERBS
from grammar.phrases import SAID, SAID_ON, Phrase, PhraseGrammar
from grammar.references import key
from grammar.scanners import NoHalf, NoUnit
from grammar.tree import Leaf, Node
from grammar.words import quoted
from grammar.workspace import Workspace

_THEN: Final = re.compile(r"\bthen\W+(\w+)", re.IGNORECASE)
_AND: Final = re.compile(r"(?:\band(?: also| then)?|&|,)\s+(?=((?:\w+\s*){1,4}))", re.IGNORECASE)
_TIME_TO_RUN: Final = re.compile(r"\b(?:in|after|at)\s+(?:\d|an?\s+\w|half\s)", re.IGNORECASE)
_RATHER_A_BLOCK: Final = re.compile(
    r"\s(?:\w+ times|twice)\W*\Z|\botherwise\b|\buntil (?:some|any)(?:one|body)\b|(?:\band|,) (?:whoever|whenever)\b",
    re.IGNORECASE,
)
_RATHER_A_RULE: Final = re.compile(r",[^,]*\d[^,]*\b(?:cooldown|cd)\b[^,]*\Z", re.IGNORECASE)
"""`say hi, 1 min cooldown for each person`: hardly all of it is to be said."""
_RATHER_A_RIGHT: Final = re.compile(
    r"\S,\s*(?:only )?(?:for )?(?:the )?(?:mods|vips|subs|moderators|subscribers)(?: (?:and|n|&|or) (?:mods|vips|subs))?(?: only)?\W*\Z",
    re.IGNORECASE,
)
"""`say hi, mods only`: nor is that."""
_SOMEBODY_WHO: Final = re.compile(r"\b(?:to|for) \w+ (?:who|that) \w+", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(r"(?:to|in|on|into) (?:the )?(?:discord|twitch|chat)\b", re.IGNORECASE)
_LATER: Final = re.compile(
    r"(?:in|after)\s+(?:\w+\s+)?(?:\d|an?\s+\w|half\s)[^,]*\s(?:saying|that says)\b", re.IGNORECASE
)
_BARE_PLACES: Final = frozenset(
    {"first", "at first", "up front", "last", "at last", "finally", "to finish", "afterwards"}
)
"""Words for a place that are as likely a text's last ones, unlike `at the end`."""
_FIRST_WORD: Final = re.compile(r"\W*(\w*).*", re.DOTALL)
_REFERRING: Final = frozenset({"it", "that", "this", "again", "them", "those", "something", "one"})
_SENTENCE: Final = 4
"""So many words are hardly the name of a thing."""
_ALONE: Final = frozenset({"it", "that", "this", "them", "both", "those", "these"})
MAX_NOTED: Final = 4
_SPEAKING_OF_VALUES: Final = frozenset({"VARIABLE", "WORD_NAME", "FORMULA"})
_OF_WORKFLOW: Final = frozenset({"IN_WORKFLOW", "WORKFLOW", "OWNER"})
_NAME_IN_TEXT: Final = re.compile(r"\{([^\W\d]\w*)")
_TYPED_NAME: Final = re.compile(r"(?<![$\\])\{([^\W\d]\w*(?:\.\w+)*)\}")
_SAYING_WHERE: Final = frozenset({"on", "in", "at", "from", "onto", "into"})
_DESCRIBING: Final = frozenset({"their", "whose", "who", "what", "which", "whatever", "whoever", "how"})
"""Words that begin what tells of a value rather than what is said: `post their name in #log`, `say what level we got to`."""
_A_THING: Final = re.compile(r"(?:the|a|an) [\w'-]+(?: [\w'-]+)?", re.IGNORECASE)
"""`post the link in #clips`: a thing, and hardly a sentence."""
_POINTING: Final = frozenset({"the", "a", "an", "my", "new", "it", "that", "this", "these", "those", "some", "all"})


class Doubts:
    """What there may be to ask about a reading that means something.

    Args:
        phrases: The sentences of services.
        lexicon: All words.
        verbs: What steps begin with.
    """

    def __init__(self, phrases: PhraseGrammar, lexicon: Lexicon, verbs: frozenset[str]) -> None:
        self._phrases = phrases
        self._lexicon = lexicon
        self._verbs = verbs
        begins = {words for terminal, _, words in phrases.entries if terminal == SAID}
        self._deeds = frozenset(begins | EDIT_VERBS) - {"so"}

    def question(
        self, reading: Reading, sentence: str, workspace: Workspace, says: Callable[[], str]
    ) -> Question | None:
        """The question whether it was meant so; None if there is no doubt.

        Args:
            reading: What was read.
            sentence: What was said.
            workspace: Where.
            says: Tells in canonical words what it means.
        """
        swallowed = _swallowed(reading, self._verbs, self._deeds)
        if swallowed is not None:
            said = says()
            return Question(f'Is "{suggest.shown(swallowed)}" all one text? Then it means: {said}', (said,))
        tail = _tail(reading)
        if tail is not None:
            said = says()
            return Question(f'Does "{suggest.shown(tail)}" belong to the text? If not, it means: {said}', (said,))
        place = _place_or_text(reading)
        if place is not None:
            text, said = sentence[place[0].start : place[1].end], says()
            kept = f"{sentence[: place[0].start]}{quoted(text)}{sentence[place[1].end :]}"
            question = f'Does "{place[1].text}" belong to the text? If not, it means: {said}. If it does: {kept}'
            return Question(question, (said, kept))
        if (begun := _begins_with_a_verb(reading)) is not None:
            verb, text = begun
            question = f'Does the text begin with "{verb}"? It is: {text}, or: {verb} {text}'
            return Question(question, _with_the_verb(says(), verb, text))
        if (ways := _value_or_counter(reading, sentence, workspace)) is not None:
            return Question("Is that a value of each run, or a counter that stays?", ways)
        if (described := _described(self._phrases, reading, says)) is not None:
            said = says()
            return Question(f'Should it say "{described}", word for word? Then it means: {said}', (said,))
        if self._is_doubtful(reading, workspace, says):
            said = says()
            return Question(f"Is that a step to add? Then it means: {said}", (said,))
        if _is_loose_text(reading, workspace):
            said = says()
            return Question(f"Do you mean: {said}?", (said,))
        return None

    def _is_doubtful(self, reading: Reading, workspace: Workspace, says: Callable[[], str]) -> bool:
        """Whether a bare step may be no step at all: talk that happens to begin with a word like one.

        That is so if it is said with a mere synonym and a text without quotes, or if its text refers to something said
        before: `send me the news`, `say it again`; if it is but a name; or if a name that nobody knows may as well be meant as a workflow's:
        `show webcam`.
        """
        if self._has_doubtful_text(reading, says) or _has_a_quote_inside(reading):
            return True
        ambient = ambient_steps(reading.tree) if reading.start == "edit" else None
        step = next(ambient.nodes("steps")[0].leaves(), None) if ambient is not None else None
        if ambient is None or step is None:
            return False
        if len(ambient.nodes("steps")[0].nodes("step")) == 1 and any(
            leaf.type == "COUNTER" and not leaf.quoted for leaf in reading.tokens
        ):
            return True  # `reset deaths` may be wished for at once, `count deaths` as a workflow
        if self._may_be_a_workflow(reading, workspace) or step.type.startswith("BARE_"):
            return True
        phrase = self._phrases.by_rule.get(ambient.nodes("steps")[0].nodes("step")[0].nodes()[0].rule)
        if (
            phrase is not None
            and reading.tokens[0].text[:6].casefold() == "change"
            and _does(phrase.method.key, workspace)
        ):
            return True  # `change the scene to BRB` may be about the scene that is there
        if step.type != "TEXT" or step.quoted or phrase is None:
            return False
        return phrase.index > 0 or len(phrase.slots) > 1 or _FIRST_WORD.sub(r"\1", step.text).casefold() in _REFERRING

    def _has_doubtful_text(self, reading: Reading, says: Callable[[], str]) -> bool:
        """Whether an unquoted text is likelier a thing that is meant than words to be said: `post it in #clips`."""
        for node in _calls(reading.tree):
            phrase = self._phrases.by_rule.get(node.rule)
            text = node.leaf("TEXT")
            if phrase is not None and _is_pointed_at(phrase, node):
                return True  # `edit that message to ...`: which one, nobody can tell
            if phrase is None or text is None or text.quoted:
                continue
            if _SOMEBODY_WHO.search(text.text):
                return True  # `say hi to anynoe who follows` is no text
            if _ELSEWHERE.match(text.text):
                return True  # `post to discord only after the wait`: where, not what
            first = _FIRST_WORD.sub(r"\1", text.text).casefold()
            if _points_only(first, text.text):
                return True
            if _LATER.match(text.text):
                return True  # `add a message in 5 minutes saying bye`: when, not what
            points = phrase.index > 0 and first in _POINTING and not _is_led_in(text, reading)
            if points and quoted(str(text.value)) in says():
                return True  # unless it means a value, and no text
            if first in ("instead", "rather"):
                return True  # `announce instead of say in step 1`
            if first in _SAYING_WHERE and reading.tokens[_place_of(text, reading.tokens) - 1].text[:2] in ("a ", "an"):
                return True  # `a picture on instagram` is no picture of that name
        return False

    def _may_be_a_workflow(self, reading: Reading, workspace: Workspace) -> bool:
        verb = self._lexicon.trie.get(reading.tokens[0].text.split()[0].casefold())
        takes_one = verb is not None and any(terminal in ("_SHOW", "_RUN") for terminal, _, _ in verb.entries)
        return takes_one and any(
            leaf.type in suggest.LIVE and not leaf.quoted and not getattr(workspace.names, suggest.LIVE[leaf.type])
            for leaf in reading.tokens
        )


def _described(phrases: PhraseGrammar, reading: Reading, says: Callable[[], str]) -> str | None:
    """An unquoted text that tells of a value rather than what is said, unless that value is what it was taken for."""
    for node in _calls(reading.tree):
        phrase, text = phrases.by_rule.get(node.rule), node.leaf("TEXT")
        if phrase is None or text is None or text.quoted or "text" not in {param.slot for param in phrase.slots}:
            continue
        first = _FIRST_WORD.sub(r"\1", text.text).casefold()
        if (first in _DESCRIBING or _A_THING.fullmatch(text.text)) and quoted(str(text.value)) in says():
            return suggest.shown(text.text)
    return None


def _has_a_quote_inside(reading: Reading) -> bool:
    """Whether a part of an unquoted text is quoted, wherever it stands: who does that means that part."""
    texts = (leaf for leaf in reading.tokens if leaf.type == "TEXT" and not leaf.quoted)
    return any('"' in leaf.text.strip('"') for leaf in texts)


def _is_led_in(text: Leaf, reading: Reading) -> bool:
    """Whether words that are more than a name follow a word that only a text follows: `reply with it is in the panels`."""
    before = reading.tokens[_place_of(text, reading.tokens) - 1]
    return before.text.split()[-1:] in (["with"], ["saying"]) and len(text.text.split()) >= _SENTENCE


def _points_only(first: str, text: str) -> bool:
    """Whether a text is but a word for something said before, perhaps with where: `announce it in chat`."""
    after = text.split()[1:2]
    return first in _ALONE and (not after or after[0].casefold() in _SAYING_WHERE)


def kept_as_typed(sentence: str, instruction: Instruction) -> tuple[str, ...]:
    """The notes that `{name}` in what was said stands for nothing there, so that nobody finds it on the air by surprise."""
    if "{" not in sentence:
        return ()
    typed = dict.fromkeys(match.group() for match in _TYPED_NAME.finditer(sentence))
    left = {match.group() for match in _TYPED_NAME.finditer(repr(instruction))} if typed else set()
    names = [name for name in typed if name in left][:MAX_NOTED]
    return (
        (f"{' and '.join(names)} {'stands' if len(names) == 1 else 'stand'} for nothing here: kept as typed.",)
        if names
        else ()
    )


def left_open(reading: Reading, sentence: str) -> Question | None:
    """The question for what a sentence leaves open: the unit of a length, or the half of the day of a time."""
    unit = next((leaf for leaf in _lengths_to_come(reading.tokens) if isinstance(leaf.value, NoUnit)), None)
    unit = None if unit is not None and _has_the_unit_of_the_next(unit, reading.tokens) else unit
    if unit is not None and not is_later(reading.tree):
        return which_unit(unit, sentence)
    hours = [leaf for leaf in reading.tokens if isinstance(leaf.value, NoHalf)]
    if reading.tree.node("other_time") is not None:
        return None  # the time that is there tells which half is meant
    return _which_half(hours, sentence) if hours else None


def _lengths_to_come(tokens: tuple[Leaf, ...]) -> Iterator[Leaf]:
    """All but those whose unit nobody needs: what was there before, as the step tells it."""
    for place, leaf in enumerate(tokens):
        before = tokens[max(place - 1, 0)]
        after = tokens[min(place + 1, len(tokens) - 1)]
        if before.type != "_INSTEAD_OF" and after.type not in ("_IS_BAD", "_RARER"):
            yield leaf


def _swallowed(reading: Reading, verbs: frozenset[str], deeds: frozenset[str]) -> str | None:
    """Unquoted text in which another step or edit seems to begin; after "and" only if the word is exactly such a verb.

    Of a value that is given to a run also one in which it seems to be put off; and one with the words of a block in it.
    """
    is_run = any(leaf.type == "_RUN" for leaf in reading.tokens[:1])
    for leaf in reading.tokens:
        if leaf.type == "TEXT" and not leaf.quoted:
            if (
                (is_run and _TIME_TO_RUN.search(leaf.text))
                or _RATHER_A_BLOCK.search(leaf.text)
                or _RATHER_A_RULE.search(leaf.text)
                or _RATHER_A_RIGHT.search(leaf.text)
            ):
                return leaf.text
            for match in _THEN.finditer(leaf.text):
                if _is_like(match.group(1).casefold(), verbs):
                    return leaf.text
            if any(_begins_with(match.group(1), deeds) for match in _AND.finditer(leaf.text)):
                return leaf.text
    return None


_RATHER_A_WORD: Final = frozenset({"type", "write", "send", "chat"})
"""Verbs for saying that a text begins with as likely as not: `change the message to type !rules if you are new`."""


def _begins_with_a_verb(reading: Reading) -> tuple[str, str] | None:
    """A verb that is a part of the text after it as likely as not, and that text: `make the message be right back`."""
    tokens = reading.tokens
    for place, leaf in enumerate(tokens[1:], 1):
        before = tokens[place - 1]
        verb = before.text.casefold()
        if leaf.type != "TEXT" or leaf.quoted:
            continue
        if verb == "be" and _FIRST_WORD.sub(r"\1", leaf.text).casefold() in ("back", "right"):
            return verb, leaf.text
        if verb in _RATHER_A_WORD and reading.start == "edit" and place > 1 and tokens[place - 2].type == "_TO":
            return verb, leaf.text
    return None


def _with_the_verb(said: str, verb: str, text: str) -> tuple[str, ...]:
    head, quoted, tail = said.rpartition(f'"{text}')
    return (f'{head}"{verb} {text}{tail}', said) if quoted else (said,)


def _begins_with(text: str, phrases: frozenset[str]) -> bool:
    words = text.casefold().split()
    return any(" ".join(words[:length]) in phrases for length in range(1, len(words) + 1))


def _is_like(word: str, verbs: frozenset[str]) -> bool:
    """Whether a word is a verb of a step, or one slip away from it."""
    return word in verbs or (
        len(word) >= MIN_TYPO_LENGTH
        and any(OSA.distance(word, verb, score_cutoff=1) <= 1 for verb in verbs if len(verb) > 3)
    )


def _tail(reading: Reading) -> str | None:
    """Words after an unquoted text that were read as a workflow, but could be the text's last ones: `go to raid`."""
    for before, leaf in pairwise(reading.tokens):
        follows_text = before.type == "TEXT" and not before.quoted and leaf.type == "IN_WORKFLOW"
        if follows_text and leaf.text.split()[0].casefold() not in ("in", "inside", "within"):
            return leaf.text
    return None


def _place_or_text(reading: Reading) -> tuple[Leaf, Leaf] | None:
    """An unquoted text, and what was read as a place or a time but may be the text's own: `say read the rules first`."""
    if len(reading.tokens) < 2:
        return None
    for text, after, length in zip(reading.tokens, reading.tokens[1:], reading.tokens[2:], strict=False):
        if text.type == "TEXT" and not text.quoted and (after.type, length.type) == ("_AFTER_LENGTH", "DURATION"):
            return text, length._replace(text=f"{after.text} {length.text}", start=after.start)
    text, place = reading.tokens[-2:]
    is_unsure = text.type == "TEXT" and not text.quoted and place.type in ("AT_START", "AT_END")
    return (text, place) if is_unsure and place.text.casefold() in _BARE_PLACES else None


def _value_or_counter(reading: Reading, sentence: str, workspace: Workspace) -> tuple[str, str] | None:
    """Both that `set deaths to 0` may mean, where neither the workflow nor the sentence knows such a value."""
    tokens = reading.tokens
    for verb, name, to, number in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        if number.type != "NUMBER" or name.quoted:
            continue
        said = (verb.type, name.type, to.type)
        is_value = said == ("_SET", "VARIABLE", "_TO_VALUE")
        is_counter = said == (SAID, "COUNTER", SAID_ON) and to.text.casefold() == "to"
        path = str(name.value) if is_value else key_of(str(name.value))
        if (is_value or is_counter) and _is_value(path, name, reading, workspace) != is_value:
            begun, rest = sentence[: verb.start], sentence[number.end :]
            kept, counter = f"keep {number.text} as {path}", f'set the "{path}" counter to {number.text}'
            return f"{begun}{kept}{rest}", f"{begun}{counter}{rest}"
    return None


def _is_value(path: str, said: Leaf, reading: Reading, workspace: Workspace) -> bool:
    """Whether a name is one of the values of a run: of the workflow in focus, or of what was said beside."""
    said_of = next((str(leaf.value) for leaf in reading.tokens if leaf.type in _OF_WORKFLOW), workspace.focus or "")
    view = workspace.workflows.get(said_of) if reading.start == "edit" else None
    if view is not None:
        states = tuple(all_states(view.definition.states))
        kept = {name for state in states if isinstance(state.action, Set) for name in state.action.values}
        if path in {*view.definition.variables, *named_in(states), *kept}:
            return True
    used = re.compile(rf"(?<![\w.]){re.escape(path)}(?!\w)")
    others = [leaf for leaf in reading.tokens if leaf is not said]
    return (
        "." in path
        or any(used.search(leaf.text) for leaf in others if leaf.type in _SPEAKING_OF_VALUES)
        or any(path in _NAME_IN_TEXT.findall(leaf.text) for leaf in others)
    )


def _does(deed: str, workspace: Workspace) -> bool:
    """Whether the workflow in focus has a step that does this."""
    focus = workspace.workflows.get(workspace.focus or "")
    return focus is not None and any(key(state.action) == deed for state in all_states(focus.definition.states))


def _place_of(leaf: Leaf, tokens: tuple[Leaf, ...]) -> int:
    return next(place for place, each in enumerate(tokens) if each.start == leaf.start and each.type == leaf.type)


def _is_pointed_at(phrase: Phrase, call: Node) -> bool:
    """Whether words without quotes stand where only an id or a variable makes sense."""
    texts = zip(phrase.slots, call.leaves(), strict=False)
    return any(
        leaf.type == "TEXT"
        and not leaf.quoted
        and param.name.endswith("_id")
        and not re.search(r"\d|\$\{", str(leaf.value))
        for param, leaf in texts
    )


def _calls(tree: Node) -> Iterator[Node]:
    for child in tree.nodes():
        if child.rule.startswith("call"):
            yield child
        yield from _calls(child)


def is_unknown(leaf: Leaf, workspace: Workspace) -> bool:
    """Whether a word was taken for the name of something on the stream that is not known to be there."""
    known = suggest.LIVE.get(leaf.type)
    return known is not None and not leaf.quoted and str(leaf.value) not in getattr(workspace.names, known)


def _is_loose_text(reading: Reading, workspace: Workspace) -> bool:
    """`make it louder`: a text for whatever "it" is, said without quotes and without a word for saying.

    A number is plain after `the wait is too short`.
    """
    tokens = reading.tokens[:-1] if reading.tokens[-1].type == "_INSTEAD" else reading.tokens
    said = [leaf.type for leaf in tokens]
    last = tokens[-1]
    if last.type == "NUMBER" and "_IS_BAD" in said:
        return False
    is_loose = last.type in ("TEXT", "NUMBER") or (last.type != "CHANNEL" and is_unknown(last, workspace))
    return said[-2:-1] == ["IT"] and is_loose and not last.quoted


def _has_the_unit_of_the_next(unit: Leaf, tokens: tuple[Leaf, ...]) -> bool:
    """`every 20 to 40 minutes`: the first length is in minutes, too."""
    following = tokens[tokens.index(unit) + 1 :][:2]
    return [leaf.type for leaf in following] in (["_UP_TO", "DURATION"], ["_AND", "DURATION"])


def which_unit(leaf: Leaf, sentence: str) -> Question:
    """`wait 90`: seconds or minutes is never guessed where no length is there that tells."""
    lengths = tuple(f"{leaf.text} {unit}{'' if leaf.text == '1' else 's'}" for unit in ("second", "minute"))
    options = tuple(f"{sentence[: leaf.start]}{length}{sentence[leaf.end :]}" for length in lengths)
    return Question(f"Do you mean {' or '.join(lengths)}?", options)


def _which_half(hours: list[Leaf], sentence: str) -> Question:
    """`every day at 8`: morning or evening is never guessed."""
    times = [tuple(f"{leaf.value.hour % 12 + half}:{leaf.value.minute:02}" for half in (0, 12)) for leaf in hours]
    options: list[str] = []
    for chosen in product(*times):
        said = sentence
        for leaf, time in reversed(list(zip(hours, chosen, strict=True))):
            said = f"{said[: leaf.start]}{time}{said[leaf.end :]}"
        options.append(said)
    return Question(f"Do you mean {' or '.join(times[0])}?", tuple(options[:4]))
