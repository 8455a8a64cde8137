"""Every deed in a real OBS: its effect read back by another hand, or seen in the pixels of a screenshot."""

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.execution import Done, Failed
from tests.obs.bench import Bench, pixel

pytestmark = pytest.mark.obs

RED, GREY, BLUE = (255, 0, 0), (54, 54, 54), (0, 0, 255)
FRAMES = 0.25
"""Seconds after which a change is in the picture."""
BACKGROUND = {"sceneName": "Starting Soon", "sceneItemId": 1}

# Each: the method, its params, the request that reads it back, and what that has to say then.
SETS: list[tuple[str, Mapping[str, Any], str, Mapping[str, Any], Mapping[str, Any]]] = [
    (
        "set_current_scene",
        {"scene_name": "raid screen"},
        "GetCurrentProgramScene",
        {},
        {"currentProgramSceneName": "Raid Screen"},
    ),
    (
        "set_scene_item_enabled",
        {"source": "Background", "enabled": False},
        "GetSceneItemEnabled",
        BACKGROUND,
        {"sceneItemEnabled": False},
    ),
    (
        "set_scene_item_enabled",
        {"source": "Camera", "enabled": False, "scene_name": "Main"},
        "GetSceneItemEnabled",
        {"sceneName": "Main", "sceneItemId": 2},
        {"sceneItemEnabled": False},
    ),
    (
        "set_input_mute",
        {"input_name": "Mic", "muted": True},
        "GetInputMute",
        {"inputName": "Mic"},
        {"inputMuted": True},
    ),
    (
        "set_input_volume",
        {"input_name": "Mic", "percent": 50},
        "GetInputVolume",
        {"inputName": "Mic"},
        {"inputVolumeMul": pytest.approx(0.5)},
    ),
    (
        "set_input_volume",
        {"input_name": "Mic", "decibels": -12},
        "GetInputVolume",
        {"inputName": "Mic"},
        {"inputVolumeDb": pytest.approx(-12, abs=0.01)},
    ),
    (
        "set_source_filter_enabled",
        {"source_name": "Background", "filter_name": "grey", "enabled": True},
        "GetSourceFilter",
        {"sourceName": "Background", "filterName": "Grey"},
        {"filterEnabled": True},
    ),
    (
        "set_source_filter_settings",
        {"source_name": "Background", "filter_name": "Grey", "settings": {"saturation": 0.5}},
        "GetSourceFilter",
        {"sourceName": "Background", "filterName": "Grey"},
        {"filterSettings": {"saturation": 0.5}},
    ),
    (
        "set_current_scene_transition",
        {"transition_name": "Fade", "seconds": 0.4},
        "GetCurrentSceneTransition",
        {},
        {"transitionName": "Fade", "transitionDuration": 400},
    ),
]


@pytest.mark.parametrize(
    ("method", "params", "request_name", "asked", "expected"),
    SETS,
    ids=lambda value: value if type(value) is str else "",
)
async def test_what_a_step_sets_is_so_when_it_is_done(
    bench: Bench,
    method: str,
    params: Mapping[str, Any],
    request_name: str,
    asked: Mapping[str, Any],
    expected: Mapping[str, Any],
):
    await bench.done(method, **params)
    found = await bench.ask(request_name, **asked)

    assert {name: found[name] for name in expected} == expected
    await bench.done(method, **params)
    again = await bench.ask(request_name, **asked)
    assert {name: again[name] for name in expected} == expected


async def test_a_change_of_scene_tells_the_one_before_so_that_it_can_be_gone_back_to(bench: Bench):
    assert await bench.done("set_current_scene", scene_name="BRB") == {"scene": "BRB", "before": "Starting Soon"}


async def test_a_source_that_is_not_in_the_scene_that_is_on_changes_wherever_it_is(bench: Bench):
    await bench.done("set_scene_item_enabled", source="Camera", enabled=False)

    for scene, number in (("Main", 2), ("Raid Screen", 1)):
        found = await bench.ask("GetSceneItemEnabled", sceneName=scene, sceneItemId=number)
        assert found == {"sceneItemEnabled": False}


async def test_a_source_is_placed_scaled_and_turned_and_the_rest_of_it_stays(bench: Bench):
    await bench.done("set_scene_item_transform", source="Background", x=40, y=20)
    await bench.done("set_scene_item_transform", source="Background", scale=50)
    await bench.done("set_scene_item_transform", source="Background", rotation=90)

    found = (await bench.ask("GetSceneItemTransform", **BACKGROUND))["sceneItemTransform"]
    wanted = {"positionX": 40.0, "positionY": 20.0, "scaleX": 0.5, "scaleY": 0.5, "rotation": 90.0}
    assert {name: found[name] for name in wanted} == wanted


async def test_a_text_of_viewers_stands_in_the_picture_letter_by_letter(bench: Bench):
    text = 'RAID from @alice "50" 🎉 ${user} \\n'
    before = await picture(bench, "Title")
    await bench.done("set_input_text", input_name="Title", text=text)
    await asyncio.sleep(FRAMES)

    assert (await bench.ask("GetInputSettings", inputName="Title"))["inputSettings"]["text"] == text
    assert await picture(bench, "Title") != before


async def picture(bench: Bench, source: str) -> bytes:
    """What a source looks like."""
    output = await bench.done("get_source_screenshot", source=source)
    found = bench.snapshots.picture("", str(output["picture"]))
    assert found is not None
    return found[1]


async def test_what_is_shown_hidden_and_filtered_is_seen_in_the_picture(bench: Bench):
    seen = [pixel(await picture(bench, "Starting Soon"), 600, 300)]
    await bench.done("set_source_filter_enabled", source_name="Background", filter_name="Grey", enabled=True)
    await asyncio.sleep(FRAMES)
    seen.append(pixel(await picture(bench, "Starting Soon"), 600, 300))
    await bench.done("set_scene_item_enabled", source="Background", enabled=False)
    await asyncio.sleep(FRAMES)
    seen.append(pixel(await picture(bench, "Starting Soon"), 600, 300))

    assert [max(color) - min(color) for color in seen] == [pytest.approx(255, abs=4), pytest.approx(0, abs=4), 0]
    assert seen[0] != seen[1]
    assert seen[2] == (0, 0, 0)


async def test_a_screenshot_is_of_the_scene_that_is_on_and_is_kept_for_the_run(bench: Bench):
    await bench.done("set_current_scene", scene_name="Raid Screen")
    await asyncio.sleep(FRAMES)
    effect = bench.effect("get_source_screenshot")
    result = await bench.perform(effect)

    assert isinstance(result, Done)
    assert result.output["source"] == "Raid Screen"
    found = bench.snapshots.picture(effect.execution)
    assert found is not None
    name, content = found
    assert name == result.output["picture"]
    assert pixel(content, 100, 100) == pytest.approx(BLUE, abs=4)
    assert pixel(content, 500, 100) == (0, 0, 0)


async def test_an_image_that_can_be_shown_is_shown_and_one_that_cannot_is_told(bench: Bench, tmp_path: Path):
    file = tmp_path / "green.png"
    _made(["-f", "lavfi", "-i", "color=0x00ff00:size=64x64", "-frames:v", "1", str(file)])
    await bench.done("set_input_image", input_name="Logo", file=str(file))

    assert pixel(await picture(bench, "Logo"), 500, 300) == pytest.approx((0, 255, 0), abs=6)
    bench.platform.service._seen_within = 1.0
    failure = await bench.failed("set_input_image", input_name="Logo", file=str(tmp_path / "none.png"))
    assert (failure.error, failure.message) == (
        "not_done",
        "OBS said yes, but it has no picture of it: is the file there?",
    )


async def test_media_is_played_paused_and_stopped_and_what_cannot_be_played_is_told(bench: Bench, tmp_path: Path):
    film = tmp_path / "film.mkv"
    _made(["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=20", "-c:v", "libx264", str(film)])
    await bench.done("set_current_scene", scene_name="BRB")
    await bench.done("set_input_media", input_name="Film", file=str(film))
    await asyncio.sleep(2 * FRAMES)  # it begins anew when its scene comes on
    states = []
    for action in ("pause", "play", "restart", "stop"):
        await bench.done("trigger_media_input_action", input_name="Film", action=action)
        states.append((await bench.ask("GetMediaInputStatus", inputName="Film"))["mediaState"].rpartition("_")[2])

    assert states[0] == "PAUSED"
    assert set(states[1:3]) <= {"PLAYING", "OPENING", "BUFFERING"}
    assert states[3] in ("STOPPED", "NONE", "ENDED")
    failure = await bench.failed("set_input_media", input_name="Film", file=str(tmp_path / "none.mkv"))
    assert failure.error == "output_failed"


def _made(arguments: list[str]) -> None:
    subprocess.run(["ffmpeg", "-v", "error", *arguments], check=True, timeout=60)


async def test_settings_of_an_input_are_merged_with_those_it_has(bench: Bench):
    await bench.done("set_input_settings", input_name="Title", settings='{"outline": true, "text": "both"}')

    found = (await bench.ask("GetInputSettings", inputName="Title"))["inputSettings"]
    assert (found["outline"], found["text"], found["font"]["size"]) == (True, "both", 64)


async def test_settings_that_obs_swallows_without_a_word_are_told(bench: Bench):
    bench.platform.service._seen_within = 1.0
    failure = await bench.failed("set_input_settings", input_name="Mic", settings={"text": ["no"] * 3, "device_id": 7})

    assert failure.error in ("not_done", "refused")


async def test_a_hotkey_is_pressed_and_one_that_is_not_there_is_told(bench: Bench):
    await bench.done("trigger_hotkey", hotkey_name="OBSBasic.StartReplayBuffer")
    await bench.until(lambda: bench.told("obs.replay.started"))

    assert (await bench.failed("trigger_hotkey", hotkey_name="OBSBasic.Dance")).error == "unknown_hotkey"


async def test_any_request_can_be_sent_once_that_is_allowed_and_not_before(bench: Bench):
    asked = {"request": "GetVersion"}
    assert (await bench.failed("raw_request", **asked)).error == "not_allowed"
    await bench.set("obs.raw_requests", "on")

    assert (await bench.done("raw_request", **asked))["response"]["rpcVersion"] == 1
    assert (await bench.failed("raw_request", request="MakeTea")).error == "too_old"
    data = {"sceneName": "Ending"}
    await bench.done("raw_request", request="SetCurrentProgramScene", data=data)
    assert (await bench.ask("GetCurrentProgramScene"))["currentProgramSceneName"] == "Ending"


async def test_what_this_obs_cannot_do_is_told_as_that(bench: Bench):
    camera = await bench.do("start_virtual_camera")
    assert isinstance(camera, Done | Failed)
    if isinstance(camera, Failed):
        assert camera.message == "OBS refused GetVirtualCamStatus: VirtualCam is not available"


UNFIT: list[tuple[str, Mapping[str, Any], str, str]] = [
    ("set_current_scene", {"scene_name": "Brunch"}, "unknown_scene", '"Starting Soon", "Main", "Raid Screen"'),
    ("set_current_scene", {"scene_name": "  "}, "empty", "scene_name is empty"),
    ("set_scene_item_enabled", {"source": "Cat", "enabled": True}, "unknown_source", "it has "),
    ("set_scene_item_enabled", {"source": "Mic", "enabled": True, "scene_name": "BRB"}, "unknown_source", "not in the"),
    ("set_scene_item_enabled", {"source": "Title", "enabled": "maybe"}, "bad_value", "true or false"),
    ("set_scene_item_transform", {"source": "Title"}, "empty", "x, y, scale or rotation"),
    ("set_scene_item_transform", {"source": "Title", "x": "far"}, "bad_number", "x must be between"),
    ("set_scene_item_transform", {"source": "Title", "scale": float("nan")}, "bad_number", "scale must be between"),
    ("set_input_mute", {"input_name": "Radio", "muted": True}, "unknown_source", 'no source "Radio"'),
    ("set_input_volume", {"input_name": "Mic", "percent": 5_000}, "bad_number", "between 0 and 2000"),
    ("set_input_volume", {"input_name": "Mic"}, "bad_value", "either percent or decibels"),
    ("set_input_text", {"input_name": "Mic", "text": "hi"}, "wrong_kind", '"Mic" is no text source'),
    ("set_input_text", {"input_name": "Title", "text": "x" * 2_001}, "too_long", "2,001"),
    ("set_input_url", {"input_name": "Title", "url": "https://x.y"}, "wrong_kind", "no browser source"),
    ("refresh_browser", {"input_name": "Title"}, "wrong_kind", "no browser source"),
    ("set_input_settings", {"input_name": "Title", "settings": "nope"}, "bad_value", "no JSON"),
    (
        "set_source_filter_enabled",
        {"source_name": "Title", "filter_name": "Blur", "enabled": True},
        "unknown_filter",
        "",
    ),
    ("set_current_scene_transition", {"transition_name": "Wobble"}, "unknown_transition", '"Cut" and "Fade"'),
    ("trigger_media_input_action", {"input_name": "Film", "action": "eat"}, "bad_value", "play, pause, stop"),
    ("pause_recording", {}, "not_running", "nothing is being recorded"),
    ("create_record_chapter", {"chapter_name": "boss"}, "not_running", "nothing is being recorded"),
    ("save_replay_buffer", {}, "not_running", "start the replay buffer"),
]


async def test_what_cannot_be_is_refused_in_words_before_anything_is_begun(bench: Bench):
    failures = [(method, await bench.failed(method, **params)) for method, params, _, _ in UNFIT]

    assert [(method, failure.error) for method, failure in failures] == [
        (method, error) for method, _, error, _ in UNFIT
    ]
    for (_, failure), (_, _, _, words) in zip(failures, UNFIT, strict=True):
        assert words in failure.message
        assert not failure.retryable
    assert bench.begun == []
