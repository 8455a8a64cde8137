"""What Discord can be asked to do. A channel is its name without `#`, or its id."""

from typing import Final

from engine.declare import Method, Param

METHODS: Final = (
    Method(
        "discord",
        "send_message",
        (Param("channel_id", "channel", required=False, slot="channel"), Param("message", "text", slot="text")),
        (
            "post {message} in {channel_id}",
            "post {message} in discord",
            "(post|say|send|write|put) {message} (in|to|on|into) [the] [discord] {channel_id} [channel]",
            "(post|say|send|write|put) (in|to|on|into) [the] [discord] {channel_id} [channel] [that|saying] {message}",
            "(post|say|send|write|put) {message} (in|to|on|into) [the] discord",
            "(post|say|send|write|put|tell) (in|to|on|into) [the] discord [that|saying] {message}",
            "(tell|message|remind) [the] discord [that] {message}",
        ),
        verb="post",
        noun=("discord post", "discord message", "post", "discord msg"),
        aliases=("send_channel_message",),
    ),
    Method(
        "discord",
        "edit_message",
        (Param("message_id", "text"), Param("message", "text", slot="text")),
        ("edit the discord message {message_id} to {message}",),
        verb="edit",
        noun=("edit", "discord edit"),
        repeatable=True,
    ),
    Method(
        "discord",
        "add_reaction",
        (Param("message_id", "text"), Param("emoji", "text")),
        ("react to the discord message {message_id} with {emoji}",),
        verb="react",
        noun=("reaction",),
        repeatable=True,
    ),
    Method(
        "discord",
        "add_role",
        (Param("user", "user"), Param("role", "text")),
        ("give {user} the discord role {role}",),
        verb="role",
        noun=("role",),
        repeatable=True,
        right="broadcaster",
    ),
    Method(
        "discord",
        "remove_role",
        (Param("user", "user"), Param("role", "text")),
        ("take the discord role {role} from {user}",),
        verb="unrole",
        noun=("role removal",),
        repeatable=True,
        right="broadcaster",
    ),
)
