"""What each method of the twitch service asks of Helix: a table of pure functions from what is given to a request.

Ids that have to be looked up first are named by `needs`, and are given like everything else. What does not fit is said in a
sentence before anything is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

By: TypeAlias = Literal["bot", "broadcaster"]
Need: TypeAlias = Literal["user", "game", "reward", "poll", "prediction"]

COLORS: Final = ("blue", "green", "orange", "purple", "primary")
AD_LENGTHS: Final = (30, 60, 90, 120, 150, 180)
LONGEST_TIMEOUT: Final = 1_209_600
"""Two weeks, in seconds."""


LONGEST_FOLLOWING: Final = 129_600
"""Three months, in minutes."""


class Unfit(Exception):
    """It cannot be asked so; the text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Given:
    """All that a request is made of.

    Attributes:
        params: As the workflow gives them.
        me: Id of the account in whose name it is asked.
        channel: Id of the broadcaster.
        found: What was looked up, by need: the entry as Twitch has it.
        event: The fields of the event that the run started with.
    """

    params: Mapping[str, Any]
    me: str
    channel: str
    found: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    event: Mapping[str, Any] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """Id of the person that is meant."""
        return str(self.found["user"]["id"])

    def text(self, name: str) -> str:
        """A param as text; empty if it is not given."""
        value = self.params.get(name)
        return "" if value is None else str(value).strip()

    @property
    def moderated(self) -> dict[str, str]:
        """The query of whatever a moderator does."""
        return {"broadcaster_id": self.channel, "moderator_id": self.me}

    @property
    def own(self) -> dict[str, str]:
        """The query of whatever belongs to the channel."""
        return {"broadcaster_id": self.channel}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request without its account."""

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """How a method is asked for.

    Attributes:
        ask: Makes the request.
        by: In whose name; the broadcaster's does where the bot's account may not.
        needs: What has to be looked up first.
        output: Makes the step's result of the first entry of the answer.
    """

    ask: Callable[[Given], Asked]
    by: By = "bot"
    needs: tuple[Need, ...] = ()
    output: Callable[[Mapping[str, Any]], Any] = lambda _: None


# Chat and people -----------------------------------------------------------------------------------------------------------


def _announce(given: Given) -> Asked:
    color = given.text("color").casefold() or "primary"
    if color not in COLORS:
        raise Unfit(f"An announcement can be {', '.join(COLORS)}, not {color}.")
    body = {"message": _within(given.text("message"), 500, "An announcement"), "color": color}
    return Asked("POST", "chat/announcements", given.moderated, body)


def _shoutout(given: Given) -> Asked:
    if given.user == given.channel:
        raise Unfit("Twitch shouts out other channels only, not the one it happens in.")
    query = {"from_broadcaster_id": given.channel, "to_broadcaster_id": given.user, "moderator_id": given.me}
    return Asked("POST", "chat/shoutouts", query)


def _whisper(given: Given) -> Asked:
    query = {"from_user_id": given.me, "to_user_id": given.user}
    return Asked("POST", "whispers", query, {"message": _within(given.text("message"), 500, "A whisper")})


def _timeout(given: Given) -> Asked:
    seconds = _whole(given, "duration")
    if not 1 <= seconds <= LONGEST_TIMEOUT:
        raise Unfit("A timeout lasts between one second and two weeks.")
    return _banned(given, {"duration": seconds})


def _ban(given: Given) -> Asked:
    return _banned(given, {})


def _banned(given: Given, more: Mapping[str, Any]) -> Asked:
    if given.user == given.channel:
        raise Unfit("The streamer cannot be banned from their own channel.")
    data = {"user_id": given.user, "reason": given.text("reason")[:500], **more}
    return Asked("POST", "moderation/bans", given.moderated, {"data": data})


def _unban(given: Given) -> Asked:
    return Asked("DELETE", "moderation/bans", {**given.moderated, "user_id": given.user})


def _warn(given: Given) -> Asked:
    reason = _within(given.text("reason"), 500, "The reason of a warning")
    return Asked("POST", "moderation/warnings", given.moderated, {"data": {"user_id": given.user, "reason": reason}})


def _delete(given: Given) -> Asked:
    id = given.text("message_id")
    if not id:
        raise Unfit("It is not known which message is to be deleted.")
    return Asked("DELETE", "moderation/chat", {**given.moderated, "message_id": id})


def _clear(given: Given) -> Asked:
    return Asked("DELETE", "moderation/chat", given.moderated)


def _shield(given: Given) -> Asked:
    return Asked("PUT", "moderation/shield_mode", given.moderated, {"is_active": bool(given.params.get("is_active"))})


def _settings(given: Given) -> Asked:
    body: dict[str, Any] = {name: value for name, value in given.params.items() if value is not None}
    if not body:
        raise Unfit("Nothing of the chat's settings is named.")
    if "slow_mode_wait_time" in body:
        seconds = body["slow_mode_wait_time"] = _whole(given, "slow_mode_wait_time")
        if not 3 <= seconds <= 120:
            raise Unfit("Slow mode takes between 3 and 120 seconds.")
    if "follower_mode_duration" in body:
        minutes = body["follower_mode_duration"] = _whole(given, "follower_mode_duration") // 60
        if not 0 <= minutes <= LONGEST_FOLLOWING:
            raise Unfit("Followers only mode takes up to three months.")
    return Asked("PATCH", "chat/settings", given.moderated, body)


def _listed(verb: str, path: str) -> Callable[[Given], Asked]:
    return lambda given: Asked(verb, path, {**given.own, "user_id": given.user})


# The stream ------------------------------------------------------------------------------------------------------------------


def _raid(given: Given) -> Asked:
    if given.user == given.channel:
        raise Unfit("A channel cannot raid itself.")
    return Asked("POST", "raids", {"from_broadcaster_id": given.channel, "to_broadcaster_id": given.user})


def _unraid(given: Given) -> Asked:
    return Asked("DELETE", "raids", given.own)


def _channel(given: Given) -> Asked:
    body: dict[str, Any] = {}
    if given.params.get("title") is not None:
        body["title"] = _within(given.text("title"), 140, "A title")
    if "game" in given.found:
        body["game_id"] = str(given.found["game"]["id"])
    if given.params.get("tags") is not None:
        body["tags"] = [tag.replace(" ", "")[:25] for tag in _list(given.params["tags"])][:10]
    if not body:
        raise Unfit("Nothing is said of what the channel is to have.")
    return Asked("PATCH", "channels", given.own, body)


def _clip(given: Given) -> Asked:
    title = given.text("title")
    return Asked("POST", "clips", {**given.own, "title": title[:140]} if title else given.own)


def _marker(given: Given) -> Asked:
    description = given.text("description")[:140]
    return Asked("POST", "streams/markers", body={"user_id": given.channel, "description": description})


def _commercial(given: Given) -> Asked:
    seconds = _whole(given, "length")
    length = min(AD_LENGTHS, key=lambda each: (abs(each - seconds), each))
    return Asked("POST", "channels/commercial", body={"broadcaster_id": given.channel, "length": length})


def _snooze(given: Given) -> Asked:
    return Asked("POST", "channels/ads/snooze", given.own)


# Polls, predictions, rewards ---------------------------------------------------------------------------------------------------


def _poll(given: Given) -> Asked:
    body = {
        "broadcaster_id": given.channel,
        "title": _within(given.text("title"), 60, "The question of a poll"),
        "choices": [{"title": each} for each in _choices(given.params.get("choices"), 5, "A poll")],
        "duration": _between(given, "duration", 15, 1_800, 60),
    }
    return Asked("POST", "polls", body=body)


def _end_poll(given: Given) -> Asked:
    body = {"broadcaster_id": given.channel, "id": given.found["poll"]["id"], "status": "TERMINATED"}
    return Asked("PATCH", "polls", body=body)


def _prediction(given: Given) -> Asked:
    body = {
        "broadcaster_id": given.channel,
        "title": _within(given.text("title"), 45, "The question of a prediction"),
        "outcomes": [{"title": each} for each in _choices(given.params.get("outcomes"), 10, "A prediction")],
        "prediction_window": _between(given, "duration", 30, 1_800, 120),
    }
    return Asked("POST", "predictions", body=body)


def _prediction_to(status: str) -> Callable[[Given], Asked]:
    def ask(given: Given) -> Asked:
        current = given.found["prediction"]
        body = {"broadcaster_id": given.channel, "id": current["id"], "status": status}
        if status == "RESOLVED":
            body["winning_outcome_id"] = _outcome(current, given.text("outcome"))
        return Asked("PATCH", "predictions", body=body)

    return ask


def _outcome(prediction: Mapping[str, Any], named: str) -> str:
    outcomes = prediction.get("outcomes") or ()
    for outcome in outcomes:
        if str(outcome.get("title", "")).casefold() == named.casefold():
            return str(outcome["id"])
    titles = ", ".join(str(outcome.get("title")) for outcome in outcomes)
    raise Unfit(f'The prediction has no outcome "{named}"; it has {titles}.')


def _reward(given: Given) -> Asked:
    cost = _whole(given, "cost")
    if cost < 1:
        raise Unfit("A reward costs at least one point.")
    body: dict[str, Any] = {"title": _within(given.text("title"), 45, "The name of a reward"), "cost": cost}
    if prompt := given.text("prompt"):
        body |= {"prompt": prompt[:200], "is_user_input_required": True}
    return Asked("POST", "channel_points/custom_rewards", given.own, body)


def _update_reward(given: Given) -> Asked:
    body: dict[str, Any] = {
        name: given.params[name] for name in ("is_enabled", "is_paused") if given.params.get(name) is not None
    }
    if given.params.get("cost") is not None:
        body["cost"] = _whole(given, "cost")
    query = {**given.own, "id": str(given.found["reward"]["id"])}
    return Asked("PATCH", "channel_points/custom_rewards", query, body)


def _redemption(given: Given) -> Asked:
    id = given.text("redemption_id") or str(given.event.get("redemption_id") or "")
    if not id:
        raise Unfit("This run did not begin with a redemption, and none is named.")
    query = {**given.own, "reward_id": str(given.found["reward"]["id"]), "id": id}
    return Asked("PATCH", "channel_points/custom_rewards/redemptions", query, {"status": given.text("status").upper()})


# Look-ups ------------------------------------------------------------------------------------------------------------------------


def _user(given: Given) -> Asked:
    return Asked("GET", "users", {"id": given.user})


def _follower(given: Given) -> Asked:
    return Asked("GET", "channels/followers", {**given.own, "user_id": given.user})


def _stream(given: Given) -> Asked:
    return Asked("GET", "streams", {"user_id": given.channel})


def _known_user(entry: Mapping[str, Any]) -> Any:
    return {
        "id": entry.get("id"),
        "login": entry.get("login"),
        "name": entry.get("display_name"),
        "created_at": entry.get("created_at"),
    }


def _known_stream(entry: Mapping[str, Any]) -> Any:
    return {
        "live": bool(entry),
        "title": entry.get("title", ""),
        "category": entry.get("game_name", ""),
        "viewers": entry.get("viewer_count", 0),
        "started_at": entry.get("started_at", ""),
    }


def _followed(entry: Mapping[str, Any]) -> Any:
    return {"follows": bool(entry), "followed_at": entry.get("followed_at", "")}


def _clipped(entry: Mapping[str, Any]) -> Any:
    id = entry.get("id")
    return {"id": id, "url": f"https://clips.twitch.tv/{id}", "edit_url": entry.get("edit_url")}


def _id_only(entry: Mapping[str, Any]) -> Any:
    return {"id": entry.get("id")}


# What is given, made fit --------------------------------------------------------------------------------------------------------


def _within(text: str, longest: int, what: str) -> str:
    if not text:
        raise Unfit(f"{what} needs words.")
    if len(text) > longest:
        raise Unfit(f"{what} has {longest} characters at most; this one has {len(text)}.")
    return text


def _whole(given: Given, name: str) -> int:
    value = given.params.get(name)
    try:
        return round(float(value)) if value is not None and not isinstance(value, bool) else 0
    except (TypeError, ValueError, OverflowError):
        raise Unfit(f"{name} is no number: {value}.") from None


def _between(given: Given, name: str, least: int, most: int, usual: int) -> int:
    if given.params.get(name) is None:
        return usual
    value = _whole(given, name)
    if not least <= value <= most:
        raise Unfit(f"{name} is between {least} and {most} seconds.")
    return value


def _list(value: Any) -> Sequence[str]:
    """A list, or words with commas (or `/`, or `or`) between them."""
    if isinstance(value, list | tuple):
        return [str(each).strip() for each in value if str(each).strip()]
    text = str(value)
    for mark in (",", "/", " or "):
        if mark in text:
            return [part.strip() for part in text.split(mark) if part.strip()]
    return [text.strip()] if text.strip() else []


def _choices(value: Any, most: int, what: str) -> Sequence[str]:
    choices = _list("" if value is None else value)
    # One answer is none: `Hades and Celeste` are two, wherever they come from.
    choices = [part.strip() for part in choices[0].split(" and ")] if len(choices) == 1 else choices
    if not 2 <= len(choices) <= most:
        raise Unfit(f"{what} has 2 to {most} answers, with commas between them; this one has {len(choices)}.")
    for choice in choices:
        _within(choice, 25, "An answer")
    return choices


DEEDS: Final[Mapping[str, Deed]] = {
    "send_chat_announcement": Deed(_announce),
    "send_shoutout": Deed(_shoutout, needs=("user",)),
    "send_whisper": Deed(_whisper, needs=("user",)),
    "timeout_user": Deed(_timeout, needs=("user",)),
    "ban_user": Deed(_ban, needs=("user",)),
    "unban_user": Deed(_unban, needs=("user",)),
    "warn_user": Deed(_warn, needs=("user",)),
    "delete_message": Deed(_delete),
    "clear_chat": Deed(_clear),
    "update_shield_mode_status": Deed(_shield),
    "update_chat_settings": Deed(_settings),
    "add_vip": Deed(_listed("POST", "channels/vips"), "broadcaster", ("user",)),
    "remove_vip": Deed(_listed("DELETE", "channels/vips"), "broadcaster", ("user",)),
    "add_moderator": Deed(_listed("POST", "moderation/moderators"), "broadcaster", ("user",)),
    "remove_moderator": Deed(_listed("DELETE", "moderation/moderators"), "broadcaster", ("user",)),
    "raid_channel": Deed(_raid, "broadcaster", ("user",)),
    "cancel_raid": Deed(_unraid, "broadcaster"),
    "update_channel": Deed(_channel, "broadcaster", ("game",)),
    "create_clip": Deed(_clip, output=_clipped),
    "create_stream_marker": Deed(_marker, "broadcaster", output=_id_only),
    "start_commercial": Deed(_commercial, "broadcaster"),
    "snooze_next_ad": Deed(_snooze, "broadcaster"),
    "create_poll": Deed(_poll, "broadcaster", output=_id_only),
    "end_poll": Deed(_end_poll, "broadcaster", ("poll",)),
    "create_prediction": Deed(_prediction, "broadcaster", output=_id_only),
    "lock_prediction": Deed(_prediction_to("LOCKED"), "broadcaster", ("prediction",)),
    "resolve_prediction": Deed(_prediction_to("RESOLVED"), "broadcaster", ("prediction",)),
    "cancel_prediction": Deed(_prediction_to("CANCELED"), "broadcaster", ("prediction",)),
    "create_custom_reward": Deed(_reward, "broadcaster", output=_id_only),
    "update_custom_reward": Deed(_update_reward, "broadcaster", ("reward",)),
    "update_redemption_status": Deed(_redemption, "broadcaster", ("reward",)),
    "get_user": Deed(_user, needs=("user",), output=_known_user),
    "get_follower": Deed(_follower, needs=("user",), output=_followed),
    "get_stream": Deed(_stream, output=_known_stream),
}
