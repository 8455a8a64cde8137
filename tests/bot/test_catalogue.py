"""Undo and redo over the list of changes; who a step's author is; names."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import (
    Catalogue,
    Entry,
    Origin,
    authors,
    creation,
    deletion,
    redoable,
    restoration,
    revised,
    switched,
    undoable,
)
from engine.edits import InsertSteps, RemoveSteps, SetAction, apply
from engine.execution import Person
from engine.model import Definition, State, Wait
from engine.ports import Batch, ChangeRecord, Standing
from tests.fakes_store import MemoryStore

ANNA, BEN = Person("anna", roles=("moderator",)), Person("ben", roles=("moderator",))
HOME = "home"


def workflow(name: str = "raid", waits: int = 1) -> Definition:
    states = tuple(
        State(
            name=f"wait_{number}",
            action=Wait(seconds=number),
            transitions={"success": f"wait_{number + 1}"} if number < waits else {},
        )
        for number in range(1, waits + 1)
    )
    return Definition(id=name, name=name, initial_state="wait_1", states=states)


class Book:
    """A catalogue on a store in memory, changed as conversations change it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.catalogue = Catalogue(HOME, self.store)
        self.ids = itertools.count()
        self.now = itertools.count(1)

    def origin(self, by: Person = ANNA) -> Origin:
        return Origin(by, float(next(self.now)), "words", lambda: f"c{next(self.ids)}")

    async def save(self, batch: Batch) -> None:
        await self.store.commit(batch)
        self.catalogue.learn(batch)

    async def entry(self) -> Entry:
        entry = await self.catalogue.find("raid")
        assert entry is not None
        return entry

    async def create(self) -> None:
        await self.save(creation(HOME, workflow(), self.origin(), "made", await self.catalogue.find("raid")))

    async def edit(self, seconds: float, by: Person = ANNA) -> None:
        entry = await self.entry()
        definition = apply(entry.definition, SetAction("wait_1", Wait(seconds=seconds)))
        await self.save(revised(entry, definition, self.origin(by), "edit", "edited"))

    async def undo(self, count: int = 1) -> bool:
        entry = await self.entry()
        back = undoable(await self.catalogue.changes("raid"))[:count]
        if len(back) < count:
            return False
        await self._restore(entry, back[-1].before, back, "undo")
        return True

    async def redo(self) -> bool:
        undone = redoable(await self.catalogue.changes("raid"))
        if not undone:
            return False
        await self._restore(await self.entry(), undone[0].change.after, [undone[0].undo], "redo")
        return True

    async def _restore(
        self, entry: Entry, target: Standing | None, back: tuple[ChangeRecord, ...] | list[ChangeRecord], kind: str
    ) -> None:
        content = entry.current if target is None else await self.catalogue.revision("raid", target.revision)
        assert content is not None
        await self.save(restoration(entry, target, content, back, self.origin(), kind, kind))  # type: ignore[arg-type]

    async def looks(self) -> tuple[object, ...]:
        entry = await self.entry()
        content = None if entry.record.deleted else entry.definition
        return entry.record.name, entry.record.enabled, entry.record.deleted, content


async def test_undo_is_a_version_with_the_old_content() -> None:
    book = Book()
    await book.create()
    before = await book.looks()
    await book.edit(9)
    assert await book.undo()
    assert await book.looks() == before
    assert (await book.entry()).record.revision == 3


async def test_an_undo_is_taken_back_by_redo_only() -> None:
    book = Book()
    await book.create()
    await book.edit(9)
    changed = await book.looks()
    await book.undo()
    assert await book.redo()
    assert await book.looks() == changed
    assert not await book.redo()
    await book.undo()
    await book.undo()
    assert (await book.entry()).record.deleted, "the second undo went further back, not forward"


async def test_a_new_change_ends_what_can_be_redone() -> None:
    book = Book()
    await book.create()
    await book.edit(9)
    await book.undo()
    await book.edit(5)
    assert not await book.redo()


async def test_deleting_and_switching_can_be_undone() -> None:
    book = Book()
    await book.create()
    await book.save(switched(await book.entry(), book.origin(), "off", enabled=False))
    off = await book.looks()
    await book.save(deletion(await book.entry(), book.origin(), "gone"))
    assert book.catalogue.get("raid") is None
    await book.undo()
    assert await book.looks() == off
    await book.undo()
    assert (await book.entry()).record.enabled


async def test_a_workflow_made_again_under_its_old_id_goes_on_counting() -> None:
    book = Book()
    await book.create()
    await book.edit(9)
    await book.save(deletion(await book.entry(), book.origin(), "gone"))
    await book.create()
    assert (await book.entry()).record.revision == 3


@given(st.lists(st.sampled_from(["edit", "switch", "undo", "redo", "undo2"]), max_size=14))
async def test_undo_and_redo_walk_the_same_way_as_a_plain_stack(does: list[str]) -> None:
    book = Book()
    await book.create()
    past, future = [], []
    seconds = itertools.count(10)
    for do in does:
        before = await book.looks()
        match do:
            case "edit" if not (await book.entry()).record.deleted:
                await book.edit(next(seconds))
                past.append(before)
                future.clear()
            case "switch" if not (await book.entry()).record.deleted:
                entry = await book.entry()
                await book.save(switched(entry, book.origin(), "", enabled=not entry.record.enabled))
                past.append(before)
                future.clear()
            case "undo" if past:
                assert await book.undo()
                assert await book.looks() == past[-1]
                future.append(before)
                past.pop()
            case "undo2" if len(past) >= 2:
                assert await book.undo(2)
                assert await book.looks() == past[-2]
                future.extend((before, past[-1]))
                del past[-2:]
            case "redo" if future:
                assert await book.redo()
                assert await book.looks() == future[-1]
                past.append(before)
                future.pop()
            case _:
                pass
    reread = Catalogue(HOME, book.store)
    await reread.load()
    again = await reread.find("raid")
    assert again == await book.entry(), "memory is what the store says"


def test_an_edit_makes_its_author_the_author_of_what_it_changed_and_of_nothing_else() -> None:
    book = Book()
    old = creation(HOME, workflow(waits=3), book.origin(ANNA), "", None).revisions[0]
    changed = apply(old.definition, SetAction("wait_2", Wait(seconds=99)))
    assert authors(changed, old, BEN) == {"wait_1": ANNA, "wait_2": BEN, "wait_3": ANNA}
    put_in = apply(old.definition, InsertSteps(2, (State(name="new", action=Wait(seconds=5)),)))
    assert authors(put_in, old, BEN) == {"wait_1": ANNA, "new": BEN, "wait_2": ANNA, "wait_3": ANNA}
    taken_out = apply(old.definition, RemoveSteps(("wait_2",)))
    assert authors(taken_out, old, BEN) == {"wait_1": ANNA, "wait_3": ANNA}


async def test_undo_brings_the_old_authors_back() -> None:
    book = Book()
    await book.create()
    await book.edit(9, BEN)
    assert (await book.entry()).current.step_authors == {"wait_1": BEN}
    await book.undo()
    assert (await book.entry()).current.step_authors == {"wait_1": ANNA}


async def test_a_workflow_is_found_by_name_or_id_whatever_the_case_and_blanks() -> None:
    book = Book()
    definition = workflow().model_copy(update={"id": "out", "name": "Outro Raid"})
    await book.save(creation(HOME, definition, book.origin(), "", None))
    for name in ("out", "OUT", "outro raid", "Outro_Raid", "outro  raid"):
        holder = book.catalogue.holder(name)
        assert holder is not None, name
    assert book.catalogue.holder("outro raid", besides="out") is None
    assert book.catalogue.holder("outro") is None
