"""The tokens a bot signs in with: one file of their own beside the data, readable for its owner only.

A rotated pair must be on disk before it is used, as the old one is dead by then; so `put` returns when it is there to stay.
Nothing here prints a token, and whoever writes logs asks for all that were ever known, those that are dead included.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from engine.errors import EngineError

FILE: Final = "tokens.json"
_MODE: Final = 0o600


class TokensUnreadable(EngineError):
    """The file is there and cannot be understood; it is left as it is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The tokens in {path} cannot be read: {why}. Mend the file, or move it away and sign in again."
        )


@dataclass(frozen=True, slots=True)
class Token:
    """What one account signs in with.

    Attributes:
        access: The token itself.
        refresh: What a new pair is got with, once; empty for tokens that last.
        scopes: What was granted.
        user_id: Whose it is, by the platform's id.
        login: Whose it is, by name.
    """

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ()
    user_id: str = ""
    login: str = ""


class TokenFile:
    """All tokens of one bot. Keys are of our own making, such as `twitch.bot`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tokens: dict[str, Token] = {}
        self._known: dict[str, None] = {}

    @classmethod
    def open(cls, folder: Path) -> "TokenFile":
        """Read what is there; nothing there is no token.

        Raises:
            TokensUnreadable: It cannot be understood.
        """
        file = cls(folder / FILE)
        file.read()
        return file

    def read(self) -> None:
        """Read what is there now: until the folder's lock was taken another process may have changed it.

        Raises:
            TokensUnreadable: It cannot be understood.
        """
        self._tokens = self._found()
        for token in self._tokens.values():
            self._remember(token)

    @property
    def tokens(self) -> Mapping[str, Token]:
        """By key."""
        return MappingProxyType(self._tokens)

    def secrets(self) -> Iterator[str]:
        """All that may never be shown: what is in use, and what was."""
        return iter(tuple(self._known))

    def put(self, key: str, token: Token) -> None:
        """Keep a token in the place of the one before; it is on the disk when this returns.

        Raises:
            OSError: It could not be written; the file is as before.
        """
        if self._tokens.get(key) == token:
            return
        self._remember(token)
        self._write({**self._tokens, key: token})
        self._tokens[key] = token

    def drop(self, key: str) -> None:
        """Forget a token.

        Raises:
            OSError: It could not be written; the file is as before.
        """
        if key in self._tokens:
            left = {kept: token for kept, token in self._tokens.items() if kept != key}
            self._write(left)
            self._tokens = left

    def remember(self, secret: str) -> None:
        """Let something be taken for a secret without keeping it, such as a code that is on its way to be a token."""
        if secret:
            self._known[secret] = None

    def _remember(self, token: Token) -> None:
        self.remember(token.access)
        self.remember(token.refresh)

    def _found(self) -> dict[str, Token]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise TokensUnreadable(self._path, type(error).__name__) from None
        with contextlib.suppress(OSError):
            self._path.chmod(_MODE)
        try:
            found: Any = json.loads(text)
            return {str(key): _token(entry) for key, entry in found.items()}
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            # The error of a parser may quote the text, and with it a token.
            raise TokensUnreadable(self._path, f"it is not what I wrote ({type(error).__name__})") from None

    def _write(self, tokens: Mapping[str, Token]) -> None:
        entries = {key: _entry(token) for key, token in tokens.items()}
        descriptor, name = tempfile.mkstemp(
            prefix=".tokens-", dir=self._path.parent
        )  # made readable for its owner only
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
        _sync_folder(self._path.parent)


def _entry(token: Token) -> dict[str, Any]:
    return {
        "access": token.access,
        "refresh": token.refresh,
        "scopes": list(token.scopes),
        "user_id": token.user_id,
        "login": token.login,
    }


def _token(entry: Any) -> Token:
    return Token(
        str(entry["access"]),
        str(entry.get("refresh", "")),
        tuple(str(scope) for scope in entry.get("scopes", ())),
        str(entry.get("user_id", "")),
        str(entry.get("login", "")),
    )


def _sync_folder(folder: Path) -> None:
    """Let the new name of the file be on the disk, too, where a system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
