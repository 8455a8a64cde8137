"""What a change of the heading comes to in a workflow: its tags, its variables, and how steps about an error go on."""

from engine.edits import SetVariable
from engine.model import Definition, Goto, State, Stop, Target, to_json
from grammar.build_heading import declaration
from grammar.references import refuse
from grammar.syntax import Declared
from grammar.words import fold


def untagged(definition: Definition, gone: tuple[str, ...], name: str) -> tuple[str, ...]:
    """The tags that are left.

    Raises:
        Unsettled: It has no such tag.
    """
    folded = {fold(tag) for tag in gone}
    for tag in gone:
        if fold(tag) not in {fold(own) for own in definition.tags}:
            has = f"its tags are {', '.join(definition.tags)}" if definition.tags else "it has none"
            raise refuse(f'{name} has no tag "{tag}"; {has}.')
    return tuple(tag for tag in definition.tags if fold(tag) not in folded)


def variable(said: Declared, definition: Definition) -> SetVariable:
    """The declaration of a variable, or its end; case does not tell two variables apart in what people type."""
    known = next((name for name in definition.variables if not said.whole and fold(name) == fold(said.name)), said.name)
    if said.gone:
        return SetVariable(known, None)
    return SetVariable(known, declaration(said, definition.variables.get(known)))


def is_used(name: str, definition: Definition) -> bool:
    """Whether a word is surely a variable: it looks like one, is declared, or stands in a text."""
    return "_" in name or name in definition.variables or f"${{{name}" in str(to_json(definition))


def leading_on(states: tuple[State, ...], target: Target) -> tuple[State, ...]:
    """States of which the last leads on, unless it says something else itself."""
    last = states[-1]
    if "success" in last.transitions or isinstance(last.action, Goto | Stop):
        return states
    return (*states[:-1], last.model_copy(update={"transitions": {"success": target, **last.transitions}}))
