"""Words to trees: context decides what a word is, typos cost, failures say where, and no message takes long."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.declared import DECLARATIONS
from engine.declare import Declarations, Method, Param
from engine.events import TYPES
from engine.formulas import And, Compare, Literal, Not, TextTest, Variable
from engine.model import Call, Goto, State, Trigger, Wait
from grammar.build_steps import StepBuilder
from grammar.drafts import linked
from grammar.driver import CHAT, Driver, Limits, Parsed, Stuck
from grammar.leaves import NotBuilt
from grammar.lexicon import LiveLexicon, expand, inflections, names_on_stream
from grammar.say_steps import say_trigger
from grammar.words import clean, split
from grammar.workspace import LiveNames
from tests.effort import calls_of
from tests.strategies import triggers

NAMES = LiveNames(
    scenes=("BRB", "Hype", "Just Chatting", "Gameplay"),
    sources=("webcam",),
    sounds=("airhorn",),
    rewards=("Hydrate",),
    channels=("general", "announcements"),
)
LIVE = LiveLexicon(names_on_stream(NAMES))


@cache
def driver() -> Driver:
    return Driver(DECLARATIONS)


def builder(of: Driver | None = None) -> StepBuilder:
    return StepBuilder((of or driver()).phrases.by_rule)


def steps(text: str) -> list[State]:
    outcome = driver().parse(text, LIVE, "steps_line")
    assert isinstance(outcome, Parsed), outcome
    return list(linked(builder().steps(outcome.best.tree.nodes("steps")[0]), None, DECLARATIONS))


def said(text: str) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    for state in steps(text):
        match state.action:
            case Call(method=method, params=params):
                found.append((method, dict(params)))
            case Wait(seconds=seconds):
                found.append(("wait", {"seconds": seconds}))
            case action:
                found.append((action.kind, {}))
    return found


def trigger(text: str) -> Trigger:
    outcome = driver().parse(text, LIVE, "trigger_line")
    assert isinstance(outcome, Parsed), outcome
    return builder().trigger(outcome.best.tree.nodes("trigger")[0])


def say(text: str) -> tuple[str, dict[str, object]]:
    return ("send_chat_message", {"message": text})


def wait(seconds: float) -> tuple[str, dict[str, object]]:
    return ("wait", {"seconds": seconds})


def scene(name: str) -> tuple[str, dict[str, object]]:
    return ("set_current_scene", {"scene_name": name})


SHOUTOUT = ("send_shoutout", {"user": "${user}"})


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("say hi there, wait 10 seconds and shout them out", [say("hi there"), wait(10), SHOUTOUT]),
        ("say thanks and see you all next week", [say("thanks and see you all next week")]),
        ("say don't spam '!join' lol", [say("don't spam '!join' lol")]),
        ('say "a, then wait 5 seconds" then wait 6 seconds', [say("a, then wait 5 seconds"), wait(6)]),
        ("say welcome raiders!! then wait half a minute", [say("welcome raiders!!"), wait(30)]),
        ("say “hi  you”, wait 1m30", [say("hi  you"), wait(90)]),
        (r'say "a \"b\" \\ c\nd"', [say('a "b" \\ c\nd')]),
        (r"say C:\dir", [say(r"C:\dir")]),
        ("switches to the hype scene, waits 10 sec then goes back to gameplay", [scene("Hype"), wait(10), scene("Gameplay")]),
        ("wait 10s · wait 20s -> wait 30s; wait 40s", [wait(10), wait(20), wait(30), wait(40)]),
        ("1 say \"a\" · 2 wait 10 seconds · 3 shout out ${user}", [say("a"), wait(10), SHOUTOUT]),
        ("a 10 second wait", [wait(10)]),
        ("please wait 10 seconds thanks!", [wait(10)]),
        ("post we are live in #announcements and say lets gooo", [("send_message", {"message": "we are live", "channel_id": "announcements"}), say("lets gooo")]),
        ("post in discord general that we go live", [("send_message", {"message": "we go live", "channel_id": "general"})]),
        ("play the airhorn sound", [("play_sound", {"sound": "airhorn"})]),
        ("shoutout @ninja", [("send_shoutout", {"user": "ninja"})]),
        ("shout out ninja", [("send_shoutout", {"user": "ninja"})]),
        ("hide webcam and show webcam", [("set_scene_item_enabled", {"source": "webcam", "enabled": False}), ("set_scene_item_enabled", {"source": "webcam", "enabled": True})]),
        ("stop streaming", [("stop_streaming", {})]),
        ("time out bob for 5 minutes", [("timeout_user", {"user": "bob", "duration": 300})]),
    ],
)  # fmt: skip
def test_steps_mean_what_people_mean(text: str, meaning: list[tuple[str, dict[str, object]]]) -> None:
    assert said(text) == meaning


def guarded(on: str, operator: str, path: str, value: str | int) -> Trigger:
    return Trigger(on=on, when=Compare(operator, Variable(path), Literal(value)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("when someone raids with more than 5 viewers", guarded("raid.received", ">", "viewers", 5)),
        ("whenever i get raided by 10+ viewers", guarded("raid.received", ">=", "viewers", 10)),
        ("when somebody raids with 10 or more ppl", guarded("raid.received", ">=", "viewers", 10)),
        ("when a raid of at most 5 viewers comes in", guarded("raid.received", "<=", "viewers", 5)),
        ("on sub", Trigger(on="subscription.received")),
        ("on raid", Trigger(on="raid.received")),
        ("someone gifts 5 or more subs", guarded("gift.received", ">=", "count", 5)),
        ("on cheer over 1k bits", guarded("cheer.received", ">", "bits", 1_000)),
        ("when someone cheers at least 100 bits", guarded("cheer.received", ">=", "bits", 100)),
        ("when someone types !Lurk", guarded("message.received", "==", "command", "!lurk")),
        ("when someone types !hello in discord", guarded("discord.message.received", "==", "command", "!hello")),
        ('when someone redeems "Hydrate"', guarded("reward.redeemed", "==", "reward", "Hydrate")),
        ("when someone redeems hydrate", guarded("reward.redeemed", "==", "reward", "Hydrate")),
        ("when the game changes to Just Chatting", guarded("category.changed", "==", "category", "Just Chatting")),
        ("every 30 min", Trigger(on="interval.elapsed", every_seconds=1_800)),
        ("every hour", Trigger(on="interval.elapsed", every_seconds=3_600)),
        ("at 8pm every friday", Trigger(on="schedule.fired", schedule="0 20 * * 5")),
        ("every tue and thurs at 19:30", Trigger(on="schedule.fired", schedule="30 19 * * 2,4")),
        ("weekdays at 19:00", Trigger(on="schedule.fired", schedule="0 19 * * 1-5")),
        ("at 7pm on weekdays", Trigger(on="schedule.fired", schedule="0 19 * * 1-5")),
        ("every 20 to 40 minutes", Trigger(on="interval.elapsed", every_seconds=1_200, every_most_seconds=2_400)),
        ("every between 20 and 40 minutes", Trigger(on="interval.elapsed", every_seconds=1_200, every_most_seconds=2_400)),
        ("every 90 seconds to 1 hour", Trigger(on="interval.elapsed", every_seconds=90, every_most_seconds=3_600)),
        ("once on 2026-11-27 at 19:00", Trigger(on="schedule.fired", at="2026-11-27T19:00")),
        ("at 7pm on 2026-11-27", Trigger(on="schedule.fired", at="2026-11-27T19:00")),
        ("every 30 minutes after at least 10 chat lines", Trigger(on="interval.elapsed", every_seconds=1_800, min_lines=10)),
        ("every 30 minutes, after 5 messages, but only when we are live", Trigger(on="interval.elapsed", every_seconds=1_800, min_lines=5, only_live=True)),
        ("every day at 19:00 while live, if (x > 1)", Trigger(on="schedule.fired", schedule="0 19 * * *", only_live=True, when=Compare(">", Variable("x"), Literal(1)))),
        ("when someone follows, if they are a vip", Trigger(on="follow.received", when=TextTest("contains", Variable("user.roles"), Literal("vip")))),
        ("when someone subs if they are not a mod", Trigger(on="subscription.received", when=Not(TextTest("contains", Variable("user.roles"), Literal("moderator"))))),
        ("when someone raids with more than 5 viewers, if (viewers < 9)", Trigger(on="raid.received", when=And((Compare(">", Variable("viewers"), Literal(5)), Compare("<", Variable("viewers"), Literal(9)))))),
    ],
)  # fmt: skip
def test_triggers_mean_what_people_mean(text: str, meaning: Trigger) -> None:
    spoken = (
        text if text.split()[0] in ("when", "whenever", "on", "every", "at", "once", "weekdays") else f"when {text}"
    )
    assert trigger(spoken) == meaning


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_every_event_has_words_that_are_read_back(kind) -> None:
    assert trigger(say_trigger(Trigger(on=kind.name))) == Trigger(on=kind.name)


@settings(max_examples=200, deadline=None)
@given(triggers())
def test_any_trigger_reads_back(value: Trigger) -> None:
    assert trigger(say_trigger(value)) == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Trigger(on="interval.elapsed", every_seconds=1_200, every_most_seconds=2_400), "every 20 to 40 minutes"),
        (Trigger(on="interval.elapsed", every_seconds=60, every_most_seconds=120), "every 1 minute to 2 minutes"),
        (Trigger(on="interval.elapsed", every_seconds=90, every_most_seconds=3_600), "every 1 minute 30 seconds to 1 hour"),
        (Trigger(on="schedule.fired", at="2026-11-27T19:00"), "once on 2026-11-27 at 19:00"),
        (Trigger(on="interval.elapsed", every_seconds=60, min_lines=10, only_live=True), "every 1 minute, after at least 10 chat lines, only while live"),
        (Trigger(on="raid.received", only_live=True), "when a raid comes in, only while live"),
    ],
)  # fmt: skip
def test_a_schedule_is_said_in_plain_words_and_read_back(value: Trigger, said: str) -> None:
    assert say_trigger(value) == said
    assert trigger(said) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("every 20 to 40", "40 what"),
        ("every 20 to half an hour", "say both lengths with their units"),
        ('every 20 minutes, only while live, with {"only_live": false}', '"only_live" is said in words already'),
    ],
)
def test_a_schedule_that_is_not_said_wholly_or_twice_is_told(text: str, told: str) -> None:
    with pytest.raises(NotBuilt, match=told):
        trigger(text)


def test_what_cannot_be_counted_is_told() -> None:
    with pytest.raises(NotBuilt, match="counted in viewers, not in bits"):
        trigger("when someone raids with more than 5 bits")


# Typos -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "corrections"),
    [
        ("wiat 30 secs", (("wiat", "wait"),)),
        ("wait 30 seconsd", (("seconsd", "seconds"),)),
        ("wait 30 seconds", ()),
        ("say wiat a sceond", ()),
    ],
)
def test_a_corrected_typo_is_told_and_texts_are_never_corrected(
    text: str, corrections: tuple[tuple[str, str], ...]
) -> None:
    outcome = driver().parse(text, LIVE, "steps_line")
    assert isinstance(outcome, Parsed)
    assert outcome.best.corrections == corrections


def test_equally_near_words_are_all_kept() -> None:
    live = LiveLexicon([("SCENE", "Gane", "Gane"), ("SCENE", "Gama", "Gama")])
    outcome = driver().parse("switch to Gamf", live, "steps_line")
    assert isinstance(outcome, Stuck | Parsed)
    outcome = driver().parse(
        "switch to Ganea", LiveLexicon([("SCENE", "Ganez", "1"), ("SCENE", "Ganex", "2")]), "steps_line"
    )
    assert isinstance(outcome, Parsed)
    assert {next(leaf.value for leaf in reading.tree.leaves()) for reading in outcome.readings} == {"1", "2"}


# Failures ----------------------------------------------------------------------------------------------------------------


def test_failure_names_place_word_and_what_could_stand_there() -> None:
    outcome = driver().parse("wait 5 seconds then frobnicate", LIVE, "steps_line")
    assert isinstance(outcome, Stuck)
    assert (outcome.at, outcome.word) == (20, "frobnicate")
    assert {"_WAIT", "_STOP_HERE"} <= outcome.expected
    assert [leaf.type for leaf in outcome.read] == ["_WAIT", "DURATION", "_THEN_CONN"]


def test_a_missing_end_is_told_as_such() -> None:
    outcome = driver().parse("wait", LIVE, "steps_line")
    assert isinstance(outcome, Stuck)
    assert (outcome.word, outcome.reason) == (None, "syntax")
    assert "DURATION" in outcome.expected


@pytest.mark.parametrize(
    ("text", "limits", "reason"),
    [
        ("x" * 5_000, CHAT, "too long"),
        ("x " * 300, CHAT, "too long"),
        ("say a and " * 20, Limits(work=20), "too complicated"),
    ],
)
def test_what_asks_too_much_is_refused(text: str, limits: Limits, reason: str) -> None:
    outcome = driver().parse(text, LIVE, "steps_line", limits)
    assert isinstance(outcome, Stuck)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    "piece", ["say and ", "zzzq wiat ", "((", '{"a":', '"\\"', "if (a) go to step ", "twenty and ", "[a", "1 hour ", "🚩", "\u034f", "${", "a=\"", "in discord "]
)  # fmt: skip
def test_no_message_takes_long(piece: str) -> None:
    message = (piece * 500)[:500]
    driver().parse(message, LIVE, "steps_line")
    assert calls_of(lambda: driver().parse(message + "x", LIVE, "steps_line")) < 80_000


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(st.sampled_from(["say", "(", '"', "{", "[", "wait", "1:30", "$", "x=", ",", "if", "12.", "½"])).map(
            " ".join
        ),
    )
)
def test_any_text_is_answered(text: str) -> None:
    for start in sorted(driver().starts):
        assert isinstance(driver().parse(text, LIVE, start), Parsed | Stuck)


# Services ----------------------------------------------------------------------------------------------------------------


def test_a_plugin_speaks_through_its_declaration_alone() -> None:
    lamp = Method(
        "lights",
        "set_colour",
        (Param("lamp", "text"), Param("colour", "text"), Param("fade", "seconds", required=False)),
        ("paint {lamp} in {colour}", "(paint|colour) {lamp} in {colour} over {fade}"),
        verb="paint",
    )
    own = Driver(Declarations((*DECLARATIONS, lamp)))
    outcome = own.parse('colour "desk lamp" in "red" over 5 seconds, then wait 1 minute', LIVE, "steps_line")
    assert isinstance(outcome, Parsed)
    first, second = StepBuilder(own.phrases.by_rule).steps(outcome.best.tree.nodes("steps")[0])
    assert first.state.action == Call(
        service="lights", method="set_colour", params={"lamp": "desk lamp", "colour": "red", "fade": 5}
    )
    assert second.state.action == Wait(seconds=60)


def test_an_unquoted_text_ends_before_the_words_that_lead_to_a_number() -> None:
    dim = Method("lights", "dim", (Param("lamp", "text"), Param("level", "number")), ("dim {lamp} to {level}",))
    own = Driver(Declarations((*DECLARATIONS, dim)))
    outcome = own.parse("dim the lamp next to me to 20 then say welcome to 20 people", LIVE, "steps_line")
    assert isinstance(outcome, Parsed)
    first, second = StepBuilder(own.phrases.by_rule).steps(outcome.best.tree.nodes("steps")[0])
    assert first.state.action == Call(
        service="lights", method="dim", params={"lamp": "the lamp next to me", "level": 20}
    )
    assert isinstance(second.state.action, Call)
    assert second.state.action.params == {"message": "welcome to 20 people"}


def test_a_phrase_that_names_no_param_is_refused_at_once() -> None:
    broken = Method("x", "y", (), ("do a thing with {thing}",))
    with pytest.raises(ValueError, match="no param 'thing'"):
        Driver(Declarations((broken,)))


def test_options_of_a_step_are_read() -> None:
    (state,) = steps(
        '[greet] say "hi" (then go to step "x"; on timeout if (a > 1) go to step "a", otherwise go to step "b"; retry 3 times; note "why")'
    )
    assert state.name == "greet"
    assert state.transitions["success"] == "x"
    assert state.retry is not None
    assert state.retry.max_attempts == 4
    assert state.description == "why"
    assert steps('go to step "again"')[0].action == Goto(to="again")


# Words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "cleaned"),
    [("say hi \u034f", "say hi"), ("say hi \U000e0000", "say hi"), ("@show_caller !wf list", "!wf list"), ("say 🚩", "say 🚩"), ("@ninja hi", "@ninja hi")],
)  # fmt: skip
def test_what_clients_add_is_cleaned_away(message: str, cleaned: str) -> None:
    assert clean(message) == cleaned


@given(st.text(max_size=100))
def test_words_keep_their_places(text: str) -> None:
    end = 0
    for word in split(text, 200):
        assert end <= word.start < word.end
        assert text[word.start : word.end] == word.text
        end = word.end


@pytest.mark.parametrize(
    ("phrase", "wordings"),
    [
        ("a [b] c", ["a c", "a b c"]),
        ("(a|b c) d", ["a d", "b c d"]),
        ("(so|give a (shout|wave) to) x", ["so x", "give a shout to x", "give a wave to x"]),
    ],
)
def test_phrases_expand(phrase: str, wordings: list[str]) -> None:
    assert expand(phrase) == wordings


@pytest.mark.parametrize(
    ("verb", "forms"),
    [("say", ("says", "saying")), ("switch", ("switches", "switching")), ("stop", ("stops", "stopping")), ("hide", ("hides", "hiding")), ("go", ("goes", "going")), ("play", ("plays", "playing")), ("an", ()), ("another", ())],
)  # fmt: skip
def test_verbs_have_their_other_forms(verb: str, forms: tuple[str, ...]) -> None:
    assert inflections(verb) == forms


def test_a_sentence_said_again_and_again_costs_no_more_than_the_first_time() -> None:
    text = 'if viewers > 5 say "a" and wait 5 seconds'
    begun = driver().work
    assert isinstance(driver().parse(text, LIVE, "steps_line"), Parsed)
    enough = Limits(work=2 * (driver().work - begun))
    again = [driver().parse(text, LIVE, "steps_line", enough) for _ in range(10)]
    assert all(isinstance(each, Parsed) for each in again)
