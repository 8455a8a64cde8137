"""What a dry run came to, in words and as data: "would say ...", "then waits 10 seconds". Pure.

Texts of viewers may be in it, so whoever shows the lines on a terminal makes them harmless.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, assert_never
from zoneinfo import ZoneInfo

from bot.replies import cause, clipped, sentence, spoken, titled
from bot.terminal import words
from engine.declare import Declarations
from engine.events import kind_of
from engine.execution import Done, Failed, Result, Unknown
from engine.secrets import redacted
from engine.simulation import Asked, Begun, Ended, Happened, Left, Line, Refused, Trace, Waits
from engine.wording import counted

_LONGEST: Final = 200
_WENT_WRONG: Final = frozenset({"error", "timeout", "unknown"})


@dataclass(frozen=True, slots=True)
class Telling:
    """What is needed to say it.

    Attributes:
        names: What workflows are called, by id.
        zone: For times of day.
        dated: Whether what happens is told with its time, as it is of what has happened.
    """

    declarations: Declarations
    names: Mapping[str, str]
    zone: ZoneInfo
    dated: bool = False


# In words ----------------------------------------------------------------------------------------------------------------


def as_lines(trace: Trace, telling: Telling) -> list[str]:
    """A line for everything that people would notice, and for what goes wrong; steps that only work something out have none."""
    begun = {line.run: line for line in trace.lines if isinstance(line, Begun)}
    several = len({line.workflow for line in begun.values()}) > 1
    said: list[str] = []
    for line in trace.lines:
        text = _said(line, trace, telling, begun)
        if text is not None:
            owner = begun.get(line.run) if several and isinstance(line, Asked | Waits | Left | Ended) else None
            said.append(text if owner is None else f"{_called(owner.workflow, telling)}: {text}")
    if trace.cut is not None:
        said.append(trace.cut)
    elif trace.waiting:
        said.append(f"{counted(len(trace.waiting), 'run')} would still wait then")
    return said


def _said(line: Line, trace: Trace, telling: Telling, begun: Mapping[str, Begun]) -> str | None:
    match line:
        case Happened():
            return _happened(line, trace, telling)
        case Begun():
            return f"{_called(line.workflow, telling)} v{line.revision} would start"
        case Refused():
            return f"{_called(line.workflow, telling)} would not start: {_reason(line.reason)}"
        case Asked():
            doing = words.of(line.effect, telling.declarations)
            return f"would {clipped(doing, _LONGEST)}{_wrong(line.result)}"
        case Waits():
            return _waits(line)
        case Left():
            return _left(line)
        case Ended():
            return _ended(line, begun)
        case _:
            assert_never(line)


def _happened(line: Happened, trace: Trace, telling: Telling) -> str:
    if line.by is not None:
        return f'would let "{line.event}" happen'
    fields = ", ".join(f"{name} {_short(value)}" for name, value in line.payload.items() if value not in ("", None))
    what = f"{cause(line.event, line.who)}{f' ({clipped(fields, 80)})' if fields else ''}"
    if telling.dated:
        return f"{datetime.fromtimestamp(line.at, telling.zone):%Y-%m-%d %H:%M:%S} {what}"
    after = line.at - trace.at
    return f"if {what}" if after <= 0 else f"{spoken(after)} after the start, {what}"


def _short(value: object) -> str:
    return clipped(value if isinstance(value, str) else str(value), 40)


def _waits(line: Waits) -> str | None:
    length = None if line.until is None else spoken(line.until - line.at)
    match line.kind:
        case "wait":
            return f"then waits {length}"
        case "retry":
            return f"then tries again in {length}"
        case "wait_for":
            return f"then waits until {_listened(line)}{f', {length} at most' if length else ''}"
        case "collect":
            return f"then gathers{f' for {length}' if length else ''}: {_listened(line)}"
        case "line":
            return "stands in line"
        case _:
            return None


def _listened(line: Waits) -> str:
    kind = kind_of(line.event or "")
    clause = f'"{line.event}" happens' if kind is None else kind.clause
    return clause if line.who is None else f"{clause} ({line.who})"


def _left(line: Left) -> str | None:
    """What went wrong in a step that asks no service; of the others it is told already."""
    if line.outcome not in _WENT_WRONG or line.kind == "call":
        return None
    if line.kind in ("wait_for", "collect") and line.outcome == "timeout":
        return f"nobody did in time{_onward(line)}"
    return f'step "{line.step}" fails: {_reason(line.error or line.outcome)}{_onward(line)}'


def _onward(line: Left) -> str:
    return f'; it goes on at "{line.to}"' if line.to is not None else ""


def _wrong(result: Result) -> str:
    match result:
        case Done():
            return ""
        case Failed():
            return f", and that fails: {_reason(result.message)}"
        case Unknown():
            return ", and nobody knows whether that is done"
        case _:
            assert_never(result)


def _ended(line: Ended, begun: Mapping[str, Begun]) -> str:
    start = begun.get(line.run)
    lasted = 0.0 if start is None else line.at - start.at
    after = f" after {spoken(lasted)}" if lasted > 0 else ""
    match line.status:
        case "completed":
            return f"then it is over{after}"
        case "failed":
            return f"it would fail{after}: {_reason(line.error or 'nobody can say why')}"
        case other:
            return f"it would be {other}{after}"


def _reason(text: str) -> str:
    """A reason without its full stop; three dots are something left open."""
    return clipped(text if text.endswith("...") else text.removesuffix("."), _LONGEST)


def in_short(trace: Trace) -> str:
    """`12 events: 2 runs, 1 start refused, 3 not taken by its trigger`."""
    refused = sum(1 for line in trace.lines if isinstance(line, Refused))
    parts = [
        counted(sum(1 for line in trace.lines if isinstance(line, Begun)), "run"),
        *([f"{counted(refused, 'start')} refused"] if refused else []),
        *([f"{trace.unmatched:,} not taken by its trigger"] if trace.unmatched else []),
    ]
    return f"{counted(trace.events, 'event')}: {', '.join(parts)}"


def _called(workflow: str, telling: Telling) -> str:
    return titled(telling.names.get(workflow, workflow))


# As data -----------------------------------------------------------------------------------------------------------------


def as_data(trace: Trace, telling: Telling) -> dict[str, Any]:
    """All of it as JSON has it; times are UTC seconds."""
    return {
        "at": trace.at,
        "lines": [_line_as_data(line) for line in trace.lines],
        "words": [sentence(line) for line in as_lines(trace, telling)],
        "cut": trace.cut,
        "events": trace.events,
        "unmatched": trace.unmatched,
        "waiting": list(trace.waiting),
    }


def _line_as_data(line: Line) -> dict[str, Any]:
    if isinstance(line, Asked):
        return dict(_asked_as_data(line))
    fields = {name: getattr(line, name) for name in line.__slots__}
    return {"line": type(line).__name__.casefold(), **redacted(fields)}


def _asked_as_data(line: Asked) -> Iterator[tuple[str, Any]]:
    effect, result = line.effect, line.result
    yield "line", "asked"
    yield "at", line.at
    yield "run", line.run
    yield "workflow", effect.workflow
    yield "step", effect.state
    yield "effect", effect.id
    yield "attempt", effect.attempt
    yield "service", effect.service
    yield "method", effect.method
    yield "params", redacted(effect.params)
    yield "outcome", {Done: "done", Failed: "error", Unknown: "unknown"}[type(result)]
    yield "output", result.output if isinstance(result, Done) else None
    yield "message", None if isinstance(result, Done) else result.message
    yield "made_up", line.made_up
