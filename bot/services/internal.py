"""What needs no platform: a line in the log, a comment, a pick at random. Waiting is the engine's own business."""

from typing import Final

from engine.declare import Method, Param

METHODS: Final = (
    Method(
        "internal",
        "log",
        (Param("message", "text", slot="text"), Param("level", "text", required=False, default="info")),
        ("log {message}", "log {message} as {level}"),
        verb="log",
        noun=("log", "log line"),
        repeatable=True,
    ),
    Method(
        "internal",
        "comment",
        (Param("text", "text"),),
        ("comment {text}",),
        verb="comment",
        noun=("comment",),
        repeatable=True,
    ),
    Method(
        "internal",
        "random_choice",
        (Param("options", "list"), Param("weights", "list", required=False)),
        verb="choice",
        noun=("random choice", "choice"),
        repeatable=True,
    ),
)
