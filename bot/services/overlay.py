"""What the browser overlay can be asked to do."""

from typing import Final

from engine.declare import Method, Param

SERVICE: Final = "overlay"
_TEXT: Final = Param("text", "text")
_SECONDS: Final = Param("seconds", "seconds", required=False)

METHODS: Final = (
    Method(
        SERVICE,
        "play_sound",
        (Param("sound", "sound"),),
        (
            "play {sound}",
            "(play|do|hit|trigger|use) [the|a] [sound] {sound} [sound|sound effect]",
        ),
        verb="sound",
        noun=("sound", "sound effect"),
    ),
    Method(
        SERVICE,
        "show_text",
        (_TEXT, _SECONDS),
        ("show the text {text}", "show the text {text} for {seconds}"),
        verb="overlay",
        noun=("overlay text",),
    ),
    Method(
        SERVICE,
        "show_image",
        (Param("image", "text", slot="image"), _SECONDS),
        (
            "show the image {image}",
            "show the image {image} for {seconds}",
            "(show|display) [the|a] (picture|image) {image}",
            "(show|display) [the|a] (picture|image) {image} for {seconds}",
        ),
        verb="image",
        noun=("image", "picture"),
    ),
    Method(
        SERVICE,
        "show_countdown",
        (Param("seconds", "seconds"), Param("text", "text", required=False)),
        (
            "show a countdown of {seconds}",
            "show a countdown of {seconds} with {text}",
            "(show|display) [a|the] countdown (of|for|from) {seconds}",
        ),
        verb="countdown",
        noun=("overlay countdown",),
    ),
    Method(
        SERVICE,
        "show_alert",
        (
            _TEXT,
            Param("image", "text", required=False),
            Param("sound", "sound", required=False),
            _SECONDS,
        ),
        (
            "show the alert {text}",
            "show the alert {text} with the sound {sound}",
            "show the alert {text} for {seconds}",
            "(show|display) [an|the] alert [saying|that says] {text}",
        ),
        verb="alert",
        noun=("alert",),
    ),
    Method(
        SERVICE,
        "stop_sounds",
        (),
        ("stop the sounds", "(stop|silence) [all] [of] [the] (sounds|sound effects)"),
        verb="silence",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "clear",
        (),
        ("clear the overlay", "(clear|empty|wipe) [the] overlay"),
        verb="clear",
        repeatable=True,
    ),
)
