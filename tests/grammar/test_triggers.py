"""Every trigger is read back from its words, every cron line that has words from those, and days are taken out exactly."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.formulas import And, Compare, Literal, Variable
from engine.model import Trigger
from grammar.language import Language
from grammar.say_schedules import say_schedule
from grammar.say_triggers import say_trigger
from grammar.starts import on_days, weekdays_in, with_condition
from tests.strategies import guards, triggers


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


def read(words: str) -> Trigger:
    (trigger,) = language().read_definition(f'workflow "x"\n{words}\n1. stop').triggers
    return trigger


@settings(deadline=None, max_examples=400)
@given(triggers())
def test_any_trigger_is_read_back(trigger: Trigger) -> None:
    assert read(say_trigger(trigger)) == trigger


@settings(deadline=None, max_examples=200)
@given(guards(), guards())
def test_a_command_with_any_guard_is_read_back(one: object, other: object) -> None:
    command = Compare("==", Variable("command"), Literal("!lurk"))
    for guard in (And((command, one)), And((command, one, other)), And((command, And((one, other))))):  # type: ignore[arg-type]
        trigger = Trigger(on="message.received", when=guard)
        assert read(say_trigger(trigger)) == trigger


WEEKDAYS = st.one_of(
    st.sampled_from(("*", "1-5", "0,6", "2-4", "1,3,5", "5#1", "0L", "1-3,6", "0", "6", "1-5,0", "3,1")),
    st.lists(st.integers(0, 6).map(str), min_size=1, max_size=7).map(",".join),
)
FIELDS = st.tuples(
    st.sampled_from(("0", "5", "30", "59", "*/5", "*/15", "*/7", "*", "0,30", "05", "60")),
    st.sampled_from(("*", "0", "9", "20", "12,18", "18,12", "18-23", "8-20/2", "8-21/2", "*/2", "*/5", "9-9", "24")),
    st.sampled_from(("*", "*", "1", "1,15", "L", "31", "15,1", "0", "*/2")),
    st.sampled_from(("*", "*", "12", "2", "1-3", "13")),
    WEEKDAYS,
)


@settings(deadline=None, max_examples=400)
@given(FIELDS.map(" ".join))
def test_a_cron_line_with_words_is_that_line(cron: str) -> None:
    said = say_schedule(cron)
    if said is not None:
        assert read(said) == Trigger(on="schedule.fired", schedule=cron)


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("30 19 * * 2,4", "every tuesday and thursday at 19:30"),
        ("0 9 * * 1-5", "every weekday at 09:00"),
        ("0 12,18 * * *", "every day at 12:00 and 18:00"),
        ("0 19 1,15 * *", "on the 1st and 15th of every month at 19:00"),
        ("0 20 * * 5#1", "on the first friday of every month at 20:00"),
        ("0 20 * * 5L", "on the last friday of every month at 20:00"),
        ("0 23 L * *", "on the last day of every month at 23:00"),
        ("0 12 25 12 *", "on december 25 at 12:00"),
        ("0 */2 * * *", "every 2 hours on the hour"),
        ("15 * * * *", "every hour at minute 15"),
        ("*/15 * * * *", "every 15 minutes by the clock"),
        ("0 18-23 * * *", "every hour from 18:00 to 23:00"),
        ("*/30 18-22 * * *", "every 30 minutes from 18:00 to 22:30"),
        ("1-5 * * 3 *", None),
    ],
)
def test_cron_lines_are_said_in_words_where_there_are_some(cron: str, words: str | None) -> None:
    assert say_schedule(cron) == words


@given(st.frozensets(st.integers(0, 6)), st.booleans())
def test_days_are_taken_out_exactly(days: frozenset[int], only: bool) -> None:
    trigger = Trigger(on="schedule.fired", schedule="30 19 * * 1-5")
    found = on_days((trigger,), days, only=only)
    left = days if only else frozenset(range(1, 6)) - days

    if found is None:
        assert not left
    else:
        assert weekdays_in(str(found[0].schedule).rpartition(" ")[2]) == left


def test_a_condition_comes_to_the_triggers_that_have_what_it_speaks_of() -> None:
    cheer, follow = Trigger(on="cheer.received"), Trigger(on="follow.received")
    enough = Compare(">=", Variable("bits"), Literal(100))

    assert with_condition((cheer, follow), enough) == (Trigger(on="cheer.received", when=enough), follow)


def test_a_new_measure_takes_the_place_of_the_old_one() -> None:
    old, new = (Compare(">", Variable("bits"), Literal(number)) for number in (5, 50))
    most = Compare("<", Variable("bits"), Literal(900))
    (trigger,) = with_condition((Trigger(on="cheer.received", when=And((old, most))),), new)

    assert trigger.when == And((most, new))
