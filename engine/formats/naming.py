"""What a foreign name for a deed is called here: `service.method`.

Other forms name what is to be done in one word. A table given by the importer comes first; a word with a dot in it is
service and method already; any other word is a method of the service that the importer names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DEFAULT_SERVICE: Final = "custom"


@dataclass(frozen=True, slots=True)
class Naming:
    """How an import names what the other form leaves open.

    Attributes:
        service: The service of words that name none.
        deeds: `service.method` for foreign words.
        workflow: What the workflow is called if it does not say.
    """

    service: str = DEFAULT_SERVICE
    deeds: Mapping[str, str] = field(default_factory=dict)
    workflow: str = "imported"

    def knows(self, word: str) -> bool:
        """Whether the word itself says which service it means."""
        return all(_parts(self.deeds.get(word, word)))

    def call(self, word: str) -> tuple[str, str]:
        """Service and method of a word."""
        service, method = _parts(self.deeds.get(word, word))
        return (service, method) if service and method else (self.service, word)


def word_for(service: str, method: str) -> str:
    """The word that the naming without a table reads as this service and method."""
    return method if service == DEFAULT_SERVICE and not all(_parts(method)) else f"{service}.{method}"


def _parts(word: str) -> tuple[str, str]:
    service, _, method = word.partition(".")
    return service, method
