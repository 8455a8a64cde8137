"""A workflow's words read back to the workflow, whatever it holds."""

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.services.declared import DECLARATIONS
from engine.declare import Declarations
from engine.model import Call, Definition, State, Wait, to_json
from grammar.driver import Driver
from grammar.files import FileError, read_definition
from grammar.say_steps import say_action, say_definition
from tests.strategies import (
    EDIT_TYPES,
    aimless_actions,
    declared_calls,
    definitions,
    edits_of,
    guards,
    policies,
    retries,
    triggers,
    variables,
)

# Making a failure smaller takes minutes for values this large; what failed is printed whole.
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)
SLOW_TO_DRAW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


@cache
def driver() -> Driver:
    return Driver(DECLARATIONS)


def assert_reads_back(definition: Definition, declarations: Declarations = DECLARATIONS) -> None:
    said = say_definition(definition, declarations)
    read = read_definition(said, driver())
    assert read == definition, said
    assert to_json(read) == to_json(definition), said
    assert say_definition(read, declarations) == said


@pytest.mark.timeout(180)
@settings(max_examples=300, deadline=None, suppress_health_check=SLOW_TO_DRAW, phases=QUICKLY)
@given(definitions())
def test_any_definition_reads_back_from_its_file_form(definition: Definition) -> None:
    assert_reads_back(definition)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@settings(max_examples=1_500, deadline=None, suppress_health_check=SLOW_TO_DRAW, phases=QUICKLY)
@given(definitions(states=8))
def test_many_larger_definitions_read_back_from_their_file_form(definition: Definition) -> None:
    assert_reads_back(definition)


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW_TO_DRAW)
@given(declared_calls())
def test_any_call_of_a_declared_method_reads_back(call: Call) -> None:
    definition = Definition(id="x", name="x", initial_state="a", states=(State(name="a", action=call),))
    assert_reads_back(definition)


def test_a_quoted_text_with_options_is_never_one_unquoted_text() -> None:
    title = Call(service="twitch", method="update_channel", params={"title": ""})
    state = State(name="channel", action=title, description="")
    assert_reads_back(Definition(id="x", name="x", initial_state="channel", states=(state,)))


@pytest.mark.parametrize("seconds", [0, 1, 59.999, 60, 61, 3_600, 86_399, 90.5, 1e-9, 5e-324, 0.1 + 0.2, 366 * 86_400])
def test_a_wait_reads_back_to_the_last_bit(seconds: float) -> None:
    definition = Definition(
        id="x", name="x", initial_state="a", states=(State(name="a", action=Wait(seconds=seconds)),)
    )
    assert_reads_back(definition)


# What the strategies draw ------------------------------------------------------------------------------------------------


def seen_in(value: Any, seen: set[str]) -> None:
    """Notes the type of each part, and each field that is not at its default."""
    if isinstance(value, BaseModel):
        kind = type(value)
        seen.add(kind.__name__)
        for name, field in kind.model_fields.items():
            part = getattr(value, name)
            if field.is_required() or part != field.default:
                seen.add(f"{kind.__name__}.{name}")
            seen_in(part, seen)
    elif is_dataclass(value):
        seen.add(f"formula {type(value).__name__}")
        for field_ in fields(value):
            seen_in(getattr(value, field_.name), seen)
    elif isinstance(value, tuple | list):
        for part in value:
            seen_in(part, seen)
    elif isinstance(value, dict):
        for part in value.values():
            seen_in(part, seen)


def everything() -> set[str]:
    import engine.formulas as formulas
    import engine.model as model

    kinds = [
        kind
        for kind in vars(model).values()
        if isinstance(kind, type) and issubclass(kind, model.Frozen) and not kind.__name__.startswith("_")
    ]
    names = {kind.__name__ for kind in kinds if kind is not model.Frozen}
    names |= {f"{kind.__name__}.{name}" for kind in kinds for name in kind.model_fields}
    return names | {f"formula {kind.__name__}" for kind in formulas.Formula.__args__}


@pytest.mark.timeout(300)  # a busy machine takes minutes for what is seconds on an idle one
def test_the_strategies_draw_every_field_and_every_union_member() -> None:
    """Always the same draws, so that it never hangs on luck; parts are also drawn by themselves, as they are used inside."""
    seen: set[str] = set()
    drawn: set[type] = set()

    @settings(
        max_examples=300,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=SLOW_TO_DRAW,
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        definition = data.draw(definitions())
        seen_in(definition, seen)
        for part in (aimless_actions(), policies(), triggers(), variables(), retries(), guards()):
            seen_in(data.draw(part), seen)
        for _ in range(3):
            drawn.add(type(data.draw(edits_of(definition))))

    draw()
    assert everything() - seen == set()
    assert set(EDIT_TYPES) - drawn == set()


# Mistakes ----------------------------------------------------------------------------------------------------------------

HEAD = 'workflow "x"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 0, "begins with its name"),
        ('say "hi"', 0, "begins with its name"),
        (HEAD, 0, "no steps"),
        (HEAD + "frobnicate", 2, "frobnicate"),
        (HEAD + '1. say "a"\n1. say "b"', 3, "step 1 is written twice"),
        (HEAD + '1. say "a"\n3. say "b"', 0, "step 2 is missing"),
        (HEAD + '1. say "a"\nsay "b"', 3, "no number"),
        (HEAD + 'version "1"\nversion "2"\n1. say "a"', 3, "said twice"),
        (HEAD + '1. [a] say "a"\n2. [a] say "b"', 0, "two states"),
        (HEAD + 'do {"kind": "frob"}', 2, ""),
        (HEAD + 'policy {"mode": "wild"}\n1. stop', 2, "mode"),
        (HEAD + '1. say "a" (then go to step 7)', 2, "there is no step 7"),
        (HEAD + 'start at step "b"\n1. say "a"', 0, "initial_state"),
        (HEAD + '1. if its 500 or more (say "a")', 2, "what is it that counts"),
        (HEAD + "only after 10\n1. stop", 2, "in the morning or in the evening"),
        ("\n" * 1_001, 0, "1000 lines"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(FileError) as error:
        read_definition(text, driver())
    assert error.value.line == line
    assert words in str(error.value)


def test_people_may_leave_numbers_out_and_write_comments() -> None:
    read = read_definition(
        '# mine\nworkflow "My Raid"\nwhen someone raids\n\nsay hello there\nwait half a minute\n', driver()
    )
    assert read.id == "my_raid"
    assert [state.name for state in read.states] == ["say", "wait"]
    assert read.states[0].transitions == {"success": "wait"}


def test_a_later_step_keeps_its_number_where_it_is_never_reached() -> None:
    text = HEAD + "\n1. stop\n\nnever reached:\n2. wait 5 seconds\n"
    assert say_definition(read_definition(text, driver()), DECLARATIONS) == text


def test_the_strategy_finds_steps_that_have_words_of_their_own() -> None:
    find(declared_calls(), lambda call: not say_action(call, DECLARATIONS).startswith("do "))


@pytest.mark.parametrize("number", [5, 3.5, 2**53 + 1, 2.0**53 + 4, 5.177683150880182e16, 1e22, -5])
def test_a_number_is_read_back_as_the_number_it_was(number: float) -> None:
    look = Call(service="data", method="get_quote", params={"number": number})
    assert_reads_back(Definition(id="x", name="x", initial_state="a", states=(State(name="a", action=look),)))
