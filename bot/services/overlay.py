"""What the browser overlay can be asked to do."""

from typing import Final

from engine.declare import Method, Param

METHODS: Final = (
    Method(
        "overlay",
        "play_sound",
        (Param("sound", "sound"),),
        (
            "play {sound}",
            "(play|do|hit|trigger|use) [the|a] [sound] {sound} [sound|sound effect]",
            "{sound} (sound|sound effect|sfx)",
        ),
        verb="sound",
        noun=("sound", "sound effect"),
    ),
    Method(
        "overlay",
        "show_text",
        (Param("text", "text"), Param("seconds", "seconds", required=False)),
        ("show the text {text}", "show the text {text} for {seconds}"),
        verb="overlay",
        noun=("overlay text",),
    ),
)
