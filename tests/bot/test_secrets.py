"""No token, code or password that a bot holds is to be found anywhere outside of where it is kept.

One run goes through whatever can happen to them, on loopback and with every logger at its most talkative, and then everything
is searched that the bot wrote, said, sent or kept.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import pytest
from aiohttp import ClientSession, web

import bot.twitch.client
from bot.config import DataFolder, Settings, with_value
from bot.discord import addresses, options
from bot.live import run
from bot.log import Redacting, log_to
from bot.obs.platform import PASSWORD as OBS
from bot.platforms import DISCORD, DiscordThere
from bot.setup import set_up
from bot.tokens import Token, TokenFile
from engine.ports import Batch
from storage.sqlite import SQLiteStore
from tests.bot.test_setup import Person
from tests.discord.conftest import QUICK
from tests.obs.studio import free_port
from tests.servers.discord import TOKEN, DiscordServer
from tests.servers.twitch import FakeTwitch, chat_message

CHAT = "channel.chat.message"
STUDIO = "the-password-of-the-studio"
SECRETS = {
    "weather.key": "correct-horse-battery-staple",
    "webhooks.kofi": "signed-with-this-by-others",
    "web.token": "a-link-that-only-its-owner-has",
    "ai.model.cheap.key": "paid-for-by-the-word",
}
"""What is set as `/config secret`, by its name."""
TALKATIVE = ("", "aiohttp", "aiohttp.access", "aiosqlite", "asyncio", "bot", "discord", "twitchio")


class Life:
    """A bot on both platforms, and a house of its own that it may ask."""

    def __init__(self, folder: DataFolder, twitch: FakeTwitch, discord: DiscordServer) -> None:
        self.folder = folder
        self.twitch = twitch
        self.discord = discord
        self.shown: list[str] = []
        self.answered: list[str] = []
        self.number = 0
        self.log: Redacting = log_to(folder.log)

    async def prepare(self, house: str) -> None:
        """Sign in, and set what cannot be set by signing in."""
        host, _, port = house.removeprefix("http://").partition(":")
        self.web = f"http://127.0.0.1:{free_port()}"
        await self._keep(**_addresses(self.twitch, self.discord), **{"http.local": f"{host}:{port}", "web.on": "on"})
        await self._keep(**{"obs.host": host, "obs.port": int(port), "web.port": int(self.web.rpartition(":")[2])})
        async with await SQLiteStore.open(self.folder.database) as store:
            records = [with_value(Settings(), key, value, secret=True)[1] for key, value in SECRETS.items()]
            await store.commit(Batch(config=records))
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger("aiohttp.access").setLevel(logging.CRITICAL)  # those are the servers' own words
        accounts = iter(("2", "1"))
        person = Person("client", "y", "y", browses=lambda code: self.twitch.approve(code, next(accounts)))
        await set_up(self.folder, person)
        self.shown += person.seen
        tokens = TokenFile.open(self.folder.path)
        tokens.put(DISCORD, Token(TOKEN))
        tokens.put(OBS, Token(STUDIO))

    async def _keep(self, **values: Any) -> None:
        records = [with_value(Settings(), key, value, secret=False)[1] for key, value in values.items()]
        async with await SQLiteStore.open(self.folder.database) as store:
            await store.commit(Batch(config=records))

    async def streamer(self, text: str) -> str:
        """The streamer types something in the Twitch chat, and is answered."""
        self.number += 1
        id = f"typed-{self.number}"
        said = chat_message(text, id=id, user="1", login="streamer", badges=("broadcaster",))
        await self.twitch.notify(CHAT, said)

        def answers() -> list[str]:
            sent = self.twitch.made("POST", "chat/messages")
            return [call.body["message"] for call in sent if call.body.get("reply_parent_message_id") == id]

        await self.twitch.until(answers)
        return answers()[0]

    async def in_discord(self, text: str) -> None:
        """Its owner says something in Discord, and is answered."""
        used = await self.discord.slash(self.discord.owner, "workflow", {"text": text})
        await self.discord.until(lambda: used.followups, within=20)

    async def call(self, path: str, headers: dict[str, str] | None = None) -> int:
        """Somebody asks the web server for something; tells with which status it answers."""
        verb = "POST" if headers else "GET"
        async with ClientSession() as session, session.request(verb, f"{self.web}{path}", headers=headers) as answer:
            self.answered.append(f"{answer.status} {dict(answer.headers)} {await answer.text()}")
            return answer.status

    async def until_shown(self, words: str) -> None:
        """Wait until the terminal shows something."""
        async with asyncio.timeout(30):
            while not [line for line in self.shown if words in line]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def held(self) -> str:
        """All tokens that the bot has at the moment."""
        tokens = TokenFile.open(self.folder.path).tokens.values()
        return " ".join(secret for token in tokens for secret in (token.access, token.refresh))

    def logged(self) -> str:
        """Everything in the log."""
        return "".join(each.read_text() for each in self.folder.path.glob(f"{self.folder.log.name}*"))

    def everything(self) -> Iterator[tuple[str, str]]:
        """Whatever came out of the bot, with where that was; a header that signs a request is where a token belongs."""
        yield "the log", self.logged()
        yield "the terminal", "\n".join(self.shown)
        yield (
            "Twitch",
            json.dumps([call.body for call in self.twitch.calls if call.path.startswith(("chat", "eventsub"))]),
        )
        yield "Discord", repr([(call.body, call.query) for call in self.discord.calls])
        yield "files in Discord", repr(self.discord.uploads)
        yield "the web server", "\n".join(self.answered)
        with closing(sqlite3.connect(self.folder.database)) as raw:
            for row in raw.iterdump():
                if not row.startswith('INSERT INTO "config"') or not any(f"config.{key}'" in row for key in SECRETS):
                    yield "the store", row


def _addresses(twitch: FakeTwitch, discord: DiscordServer) -> dict[str, str]:
    return {
        "twitch.api_base": twitch.api_base,
        "twitch.id_base": twitch.id_base,
        "twitch.eventsub_url": twitch.eventsub_url,
        **discord.settings,
    }


@dataclass
class House:
    """A server that answers with what it was asked, token and all; to OBS's clients it is one with another password."""

    url: str = ""
    refused: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever was asked."""
        if request.headers.get("Upgrade"):
            return await self._studio(request)
        return web.json_response({"you": dict(request.headers)}, status=500 if "broken" in request.path else 200)

    async def _studio(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("obswebsocket.msgpack",))
        await socket.prepare(request)
        asked = {"obsWebSocketVersion": "5.5.0", "rpcVersion": 1, "authentication": {"challenge": "c", "salt": "s"}}
        await socket.send_bytes(msgpack.packb({"op": 0, "d": asked}))
        await socket.receive()
        await socket.close(code=4009)
        self.refused.set()
        return socket


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Life]:
    monkeypatch.setattr(bot.twitch.client, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(DiscordThere, "pace", QUICK)
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    folder = DataFolder(tmp_path / "data")
    folder.make()
    async with FakeTwitch() as twitch:
        twitch.echoes = True
        discord = await DiscordServer().start()
        yield Life(folder, twitch, discord)
        await discord.stop()
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    addresses.use(options.API_BASE, options.GATEWAY_URL)


@pytest.mark.timeout(150)
async def test_no_secret_of_a_whole_run_is_found_outside_of_where_it_is_kept(life: Life, house: House) -> None:
    await life.prepare(house.url)
    running = asyncio.create_task(run(life.folder, life.log, life.shown.append))
    await life.twitch.subscribed(CHAT)
    await life.discord.until(lambda: life.discord.commands, within=20)

    ask = json.dumps({"url": f"{house.url}/weather", "token": "${config.weather.key}"})
    await life.streamer(f'!wf create weather: do http.get with {ask}, then say "it is ${{fetch.you.Authorization}}"')
    await life.streamer("!wf run weather")
    await life.twitch.until(lambda: [line for line in _said(life.twitch) if line.startswith("it is")])
    await life.streamer(f"!wf create broken: do http.get with {ask.replace('weather', 'broken', 1)}")
    await life.streamer("!wf run broken")
    for question in (
        "show weather",
        "export weather as json",
        "history weather",
        "why",
        "why broken",
        "log weather",
        "runs",
    ):
        await life.streamer(f"!wf {question}")
        await life.in_discord(question)
    await life.twitch.move(life.twitch.session_of(CHAT))
    before = len(life.twitch.issued)
    life.twitch.expire()
    await life.streamer("!wf list")
    await life.twitch.until(lambda: len(life.twitch.issued) > before)
    asyncio.get_running_loop().call_soon(_break, f"{life.held()} {' '.join(SECRETS.values())}")
    await house.refused.wait()
    key = SECRETS["web.token"]
    statuses = [
        await life.call("/hooks/kofi", {"webhook-id": "1", "webhook-signature": SECRETS["webhooks.kofi"]}),
        await life.call(f"/overlay?token={key}"),
        await life.call(f"/overlay/{key}?token=wrong"),
        await life.call(f"/nowhere/{key}?token={key}"),
        await life.call("/healthz"),
        await life.call("/metrics"),
    ]
    assert statuses == [401, 200, 401, 404, 200, 200]
    life.twitch.expire()
    life.twitch.answer("POST", "oauth2/token", 500, "broken", times=2)
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await life.streamer("!wf list")
    life.twitch.answer("POST", "oauth2/token", 400, "Invalid refresh token", times=50)
    await life.twitch.drop(life.twitch.sessions[0], 1006)
    await life.until_shown("Twitch no longer accepts the sign-in")
    life.discord.invalid_token = True
    await life.discord.operate(9, False)
    await life.until_shown("I am here")
    running.cancel()
    await asyncio.wait({running})

    secrets = {
        *life.twitch.issued,
        TOKEN,
        STUDIO,
        *SECRETS.values(),
        *(each.token for each in life.discord.interactions),
    }
    found = {(where, secret) for where, text in life.everything() for secret in secrets if secret in text}
    assert found == set()
    assert life.logged().count("***") > 20, "what was struck out should be more"
    assert "Traceback" in life.logged()
    assert "it is Bearer" in " ".join(_said(life.twitch))


def _break(text: str) -> None:
    raise RuntimeError(text)


def _said(twitch: FakeTwitch) -> list[Any]:
    return [call.body["message"] for call in twitch.made("POST", "chat/messages")]
