"""What a wait keeps to itself reaches nobody else, whether or not it counts."""

from engine.model import Definition
from tests.fakes import Bench, say, workflow
from tests.fakes_store import MemoryStore


def gathering(*, consume: bool) -> Definition:
    """Gathers everybody once."""
    collect = {"kind": "collect", "event": "message.received", "seconds": 60, "consume": consume}
    return workflow("gathering", {"name": "gather", "action": collect}, triggers=["raid"])


async def said_by(*, consume: bool) -> list[str]:
    """What is said to two messages of the same person."""
    bench = Bench(MemoryStore())
    await bench.open(gathering(consume=consume), workflow("echo", say("s", "heard"), triggers=["message.received"]))
    await bench.happen("raid.received")
    await bench.happen("message.received", message="me")
    await bench.happen("message.received", message="me again")
    said = list(bench.service.said)
    await bench.runner.close()
    return said


async def test_who_takes_part_a_second_time_is_kept_from_all_others_like_the_first_time() -> None:
    assert await said_by(consume=True) == []


async def test_what_is_gathered_without_keeping_it_reaches_all_others() -> None:
    assert await said_by(consume=False) == ["heard", "heard"]
