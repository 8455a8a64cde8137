"""The bench that authors of plugins get: it loads, runs, moves time, and says plainly what is not as expected."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.testkit import NOON, Bench, NotLoaded, RecordingService, WorkflowTestCase, never, temporary_store
from engine import events
from engine.declare import Method, Param
from engine.execution import Done, Failed, Person
from engine.ports import Batch
from tests.chat import ROOT
from tests.storage.records import DEFINITION

GREET: dict[str, Any] = {
    "id": "greet",
    "name": "Greet",
    "initial_state": "hello",
    "states": [
        {
            "name": "hello",
            "action": {"service": "twitch", "method": "send_chat_message", "params": {"message": "hi ${who}"}},
            "transitions": {"success": "rest"},
            "retry": {"max_attempts": 3, "delay_seconds": 5},
        },
        {"name": "rest", "action": {"service": "internal", "method": "wait", "params": {"seconds": 60}}},
    ],
    "variables": {"who": {"required": True}},
}
TEXT = 'workflow "Greet" (greet)\nvariable "who" {"required": true}\n1. say "hi ${who}"\n2. wait 1 minute\n'


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench() as bench:
        yield bench


async def test_a_workflow_is_loaded_from_whatever_it_is_written_in(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "greet.json").write_text(json.dumps(GREET))
    (tmp_path / "greet.workflow").write_text(TEXT)
    sources = [GREET, json.dumps(GREET), TEXT, tmp_path / "greet.json", tmp_path / "greet.workflow"]
    for number, source in enumerate(sources, 1):
        assert await bench.load(source) == "greet"
        run = await bench.run("greet", who=f"ann {number}")
        await bench.assert_status(run, "waiting")
    bench.assert_said(*(f"hi ann {number}" for number in range(1, 6)))
    assert await bench.load(DEFINITION) == DEFINITION.id
    assert await bench.load("create hype: say hi") == "hype"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("when someone raids juggle", "juggle"),
        ('{"id": "x"', "not JSON"),
        ('workflow "x"\n1. juggle\n', "juggle"),
        ({**GREET, "initial_state": "nowhere"}, "nowhere"),
        (
            {**GREET, "states": [{"name": "hello", "action": {"service": "obs", "method": "explode", "params": {}}}]},
            "explode",
        ),
    ],
    ids=range(5),
)
async def test_a_workflow_that_cannot_run_is_not_loaded(bench: Bench, source: Any, why: str) -> None:
    with pytest.raises(NotLoaded, match=why):
        await bench.load(source)


async def test_steps_results_status_and_lines_are_seen(bench: Bench) -> None:
    bench.service("twitch").answer("send_chat_message", Failed("busy", "all busy", retryable=True), Done({"id": "7"}))
    await bench.load(GREET)
    run = await bench.run("greet", who="ann")
    bench.assert_said()
    await bench.assert_visited(run, "hello")

    await bench.advance(5)
    bench.assert_said("hi ann")
    await bench.assert_visited("greet", "hello", "rest")
    await bench.assert_result(run, "hello", {"id": "7"})
    await bench.assert_status(run, "waiting")
    assert [(row.attempt, row.outcome) for row in await bench.history(run)] == [(1, "error"), (2, "success")]

    await bench.advance(60)
    await bench.assert_status(run, "completed")
    assert bench.clock.now() == NOON + 65


async def test_what_is_not_as_expected_is_said_plainly(bench: Bench) -> None:
    bench.service("twitch").answer("send_chat_message", Done(7))
    run = await bench.run(await bench.load(GREET), who="ann")
    with pytest.raises(AssertionError, match=r"said \['hi ann'\], not \['bye'\]"):
        bench.assert_said("bye")
    with pytest.raises(AssertionError, match=r"visited \['hello', 'rest'\], not \['hello'\]"):
        await bench.assert_visited(run, "hello")
    with pytest.raises(AssertionError, match="it is waiting, not completed"):
        await bench.assert_status(run, "completed")
    with pytest.raises(AssertionError, match="rest has no result; those there are: hello"):
        await bench.assert_result(run, "rest", 1)
    with pytest.raises(AssertionError, match="hello gave 7, not 1"):
        await bench.assert_result(run, "hello", 1)
    with pytest.raises(AssertionError, match="nothing has never run"):
        await bench.assert_status("nothing", "completed")
    with pytest.raises(AssertionError, match="needs who"):
        await bench.run("greet")
    with pytest.raises(AssertionError):
        await bench.run("greet", Person("bob"), who="ann")


async def test_people_type_and_things_happen(bench: Bench) -> None:
    await bench.load('when someone types !lurk say "${user} lurks"')
    assert await bench.type("!lurk", "bob") == ()
    bench.assert_said("bob lurks")

    [refused] = await bench.type("!wf delete lurk", "bob")
    assert refused.kind == "refusal"
    [asked] = await bench.type("!wf delete lurk", "mo", "moderator")
    assert asked.kind == "question"

    posted = await bench.happen("raid", "ninja", viewers=3)
    assert (posted.event.name, posted.started) == ("raid.received", ())


async def test_a_service_of_the_bot_can_be_replaced() -> None:
    overlay = RecordingService(
        "overlay", (Method("overlay", "play_sound", (Param("sound", "sound"),), ("play {sound}",)),)
    )
    async with Bench(overlay) as bench:
        await bench.load('when someone raids play "horn"')
        await bench.happen("raid.received", viewers=3)
        assert [effect.params for effect in overlay.asked] == [{"sound": "horn"}]
        assert bench.service("overlay") is overlay


async def test_a_restart_takes_up_what_was_under_way() -> None:
    stage = RecordingService("stage", (Method("stage", "dance", phrases=("dance",)),))
    async with Bench(stage) as bench:
        dance = await bench.load("create dance: dance then wait 1 minute")
        stage.answer("dance", never)
        stage.settled = {}
        await bench.bot.runner.run("home", dance, {}, Person("streamer", roles=("broadcaster",)))
        await stage.has_begun(1)
        await bench.restart()
        await bench.assert_status(dance, "failed")
        assert stage.asked_to_settle == stage.begun
        assert any("do not do it again" in notice for notice in bench.notices)


async def test_a_bench_that_cannot_open_leaves_nothing_behind() -> None:
    before = events.types()
    stage = RecordingService("stage", (Method("stage", "speak", (Param("what"),), ("say {what}",)),))
    with pytest.raises(NotLoaded, match="not read back"):
        async with Bench(stage):
            pass
    assert events.types() == before


async def test_a_temporary_store_is_a_real_file_that_goes() -> None:
    async with temporary_store() as store:
        await store.commit(Batch(seen={("home", "key"): 10.0}))
        assert await store.seen("home", ["key"], 5.0) == {"key"}
        path = Path(store._path)  # type: ignore[attr-defined]
        assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0] > 0
    assert not path.parent.exists()


class TestCase(WorkflowTestCase):
    """The same for `unittest`."""

    async def test_each_test_has_a_bench(self) -> None:
        await self.bench.load("when someone raids say hi")
        await self.bench.happen("raid.received", viewers=3)
        self.bench.assert_said("hi")

    async def test_of_its_own(self) -> None:
        assert await self.bench.bot.store.workflows("home") == []


def test_the_program_does_not_load_the_kit_for_tests() -> None:
    code = "import sys, bot.cli, bot.terminal.chat, bot.files; sys.exit('bot.testkit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
