"""Where events come from: one row for each kind of notification of Twitch, with what it needs and where its fields lie.

What a row cannot say - notifications that are several events, or none - is in `bot.twitch.wire`. A field is found by a path
into the notification's event; its type is the one that `engine.events` declares.
"""

from collections.abc import Collection, Mapping
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
        scopes: One of these is needed; `also`: and one of each of these.
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
    also: tuple[tuple[str, ...], ...] = ()
    conditions: tuple[tuple[str, ...], ...] = _CHANNEL

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """Every scope that is of any use to it."""
        return (*self.scopes, *(scope for group in self.also for scope in group))

    def lacks(self, granted: Collection[str]) -> tuple[str, ...]:
        """The scopes of which one is missing; nothing if all is granted that is needed."""
        groups = (self.scopes, *self.also)
        return next((group for group in groups if group and set(group).isdisjoint(granted)), ())


_REDEEMED: Final = {"reward": "reward.title", "redemption_id": "id", "cost": "reward.cost"}
_REDEMPTION: Final = {**_REDEEMED, "message": "user_input"}
_GOAL_END: Final = {"type": "type", "description": "description", "target": "target_amount"}
_GOAL: Final = {**_GOAL_END, "current": "current_amount"}
_MODERATOR: Final = {"moderator": "moderator_user_name"}
_HELD: Final = {"message": "message.text", "message_id": "message_id"}
_SHARED: Final = {"host": "host_broadcaster_user_name"}


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
        "subscription.upgraded",
        "gift.paid_forward",
        "bits_badge.earned",
        "watch_streak.shared",
        "raid.cancelled",
    ),
    _chat("channel.chat.message_delete", "message.deleted", who="target_user", fields={"message_id": "message_id"}),
    _chat("channel.chat.clear", "chat.cleared"),
    _chat("channel.chat.clear_user_messages", "messages.cleared", who="target_user"),
    _chat(
        "channel.chat_settings.update",
        "chat_mode.changed",
        fields={
            "emotes_only": "emote_mode",
            "followers_only": "follower_mode",
            "follower_minutes": "follower_mode_duration_minutes",
            "subscribers_only": "subscriber_mode",
            "slow": "slow_mode",
            "slow_seconds": "slow_mode_wait_time_seconds",
            "unique": "unique_chat_mode",
        },
    ),
    _chat("channel.chat.user_message_hold", "own_message.held", fields=_HELD),
    _chat("channel.chat.user_message_update", "own_message.decided", fields={**_HELD, "status": "status"}),
    Source(
        "channel.raid",
        ("raid.received", "raid.sent"),
        {"viewers": "viewers", "target": "to_broadcaster_user_name"},
        "from_broadcaster_user",
        owner="either",
        conditions=(("to_broadcaster_user_id",), ("from_broadcaster_user_id",)),
    ),
    Source("stream.online", ("stream.started",), natural=("id",), owner="either"),
    Source(
        "stream.offline", ("stream.ended",), natural=("id",), owner="either"
    ),  # Twitch names none: the front end does
    Source("channel.update", ("title.changed", "category.changed"), version="2", owner="either"),
    Source("channel.shared_chat.begin", ("shared_chat.started",), _SHARED, natural=("session_id",), owner="either"),
    Source("channel.shared_chat.update", ("shared_chat.changed",), _SHARED, owner="either"),
    Source("channel.shared_chat.end", ("shared_chat.ended",), _SHARED, natural=("session_id",), owner="either"),
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
    _moderated(
        "channel.unban_request.resolve",
        "unban.decided",
        _both("unban_requests"),
        "user",
        {**_MODERATOR, "message": "resolution_text", "request_id": "id", "status": "status"},
    ),
    _moderated(
        "channel.suspicious_user.message",
        "suspicious.wrote",
        ("moderator:read:suspicious_users",),
        "user",
        {
            "message": "message.text",
            "message_id": "message.message_id",
            "status": "low_trust_status",
            "evasion": "ban_evasion_evaluation",
        },
    ),
    _moderated(
        "channel.suspicious_user.update",
        "suspicious.changed",
        ("moderator:read:suspicious_users",),
        "user",
        {**_MODERATOR, "status": "low_trust_status"},
    ),
    _moderated("channel.warning.send", "warning.sent", _both("warnings"), "user", {**_MODERATOR, "reason": "reason"}),
    _moderated("channel.warning.acknowledge", "warning.acknowledged", _both("warnings"), "user"),
    _moderated(
        "automod.message.hold",
        "automod.held",
        ("moderator:manage:automod",),
        "user",
        {**_HELD, "category": "category"},
    ),
    _moderated(
        "automod.message.update",
        "automod.decided",
        ("moderator:manage:automod",),
        "user",
        {**_MODERATOR, **_HELD, "category": "category", "status": "status"},
    ),
    _moderated(
        "automod.settings.update",
        "automod.changed",
        ("moderator:read:automod_settings",),
        fields={**_MODERATOR, "level": "overall_level"},
    ),
    _moderated(
        "automod.terms.update",
        "automod.terms_changed",
        ("moderator:manage:automod",),
        fields={**_MODERATOR, "action": "action", "terms": "terms", "automatic": "from_automod"},
    ),
    Source(
        "channel.moderate",
        ("moderation.done",),
        {**_MODERATOR, "action": "action"},
        version="2",
        owner="either",
        scopes=("moderator:read:moderators",),
        also=(
            ("moderator:read:vips",),
            *(
                _both(area)
                for area in (
                    "banned_users",
                    "blocked_terms",
                    "chat_messages",
                    "chat_settings",
                    "unban_requests",
                    "warnings",
                )
            ),
        ),
        conditions=_MODERATED,
    ),
    Source(
        "channel.subscription.end",
        ("subscription.ended",),
        {"tier": "tier"},
        "user",
        scopes=("channel:read:subscriptions",),
    ),
    Source(
        "channel.bits.use",
        ("bits.used",),
        {"bits": "bits", "type": "type", "message": "message.text"},
        "user",
        scopes=("bits:read",),
    ),
    Source(
        "channel.custom_power_up_redemption.add",
        ("power_up.redeemed",),
        {"power_up": "custom_power_up.title", "message": "user_input", "redemption_id": "id"},
        "user",
        ("id",),
        scopes=("bits:read",),
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
        "channel.channel_points_custom_reward.update",
        ("reward.changed",),
        {"reward": "title", "cost": "cost", "enabled": "is_enabled", "paused": "is_paused"},
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
    Source("channel.poll.progress", ("poll.progressed",), {"title": "title"}, scopes=_either("polls")),
    Source("channel.poll.end", ("poll.ended",), {"title": "title"}, natural=("id", "status"), scopes=_either("polls")),
    Source(
        "channel.prediction.begin",
        ("prediction.started",),
        {"title": "title"},
        natural=("id",),
        scopes=_either("predictions"),
    ),
    Source(
        "channel.prediction.progress", ("prediction.progressed",), {"title": "title"}, scopes=_either("predictions")
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
        "channel.charity_campaign.progress",
        ("charity.progressed",),
        {"charity": "charity_name", "currency": "current_amount.currency"},
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
    Source("user.update", ("profile.changed",), {"description": "description"}, conditions=(("user_id",),)),
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

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "channel.subscribe": "told by channel.chat.notification, with who gave it and for how long",
        "channel.subscription.gift": "told by channel.chat.notification",
        "channel.subscription.message": "told by channel.chat.notification",
        "channel.guest_star_session.begin": "a beta that may change or go any day",
        "channel.guest_star_session.end": "a beta that may change or go any day",
        "channel.guest_star_guest.update": "a beta that may change or go any day",
        "channel.guest_star_settings.update": "a beta that may change or go any day",
        "conduit.shard.disabled": "for conduits, which a bot of one channel has none of",
        "drop.entitlement.grant": "for organizations, by webhook only",
        "extension.bits_transaction.create": "for extensions, by webhook only",
        "user.authorization.grant": "not told over websockets",
        "user.authorization.revoke": "not told over websockets; a sign-in that ends is noticed when it is used",
    }
)
"""The kinds of notification that nobody here hears, and why."""

ALWAYS: Final = frozenset({"channel.chat.message", "stream.online", "stream.offline", "channel.update"})
"""Heard whatever workflows ask for: instructions come by chat, and guards ask what is known of the stream."""

IF_GRANTED: Final = frozenset({"channel.moderator.add", "channel.moderator.remove"})
"""Heard whatever workflows ask for where it may be: what a moderator wrote does not go on in the name of one who is none."""

FOUND: Final = frozenset({"message.first", "clip.created"})
"""The events that no notification tells of: they are found by what was known before, or by looking."""

BY_TYPE: Final[Mapping[str, Source]] = MappingProxyType({source.type: source for source in SOURCES})
