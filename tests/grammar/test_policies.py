"""Every policy is read back from its lines, and every change of one from the sentence that makes it."""

from functools import cache

import pytest
from hypothesis import given, settings

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.edits import SetPolicy
from engine.model import Cooldown, Policy, QuietHours
from grammar.files import FileError
from grammar.instruction import Change, Understood
from grammar.language import Language
from grammar.say_policies import say_new_policy, say_policy
from grammar.workspace import WorkflowView, Workspace
from tests.strategies import policies

HEAD = 'workflow "x"\n'


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


def read(*lines: str) -> Policy:
    return language().read_definition("\n".join(('workflow "x"', *lines, "1. stop"))).policy


@settings(deadline=None, max_examples=300)
@given(policies())
def test_any_policy_is_read_back_from_its_lines(policy: Policy) -> None:
    assert read(*say_policy(policy)) == policy


@settings(deadline=None, max_examples=200)
@given(policies(), policies())
def test_any_change_of_a_policy_is_read_back(old: Policy, new: Policy) -> None:
    for name in ("cooldown", "rate", "quiet_hours", "exempt", "may_run", "may_edit", "missed", "group", "late_seconds"):
        mixed = old.model_copy(update={name: getattr(new, name)})
        if mixed != old:
            back(old, mixed)
    if old != new:
        back(old, new)


def back(old: Policy, new: Policy) -> None:
    definition = language().read_definition(f"{HEAD}1. stop").model_copy(update={"policy": old})
    workspace = Workspace({"x": WorkflowView(definition)}, "x")
    change = Change("x", (SetPolicy(new),))
    said = language().say(change, workspace)
    understood = language().understand(said, workspace)
    assert isinstance(understood, Understood), (said, understood)
    assert understood.instruction == change, said


def test_what_one_rule_says_is_said_as_that_rule() -> None:
    old = Policy(cooldown=Cooldown(seconds=5), only_live=True)
    new = old.model_copy(update={"quiet_hours": QuietHours(start="22:00", end="08:00")})

    assert say_new_policy(old, new) == "quiet from 22:00 to 08:00"


def test_a_policy_that_no_rule_says_is_said_in_full() -> None:
    assert list(say_policy(Policy(max=3))) == ['policy {"max": 3}']


def test_a_rule_said_twice_is_told() -> None:
    with pytest.raises(FileError, match='"cooldown" is said twice'):
        read("cooldown 5 seconds", "cooldown 10 seconds")


def test_a_plain_policy_needs_no_line() -> None:
    assert read() == Policy()
    assert list(say_policy(Policy())) == []
