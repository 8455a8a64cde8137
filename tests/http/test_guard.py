"""Nothing that a workflow may be talked into asking reaches this machine or the house: real sockets, real server, own look-ups."""

import asyncio
import ipaddress
import socket
import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.http.addresses import Doors, Refused, checked, doors_of, is_public
from bot.http.service import HttpService
from engine.execution import Done, Failed, Result
from tests.http.asks import ask

HOSTILE = tomllib.loads((Path(__file__).parent / "addresses.toml").read_text(encoding="utf-8"))["hostile"]
OUTSIDE = "127.0.0.2"
"""Stands for a public number: the only one of this machine that is let through in these tests."""


class Book(AbstractResolver):
    """Names as the test has them: each look-up of a name takes its next answer, the last one stays."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.names = {name: list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            # What is no name is understood as the system does it, which knows many ways to write a number.
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            return [_number(host, str(each[4][0]), port) for each in found]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [_number(host, each, port) for each in answer.split("+")]

    async def close(self) -> None:
        pass


def _number(host: str, number: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in number else socket.AF_INET
    return ResolveResult(hostname=host, host=number, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


class House:
    """A server on every number of this machine: what is counted here was reached."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    async def open(self) -> list[asyncio.Server]:
        server = await asyncio.start_server(self._heard, "0.0.0.0", 0)
        self.port = server.sockets[0].getsockname()[1]
        servers = [server]
        if socket.has_ipv6:
            six = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                six.bind(("::1", self.port))
                servers.append(await asyncio.start_server(self._heard, sock=six))
            except OSError:
                six.close()
        return servers

    async def _heard(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    built = House()
    servers = await built.open()
    yield built
    for server in servers:
        server.close()


class Outside:
    """A server that stands for one on the internet, and sends on as the test wants."""

    def __init__(self) -> None:
        self.port = 0
        self.sends_to: list[str] = []
        self.heard: list[web.Request] = []
        self.status = 302

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.append(request)
        if self.sends_to:
            return web.Response(status=self.status, headers={"Location": self.sends_to.pop(0)})
        return web.Response(text="public")


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    server = Outside()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, OUTSIDE, 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


def service(*ports: int, names: Mapping[str, Sequence[str]] | None = None) -> tuple[HttpService, Book]:
    """One for which these ports of the number outside are public."""
    doors = doors_of(f"{OUTSIDE}:{port}" for port in ports)
    book = Book(names or {})
    return HttpService(lambda: doors, lambda: 0.0, resolver=lambda: book, within=5), book


def _is_refusal(result: Result) -> bool:
    return isinstance(result, Failed) and result.error == "refused_address"


def test_there_are_many_ways_to_hide_an_address() -> None:
    assert len(HOSTILE) >= 60
    assert len({case["url"] for case in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: str(case["url"]))
async def test_no_hostile_address_reaches_anything(house: House, case: dict[str, Any]) -> None:
    url = case["url"].replace("{port}", str(house.port))
    host = url.partition("//")[2].partition(":")[0]
    http, _ = service(house.port, names={"good.test": [OUTSIDE]} | ({host: case["to"]} if "to" in case else {}))
    result = await ask(http, "get", url=url)
    assert house.connections == 0
    assert _is_refusal(result), result
    assert isinstance(result, Failed)
    assert str(house.port) not in result.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://2130706433:{port}/",
        "http://inside.test:{port}/",
        "http://user@127.0.0.1:{port}/",
        "file:///etc/passwd",
    ],
)
async def test_no_redirect_leads_inside(house: House, outside: Outside, status: int, target: str) -> None:
    outside.status, outside.sends_to = status, [target.replace("{port}", str(house.port))]
    http, _ = service(outside.port, names={"inside.test": ["127.0.0.1"]})
    assert _is_refusal(await ask(http, "get", url=f"http://{OUTSIDE}:{outside.port}/"))
    assert len(outside.heard) == 1, "the first server was asked: the redirect was followed, and refused"
    assert house.connections == 0


async def test_a_chain_of_redirects_leads_inside_no_more_than_one(house: House, outside: Outside) -> None:
    outside.sends_to = ["/one", "/two", f"http://127.0.0.1:{house.port}/"]
    http, _ = service(outside.port)
    assert _is_refusal(await ask(http, "get", url=f"http://{OUTSIDE}:{outside.port}/"))
    assert (len(outside.heard), house.connections) == (3, 0)


async def test_a_name_that_changes_its_number_is_judged_by_the_one_connected_to(house: House, outside: Outside) -> None:
    http, book = service(outside.port, names={"turncoat.test": [OUTSIDE, "127.0.0.1"]})
    assert await ask(http, "get", url=f"http://turncoat.test:{outside.port}/") == Done("public")
    assert book.asked == ["turncoat.test"], "looked up once: what was judged is what was connected to"
    assert _is_refusal(await ask(http, "get", url=f"http://turncoat.test:{house.port}/"))
    assert house.connections == 0


async def test_a_name_that_changes_its_number_while_it_sends_on_to_itself_is_refused(outside: Outside) -> None:
    outside.sends_to = [f"http://turncoat.test:{outside.port}/again"]
    http, book = service(outside.port, names={"turncoat.test": [OUTSIDE, "127.0.0.1"]})
    assert _is_refusal(await ask(http, "get", url=f"http://turncoat.test:{outside.port}/"))
    assert book.asked == ["turncoat.test"] * 2
    assert len(outside.heard) == 1


async def test_a_number_that_needs_no_looking_up_is_judged_where_the_socket_is_made(house: House) -> None:
    http, book = service()
    assert checked(f"http://127.0.0.1:{house.port}/").host, "there is nothing wrong with how it is written"
    assert _is_refusal(await ask(http, "get", url=f"http://127.0.0.1:{house.port}/"))
    assert (book.asked, house.connections) == ([], 0)


async def test_a_place_in_the_house_is_asked_if_it_is_named_and_only_there(house: House, outside: Outside) -> None:
    http, _ = service(outside.port)
    assert await ask(http, "get", url=f"http://{OUTSIDE}:{outside.port}/") == Done("public")
    assert _is_refusal(await ask(http, "get", url=f"http://{OUTSIDE}:{house.port}/"))
    assert house.connections == 0


@pytest.mark.parametrize("number", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_number_is_open(number: str) -> None:
    assert is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1/x?y=1",
        "http://example.com",
        "https://example.com:8443/a/b",
        "https://bücher.example/",
        "https://8.8.8.8/",
        "https://my_host.example.com./",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_a_usual_address_is_let_through(url: str) -> None:
    assert checked(url).host


def test_what_is_no_place_opens_no_door() -> None:
    assert doors_of(["", "home", "127.0.0.1", "home:80", "127.0.0.1:x", "0.0.0.0/0:80"]) == Doors()
    assert doors_of([" [::1]:80"]).is_open(ipaddress.ip_address("::1"), 80)


@pytest.mark.parametrize("written", ["http://secret-token@x.test/", "http://secret-token.local/", "secret-token://x"])
def test_a_refusal_never_repeats_the_address(written: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(written)
    assert "secret-token" not in str(refused.value)
