"""Effects have names that stay the same for ever: `execution/path/state/visit`, and `#attempt` after a known failure.

After a crash an effect is asked for under the same id, and a result that comes late is put where it belongs by its id.
Ids already in a store have to be understood, so this form must not change.
"""


def effect_id(execution: str, path: str, key: str, visit: int, attempt: int) -> str:
    """The id of an effect; `key` is the `escaped` name of its state."""
    id = f"{execution}/{path}/{key}/{visit}"
    return id if attempt == 1 else f"{id}#{attempt}"


def place_of(execution: str, effect: str) -> tuple[str, str, int, int]:
    """Path, state, visit and attempt that an effect id was made of."""
    rest, _, tail = effect.removeprefix(f"{execution}/").rpartition("/")
    path, _, key = rest.rpartition("/")
    visit, _, attempt = tail.partition("#")
    return path, unescaped(key), int(visit), int(attempt or 1)


def escaped(name: str) -> str:
    """A name as one segment of an effect id."""
    return name.replace("%", "%25").replace("/", "%2F").replace("#", "%23")


def lane_key(name: str) -> str:
    """The name of a parallel branch as the last part of a segment of a path."""
    return escaped(name).replace(":", "%3A")


def lane_path(path: str, key: str, visit: int, lane: str) -> str:
    """The path that a parallel branch stands on; `lane` is its `lane_key`, `key` the `escaped` name of its owner."""
    return f"{path}/{key}:{visit}:{lane}"


def owner_of(path: str) -> tuple[str, str, int, str]:
    """Of the path of a parallel branch: the path, name and visit of its owner, and the branch's `lane_key`."""
    above, _, segment = path.rpartition("/")
    key, visit, lane = segment.rsplit(":", 2)
    return above, unescaped(key), int(visit), lane


def unescaped(segment: str) -> str:
    """The name that a segment of an effect id stands for."""
    return segment.replace("%23", "#").replace("%2F", "/").replace("%25", "%")
