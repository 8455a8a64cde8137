"""What OBS tells becomes events of ours, each once and true; names of things are known as they are now."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bot.obs.wire import ITEM, KINDS, event_of
from engine.events import types
from tests.obs.bench import Bench

# What is done by another hand, and what is heard of it.
HEARD: list[tuple[str, Mapping[str, Any], str, Mapping[str, Any]]] = [
    (
        "SetCurrentProgramScene",
        {"sceneName": "Main"},
        "obs.scene.changed",
        {"scene": "Main", "before": "Starting Soon"},
    ),
    (
        "SetSceneItemEnabled",
        {"sceneName": "Main", "sceneItemId": 2, "sceneItemEnabled": False},
        "obs.source.hidden",
        {"source": "Camera", "scene": "Main"},
    ),
    (
        "SetSceneItemEnabled",
        {"sceneName": "Main", "sceneItemId": 2, "sceneItemEnabled": True},
        "obs.source.shown",
        {"source": "Camera", "scene": "Main"},
    ),
    (
        "SetSceneItemLocked",
        {"sceneName": "Main", "sceneItemId": 1, "sceneItemLocked": True},
        "obs.source.locked",
        {"source": "Background", "scene": "Main"},
    ),
    (
        "SetSceneItemLocked",
        {"sceneName": "Main", "sceneItemId": 1, "sceneItemLocked": False},
        "obs.source.unlocked",
        {"source": "Background", "scene": "Main"},
    ),
    ("SetInputMute", {"inputName": "Mic", "inputMuted": True}, "obs.input.muted", {"source": "Mic"}),
    ("SetInputMute", {"inputName": "Mic", "inputMuted": False}, "obs.input.unmuted", {"source": "Mic"}),
    (
        "SetInputVolume",
        {"inputName": "Mic", "inputVolumeMul": 0.5},
        "obs.volume.changed",
        {"source": "Mic", "percent": 50.0, "decibels": -6.0},
    ),
    (
        "SetSourceFilterEnabled",
        {"sourceName": "Background", "filterName": "Grey", "filterEnabled": True},
        "obs.filter.enabled",
        {"source": "Background", "filter": "Grey"},
    ),
    ("SetCurrentSceneTransition", {"transitionName": "Fade"}, "obs.transition.changed", {"transition": "Fade"}),
    ("SetCurrentProgramScene", {"sceneName": "BRB"}, "obs.transition.started", {"transition": "Fade"}),
    ("SetStudioModeEnabled", {"studioModeEnabled": True}, "obs.studio_mode.started", {}),
    ("SetCurrentPreviewScene", {"sceneName": "Ending"}, "obs.preview.changed", {"scene": "Ending"}),
    ("CreateScene", {"sceneName": "Extra"}, "obs.scene.created", {"scene": "Extra"}),
    (
        "SetSceneName",
        {"sceneName": "Extra", "newSceneName": "More"},
        "obs.scene.renamed",
        {"scene": "More", "before": "Extra"},
    ),
    ("RemoveScene", {"sceneName": "More"}, "obs.scene.removed", {"scene": "More"}),
    ("BroadcastCustomEvent", {"eventData": {"x": 1}}, "obs.custom.told", {}),
]


@pytest.mark.obs
async def test_what_happens_in_obs_is_heard_with_its_fields(bench: Bench):
    for request, data, name, fields in HEARD:
        before = len(bench.told(name))
        await bench.ask(request, **data)
        await bench.until(lambda name=name, before=before: len(bench.told(name)) > before)
        assert bench.told(name)[before] == fields


@pytest.mark.obs
async def test_a_new_input_is_known_by_name_at_once_and_forgotten_when_it_goes(bench: Bench):
    settings = {"inputName": "Ticker", "inputKind": "text_ft2_source_v2", "inputSettings": {"text": "news"}}
    await bench.ask("CreateInput", sceneName="BRB", **settings)
    await bench.until(lambda: "Ticker" in bench.house.settings.names.sources)
    await bench.ask(
        "CreateSourceFilter", sourceName="Ticker", filterName="Scroll", filterKind="scroll_filter", filterSettings={}
    )
    await bench.until(lambda: "Scroll" in bench.house.settings.names.filters)
    await bench.ask("SetInputName", inputName="Ticker", newInputName="News")
    await bench.until(lambda: "News" in bench.house.settings.names.sources)
    await bench.ask("RemoveInput", inputName="News")

    await bench.until(lambda: "News" not in bench.house.settings.names.sources)
    assert "Ticker" not in bench.house.settings.names.sources
    assert {"source": "Ticker", "scene": "BRB"} in bench.told("obs.source.added")


@pytest.mark.obs
async def test_leaving_studio_mode_is_no_change_of_scene(bench: Bench):
    await bench.ask("SetStudioModeEnabled", studioModeEnabled=True)
    await bench.ask("SetCurrentPreviewScene", sceneName="Ending")
    await bench.until(lambda: bench.told("obs.preview.changed"))
    await bench.ask("SetStudioModeEnabled", studioModeEnabled=False)
    await bench.until(lambda: bench.told("obs.studio_mode.ended"))
    await asyncio.sleep(0.2)

    assert bench.told("obs.scene.changed") == []


STATES = ("STARTED", "STOPPED", "PAUSED", "RESUMED", "RECONNECTING", "RECONNECTED", "STARTING", "STOPPING")
FLAGS = ("sceneItemEnabled", "sceneItemLocked", "inputMuted", "filterEnabled", "studioModeEnabled")
SAMPLES = ({}, dict.fromkeys(FLAGS, True), *({"outputState": f"OBS_WEBSOCKET_OUTPUT_{state}"} for state in STATES))


def test_whatever_is_told_is_in_the_table_of_events_with_just_these_fields_and_the_other_way_round():
    heard: dict[str, set[str]] = {"obs.connected": set(), "obs.disconnected": set()}
    for kind in KINDS:
        for found in (event_of(kind, data) for data in SAMPLES):
            if found is not None:
                name, fields = found
                heard[name] = {"source" if field == ITEM else field for field in fields}
    heard["obs.scene.changed"].add("before")

    assert heard == {kind.name: set(kind.fields) for kind in types() if kind.platform == "obs"}
