"""A workflow in a text of any form: recognised, read, and what is to be said of it put into words.

A file's ending or a code block's word decides; without one the text's own look does. What a form means is the engine's
and the language's business.
"""

import re
from collections.abc import Sequence
from typing import Final

from engine.convert import Imported, Naming, Note, import_data, import_json
from engine.wording import counted, shortened
from grammar.language import Language

_JSON: Final = frozenset({".json", ".json5", ".jsonc", ".js", ".javascript"})
_YAML: Final = frozenset({".yaml", ".yml"})
_LIKE_YAML: Final = re.compile(r"(?:\s*#.*\n|\s*\n)*(?:---\s|[A-Za-z_]\w*:(?:\s|$))")
_SHOWN: Final = 2
_SHORT: Final = 120


def import_text(text: str, language: Language, naming: Naming | None = None, suffix: str = "") -> Imported:
    """Read a workflow from a text, with the import report.

    Args:
        text: JSON in any form that is known, YAML, or sentences.
        language: What reads sentences.
        naming: What names are taken for what another form leaves open.
        suffix: The ending of the file it comes from.

    Raises:
        DefinitionError: There is none in it; one sentence says why.
    """
    naming = naming or Naming()
    if suffix.lower() in _YAML:
        return import_data(_yaml(text), naming)
    if suffix.lower() in _JSON or _is_json(text):
        return import_json(text, naming)
    if _LIKE_YAML.match(text):
        return import_data(_yaml(text), naming)
    return Imported(language.read_definition(text))


def _is_json(text: str) -> bool:
    return not text.strip() or text.lstrip()[0] in '{[/"' or text.strip()[0].isdigit()


def in_lines(notes: Sequence[Note]) -> list[str]:
    """The import report, a line for each note: first what is lost."""
    return [f"{_SAID[note.sort]}: {note}." for note in sorted(notes, key=lambda note: note.sort != "lost")]


_SAID: Final = {"lost": "not carried over", "default": "taken as"}


def in_short(notes: Sequence[Note]) -> str:
    """The import report in a sentence or two, with a blank behind; empty if there is nothing to say."""
    lost = [note for note in notes if note.sort == "lost"]
    chosen = len(notes) - len(lost)
    said = ""
    if lost:
        more = f" (and {len(lost) - _SHOWN} more)" if len(lost) > _SHOWN else ""
        said = f"Not carried over: {'; '.join(shortened(str(note), _SHORT) for note in lost[:_SHOWN])}{more}. "
    if chosen:
        first = next(str(note) for note in notes if note.sort == "default")
        said += f"I chose {counted(chosen, 'thing')} it did not say, such as: {shortened(first, _SHORT)}. "
    return said


def _yaml(text: str) -> object:
    from bot.yaml_text import read_yaml  # few start the bot to read YAML, and all would wait for its library

    return read_yaml(text)
