"""What there is, how it is written, where what runs stands, what ran last and what is to come today."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot import agenda as words
from bot.catalogue import Entry
from bot.instructions.many import is_of
from bot.instructions.turn import Outcome, Turn, name
from bot.instructions.where import begun_by, called, stands
from bot.message import Platform
from bot.replies import LIMITS, MOST_MESSAGES, Saying, clipped, fit, spoken
from engine.execution import FINAL, Execution
from engine.wording import counted
from grammar.instruction import ListRuns, ListWorkflows, Show, Sort, Status
from grammar.say_manage import say_sort

_MOST_RUNS: Final = 20
_ONLY: Final = {"enabled": "switched on", "disabled": "switched off", "running": "running"}
_LATEST: Final = 10
_LOOKED_AT: Final = 2_000
_LONGEST_ERROR: Final = 80
_ROOM_AROUND: Final = 80
_LEAST_ROOM: Final = 100
_FOR_PEOPLE: Final = ("description ", "version ", "tags ")


# Status ------------------------------------------------------------------------------------------------------------------


async def status(turn: Turn, instruction: Status) -> Outcome:
    """Where everything that runs stands, or the runs of one workflow."""
    entry = turn.entry(instruction.workflow) if instruction.workflow is not None else None
    runs = await turn.desk.runs(instruction.workflow, _MOST_RUNS)
    count = max(len(runs), sum(turn.desk.running(instruction.workflow).values()))
    if not runs:
        return turn.tell("answer", Saying(await _idle(turn, entry)), entry)
    shown = sorted(runs, key=_soon)[:_MOST_RUNS]
    lines = [await stands(turn, run) for run in shown]
    more = f"\n{counted(count - _MOST_RUNS, 'more run')}" if count > _MOST_RUNS else ""
    return turn.tell("answer", Saying(body="\n".join(lines) + more, rest="and {} more"), entry)


def _soon(run: Execution) -> tuple[int, float]:
    """What goes on comes first, then the line, then what starts later."""
    if run.status == "scheduled":
        return 2, run.start_due or 0.0
    return (1, 0.0) if run.status == "queued" else (0, 0.0)


async def _idle(turn: Turn, entry: Entry | None) -> str:
    if entry is None:
        return "Nothing is running."
    last = await turn.desk.store.executions(turn.desk.community, entry.id, 1)
    off = ", but switched on" if entry.record.enabled else " and switched off"
    return f"{name(entry)} is not running{off}. {_ended(turn, last[0]) if last else 'It has not run yet.'}"


def _ended(turn: Turn, run: Execution) -> str:
    at = run.ended_at if run.ended_at is not None else run.started_at
    was = run.status if run.status in ("completed", "failed") else f"was {run.status}"
    return f"Its last run {was} at {turn.desk.time(at)}."


# What ran last, and what is to come ------------------------------------------------------------------------------------


async def list_runs(turn: Turn, instruction: ListRuns) -> Outcome:
    """The latest runs, newest first, and what became of each."""
    entry = turn.entry(instruction.workflow) if instruction.workflow is not None else None
    desk = turn.desk
    runs = await desk.store.executions(desk.community, instruction.workflow, _LATEST)
    if not runs:
        nobody = "No workflow has run yet." if entry is None else f"{name(entry)} has not run yet."
        return turn.tell("answer", Saying(nobody), entry)
    lines = [await _ran(turn, run) for run in runs]
    return turn.tell("answer", Saying(body="\n".join(lines), rest="and {} more"), entry)


async def _ran(turn: Turn, run: Execution) -> str:
    """`raid at 19:00:00 (a raid comes in: ninja) completed after 12 seconds`."""
    if run.status not in FINAL:
        return await stands(turn, run)
    begun = f"{await called(turn, run)} at {turn.desk.time(run.started_at)} ({begun_by(run)})"
    was = run.status if run.status in ("completed", "failed") else f"was {run.status}"
    lasted = (run.ended_at or run.started_at) - run.started_at
    after = f" after {spoken(lasted)}" if lasted >= 1 else ""
    why = f": {clipped(run.error.rstrip('.'), _LONGEST_ERROR)}" if run.error else ""
    return f"{begun} {was}{after}{why}"


async def agenda(turn: Turn) -> Outcome:
    """What is still to start today: by its triggers, and what people have put off."""
    desk, zone = turn.desk, ZoneInfo(turn.desk.zone())
    today = datetime.fromtimestamp(desk.clock.now(), zone).date()
    times = [(at, _title(turn, workflow)) for at, workflow in desk.runner.agenda(desk.community)]
    later = 0
    for run in await desk.runs(most=_LOOKED_AT):
        if run.status != "scheduled" or run.start_due is None:
            continue
        if datetime.fromtimestamp(run.start_due, zone).date() == today:
            times.append((run.start_due, f"{await called(turn, run)} ({begun_by(run)})"))
        else:
            later += 1
    after = f" {counted(later, 'run')} put off to another day: !wf status" if later else ""
    return turn.tell("answer", Saying(f"{words.agenda(times, zone)}{after}"))


def _title(turn: Turn, workflow: str) -> str:
    entry = turn.desk.catalogue.get(workflow)
    return workflow if entry is None else name(entry)


# List --------------------------------------------------------------------------------------------------------------------


async def list_workflows(turn: Turn, instruction: ListWorkflows) -> Outcome:
    """All workflows: name, on or off, and what starts each."""
    everything = turn.desk.catalogue.there()
    running: Counter[str] = Counter()
    for (workflow, _), count in turn.desk.running().items():
        running[workflow] += count
    entries = [entry for entry in everything if is_of(entry, instruction.sort, running)]
    if not everything:
        return turn.tell(
            "answer", Saying('There are no workflows yet. Try: !workflow when someone follows, say "hi ${user}"')
        )
    if not entries:
        return turn.tell("answer", Saying(f"No workflow is {_none_of(instruction.sort)}."))
    lines = [_listed(turn, entry, running[entry.id]) for entry in entries]
    head = f"{counted(len(entries), 'workflow')}: " if len(entries) > 1 else ""
    saying = Saying(head, "\n".join(lines), rest="and {} more")
    if len(fit(f"{head}{saying.body}", turn.platform)) > 2 * LIMITS[turn.platform]:
        saying = Saying(head, "\n".join(_short(entry) for entry in entries), rest="and {} more")
    return turn.tell("answer", saying)


def _none_of(sort: Sort) -> str:
    """What no workflow is."""
    rest = say_sort(replace(sort, state=None))
    return " and ".join(part for part in (_ONLY.get(sort.state or "", ""), rest) if part)


def _listed(turn: Turn, entry: Entry, running: int) -> str:
    triggers = " or ".join(turn.desk.language.say_trigger(trigger) for trigger in entry.definition.triggers)
    runs = f", {counted(running, 'run')} going on" if running else ""
    return f"{_short(entry)}{runs}: {triggers or 'only by hand'}"


def _short(entry: Entry) -> str:
    return f"{name(entry)} ({'on' if entry.record.enabled else 'off'})"


# Show --------------------------------------------------------------------------------------------------------------------


async def show(turn: Turn, instruction: Show) -> Outcome:
    """Read a workflow back: one step of it, or a page of all."""
    entry = turn.entry(instruction.workflow)
    if instruction.step is not None:
        return _show_step(turn, entry, instruction.step)
    head = f"{name(entry)} (v{entry.record.revision}, {'on' if entry.record.enabled else 'off'})"
    room = LIMITS[turn.platform] - len(head) - len(turn.preface()) - _ROOM_AROUND
    chunks = paged(_lines(turn, entry), turn.platform, max(room, _LEAST_ROOM))
    pages = [chunks[at : at + MOST_MESSAGES] for at in range(0, len(chunks), MOST_MESSAGES)]
    if instruction.page > len(pages):
        return turn.refuse(f"{name(entry)} has {counted(len(pages), 'page')}.", entry)
    page = pages[instruction.page - 1]
    which = f", page {instruction.page} of {len(pages)}" if len(pages) > 1 else ""
    more = f"\nMore: !wf show {name(entry)} {instruction.page + 1}" if instruction.page < len(pages) else ""
    page[0] = f"{turn.preface()}{head}{which}\n{page[0]}"
    page[-1] = f"{page[-1]}{more}"
    limit = LIMITS[turn.platform]
    whole = (f"{entry.id}.workflow", turn.desk.language.say_definition(entry.definition))
    is_all = len(pages) == 1 or instruction.page > 1  # whoever turns the pages reads them here
    return turn.print([clipped(fit(text, turn.platform), limit) for text in page], entry, None if is_all else whole)


def _lines(turn: Turn, entry: Entry) -> list[str]:
    """How it is written, one step a line; what is only for people is left to the export where room is dear."""
    written = turn.desk.language.say_definition(entry.definition).splitlines()[1:]
    skipped = _FOR_PEOPLE if turn.platform == "twitch" else ()
    return [line for line in written if line.strip() and not line.startswith(skipped)]


def _show_step(turn: Turn, entry: Entry, number: int) -> Outcome:
    states = entry.definition.states
    if not 1 <= number <= len(states):
        return turn.refuse(f"{name(entry)} has {counted(len(states), 'step')}; there is no step {number}.", entry)
    words = turn.desk.language.say_step(entry.definition, states[number - 1].name)
    return turn.tell("answer", Saying(f"{name(entry)}, step {number} of {len(states)}: ", words), entry)


def paged(lines: list[str], platform: Platform, room: int) -> list[str]:
    """Lines in pages that fit into so many characters; a line that alone does not has a page of its own."""
    pages: list[str] = []
    current = ""
    for line in lines:
        joined = f"{current}\n{line}" if current else line
        if current and len(fit(joined, platform)) > room:
            pages.append(current)
            joined = line
        current = joined
    return [*pages, current]
