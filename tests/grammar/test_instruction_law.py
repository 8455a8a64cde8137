"""`understand(say(i)) == i`: what the bot says of an instruction, it reads back as that very instruction."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine import edits
from engine.errors import EditError
from engine.formulas import Variable
from engine.model import Call, Definition, State, Trigger, Wait, Way
from grammar.afterwards import together
from grammar.driver import CHAT
from grammar.instruction import (
    Agenda,
    Answer,
    Backtest,
    Change,
    Control,
    Copy,
    Counters,
    Create,
    Delete,
    Diff,
    DryRun,
    Export,
    Extend,
    FromTemplate,
    Help,
    History,
    Import,
    Instruction,
    LaterEvent,
    ListRuns,
    ListTemplates,
    ListWorkflows,
    MoveRuns,
    Past,
    Placeholders,
    Redo,
    Refusal,
    Rename,
    Restore,
    RetryRun,
    RunWorkflow,
    SetEnabled,
    Show,
    Skip,
    Sort,
    Status,
    Suppose,
    SwitchAll,
    TakeBack,
    Tell,
    Understood,
    Undo,
    Why,
)
from grammar.language import Language
from grammar.names import checked
from grammar.references import Unsettled
from grammar.words import split
from grammar.workspace import LiveNames, WorkflowView, Workspace
from tests.strategies import EDIT_TYPES, definitions, edits_of, texts

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
# Making a failure smaller takes minutes for values this large; what failed is printed whole.
ONCE = (Phase.generate,)
NAMES = LiveNames(scenes=("BRB", "Hype"), sounds=("airhorn",), channels=("general",))


@cache
def language() -> Language:
    return Language(DECLARATIONS, tables_folder())


def small(identifier: str, name: str) -> Definition:
    """A workflow of three steps."""
    states = (
        State(name="say", action=Call(service="twitch", method="send_chat_message", params={"message": "hi"})),
        State(name="wait", action=Wait(seconds=10)),
        State(name="say_2", action=Call(service="twitch", method="send_chat_message", params={"message": "bye"})),
    )
    return Definition(id=identifier, name=name, initial_state="say", states=states)


WORKSPACE = Workspace(
    {
        "raid": WorkflowView(small("raid", "raid").model_copy(update={"tags": ("redeems", "my tag")}), revision=3),
        "outro_raid": WorkflowView(small("outro_raid", "outro raid")),
        "wait": WorkflowView(small("wait", "Wait"), running=True),
        "x9": WorkflowView(small("x9", 'all "of" it; then 5')),
    },
    focus="raid",
    names=NAMES,
    templates=("raid", "go live"),
)
IDLE = Workspace({id: replace(view, running=False) for id, view in WORKSPACE.workflows.items()})
IDS = st.sampled_from(sorted(WORKSPACE.workflows))
GIVEN = st.dictionaries(st.sampled_from(("raid_target", "stream.title", "n", "ä_1")), texts(), max_size=3)
LENGTHS = st.integers(0, 366 * 86_400).map(float) | st.floats(0.01, 1_000).map(lambda each: round(each, 2))
TIMES = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
STEPS = st.none() | st.sampled_from(("say", "wait", "say_2"))


MOST_CHARACTERS = 4_000
EASY_CHARACTERS = 400
"""What is shorter is never too complicated."""
MOST_TOO_COMPLICATED = 0.01
"""Of the messages of one shard, which are few: five of 800 come about by chance where one of 500 is."""
TOO_COMPLICATED = "That is too complicated for one sentence. Say it in parts."
PATIENT = replace(CHAT, work=20 * CHAT.work)
SHARDS, AT_A_TIME, IN_A_SHARD = 20, 6, 500
"""10,000 messages in all; each workflow that is drawn is changed so often in a row."""


def back(instruction: Instruction, workspace: Workspace) -> bool:
    """What is said is read back; False if it asks more work than one sentence may, which is told and loses nothing."""
    said = language().say(instruction, workspace)
    meant = language().understand(said, workspace)
    is_too_much = isinstance(meant, Refusal) and meant.text == TOO_COMPLICATED and len(said) > EASY_CHARACTERS
    if is_too_much:
        meant = language()._read(said, workspace, language()._driver.work + PATIENT.work, limits=PATIENT)
    assert isinstance(meant, Understood), (said, meant)
    assert meant.instruction == instruction, said
    assert meant.corrections == (), said
    return not is_too_much


HAPPENINGS = st.sampled_from(
    ("raid.received", "follow.received", "message.received", "raid", "party.begun", "schedule.fired")
)
FIELDS = st.dictionaries(
    st.sampled_from(("viewers", "user", "user.roles", "message", "command", "n")), texts(), max_size=3
)
LATER = st.builds(LaterEvent, st.sampled_from((0.0, 1.5, 300.0, 86_400.0)), HAPPENINGS, FIELDS)

SORTS = st.builds(
    Sort,
    st.sampled_from((None, None, "enabled", "disabled", "running")),
    st.sampled_from((None, None, "redeems", "my tag")),
    st.sampled_from((None, "timers", "commands", "redeems", "by hand", "triggers", "raid.received", "stream.started")),
)
PASTS = st.one_of(
    st.just(Past(yesterday=True)),
    st.just(Past(weekday="monday")),
    st.sampled_from((60.0, 5_400.0, 86_400.0)).map(lambda seconds: Past(seconds=seconds)),
    TIMES.map(lambda time: Past(time=time)),
    st.builds(lambda time: Past(date="2026-11-20", time=time), st.none() | TIMES),
)

INSTRUCTIONS = st.one_of(
    st.builds(
        DryRun,
        IDS,
        st.none() | HAPPENINGS,
        FIELDS,
        st.sampled_from((None, "say", "wait", "say_2")),
        st.lists(LATER, max_size=3).map(tuple),
    ),
    st.builds(Backtest, IDS, st.none() | st.just(1), st.none() | st.sampled_from((60.0, 3_600.0, 86_400.0, 90_061.5))),
    st.builds(MoveRuns, IDS),
    st.builds(Rename, IDS, st.sampled_from(("x", "my raid", 'say "hi", then stop', "5 wait"))),
    st.builds(Delete, st.lists(IDS, min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(SetEnabled, IDS, st.booleans()),
    st.builds(RunWorkflow, IDS, GIVEN),
    st.builds(RunWorkflow, IDS, GIVEN, LENGTHS),
    st.builds(RunWorkflow, IDS, GIVEN, st.none(), TIMES),
    st.builds(Skip, IDS, STEPS),
    st.builds(Extend, st.one_of(LENGTHS, LENGTHS.filter(bool).map(lambda each: -each)), IDS, STEPS),
    st.builds(RetryRun, st.none() | IDS, GIVEN),
    st.just(Agenda()),
    st.builds(Tell, IDS, st.sampled_from(("starts", "length", "rights"))),
    st.builds(ListRuns, st.none() | IDS),
    st.builds(Control, st.sampled_from(("stop", "cancel", "pause", "resume")), st.none() | IDS),
    st.builds(Status, st.none() | IDS),
    st.builds(ListWorkflows, SORTS),
    st.builds(ListWorkflows, st.builds(Sort, using=st.sampled_from(("airhorn", "cooldown", "raid", "general")))),
    st.builds(SwitchAll, st.booleans(), SORTS),
    st.builds(Copy, IDS, st.sampled_from(("x", "my raid", 'say "hi", then stop'))),
    st.builds(FromTemplate, st.sampled_from(("raid", "go live")), st.sampled_from(("x", "go again", "5 wait"))),
    st.just(ListTemplates()),
    st.builds(Restore, IDS, st.just(1) | PASTS),
    st.builds(Suppose, HAPPENINGS, FIELDS),
    st.builds(Placeholders, IDS),
    st.builds(Counters, st.sampled_from((None, "deaths", "boss fights", 'say "hi", then stop'))),
    st.builds(Show, IDS, st.integers(1, 3)),
    st.builds(Show, IDS, st.none(), st.integers(1, 9)),
    st.builds(Why, st.none() | IDS),
    st.builds(History, IDS),
    st.builds(Diff, IDS, st.none() | st.just(1) | PASTS),
    st.builds(Diff, st.just("raid"), st.just(1) | PASTS, st.just(2)),
    st.builds(Undo, st.none() | IDS, st.integers(1, 9)),
    st.builds(TakeBack, IDS, st.just(1)),
    st.builds(Redo, st.none() | IDS, st.integers(1, 9)),
    st.builds(Export, IDS, st.sampled_from(("text", "json", "yaml", "code"))),
    st.builds(Import, st.sampled_from(('{"id": "x"}', 'workflow "x"\n1. stop', "sc1.eJw.12345678"))),
    st.builds(Help, st.sampled_from((None, "waits"))),
    st.builds(Answer, st.booleans()),
)


ONE_OF_SEVERAL = st.one_of(
    st.builds(SetEnabled, IDS, st.booleans()),
    st.builds(Control, st.sampled_from(("stop", "cancel", "pause", "resume")), st.none() | IDS),
    st.builds(RunWorkflow, IDS, GIVEN),
    st.builds(RunWorkflow, IDS, GIVEN, LENGTHS),
    st.builds(Undo, IDS, st.integers(1, 9)),
    st.builds(Skip, IDS, st.sampled_from((None, "say", "wait"))),  # of "say_2" nothing is left after the change
    st.builds(Rename, st.just("outro_raid"), st.just("another")),
    st.builds(Change, IDS, st.just((edits.RemoveSteps(("say_2",)),))),
)


@settings(deadline=None)
@given(st.lists(ONE_OF_SEVERAL, min_size=2, max_size=3, unique_by=lambda each: (type(each), str(each)[:40])))
def test_several_instructions_are_read_back(instructions: list[Instruction]) -> None:
    assume(sum(isinstance(each, Rename | Change) for each in instructions) < 2)
    back(together(instructions), WORKSPACE)


@settings(deadline=None)
@given(INSTRUCTIONS)
def test_every_command_and_query_is_read_back(instruction: Instruction) -> None:
    back(instruction, WORKSPACE)


@pytest.mark.parametrize("instruction", [Skip(), Extend(30), Extend(-30.5)], ids=repr)
def test_what_is_wished_of_whatever_waits_is_read_back_where_nothing_does(instruction: Instruction) -> None:
    back(instruction, IDLE)


def _drawn_change(data: st.DataObject, definition: Definition, most: int) -> tuple[Change, Definition] | None:
    """A change that can be made and said in one message, and what it makes of the workflow."""
    made: list[edits.Edit] = []
    after = definition
    for _ in range(data.draw(st.integers(1, most))):
        edit = data.draw(edits_of(after))
        try:
            changed = edits.apply(after, edit)
        except EditError:
            continue
        if isinstance(edit, edits.SetName) and not _may_be_called(edit.name):
            continue
        made.append(edit)
        after = changed
    change = Change(definition.id, tuple(made))
    if not made or after == definition:
        return None
    said = language().say(change, _room_of(definition))  # longer ones are said in parts
    fits = len(said) < MOST_CHARACTERS and len(split(said, CHAT.words + 1)) <= CHAT.words
    return (change, after) if fits else None


def _room_of(definition: Definition) -> Workspace:
    return Workspace({definition.id: WorkflowView(definition, revision=4)}, definition.id)


@settings(suppress_health_check=SLOW, deadline=None, max_examples=100)
@given(st.data())
def test_every_edit_is_read_back(data: st.DataObject) -> None:
    definition = data.draw(definitions(depth=1, states=3))
    drawn = _drawn_change(data, definition, most=2)
    assume(drawn is not None)
    assert drawn is not None
    back(drawn[0], _room_of(definition))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_edit_of_deep_workflows_and_what_it_makes_of_them_is_read_back(shard: int) -> None:
    """Edits of one message after the other, and the file form of each workflow on the way; the draws are always the same."""
    read, too_much = 0, 0

    @seed(shard)
    @settings(
        suppress_health_check=list(HealthCheck), deadline=None, max_examples=IN_A_SHARD // 4, phases=ONCE, database=None
    )
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        nonlocal read, too_much
        definition = data.draw(definitions(depth=3, states=3))
        for _ in range(AT_A_TIME):
            drawn = _drawn_change(data, definition, most=3)
            if drawn is None:
                continue
            change, after = drawn
            too_much += not back(change, _room_of(definition))
            assert language().read_definition(language().say_definition(after)) == after
            definition = after
            read += 1

    draw()
    print(f"{read} messages, {too_much} of them too complicated")
    assert read >= IN_A_SHARD
    assert too_much <= MOST_TOO_COMPLICATED * read


def test_every_type_of_edit_is_drawn() -> None:
    assert set(EDIT_TYPES) == set(edits.Edit.__args__)


@settings(suppress_health_check=SLOW, deadline=None, max_examples=60)
@given(definitions(depth=1, states=3))
def test_a_new_workflow_is_read_back_as_it_is(definition: Definition) -> None:
    assume(_may_be_called(definition.name) and _may_be_called(definition.id))
    back(Create(definition), Workspace())


def _may_be_called(name: str) -> bool:
    try:
        checked(name, Workspace(), quoted=True)
    except Unsettled:
        return False
    return True


@pytest.mark.parametrize(
    "text", ["{user}", r"\{user}", r"\\{user}", "$${user}", "${user}", "{", r"\{", "{user.name} {x}"]
)
def test_braces_of_a_text_are_what_they_are_when_read_back(text: str) -> None:
    say = Call(service="twitch", method="send_chat_message", params={"message": text})
    back(Change("raid", (edits.SetAction("say", say),)), WORKSPACE)
    made = Definition(
        id="new",
        name="new",
        initial_state="say",
        states=(State(name="say", action=say),),
        triggers=(Trigger(on="follow.received"),),
    )
    back(Create(made), Workspace())


def test_a_name_that_begins_like_the_mark_of_a_number_is_a_name() -> None:
    name = "\0c"
    definition = small("raid", "raid")
    states = (*definition.states[:2], State(name=name, action=Wait(seconds=3)))
    room = _room_of(definition.model_copy(update={"states": states}))
    back(
        Change(
            "raid",
            (edits.SetTransition("say", "error", (Way(when=Variable("live"), to=name), Way(when=None, to="say"))),),
        ),
        room,
    )
