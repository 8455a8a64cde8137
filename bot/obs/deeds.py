"""What the bot can do in OBS, method by method, and how one sees that it is done.

Nothing is toggled: what is wanted is said, so that saying it twice is no harm. A request that OBS has taken counts only
once its state says so, except where there is no state that tells.
"""

import asyncio
import base64
import binascii
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bot.obs import names, outputs
from bot.obs.asked import Asked
from bot.obs.errors import OutputFailed, RequestFailed, Unfit
from bot.obs.outputs import CAMERA, RECORDING, REPLAY, STREAM, Output

Do: TypeAlias = Callable[[Asked], Awaitable[None]]
Holds: TypeAlias = Callable[[Asked], Awaitable[bool]]

WIDEST: Final = 1_280
_TEXTS: Final = ("text_",)
_IMAGES: Final = ("image_source",)
_BROWSERS: Final = ("browser_source",)
_MEDIA: Final = ("ffmpeg_source",)
_FRAMES: Final = 0.3
"""Seconds in which OBS draws at least two pictures, however slowly it is set to."""
_LOUDEST: Final = 20.0
_NEAR: Final = 0.01
_ACTIONS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "play": ("PLAY", frozenset({"PLAYING", "BUFFERING", "OPENING", "ENDED"})),
    "pause": ("PAUSE", frozenset({"PAUSED", "ENDED"})),
    "stop": ("STOP", frozenset({"STOPPED", "NONE", "ENDED"})),
    "restart": ("RESTART", frozenset({"PLAYING", "BUFFERING", "OPENING", "ENDED"})),
}
"""Of each action on media OBS's word, and the states that it may lead to; what is short may have ended already."""


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
        if not _within(found, wanted):
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


def _within(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether settings hold what is wanted; of numbers, nearly."""
    return all(_alike(found.get(name), value) for name, value in wanted.items())


def _alike(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and _within(found, wanted)
    if isinstance(wanted, int | float) and isinstance(found, int | float):
        return math.isclose(found, wanted, rel_tol=1e-4, abs_tol=_NEAR)
    return bool(found == wanted)


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
    return _within(found["filterSettings"], asked.tree("settings"))


# Sound -------------------------------------------------------------------------------------------------------------------


async def _set_mute(asked: Asked) -> None:
    name = await names.input_of(asked)
    await asked.do("SetInputMute", {"inputName": name, "inputMuted": asked.flag("muted")})


async def _is_mute(asked: Asked) -> bool:
    found = await asked.look("GetInputMute", inputName=await names.input_of(asked))
    return found["inputMuted"] is asked.flag("muted")


async def _set_volume(asked: Asked) -> None:
    await asked.do("SetInputVolume", {"inputName": await names.input_of(asked), **_volume(asked)})


async def _is_volume(asked: Asked) -> bool:
    found = await asked.look("GetInputVolume", inputName=await names.input_of(asked))
    asked.output = {"percent": round(found["inputVolumeMul"] * 100, 1), "decibels": round(found["inputVolumeDb"], 1)}
    return _within(found, _volume(asked))


def _volume(asked: Asked) -> dict[str, float]:
    percent, decibels = asked.number("percent", 0, 100 * _LOUDEST), asked.number("decibels", -100, 26)
    if (percent is None) == (decibels is None):
        raise Unfit("bad_value", "the volume is either percent or decibels")
    return {"inputVolumeDb": decibels} if percent is None else {"inputVolumeMul": percent / 100}  # type: ignore[dict-item]


# Inputs ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting of inputs of some kinds that a step can change.

    Attributes:
        called: What such an input is called.
        wanted: What is set, from the param.
    """

    param: str
    kinds: tuple[str, ...]
    called: str
    wanted: Callable[[str], Mapping[str, Any]]

    async def do(self, asked: Asked) -> None:
        """Set it."""
        name, _ = await names.input_like(asked, self.kinds, self.called)
        await asked.do("SetInputSettings", {"inputName": name, "inputSettings": self._settings(asked)})

    async def holds(self, asked: Asked) -> bool:
        """Whether it is set."""
        _, found = await names.input_like(asked, self.kinds, self.called)
        return _within(found, self._settings(asked))

    def _settings(self, asked: Asked) -> dict[str, Any]:
        return dict(self.wanted(asked.text(self.param, needed=self.param != "text")))


_TEXT: Final = _Setting("text", _TEXTS, "text source", lambda text: {"text": text})
_IMAGE: Final = _Setting("file", _IMAGES, "image source", lambda file: {"file": file})
_PAGE: Final = _Setting("url", _BROWSERS, "browser source", lambda url: {"url": url, "is_local_file": False})
_FILM: Final = _Setting(
    "file",
    _MEDIA,
    "media source",
    lambda file: (
        {"input": file, "is_local_file": False} if "://" in file else {"local_file": file, "is_local_file": True}
    ),
)


async def _set_image(asked: Asked) -> None:
    await _IMAGE.do(asked)
    await asyncio.sleep(_FRAMES)  # until then it shows the one before


async def _shows_image(asked: Asked) -> bool:
    """Whether it is set and OBS could read it: of one that it cannot read it has no picture."""
    if not await _IMAGE.holds(asked):
        return False
    name, _ = await names.input_like(asked, _IMAGES, _IMAGE.called)
    try:
        await asked.look("GetSourceScreenshot", sourceName=name, imageFormat="png", imageWidth=8)
    except RequestFailed:
        return False
    return True


async def _set_media(asked: Asked) -> None:
    await _FILM.do(asked)
    await asyncio.sleep(_FRAMES)  # until then its state is that of the one before


async def _plays_media(asked: Asked) -> bool:
    """Whether it is set and OBS could open it: what it cannot open has ended at once, without a length."""
    if not await _FILM.holds(asked):
        return False
    file = asked.text("file")
    if "://" in file:
        return True
    name, _ = await names.input_like(asked, _MEDIA, _FILM.called)
    status = await asked.look("GetMediaInputStatus", inputName=name)
    state, length = str(status["mediaState"]).removeprefix("OBS_MEDIA_STATE_"), status.get("mediaDuration")
    if not length and state in ("ENDED", "ERROR"):
        raise OutputFailed(f'OBS cannot play "{file[:200]}": is the file there?')
    return bool(length) or state in ("NONE", "STOPPED")  # it is opened once it is shown


async def _refresh_browser(asked: Asked) -> None:
    name, _ = await names.input_like(asked, _BROWSERS, "browser source")
    await asked.do("PressInputPropertiesButton", {"inputName": name, "propertyName": "refreshnocache"})


async def _set_input(asked: Asked) -> None:
    wanted = {"inputName": await names.input_of(asked), "inputSettings": asked.tree("settings"), "overlay": True}
    await asked.do("SetInputSettings", wanted)


async def _is_input_set(asked: Asked) -> bool:
    found = await asked.look("GetInputSettings", inputName=await names.input_of(asked))
    return _within(found["inputSettings"], asked.tree("settings"))


async def _media_action(asked: Asked) -> None:
    name, word = await _media(asked)
    data = {"inputName": name, "mediaAction": f"OBS_WEBSOCKET_MEDIA_INPUT_ACTION_{_ACTIONS[word][0]}"}
    await asked.do("TriggerMediaInputAction", data)


async def _media_does(asked: Asked) -> bool:
    name, word = await _media(asked)
    state = str((await asked.look("GetMediaInputStatus", inputName=name))["mediaState"])
    return state.removeprefix("OBS_MEDIA_STATE_") in _ACTIONS[word][1]


async def _media(asked: Asked) -> tuple[str, str]:
    word = asked.text("action").casefold()
    if word not in _ACTIONS:
        raise Unfit("bad_value", f"media can {', '.join(_ACTIONS)}; not {word[:40]}")
    name, _ = await names.input_like(asked, (*_MEDIA, "vlc_source"), "media source")
    return name, word


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


_UNKNOWN_REQUEST: Final = 204


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
    "set_input_mute": Deed(_set_mute, _is_mute),
    "set_input_volume": Deed(_set_volume, _is_volume),
    "set_input_text": Deed(_TEXT.do, _TEXT.holds),
    "set_input_image": Deed(_set_image, _shows_image, "it has no picture of it: is the file there?"),
    "set_input_url": Deed(_PAGE.do, _PAGE.holds),
    "set_input_media": Deed(_set_media, _plays_media, "it does not come to play it: is the file there?"),
    "set_input_settings": Deed(_set_input, _is_input_set),
    "refresh_browser": Deed(_refresh_browser),
    "trigger_media_input_action": Deed(_media_action, _media_does),
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
