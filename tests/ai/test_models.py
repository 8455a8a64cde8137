"""Which models there are and which of them is asked: settings in, frozen values or a sentence out."""

from typing import Any

import pytest

from bot.ai.budget import USUAL, Limits
from bot.ai.models import LONGEST_ANSWER, MOST, Model, NotUsable, Options, chosen, options_of, rewords
from bot.config import Settings
from engine.secrets import Secret

URL = "http://127.0.0.1:11434/v1"


def options(secrets: dict[str, str] | None = None, **values: Any) -> Options:
    named = {f"ai.{key.replace('__', '.')}": value for key, value in values.items()}
    return options_of(Settings(values=named, secrets=secrets or {}))


def test_two_settings_make_a_model() -> None:
    made = options(model__local__url=URL + "/", model__local__name="llama3.2:3b")
    assert made == Options(models=(Model("local", URL, "llama3.2:3b"),))
    assert (made.limits, made.longest, made.links, made.rewords) == (USUAL, LONGEST_ANSWER, False, False)


def test_all_that_is_declared_of_a_model_is_known() -> None:
    made = options(
        {"ai.model.cloud.key": "sesame"},
        model__cloud__url="https://api.example.com/v1",
        model__cloud__properties="Fast, german",
        model__cloud__window=8_000,
    )
    properties = frozenset({"fast", "german"})
    key = Secret("ai.model.cloud.key", "sesame")
    assert made.models == (Model("cloud", "https://api.example.com/v1", "cloud", key, properties, 8_000),)
    assert made.models[0].described == "cloud (fast, german)"


def test_models_are_asked_in_the_order_that_is_set_else_by_name() -> None:
    two = {"model__b__url": URL, "model__a__url": URL}
    assert [model.name for model in options(**two).models] == ["a", "b"]
    assert [model.name for model in options(**two, models="b, a").models] == ["b", "a"]
    assert [model.name for model in options(**two, models="b").models] == ["b"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"model__a__url": "ftp://x"}, "ai.model.a.url must be the address of a server"),
        ({"model__a__url": "http://me:secret@x/v1"}, "ai.model.a.url must be"),
        ({"model__a__url": "http://[x"}, "ai.model.a.url must be"),
        ({"model__a__name": "x"}, "ai.model.a.url must be"),
        ({"model__a__url": URL, "model__a__key": "sk-1"}, "must be a secret: /config secret ai.model.a.key"),
        ({"model__a__url": URL, "model__a__colour": "red"}, "ai.model.a.colour is no setting"),
        ({"model__a__url": URL, "models": "a, b"}, '"b" of ai.models is not set up'),
    ],
)
def test_what_cannot_be_asked_is_said_and_how_it_is_set(values: dict[str, Any], why: str) -> None:
    with pytest.raises(NotUsable) as refused:
        options(**values)
    assert why in str(refused.value)
    assert "sk-1" not in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_numbers_that_do_not_fit_count_as_not_set_and_nought_is_a_budget() -> None:
    made = options(timeout="soon", longest=-5, requests_a_day=0, tokens_a_day=True)
    assert made == Options(limits=Limits(0, USUAL.tokens))
    assert options(timeout=1e8, longest=10_000).within == 60
    assert options(longest=10_000).longest == LONGEST_ANSWER


@pytest.mark.parametrize(("value", "on"), [("on", True), (True, True), ("off", False), (False, False), ("", False)])
def test_guessing_is_off_unless_it_is_switched_on(value: Any, on: bool) -> None:
    assert rewords(Settings(values={"ai.understand": value})) is on
    assert rewords(Settings()) is False


# Selection ---------------------------------------------------------------------------------------------------------------

SMALL = Model("small", URL, "s", properties=frozenset({"fast"}), window=1_000)
LARGE = Model("large", URL, "l", properties=frozenset({"german", "fast"}))


@pytest.mark.parametrize(
    ("needs", "tokens", "names"),
    [
        ((), 100, ["small", "large"]),
        (("FAST",), 100, ["small", "large"]),
        (("german",), 100, ["large"]),
        (("fast", "german"), 100, ["large"]),
        ((), 1_001, ["large"]),
    ],
)
def test_a_model_is_chosen_by_what_is_needed(needs: tuple[str, ...], tokens: int, names: list[str]) -> None:
    assert [model.name for model in chosen((SMALL, LARGE), needs, tokens)] == names


@pytest.mark.parametrize(
    ("models", "needs", "tokens", "why"),
    [
        ((), (), 1, "No language model is set up yet. Do it with: /config ai.model.local.url"),
        ((SMALL, LARGE), ("french",), 1, "no model is set up as french; there are: small (fast), large (fast, german)"),
        ((SMALL,), (), 2_000, "that is too long for small: about 2,000 tokens"),
    ],
)
def test_where_no_model_fits_it_is_said_why(
    models: tuple[Model, ...], needs: tuple[str, ...], tokens: int, why: str
) -> None:
    with pytest.raises(NotUsable, match=r"(?s).*") as refused:
        chosen(models, needs, tokens)
    assert str(refused.value).startswith(why)


def test_few_models_are_asked_for_one_answer() -> None:
    assert len(chosen([Model(f"m{number}", URL, "m") for number in range(20)], (), 1)) == MOST
