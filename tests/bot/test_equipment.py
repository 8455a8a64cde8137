"""Which plugins a bot takes, and what it says of those it leaves out: a broken one costs only itself."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot import staging
from bot.app import RESERVED, Bot, open_bot
from bot.config import DataFolder
from bot.equipment import MAX_METHODS, Equipment, Found, equip, offered
from bot.log import Redacting
from bot.plugins import EventType, PluginService, method
from bot.services.declared import DECLARATIONS
from bot.testkit import Bench, RecordingService
from engine import events
from engine.declare import Method, Param
from engine.ports import Service
from tests.fakes import METHODS


class Polish(BaseModel):
    """One param."""

    what: str
    how: int = 1


def service(name: str, *phrases: str, kinds: tuple[EventType, ...] = ()) -> Callable[[], Service]:
    """A class of a plugin with one method."""

    async def polish(self: Any, params: Polish) -> None: ...

    return type(name, (PluginService,), {"name": name, "events": kinds, "polish": method(phrases=phrases)(polish)})


def equipped(*found: Callable[[], object]) -> Equipment:
    return equip(DECLARATIONS, RESERVED, [Found(f'"{number}"', make) for number, make in enumerate(found, 1)])


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    """The table of events as it was."""
    before = events.types()
    yield
    events.forget(kind for kind in events.types() if kind not in before)


def broken() -> object:
    raise ImportError("No module named 'bulbs'")


def leaving() -> object:
    sys.exit(3)


def declared(*methods: Method, name: str = "stage") -> Callable[[], object]:
    return lambda: RecordingService(name, methods)


MISFITS = [
    (broken, "it broke when it was loaded: ImportError (No module named 'bulbs')"),
    (leaving, "it broke when it was loaded: SystemExit (3)"),
    (lambda: 5, "its entry point makes int, which is no service; name a PluginService class"),
    (type("Nameless", (PluginService,), {}), "'' is no name for a service"),
    (service("twitch"), 'the name "twitch" is taken by the bot itself'),
    (declared(*METHODS, name="other"), "other declares stage.say, which is another service's"),
    (declared(METHODS[0], METHODS[0]), "stage.say is declared twice"),
    (declared(*(Method("stage", f"m{n}") for n in range(MAX_METHODS + 1))), "it has 101 methods; 100 are the most"),
    (service("shoe", *["polish {what}"] * 31), "shoe.polish has 31 phrases; 30 are the most"),
    (service("shoe", "polish {shoe}"), "shoe.polish has no param 'shoe', but a phrase names it"),
    (service("shoe", "polish (well {what}"), "a bracket is not closed"),
    (service("shoe", "polish it"), 'the phrase "polish it" leaves out what, which is required'),
    (service("shoe", "{what} polish"), 'the phrase "{what} polish" must begin with a word of its own'),
    (service("shoe", "(polish|shine) {what}"), "is the one the bot says, so it has no choices"),
    (service("shoe", "then {what}"), 'begins with "then", a word of the bot\'s own'),
    (service("shoe", "polish {what}", "undo {what}"), 'begins with "undo", a word of the bot\'s own'),
    (service("shoe", "polish {what}", f"polish {'[a|b|c|d] ' * 5}{{what}}"), "too many wordings"),
    (declared(Method("stage", "dance", phrases=("dance",), fixed={1: {"how": "well"}})), "`fixed` names a phrase"),
    (service("shoe", "say {what}"), '"say {what}" is not read back as it is said; another sentence has it'),
    (
        declared(Method("stage", "leave", (Param("where", "user"),), ("raid {where}",))),
        '"raid {where}" is not read back as it is said',
    ),
    (
        service("shoe", kinds=(EventType("shoe.worn", "bot", "someone follows"),)),
        '"someone follows" means follow.received already',
    ),
    (
        service("shoe", kinds=(EventType("shoe.worn", "bot", "a shoe is worn", aliases=("raid",)),)),
        '"raid" is a name of raid.received already',
    ),
]


@pytest.mark.parametrize(("make", "why"), MISFITS, ids=range(len(MISFITS)))
def test_a_plugin_that_does_not_fit_is_left_out_in_words(make: Callable[[], object], why: str) -> None:
    equipment = equipped(make)
    [problem] = equipment.problems
    assert problem.startswith('The plugin "1" was left out: ')
    assert why in problem
    assert problem.endswith(".")
    assert equipment.plugins == ()
    assert list(equipment.declarations) == list(DECLARATIONS)
    assert events.types() == events.TYPES


def test_the_others_stay_when_one_is_left_out() -> None:
    worn = EventType("shoe.worn", "bot", "a shoe is worn")
    equipment = equipped(service("shoe", "polish {what}", kinds=(worn,)), broken, service("echo", "say {what}"))
    assert [each.name for each in equipment.plugins] == ["shoe"]
    assert [problem.partition(" was")[0] for problem in equipment.problems] == ['The plugin "2"', 'The plugin "3"']
    assert equipment.declarations.find("shoe", "polish") is not None
    assert events.kind_of("shoe.worn") == worn


def test_of_two_plugins_with_one_name_or_one_sentence_the_first_stays() -> None:
    equipment = equipped(
        service("shoe", "polish {what}"), service("shoe", "buff {what}"), service("boot", "polish {what}")
    )
    assert [each.name for each in equipment.plugins] == ["shoe"]
    twin, echo = equipment.problems
    assert 'the name "shoe" is taken by "1"' in twin
    assert '"polish {what}" is not read back as it is said' in echo


def test_what_a_plugin_prints_when_it_is_loaded_is_not_among_the_answers(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty() -> object:
        print("hello from the plugin")
        return service("shoe", "polish {what}")()

    assert equipped(chatty).problems == ()
    assert capsys.readouterr().out == ""


def test_packages_offer_by_entry_point_in_the_order_of_names() -> None:
    points = [EntryPoint(name, f"nowhere.{name}:Service", "showcaller.services") for name in ("b", "a")]
    found = list(offered(points))
    assert [each.label for each in found] == ['"a"', '"b"']
    [first, _] = equip(DECLARATIONS, RESERVED, found).problems
    assert "ModuleNotFoundError (No module named 'nowhere')" in first


# In chat -------------------------------------------------------------------------------------------------------------


async def test_a_plugins_sentence_is_typed_said_back_in_canonical_words_and_runs() -> None:
    shoes = declared(
        Method("shoe", "polish", (Param("what"),), ("polish {what}", "(buff|shine) [the] {what}"), verb="polish"),
        name="shoe",
    )()
    assert isinstance(shoes, RecordingService)
    async with Bench(shoes) as bench:
        [made] = await bench.type("!workflow when someone raids shine the red boots, then say done")
        assert made.kind == "done"
        assert made.canonical is not None
        assert '1 polish "red boots" · 2 say "done"' in made.canonical

        workflow = await bench.load(made.canonical.replace("When", "Create again: when", 1))
        [first, again] = await bench.bot.store.current_revisions("home")
        assert first.definition.states == again.definition.states
        assert workflow == "again"

        await bench.happen("raid.received", viewers=3)
        assert [effect.params for effect in shoes.asked] == [{"what": "red boots"}] * 2
        bench.assert_said("done", "done")


async def test_a_right_that_a_plugin_asks_for_is_asked_of_whoever_types() -> None:
    shoes = declared(Method("shoe", "burn", (Param("what"),), ("burn {what}",), right="broadcaster"), name="shoe")()
    assert isinstance(shoes, RecordingService)
    async with Bench(shoes) as bench:
        [refused] = await bench.type("!workflow when someone raids burn boots", "mo", "moderator")
        assert refused.kind == "refusal"
        assert await bench.bot.store.workflows("home") == []


# Opening ---------------------------------------------------------------------------------------------------------------


class Kettle(PluginService):
    """Boils while it is opened, and is told of it."""

    name = "kettle"
    events = (EventType("kettle.boiled", "bot", "the kettle boils", {"user": "user", "litres": "number"}),)
    order: list[str]

    async def opened(self) -> None:
        self.order = ["opened"]
        await self.stage.happened("kettle.boiled", user="ann", id="first", litres=2)

    async def closed(self) -> None:
        self.order.append("closed")
        raise RuntimeError("lid stuck")

    @method(phrases=("pour {what}",))
    async def pour(self, params: Polish) -> float:
        self.order.append("poured")
        await self.stage.sleep(30)
        return self.stage.now()


async def opened(stack: AsyncExitStack, folder: Path, notices: list[str], *make: Callable[[], object]) -> Bot:
    return await open_bot(
        stack,
        DataFolder(folder),
        Redacting(),
        equipment=equipped(*make),
        virtual=True,
        on_attempt=lambda _: None,
        notice=notices.append,
    )


async def test_a_plugin_that_does_not_open_is_left_out_and_the_bot_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(PluginService):
        """Does not come back."""

        name = "stuck"

        async def opened(self) -> None:
            await self.stage.sleep(1e9)

    class Refused(PluginService):
        """Cannot connect."""

        name = "refused"

        async def opened(self) -> None:
            raise ConnectionError("no bridge")

    monkeypatch.setattr(staging, "WITHIN", 0.05)
    notices: list[str] = []
    async with AsyncExitStack() as stack:
        bot = await opened(stack, tmp_path, notices, Stuck, broken, Kettle, Refused)
        assert bot.equipment.declarations.services() == {*DECLARATIONS.services(), "kettle"}
    assert notices == [
        "The plugin \"2\" was left out: it broke when it was loaded: ImportError (No module named 'bulbs').",
        'The plugin "stuck" was left out: it did not open within 0.05 seconds.',
        'The plugin "refused" was left out: it did not open: ConnectionError (no bridge).',
    ]


async def test_events_told_of_while_opening_happen_once_the_bot_is_open() -> None:
    kettle = Kettle()
    async with Bench(kettle) as bench:
        [event] = [event for event in await bench.bot.store.events("home") if event.name != "bot.started"]
        assert (event.name, event.payload["litres"], event.payload["user"]["name"]) == ("kettle.boiled", 2, "ann")

        tea = await bench.load('when the kettle boils, say "tea for ${user}"')
        await bench.restart()
        assert bench.said == [], "an event of the same id is the same event"

        await kettle.stage.happened("kettle.boiled", user="bob", litres=1)
        await bench.bot.runner.quiescent()
        await bench.assert_status(tea, "completed")
        bench.assert_said("tea for bob")


async def test_a_service_tells_only_of_events_it_declares() -> None:
    kettle = Kettle()
    async with Bench(kettle):
        with pytest.raises(ValueError, match="does not declare"):
            await kettle.stage.happened("raid.received", user="bob")


async def test_a_service_sleeps_on_the_bots_clock_and_is_closed_after_the_last_effect() -> None:
    kettle = Kettle()
    async with Bench(kettle) as bench:
        pour = await bench.load("create pour: pour milk")
        await bench.run(pour)
        await bench.assert_status(pour, "running")
        await bench.advance(30)
        await bench.assert_result(pour, "pour", bench.clock.now())
    assert kettle.order == ["opened", "poured", "closed"]


async def test_a_service_sees_its_own_settings_only() -> None:
    kettle = Kettle()
    async with Bench(kettle) as bench:
        await bench.set("kettle.litres", 2)
        await bench.set("kettle.token", "hunter22", secret=True)
        await bench.set("lamp.token", "other")
        assert kettle.stage.setting("litres") == 2
        assert kettle.stage.setting("token") == "hunter22"
        assert kettle.stage.setting("lamp.token") is None
