"""Fills texts in: templates, and nested params full of them, each compiled once to closures.

A missing variable is an error in words here, where a formula takes it for null: nobody wants to read `${viewers}` in chat.
Text that comes out of a value is never read again, whatever it looks like. This module calls no service and knows no
definition; what leaves a compiled function is a value or an `EvaluationError`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import EvaluationError, ExpressionError
from engine.expressions import has_placeholder, parse_template
from engine.formulas import MAX_DEPTH, MAX_TEXT, Filter, Placeholder, Template
from engine.functions import FILTER_OF
from engine.scope import MISSING, Evaluate, Scope, compile_path, not_set
from engine.values import STRAY, bounded, is_empty, plain, text_of


def compile_template(template: str | Template) -> Callable[[Scope], str]:
    """A function that fills a text in; it raises nothing but `EvaluationError`.

    Raises:
        ExpressionError: The text has a placeholder that cannot be read.
    """
    parts = (parse_template(template) if isinstance(template, str) else template).parts
    if not any(isinstance(part, Placeholder) for part in parts):
        text = "".join(part for part in parts if isinstance(part, str))
        return lambda _: text
    written = [part if isinstance(part, str) else "" for part in parts]
    readers = tuple((index, _placeholder(part)) for index, part in enumerate(parts) if isinstance(part, Placeholder))

    def fill(scope: Scope) -> str:
        pieces = written.copy()
        for index, read in readers:
            value = read(scope)
            pieces[index] = value if value.__class__ is str else _guarded_text(value)
        filled = "".join(pieces)
        return filled if len(filled) <= MAX_TEXT else bounded(filled)

    return fill


def _guarded_text(value: Any) -> str:
    try:
        return text_of(value)
    except STRAY as stray:
        raise EvaluationError(f"a value cannot be put into a text ({type(stray).__name__})") from stray


def compile_value(text: str) -> Evaluate:
    """Like `compile_template`, but a text that is exactly one `${x}` keeps the type of the value."""
    parts = parse_template(text).parts
    if len(parts) == 1 and isinstance(parts[0], Placeholder):
        return _placeholder(parts[0])
    return compile_template(Template(parts))


def _placeholder(placeholder: Placeholder) -> Evaluate:
    path = placeholder.path
    read = compile_path(path)
    filters = tuple(_filter(filter_) for filter_ in placeholder.filters)

    def plain_value(scope: Scope) -> Any:
        value = read(scope)
        if value is MISSING or value is None:
            raise not_set(path)
        return value

    if not filters:
        return plain_value

    def filtered(scope: Scope) -> Any:
        value = read(scope)
        try:
            for apply in filters:
                value = apply(value)
        except STRAY as stray:
            raise EvaluationError(f"{path} cannot be filtered ({type(stray).__name__})") from stray
        if value is MISSING or value is None:
            raise not_set(path)
        return value

    return filtered


def _filter(written: Filter) -> Callable[[Any], Any]:
    """A filter as a function; all but `default` hand a missing value on."""
    argument = written.argument
    if written.name == "default":
        return lambda value: ("" if argument is None else argument) if is_empty(value) else value
    change = FILTER_OF[written.name]

    def apply(value: Any) -> Any:
        return value if value is MISSING or value is None else change(plain(value), argument)

    return apply


# Nested params ---------------------------------------------------------------------------------------------------------


def is_constant(value: Any) -> bool:
    """Whether nothing in a nested value needs working out."""
    if isinstance(value, str):
        return not has_placeholder(value)
    if isinstance(value, Mapping):
        return all(is_constant(part) for part in value.values())
    if isinstance(value, list | tuple):
        return all(is_constant(part) for part in value)
    return True


def compile_params(value: Any) -> Evaluate:
    """A function that fills in every text of a nested JSON value. Keys are not filled in.

    Raises:
        ExpressionError: A placeholder cannot be read, or the value is nested too deep.
    """
    return _compile_params(value, 0)


def _compile_params(value: Any, depth: int) -> Evaluate:
    if depth > MAX_DEPTH:
        raise ExpressionError(f"Params may be nested {MAX_DEPTH} deep", text="", at=0)
    if isinstance(value, str):
        return compile_value(value) if has_placeholder(value) else lambda _: value
    if isinstance(value, Mapping):
        return _compile_mapping(value, depth)
    if isinstance(value, list | tuple):
        parts = tuple(_compile_params(part, depth + 1) for part in value)
        return lambda scope: [part(scope) for part in parts]
    return lambda _: value


def _compile_mapping(value: Mapping[str, Any], depth: int) -> Evaluate:
    constant = {key: part for key, part in value.items() if is_constant(part)}
    if len(constant) == len(value):
        return lambda _: value
    parts = tuple(
        (key, None if key in constant else _compile_params(part, depth + 1), part) for key, part in value.items()
    )

    def fill(scope: Scope) -> dict[str, Any]:
        return {key: part if reader is None else reader(scope) for key, reader, part in parts}

    return fill
