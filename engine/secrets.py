"""A value that must never be seen: tokens, keys, addresses with passwords in them.

A Secret prints as `(secret)` wherever text is made of it, so that forgetting to hide it hides it all the same. Only a
service that declared a param secret reveals one. This module keeps nothing and encrypts nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

REDACTED: Final = "(secret)"
_LEAST: Final = 4
"""Shorter ones would black out half the words; they protect nothing anyway."""


class Secret:
    """A named secret value; equal to another one of the same name and value, printed as neither."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the performer of a param declared secret and nobody else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        return hash((Secret, self.name))

    def __str__(self) -> str:
        return REDACTED

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __format__(self, spec: str) -> str:
        return REDACTED

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is not pickled")


def holds_secret(value: object) -> bool:
    """Whether a Secret stands anywhere in a nested value."""
    if isinstance(value, Secret):
        return True
    if isinstance(value, Mapping):
        return any(holds_secret(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(holds_secret(part) for part in value)
    return False


def redacted(value: Any) -> Any:
    """The same nested value with every Secret replaced by `(secret)`."""
    if isinstance(value, Secret):
        return REDACTED
    if isinstance(value, Mapping):
        return {key: redacted(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part) for part in value]
    return value


def struck_out(text: str, secrets: Iterable[str], mark: str = REDACTED) -> str:
    """A text with a mark wherever one of these values stood."""
    for secret in secrets:
        if len(secret) >= _LEAST:
            text = text.replace(secret, mark)
    return text
