"""What the commands beside the chat do with what happened: list runs, trace one, forget a person.

Reading works beside a running bot; forgetting takes the folder's lock first, and is refused while a bot holds it.
"""

from bot import app, forget
from bot.app import new_id
from bot.config import COMMUNITY, DataFolder, machine_zone, settings_from, zone_info
from bot.message import roles_of
from bot.terminal.session import BROADCASTER
from bot.trace import NoSuchRun, Trace, as_data, as_line, as_lines, runs_of, trace_of
from bot.transcript import as_json, printable
from engine.clock import SystemClock
from engine.errors import StoreMissing
from engine.execution import Person
from engine.ports import Forgotten, Store

_NONE_YET = "No workflow has run yet."


async def list_runs(folder: DataFolder, workflow: str | None) -> list[str]:
    """The latest runs, of one workflow or of all, one line each, newest first.

    Raises:
        NoSuchRun: There is no such workflow.
        StoreError: It cannot be read.
    """
    try:
        async with app.stored(folder, read_only=True) as store:
            found = await runs_of(store, COMMUNITY, workflow)
            zone = zone_info(settings_from(await store.config(COMMUNITY)), machine_zone())
    except StoreMissing:
        return [_NONE_YET]
    return [printable(as_line(name, run, zone)) for name, run in found] or [_NONE_YET]


async def trace(folder: DataFolder, run: str, *, as_object: bool) -> list[str]:
    """What a run went through, as lines or as one JSON object.

    Raises:
        NoSuchRun: There is none, or more than one.
        StoreError: It cannot be read.
    """
    try:
        async with app.stored(folder, read_only=True) as store:
            return await _traced(
                store, await trace_of(store, COMMUNITY, run, app.equipment().declarations), as_object=as_object
            )
    except StoreMissing:
        raise NoSuchRun(_NONE_YET) from None


async def _traced(store: Store, found: Trace, *, as_object: bool) -> list[str]:
    if as_object:
        return [as_json(as_data(found))]
    zone = zone_info(settings_from(await store.config(COMMUNITY)), machine_zone())
    return [printable(line).replace("\n", " ") for line in as_lines(found, zone)]


async def forget_person(folder: DataFolder, name: str) -> list[str]:
    """Take a person out of everything that happened; tells what was changed and what was not.

    Raises:
        NoName: That is nobody's name.
        StoreError: The store cannot be written, or a bot is running.
    """
    if not folder.database.exists():  # none is made only to be searched
        return forget.words_of(Forgotten())
    async with app.stored(folder, read_only=False) as store:
        settings = settings_from(await store.config(COMMUNITY))
        by = Person(BROADCASTER, "twitch", roles_of("broadcaster"), f"twitch:{BROADCASTER}")
        now = max(SystemClock().now(), settings.virtual_now or 0)
        forgotten = await forget.forget(store, COMMUNITY, name, by, now=now, id=new_id())
    elsewhere = (
        f"Backups, {folder.log.name} and {folder.typed.name} are not searched; delete them where they must not know."
    )
    return [*forget.words_of(forgotten), elsewhere]
