"""Every way a platform's method is declared to be said means that method: in few words, and in all that may be said."""

import re
from collections.abc import Iterator, Mapping

import pytest

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.declare import Method
from engine.model import Call
from grammar.instruction import Create, Understood
from grammar.language import Language
from grammar.workspace import LiveNames, Workspace

LANGUAGE = Language(DECLARATIONS, tables_folder())
STREAM = Workspace(names=LiveNames(rewards=("Hydrate",), channels=("general",), roles=("Member",)))
SAID: Mapping[str, str] = {
    "text": '"so it is"',
    "number": "5",
    "boolean": "yes",
    "seconds": "10 seconds",
    "user": "@ninja",
    "channel": "#general",
    "reward": "Hydrate",
    "role": '"Member"',
    "list": '["a", "b"]',
    "any": '"x"',
    "emoji": "🔥",
}
"""How a value of each type, or form, is typed."""


def said(phrase: str, method: Method, *, full: bool) -> str:
    """A phrase with values, without what may be left out or with all of it."""
    while (found := re.search(r"[(\[]([^()\[\]]*)[)\]]", phrase)) is not None:
        words = found.group(1).split("|")
        kept = "" if found.group().startswith("[") and not full else words[-1 if full else 0]
        phrase = phrase[: found.start()] + kept + phrase[found.end() :]
    types = {param.name: "emoji" if param.form == "emoji" else param.type for param in method.params}
    return " ".join(re.sub(r"\{(\w+)\}", lambda match: SAID[types[match.group(1)]], phrase).split())


def sentences(service: str) -> Iterator[tuple[str, str]]:
    """Each phrase as it can be typed, and what it means; what a phrase leaves out that is needed is asked for."""
    for method in DECLARATIONS:
        for place, phrase in enumerate(method.phrases if method.service == service else ()):
            given = {*re.findall(r"\{(\w+)\}", phrase), *method.fixed.get(place, {})}
            if all(param.name in given for param in method.params if param.required):
                for full in (False, True):
                    yield said(phrase, method, full=full), method.key


@pytest.mark.parametrize("service", ["twitch", "discord"])
def test_every_phrase_means_its_method(service: str) -> None:
    wanted = dict(sentences(service))
    found = {sentence: meant(sentence) for sentence in wanted}

    assert {sentence: (wanted[sentence], is_) for sentence, is_ in found.items() if is_ != wanted[sentence]} == {}
    assert len(wanted) > 50


def meant(sentence: str) -> str:
    """The only step that a sentence makes; what is said of it instead."""
    understood = LANGUAGE.understand(f"create first_try: {sentence}", STREAM)
    if not isinstance(understood, Understood) or not isinstance(understood.instruction, Create):
        return str(getattr(understood, "text", understood))
    (state,) = understood.instruction.definition.states
    return f"{state.action.service}.{state.action.method}" if isinstance(state.action, Call) else str(state.action)
