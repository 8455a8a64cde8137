"""What can happen: one table of event types with their canonical names, fields, aliases and words.

Names are past tense and dotted. A workflow may write any alias; matching goes by the canonical name. This table knows no
platform library: front ends turn what they receive into these names and fields. Plugins may add to the table what they
can tell of; like the code of a plugin that holds for the whole process.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

FieldType: TypeAlias = Literal["text", "number", "boolean", "list", "user"]
Platform: TypeAlias = Literal["twitch", "discord", "obs", "bot"]


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event.

    Attributes:
        name: Canonical dotted name.
        platform: Where it comes from.
        clause: Canonical words after "when", such as `a raid comes in`.
        fields: What it carries, with types. `user` is always whom it is about.
        aliases: Other names a definition may use.
        measure: The field that is counted in words, if any ("a raid of more than 5 viewers").
        noun: The word before "of more than ..." when measured.
        unit: The word after the number; the measure's own name unless said otherwise.
    """

    name: str
    platform: Platform
    clause: str
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    measure: str | None = None
    noun: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        id: Unique; the platform's own id where it has one. A second event with the same id is the same event.
        name: Canonical name, or any dotted name for events of our own.
        at: UTC seconds since 1970.
        community: Whose event it is.
        payload: The fields. `user` is {"name": ..., "roles": [...]}.
        natural: A second de-duplication key made from the content, if the platform repeats events under new ids.
        own: True for what the bot itself said or did.
        depth: How many of our own events led to this one.
        cause: The execution that emitted it, if one did.
        caller: Who started the outermost of the runs that led to it; counts for rights in place of `user`.
    """

    id: str
    name: str
    at: float
    community: str
    payload: Mapping[str, Any]
    natural: str | None = None
    own: bool = False
    depth: int = 0
    cause: str | None = None
    caller: Mapping[str, Any] | None = None

    @property
    def behind(self) -> Any:
        """Whose rights count: whom it is about; of an event of our own only who started the runs that led to it."""
        return self.payload.get("user") if self.cause is None and self.caller is None else self.caller


_USER: Final[Mapping[str, FieldType]] = MappingProxyType({"user": "user"})


def _with_user(**fields: FieldType) -> Mapping[str, FieldType]:
    return MappingProxyType({**_USER, **fields})


_MESSAGE = _with_user(message="text", command="text", arguments="text", words="number", message_id="text")

_SOURCE: Final[Mapping[str, FieldType]] = MappingProxyType({"source": "text"})
_PLACED: Final[Mapping[str, FieldType]] = MappingProxyType({"source": "text", "scene": "text"})
_FILTER: Final[Mapping[str, FieldType]] = MappingProxyType({"source": "text", "filter": "text"})
_TRANSITION: Final[Mapping[str, FieldType]] = MappingProxyType({"transition": "text"})
_PATH: Final[Mapping[str, FieldType]] = MappingProxyType({"path": "text"})
_NONE: Final[Mapping[str, FieldType]] = MappingProxyType({})

_OBS: Final[tuple[tuple[str, str, Mapping[str, FieldType]], ...]] = (
    ("obs.connected", "obs connects", _NONE),
    ("obs.disconnected", "obs disconnects", _NONE),
    ("obs.closed", "obs is closed", _NONE),
    ("obs.preview.changed", "the preview scene changes", {"scene": "text"}),
    ("obs.scene.created", "a scene is created", {"scene": "text"}),
    ("obs.scene.removed", "a scene is removed", {"scene": "text"}),
    ("obs.scene.renamed", "a scene is renamed", {"scene": "text", "before": "text"}),
    ("obs.source.added", "a source is added to a scene", _PLACED),
    ("obs.source.removed", "a source is removed from a scene", _PLACED),
    ("obs.source.shown", "a source is shown", _PLACED),
    ("obs.source.hidden", "a source is hidden", _PLACED),
    ("obs.source.locked", "a source is locked", _PLACED),
    ("obs.source.unlocked", "a source is unlocked", _PLACED),
    ("obs.source.selected", "a source is selected", _PLACED),
    ("obs.source.reordered", "the sources of a scene are reordered", {"scene": "text"}),
    ("obs.input.created", "a source is created", {"source": "text", "kind": "text"}),
    ("obs.input.removed", "a source is removed", _SOURCE),
    ("obs.input.renamed", "a source is renamed", {"source": "text", "before": "text"}),
    ("obs.input.changed", "the settings of a source change", _SOURCE),
    ("obs.input.muted", "a source is muted", _SOURCE),
    ("obs.input.unmuted", "a source is unmuted", _SOURCE),
    ("obs.volume.changed", "the volume of a source changes", {**_SOURCE, "percent": "number", "decibels": "number"}),
    ("obs.audio.balanced", "the balance of a source changes", {**_SOURCE, "balance": "number"}),
    ("obs.audio.shifted", "the sync offset of a source changes", {**_SOURCE, "offset": "number"}),
    ("obs.audio.routed", "the audio tracks of a source change", _SOURCE),
    ("obs.audio.monitored", "the audio monitoring of a source changes", {**_SOURCE, "monitor": "text"}),
    ("obs.media.started", "a media source starts", _SOURCE),
    ("obs.media.ended", "a media source ends", _SOURCE),
    ("obs.media.controlled", "a media source is controlled", {**_SOURCE, "action": "text"}),
    ("obs.filter.created", "a filter is created", _FILTER),
    ("obs.filter.removed", "a filter is removed", _FILTER),
    ("obs.filter.renamed", "a filter is renamed", {**_FILTER, "before": "text"}),
    ("obs.filter.changed", "the settings of a filter change", _FILTER),
    ("obs.filter.reordered", "the filters of a source are reordered", _SOURCE),
    ("obs.filter.enabled", "a filter is turned on", _FILTER),
    ("obs.filter.disabled", "a filter is turned off", _FILTER),
    ("obs.transition.changed", "the scene transition is replaced", _TRANSITION),
    ("obs.transition.timed", "the length of the scene transition changes", {"milliseconds": "number"}),
    ("obs.transition.started", "a scene transition starts", _TRANSITION),
    ("obs.transition.ended", "a scene transition ends", _TRANSITION),
    ("obs.transition.shown", "the video of a scene transition ends", _TRANSITION),
    ("obs.stream.started", "obs starts streaming", _NONE),
    ("obs.stream.ended", "obs stops streaming", _NONE),
    ("obs.stream.lost", "obs loses the stream server", _NONE),
    ("obs.stream.regained", "obs reaches the stream server again", _NONE),
    ("obs.recording.started", "the recording starts", _PATH),
    ("obs.recording.ended", "the recording ends", _PATH),
    ("obs.recording.paused", "the recording is paused", _PATH),
    ("obs.recording.resumed", "the recording is resumed", _PATH),
    ("obs.recording.split", "the recording goes on in another file", _PATH),
    ("obs.replay.started", "the replay buffer starts", _NONE),
    ("obs.replay.ended", "the replay buffer ends", _NONE),
    ("obs.replay.saved", "a replay is saved", _PATH),
    ("obs.camera.started", "the virtual camera starts", _NONE),
    ("obs.camera.ended", "the virtual camera ends", _NONE),
    ("obs.collection.changed", "the scene collection changes", {"collection": "text"}),
    ("obs.profile.changed", "the obs profile changes", {"profile": "text"}),
    ("obs.studio_mode.started", "studio mode starts", _NONE),
    ("obs.studio_mode.ended", "studio mode ends", _NONE),
    ("obs.screenshot.saved", "obs saves a screenshot", _PATH),
    ("obs.vendor.told", "a plugin of obs tells something", {"vendor": "text", "kind": "text"}),
    ("obs.custom.told", "a program tells obs something", _NONE),
)
"""Names, words and fields of what OBS tells besides the change of its scene."""

TYPES: Final[tuple[EventType, ...]] = (
    EventType(
        "message.received",
        "twitch",
        "someone writes in chat",
        _MESSAGE,
        ("message", "chat", "chat_message", "chat.message", "twitch.message"),
    ),
    EventType(
        "message.first",
        "twitch",
        "someone chats for the first time",
        _MESSAGE,
        ("first_chat", "first_message", "chat.first"),
    ),
    EventType(
        "follow.received",
        "twitch",
        "someone follows",
        _USER,
        ("follow", "new_follower", "follower", "channel.follow", "twitch.follow", "followed"),
    ),
    EventType(
        "subscription.received",
        "twitch",
        "someone subscribes",
        _with_user(tier="text", months="number", gift_id="text", gifter="text"),
        ("sub", "subscribe", "subscription", "new_subscriber", "subscriber", "channel.subscribe", "twitch.sub"),
    ),
    EventType(
        "resubscription.received",
        "twitch",
        "someone resubscribes",
        _with_user(tier="text", months="number", message="text"),
        ("resub", "resubscribe", "channel.subscription.message"),
        "months",
        "resub",
    ),
    EventType(
        "gift.received",
        "twitch",
        "someone gifts subs",
        _with_user(count="number", tier="text", gift_id="text", gifter="text"),
        ("gift_sub", "gift", "gift_bomb", "community_gift", "channel.subscription.gift"),
        "count",
        "gift",
        "subs",
    ),
    EventType(
        "cheer.received",
        "twitch",
        "someone cheers",
        _with_user(bits="number", message="text"),
        ("cheer", "bits", "channel.cheer", "twitch.cheer"),
        "bits",
        "cheer",
    ),
    EventType(
        "raid.received",
        "twitch",
        "a raid comes in",
        _with_user(viewers="number"),
        ("raid", "incoming_raid", "channel.raid", "twitch.raid", "raided"),
        "viewers",
        "raid",
    ),
    EventType(
        "reward.redeemed",
        "twitch",
        "someone redeems a reward",
        _with_user(reward="text", message="text", redemption_id="text", cost="number"),
        (
            "redeem",
            "redemption",
            "channel_points",
            "channel.channel_points_custom_reward_redemption.add",
            "twitch.redeem",
        ),
    ),
    EventType(
        "stream.started",
        "twitch",
        "the stream starts",
        MappingProxyType({"title": "text", "category": "text"}),
        ("stream_started", "stream_online", "stream.online", "live", "go_live", "went_live"),
    ),
    EventType(
        "stream.ended",
        "twitch",
        "the stream ends",
        MappingProxyType({}),
        ("stream_ended", "stream_offline", "stream.offline", "offline", "stream_stopped"),
    ),
    EventType(
        "category.changed",
        "twitch",
        "the category changes",
        MappingProxyType({"category": "text", "before": "text"}),
        ("game_changed", "category_changed"),
    ),
    EventType(
        "title.changed",
        "twitch",
        "the title changes",
        MappingProxyType({"title": "text", "before": "text"}),
        ("title_changed",),
    ),
    EventType(
        "hype_train.started",
        "twitch",
        "a hype train starts",
        MappingProxyType({"level": "number"}),
        ("hype_train", "hype_train_start", "channel.hype_train.begin"),
    ),
    EventType(
        "hype_train.ended",
        "twitch",
        "a hype train ends",
        MappingProxyType({"level": "number"}),
        ("hype_train_end", "channel.hype_train.end"),
    ),
    EventType(
        "clip.created", "twitch", "a clip is made", _with_user(url="text", title="text"), ("clip", "clip_created")
    ),
    EventType(
        "ad.started",
        "twitch",
        "an ad break starts",
        MappingProxyType({"seconds": "number"}),
        ("ad", "ad_break", "channel.ad_break.begin"),
    ),
    EventType(
        "poll.ended",
        "twitch",
        "a poll ends",
        MappingProxyType({"title": "text", "winner": "text"}),
        ("poll_end", "channel.poll.end"),
    ),
    EventType(
        "prediction.ended",
        "twitch",
        "a prediction ends",
        MappingProxyType({"title": "text", "winner": "text"}),
        ("prediction_end", "channel.prediction.end"),
    ),
    EventType(
        "poll.started",
        "twitch",
        "a poll starts",
        MappingProxyType({"title": "text", "choices": "list"}),
        ("poll_start", "channel.poll.begin"),
    ),
    EventType(
        "prediction.started",
        "twitch",
        "a prediction starts",
        MappingProxyType({"title": "text", "outcomes": "list"}),
        ("prediction_start", "channel.prediction.begin"),
    ),
    EventType(
        "prediction.locked",
        "twitch",
        "a prediction locks",
        MappingProxyType({"title": "text"}),
        ("prediction_lock", "channel.prediction.lock"),
    ),
    EventType(
        "hype_train.progressed",
        "twitch",
        "a hype train goes on",
        MappingProxyType({"level": "number", "total": "number", "goal": "number"}),
        ("hype_train_progress", "channel.hype_train.progress"),
    ),
    EventType(
        "subscription.ended",
        "twitch",
        "a subscription ends",
        _with_user(tier="text"),
        ("subscription_end", "unsubscribe", "channel.subscription.end"),
    ),
    EventType(
        "message.deleted",
        "twitch",
        "a message is deleted",
        _with_user(message_id="text"),
        ("message_delete", "channel.chat.message_delete"),
    ),
    EventType(
        "chat.cleared", "twitch", "the chat is cleared", MappingProxyType({}), ("chat_clear", "channel.chat.clear")
    ),
    EventType(
        "announcement.made",
        "twitch",
        "an announcement is made",
        _with_user(message="text", color="text"),
        ("announcement",),
    ),
    EventType(
        "raid.sent",
        "twitch",
        "a raid goes out",
        MappingProxyType({"target": "text", "viewers": "number"}),
        ("raid_out", "outgoing_raid"),
    ),
    EventType(
        "shoutout.sent",
        "twitch",
        "a shoutout is given",
        _with_user(moderator="text", viewers="number"),
        ("shoutout_create", "channel.shoutout.create"),
    ),
    EventType(
        "shoutout.received",
        "twitch",
        "a shoutout comes in",
        _with_user(viewers="number"),
        ("shoutout_receive", "channel.shoutout.receive"),
    ),
    EventType(
        "user.banned",
        "twitch",
        "someone is banned",
        _with_user(reason="text", moderator="text"),
        ("ban", "banned"),
    ),
    EventType(
        "user.timed_out",
        "twitch",
        "someone is timed out",
        _with_user(seconds="number", reason="text", moderator="text"),
        ("timed_out",),
    ),
    EventType(
        "user.unbanned",
        "twitch",
        "someone is unbanned",
        _with_user(moderator="text"),
        ("unban", "unbanned", "channel.unban"),
    ),
    EventType(
        "moderator.added", "twitch", "someone becomes a moderator", _USER, ("moderator_add", "channel.moderator.add")
    ),
    EventType(
        "moderator.removed",
        "twitch",
        "someone is no longer a moderator",
        _USER,
        ("moderator_remove", "channel.moderator.remove"),
    ),
    EventType("vip.added", "twitch", "someone becomes a vip", _USER, ("vip_add", "channel.vip.add")),
    EventType("vip.removed", "twitch", "someone is no longer a vip", _USER, ("vip_remove", "channel.vip.remove")),
    EventType(
        "shield_mode.started",
        "twitch",
        "shield mode starts",
        MappingProxyType({"moderator": "text"}),
        ("shield_mode_begin", "channel.shield_mode.begin"),
    ),
    EventType(
        "shield_mode.ended",
        "twitch",
        "shield mode ends",
        MappingProxyType({"moderator": "text"}),
        ("shield_mode_end", "channel.shield_mode.end"),
    ),
    EventType(
        "unban.requested",
        "twitch",
        "someone asks to be unbanned",
        _with_user(message="text", request_id="text"),
        ("unban_request", "channel.unban_request.create"),
    ),
    EventType(
        "warning.sent",
        "twitch",
        "someone is warned",
        _with_user(reason="text", moderator="text"),
        ("warning", "warned", "channel.warning.send"),
    ),
    EventType(
        "warning.acknowledged",
        "twitch",
        "someone accepts a warning",
        _USER,
        ("warning_acknowledge", "channel.warning.acknowledge"),
    ),
    EventType(
        "automod.held",
        "twitch",
        "automod holds a message",
        _with_user(message="text", message_id="text", category="text"),
        ("automod_hold", "automod.message.hold"),
    ),
    EventType(
        "goal.started",
        "twitch",
        "a goal starts",
        MappingProxyType({"type": "text", "description": "text", "current": "number", "target": "number"}),
        ("goal_begin", "channel.goal.begin"),
    ),
    EventType(
        "goal.progressed",
        "twitch",
        "a goal goes on",
        MappingProxyType({"type": "text", "description": "text", "current": "number", "target": "number"}),
        ("goal_progress", "channel.goal.progress"),
    ),
    EventType(
        "goal.ended",
        "twitch",
        "a goal ends",
        MappingProxyType({"type": "text", "description": "text", "achieved": "boolean", "target": "number"}),
        ("goal_end", "channel.goal.end"),
    ),
    EventType(
        "charity.donated",
        "twitch",
        "someone donates to charity",
        _with_user(charity="text", amount="number", currency="text"),
        ("donation", "charity_donation", "channel.charity_campaign.donate"),
        "amount",
        "donation",
        "units",
    ),
    EventType(
        "charity.started",
        "twitch",
        "a charity campaign starts",
        MappingProxyType({"charity": "text"}),
        ("charity_start", "channel.charity_campaign.start"),
    ),
    EventType(
        "charity.ended",
        "twitch",
        "a charity campaign ends",
        MappingProxyType({"charity": "text"}),
        ("charity_stop", "channel.charity_campaign.stop"),
    ),
    EventType(
        "reward.created",
        "twitch",
        "a reward is created",
        MappingProxyType({"reward": "text", "cost": "number"}),
        ("custom_reward_add", "channel.channel_points_custom_reward.add"),
    ),
    EventType(
        "reward.removed",
        "twitch",
        "a reward is removed",
        MappingProxyType({"reward": "text", "cost": "number"}),
        ("custom_reward_remove", "channel.channel_points_custom_reward.remove"),
    ),
    EventType(
        "redemption.updated",
        "twitch",
        "a redemption is settled",
        _with_user(reward="text", redemption_id="text", status="text", cost="number"),
        ("redemption_update", "channel.channel_points_custom_reward_redemption.update"),
    ),
    EventType(
        "reward.automatic",
        "twitch",
        "someone redeems a built-in reward",
        _with_user(reward="text", message="text", redemption_id="text", cost="number"),
        ("automatic_redemption", "channel.channel_points_automatic_reward_redemption.add"),
    ),
    EventType(
        "whisper.received",
        "twitch",
        "someone whispers",
        _with_user(message="text"),
        ("whisper", "user.whisper.message"),
    ),
    EventType(
        "messages.cleared",
        "twitch",
        "all messages of someone are deleted",
        _USER,
        ("clear_user_messages", "channel.chat.clear_user_messages"),
    ),
    EventType(
        "chat_mode.changed",
        "twitch",
        "the chat mode changes",
        MappingProxyType(
            {
                "emotes_only": "boolean",
                "followers_only": "boolean",
                "follower_minutes": "number",
                "subscribers_only": "boolean",
                "slow": "boolean",
                "slow_seconds": "number",
                "unique": "boolean",
            }
        ),
        ("chat_settings_update", "channel.chat_settings.update"),
    ),
    EventType(
        "own_message.held",
        "twitch",
        "automod holds my message",
        MappingProxyType({"message": "text", "message_id": "text"}),
        ("user_message_hold", "channel.chat.user_message_hold"),
    ),
    EventType(
        "own_message.decided",
        "twitch",
        "my held message is decided",
        MappingProxyType({"message": "text", "message_id": "text", "status": "text"}),
        ("user_message_update", "channel.chat.user_message_update"),
    ),
    EventType(
        "shared_chat.started",
        "twitch",
        "a shared chat starts",
        MappingProxyType({"host": "text", "channels": "list"}),
        ("shared_chat_begin", "channel.shared_chat.begin"),
    ),
    EventType(
        "shared_chat.changed",
        "twitch",
        "a shared chat changes",
        MappingProxyType({"host": "text", "channels": "list"}),
        ("shared_chat_update", "channel.shared_chat.update"),
    ),
    EventType(
        "shared_chat.ended",
        "twitch",
        "a shared chat ends",
        MappingProxyType({"host": "text"}),
        ("shared_chat_end", "channel.shared_chat.end"),
    ),
    EventType(
        "unban.decided",
        "twitch",
        "an unban request is decided",
        _with_user(moderator="text", message="text", request_id="text", status="text"),
        ("unban_request_resolve", "channel.unban_request.resolve"),
    ),
    EventType(
        "suspicious.wrote",
        "twitch",
        "someone suspicious writes",
        _with_user(message="text", message_id="text", status="text", evasion="text"),
        ("suspicious_user_message", "channel.suspicious_user.message"),
    ),
    EventType(
        "suspicious.changed",
        "twitch",
        "the suspicion of someone changes",
        _with_user(moderator="text", status="text"),
        ("suspicious_user_update", "channel.suspicious_user.update"),
    ),
    EventType(
        "automod.decided",
        "twitch",
        "a held message is decided",
        _with_user(message="text", message_id="text", category="text", status="text", moderator="text"),
        ("automod_message_update", "automod.message.update"),
    ),
    EventType(
        "automod.changed",
        "twitch",
        "the automod settings change",
        MappingProxyType({"moderator": "text", "level": "number"}),
        ("automod_settings_update", "automod.settings.update"),
    ),
    EventType(
        "automod.terms_changed",
        "twitch",
        "the automod terms change",
        MappingProxyType({"moderator": "text", "action": "text", "terms": "list", "automatic": "boolean"}),
        ("automod_terms_update", "automod.terms.update"),
    ),
    EventType(
        "moderation.done",
        "twitch",
        "a moderator does something",
        MappingProxyType({"moderator": "text", "action": "text", "target": "text", "reason": "text"}),
        ("mod_action", "channel.moderate"),
    ),
    EventType(
        "bits.used",
        "twitch",
        "someone uses bits",
        _with_user(bits="number", type="text", message="text"),
        ("bits_use", "channel.bits.use"),
    ),
    EventType(
        "power_up.redeemed",
        "twitch",
        "someone redeems a power-up",
        _with_user(power_up="text", message="text", redemption_id="text"),
        ("power_up_redemption", "channel.custom_power_up_redemption.add"),
    ),
    EventType(
        "reward.changed",
        "twitch",
        "a reward is changed",
        MappingProxyType({"reward": "text", "cost": "number", "enabled": "boolean", "paused": "boolean"}),
        ("custom_reward_update", "channel.channel_points_custom_reward.update"),
    ),
    EventType(
        "poll.progressed",
        "twitch",
        "a poll goes on",
        MappingProxyType({"title": "text", "leader": "text", "votes": "number"}),
        ("poll_progress", "channel.poll.progress"),
    ),
    EventType(
        "prediction.progressed",
        "twitch",
        "a prediction goes on",
        MappingProxyType({"title": "text", "leader": "text", "points": "number"}),
        ("prediction_progress", "channel.prediction.progress"),
    ),
    EventType(
        "charity.progressed",
        "twitch",
        "a charity campaign goes on",
        MappingProxyType({"charity": "text", "amount": "number", "target": "number", "currency": "text"}),
        ("charity_progress", "channel.charity_campaign.progress"),
    ),
    EventType(
        "profile.changed",
        "twitch",
        "my twitch profile changes",
        MappingProxyType({"description": "text"}),
        ("user_update", "user.update"),
    ),
    EventType(
        "subscription.upgraded",
        "twitch",
        "someone upgrades a subscription",
        _with_user(before="text", tier="text"),
        ("gift_paid_upgrade", "prime_paid_upgrade"),
    ),
    EventType(
        "gift.paid_forward", "twitch", "someone pays a gift forward", _with_user(gifter="text"), ("pay_it_forward",)
    ),
    EventType(
        "bits_badge.earned", "twitch", "someone earns a bits badge", _with_user(bits="number"), ("bits_badge_tier",)
    ),
    EventType(
        "watch_streak.shared",
        "twitch",
        "someone shares a watch streak",
        _with_user(streams="number", points="number"),
        ("watch_streak",),
    ),
    EventType("raid.cancelled", "twitch", "a raid is called off", MappingProxyType({"moderator": "text"}), ("unraid",)),
    EventType(
        "discord.message.received",
        "discord",
        "someone writes in discord",
        _with_user(
            message="text",
            command="text",
            arguments="text",
            words="number",
            channel="text",
            message_id="text",
            link="text",
        ),
        ("discord_message", "discord.message"),
    ),
    EventType(
        "discord.reaction.added",
        "discord",
        "someone reacts in discord",
        _with_user(emoji="text", message="text", message_id="text", channel="text", link="text"),
        ("reaction", "discord_reaction", "react", "discord.reaction"),
    ),
    EventType(
        "discord.reaction.removed",
        "discord",
        "someone takes a reaction back in discord",
        _with_user(emoji="text", message_id="text", channel="text"),
        ("discord_unreaction",),
    ),
    EventType(
        "discord.member.joined",
        "discord",
        "someone joins the discord",
        _USER,
        ("discord_join", "discord.join", "member_join"),
    ),
    EventType(
        "discord.member.left",
        "discord",
        "someone leaves the discord",
        _USER,
        ("discord_leave", "discord.leave", "member_leave"),
    ),
    EventType(
        "discord.role.given",
        "discord",
        "someone gets a discord role",
        _with_user(role="text"),
        ("discord_role_added", "role_given", "role_added"),
    ),
    EventType(
        "discord.role.taken",
        "discord",
        "someone loses a discord role",
        _with_user(role="text"),
        ("discord_role_removed", "role_taken", "role_removed"),
    ),
    EventType(
        "discord.voice.joined",
        "discord",
        "someone joins a voice channel",
        _with_user(channel="text"),
        ("voice_join", "discord.voice.join"),
    ),
    EventType(
        "discord.voice.left",
        "discord",
        "someone leaves a voice channel",
        _with_user(channel="text"),
        ("voice_leave", "discord.voice.leave"),
    ),
    EventType(
        "discord.button.pressed",
        "discord",
        "someone presses a button in discord",
        _with_user(button="text", message_id="text", channel="text"),
        ("button", "button_pressed", "discord.button"),
    ),
    EventType(
        "obs.scene.changed",
        "obs",
        "the scene changes",
        MappingProxyType({"scene": "text", "before": "text"}),
        ("scene_changed", "scene_change"),
    ),
    *(EventType(name, "obs", clause, MappingProxyType(dict(fields))) for name, clause, fields in _OBS),
    EventType("bot.started", "bot", "the bot starts", MappingProxyType({}), ("bot_started", "startup")),
    EventType("schedule.fired", "bot", "its time has come", MappingProxyType({"schedule": "text"}), ("schedule",)),
    EventType(
        "interval.elapsed", "bot", "its time has come again", MappingProxyType({}), ("interval", "every", "timer")
    ),
    EventType(
        "webhook.received",
        "bot",
        "a webhook comes in",
        MappingProxyType({"hook": "text", "body": "text"}),
        ("webhook",),
    ),
    EventType("manual", "bot", "it is run by hand", MappingProxyType({}), ("command", "by_hand")),
)

_known: Final[dict[str, EventType]] = {spelling: kind for kind in TYPES for spelling in (*kind.aliases, kind.name)}
BY_NAME: Final[Mapping[str, EventType]] = MappingProxyType(_known)


def types() -> tuple[EventType, ...]:
    """Every kind of event, those that plugins added last."""
    return tuple({kind.name: kind for kind in _known.values()}.values())


def learn(kinds: Iterable[EventType]) -> tuple[EventType, ...]:
    """Add to the table; tells which are new, since the same kind twice is once.

    Raises:
        ValueError: A name or the words of one belong to another kind; none was added.
    """
    new = tuple(kind for kind in kinds if _known.get(kind.name) != kind)
    clauses = {kind.clause: kind.name for kind in types()}
    taken = dict(_known)
    for kind in new:
        if kind.clause in clauses:
            raise ValueError(f'"{kind.clause}" means {clauses[kind.clause]} already')
        clauses[kind.clause] = kind.name
        for spelling in (*kind.aliases, kind.name):
            if spelling in taken:
                raise ValueError(f'"{spelling}" is a name of {taken[spelling].name} already')
            taken[spelling] = kind
    _known.update(taken)
    return new


def forget(kinds: Iterable[EventType]) -> None:
    """Take out of the table what was added to it."""
    for kind in kinds:
        for spelling in (*kind.aliases, kind.name):
            _known.pop(spelling, None)


def canonical(name: str) -> str:
    """The canonical name of an event; a name that is not in the table is its own."""
    known = BY_NAME.get(name) or BY_NAME.get(name.casefold())
    return known.name if known is not None else name


def kind_of(name: str) -> EventType | None:
    """The type of an event by any of its names."""
    return BY_NAME.get(name) or BY_NAME.get(name.casefold())
