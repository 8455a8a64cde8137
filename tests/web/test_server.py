"""The web server lets in whom it should, believes only what is signed, and never takes the bot down."""

import asyncio
import json
import signal
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from bot.web.guard import Asked, denied
from bot.web.serving import PortTaken, listening, serve
from bot.web.signed import signature
from tests.web.conftest import NOW, Served

SECRET = "s3cret-of-gifts"


def signed(
    body: bytes, *, id: str = "msg_1", at: float = NOW, secret: str = SECRET, **others: str
) -> Mapping[str, str]:
    """The headers of a webhook."""
    given = {
        "webhook-id": id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": signature(secret, id, str(int(at)), body),
    }
    return {**given, **others}


# The door ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:7474"},
        {"host": "127.0.0.1"},
        {"host": "127.0.0.1:80"},
        {"host": "localhost.evil.example:7474"},
        {"host": "127.0.0.1:7474.evil.example"},
        {"host": ""},
        {"host": "hooks.example.com"},
        {"host": "127.0.0.1:7474", "origin": "https://evil.example"},
        {"host": "127.0.0.1:7474", "origin": "null"},
        {"host": "127.0.0.1:7474", "origin": "http://127.0.0.1:3000"},
        {"host": "127.0.0.1:7474", "origin": "http://localhost:7474"},
        {"host": "127.0.0.1:7474", "origin": "https://127.0.0.1:7474"},
        {"host": "localhost:7474", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
        {"host": "localhost:7474", "sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/overlay", "/overlay/done"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_who_comes_from_elsewhere_is_not_let_in(verb: str, path: str, headers: Mapping[str, str]) -> None:
    found = denied(Asked(verb, path, headers, "t"), port=7474, names=("hooks.example.com",), token="t")
    assert found is not None
    assert found.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1:7474", "LOCALHOST:7474", "[::1]:7474"])
@pytest.mark.parametrize("origin", [None, "own"])
def test_who_sits_at_the_machine_is_let_in(host: str, origin: str | None) -> None:
    headers = {"host": host, **({"origin": f"http://{host}"} if origin else {})}
    assert denied(Asked("POST", "/overlay/done", headers, "t"), port=7474, names=(), token="t") is None
    assert denied(Asked("GET", "/metrics", {"host": host}), port=7474, names=(), token="") is None
    clicked = {"host": host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert denied(Asked("GET", "/overlay", clicked, "t"), port=7474, names=(), token="t") is None


@pytest.mark.parametrize("token", ["", "T", "t ", "ţ", "tt"])
def test_the_overlay_is_for_who_has_the_link(token: str) -> None:
    headers = {"host": "localhost:7474"}
    found = denied(Asked("GET", "/overlay", headers, token), port=7474, names=(), token="t")
    assert found is not None
    assert found.status == 401
    assert denied(Asked("GET", "/overlay", headers, ""), port=7474, names=(), token="") is not None, "none is made yet"


@pytest.mark.parametrize("host", ["hooks.example.com", "HOOKS.example.com:443", "127.0.0.1:7474"])
def test_webhooks_come_through_a_tunnel_but_never_from_a_page(host: str) -> None:
    def judged(headers: Mapping[str, str]) -> Any:
        return denied(Asked("POST", "/hooks/x", headers), port=7474, names=("hooks.example.com",), token="t")

    assert judged({"host": host}) is None
    assert judged({"host": host, "origin": f"http://{host.casefold()}"}) is not None


async def test_what_is_denied_reaches_no_route(served: Served) -> None:
    body = b"{}"
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        status, _, answered = await served.ask("POST", "/hooks/gifts", {**signed(body), **headers}, body)
        assert status == 403
        assert answered["Cache-Control"] == "no-store"
    assert served.behind.heard == []


async def test_no_page_may_frame_cache_or_guess_what_is_answered(served: Served) -> None:
    for path in ("/healthz", "/metrics", "/nowhere"):
        _, _, headers = await served.ask("GET", path)
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in headers
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await served.ask("GET", path))[0] == 404


# Webhooks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"from": "ann", "amount": 5}', {"from": "ann", "amount": 5}),
        (b"plain words", "plain words"),
        (b"", ""),
        ("grüß \U0001f44b".encode(), "grüß \U0001f44b"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 10_000, "[" * 10_000),
    ],
    ids=["json", "text", "nothing", "unicode", "no unicode", "deep"],
)
async def test_a_signed_webhook_is_heard(served: Served, body: bytes, said: Any) -> None:
    status, _, _ = await served.ask("POST", "/hooks/gifts", signed(body), body)
    assert status == 202
    assert served.behind.heard == [("gifts", "msg_1", said)]


async def test_a_secret_may_be_handed_out_by_a_service(served: Served) -> None:
    known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    served.behind.options = served.behind.options.__class__(True, served.port, (), "t", {"shop": known})
    # The example of the published specification.
    body, id, at = b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330
    served.behind.now = at
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1,aaaa v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert (await served.ask("POST", "/hooks/shop", headers, body))[0] == 202


BODY = b'{"amount": 5}'
FORGED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "not signed": ("gifts", {}),
    "signed with another secret": ("gifts", signed(BODY, secret="s3cret-of-others")),
    "signed with nothing": ("gifts", signed(BODY, secret="")),
    "another body": ("gifts", signed(b'{"amount": 500}')),
    "another id": ("gifts", {**signed(BODY), "webhook-id": "msg_2"}),
    "another time": ("gifts", {**signed(BODY), "webhook-timestamp": str(int(NOW) + 1)}),
    "too old": ("gifts", signed(BODY, at=NOW - 301)),
    "too new": ("gifts", signed(BODY, at=NOW + 301)),
    "no time": ("gifts", {**signed(BODY), "webhook-timestamp": "now"}),
    "no id": ("gifts", {**signed(BODY), "webhook-id": ""}),
    "an id that is none": ("gifts", signed(BODY, id="a b")),
    "another version": (
        "gifts",
        {**signed(BODY), "webhook-signature": signed(BODY)["webhook-signature"].replace("v1", "v0")},
    ),
    "too many signatures": (
        "gifts",
        {**signed(BODY), "webhook-signature": "v1,x " * 5 + signed(BODY)["webhook-signature"]},
    ),
    "no such hook": ("nobody", signed(BODY)),
    "no such hook, signed with what stands in for its secret": (
        "nobody",
        signed(BODY, secret="nobody knows this secret, so nothing is ever signed with it"),
    ),
}


@pytest.mark.parametrize("case", FORGED)
async def test_what_is_not_signed_as_it_has_to_be_is_not_heard(served: Served, case: str) -> None:
    name, headers = FORGED[case]
    status, text, _ = await served.ask("POST", f"/hooks/{name}", headers, BODY)
    assert status == 401
    assert SECRET not in text
    assert served.behind.heard == []


async def test_nobody_finds_out_which_hooks_there_are(served: Served) -> None:
    wrong = signed(BODY, secret="guess")
    assert await _said(served, "gifts", wrong) == await _said(served, "nobody", wrong)


async def _said(served: Served, name: str, headers: Mapping[str, str]) -> tuple[int, str]:
    status, text, _ = await served.ask("POST", f"/hooks/{name}", headers, BODY)
    return status, text


async def test_one_that_comes_again_is_refused(served: Served) -> None:
    headers = signed(BODY)
    assert [(await _said(served, "gifts", headers))[0] for _ in range(2)] == [202, 409]


async def test_too_much_and_too_often_is_refused(served: Served) -> None:
    for body in (b"x" * 64_001, b'"' + b"x" * 32_000 + b'"'):
        assert (await served.ask("POST", "/hooks/gifts", signed(body), body))[0] == 413
    for body in (b'{"n": 1e999}', b'{"n": NaN}'):
        assert (await served.ask("POST", "/hooks/gifts", signed(body), body))[0] == 400
    statuses = [(await _said(served, "gifts", signed(BODY, id=f"m{number}")))[0] for number in range(6)]
    assert statuses.count(429) >= 1
    assert len(served.behind.heard) == statuses.count(202)


# Health and numbers ------------------------------------------------------------------------------------------------------


async def test_health_and_numbers_are_there_for_who_watches(served: Served) -> None:
    status, text, _ = await served.ask("GET", "/healthz")
    assert (status, json.loads(text)) == (200, {"status": "ok"})
    served.behind.well = False
    assert (await served.ask("GET", "/healthz"))[0] == 503
    status, text, headers = await served.ask("GET", "/metrics")
    assert (status, text) == (200, "up 1\n")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")


# Serving -----------------------------------------------------------------------------------------------------------------


async def _hello(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def test_a_port_that_is_taken_is_told_and_ends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(PortTaken):
        listening(other.getsockname()[1])


async def test_signals_stay_with_the_bot_and_the_port_is_free_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    listener = listening(0)
    port = listener.getsockname()[1]
    serving = asyncio.create_task(serve(_hello, listener))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"hello" in await reader.readuntil(b"hello")
    assert signal.getsignal(signal.SIGINT) is before
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    writer.close()
    listening(port).close()


async def test_only_this_machine_is_listened_to() -> None:
    with listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
