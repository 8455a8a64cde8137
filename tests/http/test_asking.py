"""What is sent, what of it may be told, and what an answer comes to: a real server, and the pure parts by themselves."""

import asyncio
import gzip
import json
from typing import Any

import pytest
from aiohttp import web

from bot.http.addresses import doors_of
from bot.http.asking import MAX_ANSWER, Misasked, asking, part_of, sent_on
from bot.http.service import HttpService
from bot.pace import Pace
from bot.services.http import METHODS
from engine.execution import Done, Failed, Result, Unknown
from engine.secrets import Secret
from tests.http.asks import Server, ask, service

KEY = Secret("weather.key", "sesame-open-42")


async def test_every_method_that_is_declared_is_sent_as_it_is_called(server: Server) -> None:
    for method in METHODS:
        result = await ask(service(server), method.name, url=server.url)
        assert isinstance(result, Done), method.key
    assert [verb for verb, *_ in server.came] == [method.name.upper() for method in METHODS]
    assert all(method.right == "broadcaster" for method in METHODS)


async def test_the_answer_is_the_result_whole_or_in_part(server: Server) -> None:
    http = service(server)
    assert await ask(http, "get", url=server.url) == Done({"main": {"temp": 21.5, "all": [1, {"name": "sun"}]}})
    assert await ask(http, "get", url=server.url, path="main.temp") == Done(21.5)
    assert await ask(http, "get", url=server.url, path="$.main.all.1.name") == Done("sun")
    missing = await ask(http, "get", url=server.url, path="main.wind")
    assert isinstance(missing, Failed)
    assert missing.error == "not_in_answer"
    server.says("grüß".encode("latin-1"), Content_Type="text/plain; charset=latin-1")
    assert await ask(http, "get", url=server.url) == Done("grüß")


async def test_a_body_is_a_text_or_json_whatever_a_viewer_is_called(server: Server) -> None:
    http = service(server)
    name = 'x", "admin": true, "y": "'
    await ask(http, "post", url=server.url, body={"user": name})
    await ask(http, "put", url=server.url, body="just a text", headers={"content-type": "text/markdown"})
    (_, _, first, body), (_, _, second, text) = server.came
    assert (json.loads(body), first["Content-Type"]) == ({"user": name}, "application/json; charset=utf-8")
    assert (text, second["Content-Type"]) == (b"just a text", "text/markdown")


async def test_what_stands_in_query_stays_one_field(server: Server) -> None:
    await ask(service(server), "get", url=f"{server.url}?a=1", query={"q": "cats&admin=1#x", "n": 5})
    assert server.came[0][1] == "/api?a=1&q=cats%26admin%3D1%23x&n=5"


@pytest.mark.parametrize(
    ("where", "header"), [("bearer", "Authorization"), ("header X-Api-Key", "X-Api-Key"), ("query appid", None)]
)
async def test_a_token_goes_where_it_is_meant_to(server: Server, where: str, header: str | None) -> None:
    await ask(service(server), "get", url=server.url, token=KEY, token_in=where)
    _, path, headers, _ = server.came[0]
    assert KEY.reveal() in (path if header is None else headers[header])


async def test_a_token_is_in_no_answer_and_in_no_failure(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        return web.json_response({"you sent": [request.headers["Authorization"]], KEY.reveal(): 1})

    server.answer = echo
    told = [await ask(service(server), "get", url=server.url, token=KEY)]
    for status in (400, 401, 500):
        server.says(KEY.reveal().encode(), status)
        told.append(await ask(service(server), "get", url=server.url, token=KEY, token_in="query key"))
    server.says(b"{" + KEY.reveal().encode(), Content_Type="application/json")
    told.append(await ask(service(server), "get", url=server.url, token=KEY))
    server.answer = _cut
    told.append(await ask(service(server), "get", url=server.url, token=KEY, token_in="query key"))
    assert len(server.came) >= len(told), "all of them were sent; the library looks again where a line was cut"
    assert KEY.reveal() not in f"{told}{caplog.text}"
    assert told[0] == Done({"you sent": ["Bearer (secret)"], "(secret)": 1})


def test_a_token_goes_no_further_than_to_the_one_it_was_meant_for() -> None:
    asked = asking("get", {"url": "https://a.example/x", "token": KEY, "headers": {"X-Other": "1"}})
    assert sent_on(asked, 302, "/y").key == asked.key
    for elsewhere in ("https://b.example/", "https://a.example:8443/"):
        moved = sent_on(asked, 307, elsewhere)
        assert (moved.key, moved.headers.get("X-Other")) == (None, None)
    in_query = asking("get", {"url": "https://a.example/x", "token": KEY, "token_in": "query key"})
    assert KEY.reveal() not in str(sent_on(in_query, 302, "https://b.example/").url)


def test_a_redirect_after_a_post_is_a_look_unless_it_says_that_it_is_the_same() -> None:
    asked = asking("post", {"url": "https://a.example/x", "body": {"n": 1}})
    seen = sent_on(asked, 303, "/done")
    assert (seen.verb, seen.body, "Content-Type" in seen.headers) == ("GET", None, False)
    again = sent_on(asked, 307, "/there")
    assert (again.verb, again.body) == ("POST", b'{"n": 1}')


@pytest.mark.parametrize(
    "params",
    [
        {"headers": {"Authorization": "Bearer x"}},
        {"headers": {"Host": "127.0.0.1"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"X A": "1"}},
        {"headers": "X-A: 1"},
        {"headers": {f"X-{number}": "1" for number in range(31)}},
        {"query": ["a"]},
        {"query": {"q": "x" * 2_001}},
        {"body": "x" * 64_001},
        {"token": "x", "token_in": "cookie sid"},
        {"token": "x", "token_in": "header Host"},
        {"token": "x\r\ny"},
        {"url": ""},
    ],
    ids=lambda params: str(params)[:40],
)
def test_what_cannot_be_sent_is_a_failure_before_anything_is(params: dict[str, Any]) -> None:
    with pytest.raises(Misasked):
        asking("post", {"url": "https://a.example/", **params})


@pytest.mark.parametrize(
    ("status", "get", "post"), [(404, False, False), (429, True, True), (500, True, False), (503, True, True)]
)
async def test_only_what_may_be_sent_again_is_called_temporary(
    server: Server, status: int, get: bool, post: bool
) -> None:
    server.says(b"no", status)
    for method, retryable in (("get", get), ("put", get), ("delete", get), ("post", post)):
        result = await ask(service(server), method, url=server.url)
        assert isinstance(result, Failed)
        assert (result.error, result.retryable) == (f"http_{status}", retryable)


async def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _never(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


@pytest.mark.parametrize(("answer", "within"), [(_cut, 10.0), (_never, 0.3)], ids=["cut", "never"])
async def test_a_post_that_is_not_answered_has_an_unknown_outcome(server: Server, answer: Any, within: float) -> None:
    server.answer = answer
    http = service(server, within)
    assert isinstance(await ask(http, "post", url=server.url, body="x"), Unknown)
    got = await ask(http, "get", url=server.url)
    assert isinstance(got, Failed)
    assert got.retryable


async def test_a_post_to_nobody_was_not_sent_and_may_be_tried_again(unused_port: int) -> None:
    doors = doors_of([f"127.0.0.1:{unused_port}"])
    result = await ask(HttpService(lambda: doors, lambda: 0.0), "post", url=f"http://127.0.0.1:{unused_port}/")
    assert result == Failed("unreachable", "127.0.0.1 cannot be reached", retryable=True)


async def test_no_more_is_read_than_may_be(server: Server) -> None:
    server.says(b"x" * (MAX_ANSWER + 1))
    assert _error(await ask(service(server), "get", url=server.url)) == "too_long"
    server.says(gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip")
    assert _error(await ask(service(server), "get", url=server.url)) == "too_long"
    server.says(b"[" * 100_000, Content_Type="application/json")
    assert _error(await ask(service(server), "get", url=server.url)) == "bad_answer"
    server.says(b"[" * 65 + b"]" * 65, Content_Type="application/json")
    assert _error(await ask(service(server), "get", url=server.url)) == "bad_answer"


async def test_a_host_is_asked_no_more_often_than_it_likes(server: Server) -> None:
    http = service(server, pace=Pace(2))
    results = [await ask(http, "get", url=server.url) for _ in range(3)]
    assert [_error(result) for result in results] == [None, None, "rate_limited"]
    assert len(server.came) == 2


def test_each_host_has_its_own_pace_and_gets_it_back() -> None:
    pace = Pace(burst=2, a_second=0.5, most=2)
    assert [pace.take("a", 0), pace.take("a", 0), pace.take("a", 0)] == [0, 0, 2.0]
    assert pace.take("b", 0) == 0
    assert pace.take("a", 1) == pytest.approx(1.0)
    assert pace.take("a", 2) == 0
    assert pace.take("a", -50) > 0, "a clock that goes back gives nothing away"
    assert pace.take("a", 1_000) == 0


def test_a_part_that_is_not_there_is_none() -> None:
    value = {"a": [{"b": 1}], "c": "text"}
    assert [part_of(value, path) for path in ("a.0.b", "a.1.b", "a.x", "c.0", "", "a.-1", "a.٣")] == [1] + [None] * 6


def _error(result: Result) -> str | None:
    return result.error if isinstance(result, Failed) else None
