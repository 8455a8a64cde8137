"""The log file: everything a mender needs, nothing a thief could use, and not a word of it on the terminal.

A line is text for people, or one JSON object for programs (SHOWCALLER_LOG=json). Both say which run, workflow,
community, effect and step they are about, where that is known.
"""

import contextlib
import json
import logging
import logging.handlers
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from engine.logged import FIELDS
from engine.secrets import struck_out

Form: TypeAlias = Literal["text", "json"]

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MAX_BYTES: Final = 5_000_000
_LONGEST: Final = 32_000
_SHAPES: Final = re.compile(
    r"""(?P<before>/(?:interactions|webhooks)/\d+/|\b(?:\w+_)?(?:token|password|secret|code|authorization)['"]?\s*[:=]\s*['"]?(?:(?:bearer|bot|oauth)\s)?)"""
    r"""(?P<secret>[^\s'"&,/?}]+)""",
    re.IGNORECASE,
)
"""What stands where libraries put secrets that nobody was told of yet, or that live for minutes only."""


class Redacting(logging.Formatter):
    """Writes `***` wherever a secret would stand, tracebacks included.

    Attributes:
        secrets: Tells what may not be written, asked at every line.
    """

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self.secrets: Callable[[], Iterable[str]] = tuple

    def format(self, record: logging.LogRecord) -> str:
        """The line to be written, and the traceback after it."""
        head, end, more = self.cleared(super().format(record)).partition("\n")
        known = self.cleared(" ".join(f"{field}={value}" for field, value in _about(record).items()))
        return f"{head} [{known}]{end}{more}" if known else f"{head}{end}{more}"

    def cleared(self, text: str) -> str:
        """A text for the log: without any secret in it, nor what stands where libraries put them."""
        return _SHAPES.sub(lambda found: found["before"] + "***", self.hidden(text))

    def hidden(self, text: str) -> str:
        """A text without any secret in it."""
        return struck_out(text, self.secrets(), "***")


class RedactingObjects(Redacting):
    """The same as one JSON object a line. Texts are cleared of secrets before they are written as JSON, which alters them."""

    def format(self, record: logging.LogRecord) -> str:
        """The line to be written."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = record.stack_info
        cleared = {key: self.cleared(str(value))[:_LONGEST] for key, value in entry.items()}
        return json.dumps(cleared, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


def _about(record: logging.LogRecord) -> dict[str, str]:
    """What a line is about; the names are those of `engine.logged`."""
    return {field: str(value) for field in FIELDS if (value := getattr(record, field, None)) is not None}


def asked_form() -> Form:
    """The form that SHOWCALLER_LOG asks for; anything but `json` is text."""
    return "json" if os.environ.get("SHOWCALLER_LOG", "").strip().casefold() == "json" else "text"


def log_to(path: Path, form: Form | None = None) -> Redacting:
    """Send all logging and warnings to a file, and nothing anywhere else. A file that cannot be written costs the log only."""
    redacting = RedactingObjects() if (form or asked_form()) == "json" else Redacting()
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for old in tuple(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(logging.NullHandler())
    with contextlib.suppress(OSError):
        path.touch(mode=0o600)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=2, encoding="utf-8")
        handler.setFormatter(redacting)
        root.addHandler(handler)
    return redacting
