"""The words that come from the workspace and from what services declare: workflows, steps, nouns and deeds of steps.

"the wait", "the scene change" and "before raiding" are made from the declarations, so a plugin's steps can be referred to
like any other. Nothing is looked up in a sentence here.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from engine.declare import Declarations, Method
from engine.model import all_states
from engine.names import verb
from grammar.lexicon import LiveLexicon, inflections, names_on_stream
from grammar.phrases import cut
from grammar.syntax import Kind
from grammar.workspace import WorkflowView, Workspace

Entry = tuple[str, str, Any]

_IN: Final = ("in", "of", "from", "inside", "out of", "to", "into", "for", "within")
_OWN_NOUNS: Final = {
    "wait": ("wait", "pause", "delay", "waiting time"),
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
_OWN_DEEDS: Final = {"wait": ("waiting", "pausing"), "stop": ("stopping", "ending")}
_MAX_VERSIONS: Final = 12


class LiveWords:
    """Makes the lexicon of a workspace; keeps the last ones, since names seldom change between two messages."""

    def __init__(self, declarations: Declarations) -> None:
        self._fixed = (*_nouns(declarations), *_deeds(declarations))
        self._nouns = frozenset(phrase for terminal, phrase, _ in self._fixed if terminal == "NOUN")
        self._declarations = declarations
        self._of_names = lru_cache(maxsize=32)(self._build)

    def of(self, workspace: Workspace) -> LiveLexicon:
        """The lexicon for a message in this workspace."""
        entries = (
            *(entry for view in workspace.workflows.values() for entry in _workflow(view)),
            *(entry for view in workspace.workflows.values() for entry in self._step_names(view)),
            *_versions(workspace.workflows.values()),
            *_tags(workspace.workflows.values()),
            *(entry for name in workspace.templates for entry in _template(name)),
            *names_on_stream(workspace.names),
        )
        return self._of_names(tuple(dict.fromkeys(entries)))

    def _step_names(self, view: WorkflowView) -> Iterator[Entry]:
        """Names that people gave; "wait" and "wait_2" are made up, and "the wait" means any of them.

        A step that somebody called "step" or "step 2" is said in quotes: without them that is the second one.
        """
        for state in all_states(view.definition.states):
            stem = verb(state.action, self._declarations)
            made_up = re.fullmatch(rf"{re.escape(stem)}(_\d+)?", state.name) is not None
            numbered = re.fullmatch(r"(step|line|number)s?[ _]*#?\d*|#?\d+", state.name, re.IGNORECASE) is not None
            if not made_up and not numbered and state.name.replace("_", " ") not in self._nouns:
                yield "STEP_NAME", state.name, state.name

    def _build(self, entries: tuple[Entry, ...]) -> LiveLexicon:
        return LiveLexicon((*self._fixed, *entries))


def _workflow(view: WorkflowView) -> Iterator[Entry]:
    definition = view.definition
    for name in {definition.name, definition.id}:
        for form in (name, f"the {name}", f"{name} one", f"the {name} one"):
            yield "WORKFLOW", form, definition.id
        for word in _IN:
            yield "IN_WORKFLOW", f"{word} {name}", definition.id
            yield "IN_WORKFLOW", f"{word} the {name} workflow", definition.id
            yield "IN_WORKFLOW", f"{word} {name} workflow", definition.id
            yield "IN_WORKFLOW", f"{word} the {name}", definition.id


def _versions(views: Iterable[WorkflowView]) -> Iterator[Entry]:
    highest = max((view.revision for view in views), default=1)
    for number in range(1, highest + _MAX_VERSIONS):
        yield "VERSION", f"v{number}", number
        yield "VERSION", f"version {number}", number


def _tags(views: Iterable[WorkflowView]) -> Iterator[Entry]:
    for view in views:
        for tag in view.definition.tags:
            yield "TAG", tag, tag


def _template(name: str) -> Iterator[Entry]:
    yield "TEMPLATE", name, name
    for form in (f"{name} template", f"the {name} template", f"a {name} template", f"template {name}"):
        yield "A_TEMPLATE", form, name


# Nouns and deeds of steps ------------------------------------------------------------------------------------------------


def _nouns(declarations: Declarations) -> Iterator[Entry]:
    keys: dict[str, set[str]] = {}
    for kind, nouns in _OWN_NOUNS.items():
        for noun in nouns:
            keys.setdefault(noun, set()).add(kind)
    for method in declarations:
        for noun in method.noun:
            keys.setdefault(noun, set()).add(method.key)
            keys[noun] |= {f"{method.service}.{alias}" for alias in method.aliases}
    for noun, meant in keys.items():
        fitting = Kind(noun, frozenset(meant))
        for form in (noun, f"{noun}s", f"{noun} step"):
            yield "NOUN", form, fitting
    yield "NOUN", "steps", Kind("step")


def _deeds(declarations: Declarations) -> Iterator[Entry]:
    gerunds: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for method in declarations:
        keys = {method.key, *(f"{method.service}.{alias}" for alias in method.aliases)}
        for wording in _wordings(method):
            bases.setdefault(wording, set()).update(keys)
            first, _, rest = wording.partition(" ")
            forms = inflections(first)
            if forms:
                gerunds.setdefault(f"{forms[-1]} {rest}".strip(), set()).update(keys)
    for kind, deeds in _OWN_DEEDS.items():
        for deed in deeds:
            gerunds.setdefault(deed, set()).add(kind)
    bases.setdefault("wait", set()).add("wait")
    for phrase, meant in gerunds.items():
        yield "DEED", phrase, Kind(phrase, frozenset(meant))
    for phrase, meant in bases.items():
        yield "DEED_BASE", phrase, Kind(phrase, frozenset(meant))


def _wordings(method: Method) -> Iterator[str]:
    """The beginnings of a method's sentences, and the whole ones without their texts: `post in discord`."""
    for index in range(len(method.phrases)):
        phrase = cut(method, index)
        for words in phrase.words[0]:
            if words:
                yield " ".join(words)
        if len(phrase.slots) == 1 and phrase.slots[0].type == "text":
            for first in phrase.words[0]:
                for last in phrase.words[1]:
                    if first and last:
                        yield " ".join((*first, *last))
