"""The web server of a whole bot: real store, real engine, real requests."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from bot.app import Bot, equipment, open_bot
from bot.config import COMMUNITY, DataFolder, Settings, with_value
from bot.log import log_to
from bot.message import Message, Place, roles_of
from bot.metrics import PrometheusMetrics
from bot.platforms import Platforms
from bot.tokens import TokenFile
from bot.web.link import NotOn, switch_on, told
from bot.web.options import TOKEN, options_of
from bot.web.signed import signature
from engine.execution import Person
from engine.ports import Batch
from storage.sqlite import SQLiteStore

SECRET = "s3cret-of-gifts"
STREAMER = Person("streamer", "twitch", roles_of("broadcaster"), "twitch:streamer")


class Show:
    """A bot with nothing but a web server."""

    def __init__(self, folder: DataFolder, port: int) -> None:
        self.folder = folder
        self.port = port
        self.notices: list[str] = []
        self.noticed = asyncio.Event()
        self.bot: Bot
        self._stack = AsyncExitStack()

    async def set_up(self) -> None:
        self.folder.make()
        settings, records = Settings(), []
        for key, value, secret in (
            ("web.on", "on", False),
            ("web.port", self.port, False),
            ("webhooks.gifts", SECRET, True),
        ):
            settings, record = with_value(settings, key, value, secret=secret)
            records.append(record)
        async with await SQLiteStore.open(self.folder.database) as store:
            await store.commit(Batch(config=records))

    async def begin(self) -> None:
        metrics = PrometheusMetrics()
        platforms = Platforms(TokenFile.open(self.folder.path), metrics.generate)
        self.bot = await open_bot(
            self._stack,
            self.folder,
            log_to(self.folder.log),
            equipment=equipment(),
            virtual=False,
            on_attempt=lambda _: None,
            notice=self._notice,
            abroad=platforms.abroad,
            metrics=metrics,
        )
        await self._stack.enter_async_context(platforms.running(self.bot))

    def _notice(self, sentence: str) -> None:
        self.notices.append(sentence)
        self.noticed.set()

    async def up(self) -> None:
        """Wait until it serves."""
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def end(self) -> None:
        await self._stack.aclose()

    async def say(self, text: str) -> str:
        message = Message(self.bot.ids(), text, STREAMER, Place(), self.bot.clock.now())
        return (await self.bot.hear(message)).replies[-1].text

    async def hook(self, body: bytes, id: str) -> int:
        at = str(int(self.bot.clock.now()))
        headers = {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature(SECRET, id, at, body)}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{self.port}/hooks/gifts", data=body, headers=headers) as answer,
        ):
            return answer.status

    async def read(self, path: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as answer:
            return await answer.text()

    async def counter(self, name: str) -> int:
        await self.bot.runner.quiescent()
        found = [row.value for row in await self.bot.store.data(COMMUNITY) if row.key.endswith(name)]
        return int(found[0]["value"]) if found else 0


@pytest.fixture
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    made = Show(DataFolder(tmp_path / "data"), port)
    await made.set_up()
    yield made
    await made.end()


async def test_a_webhook_starts_a_workflow_once_also_over_a_restart(show: Show) -> None:
    await show.begin()
    await show.up()
    adding = 'do data.add_to_counter with {"counter": "total", "by": "${body.amount}"}'
    assert "gifts" in await show.say(f'!workflow create gifts: when a webhook comes in, if hook is "gifts": {adding}')
    assert await show.hook(b'{"amount": 5}', "m1") == 202
    assert await show.counter("total") == 5
    assert await show.hook(b'{"amount": 5}', "m1") == 409
    await show.end()
    await show.begin()
    await show.up()
    assert await show.hook(b'{"amount": 5}', "m1") == 409
    assert await show.hook(b'{"amount": 7}', "m2") == 202
    assert await show.counter("total") == 12


async def test_a_webhook_speaks_for_nobody(show: Show) -> None:
    await show.begin()
    await show.up()
    await show.say("!workflow create gifts: when a webhook comes in: add 1 to the total counter")
    await show.say("!workflow let only the broadcaster run it")
    body = json.dumps({"user": {"name": "streamer", "roles": ["broadcaster"]}, "caller": "streamer"}).encode()
    assert await show.hook(body, "m1") == 202
    await show.bot.runner.quiescent()
    events = [each for each in await show.bot.store.events(COMMUNITY) if each.name == "webhook.received"]
    assert events[0].behind is None


async def test_health_tells_of_every_platform_and_numbers_count_what_happened(show: Show) -> None:
    await show.begin()
    await show.up()
    health = json.loads(await show.read("/healthz"))
    assert health["status"] == "ok"
    assert health["platforms"]["The web server"]["up"]
    assert 'showcaller_events_received_total{event="bot.started"} 1.0' in await show.read("/metrics")


async def test_the_token_is_made_once_and_kept_from_the_log(show: Show) -> None:
    await show.begin()
    await show.up()
    token = options_of(show.bot.settings).token
    assert len(token) >= 32
    assert token in show.bot.secrets()
    await show.end()
    await show.begin()
    await show.up()
    assert options_of(show.bot.settings).token == token
    assert show.bot.settings.secrets[TOKEN] == token


async def test_a_port_that_is_taken_is_told_and_the_bot_goes_on(show: Show) -> None:
    with socket.create_server(("127.0.0.1", show.port)):
        await show.begin()
        await asyncio.wait_for(show.noticed.wait(), 20)
    assert f"port {show.port} is taken" in show.notices[0]
    assert "Created" in await show.say("!workflow create hi: say hi")


async def test_a_workflow_plays_a_sound_once_the_page_says_so(show: Show) -> None:
    show.folder.media.mkdir()
    (show.folder.media / "airhorn.mp3").write_bytes(b"x")
    await show.begin()
    await show.up()
    assert "airhorn" in await show.say("!workflow create horn: play airhorn")
    link = f"http://127.0.0.1:{show.port}/overlay"
    token = options_of(show.bot.settings).token
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{link}/events?page=aaaaaaaa&token={token}") as line,
    ):
        await line.content.readuntil(b"\n\n")
        await show.say("!workflow run horn")
        sent = json.loads((await line.content.readuntil(b"\n\n")).removeprefix(b"data: "))
        assert (sent["show"], sent["sound"]) == ("sound", "airhorn.mp3")
        assert [each.status for each in await show.bot.store.executions(COMMUNITY, "horn")] == ["running"]
        said = {"page": "aaaaaaaa", "id": sent["id"]}
        async with session.post(f"{link}/told?token={token}", json=said) as answer:
            assert answer.status == 204
        await show.bot.runner.quiescent()
    assert [each.status for each in await show.bot.store.executions(COMMUNITY, "horn")] == ["completed"]


async def test_the_link_is_told_at_the_machine_and_works(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.make()
    async with await SQLiteStore.open(folder.database):
        pass
    with pytest.raises(NotOn, match="--on"):
        await told(folder)
    await switch_on(folder)
    first = await told(folder)
    assert first[0].startswith("http://127.0.0.1:7474/overlay?token=")
    await switch_on(folder)
    assert await told(folder) == first, "the link that is in OBS already stays"
