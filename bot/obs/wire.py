"""What OBS tells, as events of ours. Pure.

One table gives each kind of event its name and fields. What is not in it is no event: the kinds that come many times a
second, and those that only say that another one is about to come.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from bot.obs.outputs import state_in

Data: TypeAlias = Mapping[str, Any]
Fields: TypeAlias = Mapping[str, Any]
Read: TypeAlias = Callable[[Data], tuple[str, Fields] | None]

STALE: Final = frozenset(
    {
        "CurrentSceneCollectionChanged",
        "SceneCreated",
        "SceneRemoved",
        "SceneNameChanged",
        "SceneListChanged",
        "InputCreated",
        "InputRemoved",
        "InputNameChanged",
        "SceneItemCreated",
        "SceneItemRemoved",
        "SourceFilterCreated",
        "SourceFilterRemoved",
        "SourceFilterNameChanged",
    }
)
"""After these the names of things are not what they were."""


def event_of(kind: str, data: Data) -> tuple[str, Fields] | None:
    """The name and the fields of what OBS told; None if it is no event."""
    read = _TABLE.get(kind)
    return None if read is None or data.get("isGroup") is True else read(data)  # a group is no scene of its own


def _plain(name: str, **fields: str) -> Read:
    """An event with these fields, each from OBS's own."""

    def read(data: Data) -> tuple[str, Fields]:
        return name, {field: _value(data.get(theirs)) for field, theirs in fields.items()}

    return read


def _either(field: str, on: str, off: str, **fields: str) -> Read:
    """One of two events, as a field says."""

    def read(data: Data) -> tuple[str, Fields]:
        name = on if data.get(field) is True else off
        return name, {ours: _value(data.get(theirs)) for ours, theirs in fields.items()}

    return read


def _output(states: Mapping[str, str], **fields: str) -> Read:
    """An event for each state of an output that counts."""

    def read(data: Data) -> tuple[str, Fields] | None:
        name = states.get(state_in(data))
        return None if name is None else (name, {ours: _value(data.get(theirs)) for ours, theirs in fields.items()})

    return read


def _volume(data: Data) -> tuple[str, Fields]:
    percent = round(float(data.get("inputVolumeMul") or 0.0) * 100, 1)
    decibels = round(float(data.get("inputVolumeDb") or 0.0), 1)
    return "obs.volume.changed", {"source": data.get("inputName", ""), "percent": percent, "decibels": decibels}


def _media_action(data: Data) -> tuple[str, Fields]:
    action = str(data.get("mediaAction", "")).rpartition("_ACTION_")[2].casefold()
    return "obs.media.controlled", {"source": data.get("inputName", ""), "action": action}


def _value(value: Any) -> Any:
    return "" if value is None else value


ITEM: Final = "item"
"""A source in a scene is told by its number there; whoever can ask puts its name in the place of that."""
_ITEM: Final = {"scene": "sceneName", ITEM: "sceneItemId"}
_OUTPUT: Final = {"STARTED": "started", "STOPPED": "ended"}

_TABLE: Final[Mapping[str, Read]] = {
    # scenes
    "CurrentProgramSceneChanged": _plain("obs.scene.changed", scene="sceneName"),
    "CurrentPreviewSceneChanged": _plain("obs.preview.changed", scene="sceneName"),
    "SceneCreated": _plain("obs.scene.created", scene="sceneName"),
    "SceneRemoved": _plain("obs.scene.removed", scene="sceneName"),
    "SceneNameChanged": _plain("obs.scene.renamed", scene="sceneName", before="oldSceneName"),
    # sources in scenes
    "SceneItemCreated": _plain("obs.source.added", source="sourceName", scene="sceneName"),
    "SceneItemRemoved": _plain("obs.source.removed", source="sourceName", scene="sceneName"),
    "SceneItemEnableStateChanged": _either("sceneItemEnabled", "obs.source.shown", "obs.source.hidden", **_ITEM),
    "SceneItemLockStateChanged": _either("sceneItemLocked", "obs.source.locked", "obs.source.unlocked", **_ITEM),
    "SceneItemSelected": _plain("obs.source.selected", **_ITEM),
    "SceneItemListReindexed": _plain("obs.source.reordered", scene="sceneName"),
    # inputs
    "InputCreated": _plain("obs.input.created", source="inputName", kind="inputKind"),
    "InputRemoved": _plain("obs.input.removed", source="inputName"),
    "InputNameChanged": _plain("obs.input.renamed", source="inputName", before="oldInputName"),
    "InputSettingsChanged": _plain("obs.input.changed", source="inputName"),
    "InputMuteStateChanged": _either("inputMuted", "obs.input.muted", "obs.input.unmuted", source="inputName"),
    "InputVolumeChanged": _volume,
    "InputAudioBalanceChanged": _plain("obs.audio.balanced", source="inputName", balance="inputAudioBalance"),
    "InputAudioSyncOffsetChanged": _plain("obs.audio.shifted", source="inputName", offset="inputAudioSyncOffset"),
    "InputAudioTracksChanged": _plain("obs.audio.routed", source="inputName"),
    "InputAudioMonitorTypeChanged": _plain("obs.audio.monitored", source="inputName", monitor="monitorType"),
    "MediaInputPlaybackStarted": _plain("obs.media.started", source="inputName"),
    "MediaInputPlaybackEnded": _plain("obs.media.ended", source="inputName"),
    "MediaInputActionTriggered": _media_action,
    # filters
    "SourceFilterCreated": _plain("obs.filter.created", source="sourceName", filter="filterName"),
    "SourceFilterRemoved": _plain("obs.filter.removed", source="sourceName", filter="filterName"),
    "SourceFilterNameChanged": _plain(
        "obs.filter.renamed", source="sourceName", filter="filterName", before="oldFilterName"
    ),
    "SourceFilterSettingsChanged": _plain("obs.filter.changed", source="sourceName", filter="filterName"),
    "SourceFilterListReindexed": _plain("obs.filter.reordered", source="sourceName"),
    "SourceFilterEnableStateChanged": _either(
        "filterEnabled", "obs.filter.enabled", "obs.filter.disabled", source="sourceName", filter="filterName"
    ),
    # transitions
    "CurrentSceneTransitionChanged": _plain("obs.transition.changed", transition="transitionName"),
    "CurrentSceneTransitionDurationChanged": _plain("obs.transition.timed", milliseconds="transitionDuration"),
    "SceneTransitionStarted": _plain("obs.transition.started", transition="transitionName"),
    "SceneTransitionEnded": _plain("obs.transition.ended", transition="transitionName"),
    "SceneTransitionVideoEnded": _plain("obs.transition.shown", transition="transitionName"),
    # outputs
    "StreamStateChanged": _output(
        {
            **{state: f"obs.stream.{name}" for state, name in _OUTPUT.items()},
            "RECONNECTING": "obs.stream.lost",
            "RECONNECTED": "obs.stream.regained",
        }
    ),
    "RecordStateChanged": _output(
        {
            **{state: f"obs.recording.{name}" for state, name in _OUTPUT.items()},
            "PAUSED": "obs.recording.paused",
            "RESUMED": "obs.recording.resumed",
        },
        path="outputPath",
    ),
    "RecordFileChanged": _plain("obs.recording.split", path="newOutputPath"),
    "ReplayBufferStateChanged": _output({state: f"obs.replay.{name}" for state, name in _OUTPUT.items()}),
    "ReplayBufferSaved": _plain("obs.replay.saved", path="savedReplayPath"),
    "VirtualcamStateChanged": _output({state: f"obs.camera.{name}" for state, name in _OUTPUT.items()}),
    # the rest
    "CurrentSceneCollectionChanged": _plain("obs.collection.changed", collection="sceneCollectionName"),
    "CurrentProfileChanged": _plain("obs.profile.changed", profile="profileName"),
    "StudioModeStateChanged": _either("studioModeEnabled", "obs.studio_mode.started", "obs.studio_mode.ended"),
    "ScreenshotSaved": _plain("obs.screenshot.saved", path="savedScreenshotPath"),
    "VendorEvent": _plain("obs.vendor.told", vendor="vendorName", kind="eventType"),
    "CustomEvent": _plain("obs.custom.told"),
    "ExitStarted": _plain("obs.closed"),
}
KINDS: Final = frozenset(_TABLE)
"""What of all that OBS tells may become an event."""
