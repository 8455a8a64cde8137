"""Whether a webhook was sent by who knows its secret, and lately. Pure: time comes in.

The form is that of Standard Webhooks: `webhook-id`, `webhook-timestamp`, and `webhook-signature` with one or more
`v1,BASE64` of HMAC-SHA256 over `id.timestamp.body`. One that comes again has the same id; who takes it in knows ids.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TOLERANCE: Final = 300.0
"""Seconds by which the sender's clock may differ."""
MOST_SIGNATURES: Final = 5
_ID: Final = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
_NOBODYS: Final = "nobody knows this secret, so nothing is ever signed with it"


@dataclass(frozen=True, slots=True)
class Genuine:
    """It is what it seems to be."""

    id: str


@dataclass(frozen=True, slots=True)
class NotGenuine:
    """It is not, or nobody can tell."""

    why: str


def judge(headers: Mapping[str, str], body: bytes, secret: str | None, now: float) -> Genuine | NotGenuine:
    """What a request is, by its headers in lower case and its body; a hook that is not there has no secret.

    One for which there is no secret is judged as long and answered as one that is signed wrong, so that nobody finds out
    which hooks there are.
    """
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:MOST_SIGNATURES]
    if not _ID.fullmatch(id) or not _TIMESTAMP.fullmatch(timestamp):
        return NotGenuine("it has no webhook-id, or no webhook-timestamp in seconds")
    expected = signature(secret or _NOBODYS, id, timestamp, body)
    fits = [hmac.compare_digest(each.encode("utf-8", "replace"), expected.encode()) for each in given]
    if not any(fits) or secret is None:
        return NotGenuine("its signature is not right")
    if abs(now - int(timestamp)) > TOLERANCE:
        return NotGenuine("its timestamp is more than five minutes away")
    return Genuine(id)


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """What a request is signed with."""
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    """A secret that begins with `whsec_` is base64, as services hand them out; others count as they are."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
