"""What can be set about OBS, read from the community's settings into one frozen value. Pure.

`obs.host` and `obs.port` say where its WebSocket server is; `obs.raw_requests` whether workflows may send it any request
there is. The password is no setting: it lies with the tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HOST: Final = "obs.host"
PORT: Final = "obs.port"
RAW_REQUESTS: Final = "obs.raw_requests"
USUAL_HOST: Final = "localhost"
USUAL_PORT: Final = 4455
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ON: Final = frozenset({"on", "yes", "true", "1"})


@dataclass(frozen=True, slots=True)
class Options:
    """How the bot reaches OBS, and what it may ask.

    Attributes:
        raw_requests: Whether `obs.raw_request` is allowed.
    """

    host: str = USUAL_HOST
    port: int = USUAL_PORT
    raw_requests: bool = False

    @property
    def url(self) -> str:
        """Where its server is."""
        return f"ws://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, so that its files can be seen."""
        return self.host.casefold() in _HERE


def options_of(values: Mapping[str, Any]) -> Options:
    """The options in a community's settings; what cannot be read counts as not set."""
    usual = Options()
    return Options(
        host=str(values.get(HOST) or usual.host).strip(),
        port=_port(values.get(PORT)) or usual.port,
        raw_requests=str(values.get(RAW_REQUESTS, "")).strip().casefold() in _ON,
    )


def _port(value: Any) -> int | None:
    try:
        port = int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None
    return port if 0 < port < 65_536 else None


def address_in(text: str) -> tuple[str, int] | None:
    """Host and port as people type them, `192.168.1.5:4455` or one of the two; None if it is neither."""
    text = text.strip().removeprefix("ws://").rstrip("/")
    if text.isdecimal():
        host, port = USUAL_HOST, text
    elif text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = text.partition(":") if text.count(":") < 2 else (text, "", "")
    number = _port(port) if port else USUAL_PORT
    plain = all(character.isalnum() or character in "-._:%" for character in host)
    return (host, number) if host and plain and number is not None else None
