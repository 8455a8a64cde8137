"""Web addresses asked by workflows: who may write such a step, what it is filled with, and what the next steps get."""

from aiohttp import web

from bot.testkit import Bench
from tests.http.asks import Server, service


async def test_the_answer_is_said_and_the_token_is_seen_by_the_server_only(server: Server) -> None:
    async with Bench(service(server)) as bench:
        await bench.set("weather.key", "sesame-open-42", secret=True)
        asked = f'{{"url": "{server.url}", "path": "main.temp", "token": "${{config.weather.key}}"}}'
        await bench.type(f'!workflow create weather: do http.get with {asked} then say "${{fetch}} degrees, ${{user}}"')
        execution = await bench.run("weather")
        await bench.assert_status(execution, "completed")
        assert [
            attempt.effect.params["message"] for attempt in bench.attempts if attempt.effect.service == "twitch"
        ] == ["21.5 degrees, streamer"]
        assert server.came[0][2]["Authorization"] == "Bearer sesame-open-42"
        kept = await bench.bot.store.history(execution.id)
        assert kept
        assert "sesame" not in repr(kept)


async def test_a_token_cannot_be_put_into_an_address(server: Server) -> None:
    async with Bench(service(server)) as bench:
        await bench.set("weather.key", "sesame-open-42", secret=True)
        replies = await bench.type(f'!workflow create weather: fetch "{server.url}?key=${{config.weather.key}}"')
        assert "secret" in replies[-1].text
        assert "Created" not in replies[-1].text


async def test_a_moderator_cannot_have_the_bot_ask_strangers(server: Server) -> None:
    async with Bench(service(server)) as bench:
        replies = await bench.type(f'!workflow create x: fetch "{server.url}"', "mod", "moderator")
        assert "broadcaster" in replies[-1].text
        assert not server.came


async def test_a_call_that_is_temporary_refused_is_tried_again_and_a_post_that_vanished_is_not(server: Server) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if len(server.came) < 3 else 200, text="there")

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with Bench(service(server)) as bench:
        await bench.type(f'!workflow create again: fetch "{server.url}" (retry 3 times waiting 5 seconds)')
        server.answer = busy
        execution = await bench.run("again")
        await bench.advance(20)
        await bench.assert_status(execution, "completed")
        server.came.clear()
        await bench.type(f'!workflow create once: call the webhook "{server.url}" (retry 3 times waiting 5 seconds)')
        server.answer = cut
        execution = await bench.run("once")
        await bench.advance(60)
        await bench.assert_status(execution, "failed")
        assert len(server.came) == 1
