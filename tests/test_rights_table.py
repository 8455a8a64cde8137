"""Nobody without rights changes, runs or reads what they must not: each instruction, by each role, from each place.

Twitch chat comes in as the frames Twitch sends, with its badges; Discord as its gateway and interactions tell it to the real
client, with its roles and permissions. What there is to be tried is closed: a new instruction, role or method that stands in
no table here fails it. Whoever may not is told so, and afterwards the store holds what it held before.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.app import equipment
from bot.config import COMMUNITY
from bot.equipment import Equipment
from bot.happenings import event
from bot.message import ROLES, Message, Role
from bot.services.declared import DECLARATIONS
from bot.twitch.wire import chatted, notification
from engine.declare import Method, Param
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
    ListRuns,
    ListTemplates,
    ListWorkflows,
    MoveRuns,
    NotYet,
    Placeholders,
    Redo,
    Rename,
    Restore,
    RetryRun,
    RunWorkflow,
    SetEnabled,
    Several,
    Show,
    Skip,
    Status,
    Suppose,
    SwitchAll,
    TakeBack,
    Tell,
    Understood,
    Undo,
    Why,
)
from grammar.workspace import WorkflowView, Workspace
from tests.discord.conftest import Home, living
from tests.servers.discord import DiscordServer, buttons, user
from tests.servers.twitch import chat_message

SENTENCES: Mapping[type, str] = {
    Create: 'create hello: say "hi"',
    Change: "in raid make the wait 3 hours",
    Several: "disable raid ; and then run plain",
    Rename: 'rename raid to "incoming"',
    SetEnabled: "disable raid",
    Copy: 'copy raid as "outro"',
    FromTemplate: 'create "welcome2" from template "raid"',
    ListTemplates: "templates",
    SwitchAll: "disable all workflows",
    Restore: "restore raid to v1",
    Suppose: "what if a raid comes in with viewers=50",
    Placeholders: "placeholders of raid",
    Counters: "list counters",
    RunWorkflow: "run raid",
    Control: "stop raid",
    DryRun: "test raid",
    Backtest: "backtest raid",
    MoveRuns: "move runs of raid to the new version",
    Skip: "skip the wait in raid",
    Extend: "extend the running wait of raid by 30 seconds",
    RetryRun: "retry raid",
    Status: "status",
    ListWorkflows: "list",
    Show: "show raid",
    Why: "why raid",
    Tell: "what starts raid",
    Agenda: "what is scheduled today",
    ListRuns: "list runs",
    History: "history raid",
    Diff: "diff raid",
    Undo: "undo raid",
    TakeBack: "undo v1 of raid",
    Redo: "redo raid",
    Export: "export raid as json",
    Import: 'import {"id":"new","name":"new","initial_state":"a","states":[{"name":"a","action":{"kind":"stop"}}]}',
    Help: "help",
    Answer: "yes",
    Delete: "delete workflow raid",
}
"""One sentence for each kind of instruction, about a workflow for which nothing is said of who may."""

UNSAID: frozenset[type] = frozenset({NotYet})
"""What no sentence means at present."""
STRANGERS: tuple[Role, ...] = ("vip", "subscriber", "viewer")
STAFF: tuple[Role, ...] = ("broadcaster", "moderator")
BY_POLICY: Mapping[type, tuple[Role, ...]] = {
    RunWorkflow: ("vip", "subscriber", "viewer"),
    Change: ("vip",),
    Rename: ("vip",),
    SetEnabled: ("vip",),
    Delete: ("vip",),
    MoveRuns: ("vip",),
    Restore: ("vip",),
}
"""Which strangers may give it about a workflow that everyone may run and VIPs may edit; nobody else, and nothing else."""

ONLY_STAFF = "Only the streamer and moderators can change workflows."
Asked = Callable[[Home, Role, str], Awaitable[str]]


@pytest.fixture(scope="module")
def equipped() -> Equipment:
    return equipment()


@pytest.fixture
async def home(tmp_path: Path, equipped: Equipment) -> AsyncIterator[Home]:
    """A bot with a raid that runs, on a server where each role has somebody."""
    server = await DiscordServer().start()
    for role in ("vip", "subscriber"):
        server.add_member(user(role), server.add_role(role))
    settings = {f"discord.roles.{role}": role for role in ("vip", "subscriber")}
    async with living(server, tmp_path, equipped, settings=settings) as found:
        await found.up()
        for text in (
            '!wf create raid: when a raid comes in, say "a", wait 1 hour, say "b"',
            "!wf in raid make the wait 2 hours",
            '!wf create plain: say "plain"',
            "!wf run raid",
        ):
            assert "Only" not in await in_twitch(found, "broadcaster", text)
        await found.bot.runner.quiescent()
        yield found
    await server.stop()


# Places ------------------------------------------------------------------------------------------------------------------


def framed(role: Role, text: str, number: int) -> Message:
    """What is typed on Twitch, from the frame in which it comes."""
    badges = {"viewer": ()}.get(role, (role,))
    event = chat_message(text, id=f"m{number}", user=f"5{ROLES.index(role)}", login=f"some_{role}", badges=badges)
    meta = {"message_id": f"n{number}", "subscription_type": "channel.chat.message"}
    return chatted(notification({"metadata": meta, "payload": {"event": event}}, 0.0)).message


_numbers = iter(range(1_000_000))


async def in_twitch(home: Home, role: Role, text: str) -> str:
    """Somebody types in the Twitch chat."""
    heard = await home.bot.hear(framed(role, text, next(_numbers)))
    return " ".join(reply.text for reply in heard.replies)


def in_discord_by(server: DiscordServer, role: Role) -> Any:
    """Whoever has that role in the server."""
    names = {"broadcaster": "streamer", "moderator": "mo", "viewer": "bob"}
    name = names.get(role, role)
    return next(each["user"] for each in server.members.values() if each["user"]["username"] == name)


async def in_discord(home: Home, role: Role, text: str) -> str:
    """Somebody writes in a channel."""
    return shown(await home.tell(in_discord_by(home.server, role), text))


async def by_slash(home: Home, role: Role, text: str) -> str:
    """Somebody uses the slash command, which Discord may show to anybody."""
    words = {"text": text.removeprefix("!wf ")}
    used = await home.server.slash(in_discord_by(home.server, role), "workflow", words)
    await home.until(lambda: used.followups)
    return " ".join(map(shown, used.followups))


async def as_attachment(home: Home, role: Role, text: str) -> str:
    """Somebody sends what they want as a file to be imported."""
    before = len(home.server.said())
    person, files = in_discord_by(home.server, role), {"new.workflow": text.removeprefix("!wf ").encode()}
    await home.server.say(person, "!wf import", files=files)
    return shown((await home.until(lambda: home.server.said()[before:]))[0])


def shown(message: Mapping[str, Any]) -> str:
    """All words of a message, its cards' too, without what keeps Discord from formatting them."""
    cards = " ".join(str(card.get("description")) for card in message.get("embeds") or ())
    return f"{message.get('content') or ''} {cards}".replace("\\", "").replace("`", "").strip()


PLACES: Mapping[str, Asked] = {"twitch": in_twitch, "discord": in_discord, "slash": by_slash}


async def held(home: Home) -> tuple[Any, ...]:
    """All that an instruction can change or start."""
    store = home.bot.store
    runs = await store.executions(COMMUNITY, limit=1_000)
    workflows = [(each.id, each.name, each.revision, each.enabled) for each in await store.workflows(COMMUNITY)]
    changes = [each.id for each in await store.changes(COMMUNITY, limit=1_000)]
    return workflows, changes, [(run.id, run.status, run.branches) for run in runs], await store.outbox(COMMUNITY)


# The lists ---------------------------------------------------------------------------------------------------------------


def test_every_kind_of_instruction_and_every_role_stands_in_the_table():
    assert set(SENTENCES) == set(get_args(Instruction)) - UNSAID
    assert {*STRANGERS, *STAFF} == set(ROLES)


async def test_each_sentence_means_the_instruction_that_it_stands_for(home: Home):
    entries = {entry.id: entry for entry in home.bot.conversation.catalogue.there()}
    views = {id: WorkflowView(entry.definition, entry.record.revision) for id, entry in entries.items()}
    workspace = Workspace(views, "raid", templates=("raid",))
    found = {kind: home.bot.language.understand(text, workspace) for kind, text in SENTENCES.items()}

    assert {kind: each for kind, each in found.items() if not isinstance(each, Understood)} == {}
    assert {type(each.instruction) for each in found.values() if isinstance(each, Understood)} == set(SENTENCES)


# Role x instruction x place ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STRANGERS)
@pytest.mark.parametrize("place", PLACES)
async def test_a_stranger_may_say_nothing_to_the_bot_from_anywhere(home: Home, place: str, role: Role):
    before = await held(home)
    answers = {kind.__name__: await PLACES[place](home, role, f"!wf {text}") for kind, text in SENTENCES.items()}

    assert answers == dict.fromkeys(answers, ONLY_STAFF)
    assert await held(home) == before


@pytest.mark.parametrize("role", STRANGERS)
async def test_a_strangers_file_is_not_imported(home: Home, role: Role):
    before = await held(home)

    assert await as_attachment(home, role, 'workflow "new"\n1. say "hi"') == ONLY_STAFF
    assert await held(home) == before


@pytest.mark.parametrize("role", STRANGERS)
@pytest.mark.parametrize("place", PLACES)
async def test_what_a_policy_lets_strangers_do_is_that_workflow_only_and_those_instructions_only(
    home: Home, place: str, role: Role
):
    await in_twitch(home, "broadcaster", '!wf create theirs: say "hi", wait 1 hour')
    await in_twitch(home, "broadcaster", "!wf in theirs everyone may run it and vips may edit it")
    before = await held(home)
    elsewhere = {kind.__name__: await PLACES[place](home, role, f"!wf {text}") for kind, text in SENTENCES.items()}
    same = await held(home)
    open_ = {}
    for kind, text in SENTENCES.items():
        if kind not in (Delete, Suppose, FromTemplate) and "raid" in text:  # what deletes it comes last
            said = text.replace("raid", "theirs").replace("incoming", "theirs2")
            open_[kind] = "Only" not in await PLACES[place](home, role, f"!wf {said}")
            await in_twitch(home, "broadcaster", "!wf rename theirs2 to theirs")
    open_[Delete] = "Only" not in await PLACES[place](home, role, "!wf delete workflow theirs")

    assert elsewhere.pop("Answer").startswith("No question of mine is open for you")
    assert {kind: answer for kind, answer in elsewhere.items() if "Only" not in answer} == {}
    assert same == before
    assert {kind for kind, may in open_.items() if may} == {kind for kind, roles in BY_POLICY.items() if role in roles}


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("place", PLACES)
async def test_staff_may_give_every_instruction_from_everywhere(home: Home, place: str, role: Role):
    answers = {kind.__name__: await PLACES[place](home, role, f"!wf {text}") for kind, text in SENTENCES.items()}

    assert {kind: answer for kind, answer in answers.items() if "Only" in answer} == {}


@pytest.mark.parametrize("role", [*STRANGERS, "moderator"])
async def test_a_button_is_pressed_by_nobody_but_who_was_asked(home: Home, role: Role):
    before = await held(home)
    asked = await home.tell(home.server.owner, "!wf delete raid")
    for label in ("Yes", "No"):
        used = await home.server.click(in_discord_by(home.server, role), asked, buttons(asked)[label])
        await home.until(lambda used=used: used.texts)
        assert used.texts == ["Somebody else was asked that; only they can answer."]

    assert await held(home) == before


@pytest.mark.parametrize("role", STRANGERS)
async def test_a_stranger_who_presses_undo_undoes_nothing(home: Home, role: Role):
    changed = await home.tell(home.server.mo, "!wf in plain add wait 5 seconds")
    before = await held(home)
    used = await home.server.click(in_discord_by(home.server, role), changed, buttons(changed)["Undo"])
    await home.until(lambda: used.texts)

    assert used.texts == [ONLY_STAFF]
    assert await held(home) == before


@pytest.mark.parametrize("role", STRANGERS)
async def test_a_stranger_who_presses_an_older_undo_hears_of_no_change_and_takes_no_button_away(home: Home, role: Role):
    changed = await home.tell(home.server.mo, "!wf in plain add wait 5 seconds")
    await in_twitch(home, "broadcaster", '!wf in plain replace step 1 with say "the surprise"')
    before = await held(home)
    used = await home.server.click(in_discord_by(home.server, role), changed, buttons(changed)["Undo"])
    await home.until(lambda: used.texts)

    assert used.texts == [ONLY_STAFF]
    assert "Undo" in buttons(changed)
    assert await held(home) == before


@pytest.mark.parametrize("role", ROLES)
async def test_what_is_typed_is_completed_with_names_only_for_who_may_say_it(home: Home, role: Role):
    await in_twitch(home, "broadcaster", '!wf create theirs: say "hi"')

    assert ("show plain" in await completed(home, role, "show pl")) is (role in STAFF)
    assert bool(await completed(home, role, "")) is (role in STAFF)

    await in_twitch(home, "broadcaster", "!wf in theirs everyone may run it")

    assert "run theirs" in await completed(home, role, "run th")
    assert ("run plain" in await completed(home, role, "run pl")) is (role in STAFF)


async def completed(home: Home, role: Role, text: str) -> list[str]:
    """What Discord shows to somebody who types after the slash command."""
    used = await home.server.slash(in_discord_by(home.server, role), "workflow", {"text": text}, focus="text")
    await home.until(lambda: used.callbacks)
    return used.choices


# Author's right x action -----------------------------------------------------------------------------------------------------

VALUES: Mapping[str, str] = {
    "text": '"x"',
    "number": "1",
    "boolean": "true",
    "seconds": "60",
    "user": '"ninja"',
    "channel": '"general"',
    "scene": '"BRB"',
    "source": '"cam"',
    "sound": '"horn"',
    "filter": '"blur"',
    "reward": '"Hydrate"',
    "role": '"Member"',
    "counter": '"deaths"',
    "list": '["a"]',
    "any": '"x"',
}
OTHER: Mapping[str, str] = {"url": '"https://example.com"'}


def step_of(method: Method) -> str:
    """A step that asks a method with all that it needs."""

    def value(param: Param) -> str:
        return OTHER.get(param.name, VALUES[param.type])

    params = ", ".join(f'"{param.name}": {value(param)}' for param in method.params if param.required)
    return f"do {method.key} with {{{params}}}" if params else f"do {method.key}"


@pytest.mark.slow  # each method there is, written by each of them
@pytest.mark.timeout(300)
@pytest.mark.parametrize("place", ["twitch", "discord"])
async def test_a_step_is_written_only_by_who_holds_the_right_that_its_method_asks_for(home: Home, place: str):
    found: dict[tuple[str, Role], bool] = {}
    for method in DECLARATIONS:
        for role in STAFF:
            text = f"!wf create try {method.name} {role}: {step_of(method)}"
            answer = await PLACES[place](home, role, text)
            if "Keep it so?" in answer:
                answer = await PLACES[place](home, role, "!wf yes")
            assert "Created" in answer or "Only the broadcaster may put that into a workflow" in answer, (text, answer)
            found[method.key, role] = "Created" in answer
            await in_twitch(home, "broadcaster", f"!wf delete workflow try {method.name} {role}")
            await in_twitch(home, "broadcaster", "!wf yes")

    wanted = {
        (method.key, role): role == "broadcaster" or method.right == "moderator"
        for method in DECLARATIONS
        for role in STAFF
    }
    assert found == wanted


async def ran(home: Home, workflow: str = "theirs") -> tuple[str, str | None]:
    """How a run of a workflow ended, started by the streamer."""
    await in_twitch(home, "broadcaster", f"!wf run {workflow}")
    await home.bot.runner.quiescent()
    run = (await home.bot.store.executions(COMMUNITY, workflow))[0]
    return run.status, run.error


@pytest.mark.parametrize("place", ["twitch", "discord"])
async def test_a_step_of_who_is_no_moderator_any_more_stops_its_run_there_until_they_are_one_again(
    home: Home, place: str
):
    await PLACES[place](home, "moderator", '!wf create theirs: say "hi", wait 0 seconds')
    assert await ran(home) == ("completed", None)
    await lose(home, place)
    status, error = await ran(home)
    shown_to_staff = await in_twitch(home, "broadcaster", "!wf why theirs")
    await win_back(home, place)

    assert status == "failed"
    assert "only the broadcaster and moderators may let a workflow do twitch.send_chat_message" in (error or "")
    assert "who is none of them any more" in shown_to_staff
    assert await ran(home) == ("completed", None)


async def lose(home: Home, place: str) -> None:
    """The moderator of a platform is none any more, and is seen so."""
    if place == "twitch":
        frame = framed("moderator", "hello", next(_numbers))
        await home.bot.hear(replace(frame, author=replace(frame.author, roles=())))
    else:
        await home.server.give(home.server.mo)
        await home.event("discord.role.taken")


async def win_back(home: Home, place: str) -> None:
    """And is one again."""
    if place == "twitch":
        await in_twitch(home, "moderator", "hello")
    else:
        await home.server.give(home.server.mo, home.server.crew)
        await home.event("discord.role.given")


async def test_who_was_a_moderator_in_discord_is_looked_at_again_whenever_the_bot_comes_there(
    tmp_path: Path, equipped: Equipment
):
    server = await DiscordServer().start()
    gone = server.add_member(user("gone"), server.crew)
    async with living(server, tmp_path, equipped) as home:
        await home.up()
        await home.tell(server.mo, '!wf create theirs: say "hi"')
        await home.tell(gone, '!wf create of_gone: say "hi"')
        assert await ran(home) == ("completed", None)
    server.members[server.mo["id"]]["roles"] = []
    del server.members[gone["id"]]
    async with living(server, tmp_path, equipped) as home:
        await home.until(lambda: not any(roles for key, roles in home.bot._standing.items() if key[:7] == "discord"))

        assert (await ran(home))[0] == "failed"
        assert (await ran(home, "of_gone"))[0] == "failed"
    await server.stop()


NAMED: Mapping[str, str] = {
    "twitch.people.moderator": "@Some_Viewer, some_vip (1)",
    "discord.people.moderator": "bob, vip (1)",
}
"""The viewers by their names, and VIPs by the number of somebody else who is called so."""


@pytest.mark.parametrize("place", PLACES)
async def test_who_is_named_by_the_streamer_may_say_what_a_moderator_may_and_nobody_else(
    tmp_path: Path, equipped: Equipment, place: str
):
    server = await DiscordServer().start()
    server.add_member(user("vip"))
    async with living(server, tmp_path, equipped, settings=NAMED) as home:
        await home.up()
        ask = PLACES[place]
        await ask(home, "viewer", '!wf create theirs: say "hi"')

        assert await ran(home) == ("completed", None)
        assert "Only the broadcaster may put that" in await ask(
            home, "viewer", "!wf create x: run an ad for 30 seconds"
        )
        assert await ask(home, "vip", "!wf list") == ONLY_STAFF

        await home.bot.stands(
            framed("viewer", "", 0).author
        )  # Twitch tells that they are no moderator, as they are not
        assert await ran(home) == ("completed", None)
    await server.stop()


@pytest.mark.parametrize(
    ("name", "user", "roles"),
    [
        ("raid.received", {"name": "Some_Viewer", "roles": [], "id": "54"}, ["moderator"]),
        ("raid.received", {"name": "Some_VIP", "roles": ["vip"], "id": "52"}, ["vip"]),
        ("discord.voice.joined", {"name": "bob", "roles": [], "id": "9"}, ["moderator"]),
        ("discord.voice.joined", {"name": "some_viewer", "roles": [], "id": "54"}, []),
    ],
)
async def test_an_event_of_somebody_named_is_one_of_a_moderator(
    tmp_path: Path, equipped: Equipment, name: str, user: Mapping[str, Any], roles: list[str]
):
    server = await DiscordServer().start()
    async with living(server, tmp_path, equipped, settings=NAMED) as home:
        await home.bot.happen(event(name, {"user": user}, id="e", at=0.0, community=COMMUNITY))
        (happened,) = await home.events(name)

        assert happened["user"]["roles"] == roles
    await server.stop()


async def test_it_is_remembered_over_a_restart_and_before_anything_runs_who_is_no_moderator_any_more(
    tmp_path: Path, equipped: Equipment
):
    server = await DiscordServer().start()
    async with living(server, tmp_path, equipped) as home:
        await home.up()
        await in_twitch(home, "moderator", '!wf create theirs: wait 0 seconds, say "hi"')
        await lose(home, "twitch")
    async with living(server, tmp_path, equipped) as home:
        assert (await ran(home))[0] == "failed"
    await server.stop()


async def test_a_platform_that_tells_who_lost_it_is_enough(home: Home):
    await in_twitch(home, "moderator", '!wf create theirs: say "hi"')
    author = framed("moderator", "", 0).author
    fields = {"user": {"name": author.name, "roles": ["moderator"], "id": author.id}}
    await home.bot.happen(event("moderator.removed", fields, id="gone", at=0.0, community=COMMUNITY))

    assert (await ran(home))[0] == "failed"


async def test_whoever_never_was_staff_is_not_remembered(home: Home):
    before = await home.bot.store.config(COMMUNITY)
    for role in STRANGERS:
        await in_twitch(home, role, "hello")

    assert await home.bot.store.config(COMMUNITY) == before
