"""What takes long to work out and of the same source always comes to the same, kept in a folder from one start to the next.

It is kept as JSON: what is read back is data and never run, and what cannot be read is worked out anew. The name of a file
is a digest of all it was made of, the code that made it included, so that nothing has to be told when it is out of date.
"""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

FILES: Final = 16
_HERE: Final = Path(__file__).parent


def kept(
    folder: Path | None,
    kind: str,
    sources: Sequence[str],
    files: Sequence[str],
    work_out: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """What was worked out of some sources, now or before.

    Args:
        folder: Where it is kept; None if it is not.
        kind: What it is called there.
        sources: All that it depends on.
        files: Names of files here that make it.
        work_out: Makes it, as JSON.
    """
    if folder is None:
        return work_out()
    with suppress(OSError, ValueError, TypeError):
        code = [(_HERE / file).read_text(encoding="utf-8") for file in ("kept.py", *files)]
        digest = sha256(json.dumps([*code, *sources]).encode()).hexdigest()[:24]
        path = folder / f"{digest}.{kind}.json"
        with suppress(OSError, ValueError):
            found = json.loads(path.read_bytes())
            if isinstance(found, dict) and found.get("end") is True:
                return found
        made = work_out() | {"end": True}
        _keep(path, kind, made)
        return made
    return work_out()


def _keep(path: Path, kind: str, made: dict[str, Any]) -> None:
    """Write it beside and put it in place at once; old ones go."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with suppress(OSError):
        beside.write_text(json.dumps(made, separators=(",", ":")), encoding="utf-8")
        beside.replace(path)
        found = sorted(path.parent.glob(f"*.{kind}.json"), key=lambda each: each.stat().st_mtime, reverse=True)
        for old in found[FILES:]:
            old.unlink(missing_ok=True)
