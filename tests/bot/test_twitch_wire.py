"""Notifications of Twitch as messages and events: typed, with natural ids, and none lost for a missing field."""

from typing import Any

import pytest
from twitchio.eventsub import subscriptions
from twitchio.eventsub.enums import SubscriptionType

from bot.twitch.sources import ALWAYS, IF_GRANTED, LEFT_OUT, SOURCES
from bot.twitch.subscriptions import (
    RETRY_LONGEST,
    Accounts,
    Subscription,
    after_failure,
    difference,
    live_one,
    unheard,
    wanted,
)
from bot.twitch.wire import Known, Notification, chatted, events_of, notification
from engine.events import Event, kind_of
from tests.servers.twitch import NOW, chat_message

AT = 1_795_262_400.123456
KNOWN = Known("home", "1", {"title": "Old", "category": "Chess"})
ALL = {
    "1": tuple(scope for source in SOURCES for scope in source.all_scopes),
    "2": ("user:read:chat", "user:read:whispers"),
}
BOTH = Accounts("1", "2")


def person(prefix: str, id: str, name: str) -> dict[str, str]:
    return {f"{prefix}_id": id, f"{prefix}_login": name.casefold(), f"{prefix}_name": name}


def told(type: str, event: dict[str, Any], known: Known = KNOWN) -> tuple[Event, ...]:
    return events_of(Notification("n1", type, AT, event), known)


def one(type: str, event: dict[str, Any]) -> Event:
    (found,) = told(type, event)
    return found


# The table ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.type)
def test_every_row_names_events_and_fields_that_exist(source: Any) -> None:
    for name in source.events:
        kind = kind_of(name)
        assert kind is not None
        assert kind.name == name
        assert ("user" in kind.fields) or source.who is None or name == "raid.sent"
    fields = set().union(*(kind.fields for name in source.events if (kind := kind_of(name)) is not None))
    assert set(source.fields) <= fields


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.type)
def test_an_empty_notification_becomes_events_with_all_their_fields(source: Any) -> None:
    if source.type == "channel.chat.message":
        return
    for event in told(source.type, {}):
        kind = kind_of(event.name)
        assert kind is not None
        assert set(event.payload) == set(kind.fields)


def _of_the_library() -> dict[str, set[str]]:
    """Every kind of notification that twitchio can subscribe to, with its versions."""
    known: dict[str, set[str]] = {each.value: set() for each in SubscriptionType}
    for kind in vars(subscriptions).values():
        if isinstance(kind, type) and issubclass(kind, subscriptions.SubscriptionPayload) and hasattr(kind, "type"):
            known.setdefault(kind.type, set()).add(kind.version)
    return known


def test_every_notification_of_twitch_is_an_event_or_left_out_for_a_reason() -> None:
    heard = {source.type for source in SOURCES}

    assert heard.isdisjoint(LEFT_OUT)
    assert heard | set(LEFT_OUT) == set(_of_the_library())


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.type)
def test_the_library_knows_every_type_in_that_version(source: Any) -> None:
    assert source.version in _of_the_library()[source.type]


# Messages -----------------------------------------------------------------------------------------------------------------------


def test_a_chat_message_brings_its_author_with_the_roles_of_the_badges() -> None:
    said = chat_message("!wf list", badges=("moderator", "subscriber", "premium"), user="3", login="ninja")

    message = chatted(Notification("n1", "channel.chat.message", AT, said)).message

    assert (message.id, message.text, message.at) == ("m1", "!wf list", AT)
    assert (message.author.name, message.author.id, message.author.roles) == ("Ninja", "3", ("moderator", "subscriber"))


@pytest.mark.parametrize(
    ("badges", "roles"),
    [
        ((), ()),
        (("broadcaster",), ("broadcaster",)),
        (("lead_moderator",), ("moderator",)),
        (("vip", "founder"), ("vip", "subscriber")),
        (("partner", "bits", "no_video"), ()),
    ],
)
def test_roles_come_from_badges(badges: tuple[str, ...], roles: tuple[str, ...]) -> None:
    note = Notification("n1", "channel.chat.message", AT, chat_message("hi", badges=badges))

    assert chatted(note).message.author.roles == roles


def test_a_name_that_nobody_can_type_is_shown_as_the_login() -> None:
    said = chat_message("hi", login="neko") | {"chatter_user_name": "猫"}

    assert chatted(Notification("n1", "channel.chat.message", AT, said)).message.author.name == "neko"


def test_an_answer_knows_what_it_answers() -> None:
    said = chat_message("yes", reply={"parent_message_id": "m0"})

    assert chatted(Notification("n1", "channel.chat.message", AT, said)).message.reply_to == "m0"


def test_a_message_of_a_channel_that_shares_its_chat_is_told_apart() -> None:
    here = chat_message("hi", source_broadcaster_user_id="1")
    there = chat_message("hi", source_broadcaster_user_id="77")

    assert not chatted(Notification("n1", "channel.chat.message", AT, here)).copied
    assert chatted(Notification("n2", "channel.chat.message", AT, there)).copied


def test_a_frame_tells_when_it_happened_with_all_of_twitch_s_digits() -> None:
    head = {"message_id": "n1", "subscription_type": "channel.follow", "message_timestamp": NOW}

    note = notification({"metadata": head, "payload": {"event": {}}}, 5.0)

    assert note.at == pytest.approx(AT)
    assert notification({"metadata": {**head, "message_timestamp": "soon"}, "payload": {}}, 5.0).at == 5.0


# Events ---------------------------------------------------------------------------------------------------------------------------


def raid(source: str, target: str) -> dict[str, Any]:
    return {
        **person("from_broadcaster_user", source, "Raider"),
        **person("to_broadcaster_user", target, "Target"),
        "viewers": 12,
    }


def test_a_raid_comes_in_or_goes_out() -> None:
    coming, going = one("channel.raid", raid("9", "1")), one("channel.raid", raid("1", "9"))

    assert (coming.name, coming.payload) == (
        "raid.received",
        {"user": {"name": "Raider", "roles": [], "id": "9"}, "viewers": 12},
    )
    assert (going.name, going.payload) == ("raid.sent", {"target": "Target", "viewers": 12})


def test_the_same_raid_under_two_ids_is_one() -> None:
    first, second = (events_of(Notification(id, "channel.raid", AT, raid("9", "1")), KNOWN)[0] for id in ("n1", "n2"))

    assert first.id != second.id
    assert first.natural == second.natural


def test_a_redemption_is_known_by_its_own_id() -> None:
    event = one(
        "channel.channel_points_custom_reward_redemption.add",
        {
            "id": "r1",
            **person("user", "3", "Ninja"),
            "user_input": "please",
            "reward": {"title": "Hydrate", "cost": 100},
        },
    )

    assert event.payload == {
        "user": {"name": "Ninja", "roles": [], "id": "3"},
        "reward": "Hydrate",
        "message": "please",
        "redemption_id": "r1",
        "cost": 100,
    }
    assert event.natural == "twitch:channel.channel_points_custom_reward_redemption.add:r1"


def test_somebody_is_told_of_with_the_roles_last_seen() -> None:
    known = Known("home", "1", roles=lambda id: ("vip",) if id == "3" else ())

    (event,) = told("channel.follow", {**person("user", "3", "Ninja"), "followed_at": NOW}, known)

    assert event.payload["user"]["roles"] == ["vip"]
    assert event.natural == f"twitch:follow:3:{NOW}"


def test_the_streamer_is_the_streamer_without_having_said_anything() -> None:
    """And a moderator of the channel, whatever the platform says: what a workflow leaves to them is for the streamer, too."""
    cheer = one("channel.cheer", {**person("user", "1", "Streamer"), "bits": 5})

    assert cheer.payload["user"]["roles"] == ["broadcaster", "moderator"]


def test_an_anonymous_cheer_has_a_name_all_the_same() -> None:
    event = one(
        "channel.cheer", {"is_anonymous": True, "user_id": None, "user_login": None, "user_name": None, "bits": 5}
    )

    assert event.payload == {"user": {"name": "anonymous", "roles": []}, "bits": 5, "message": ""}


def test_only_what_changed_is_a_change() -> None:
    update = {"title": "New", "category_name": "Chess"}

    (event,) = told("channel.update", update)

    assert (event.name, event.payload) == ("title.changed", {"title": "New", "before": "Old"})
    assert told("channel.update", update, Known("home", "1")) == ()


def test_two_changes_at_once_are_two_events_with_two_ids() -> None:
    first, second = told("channel.update", {"title": "New", "category_name": "Go"})

    assert {first.name, second.name} == {"title.changed", "category.changed"}
    assert first.id != second.id


def test_a_poll_has_a_winner_unless_it_has_two() -> None:
    choices = [{"title": "a", "votes": 3}, {"title": "b", "votes": 5}, {"title": "c", "votes": 5}]

    def winner(choices: list[dict[str, Any]]) -> Any:
        return one("channel.poll.end", {"id": "p", "status": "completed", "title": "?", "choices": choices}).payload[
            "winner"
        ]

    assert winner(choices[:2]) == "b"
    assert winner(choices) == ""
    assert told("channel.poll.end", {"id": "p", "status": "archived", "choices": choices}) == ()


def test_a_prediction_ends_with_the_outcome_that_won() -> None:
    outcomes = [{"id": "1", "title": "yes"}, {"id": "2", "title": "no"}]
    event = one(
        "channel.prediction.end", {"id": "p", "status": "resolved", "outcomes": outcomes, "winning_outcome_id": "2"}
    )

    assert event.payload["winner"] == "no"


def test_a_timeout_is_no_ban() -> None:
    base = {**person("user", "3", "Ninja"), "moderator_user_name": "Mod", "reason": "spam"}
    for_ever = one("channel.ban", {**base, "is_permanent": True})
    a_while = one(
        "channel.ban",
        {**base, "is_permanent": False, "banned_at": "2026-11-21T12:00:00Z", "ends_at": "2026-11-21T12:10:00Z"},
    )

    assert for_ever.name == "user.banned"
    assert (a_while.name, a_while.payload["seconds"], a_while.payload["reason"]) == ("user.timed_out", 600, "spam")


def test_money_has_its_decimal_places() -> None:
    event = one("channel.charity_campaign.donate", {"amount": {"value": 1050, "decimal_places": 2, "currency": "EUR"}})

    assert (event.payload["amount"], event.payload["currency"]) == (10.5, "EUR")


# Notices ----------------------------------------------------------------------------------------------------------------------------


def notice(kind: str, detail: dict[str, Any], **more: Any) -> tuple[Event, ...]:
    base = {
        **person("chatter_user", "3", "Ninja"),
        "badges": [{"set_id": "vip"}],
        "message_id": "m1",
        "notice_type": kind,
    }
    return told("channel.chat.notification", {**base, kind: detail, **more})


def test_subscriptions_are_told_by_how_they_come() -> None:
    (new,) = notice("sub", {"sub_tier": "1000", "duration_months": 1})
    (again,) = notice("resub", {"sub_tier": "2000", "cumulative_months": 14}, message={"text": "hi"})

    assert (new.name, new.payload["tier"], new.payload["user"]["roles"]) == ("subscription.received", "1000", ["vip"])
    assert (again.name, again.payload["months"], again.payload["message"]) == ("resubscription.received", 14, "hi")


def test_a_gift_bomb_and_its_singles_share_an_id() -> None:
    (bomb,) = notice("community_sub_gift", {"id": "g1", "total": 20, "sub_tier": "1000"})
    (single,) = notice(
        "sub_gift", {"community_gift_id": "g1", "sub_tier": "1000", **person("recipient_user", "4", "Lucky")}
    )

    assert (bomb.name, bomb.payload["count"], bomb.payload["gift_id"]) == ("gift.received", 20, "g1")
    assert single.name == "subscription.received"
    assert (single.payload["gift_id"], single.payload["user"]["name"]) == ("g1", "Lucky")


def test_a_single_gift_is_a_gift_of_one_and_a_subscription_that_belongs_to_it() -> None:
    gift, single = notice(
        "sub_gift", {"community_gift_id": None, "sub_tier": "1000", **person("recipient_user", "4", "Lucky")}
    )

    assert (gift.name, gift.payload["count"], gift.payload["user"]["name"]) == ("gift.received", 1, "Ninja")
    assert gift.payload["gift_id"] == single.payload["gift_id"]
    assert gift.natural != single.natural


@pytest.mark.parametrize(
    ("kind", "detail", "name", "fields"),
    [
        ("gift_paid_upgrade", {"gifter_is_anonymous": True}, "subscription.upgraded", {"before": "gift", "tier": ""}),
        ("prime_paid_upgrade", {"sub_tier": "2000"}, "subscription.upgraded", {"before": "prime", "tier": "2000"}),
        ("pay_it_forward", person("gifter_user", "9", "Mo"), "gift.paid_forward", {"gifter": "Mo"}),
        ("pay_it_forward", {"gifter_is_anonymous": True}, "gift.paid_forward", {"gifter": "anonymous"}),
        ("bits_badge_tier", {"tier": 1000}, "bits_badge.earned", {"bits": 1000}),
        ("watch_streak", {"streak_count": 5, "channel_points_awarded": 450}, "watch_streak.shared", {"streams": 5, "points": 450}),
        ("unraid", {}, "raid.cancelled", {"moderator": "Ninja"}),
    ],
)  # fmt: skip
def test_the_chat_also_tells_of_upgrades_badges_and_streaks(
    kind: str, detail: dict[str, Any], name: str, fields: dict[str, Any]
) -> None:
    (event,) = notice(kind, detail)

    assert event.name == name
    assert {key: value for key, value in event.payload.items() if key != "user"} == fields


def test_notices_that_are_no_events_are_none() -> None:
    assert notice("charity_donation", {"charity_name": "x"}) == ()
    assert told("channel.unheard_of", {}) == ()


# What a moderator sees ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "target", "reason"),
    [
        ({"action": "ban", "ban": {**person("user", "9", "Mo"), "reason": "spam"}}, "Mo", "spam"),
        ({"action": "delete", "delete": {**person("user", "9", "Mo"), "message_body": "buy it"}}, "Mo", "buy it"),
        ({"action": "clear", "ban": None}, "", ""),
        (
            {
                "action": "approve_unban_request",
                "unban_request": {**person("user", "9", "Mo"), "moderator_message": "fine"},
            },
            "Mo",
            "fine",
        ),
    ],
)
def test_whatever_a_moderator_does_is_one_event(event: dict[str, Any], target: str, reason: str) -> None:
    found = one("channel.moderate", {**person("moderator_user", "5", "Eve"), **event})

    assert found.payload == {"moderator": "Eve", "action": event["action"], "target": target, "reason": reason}


def test_a_shared_chat_names_its_host_and_who_is_in_it() -> None:
    others = [person("broadcaster_user", "1", "Streamer"), person("broadcaster_user", "9", "Mo")]
    event = {**person("host_broadcaster_user", "9", "Mo"), "participants": others, "session_id": "s1"}

    assert one("channel.shared_chat.begin", event).payload == {"host": "Mo", "channels": ["Streamer", "Mo"]}


def test_a_poll_and_a_prediction_that_go_on_tell_who_is_ahead() -> None:
    choices = [{"title": "tea", "votes": 3}, {"title": "coffee", "votes": 5}]
    outcomes = [{"title": "win", "channel_points": 100}, {"title": "lose", "channel_points": 100}]

    poll = one("channel.poll.progress", {"title": "Drink?", "choices": choices})
    prediction = one("channel.prediction.progress", {"title": "Boss?", "outcomes": outcomes})

    assert poll.payload == {"title": "Drink?", "leader": "coffee", "votes": 5}
    assert prediction.payload == {"title": "Boss?", "leader": "", "points": 100}


def test_a_charity_campaign_that_goes_on_tells_how_much_of_how_much() -> None:
    euros = {"decimal_places": 2, "currency": "EUR"}
    event = {
        "charity_name": "Cats",
        "current_amount": {"value": 1_250, **euros},
        "target_amount": {"value": 90_000, **euros},
    }

    found = one("channel.charity_campaign.progress", event)

    assert found.payload == {"charity": "Cats", "amount": 12.5, "target": 900.0, "currency": "EUR"}


# What to subscribe to ---------------------------------------------------------------------------------------------------------------


def types_for(*events: str, granted: Any = ALL, accounts: Accounts = BOTH) -> set[str]:
    return {each.type for each in wanted(events, accounts, granted)[0]}


def test_only_what_workflows_wait_for_is_subscribed_to_beside_the_chat() -> None:
    always = {*ALWAYS, *IF_GRANTED}
    assert types_for() == always
    assert types_for("raid", "channel.follow") == {*always, "channel.raid", "channel.follow"}
    assert types_for("gift_bomb") == {*always, "channel.chat.notification"}


def test_who_becomes_a_moderator_and_who_stays_none_is_heard_where_that_is_granted_and_missed_silently_elsewhere() -> (
    None
):
    nothing = {"1": (), "2": ("user:read:chat",)}

    assert types_for() >= IF_GRANTED
    assert wanted([], BOTH, nothing)[1] == ()
    assert [source.type for source, _ in wanted(["moderator.removed"], BOTH, nothing)[1]] == [
        "channel.moderator.remove"
    ]


def test_each_account_hears_what_it_may() -> None:
    found = {each.type: each for each in wanted(["redeem", "follow", "whisper"], BOTH, ALL)[0]}

    assert found["channel.chat.message"].token_for == "2"
    assert found["channel.chat.message"].condition == (("broadcaster_user_id", "1"), ("user_id", "2"))
    assert found["channel.follow"].condition == (("broadcaster_user_id", "1"), ("moderator_user_id", "1"))
    assert found["user.whisper.message"].condition == (("user_id", "2"),)


def test_a_bot_that_is_a_moderator_hears_followers_without_the_streamer_s_sign_in() -> None:
    granted = {"2": ("user:read:chat", "moderator:read:followers")}
    found = {each.type: each for each in wanted(["follow"], BOTH, granted)[0]}

    assert found["channel.follow"].condition == (("broadcaster_user_id", "1"), ("moderator_user_id", "2"))


def test_what_is_not_granted_is_named_with_its_scopes() -> None:
    desired, lacking = wanted(["cheer"], BOTH, {"1": (), "2": ("user:read:chat",)})

    assert "channel.cheer" not in {each.type for each in desired}
    assert [(source.type, scopes) for source, scopes in lacking] == [("channel.cheer", ("bits:read",))]


def test_events_that_are_not_heard_are_named_with_what_would_help() -> None:
    found = unheard(BOTH, {"1": (), "2": ("user:read:chat",)})

    assert found["cheer.received"] == ("bits:read",)
    assert "raid.received" not in found
    assert set(unheard(BOTH, ALL)) == set()


def test_what_needs_several_scopes_is_heard_with_all_of_them_only_and_names_the_next_one() -> None:
    all_but_vips = tuple(scope for scope in ALL["1"] if scope != "moderator:read:vips")

    assert "channel.moderate" in types_for("mod_action")
    assert "channel.moderate" not in types_for("mod_action", granted={"1": all_but_vips})
    assert unheard(Accounts("1", "1"), {"1": all_but_vips})["moderation.done"] == ("moderator:read:vips",)


def test_the_chat_comes_first_among_what_is_missing() -> None:
    desired, _ = wanted([kind.events[0] for kind in SOURCES], BOTH, ALL)

    missing = difference(desired, ()).missing

    assert {each.type for each in missing[: len(ALWAYS)]} == ALWAYS
    assert difference(desired, desired) == difference((), ())


def test_what_the_library_keeps_is_compared_by_what_it_means() -> None:
    kept = {
        "type": "channel.raid",
        "version": "1",
        "condition": {"to_broadcaster_user_id": "1", "from_broadcaster_user_id": ""},
        "token_for": "1",
    }

    assert live_one(kept) == Subscription("channel.raid", "1", (("to_broadcaster_user_id", "1"),), "1")


def test_what_fails_is_tried_less_and_less_often_and_what_is_refused_seldom() -> None:
    trouble, pauses = None, []
    for _ in range(8):
        trouble = after_failure(trouble, 100.0, 500)
        pauses.append(trouble.again_at - 100.0)

    assert pauses[:3] == [2.0, 4.0, 8.0]
    assert pauses[-1] == RETRY_LONGEST
    assert after_failure(None, 0.0, 403).refused
