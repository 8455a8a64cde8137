"""A notification of Twitch as messages and events. Pure: what was known before and who holds which roles come in as arguments.

A field that is not there becomes an empty one: Twitch adds and drops fields, and no event may be lost for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bot.happenings import user_fields
from bot.message import Message, Place
from bot.twitch.sources import BY_TYPE, Source
from engine.events import Event, kind_of
from engine.execution import Person
from engine.people import all_roles

PLACE: Final = Place("twitch", "")
ANONYMOUS: Final = "anonymous"
SAME_WITHIN: Final = 600
"""Seconds within which two raids of as many people from the same channel are one."""

_ROLES: Final = (
    ("broadcaster", "broadcaster"),
    ("moderator", "moderator"),
    ("lead_moderator", "moderator"),
    ("vip", "vip"),
    ("subscriber", "subscriber"),
    ("founder", "subscriber"),
)


@dataclass(frozen=True, slots=True)
class Notification:
    """What came in.

    Attributes:
        id: Twitch's own; the same one twice is the same notification.
        at: UTC seconds since 1970.
    """

    id: str
    type: str
    at: float
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chatted:
    """A chat message.

    Attributes:
        copied: Whether it was written in another channel that shares its chat.
    """

    message: Message
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What a translation has to know.

    Attributes:
        community: Whose events these are.
        broadcaster: Id of the channel.
        channel: What is known of it: its `title` and `category`.
        roles: The roles somebody was last seen with, by id.
    """

    community: str
    broadcaster: str
    channel: Mapping[str, str] = field(default_factory=dict)
    roles: Callable[[str], tuple[str, ...]] = lambda _: ()


def notification(data: Mapping[str, Any], now: float) -> Notification:
    """A frame as it came; one without a readable time came now."""
    meta = data["metadata"]
    event = data["payload"].get("event") or {}
    return Notification(
        str(meta["message_id"]), str(meta["subscription_type"]), moment(meta.get("message_timestamp"), now), event
    )


def chatted(note: Notification) -> Chatted:
    """A chat message as every front end tells of one."""
    said = note.event
    reply = said.get("reply") or {}
    name = shown_name(said, "chatter_user")
    author = Person(name, "twitch", roles_of_badges(said.get("badges")), str(said.get("chatter_user_id", "")))
    source = said.get("source_broadcaster_user_id")
    message = Message(
        str(said["message_id"]),
        str((said.get("message") or {}).get("text", "")),
        author,
        PLACE,
        note.at,
        reply.get("parent_message_id"),
    )
    return Chatted(message, copied=bool(source) and source != said.get("broadcaster_user_id"))


def roles_of_badges(badges: Any) -> tuple[str, ...]:
    """The roles that badges stand for."""
    worn = {str(badge.get("set_id")) for badge in badges or () if isinstance(badge, Mapping)}
    return tuple(dict.fromkeys(role for badge, role in _ROLES if badge in worn))


def shown_name(event: Mapping[str, Any], prefix: str) -> str:
    """How somebody is called: as shown where others could type that, else as Twitch finds them."""
    login, name = str(event.get(f"{prefix}_login") or ""), str(event.get(f"{prefix}_name") or "")
    if not login and not name:
        return ANONYMOUS
    return name if name.casefold() == login or not login else login


def events_of(note: Notification, known: Known) -> tuple[Event, ...]:
    """What a notification tells; nothing if it is none of ours."""
    source = BY_TYPE.get(note.type)
    if source is None:
        return ()
    special = _SPECIAL.get(note.type)
    told = special(note, source, known) if special is not None else (_by_row(note, source, known),)
    return tuple(
        Event(
            f"twitch:{note.id}" if place == 0 else f"twitch:{note.id}:{place}",
            each.name,
            note.at,
            known.community,
            _typed(each.name, each.fields),
            natural=each.natural,
        )
        for place, each in enumerate(told)
    )


def clipped(clip: Mapping[str, Any], known: Known, now: float) -> Event:
    """A clip that was found as what it would be if Twitch told of clips."""
    id = f"twitch:clip:{clip.get('id')}"
    who = user_fields(
        shown_name(clip, "creator"), known.roles(str(clip.get("creator_id") or "")), str(clip.get("creator_id") or "")
    )
    fields = {"user": who, "url": clip.get("url"), "title": clip.get("title")}
    return Event(id, "clip.created", now, known.community, _typed("clip.created", fields))


@dataclass(frozen=True, slots=True)
class _Told:
    name: str
    fields: Mapping[str, Any]
    natural: str | None = None


def _by_row(note: Notification, source: Source, known: Known, name: str | None = None, **more: Any) -> _Told:
    """What the table says of a notification, and whatever else."""
    fields: dict[str, Any] = {name: _at(note.event, path) for name, path in source.fields.items()}
    if source.who is not None:
        fields["user"] = _person(note.event, source.who, known)
    natural = None
    if source.natural and all(_at(note.event, path) for path in source.natural):
        natural = ":".join([f"twitch:{note.type}", *(str(_at(note.event, path)) for path in source.natural)])
    return _Told(name or source.events[0], {**fields, **more}, natural)


def _person(event: Mapping[str, Any], prefix: str, known: Known) -> dict[str, Any]:
    id = str(event.get(f"{prefix}_id") or "")
    roles = known.roles(id)
    if id and id == known.broadcaster and "broadcaster" not in roles:
        roles = ("broadcaster", *roles)
    return user_fields(shown_name(event, prefix), roles, id)


def _at(event: Mapping[str, Any], path: str) -> Any:
    value: Any = event
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _typed(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly the fields that were declared, each of its type."""
    kind = kind_of(name)
    if kind is None:
        return dict(fields)
    return {
        field: _as(type, fields.get(field)) for field, type in kind.fields.items() if type != "user" or field in fields
    }


def _as(type: str, value: Any) -> Any:
    match type:
        case "number":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else _number(value)
        case "boolean":
            return bool(value)
        case "list":
            return list(value) if isinstance(value, list | tuple) else []
        case "user":
            return value
        case _:
            return "" if value is None else str(value)


def _number(value: Any) -> int:
    text = str(value or "0")
    return int(text) if text.isdecimal() and text.isascii() else 0


def moment(text: Any, now: float) -> float:
    """A time as Twitch writes it, which has more digits than Python reads; one that cannot be read is now."""
    head, _, rest = str(text or "").removesuffix("Z").partition(".")
    try:
        return datetime.fromisoformat(f"{head}.{(rest or '0')[:6]:0<6}").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return now


# What is more than a row -------------------------------------------------------------------------------------------------


def _raid(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    event = note.event
    out = str(event.get("from_broadcaster_user_id")) == known.broadcaster
    pair = f"{event.get('from_broadcaster_user_id')}:{event.get('to_broadcaster_user_id')}:{event.get('viewers')}"
    told = _by_row(note, source, known, "raid.sent" if out else "raid.received")
    return (_Told(told.name, told.fields, f"twitch:raid:{pair}:{int(note.at // SAME_WITHIN)}"),)


def _follow(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    told = _by_row(note, source, known)
    return (
        _Told(told.name, told.fields, f"twitch:follow:{note.event.get('user_id')}:{note.event.get('followed_at')}"),
    )


def _started(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    return (_by_row(note, source, known, **{key: known.channel.get(key, "") for key in ("title", "category")}),)


def _updated(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    """What is another title or category than before; of what was not known before nobody can say that it changed."""
    now = channel_of(note)
    return tuple(
        _Told(f"{key}.changed", {key: now[key], "before": known.channel[key]})
        for key in ("title", "category")
        if key in known.channel and known.channel[key] != now[key]
    )


def channel_of(note: Notification) -> dict[str, str]:
    """What an update says of the channel."""
    return {"title": str(note.event.get("title") or ""), "category": str(note.event.get("category_name") or "")}


def _poll(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    choices = [choice for choice in note.event.get("choices") or () if isinstance(choice, Mapping)]
    if note.type == "channel.poll.begin":
        return (_by_row(note, source, known, choices=[str(choice.get("title")) for choice in choices]),)
    if note.event.get("status") == "archived":  # the same end once more, when it is no longer shown
        return ()
    best, votes = _foremost(choices, "votes")
    if note.type == "channel.poll.progress":
        return (_by_row(note, source, known, leader=best, votes=votes),)
    return (_by_row(note, source, known, winner=best),)


def _foremost(entries: list[Mapping[str, Any]], by: str) -> tuple[str, int]:
    """The title of the one with most, nothing if there are several; and how many that are."""
    counts = [_number(entry.get(by)) for entry in entries]
    most = max(counts, default=0)
    best = [str(entry.get("title")) for entry, count in zip(entries, counts, strict=True) if count and count == most]
    return best[0] if len(best) == 1 else "", most


def _prediction(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    outcomes = [outcome for outcome in note.event.get("outcomes") or () if isinstance(outcome, Mapping)]
    if note.type == "channel.prediction.begin":
        return (_by_row(note, source, known, outcomes=[str(outcome.get("title")) for outcome in outcomes]),)
    if note.type == "channel.prediction.progress":
        leader, points = _foremost(outcomes, "channel_points")
        return (_by_row(note, source, known, leader=leader, points=points),)
    winning = note.event.get("winning_outcome_id")
    titles = [str(outcome.get("title")) for outcome in outcomes if winning and outcome.get("id") == winning]
    return (_by_row(note, source, known, winner=titles[0] if titles else ""),)


def _ban(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    event = note.event
    more: dict[str, Any] = {"reason": event.get("reason"), "moderator": event.get("moderator_user_name")}
    if event.get("is_permanent"):
        return (_by_row(note, source, known, **more),)
    seconds = max(round(moment(event.get("ends_at"), note.at) - moment(event.get("banned_at"), note.at)), 0)
    return (_by_row(note, source, known, "user.timed_out", seconds=seconds, **more),)


def _donation(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    return (_by_row(note, source, known, amount=_money(note.event.get("amount"))),)


def _campaign(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    amount, target = _money(note.event.get("current_amount")), _money(note.event.get("target_amount"))
    return (_by_row(note, source, known, amount=amount, target=target),)


def _money(amount: Any) -> float:
    amount = amount or {}
    places = min(_number(amount.get("decimal_places")), 6)
    value = _number(amount.get("value"))
    return value if not places else value / 10**places


def _shared(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    there = [shown_name(each, "broadcaster_user") for each in note.event.get("participants") or ()]
    return (_by_row(note, source, known, channels=there),)


def _moderation(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    """What a moderator did lies under the name of the deed, or of the kind of deed."""
    event = note.event
    detail = event.get(str(event.get("action"))) or event.get("unban_request") or {}
    target = shown_name(detail, "user") if detail.get("user_id") else ""
    reason = detail.get("reason") or detail.get("moderator_message") or detail.get("message_body")
    return (_by_row(note, source, known, target=target, reason=reason),)


def _notice(note: Notification, source: Source, known: Known) -> tuple[_Told, ...]:
    """What the chat shows between messages: subscriptions, gifts, announcements."""
    event = note.event
    kind = str(event.get("notice_type") or "")
    detail = event.get(kind) or {}
    who = _noticed(event, known)
    natural = f"twitch:notice:{event.get('message_id')}"
    tier = detail.get("sub_tier")
    text = (event.get("message") or {}).get("text")
    match kind:
        case "sub":
            fields = {"user": who, "tier": tier, "months": detail.get("duration_months") or 1}
            return (_Told("subscription.received", fields, natural),)
        case "resub":
            fields = {"user": who, "tier": tier, "months": detail.get("cumulative_months"), "message": text}
            return (_Told("resubscription.received", fields, natural),)
        case "community_sub_gift":
            gift = {"count": detail.get("total"), "gift_id": detail.get("id"), "gifter": who["name"]}
            return (_Told("gift.received", {"user": who, "tier": tier, **gift}, natural),)
        case "sub_gift":
            return _gift(detail, who, tier, natural, known)
        case "announcement":
            return (_Told("announcement.made", {"user": who, "message": text, "color": detail.get("color")}, natural),)
        case "gift_paid_upgrade" | "prime_paid_upgrade":
            before = kind.removesuffix("_paid_upgrade")
            return (_Told("subscription.upgraded", {"user": who, "before": before, "tier": tier}, natural),)
        case "pay_it_forward":
            return (_Told("gift.paid_forward", {"user": who, "gifter": shown_name(detail, "gifter_user")}, natural),)
        case "bits_badge_tier":
            return (_Told("bits_badge.earned", {"user": who, "bits": detail.get("tier")}, natural),)
        case "watch_streak":
            streak = {"streams": detail.get("streak_count"), "points": detail.get("channel_points_awarded")}
            return (_Told("watch_streak.shared", {"user": who, **streak}, natural),)
        case "unraid":
            return (_Told("raid.cancelled", {"moderator": who["name"]}, natural),)
        case _:
            return ()


def _gift(detail: Mapping[str, Any], who: dict[str, Any], tier: Any, natural: str, known: Known) -> tuple[_Told, ...]:
    """One subscription for somebody: of a larger gift, or a gift of its own."""
    whole = detail.get("community_gift_id")
    receiver = _person(detail, "recipient_user", known)
    fields = {"user": receiver, "tier": tier, "months": detail.get("duration_months") or 1}
    single = _Told("subscription.received", {**fields, "gift_id": whole or natural, "gifter": who["name"]}, natural)
    if whole:
        return (single,)
    gift = {"user": who, "tier": tier, "count": 1, "gift_id": natural, "gifter": who["name"]}
    return (_Told("gift.received", gift, f"{natural}:gift"), single)


def _noticed(event: Mapping[str, Any], known: Known) -> dict[str, Any]:
    if event.get("chatter_is_anonymous"):
        return user_fields(ANONYMOUS, ())
    person = _person(event, "chatter_user", known)
    return {**person, "roles": all_roles(roles_of_badges(event.get("badges"))) or person["roles"]}


_SPECIAL: Final[Mapping[str, Callable[[Notification, Source, Known], tuple[_Told, ...]]]] = {
    "channel.raid": _raid,
    "channel.follow": _follow,
    "stream.online": _started,
    "channel.update": _updated,
    "channel.poll.begin": _poll,
    "channel.poll.progress": _poll,
    "channel.poll.end": _poll,
    "channel.prediction.begin": _prediction,
    "channel.prediction.progress": _prediction,
    "channel.prediction.end": _prediction,
    "channel.ban": _ban,
    "channel.charity_campaign.donate": _donation,
    "channel.charity_campaign.progress": _campaign,
    "channel.moderate": _moderation,
    "channel.shared_chat.begin": _shared,
    "channel.shared_chat.update": _shared,
    "channel.chat.notification": _notice,
}
