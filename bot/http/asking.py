"""One ask of a web address as data: made from the params of an action, sent on by redirects, answered. Pure.

What a param means and what an answer comes to is decided here; nothing is sent.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias, cast

from yarl import URL

from bot.http.addresses import Refused, checked
from engine.execution import Done, Failed, Result
from engine.secrets import REDACTED, Secret

Verb: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]

MAX_BODY: Final = 64_000
"""Bytes that are sent at most."""
MAX_ANSWER: Final = 1_000_000
"""Bytes that are read at most, after unpacking."""
MAX_REDIRECTS: Final = 5
MAX_FIELDS: Final = 30
MAX_FIELD: Final = 2_000
MAX_DEPTH: Final = 64

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")
_OURS: Final = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "cookie",
        "te",
        "trailer",
        "expect",
        "proxy-authorization",
        "authorization",
    }
)
"""Headers that the bot itself fills, or that would let one ask become two."""

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_LEAST_SECRET: Final = 4
"""Shorter ones would black out half of an answer; they protect nothing anyway."""


class Misasked(Exception):
    """Params that cannot be sent; the text says why."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be sent.

    Attributes:
        key: Headers and query fields that show who asks; they go to the first host only.
        secret: What of it may never be seen; empty if nothing.
        path: Which part of the answer is wanted.
    """

    verb: Verb
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None
    key: Mapping[str, str] | None = None
    secret: str = ""
    path: str = ""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again if nobody knows what became of it."""
        return self.verb != "POST"


def asking(method: str, params: Mapping[str, Any]) -> Asking:
    """What the params of a call ask for.

    Raises:
        Misasked: They cannot be sent.
        Refused: The address may not be asked.
    """
    verb = cast("Verb", method.upper())
    url = checked(_text(params, "url"))
    url = url.extend_query(_fields(params.get("query"), "query"))
    headers = {"User-Agent": "Showcaller", "Accept": "application/json, text/*;q=0.9, */*;q=0.1"}
    given = _fields(params.get("headers"), "headers")
    body, kind = _body(params.get("body"))
    if kind:
        headers["Content-Type"] = kind
    for name, value in given.items():
        _check_header(name, value)
        headers = {kept: each for kept, each in headers.items() if kept.casefold() != name.casefold()} | {name: value}
    asked = Asking(verb, url, headers, body, path=_text(params, "path", needed=False))
    return _signed(asked, params.get("token"), _text(params, "token_in", needed=False) or "bearer")


def _signed(asked: Asking, token: object, where: str) -> Asking:
    """The same with a token in the place that is named: `bearer`, `header X-Api-Key`, `query key`."""
    if token is None:
        return asked
    secret = token.reveal() if isinstance(token, Secret) else str(token)
    place, _, name = where.strip().partition(" ")
    name = name.strip()
    if not secret or len(secret) > MAX_FIELD or not _VISIBLE.fullmatch(secret):
        raise Misasked("the token is empty, too long, or has characters that cannot be sent")
    match place.casefold(), name:
        case "bearer", "":
            key = {"Authorization": f"Bearer {secret}"}
        case "header", name if _TOKEN.fullmatch(name) and (
            name.casefold() not in _OURS or name.casefold() == "authorization"
        ):
            key = {name: secret}
        case "query", name if name:
            return replace(asked, url=asked.url.update_query({name: secret}), secret=secret)
        case _:
            raise Misasked('token_in is "bearer", "header NAME" or "query NAME"')
    return replace(asked, key=key, secret=secret)


def _text(params: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = params.get(name)
    if needed and (value is None or value == ""):
        raise Misasked(f"{name} is empty")
    return "" if value is None else str(value)


def _fields(value: Any, name: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Misasked(f'{name} must be names with values, like {{"q": "cats"}}')
    if len(value) > MAX_FIELDS:
        raise Misasked(f"{name} has {len(value)} fields; {MAX_FIELDS} are the most")
    found = {str(key): each if isinstance(each, str) else json.dumps(each) for key, each in value.items()}
    if any(len(each) > MAX_FIELD for pair in found.items() for each in pair):
        raise Misasked(f"a field of {name} is longer than {MAX_FIELD:,} characters")
    return found


def _check_header(name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name) or not _VISIBLE.fullmatch(value):
        raise Misasked(f'"{name[:40]}" is no header, or has characters that cannot be sent')
    if name.casefold() == "authorization":
        raise Misasked("a token goes into `token`, as the name of a secret setting, not into headers")
    if name.casefold() in _OURS or name.casefold().startswith(("proxy-", "sec-")):
        raise Misasked(f'"{name[:40]}" is a header that the bot fills itself')


def _body(value: Any) -> tuple[bytes | None, str]:
    """What is sent, and what it is: a text as it is, anything else as JSON."""
    if value is None:
        return None, ""
    text, kind = (value, "text/plain") if isinstance(value, str) else (json.dumps(value), "application/json")
    body = text.encode("utf-8", "replace")
    if len(body) > MAX_BODY:
        raise Misasked(f"the body has {len(body):,} bytes; {MAX_BODY:,} are the most")
    return body, f"{kind}; charset=utf-8"


# On the way --------------------------------------------------------------------------------------------------------------


def sent_on(asked: Asking, status: int, location: str) -> Asking:
    """The ask as a redirect changes it. A key goes nowhere but where it was meant for.

    Raises:
        Refused: It leads where nothing is asked.
    """
    try:
        url = asked.url.join(URL(location))
    except (ValueError, UnicodeError):
        raise Refused("the server sends on to what is no web address") from None
    url = checked(str(url))
    if asked.url.scheme == "https" and url.scheme != "https":
        raise Refused("the server sends on from https to http, where others may read along")
    if url.origin() != asked.url.origin():
        asked = replace(asked, key=None, headers=_plain(asked.headers))
    if status in (307, 308) or asked.verb == "GET":
        return replace(asked, url=url)
    headers = {name: value for name, value in asked.headers.items() if name.casefold() != "content-type"}
    return replace(asked, verb="GET", url=url, body=None, headers=headers)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """What another server may know, too."""
    told = ("user-agent", "accept", "content-type", "accept-language")
    return {name: value for name, value in headers.items() if name.casefold() in told}


# What came of it ---------------------------------------------------------------------------------------------------------


def answered(asked: Asking, status: int, kind: str, body: bytes, charset: str) -> Result:
    """What an answer comes to: the part of it that is wanted, or why there is none."""
    if not 200 <= status < 300:
        return _not_so(asked, status)
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    value: Any = text
    if "json" in kind or (asked.path and text.lstrip()[:1] in ("{", "[")):
        try:
            value = json.loads(text, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return Failed("bad_answer", f"{host_of(asked)} answered with JSON that cannot be read")
        if _deeper_than(value, MAX_DEPTH):
            return Failed("bad_answer", f"{host_of(asked)} answered with JSON that is nested too deep")
    if asked.path:
        found = part_of(value, asked.path)
        if found is None:
            return Failed("not_in_answer", f'there is no "{asked.path[:80]}" in what {host_of(asked)} answered')
        value = found
    return Done(_hidden(value, asked.secret))


def _not_so(asked: Asking, status: int) -> Failed:
    """A refusal is no secret: only its number is told, as the rest is written by strangers."""
    named = _PHRASES.get(status, "something unheard of")
    retryable = status in (429, 503) or (status >= 500 and asked.repeatable)
    return Failed(f"http_{status}", f"{host_of(asked)} answered {status} ({named})", retryable=retryable)


def part_of(value: Any, path: str) -> Any:
    """The part at a dotted path, such as `items.0.name`; None if there is none."""
    for name in path.removeprefix("$").strip(".").split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name[:9]) < len(value):
            value = value[int(name[:9])]
        else:
            return None
    return value


def host_of(asked: Asking) -> str:
    """Who is asked, fit for people: never the whole address, which may hold a key."""
    return asked.url.host or "the server"


def _hidden(value: Any, secret: str) -> Any:
    """The same value with the secret struck out: a server may answer with what it was sent."""
    if len(secret) < _LEAST_SECRET:
        return value
    if isinstance(value, str):
        return value.replace(secret, REDACTED)
    if isinstance(value, Mapping):
        return {name.replace(secret, REDACTED): _hidden(each, secret) for name, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each, secret) for each in value]
    return value


def _deeper_than(value: object, most: int) -> bool:
    layer = [value]
    for _ in range(most):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(inner, dict | list) for inner in layer)
