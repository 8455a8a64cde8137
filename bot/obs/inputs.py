"""Deeds on inputs: how loud they are, and what they show or play.

Each comes in two: what asks for it, and what sees whether it is so. What OBS cannot open is told, since it takes any
settings without a word.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.obs import names
from bot.obs.alike import within
from bot.obs.asked import Asked
from bot.obs.errors import OutputFailed, RequestFailed, Unfit

_TEXTS: Final = ("text_",)
_IMAGES: Final = ("image_source",)
_BROWSERS: Final = ("browser_source",)
_MEDIA: Final = ("ffmpeg_source",)
_FRAMES: Final = 0.3
"""Seconds in which OBS draws at least two pictures, however slowly it is set to."""
_LOUDEST: Final = 20.0
_ACTIONS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "play": ("PLAY", frozenset({"PLAYING", "BUFFERING", "OPENING", "ENDED"})),
    "pause": ("PAUSE", frozenset({"PAUSED", "ENDED"})),
    "stop": ("STOP", frozenset({"STOPPED", "NONE", "ENDED"})),
    "restart": ("RESTART", frozenset({"PLAYING", "BUFFERING", "OPENING", "ENDED"})),
}
"""Of each action on media OBS's word, and the states that it may lead to; what is short may have ended already."""


# Sound -------------------------------------------------------------------------------------------------------------------


async def set_mute(asked: Asked) -> None:
    """Mute it, or let it be heard."""
    name = await names.input_of(asked)
    await asked.do("SetInputMute", {"inputName": name, "inputMuted": asked.flag("muted")})


async def is_mute(asked: Asked) -> bool:
    """Whether it is so."""
    found = await asked.look("GetInputMute", inputName=await names.input_of(asked))
    return found["inputMuted"] is asked.flag("muted")


async def set_volume(asked: Asked) -> None:
    """Set how loud it is."""
    await asked.do("SetInputVolume", {"inputName": await names.input_of(asked), **_volume(asked)})


async def is_volume(asked: Asked) -> bool:
    """Whether it is so."""
    found = await asked.look("GetInputVolume", inputName=await names.input_of(asked))
    asked.output = {"percent": round(found["inputVolumeMul"] * 100, 1), "decibels": round(found["inputVolumeDb"], 1)}
    return within(found, _volume(asked))


def _volume(asked: Asked) -> dict[str, float]:
    percent, decibels = asked.number("percent", 0, 100 * _LOUDEST), asked.number("decibels", -100, 26)
    if percent is not None and decibels is None:
        return {"inputVolumeMul": percent / 100}
    if decibels is not None and percent is None:
        return {"inputVolumeDb": decibels}
    raise Unfit("bad_value", "the volume is either percent or decibels")


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
        return within(found, self._settings(asked))

    def _settings(self, asked: Asked) -> dict[str, Any]:
        return dict(self.wanted(asked.text(self.param, needed=self.param != "text")))


TEXT: Final = _Setting("text", _TEXTS, "text source", lambda text: {"text": text})
_IMAGE: Final = _Setting("file", _IMAGES, "image source", lambda file: {"file": file})
PAGE: Final = _Setting("url", _BROWSERS, "browser source", lambda url: {"url": url, "is_local_file": False})
_FILM: Final = _Setting(
    "file",
    _MEDIA,
    "media source",
    lambda file: (
        {"input": file, "is_local_file": False} if "://" in file else {"local_file": file, "is_local_file": True}
    ),
)


async def set_image(asked: Asked) -> None:
    """Show another image."""
    await _IMAGE.do(asked)
    await asyncio.sleep(_FRAMES)  # until then it shows the one before


async def shows_image(asked: Asked) -> bool:
    """Whether it is set and OBS could read it: of one that it cannot read it has no picture."""
    if not await _IMAGE.holds(asked):
        return False
    name, _ = await names.input_like(asked, _IMAGES, _IMAGE.called)
    try:
        await asked.look("GetSourceScreenshot", sourceName=name, imageFormat="png", imageWidth=8)
    except RequestFailed:
        return False
    return True


async def set_media(asked: Asked) -> None:
    """Play another file."""
    await _FILM.do(asked)
    await asyncio.sleep(_FRAMES)  # until then its state is that of the one before


async def plays_media(asked: Asked) -> bool:
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


async def refresh_browser(asked: Asked) -> None:
    """Load its page anew."""
    name, _ = await names.input_like(asked, _BROWSERS, "browser source")
    await asked.do("PressInputPropertiesButton", {"inputName": name, "propertyName": "refreshnocache"})


async def set_input(asked: Asked) -> None:
    """Set any of its settings; the others stay."""
    wanted = {"inputName": await names.input_of(asked), "inputSettings": asked.tree("settings"), "overlay": True}
    await asked.do("SetInputSettings", wanted)


async def is_input_set(asked: Asked) -> bool:
    """Whether they are so."""
    found = await asked.look("GetInputSettings", inputName=await names.input_of(asked))
    return within(found["inputSettings"], asked.tree("settings"))


async def media_action(asked: Asked) -> None:
    """Play, pause, stop or restart it."""
    name, word = await _media(asked)
    data = {"inputName": name, "mediaAction": f"OBS_WEBSOCKET_MEDIA_INPUT_ACTION_{_ACTIONS[word][0]}"}
    await asked.do("TriggerMediaInputAction", data)


async def media_does(asked: Asked) -> bool:
    """Whether it does."""
    name, word = await _media(asked)
    state = str((await asked.look("GetMediaInputStatus", inputName=name))["mediaState"])
    return state.removeprefix("OBS_MEDIA_STATE_") in _ACTIONS[word][1]


async def _media(asked: Asked) -> tuple[str, str]:
    word = asked.text("action").casefold()
    if word not in _ACTIONS:
        raise Unfit("bad_value", f"media can {', '.join(_ACTIONS)}; not {word[:40]}")
    name, _ = await names.input_like(asked, (*_MEDIA, "vlc_source"), "media source")
    return name, word
