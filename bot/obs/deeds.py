"""What the bot can do in OBS, method by method, and how one sees that it is done.

Nothing is toggled: what is wanted is said, so that saying it twice is no harm. A request that OBS has taken counts only
once its state says so, except where there is no state that tells.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bot.obs import inputs, names, outputs
from bot.obs.alike import within
from bot.obs.asked import Asked
from bot.obs.errors import OutputFailed, RequestFailed, Unfit
from bot.obs.outputs import CAMERA, RECORDING, REPLAY, STREAM, Output

Do: TypeAlias = Callable[[Asked], Awaitable[None]]
Holds: TypeAlias = Callable[[Asked], Awaitable[bool]]

WIDEST: Final = 1_280
_UNKNOWN_REQUEST: Final = 204


@dataclass(frozen=True, slots=True)
class Deed:
    """One of them.

    Attributes:
        do: Looks everything up, then asks for it.
        holds: Whether the state is as it was wanted; None where no state tells.
        why_not: What to look at if it does not become so.
    """

    do: Do
    holds: Holds | None = None
    why_not: str = "nothing changed"


# Scenes and what is in them ----------------------------------------------------------------------------------------------


async def _set_scene(asked: Asked) -> None:
    scene, before = await names.scene(asked, "scene_name"), await names.program_scene(asked)
    asked.output = {"scene": scene, "before": before}
    if scene != before:
        await asked.do("SetCurrentProgramScene", {"sceneName": scene})


async def _scene_is_on(asked: Asked) -> bool:
    return await names.program_scene(asked) == await names.scene(asked, "scene_name")


async def _set_visible(asked: Asked) -> None:
    enabled = asked.flag("enabled")
    for item in await names.items(asked):
        await asked.do("SetSceneItemEnabled", {**_address(item), "sceneItemEnabled": enabled})


async def _is_visible(asked: Asked) -> bool:
    enabled = asked.flag("enabled")
    for item in await names.items(asked):
        if (await asked.look("GetSceneItemEnabled", **_address(item)))["sceneItemEnabled"] is not enabled:
            return False
    return True


def _address(item: names.Item) -> dict[str, Any]:
    return {"sceneName": item.scene, "sceneItemId": item.id}


async def _set_transform(asked: Asked) -> None:
    wanted = _transform(asked)
    for item in await names.items(asked):
        await asked.do("SetSceneItemTransform", {**_address(item), "sceneItemTransform": wanted})


async def _is_transformed(asked: Asked) -> bool:
    wanted = _transform(asked)
    for item in await names.items(asked):
        found = (await asked.look("GetSceneItemTransform", **_address(item)))["sceneItemTransform"]
        if not within(found, wanted):
            return False
    return True


def _transform(asked: Asked) -> dict[str, float]:
    scale = asked.number("scale", 0.1, 10_000)
    part = None if scale is None else scale / 100
    found = {
        "positionX": asked.number("x", -90_000, 90_000),
        "positionY": asked.number("y", -90_000, 90_000),
        "scaleX": part,
        "scaleY": part,
        "rotation": asked.number("rotation", -360, 360),
    }
    wanted = {name: value for name, value in found.items() if value is not None}
    if not wanted:
        raise Unfit("empty", "it is not said how to place it: x, y, scale or rotation")
    return wanted


async def _set_transition(asked: Asked) -> None:
    name, seconds = await names.transition(asked), asked.number("seconds", 0.05, 20)
    asked.output = {"transition": name}
    await asked.do("SetCurrentSceneTransition", {"transitionName": name})
    if seconds is not None:
        await asked.do("SetCurrentSceneTransitionDuration", {"transitionDuration": round(seconds * 1_000)})


async def _is_transition(asked: Asked) -> bool:
    name, seconds = await names.transition(asked), asked.number("seconds", 0.05, 20)
    found = await asked.look("GetCurrentSceneTransition")
    length = found.get("transitionDuration")  # none of a cut
    return found["transitionName"] == name and (seconds is None or length in (None, round(seconds * 1_000)))


# Filters -----------------------------------------------------------------------------------------------------------------


async def _set_filter(asked: Asked) -> None:
    source, name = await names.filter_of(asked)
    wanted = {"sourceName": source, "filterName": name, "filterEnabled": asked.flag("enabled")}
    await asked.do("SetSourceFilterEnabled", wanted)


async def _is_filter(asked: Asked) -> bool:
    source, name = await names.filter_of(asked)
    found = await asked.look("GetSourceFilter", sourceName=source, filterName=name)
    return found["filterEnabled"] is asked.flag("enabled")


async def _set_filter_settings(asked: Asked) -> None:
    source, name = await names.filter_of(asked)
    wanted = {"sourceName": source, "filterName": name, "filterSettings": asked.tree("settings"), "overlay": True}
    await asked.do("SetSourceFilterSettings", wanted)


async def _is_filter_set(asked: Asked) -> bool:
    source, name = await names.filter_of(asked)
    found = await asked.look("GetSourceFilter", sourceName=source, filterName=name)
    return within(found["filterSettings"], asked.tree("settings"))


# Outputs -----------------------------------------------------------------------------------------------------------------


def _starting(output: Output) -> Deed:
    async def do(asked: Asked) -> None:
        await outputs.start(asked, output)

    async def holds(asked: Asked) -> bool:
        return await outputs.is_active(asked, output)

    return Deed(do, holds)


def _stopping(output: Output) -> Deed:
    async def do(asked: Asked) -> None:
        await outputs.stop(asked, output)

    async def holds(asked: Asked) -> bool:
        return not await outputs.is_active(asked, output)

    return Deed(do, holds)


def _pausing(*, paused: bool) -> Deed:
    async def do(asked: Asked) -> None:
        await outputs.pause(asked, paused=paused)

    async def holds(asked: Asked) -> bool:
        return (await asked.look(RECORDING.status)).get("outputPaused") is paused

    return Deed(do, holds, "it cannot pause a recording that shares its encoder with the stream")


async def _chapter(asked: Asked) -> None:
    if not await outputs.is_active(asked, RECORDING):
        raise Unfit("not_running", "nothing is being recorded")
    name = asked.text("chapter_name", needed=False, most=200)
    try:
        await asked.do("CreateRecordChapter", {"chapterName": name} if name else {})
    except RequestFailed as error:
        if error.code == _UNKNOWN_REQUEST:
            raise Unfit("too_old", "this OBS knows no chapters; OBS 30.2 and newer do, in hybrid MP4") from None
        raise


# The rest ----------------------------------------------------------------------------------------------------------------


async def _screenshot(asked: Asked) -> None:
    if asked.params.get("source") is None:
        source = await names.program_scene(asked)
    else:
        source = await names.source(asked, "source")
    width = min(WIDEST, int((await asked.look("GetVideoSettings"))["baseWidth"]))
    found = await asked.look("GetSourceScreenshot", sourceName=source, imageFormat="png", imageWidth=width)
    try:
        content = base64.b64decode(str(found["imageData"]).partition(",")[2], validate=True)
    except binascii.Error:
        raise OutputFailed("OBS gave a picture that cannot be read") from None
    await asked.begin()
    name = asked.snapshots.keep(asked.execution, content)
    asked.output = {"picture": name, "source": source}


async def _hotkey(asked: Asked) -> None:
    await asked.do("TriggerHotkeyByName", {"hotkeyName": await names.hotkey(asked)})


async def _raw(asked: Asked) -> None:
    if not asked.options.raw_requests:
        raise Unfit("not_allowed", "requests of any kind are switched off; the setting obs.raw_requests allows them")
    data = asked.tree("data", needed=False)
    asked.output = {"response": dict(await asked.do(asked.text("request", most=100), data or None))}


DEEDS: Final[Mapping[str, Deed]] = {
    "set_current_scene": Deed(_set_scene, _scene_is_on),
    "set_scene_item_enabled": Deed(_set_visible, _is_visible),
    "set_scene_item_transform": Deed(_set_transform, _is_transformed),
    "set_current_scene_transition": Deed(_set_transition, _is_transition),
    "set_source_filter_enabled": Deed(_set_filter, _is_filter),
    "set_source_filter_settings": Deed(_set_filter_settings, _is_filter_set),
    "set_input_mute": Deed(inputs.set_mute, inputs.is_mute),
    "set_input_volume": Deed(inputs.set_volume, inputs.is_volume),
    "set_input_text": Deed(inputs.TEXT.do, inputs.TEXT.holds),
    "set_input_image": Deed(inputs.set_image, inputs.shows_image, "it has no picture of it: is the file there?"),
    "set_input_url": Deed(inputs.PAGE.do, inputs.PAGE.holds),
    "set_input_media": Deed(inputs.set_media, inputs.plays_media, "it does not come to play it: is the file there?"),
    "set_input_settings": Deed(inputs.set_input, inputs.is_input_set),
    "refresh_browser": Deed(inputs.refresh_browser),
    "trigger_media_input_action": Deed(inputs.media_action, inputs.media_does),
    "start_streaming": _starting(STREAM),
    "stop_streaming": _stopping(STREAM),
    "start_recording": _starting(RECORDING),
    "stop_recording": _stopping(RECORDING),
    "pause_recording": _pausing(paused=True),
    "resume_recording": _pausing(paused=False),
    "create_record_chapter": Deed(_chapter),
    "start_virtual_camera": _starting(CAMERA),
    "stop_virtual_camera": _stopping(CAMERA),
    "start_replay_buffer": _starting(REPLAY),
    "stop_replay_buffer": _stopping(REPLAY),
    "save_replay_buffer": Deed(outputs.save_replay, outputs.was_saved),
    "get_source_screenshot": Deed(_screenshot),
    "trigger_hotkey": Deed(_hotkey),
    "raw_request": Deed(_raw),
}
