"""Models asked by workflows: the words they are asked in, what the next step says, and what a failure comes to."""

from bot.ai.service import AiService
from bot.testkit import Bench
from tests.ai.asks import asker, settings
from tests.servers.models import ModelServer, echoes, fails, says


def said(bench: Bench) -> list[str]:
    return [attempt.effect.params["message"] for attempt in bench.attempts if attempt.effect.service == "twitch"]


async def test_the_answer_is_said(server: ModelServer) -> None:
    server.answer = says("Welcome aboard, Ninja!")
    async with Bench(AiService(asker(settings(server)))) as bench:
        replies = await bench.type(
            '!workflow create hi when someone follows, ask ai "greet this follower" about "${user}" and say the answer'
        )
        assert '1 ask ai "greet this follower" about "${user}" · 2 say "${answer}"' in replies[-1].text
        await bench.happen("follow.received", user="Ninja")
        assert said(bench) == ["Welcome aboard, Ninja!"]
        assert server.came[0][2]["messages"][-1]["content"] == 'greet this follower\n\nABOUT: "Ninja"'


async def test_what_a_model_writes_is_never_filled_in(server: ModelServer) -> None:
    server.answer = says("${config.plan} ${user} {user}")
    async with Bench(AiService(asker(settings(server)))) as bench:
        await bench.set("plan", "surprise")
        await bench.type('!workflow create hi when someone follows, ask ai "greet them" and say the answer')
        await bench.happen("follow.received", user="Ninja")
        assert said(bench) == ["${config. plan} ${user} {user}"]


async def test_a_viewers_name_makes_no_step_of_it(server: ModelServer) -> None:
    server.answer = echoes
    async with Bench(AiService(asker(settings(server)))) as bench:
        await bench.type('!workflow create hi when someone follows, ask ai "${user}" and say the answer')
        await bench.happen("follow.received", user="/ban bob")
        assert said(bench) == ["ban bob"]
        assert [f"{each.effect.service}.{each.effect.method}" for each in bench.attempts] == [
            "ai.ask",
            "twitch.send_chat_message",
        ]


async def test_a_model_that_fails_is_asked_again_where_that_may_help_and_else_handled(server: ModelServer) -> None:
    server.answer = fails(503)
    async with Bench(AiService(asker(settings(server)))) as bench:
        await bench.type(
            '!workflow create hi when someone follows, ask ai "greet them" (retry 2 times waiting 5 seconds) '
            "and say the answer"
        )
        await bench.type('!workflow in hi on error say "welcome!"')
        await bench.happen("follow.received", user="Ninja")
        await bench.advance(30)
        assert len(server.came) == 3
        assert said(bench) == ["welcome!"]


async def test_no_secret_can_be_put_into_a_prompt(server: ModelServer) -> None:
    async with Bench(AiService(asker(settings(server)))) as bench:
        await bench.set("weather.key", "sesame-open-42", secret=True)
        replies = await bench.type('!workflow create x: ask ai "${config.weather.key}"')
        assert "secret" in replies[-1].text
        assert "Created" not in replies[-1].text
