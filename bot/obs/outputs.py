"""Stream, recording, replay buffer and virtual camera: started and stopped, and not believed before they are.

OBS says yes to a request and tells later what came of it, or nothing at all. So one looks first, listens before asking,
waits for the word that counts, and looks again. One change of an output at a time: OBS mixes up two.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from bot.obs.asked import Asked
from bot.obs.connection import Data
from bot.obs.errors import OutputFailed, RequestFailed, TimedOut, Unfit
from bot.obs.files import LONGEST_NAME, renamed
from bot.obs.link import Watch

_PREFIX: Final = "OBS_WEBSOCKET_OUTPUT_"
_ALREADY: Final = frozenset({500, 501, 502, 503})
"""It runs already, does not run, is paused already, is not paused: all of it is told by its state, too."""
BEGINS_WITHIN: Final = 2.5
"""Seconds in which OBS says that it begins; it says nothing at all of what it cannot even begin."""
STARTS_WITHIN: Final = 15.0
STOPS_WITHIN: Final = 30.0
SAVES_WITHIN: Final = 10.0
STEADY: Final = 3.0
"""Seconds for which a stream must hold: a server that does not take the key lets it in and throws it out at once."""

_LOOK_EVERY: Final = 0.5
_MOST_LOSSES: Final = 2
"""Times a stream that has only just begun may be lost."""
PAUSES_WITHIN: Final = 10.0
_TIMES_ALIKE: Final = 2
"""Looks in a row that have to say the same."""


@dataclass(frozen=True, slots=True)
class Output:
    """One of them.

    Attributes:
        name: As people call it.
        told: The kind of event that tells of it.
        status: The request that reads its state; likewise `start`, `stop`.
        within: Seconds in which it has to start.
        steady: Seconds for which it must hold then.
        why_not: What to look at if nothing is told.
    """

    name: str
    told: str
    status: str
    start: str
    stop: str
    within: float
    why_not: str
    steady: float = 0.0


STREAM: Final = Output(
    "the stream",
    "StreamStateChanged",
    "GetStreamStatus",
    "StartStream",
    "StopStream",
    STARTS_WITHIN,
    "the server that OBS streams to does not answer; look at OBS's stream settings",
    STEADY,
)
RECORDING: Final = Output(
    "the recording",
    "RecordStateChanged",
    "GetRecordStatus",
    "StartRecord",
    "StopRecord",
    5.0,
    "look whether its folder is there and can be written to",
)
REPLAY: Final = Output(
    "the replay buffer",
    "ReplayBufferStateChanged",
    "GetReplayBufferStatus",
    "StartReplayBuffer",
    "StopReplayBuffer",
    5.0,
    "look whether it is switched on in OBS's output settings",
)
CAMERA: Final = Output(
    "the virtual camera",
    "VirtualcamStateChanged",
    "GetVirtualCamStatus",
    "StartVirtualCam",
    "StopVirtualCam",
    5.0,
    "look whether it is installed",
)


def state_in(data: Data) -> str:
    """The state that an event tells, such as `STARTED`."""
    return str(data.get("outputState", "")).removeprefix(_PREFIX)


async def is_active(asked: Asked, output: Output) -> bool:
    """Whether it runs.

    Raises:
        ObsError: It could not be asked, or this OBS has none.
    """
    return (await asked.look(output.status)).get("outputActive") is True


async def start(asked: Asked, output: Output) -> None:
    """Let it run.

    Raises:
        OutputFailed: It does not.
        ObsError: It was refused, or nobody knows what became of it.
    """
    async with asked.link.lock(output.told):
        status = await asked.look(output.status)
        if status.get("outputActive") is True and status.get("outputReconnecting") is not True:
            return
        with asked.link.watching(output.told) as watch:
            await _unless_so(asked, output.start)
            told = await _started(watch, output)
            if told is None and not await is_active(asked, output):
                raise OutputFailed(f"{output.name} did not start: {output.why_not}")
            asked.output = _path_in(told)
            if output.steady:
                await _steady(asked, output, watch)


async def _steady(asked: Asked, output: Output, watch: Watch) -> None:
    """Wait until it has held for long enough; one that is thrown out again and again is stopped."""
    clock = asyncio.get_running_loop().time
    until, holds, losses = clock() + output.within, True, 0
    while losses < _MOST_LOSSES and (left := until - clock()) > 0:
        told = await watch.next(min(output.steady, left) if holds else left)
        if told is None:
            break
        state = state_in(told)
        if state == "STOPPED":
            raise OutputFailed(f"{output.name} ended at once: {output.why_not}")
        losses += state == "RECONNECTING"
        holds = state not in ("RECONNECTING", "STOPPING")
    if not holds:
        await _unless_so(asked, output.stop)
        await _ended(asked, output, watch)
        raise OutputFailed(f"{output.name} was thrown out again and again, so I stopped it: is its key right?")


async def stop(asked: Asked, output: Output) -> None:
    """Let it end.

    Raises:
        OutputFailed: It does not.
        ObsError: It was refused, or nobody knows what became of it.
    """
    async with asked.link.lock(output.told):
        if not await is_active(asked, output):
            return
        with asked.link.watching(output.told) as watch:
            answer = await _unless_so(asked, output.stop)
            told = await _ended(asked, output, watch)
            asked.output = _path_in(answer) or _path_in(told)


async def _ended(asked: Asked, output: Output, watch: Watch) -> Data | None:
    """Wait until it has ended. The word of that comes a moment too early, and now and then not at all."""
    clock = asyncio.get_running_loop().time
    until, word = clock() + STOPS_WITHIN, None
    while clock() < until:
        told = await watch.next(_LOOK_EVERY if word is None else 0.0)
        word = told if told is not None and state_in(told) == "STOPPED" else word
        if (told is None or word is not None) and not await is_active(asked, output):
            return word
    raise OutputFailed(f"{output.name} did not end within {STOPS_WITHIN:g} seconds")


async def _unless_so(asked: Asked, request: str) -> Data:
    """Ask for it; that it is so already is as good."""
    try:
        return dict(await asked.do(request))
    except RequestFailed as error:
        if error.code in _ALREADY:
            return {}
        raise


async def _started(watch: Watch, output: Output) -> Data | None:
    """The word that it runs; None if it does not come."""
    clock = asyncio.get_running_loop().time
    until, patience = clock() + output.within, BEGINS_WITHIN
    while (told := await watch.next(max(min(until - clock(), patience), 0.0))) is not None:
        patience = output.within
        state = state_in(told)
        if state in ("STARTED", "RECONNECTED"):
            return told
        if state == "STOPPED":
            raise OutputFailed(f"{output.name} did not start: {output.why_not}")
    return None


def _path_in(told: Data | None) -> Data | None:
    path = None if told is None else told.get("outputPath")
    return {"path": str(path)} if path else None


# Pauses ------------------------------------------------------------------------------------------------------------------


async def pause(asked: Asked, *, paused: bool) -> None:
    """Let the recording pause or go on, and wait until it does.

    An OBS that is told of the next change before it has carried out this one never ends the recording again.

    Raises:
        Unfit: Nothing is being recorded.
        OutputFailed: It takes too long.
        ObsError: It was refused, or nobody knows what became of it.
    """
    async with asked.link.lock(RECORDING.told):
        status = await asked.look(RECORDING.status)
        if status.get("outputActive") is not True:
            raise Unfit("not_running", "nothing is being recorded")
        if status.get("outputPaused") is paused:
            return
        await _moves(asked, moving=paused)
        await _unless_so(asked, "PauseRecord" if paused else "ResumeRecord")
        if (await asked.look(RECORDING.status)).get("outputPaused") is paused:
            await _moves(asked, moving=not paused)


async def _moves(asked: Asked, *, moving: bool) -> None:
    """Wait until the recording grows, or does so no more."""
    clock = asyncio.get_running_loop().time
    until, last, alike = clock() + PAUSES_WITHIN, -1, 0
    while alike < _TIMES_ALIKE:
        if clock() >= until:
            raise OutputFailed(f"{RECORDING.name} does not {'go on' if moving else 'pause'}")
        length = int((await asked.look(RECORDING.status)).get("outputDuration", 0))
        alike = alike + 1 if (length > max(last, 0)) is moving and last >= 0 else 0
        last = length
        await asyncio.sleep(_LOOK_EVERY / 2)


# The replay --------------------------------------------------------------------------------------------------------------


async def save_replay(asked: Asked) -> None:
    """Save what the replay buffer holds, and wait until the file is there.

    Raises:
        Unfit: The buffer does not run.
        ObsError: It was refused, or nobody knows what became of it.
    """
    name = asked.text("filename", needed=False, most=LONGEST_NAME)
    async with asked.link.lock("ReplayBufferSaved"):  # two saves at once would be one file
        if not await is_active(asked, REPLAY):
            raise Unfit("not_running", "the replay buffer does not run; start it first: start the replay buffer")
        asked.known["before"] = await _last_replay(asked)
        with asked.link.watching("ReplayBufferSaved") as watch:
            await asked.do("SaveReplayBuffer")
            told = await watch.next(SAVES_WITHIN)
        if told is None:
            raise TimedOut("SaveReplayBuffer", SAVES_WITHIN)
        path = str(told.get("savedReplayPath") or await _last_replay(asked))
        if name and asked.options.is_here:
            path = await asyncio.to_thread(renamed, path, name)
        asked.output = {"path": path}


async def was_saved(asked: Asked) -> bool:
    """Whether there is a replay that was not there before."""
    if asked.output is not None:
        return True
    if "before" not in asked.known:
        return False
    path = await _last_replay(asked)
    if not path or path == asked.known["before"]:
        return False
    asked.output = {"path": path}
    return True


async def _last_replay(asked: Asked) -> str:
    try:
        return str((await asked.look("GetLastReplayBufferReplay")).get("savedReplayPath") or "")
    except RequestFailed:  # none yet
        return ""
