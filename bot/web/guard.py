"""Who may ask the web server at all. Pure.

A server on this machine is reached by every page that its people have open. So a request must name the server as this
machine does (another name may have been pointed here), must not come from a page of somebody else's, and where it is
about the overlay it must have the token. Webhooks may come under another name, through a tunnel, as each is signed.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HOOKS: Final = "/hooks/"
OVERLAY: Final = "/overlay"
LONGEST_PATH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request before anything is read of it; headers by their names in lower case."""

    verb: str
    path: str
    headers: Mapping[str, str]
    token: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """It is not let in."""

    status: int
    why: str


def denied(asked: Asked, *, port: int, names: tuple[str, ...], token: str) -> Denied | None:
    """Why a request is not let in; None if it is."""
    headers = asked.headers
    host, origin = headers.get("host", "").casefold(), headers.get("origin")
    here = (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}")
    hook = asked.path.startswith(HOOKS)
    if host not in here and not (hook and host.rpartition(":")[0] in names) and not (hook and host in names):
        return Denied(403, "This server does not go by that name.")
    if origin is not None and (hook or origin.casefold() != f"http://{host}"):
        return Denied(403, "Pages of others may not ask here.")
    if (
        headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        and headers.get("sec-fetch-mode") != "navigate"
    ):
        return Denied(403, "Pages of others may not ask here.")
    if len(asked.path) > LONGEST_PATH:
        return Denied(414, "That address is too long.")
    if asked.path.startswith(OVERLAY) and not (token and hmac.compare_digest(asked.token.encode(), token.encode())):
        return Denied(401, "The link needs its token. Ask for it with: showcaller overlay")
    return None
