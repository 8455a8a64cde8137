"""The words that come from the workspace and from what services declare: workflows, steps, nouns and deeds of steps.

"the wait", "the scene change" and "before raiding" are made from the declarations, so a plugin's steps can be referred to
like any other. Nothing is looked up in a sentence here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from engine.declare import Declarations
from engine.keys import key_of
from engine.model import Call, Definition, all_states
from engine.names import verb
from grammar import lexicon
from grammar.counters import spellings as counters_by
from grammar.kept import kept
from grammar.lexicon import (
    Branch,
    LiveLexicon,
    Node,
    Pages,
    Trie,
    Vocabulary,
    inflections,
    names_on_stream,
    pages_of,
    spellings,
)
from grammar.phrasebook import Phrase as OwnPhrase
from grammar.phrasebook import Phrasebook
from grammar.phrases import Phrase, said_in
from grammar.retelling import manners, own_text
from grammar.starts import address_of, parts_of
from grammar.syntax import Kind
from grammar.words import ARTICLES, SHORT_WAYS, split
from grammar.workspace import LiveNames, Workspace

Entry = tuple[str, str, Any]

_IN: Final = ("in", "of", "from", "inside", "out of", "to", "into", "for", "within")
_OWN_NOUNS: Final = {
    "wait": ("wait", "pause", "delay", "waiting time", "wait time"),
    "goto": ("jump", "goto"),
    "stop": ("stop",),
    "choose": ("if", "condition", "check", "choice"),
    "repeat": ("loop", "repeat", "repetition"),
    "for_each": ("loop", "for each"),
    "parallel": ("parallel step", "parallel"),
    "wait_for": ("wait for", "wait until"),
    "collect": ("collect", "collection", "collecting"),
    "run": ("run", "workflow run"),
    "emit": ("event",),
    "set": ("variable",),
    "transform": ("calculation",),
}
_GENERAL: Final = frozenset({"message", "msg", "line", "text", "post"})
"""Words by which any step is meant that says a text, where none is just that."""
_OWN_DEEDS: Final = {"wait": ("waiting", "pausing"), "stop": ("stopping", "ending")}
_ARTICLES: Final = ARTICLES | {"another"}
"""No deed is named with one at its end: `add an` is only how a sentence begins."""
_LIKE_A_PLACE: Final = re.compile(r"(step|line|number)s?[ _]*#?\d*|#?\d+", re.IGNORECASE)
_VERSION: Final = re.compile(r"v[1-9]\d{0,5}")
_MAX_KEPT: Final = 4
NAMED: Final = frozenset({"scene", "source", "filter", "sound", "reward", "role"})
OWNER_COST: Final = 0.2
COMMAND_COST: Final = 0.3
"""A command is likelier what somebody types than the workflow it starts."""
NAMED_COST: Final = 0.1
BEGINNING_COST: Final = 0.25
BARE_COUNT_COST: Final = 0.2
"""A workflow is often called like what it counts."""
VALUE_COST: Final = 0.8
"""What a counter stands at is a variable only where nothing else can be meant: `set the deaths counter to 5` sets it."""
LONGEST_BEGINNING: Final = 6
COMMON: Final = frozenset(
    {
        "that",
        "this",
        "with",
        "from",
        "when",
        "then",
        "they",
        "there",
        "here",
        "have",
        "just",
        "please",
        "were",
        "your",
        "wait",
        "stop",
        "step",
    }
)
"""Words by which no step is meant, even if its text begins with one."""


@dataclass(frozen=True, slots=True)
class _Kept:
    definitions: list[Definition]
    names: LiveNames
    lexicon: LiveLexicon
    book: Phrasebook
    owners: Mapping[str, Definition]
    templates: tuple[str, ...] = ()


class LiveWords:
    """Makes the lexicon of a workspace out of the last one: names seldom change between two messages, and then few."""

    def __init__(self, declarations: Declarations, phrases: Sequence[Phrase], folder: Path | None = None) -> None:
        written = kept(
            folder,
            "nouns",
            (said_in(declarations),),
            ("live.py", "phrases.py", "lexicon.py", "words.py", "retelling.py", SHORT_WAYS),
            lambda: _worked_out(declarations, phrases),
        )
        self._nouns = frozenset(written["nouns"])
        self._declarations = declarations
        kinds = [_kind(fields) for fields in written["kinds"]]
        meanings = [(terminal, replace(kinds[kind], words=said), 0.0) for terminal, said, kind in written["meanings"]]
        self._beside: tuple[tuple[Node, Vocabulary], ...] = (
            (Pages(written["phrases"], meanings), Vocabulary(frozenset(written["vocabulary"]))),
            (_Versions(), Vocabulary(frozenset())),
        )
        self._kept: list[_Kept] = []
        self._workspace: Workspace | None = None

    def of(self, workspace: Workspace) -> LiveLexicon:
        """The lexicon for a message in this workspace."""
        if workspace is self._workspace:
            return self._kept[0].lexicon
        self._workspace = workspace
        definitions = [view.definition for view in workspace.workflows.values()]
        for place, made in enumerate(self._kept):
            if made.definitions == definitions and (made.names, made.templates) == (
                workspace.names,
                workspace.templates,
            ):
                if place:
                    self._kept.insert(0, self._kept.pop(place))
                return made.lexicon
        made = self._made(definitions, workspace)
        self._kept = [made, *self._kept[: _MAX_KEPT - 1]]
        return made.lexicon

    def _made(self, definitions: list[Definition], workspace: Workspace) -> _Kept:
        owners = {owner: view.definition for owner, view in workspace.workflows.items()}
        last = self._kept[0] if self._kept else _Kept([], LiveNames(), LiveLexicon(), Phrasebook(), {})
        come = {owner: view for owner, view in owners.items() if last.owners.get(owner) is not view}
        gone = [owner for owner in last.owners if owner not in owners]
        book = last.book.changed(gone, {owner: tuple(self._phrases(view)) for owner, view in come.items()})
        beside: tuple[tuple[Node, Vocabulary], ...] = (
            *self._beside,
            *((root, book.vocabulary) for root in _roots(book)),
        )
        if workspace.names.counters:
            counting = _counting(workspace.names.counters)
            beside = (*beside, (counting, Vocabulary(counting.vocabulary)))
        templates = (entry for name in workspace.templates for entry in _template(name))
        made = LiveLexicon((*names_on_stream(workspace.names), *templates), beside)
        return _Kept(definitions, workspace.names, made, book, owners, workspace.templates)

    def _phrases(self, definition: Definition) -> Iterator[OwnPhrase]:
        for name in _called(definition):
            for words in spellings(name):
                if words:
                    yield "name", words, ("WORKFLOW", definition.id, 0.0)
                    yield "name", (*words, "one"), ("WORKFLOW", definition.id, 0.0)
                    yield "in", words, ("IN_WORKFLOW", definition.id, 0.0)
                    yield "in", (*words, "workflow"), ("IN_WORKFLOW", definition.id, 0.0)
                    yield "in", (*words, "one"), ("IN_WORKFLOW", definition.id, 0.0)
                    yield "name", words, ("OWNER", definition.id, OWNER_COST)
                    if not words[-1].endswith("s"):
                        yield "name", (*words[:-1], f"{words[-1]}s"), ("OWNER", definition.id, 0.0)
        yield from _by_command(definition)
        for words, content, cost in dict.fromkeys(_contents(definition, self._declarations)):
            yield "step", words, ("CONTENT", content, cost)
        for tag in definition.tags:
            for words in spellings(tag):
                if words:
                    yield "tag", words, ("TAG", tag, 0.0)
        for name in self._step_names(definition):
            for words in spellings(name):
                if words:
                    yield "step", words, ("STEP_NAME", name, 0.0)

    def _step_names(self, definition: Definition) -> Iterator[str]:
        """Names that people gave; "wait" and "wait_2" are made up, and "the wait" means any of them.

        A step that somebody called "step" or "step 2" is said in quotes: without them that is the second one.
        """
        for state in all_states(definition.states):
            stem = verb(state.action, self._declarations)
            made_up = re.fullmatch(rf"{re.escape(stem)}(_\d+)?", state.name) is not None
            if (
                not made_up
                and _LIKE_A_PLACE.fullmatch(state.name) is None
                and state.name.replace("_", " ") not in self._nouns
            ):
                yield state.name


def _by_command(definition: Definition) -> Iterator[OwnPhrase]:
    for command in commands_of(definition):
        yield "name", (command,), ("WORKFLOW", definition.id, COMMAND_COST)
        yield "in", (command,), ("IN_WORKFLOW", definition.id, COMMAND_COST)


def commands_of(definition: Definition) -> tuple[str, ...]:
    """The commands that start a workflow: people call it by them."""
    parts = (part for trigger in definition.triggers for part in parts_of(trigger.when))
    return tuple(dict.fromkeys(str(value) for path, value in map(address_of, parts) if path == "command"))


def _called(definition: Definition) -> Iterator[str]:
    """Its name and its id, unless that is like a step: nobody sees an id, and "step 2" is a step."""
    yield definition.name
    if definition.id != definition.name and _LIKE_A_PLACE.fullmatch(definition.id) is None:
        yield definition.id


def _contents(definition: Definition, declarations: Declarations) -> Iterator[tuple[tuple[str, ...], str, float]]:
    """What steps hold, as words by which they can be meant: a scene's name, how a text begins."""
    for state in all_states(definition.states):
        if not isinstance(state.action, Call):
            continue
        method = declarations.find(state.action.service, state.action.method)
        for param in method.params if method is not None else ():
            value = state.action.params.get(param.name)
            if not isinstance(value, str) or _LIKE_A_PLACE.fullmatch(value) is not None:
                continue
            if param.type in NAMED or param.type == "counter":
                yield from ((words, value, NAMED_COST) for words in spellings(value) if words)
            elif param.type == "text":
                yield from _beginnings(value)
            elif param.type == "channel":
                yield from ((words, value, NAMED_COST) for words in spellings(value) if words)


def _beginnings(text: str) -> Iterator[tuple[tuple[str, ...], str, float]]:
    """The first words of a text, as many as people repeat to say which one they mean."""
    words = split(text, LONGEST_BEGINNING)
    for count, word in enumerate(words, 1):
        if word.kind != "word":
            return
        if count > 1 or (len(word.key) > 3 and word.key not in COMMON):
            yield tuple(each.key for each in words[:count]), text[: word.end], BEGINNING_COST


def _roots(book: Phrasebook) -> Iterator[Node]:
    """Where names begin: as they are, after "the", after "in" and "in the"."""
    name, within = book.section("name"), book.section("in")
    yield name
    yield book.section("step")
    yield book.section("tag")
    yield Branch({"the": name})
    yield _after_in(within)
    yield _after_in(Branch({"the": within}))


def _after_in(node: Node) -> Branch:
    root = Branch()
    for phrase in _IN:
        *first, last = phrase.split()
        at = root
        for word in first:
            at = cast("Branch", at.setdefault(word, Branch()))
        at[last] = node
    return root


class _Versions:
    """`v1`, `version 2` and so on, without end."""

    entries: tuple[lexicon.Entry, ...] = ()

    def get(self, word: str, /) -> Branch | None:
        """The branch of one of them."""
        if word == "version":
            return cast("Branch", _Numbers())
        return _numbered(int(word[1:])) if _VERSION.fullmatch(word) is not None else None


class _Numbers:
    """What follows "version": `version 3`."""

    entries: tuple[lexicon.Entry, ...] = ()

    def get(self, word: str, /) -> Branch | None:
        """The branch of a number."""
        return _numbered(int(word)) if word.isascii() and word.isdecimal() and len(word) <= 6 else None


def _numbered(number: int) -> Branch:
    branch = Branch()
    branch.entries = (("VERSION", number, 0.0),)
    return branch


def _template(name: str) -> Iterator[Entry]:
    yield "TEMPLATE", name, name
    for form in (f"{name} template", f"the {name} template", f"a {name} template", f"template {name}"):
        yield "A_TEMPLATE", form, name


def _counting(counters: tuple[str, ...]) -> Trie:
    """Counters by name, and what they stand at: in a condition a variable, in place of a text one that tells it."""
    trie = Trie()
    for said, name in counters_by(counters):
        key = key_of(name)
        forms = [("COUNTER", said, name, 0.0)]
        forms.extend(("COUNTER", f"{one} {said}", name, 0.0) for one in ("a", "an", "another", "one more"))
        forms.append(("A_COUNT", said, name, BARE_COUNT_COST))
        forms.append(("ASKED_COUNT", f"{said} ?", name, 0.0))
        for noun in ("counter", "count"):
            for form in (f"{said} {noun}", f"the {said} {noun}"):
                forms.append(("VARIABLE", form, key, VALUE_COST))
                forms.append(("A_COUNT", form, name, 0.0))
                forms.append(("ASKED_COUNT", f"{form} ?", name, 0.0))
                forms.append(("TEXT", form, f"{name}: {{{key}}}", 0.0))
        forms.extend(("TEXT", form, f"{{{key}}} {name}", 0.0) for form in (f"how many {said}", f"the number of {said}"))
        for terminal, form, value, cost in forms:
            for words in spellings(form):
                trie.add(words, (terminal, value, cost))
    return trie


# Nouns and deeds of steps, the same for every workspace -----------------------------------------------------------------


def _worked_out(declarations: Declarations, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Words with what they mean, as JSON; most kinds have many."""
    fixed = (*_nouns(declarations), *_deeds(phrases))
    trie = Trie()
    for terminal, phrase, value in fixed:
        for words in spellings(phrase):
            trie.add(words, (terminal, value, 0.0))
    meanings: dict[lexicon.Entry, int] = {}
    pages = pages_of(trie, meanings)
    kinds = list(dict.fromkeys(replace(value, words="") for _, value, _ in meanings))
    numbers = {kind: number for number, kind in enumerate(kinds)}
    return {
        "phrases": pages,
        "meanings": [(terminal, value.words, numbers[replace(value, words="")]) for terminal, value, _ in meanings],
        "kinds": [
            {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(kind).items()}
            for kind in kinds
        ],
        "nouns": sorted({phrase for terminal, phrase, _ in fixed if terminal == "NOUN"}),
        "vocabulary": sorted(trie.vocabulary),
    }


def _kind(fields: Mapping[str, Any]) -> Kind:
    found: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Kind(**found)


def _nouns(declarations: Declarations) -> Iterator[Entry]:
    keys: dict[str, set[str]] = {}
    for kind, nouns in _OWN_NOUNS.items():
        for noun in nouns:
            keys.setdefault(noun, set()).add(kind)
    for method in declarations:
        for noun in method.noun:
            keys.setdefault(noun, set()).add(method.key)
            keys[noun] |= {f"{method.service}.{alias}" for alias in method.aliases}
        for noun in manners(method):
            keys.setdefault(noun, set()).add(method.key)
    tellers = frozenset(method.key for method in declarations if own_text(method) is not None)
    for noun, meant in keys.items():
        fitting = Kind(noun, frozenset(meant), tellers if noun in _GENERAL else frozenset())
        for form in (noun, f"{noun} step"):
            yield "NOUN", form, fitting
        yield "NOUN", f"{noun}s", replace(fitting, plural=True)
    yield "NOUN", "steps", Kind("step", plural=True)
    chat = frozenset(key for noun in _GENERAL for key in keys.get(noun, ()))
    for said in ("says", "posts", "announces", "sends", "writes"):
        yield "NOUN", f"what it {said}", Kind("message", chat, tellers)


def _deeds(phrases: Sequence[Phrase]) -> Iterator[Entry]:
    gerunds: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for phrase in phrases:
        method = phrase.method
        keys = {method.key, *(f"{method.service}.{alias}" for alias in method.aliases)}
        for wording in _wordings(phrase):
            if wording not in _ARTICLES:  # `a 30 second ad` has no verb
                bases.setdefault(wording, set()).update(keys)
            first, _, rest = wording.partition(" ")
            forms = inflections(first)
            if forms:
                gerunds.setdefault(f"it {forms[0]} {rest}".strip(), set()).update(keys)
                gerunds.setdefault(f"{forms[-1]} {rest}".strip(), set()).update(keys)
                if own_text(method) is not None:
                    for said in ("it", "something"):
                        gerunds.setdefault(" ".join(f"{forms[-1]} {said} {rest}".split()), set()).update(keys)
    for kind, deeds in _OWN_DEEDS.items():
        for deed in deeds:
            gerunds.setdefault(deed, set()).add(kind)
    bases.setdefault("wait", set()).add("wait")
    for words, meant in gerunds.items():
        yield "DEED", words, Kind(words, frozenset(meant))
    for words, meant in bases.items():
        yield "DEED_BASE", words, Kind(words, frozenset(meant))


def _wordings(phrase: Phrase) -> Iterator[str]:
    """The beginnings of a sentence, and the whole one without its text: `post in discord`."""
    for words in phrase.words[0]:
        if words and words[-1] not in _ARTICLES:
            yield " ".join(words)
    if len(phrase.slots) == 1 and phrase.slots[0].type == "text":
        for first in phrase.words[0]:
            for last in phrase.words[1]:
                if first and last:
                    yield " ".join((*first, *last))
