"""A person asks not to be known any more: their name goes out of everything that happened, and it is kept who asked.

That record does not say who was forgotten. It judges nobody's right to ask; whoever calls this has.
"""

from typing import Final

from bot.replies import listed
from engine.errors import EngineError
from engine.execution import Person
from engine.ports import AuditRecord, Batch, Forgotten, Store
from engine.wording import counted

LONGEST_NAME: Final = 64


class NoName(EngineError):
    """What was given is nobody's name."""


async def forget(store: Store, community: str, person: str, by: Person, *, now: float, id: str) -> Forgotten:
    """Take a person out of what happened, and record who asked for it.

    Raises:
        NoName: That is nobody's name.
        StoreError: It was not done to the end; repeating it is harmless.
    """
    name = person.strip().removeprefix("@").strip()
    if not name or len(name) > LONGEST_NAME:
        raise NoName(f"Whom to forget is a name of 1 to {LONGEST_NAME} characters. Nothing was changed.")
    forgotten = await store.forget(community, name)
    detail = {kind: getattr(forgotten, kind) for kind in Forgotten.__slots__}
    await store.commit(Batch(audit=[AuditRecord(id, community, now, by, "forget", detail)]))
    return forgotten


def words_of(forgotten: Forgotten) -> list[str]:
    """What was done, and what was not, in sentences."""
    counts = (
        (forgotten.events, "event"),
        (forgotten.admissions, "start or refusal"),
        (forgotten.executions, "run"),
        (forgotten.history, "step of a run"),
        (forgotten.proposals, "question"),
    )
    touched = [_counted(count, noun) for count, noun in counts if count]
    lines = [f"Forgotten in {listed(touched)}." if touched else "Nobody of that name is in anything that happened."]
    if forgotten.live:
        runs = "1 run that goes on" if forgotten.live == 1 else f"{forgotten.live} runs that go on"
        lines.append(f"Left as it is: {runs}; ask again when they have ended.")
    return lines


def _counted(count: int, noun: str) -> str:
    irregular = {"start or refusal": "starts or refusals", "step of a run": "steps of runs"}
    return f"{count} {irregular[noun]}" if noun in irregular and count != 1 else counted(count, noun)
