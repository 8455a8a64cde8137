"""From trees of the action kinds that hold steps to actions: choices, loops, branches.

A step inside a block that was given no name has a placeholder for one (`grammar.drafts`): which name it gets depends on
all the steps of the workflow. How a step is built is handed in, since steps hold blocks and blocks hold steps.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from engine.formulas import Formula
from engine.model import (
    Action,
    Block,
    Call,
    Case,
    Choose,
    ForEach,
    Parallel,
    ParallelBranch,
    Repeat,
    State,
    Wait,
)
from grammar.build_conditions import condition, condition_in, opposite
from grammar.build_singles import name_in, single
from grammar.drafts import PICKED, Draft, in_a_row, placeholder
from grammar.leaves import NotBuilt, seconds_in, valid, value_of
from grammar.tree import Leaf, Node

StepOf = Callable[[Node, str], Draft]


@dataclass(frozen=True, slots=True)
class Made:
    """An action, and the names of the steps inside it whose texts are kept as they are."""

    action: Action
    verbatim: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Body:
    """A block, and the names of its steps whose texts are kept as they are."""

    block: Block
    verbatim: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Kinds:
    """Builds actions that are more than a call.

    Attributes:
        step: Builds one step from its tree and the path that makes its placeholder unique.
        opposite: What takes a deed back, if something surely does.
        one_of: What picks one of some texts, and what says it.
    """

    step: StepOf
    opposite: Callable[[Action], Action | None]
    one_of: Callable[[Node], tuple[Action, Action]]

    def build(self, node: Node, path: str) -> Made:
        """The action of a tree."""
        match node.rule:
            case "choose":
                return self.choice(node, [self._case(node, condition_in(node), f"{path}.1")], path)
            case "choose_unless":
                return self.choice(node, [self._case(node, _negated(node), f"{path}.1")], path)
            case "choose_any":
                return self.choice(node, [self._case(node, None, f"{path}.1")], path)
            case "repeat":
                return self._repeat(node, path)
            case "for_each":
                return self._for_each(node, path)
            case "parallel":
                return self._parallel(node, path)
            case _:
                return Made(single(node))

    # Blocks ------------------------------------------------------------------------------------------------------------

    def _body(self, node: Node, path: str) -> Body:
        body = node.node("closed", "open")
        if body is None:
            raise AssertionError(f"{node.rule} has no steps")
        return self._inside(body, path)

    def _inside(self, node: Node, path: str) -> Body:
        """The steps of a body in parentheses, of one without, or of a branch."""
        begin = node.node("begin_at")
        drafts = self.together(node.node("steps") or node, path)
        return body_of(drafts, None if begin is None else str(value_of(begin, "STRING")))

    def together(self, steps: Node, path: str) -> tuple[Draft, ...]:
        """All the steps of a row; those said to be done at the same time are one."""
        drafts: list[Draft] = []
        beside: list[Draft] = []
        after: dict[int, tuple[Draft, ...]] = {}
        children = steps.nodes("step", "then", "delay")
        for number, child in enumerate(children, 1):
            own = f"{path}.{number}" if path else str(number)
            if child.rule != "step":
                beside = []
                if child.rule == "delay":
                    drafts.append(_waiting(child, own))
                continue
            if (choosing := child.node(*ONE_OF)) is not None and len(child.children) == 1:
                drafts.extend(
                    Draft(State(name=placeholder(f"{own}.{place}"), action=action))
                    for place, action in enumerate(self.one_of(choosing))
                )
                beside = []
                continue
            if drafts and (with_it := _at_once_with(child)) is not None:
                drafts.append(_beside((drafts.pop(), *self._each(with_it, own)), "all", own))
                beside = []
                continue
            if (taken := child.node("taken_back")) is not None:
                drafts.append(self._taken_back(taken, drafts, own))
                beside = []
                continue
            if beside and child.node("tail_if", "tail_unless", "tail_again") is not None:
                raise NotBuilt(_FOR_WHICH)
            late = child.node("tail_after")
            if late is not None:
                drafts.append(_waiting(late, f"{own}.after"))
                child = Node(child.rule, [each for each in child.children if each is not late])
                beside = []
            step = self.step(child, own)
            beside.append(_saying_what_was_picked(step, child) if drafts and _picks(drafts[-1]) else step)
            drafts.append(beside[-1])
            if (lasting := child.node("tail_for")) is not None:
                until, ending = self._ending(drafts[-1], children[number:], f"{own}.end")
                after[children.index(until) if until is not None else number - 1] = (
                    _waiting(lasting, f"{own}.for"),
                    *ending,
                )
            if number - 1 in after:
                drafts.extend(after.pop(number - 1))
                beside = []
        joined = steps.node("simultaneously")
        if joined is None:
            return tuple(drafts)
        rest = len(drafts) - len(beside)
        return (*drafts[:rest], _beside(tuple(beside), _join(joined), f"{path}.beside"))

    def _ending(self, draft: Draft, later: Sequence[Node], path: str) -> tuple[Node | None, tuple[Draft, ...]]:
        """What ends `show webcam for 20 seconds`, and after which later step, if any is done meanwhile.

        `switch to Hype for 20 seconds` needs to say what comes then; what a later step takes back is ended there. What
        follows with "and" is done while it lasts, unless it waits itself; what follows with "then" is done after it.
        """
        ending = self.opposite(draft.state.action)
        steps = [child for child in later if child.rule == "step"]
        if ending is None and not steps:
            raise NotBuilt(
                "say what comes after that time, such as: switch to Hype, wait 20 seconds, then switch to Gameplay"
            )
        if ending is None or any(self._ends(child, ending) for child in steps):
            return None, ()
        meanwhile: list[Node] = []
        for child in later:
            if child.rule != "step" or child.node("wait", "wait_for", "tail_for") is not None:
                break
            meanwhile.append(child)
        ends = (Draft(State(name=placeholder(path), action=ending)),)
        return (meanwhile[-1] if meanwhile else None), ends

    def _ends(self, step: Node, ending: Action) -> bool:
        return step.node("taken_back") is not None or self.step(step, "").state.action == ending

    def _taken_back(self, node: Node, before: Sequence[Draft], path: str) -> Draft:
        """`turn it off again`: the last deed before it that something takes back."""
        ways = (self.opposite(draft.state.action) for draft in reversed(before))
        ending = next((way for way in ways if way is not None), None)
        if ending is None:
            raise NotBuilt("turn what off?")
        return Draft(State(name=placeholder(path), action=ending))

    def _each(self, node: Node, path: str) -> tuple[Draft, ...]:
        return tuple(self.step(child, f"{path}.{number}") for number, child in enumerate(node.nodes("step"), 1))

    # Choices -----------------------------------------------------------------------------------------------------------

    def _case(self, node: Node, when: Formula | None, path: str) -> tuple[Formula | None, Body]:
        return when, self._body(node, path)

    def choice(self, node: Node, cases: list[tuple[Formula | None, Body]], path: str) -> Made:
        """A choice whose first case is there already, with each "otherwise" of a node."""
        for number, other in enumerate(node.nodes("otherwise", "otherwise_if"), 2):
            cases.append(self._case(other, condition_in(other), f"{path}.{number}"))
        made = tuple(Case(when=when, block=body.block) for when, body in cases)
        return Made(valid(Choose, cases=made), _all(body for _, body in cases))

    # Loops -------------------------------------------------------------------------------------------------------------

    def _repeat(self, node: Node, path: str) -> Made:
        body = self._body(node, f"{path}.1")
        said: dict[str, Any] = {"block": body.block}
        again = node.node("times", "twice")
        if again is not None:
            said["times"] = times(again)
        for rounds in node.nodes("while_holds", "until_holds"):
            held = condition_in(rounds)
            said["while_"] = held if rounds.rule == "while_holds" else opposite(cast("Formula", held))
        return Made(valid(Repeat, **said), body.verbatim)

    def _for_each(self, node: Node, path: str) -> Made:
        variable = name_in(node, "WORD_NAME", "STRING")
        items = _items(cast("Node", node.node("items_text", "items_listed", "items_json")))
        body = self._body(node, f"{path}.1")
        return Made(valid(ForEach, items=items, variable=variable, block=body.block), body.verbatim)

    # Side by side ------------------------------------------------------------------------------------------------------

    def _parallel(self, node: Node, path: str) -> Made:
        join = _join(node)
        loose = node.node("pair")
        branches = node.nodes("branch")
        if loose is not None:
            return _made_beside(self._each(loose, f"{path}.1"), join)
        if len(branches) == 1 and branches[0].leaf("STRING") is None:
            return _made_beside(self.together(cast("Node", branches[0].node("steps")), f"{path}.1"), join)
        bodies = [self._inside(branch, f"{path}.{number}") for number, branch in enumerate(branches, 1)]
        made = tuple(
            _branch(branch, number, body.block)
            for number, (branch, body) in enumerate(zip(branches, bodies, strict=True), 1)
        )
        return Made(valid(Parallel, branches=made, join=join), _all(bodies))


_IT: Final = frozenset({"it", "that", "that one", "the result"})
ONE_OF: Final = ("one_of", "one_of_said", "one_of_perhaps")
_FOR_WHICH: Final = (
    "it is not clear whether the last part is for all of these steps; put those it is for in parentheses, such as: "
    'if viewers > 5 (say "a", then wait 5 seconds)'
)


def body_of(drafts: Sequence[Draft], begin_at: str | None = None) -> Body:
    """Steps as a block, each leading to the next unless it says otherwise."""
    states = in_a_row(drafts)
    block = valid(Block, initial_state=begin_at if begin_at is not None else states[0].name, states=states)
    return Body(block, verbatim_of(drafts))


def verbatim_of(drafts: Iterable[Draft]) -> frozenset[str]:
    """The names of steps, and of those inside them, whose texts are kept as they are."""
    return frozenset(
        name for draft in drafts for name in (*draft.verbatim, *(() if draft.typed else (draft.state.name,)))
    )


def _picks(draft: Draft) -> bool:
    return isinstance(draft.state.action, Call) and isinstance(draft.state.action.params.get("options"), list)


def _saying_what_was_picked(draft: Draft, step: Node) -> Draft:
    """`pick one of "a", "b" at random and say it`: "it" is what was picked."""
    said = [leaf for leaf in step.leaves() if leaf.type == "TEXT"]
    action = draft.state.action
    if len(said) != 1 or said[0].quoted or str(said[0].value).casefold() not in _IT or not isinstance(action, Call):
        return draft
    params = {name: PICKED if value == said[0].value else value for name, value in action.params.items()}
    told = Call(service=action.service, method=action.method, params=params)
    return replace(draft, state=draft.state.model_copy(update={"action": told}))


def _waiting(node: Node, path: str) -> Draft:
    """The wait in `10 minutes later` and `for 20 seconds`."""
    return Draft(State(name=placeholder(path), action=Wait(seconds=seconds_in(node))))


def _all(bodies: Iterable[Body]) -> frozenset[str]:
    return frozenset(name for body in bodies for name in body.verbatim)


def _at_once_with(step: Node) -> Node | None:
    """The steps of `... and at the same time play airhorn`, which join the one before."""
    first = step.node("parallel")
    return first.node("pair") if first is not None and len(step.children) == 1 else None


def _branch(node: Node, number: int, block: Block) -> ParallelBranch:
    named = node.leaf("STRING")
    needs = node.node("needs")
    return cast(
        "ParallelBranch",
        valid(
            ParallelBranch,
            name=branch_name(number) if named is None else str(named.value),
            block=block,
            needs=() if needs is None else tuple(str(leaf.value) for leaf in needs.leaves()),
            critical=node.node("may_fail") is None,
        ),
    )


def branch_name(number: int) -> str:
    """The name of a branch that was given none."""
    return f"branch_{number}"


def _beside(drafts: tuple[Draft, ...], join: str, path: str) -> Draft:
    made = _made_beside(drafts, join)
    return Draft(State(name=placeholder(path), action=made.action), verbatim=made.verbatim)


def _made_beside(drafts: tuple[Draft, ...], join: str) -> Made:
    """Steps that are a branch each."""
    if len(drafts) < 2:
        raise NotBuilt('at the same time as what? Say: at the same time (say "a"; wait 5 seconds)')
    branches = tuple(
        ParallelBranch(name=branch_name(number), block=body_of((draft,)).block)
        for number, draft in enumerate(drafts, 1)
    )
    return Made(valid(Parallel, branches=branches, join=join), verbatim_of(drafts))


def _join(node: Node) -> str:
    leaf = node.leaf("JOIN")
    return "all" if leaf is None else str(leaf.value)


def times(again: Node) -> int | str:
    """How often: a whole number, or a text from a variable."""
    if again.rule == "twice":
        return 2
    leaf = cast("Leaf", again.leaf("NUMBER", "STRING", "VARIABLE"))
    if leaf.type == "NUMBER":
        if not isinstance(leaf.value, int):
            raise NotBuilt(f"{leaf.text} times is no number of times")
        return leaf.value
    return str(leaf.value) if leaf.type == "STRING" else f"${{{leaf.value}}}"


def _items(node: Node) -> Any:
    match node.rule:
        case "items_text":
            leaf = cast("Leaf", node.leaf("STRING", "VARIABLE"))
            return str(leaf.value) if leaf.type == "STRING" else f"${{{leaf.value}}}"
        case "items_listed":
            return tuple(leaf.value for leaf in node.leaves())
        case _:
            written = value_of(node, "JSON")
            if set(written) != {"items"} or not isinstance(written["items"], list):
                raise NotBuilt('a list is written as {"items": [1, 2]}')
            return tuple(written["items"])


def _negated(node: Node) -> Formula:
    return opposite(condition(next(child for child in node.nodes() if child.rule.startswith("condition"))))
