"""Promises of formulas and templates that are worked out."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EvaluationError
from engine.evaluate import compile_formula, compile_guard
from engine.expressions import parse_formula
from engine.formulas import Call, Literal, Template
from engine.scope import Scope
from engine.secrets import Secret
from engine.templates import compile_params, compile_template, compile_value
from engine.values import within
from tests.engine.test_expressions import FORMULAS

SCOPE = Scope(
    loop={"round": 2},
    variables={"raid_target": "ninja", "n": "7", "shadow": "argument", "stream.title": "Mine", "none": None},
    results={"clip": {"url": "https://x/1", "n": 3}, "shadow": "result"},
    event={
        "viewers": 50,
        "message": "Hello ${raid_target} World",
        "user": {"name": "Bob", "roles": ["vip", "Moderator"]},
        "shadow": "event",
        "live": True,
        "tags": ["a", "B", 3],
        "empty": "",
        "huge": 10**400,
        "score": 2.50,
        "nul": "a\0b\ud800",
    },
    user={"name": "Bob", "roles": ["vip", "Moderator"]},
    caller={"name": "Ann", "roles": ["broadcaster"]},
    config={"discord": {"announcement_channel": "42", "x": {"y": "deep"}}, "obs.scene": "BRB", "a": {"b.c": "mixed"}},
    data={"deaths": 12, "shadow": "data"},
    stream={"live": True, "viewers": 3, "title": "Theirs", "category": "Art"},
    zone="Europe/Berlin",
    now=1_795_203_005.0,
    late=61,
)


@pytest.mark.parametrize(
    "formula",
    [
        "viewers > 5",
        'user is "bob"',
        'user.roles contains "moderator"',
        'user is one of ("ann", "BOB")',
        '"vip" is one of (user.roles)',
        "n > 6",
        "n == 7",
        "7 == n",
        'n == "7"',
        'not n == "7.0"',
        'viewers == "50"',
        "viewers between 50 and 50",
        'message starts with "HELLO"',
        'message ends with "world"',
        'message matches "^hel+o .*d$"',
        "missing is empty",
        "none is empty",
        "${empty} is empty",
        "not missing > 5",
        "not missing < 5",
        "not missing == 5",
        "missing != 5",
        "missing == null",
        'not missing contains "a"',
        'not missing matches ".*"',
        "not missing between 0 and 10",
        'live == "true" and live == true',
        "not live == 1",
        "tags contains 3 and tags contains 'b'".replace("'", '"'),
        "count(tags) == 3",
        'message > "a"',
        "not message > 5",
        "round(2.5) == 3 and round(-2.5) == -3 and round(1.005, 2) == 1.01",
        "6 / 2 == 3 and 7 / 2 == 3.5 and 7 % 3 == 1",
        "max(1, 2.5, viewers) == 50 and sum(1, 2) == 3 and abs(-2) == 2 and floor(2.9) == 2 and ceil(2.1) == 3",
        'lower("ÀB") == "àb" and upper(trim(" a ")) == "A" and length("🎉a") == 2',
        'first(message) == "hello" and last(tags) == 3 and join(tags, "-") == "a-B-3"',
        'clip.n * 2 == 6 and results.clip.url contains "x/1"',
        "tags.2 == 3 and tags.7 is empty",
        'caller.roles contains "broadcaster"',
        'shadow == "argument" and results.shadow == "result" and event.shadow == "event" and data.shadow == "data"',
        'stream.title == "Mine" and stream.category == "Art" and category == "Art" and viewers == 50',
        'discord.announcement_channel == 42 and obs.scene == "brb" and config.obs.scene == "brb" and discord.x.y == "deep"',
        'a.b.c == "mixed"',
        'date == "2026-11-20" and time == "20-30-05" and clock == "20:30" and late == 61',
        "deaths == 12 and ${round} == 2",
        "huge > 5",
    ],
)
def test_this_holds(formula: str) -> None:
    assert compile_guard(parse_formula(formula))(SCOPE) is True


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("1 / 0", "divided by 0"),
        ("1 % 0", "divided by 0"),
        ("missing + 1", "missing is not set"),
        ("message + 1", "only numbers"),
        ("n + 1", "only numbers"),
        ("live + 1", "only numbers"),
        ("9223372036854775807 + 2", "too large"),
        ("1e308 * 10", "too large"),
        ("huge * 2", "too large"),
        ("huge / 2.5", "too large"),
        ('message matches "("', "not a pattern"),
        ('message matches (lower("' + "a" * 600 + '"))', "500 characters"),
        ("sum(message)", "needs a list"),
        ("round(1, 99)", "0 to 12"),
        ("abs()", "takes 1 value"),
        ("upper(missing + 1)", "missing is not set"),
    ],
)
def test_what_cannot_be_worked_out_is_said_in_words(formula: str, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        compile_formula(parse_formula(formula))(SCOPE)


def test_an_unknown_function_cannot_be_compiled_in() -> None:
    with pytest.raises(Exception, match="no function"):
        compile_formula(Call("__import__", (Literal("os"),)))


@settings(max_examples=400, deadline=None)
@given(FORMULAS)
def test_nothing_but_an_evaluation_error_escapes_a_formula(formula) -> None:
    for compiled in (compile_formula(formula), compile_guard(formula)):
        with contextlib.suppress(EvaluationError):
            compiled(SCOPE)


@pytest.mark.timeout(10)
def test_a_hostile_pattern_comes_to_an_end() -> None:
    scope = Scope(event={"message": "a" * 3_000 + "!"})
    assert not compile_guard(parse_formula('message matches "^(a+)+$"'))(scope)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("hi ${user}!", "hi Bob!"),
        ("${viewers} of ${score} ${live}", "50 of 2.5 true"),
        ("${tags}", "a, B, 3"),
        ("$${user}", "${user}"),
        ("${message}", "Hello ${raid_target} World"),
        ("<${message}>", "<Hello ${raid_target} World>"),
        ('${missing|default "nobody"}', "nobody"),
        ('${empty|default "nobody"}', "nobody"),
        ('${missing|upper|default "x"|upper}', "X"),
        ("${message|truncate 6}", "Hello…"),
        ("${tags|first} ${tags|last} ${tags|length} ${message|first}", "a 3 3 Hello"),
        ('${tags|join "/"} ${user|lower} ${score|round} ${n|round}', "a/B/3 bob 3 7"),
        ("stream_${date}_${time}.mp4 at ${clock}", "stream_2026-11-20_20-30-05.mp4 at 20:30"),
        ("${user.name} ${event.user} ${caller}", "Bob Bob Ann"),
        ("${clip.url}", "https://x/1"),
    ],
)
def test_templates_are_filled_in(template: str, text: str) -> None:
    assert compile_template(template)(SCOPE) == text


@pytest.mark.parametrize(
    ("template", "said", "variable"),
    [
        ("${target}", "target is not set: start it with target=...", "target"),
        ("${none}", "none is not set", "none"),
        ("${discord.nope}", "discord.nope is not set: start it with discord.nope=... or set it in the config", None),
        ("${config.nope}", "the setting nope is not set", None),
        ("${event.nope}", "the event that started this has no such field", None),
        ("${results.nope}", "no step of that name", None),
        ("${missing|upper}", "missing is not set", "missing"),
        ("${message.x}", "message.x is not set", None),
        ("${user.__class__}", "user.__class__ is not set", None),
        ("${tags|truncate 0}", "truncate takes", None),
        ("${huge}", "too large", None),
    ],
)
def test_a_missing_variable_is_an_error_in_words_and_never_a_raw_placeholder(template, said, variable) -> None:
    with pytest.raises(EvaluationError, match=said) as caught:
        compile_template(template)(SCOPE)
    assert "${" not in str(caught.value)
    if variable is not None:
        assert caught.value.variable == variable


def test_nobody_is_behind_a_run_without_user() -> None:
    with pytest.raises(EvaluationError, match="nobody is behind this run"):
        compile_template("${user}")(Scope())


def test_an_argument_cannot_pass_for_the_caller() -> None:
    scope = Scope(variables={"caller": {"name": "x", "roles": ["broadcaster"]}}, caller={"name": "eve", "roles": []})
    assert not compile_guard(parse_formula('caller.roles contains "broadcaster"'))(scope)


def test_text_out_of_a_value_is_never_read_again() -> None:
    scope = Scope(event={"message": '${token} $${x} {x} ${message|upper} "'}, variables={"token": "s3cret"})
    assert compile_template("he said ${message}")(scope) == 'he said ${token} $${x} {x} ${message|upper} "'


@given(st.text(max_size=200))
def test_any_text_of_a_viewer_arrives_as_it_is(text: str) -> None:
    scope = Scope(event={"message": text}, variables={"token": "s3cret"})
    if text:
        assert compile_template("<${message}>")(scope) == f"<{text}>"
        assert compile_value("${message}")(scope) == text


def test_a_text_may_not_grow_beyond_its_limit() -> None:
    scope = Scope(event={"message": "x" * 3_000})
    with pytest.raises(EvaluationError, match="6,000 characters"):
        compile_template("${message}${message}")(scope)


def test_a_param_that_is_one_placeholder_keeps_its_type() -> None:
    filled = compile_params(
        {"a": "${viewers}", "b": ["${live}", "${tags}", "${viewers} x"], "c": {"d": None, "e": 1.5}}
    )(SCOPE)
    assert filled == {"a": 50, "b": [True, ["a", "B", 3], "50 x"], "c": {"d": None, "e": 1.5}}


def test_constant_params_are_not_worked_out_at_all() -> None:
    params = {"a": [1, {"b": "c"}]}
    assert compile_params(params)(SCOPE) is params


def test_a_secret_is_shown_nowhere() -> None:
    secret = Secret("http.token", "hunter2")
    scope = Scope(config={"token": secret})
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    for attempt in (
        compile_template("x ${token}"),
        compile_formula(parse_formula('token == "hunter2"')),
        compile_formula(parse_formula('token starts with "h"')),
        compile_formula(parse_formula("upper(token)")),
        compile_formula(parse_formula("token + 1")),
    ):
        with pytest.raises(EvaluationError, match="secret") as caught:
            attempt(scope)
        assert "hunter2" not in str(caught.value)
    assert compile_value("${token}")(scope) is secret


def test_a_value_that_grows_in_a_loop_is_stopped() -> None:
    value: object = "x"
    for _ in range(9):
        value = within([value, value])
    with pytest.raises(EvaluationError, match="too large"):
        within([value, value])


def test_a_template_without_placeholders_costs_nothing() -> None:
    assert compile_template(Template(("plain",)))(SCOPE) == "plain"


@pytest.mark.parametrize(
    ("formula", "holds"),
    [("viewers", True), ("0", False), ('""', False), ("missing", False), ("user", True), ("tags", True)],
)
def test_a_guard_that_is_no_comparison_holds_if_there_is_something(formula: str, holds: bool) -> None:
    assert compile_guard(parse_formula(formula))(SCOPE) is holds
