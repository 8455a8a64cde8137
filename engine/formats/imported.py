"""What comes of reading a workflow in another form: the definition, and what its writer has to know about it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.model import Definition

Sort: TypeAlias = Literal["lost", "default"]


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the import report.

    Attributes:
        sort: `lost` for what does not carry over; `default` for what was not said and had to be chosen.
        place: Words for where it is, such as `step 2 ("say")`; empty for the workflow as a whole.
        said: The sentence, without its full stop.
    """

    sort: Sort
    place: str
    said: str

    def __str__(self) -> str:
        return f"{self.place}: {self.said}" if self.place else self.said


@dataclass(frozen=True, slots=True)
class Imported:
    """A workflow that was read, with the import report."""

    definition: Definition
    notes: tuple[Note, ...] = ()
