"""The names that things are kept under, as people write them and as templates say them.

Pure: nothing is looked up here, and what is kept is not known.
"""

import re
from typing import Final

from engine.model import Call

DATA: Final = "data"
"""The service that keeps things for a community."""
_GAP: Final = re.compile(r"[\s\-]+")
_NAMED_BY: Final = {
    "set_variable": "name",
    "toggle_variable": "name",
    "add_to_counter": "counter",
    "take_from_counter": "counter",
    "set_counter": "counter",
}
"""The methods that keep one value for the community, by the param that names it."""


def key_of(name: str) -> str:
    """The name under which it is kept: case does not count, and a blank is `_`."""
    return _GAP.sub("_", name.strip().casefold())


def filled_by(call: Call) -> str | None:
    """What `${...}` may say after a call, as it keeps a value of the community; None for all that is somebody's own."""
    if call.service != DATA or "user" in call.params:
        return None
    name = call.params.get(_NAMED_BY.get(call.method, ""))
    return key_of(name) if isinstance(name, str) else None
