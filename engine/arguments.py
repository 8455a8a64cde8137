"""What a start brings along, against what the definition declares: what is missing, what a default fills in, what type.

Arguments come from chat as texts. They are asked about twice: before a run, so that it can be refused in a sentence, and
when it begins. This module starts nothing.
"""

from typing import Any

from engine.compiled import Program
from engine.execution import Values
from engine.fitting import as_boolean, as_number
from engine.scope import MISSING, Scope, walk
from engine.values import within


def missing_input(program: Program, arguments: Values) -> str | None:
    """The sentence for a declared input that a start must bring and does not; None if all are there."""
    for name, declaration in program.definition.variables.items():
        if declaration.required and declaration.default is None and walk(arguments, name.split(".")) is MISSING:
            return f"{program.definition.name} needs {name}: start it with {name}=..."
    return None


def filled_in(program: Program, scope: Scope) -> Values:
    """The variables that a run begins with: those in the scope as their declared types, and the defaults of others.

    Raises:
        EvaluationError: One does not fit its declaration, or a default cannot be worked out.
    """
    variables = dict(within(scope.variables))
    for name, declaration in program.definition.variables.items():
        if name not in variables and name in program.constants:
            variables[name] = program.constants[name]
            continue
        given = walk(variables, name.split("."))
        if given is MISSING and name in program.defaults:
            variables[name] = within(program.defaults[name](scope))
        elif given is not MISSING and name in variables:
            variables[name] = _typed(name, given, declaration.type)
    return variables


def _typed(name: str, value: Any, type_: str | None) -> Any:
    """A declared input as its type; what is no text has a type already."""
    if not isinstance(value, str):
        return value
    match type_:
        case "number":
            return as_number(name, value)
        case "boolean":
            return as_boolean(name, value)
        case "list":
            return [part.strip() for part in value.split(",") if part.strip()]
        case _:
            return value
