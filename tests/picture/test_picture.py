"""Pictures of workflows: what is on them, that any workflow has one or none, and that they are images."""

import asyncio
import struct
import xml.etree.ElementTree as ElementTree

from hypothesis import HealthCheck, given, settings

from bot.picture.graph import MOST_STATES, Edge, Graph, Node, graph_of, marks_of
from bot.picture.png import image_of
from bot.picture.svg import drawn
from engine.execution import Branch, Execution
from engine.model import Call, Definition, State, Wait
from tests.strategies import definitions

SVG = "{http://www.w3.org/2000/svg}"


def said(definition: Definition, name: str) -> str:
    return f"do {name}"


def workflow(*names: str, **ways: dict[str, str]) -> Definition:
    states = tuple(
        State(
            name=name,
            action=Call(service="twitch", method="send_chat_message", params={"message": name}),
            transitions={**({"success": after} if after else {}), **ways.get(name, {})},
        )
        for name, after in zip(names, (*names[1:], ""), strict=True)
    )
    return Definition(id="w", name="w", initial_state=names[0], states=states)


def pictured(definition: Definition, **marks: str) -> Graph:
    found = graph_of(definition, marks, said, lambda trigger: f"when {trigger.on}")  # type: ignore[arg-type]
    assert found is not None
    return found


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_step_is_on_it_with_its_number_and_every_way_that_is_not_the_usual_one_with_its_name() -> None:
    graph = pictured(workflow("a", "b", "c", b={"error": "a", "timeout": "c"}))

    assert [node.label for node in graph.nodes] == ["1 do a", "2 do b", "3 do c"]
    assert set(graph.edges) == {
        Edge("a", "b"),
        Edge("b", "c"),
        Edge("b", "a", "error", main=False),
        Edge("b", "c", "timeout", main=False),
    }
    svg = drawn(graph)
    assert svg is not None
    assert sorted(texts(svg)) == ["1 do a", "2 do b", "3 do c", "error", "timeout"]


def test_where_a_run_rests_where_it_was_and_where_it_failed_have_marks() -> None:
    definition = workflow("a", "b", "c")
    going = Execution("r", "home", "w", 1, "waiting", 0.0, visits={"main/a": 1, "main/b": 1})
    resting = Execution(
        "r", "home", "w", 1, "waiting", 0.0, visits=going.visits, branches=(Branch("main", "b", 1, due=9.0),)
    )
    failed = Execution(
        "r", "home", "w", 1, "failed", 0.0, visits=going.visits, wreck=(Branch("main", "b", 1),), ended_at=1.0
    )

    assert marks_of(definition, [resting], failed) == {"a": "done", "b": "waiting"}
    assert marks_of(definition, [], failed) == {"a": "done", "b": "failed"}
    assert marks_of(definition, [], None) == {}


def test_a_step_inside_a_block_marks_the_block() -> None:
    from engine.model import Block, Repeat

    inner = State(name="inner", action=Wait(seconds=1), transitions={})
    block = State(
        name="round", action=Repeat(times=2, block=Block(initial_state="inner", states=(inner,))), transitions={}
    )
    definition = Definition(id="w", name="w", initial_state="round", states=(block,))
    run = Execution("r", "home", "w", 1, "running", 0.0, branches=(Branch("main/round:1:1", "inner", 1, effect="e"),))

    assert marks_of(definition, [run], None) == {"round": "here"}


def test_what_people_wrote_is_text_on_it_and_nothing_else() -> None:
    svg = drawn(Graph((Node("a", '</text><script>x</script> & "\x00\x1b'),), ()))

    assert svg is not None
    assert texts(svg) == ['</text><script>x</script> & "  ']


async def test_it_is_an_image_with_room_for_all_of_it() -> None:
    image = await image_of(pictured(workflow(*(f"step{number}" for number in range(12)))))

    assert image is not None
    assert image.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", image[16:24])
    assert height > width > 200


async def test_words_are_really_drawn() -> None:
    """Without a font the boxes would be empty, and nobody would notice on a machine that has fonts of its own."""
    empty, full = await asyncio.gather(
        *(image_of(Graph((Node("a", label),), ())) for label in ("        ", "raid ok?"))
    )

    assert empty is not None
    assert full is not None
    assert len(full) > len(empty) + 500


def test_what_is_too_large_to_be_looked_at_has_none() -> None:
    names = [f"s{number}" for number in range(MOST_STATES + 1)]

    assert graph_of(workflow(*names), {}, said, lambda _: "") is None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(definitions())
def test_every_workflow_has_a_picture_that_is_well_formed(definition: Definition) -> None:
    graph = graph_of(definition, {}, lambda of, name: f"{of.id} {name}", lambda trigger: trigger.on)
    svg = None if graph is None else drawn(graph)

    assert graph is None or svg is not None
    if svg is not None:
        ElementTree.fromstring(svg)
