"""The log file: everything a mender needs, nothing a thief could use, and not a word of it on the terminal."""

import contextlib
import logging
import logging.handlers
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_MAX_BYTES: Final = 5_000_000
_LEAST_SECRET: Final = 4
"""Shorter ones would black out half the words; they protect nothing anyway."""


class Redacting(logging.Formatter):
    """Writes `***` wherever a secret would stand, tracebacks included.

    Attributes:
        secrets: Tells what may not be written, asked at every line.
    """

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self.secrets: Callable[[], Iterable[str]] = tuple

    def format(self, record: logging.LogRecord) -> str:
        """The line to be written."""
        text = super().format(record)
        for secret in self.secrets():
            if len(secret) >= _LEAST_SECRET:
                text = text.replace(secret, "***")
        return text


def log_to(path: Path) -> Redacting:
    """Send all logging and warnings to a file, and nothing anywhere else. A file that cannot be written costs the log only."""
    redacting = Redacting()
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
