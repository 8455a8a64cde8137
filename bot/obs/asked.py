"""One thing that is asked of OBS: its params, read strictly, and the two ways to OBS - looking, and doing.

Looking changes nothing. The first doing marks the effect as begun, so whatever is wrong before it is a plain failure.
"""

import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot.obs.connection import ANSWER_WITHIN
from bot.obs.errors import Unfit
from bot.obs.link import Link
from bot.obs.options import Options
from bot.replies import clipped, listed
from bot.snapshots import Snapshots

LONGEST_TEXT: Final = 2_000
_MOST_NAMED: Final = 8


@dataclass
class Asked:
    """What is asked.

    Attributes:
        execution: The run that asks.
        begin: Marks it as begun; may be awaited again.
        known: What was found out on the way and is needed to tell later whether it was done.
        output: What comes of it, as far as that is known.
    """

    link: Link
    params: Mapping[str, Any]
    options: Options
    snapshots: Snapshots
    execution: str
    begin: Callable[[], Awaitable[None]]
    begun: bool = False
    known: dict[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] | None = None

    async def look(self, request: str, **data: Any) -> dict[str, Any]:
        """Ask for something that changes nothing.

        Raises:
            ObsError: It was refused, or there is no answer.
        """
        return await self.link.ask(request, data or None)

    async def do(self, request: str, data: Mapping[str, Any] | None = None, within: float = ANSWER_WITHIN) -> Any:
        """Ask for something to be done.

        Raises:
            ObsError: It was refused, or nobody knows what became of it.
        """
        await self.begin()
        self.begun = True
        return await self.link.ask(request, data, within)

    # Params --------------------------------------------------------------------------------------------------------------

    def text(self, name: str, *, needed: bool = True, most: int = LONGEST_TEXT) -> str:
        """A text.

        Raises:
            Unfit: It is empty or too long.
        """
        value = self.params.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = "" if value is None else str(value)
        if needed and not text.strip():
            raise Unfit("empty", f"{name} is empty")
        if len(text) > most:
            raise Unfit("too_long", f"{name} has {len(text):,} characters; {most:,} are the most")
        return text

    def number(self, name: str, least: float, most: float) -> float | None:
        """A number within bounds; None if it is not given.

        Raises:
            Unfit: It is none, or out of bounds.
        """
        value = self.params.get(name)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not least <= number <= most:
            raise Unfit("bad_number", f"{name} must be between {least:g} and {most:g}; it is {clipped(str(value), 40)}")
        return number

    def flag(self, name: str) -> bool:
        """Yes or no.

        Raises:
            Unfit: It is neither.
        """
        value = self.params.get(name)
        if isinstance(value, str):
            value = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}.get(
                value.casefold(), value
            )
        if not isinstance(value, bool):
            raise Unfit("bad_value", f"{name} must be true or false; it is {clipped(str(value), 40)}")
        return value

    def tree(self, name: str, *, needed: bool = True) -> dict[str, Any]:
        """Settings, as data or as JSON.

        Raises:
            Unfit: They are none.
        """
        value = self.params.get(name)
        if isinstance(value, str) and value.strip():
            try:
                value = json.loads(value)
            except ValueError:
                raise Unfit("bad_value", f"{name} is no JSON") from None
        if not value and not needed:
            return {}
        if not isinstance(value, Mapping) or not value:
            raise Unfit("bad_value", f'{name} must be settings, such as {{"text": "hello"}}')
        return dict(value)


def named(kind: str, written: str, there: Iterable[str]) -> str:
    """The name as OBS has it: exactly, or else the only one that differs by case alone.

    Raises:
        Unfit: There is none like that; the text says what there is.
    """
    names = list(dict.fromkeys(there))
    if written in names:
        return written
    alike = [name for name in names if name.casefold() == written.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    known = listed([f'"{clipped(name, 40)}"' for name in names[:_MOST_NAMED]])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    has = f"it has {known}{more}" if names else "it has none"
    raise Unfit(f"unknown_{kind}", f'OBS has no {kind} "{clipped(written, 60)}"; {has}')
