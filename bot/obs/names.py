"""What there is in OBS by name: scenes, sources, filters, transitions, hotkeys, and where in a scene a source stands."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bot.obs.asked import Asked, named
from bot.obs.errors import RequestFailed, Unfit
from bot.replies import clipped, listed

Look: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]
MOST_NAMES: Final = 500


@dataclass(frozen=True, slots=True)
class Item:
    """A source as it stands in a scene, or in a group of one."""

    scene: str
    id: int


@dataclass(frozen=True, slots=True)
class Names:
    """All names that sentences may use."""

    scenes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


async def names_of(look: Look) -> Names:
    """Everything by name as it is now; scenes count as sources, too, since they can stand in others.

    Raises:
        ObsError: It could not be asked.
    """
    scenes, inputs, groups = await scenes_of(look), await _inputs(look), await _groups(look)
    sources = tuple(dict.fromkeys((*inputs, *groups, *scenes)))[:MOST_NAMES]
    filters: dict[str, None] = {}
    for source in sources:
        filters |= dict.fromkeys(await _filters(look, source))
    return Names(tuple(scenes[:MOST_NAMES]), sources, tuple(filters)[:MOST_NAMES])


async def scenes_of(look: Look) -> list[str]:
    """The scenes, from the top of OBS's list.

    Raises:
        ObsError: They could not be asked for.
    """
    found = await look("GetSceneList")
    return [str(scene["sceneName"]) for scene in reversed(found["scenes"])]


async def _inputs(look: Look) -> list[str]:
    return [str(each["inputName"]) for each in (await look("GetInputList"))["inputs"]]


async def _groups(look: Look) -> list[str]:
    return [str(name) for name in (await look("GetGroupList"))["groups"]]


async def _filters(look: Look, source: str) -> list[str]:
    try:
        found = await look("GetSourceFilterList", sourceName=source)
    except RequestFailed:  # it has gone meanwhile
        return []
    return [str(each["filterName"]) for each in found["filters"]]


# One by one --------------------------------------------------------------------------------------------------------------


async def scene(asked: Asked, param: str) -> str:
    """A scene as OBS calls it.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    return named("scene", asked.text(param), await scenes_of(asked.look))


async def program_scene(asked: Asked) -> str:
    """The scene that is on."""
    found = await asked.look("GetCurrentProgramScene")
    return str(found["currentProgramSceneName"])


async def source(asked: Asked, param: str) -> str:
    """A source as OBS calls it: an input, a group or a scene.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    look = asked.look
    return named("source", asked.text(param), [*await _inputs(look), *await _groups(look), *await scenes_of(look)])


async def input_of(asked: Asked) -> str:
    """An input as OBS calls it.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    return named("source", asked.text("input_name"), await _inputs(asked.look))


async def input_like(asked: Asked, kinds: tuple[str, ...], called: str) -> tuple[str, Mapping[str, Any]]:
    """An input of one of these kinds, whatever version of it, and its settings.

    Raises:
        ObsError: There is none like that, it is of another kind, or it could not be asked.
    """
    name = await input_of(asked)
    found = await asked.look("GetInputSettings", inputName=name)
    kind = str(found["inputKind"])
    if not kind.startswith(kinds):
        raise Unfit("wrong_kind", f'"{clipped(name, 60)}" is no {called}; it is a {kind}')
    return name, found["inputSettings"]


async def filter_of(asked: Asked) -> tuple[str, str]:
    """A source and a filter of it.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    name = await source(asked, "source_name")
    return name, named("filter", asked.text("filter_name"), await _filters(asked.look, name))


async def transition(asked: Asked) -> str:
    """A transition as OBS calls it.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    found = await asked.look("GetSceneTransitionList")
    return named(
        "transition", asked.text("transition_name"), [str(each["transitionName"]) for each in found["transitions"]]
    )


async def hotkey(asked: Asked) -> str:
    """A hotkey as OBS calls it.

    Raises:
        ObsError: There is none like that, or it could not be asked.
    """
    found = await asked.look("GetHotkeyList")
    return named("hotkey", asked.text("hotkey_name"), found["hotkeys"])


# Sources in scenes -------------------------------------------------------------------------------------------------------


async def items(asked: Asked) -> list[Item]:
    """Where a source stands: in the scene that is named; if none is, in the one that is on, else in all that have it.

    Raises:
        ObsError: It stands in none of them, or it could not be asked.
    """
    name = await source(asked, "source")
    if asked.params.get("scene_name"):
        where = await scene(asked, "scene_name")
        found = [item async for item in _standing(asked, where, name)]
        if not found:
            raise Unfit("unknown_source", f'"{clipped(name, 60)}" is not in the scene "{clipped(where, 60)}"')
        return found
    on = await program_scene(asked)
    found = [item async for item in _standing(asked, on, name)]
    if found:
        return found
    scenes = [each for each in await scenes_of(asked.look) if each != on]
    found = [item for each in scenes async for item in _standing(asked, each, name)]
    if not found:
        raise Unfit("unknown_source", f'"{clipped(name, 60)}" is in no scene; there are {listed(scenes[:8])}')
    return found


async def _standing(asked: Asked, where: str, name: str) -> AsyncIterator[Item]:
    """Each time it stands in a scene, groups of the scene included."""
    for entry in (await asked.look("GetSceneItemList", sceneName=where))["sceneItems"]:
        if entry["sourceName"] == name:
            yield Item(where, int(entry["sceneItemId"]))
        elif entry.get("isGroup"):
            group = str(entry["sourceName"])
            for inner in (await asked.look("GetGroupSceneItemList", sceneName=group))["sceneItems"]:
                if inner["sourceName"] == name:
                    yield Item(group, int(inner["sceneItemId"]))
