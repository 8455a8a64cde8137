"""Where events come from: one row for each kind of notification of Twitch, with what it needs and where its fields lie.

What a row cannot say - notifications that are several events, or none - is in `bot.twitch.wire`. A field is found by a path
into the notification's event; its type is the one that `engine.events` declares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Owner: TypeAlias = Literal["bot", "broadcaster", "either"]

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_CHANNEL: Final = (("broadcaster_user_id",),)
_MODERATED: Final = (("broadcaster_user_id", "moderator_user_id"),)
_CHAT: Final = (("broadcaster_user_id", "user_id"),)


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of notification.

    Attributes:
        type: As Twitch names it.
        version: Of the notification.
        events: What it can become, by canonical names; the first where nothing else is said.
        fields: Where each field lies.
        who: What the keys of the person it is about begin with; None if it is about nobody.
        natural: Paths to what tells it apart from any other, if Twitch repeats it under a new id.
        owner: In whose name it is subscribed to; either = the broadcaster's if that account may, else the bot's.
        scopes: One of these is needed.
        conditions: The keys of each condition it is subscribed to with.
    """

    type: str
    events: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=lambda: _NONE)
    who: str | None = None
    natural: tuple[str, ...] = ()
    version: str = "1"
    owner: Owner = "broadcaster"
    scopes: tuple[str, ...] = ()
    conditions: tuple[tuple[str, ...], ...] = _CHANNEL


_REDEEMED: Final = {"reward": "reward.title", "redemption_id": "id", "cost": "reward.cost"}
_REDEMPTION: Final = {**_REDEEMED, "message": "user_input"}
_GOAL_END: Final = {"type": "type", "description": "description", "target": "target_amount"}
_GOAL: Final = {**_GOAL_END, "current": "current_amount"}
_MODERATOR: Final = {"moderator": "moderator_user_name"}


def _chat(type: str, *events: str, who: str | None = None, fields: Mapping[str, str] = _NONE) -> Source:
    return Source(type, events, fields, who, owner="bot", scopes=("user:read:chat",), conditions=_CHAT)


def _moderated(
    type: str,
    event: str,
    scopes: tuple[str, ...],
    who: str | None = None,
    fields: Mapping[str, str] = _NONE,
    **more: str,
) -> Source:
    return Source(
        type,
        (event,),
        fields,
        who,
        owner="either",
        scopes=scopes,
        conditions=_MODERATED,
        version=more.get("version", "1"),
    )


def _both(area: str) -> tuple[str, ...]:
    return (f"moderator:read:{area}", f"moderator:manage:{area}")


def _either(area: str) -> tuple[str, ...]:
    return (f"channel:read:{area}", f"channel:manage:{area}")


SOURCES: Final = (
    _chat("channel.chat.message", "message.received"),
    _chat(
        "channel.chat.notification",
        "subscription.received",
        "resubscription.received",
        "gift.received",
        "announcement.made",
    ),
    _chat("channel.chat.message_delete", "message.deleted", who="target_user", fields={"message_id": "message_id"}),
    _chat("channel.chat.clear", "chat.cleared"),
    Source(
        "channel.raid",
        ("raid.received", "raid.sent"),
        {"viewers": "viewers", "target": "to_broadcaster_user_name"},
        "from_broadcaster_user",
        owner="either",
        conditions=(("to_broadcaster_user_id",), ("from_broadcaster_user_id",)),
    ),
    Source("stream.online", ("stream.started",), natural=("id",), owner="either"),
    Source("stream.offline", ("stream.ended",), owner="either"),
    Source("channel.update", ("title.changed", "category.changed"), version="2", owner="either"),
    _moderated("channel.follow", "follow.received", ("moderator:read:followers",), "user", version="2"),
    _moderated(
        "channel.shoutout.create",
        "shoutout.sent",
        _both("shoutouts"),
        "to_broadcaster_user",
        {**_MODERATOR, "viewers": "viewer_count"},
    ),
    _moderated(
        "channel.shoutout.receive",
        "shoutout.received",
        _both("shoutouts"),
        "from_broadcaster_user",
        {"viewers": "viewer_count"},
    ),
    _moderated("channel.shield_mode.begin", "shield_mode.started", _both("shield_mode"), fields=_MODERATOR),
    _moderated("channel.shield_mode.end", "shield_mode.ended", _both("shield_mode"), fields=_MODERATOR),
    _moderated(
        "channel.unban_request.create",
        "unban.requested",
        _both("unban_requests"),
        "user",
        {"message": "text", "request_id": "id"},
    ),
    _moderated("channel.warning.send", "warning.sent", _both("warnings"), "user", {**_MODERATOR, "reason": "reason"}),
    _moderated("channel.warning.acknowledge", "warning.acknowledged", _both("warnings"), "user"),
    _moderated(
        "automod.message.hold",
        "automod.held",
        ("moderator:manage:automod",),
        "user",
        {"message": "message.text", "message_id": "message_id", "category": "category"},
    ),
    Source(
        "channel.subscription.end",
        ("subscription.ended",),
        {"tier": "tier"},
        "user",
        scopes=("channel:read:subscriptions",),
    ),
    Source("channel.cheer", ("cheer.received",), {"bits": "bits", "message": "message"}, "user", scopes=("bits:read",)),
    Source(
        "channel.channel_points_custom_reward_redemption.add",
        ("reward.redeemed",),
        _REDEMPTION,
        "user",
        ("id",),
        scopes=_either("redemptions"),
    ),
    Source(
        "channel.channel_points_custom_reward_redemption.update",
        ("redemption.updated",),
        {**_REDEEMED, "status": "status"},
        "user",
        ("id", "status"),
        scopes=_either("redemptions"),
    ),
    Source(
        "channel.channel_points_automatic_reward_redemption.add",
        ("reward.automatic",),
        {"reward": "reward.type", "message": "message.text", "redemption_id": "id", "cost": "reward.channel_points"},
        "user",
        ("id",),
        version="2",
        scopes=_either("redemptions"),
    ),
    Source(
        "channel.channel_points_custom_reward.add",
        ("reward.created",),
        {"reward": "title", "cost": "cost"},
        natural=("id",),
        scopes=_either("redemptions"),
    ),
    Source(
        "channel.channel_points_custom_reward.remove",
        ("reward.removed",),
        {"reward": "title", "cost": "cost"},
        natural=("id",),
        scopes=_either("redemptions"),
    ),
    Source("channel.poll.begin", ("poll.started",), {"title": "title"}, natural=("id",), scopes=_either("polls")),
    Source("channel.poll.end", ("poll.ended",), {"title": "title"}, natural=("id", "status"), scopes=_either("polls")),
    Source(
        "channel.prediction.begin",
        ("prediction.started",),
        {"title": "title"},
        natural=("id",),
        scopes=_either("predictions"),
    ),
    Source(
        "channel.prediction.lock",
        ("prediction.locked",),
        {"title": "title"},
        natural=("id",),
        scopes=_either("predictions"),
    ),
    Source(
        "channel.prediction.end",
        ("prediction.ended",),
        {"title": "title"},
        natural=("id", "status"),
        scopes=_either("predictions"),
    ),
    Source(
        "channel.hype_train.begin",
        ("hype_train.started",),
        {"level": "level"},
        natural=("id",),
        version="2",
        scopes=("channel:read:hype_train",),
    ),
    Source(
        "channel.hype_train.progress",
        ("hype_train.progressed",),
        {"level": "level", "total": "total", "goal": "goal"},
        natural=("id", "total"),
        version="2",
        scopes=("channel:read:hype_train",),
    ),
    Source(
        "channel.hype_train.end",
        ("hype_train.ended",),
        {"level": "level"},
        natural=("id",),
        version="2",
        scopes=("channel:read:hype_train",),
    ),
    Source("channel.goal.begin", ("goal.started",), _GOAL, natural=("id",), scopes=("channel:read:goals",)),
    Source("channel.goal.progress", ("goal.progressed",), _GOAL, scopes=("channel:read:goals",)),
    Source(
        "channel.goal.end",
        ("goal.ended",),
        {**_GOAL_END, "achieved": "is_achieved"},
        natural=("id",),
        scopes=("channel:read:goals",),
    ),
    Source(
        "channel.charity_campaign.donate",
        ("charity.donated",),
        {"charity": "charity_name", "currency": "amount.currency"},
        "user",
        ("id",),
        scopes=("channel:read:charity",),
    ),
    Source(
        "channel.charity_campaign.start",
        ("charity.started",),
        {"charity": "charity_name"},
        natural=("id",),
        scopes=("channel:read:charity",),
    ),
    Source(
        "channel.charity_campaign.stop",
        ("charity.ended",),
        {"charity": "charity_name"},
        natural=("id",),
        scopes=("channel:read:charity",),
    ),
    Source("channel.ban", ("user.banned", "user.timed_out"), who="user", scopes=("channel:moderate",)),
    Source("channel.unban", ("user.unbanned",), _MODERATOR, "user", scopes=("channel:moderate",)),
    Source("channel.moderator.add", ("moderator.added",), who="user", scopes=("moderation:read",)),
    Source("channel.moderator.remove", ("moderator.removed",), who="user", scopes=("moderation:read",)),
    Source("channel.vip.add", ("vip.added",), who="user", scopes=_either("vips")),
    Source("channel.vip.remove", ("vip.removed",), who="user", scopes=_either("vips")),
    Source(
        "channel.ad_break.begin",
        ("ad.started",),
        {"seconds": "duration_seconds"},
        natural=("started_at",),
        scopes=_either("ads"),
    ),
    Source(
        "user.whisper.message",
        ("whisper.received",),
        {"message": "whisper.text"},
        "from_user",
        ("whisper_id",),
        owner="bot",
        scopes=("user:read:whispers", "user:manage:whispers"),
        conditions=(("user_id",),),
    ),
)

ALWAYS: Final = frozenset({"channel.chat.message", "stream.online", "stream.offline", "channel.update"})
"""Heard whatever workflows ask for: instructions come by chat, and guards ask what is known of the stream."""

BY_TYPE: Final[Mapping[str, Source]] = MappingProxyType({source.type: source for source in SOURCES})
