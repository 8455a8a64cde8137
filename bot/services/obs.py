"""What OBS can be asked to do. Names follow obs-websocket's own requests, in snake_case."""

from typing import Final

from engine.declare import Method, Param

METHODS: Final = (
    Method(
        "obs",
        "set_current_scene",
        (Param("scene_name", "scene", slot="scene"),),
        (
            "switch to scene {scene_name}",
            "(switch|change|go|cut|move) [back] to [the] {scene_name} [scene]",
            "(switch|change|set|cut) [the] scene to [the] {scene_name}",
            "(scene|go to scene|bring up|do scene|use scene) {scene_name}",
            "(do|use|show|put up|bring up) [the] {scene_name} scene",
            "back to [the] {scene_name} [scene]",
            "(change|switch|go|move) (then|now|back|over) to [the] {scene_name} [scene]",
            "(change|switch|go|move) [then|now|back] to [the] scene {scene_name}",
        ),
        verb="scene",
        noun=("scene", "scene change", "scene switch"),
        repeatable=True,
        aliases=("set_current_program_scene",),
    ),
    Method(
        "obs",
        "set_scene_item_enabled",
        (Param("source", "source"), Param("enabled", "boolean"), Param("scene_name", "scene", required=False)),
        ("show {source}", "hide {source}", "(show|unhide|display) [the] {source}", "hide [the] {source}"),
        fixed={0: {"enabled": True}, 1: {"enabled": False}, 2: {"enabled": True}, 3: {"enabled": False}},
        verb="source",
        noun=("source",),
        repeatable=True,
    ),
    Method(
        "obs",
        "set_input_mute",
        (Param("input_name", "source", slot="source"), Param("muted", "boolean")),
        ("mute {input_name}", "unmute {input_name}", "mute [the] {input_name}", "unmute [the] {input_name}"),
        fixed={0: {"muted": True}, 1: {"muted": False}, 2: {"muted": True}, 3: {"muted": False}},
        verb="mute",
        noun=("mute",),
        repeatable=True,
    ),
    Method(
        "obs",
        "start_streaming",
        (),
        ("start streaming", "start the stream"),
        verb="start_stream",
        right="broadcaster",
        repeatable=True,
    ),
    Method(
        "obs",
        "stop_streaming",
        (),
        ("stop streaming", "(stop|end) the stream"),
        verb="stop_stream",
        right="broadcaster",
        repeatable=True,
    ),
    Method(
        "obs",
        "start_recording",
        (),
        ("start recording", "start the recording"),
        verb="start_recording",
        repeatable=True,
    ),
    Method(
        "obs", "stop_recording", (), ("stop recording", "stop the recording"), verb="stop_recording", repeatable=True
    ),
    Method(
        "obs",
        "save_replay_buffer",
        (Param("filename", "text", required=False),),
        ("save the replay", "save the replay as {filename}", "save [the] replay [buffer]"),
        verb="replay",
        noun=("replay",),
    ),
)
