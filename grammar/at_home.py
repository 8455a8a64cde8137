"""What is done to somebody, and said to them, where they are: after a message of Discord "time them out" is meant there.

What names a service is done by that service; only what leaves it open moves. Nothing here names one.
"""

from typing import Final

from engine.declare import Declarations, Method
from engine.edits import map_blocks
from engine.errors import EngineError
from engine.model import Call, State
from grammar.posted import Posts

HERE: Final = "${\ufdd0here}"
"""In a declaration `${here}`: stands for no value, but for what is said where it was asked for."""
SAID_HERE: Final = "${here}"


def at_home(states: tuple[State, ...], posts: Posts, declarations: Declarations, them: str) -> tuple[State, ...]:
    """The same states with what is done to "them", and what answers them, done by the service they come from.

    Args:
        states: Steps as they were said.
        posts: What may be meant at the first of them.
        declarations: What services can do.
        them: How the person is written that the steps are about.
    """
    there = {method.like: method for method in declarations if method.like and method.service == posts.home}

    def moved(state: State) -> State:
        action = state.action
        if isinstance(action, Call):
            declared = declarations.find(action.service, action.method)
            key = action.method if declared is None else declared.name
            call = _moved(action, there.get(f"{action.service}.{key}"), posts, them)
            if call is action and declared is not None and declared.own_people:
                _refuse_strangers(declared, action, posts, them)
            return state if call is action else state.model_copy(update={"action": call})
        inner = map_blocks(action, lambda block: block.model_copy(update={"states": tuple(map(moved, block.states))}))
        return state if inner is action else state.model_copy(update={"action": inner})

    return tuple(map(moved, states))


def _moved(call: Call, method: Method | None, posts: Posts, them: str) -> Call:
    here = HERE in call.params.values()
    params = {name: value for name, value in call.params.items() if value != HERE}
    if method is not None and method.answering:
        replies = params.get("reply") is True
        if here or (replies and posts.answered):
            given = {name: value for name, value in params.items() if method.param(name) is not None}
            where = method.answering if posts.answered and not replies else {}
            return Call(service=method.service, method=method.name, params={**where, **given})
    elif method is not None and them in params.values():
        return Call(service=method.service, method=method.name, params=params)
    return Call(service=call.service, method=call.method, params=params) if here else call


def _refuse_strangers(method: Method, call: Call, posts: Posts, them: str) -> None:
    """Nobody is banned on Twitch for what somebody of the same name wrote on Discord.

    Raises:
        EngineError: They are people of another service.
    """
    if posts.home not in (None, "bot", call.service) and them in call.params.values():
        home, there = str(posts.home).title(), call.service.title()
        raise EngineError(f"who starts that is somebody of {home}, and a {method.noun[0]} is for people of {there}")
