"""XState machines: `initial`, `context`, and `states` that invoke, wait, listen, branch and nest.

A node becomes the state of its name: what it invokes, else what it waits for, else what it does on entry. What it does
besides (entry actions before an invocation, a check by `always`) becomes states of their own around it. Nested states
stand side by side with those around them; parallel ones become branches. What this cannot say is in the report.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from engine.formats.imported import Imported
from engine.formats.naming import Naming
from engine.formats.reading import (
    Data,
    Report,
    an_object,
    definition_of,
    fresh,
    heading,
    text_in,
    within,
    wrong,
)
from engine.formats.statechart import Arrow, Node, arrows_of, as_tuple, read_tree
from engine.formulas import MAX_TEXT
from engine.wording import shortened

_OF_THE_ROOT: Final = frozenset(
    {"id", "version", "description", "tags", "type", "initial", "states", "context", "on", "entry", "meta", "$schema"}
)
_OF_A_NODE: Final = frozenset(
    {"id", "type", "initial", "states", "invoke", "entry", "on", "after", "always", "onDone", "meta", "description"}
)
_OF_AN_INVOCATION: Final = frozenset({"id", "src", "input", "onDone", "onError"})
_ASSIGN: Final = frozenset({"assign", "xstate.assign"})
CANCEL: Final = "cancel"
"""The event that a machine here is cancelled by."""

States = list[dict[str, Any]]


def read(data: Data, naming: Naming) -> Imported:
    """Read a machine.

    Raises:
        DefinitionError: It is none.
    """
    report = Report()
    meta = an_object(data.get("meta") or {}, "meta")
    report.unknown("", data, _OF_THE_ROOT)
    report.unknown("meta", meta, {"name", "trigger"})
    given = {key: value for key, value in data.items() if key in ("id", "version", "description", "tags")}
    made = heading({"name": data.get("id"), **meta, **given}, report, naming)
    if variables := an_object(data.get("context") or {}, "context"):
        made["variables"] = {name: {"default": value} for name, value in variables.items()}
    root = read_tree(data)
    reader = _Reader(report, naming, root)
    states = reader.around(root) if root.kind == "parallel" else reader.block(root)
    initial = states[0]["name"] if root.kind == "parallel" else reader.entry(root)
    return report.on(definition_of({**made, "initial_state": initial, "states": states}))


class _Reader:
    """Makes the states of one machine."""

    def __init__(self, report: Report, naming: Naming, root: Node) -> None:
        self.report = report
        self.naming = naming
        self.taken = {node.name for node in root.walk() if node.kind != "compound" and not node.ends}
        self.before: dict[Node, list[str]] = {}
        for node in root.walk():
            self.before[node] = self.names_before(node)

    def names_before(self, node: Node) -> list[str]:
        """Names of the states that come before a node's own: what it does on entry, and its check."""
        count = len(self.entry_actions(node))
        if node.kind != "compound" and not _rests(node):
            count -= 1  # the last one is the node's own
        elif node.kind == "atomic" and not count and node.data.get("always"):
            count = 1
        return [self.fresh(f"{node.name}_entry") for _ in range(count)]

    def fresh(self, stem: str) -> str:
        name = fresh(stem, self.taken)
        self.taken.add(name)
        return name

    def entry(self, node: Node) -> str:
        """The state by which a node is entered."""
        if self.before[node]:
            return self.before[node][0]
        return self.entry(node.first()) if node.kind == "compound" else node.name

    def block(self, region: Node) -> States:
        """The states of the root or of a region, without those in parallel nodes inside."""
        made: States = []
        for node in region.walk():
            if node.block is region and not node.ends:
                made += self.states(node)
        if not made:
            made.append({"name": self.fresh("end"), "action": {"kind": "stop"}})
        return made

    def states(self, node: Node) -> States:
        """The states that a node becomes, with those its arrows need."""
        if node.parent is not None:
            self.report.unknown(node.place, node.data, _OF_A_NODE)
        match node.kind:
            case "compound":
                return self.compound(node)
            case "parallel":
                return self.around(node)
            case "final":
                return self.final(node)
            case _:
                return self.atomic(node)

    # What nodes become

    def compound(self, node: Node) -> States:
        for key in ("invoke", "after", "always"):
            if node.data.get(key):
                self.report.lost(node.place, f'"{key}" of a state with states inside')
        extra: States = []
        chain = self.doing(node)
        self.lead(chain, {"success": self.entry(node.first())} if chain else {}, extra)
        return [*chain, *extra]

    def final(self, node: Node) -> States:
        extra: States = []
        parent = node.parent
        chain = self.doing(node)
        after: list[Arrow] = []
        if parent is not None and parent.kind == "compound" and parent is not parent.block:
            after = arrows_of(parent, parent.data.get("onDone"), within(parent.place, "onDone"), self.report)
        if not chain:
            chain = [{"name": node.name, "action": self.passing(after)}]
        self.lead(chain, self.success(node, after, extra), extra)
        return [*chain, *extra]

    def atomic(self, node: Node) -> States:
        extra: States = []
        chain = self.doing(node)
        checks = arrows_of(node, node.data.get("always"), within(node.place, "always"), self.report)
        if not _rests(node):
            if not chain:
                chain = [{"name": node.name, "action": self.passing(checks)}]
            self.dead_end(node, checks)
            self.lead(chain, self.success(node, checks, extra), extra)
            return [*self.ended(chain, node, extra), *extra]
        own = self.resting(node, extra)
        ways = self.ways(node, checks, extra)
        if all("when" in way for way in ways):
            ways.append({"to": own[0]["name"]})
        if not chain and self.before[node]:
            only = {"kind": "goto", "to": ways[0]["to"]} if "when" not in ways[0] else _NOTHING
            chain = [{"name": self.before[node][0], "action": only}]
        self.lead(chain, {"success": _target(ways)}, extra)
        return [*chain, *own, *extra]

    def ended(self, chain: States, node: Node, extra: States) -> States:
        """A cancel edge for a node that does not rest."""
        self.listen(chain[-1], node, _events(node), extra)
        return chain

    def around(self, node: Node) -> States:
        """A parallel node: its regions become branches."""
        extra: States = []
        branches = []
        for child in node.children.values():
            states = self.block(child) if child.kind == "compound" else self.states(child)
            branches.append({"name": child.key, "block": {"initial_state": self.entry(child), "states": states}})
        done = arrows_of(node, node.data.get("onDone"), within(node.place, "onDone"), self.report)
        own = {"name": node.name, "action": {"kind": "parallel", "branches": branches, "join": "all"}}
        self.lead([own], self.success(node, done, extra), extra)
        if node.parent is not None:
            self.limit(own, node, extra)
            self.listen(own, node, _own_events(node), extra)
        chain = self.doing(node)
        self.lead(chain, {"success": node.name}, extra)
        return [*chain, self.described(own, node), *extra]

    # Actions

    def doing(self, node: Node) -> States:
        """What a node does on entry, one state after the other; the last one is the node's own if it has no other."""
        names = [*self.before[node], node.name]
        chain = [
            {"name": name, "action": action} for name, action in zip(names, self.entry_actions(node), strict=False)
        ]
        for state, following in pairwise(chain):
            state["transitions"] = {"success": following["name"]}
        return chain

    def entry_actions(self, node: Node) -> list[dict[str, Any]]:
        place = within(node.place, "entry")
        found = (self.action(written, place) for written in as_tuple(node.data.get("entry")))
        return [action for action in found if action is not None]

    def action(self, written: Any, place: str) -> dict[str, Any] | None:
        data: Data = {"type": written} if isinstance(written, str) else an_object(written, place)
        word = text_in(data, "type", place)
        if word is None:
            raise wrong(place, 'an action needs a "type"')
        if word in _ASSIGN:
            values = data.get("assignment", data.get("params"))
            if isinstance(values, dict) and values:
                return {"kind": "set", "values": values}
        if word in _ASSIGN or word.startswith("xstate."):
            self.report.lost(place, f'"{shortened(word, 40)}" without values that are written out')
            return None
        self.report.unknown(place, data, {"type", "params"})
        return self.call(word, data.get("params"), place)

    def call(self, word: str, params: Any, place: str) -> dict[str, Any]:
        if not self.naming.knows(word):
            self.report.default(place, f'"{shortened(word, 40)}" is asked of the service {self.naming.service}')
        service, method = self.naming.call(word)
        return {
            "service": service,
            "method": method,
            "params": {} if params is None else dict(an_object(params, place)),
        }

    def passing(self, ways: Sequence[Arrow]) -> dict[str, Any]:
        """What a state does that only leads on: a jump, a choice of ways, or the end."""
        if not ways or (ways[0].target.ends and ways[0].guard is None):
            return {"kind": "stop"}
        first = ways[0]
        if first.guard is None and not first.actions:
            return {"kind": "goto", "to": self.entry(first.target)}
        return _NOTHING

    # Resting

    def resting(self, node: Node, extra: States) -> States:
        """What a node waits for: the end of what it invokes, an event, or a time."""
        events = _events(node)
        invoked = as_tuple(node.data.get("invoke"))
        if invoked:
            own = self.invocation(node, an_object(invoked[0], within(node.place, "invoke")), extra)
            if len(invoked) > 1:
                self.report.lost(node.place, "it invokes several at once; only the first was taken")
        elif heard := [event for event in events if event not in (CANCEL, "*")]:
            own = self.hearing(node, heard, events, extra)
            events = {CANCEL: events[CANCEL]} if CANCEL in events else {}
        else:
            return self.waiting(node, events, extra)
        self.limit(own, node, extra)
        self.listen(own, node, events, extra)
        return [self.described(own, node)]

    def invocation(self, node: Node, data: Data, extra: States) -> dict[str, Any]:
        place = within(node.place, "invoke")
        self.report.unknown(place, data, _OF_AN_INVOCATION)
        word = text_in(data, "src", place)
        if word is None:
            raise wrong(place, '"src" is missing')
        own: dict[str, Any] = {"name": node.name, "action": self.call(word, data.get("input"), within(place, "input"))}
        done = arrows_of(node, data.get("onDone"), within(place, "onDone"), self.report)
        own["transitions"] = self.success(node, done, extra)
        self.dead_end(node, done)
        failed = arrows_of(node, data.get("onError"), within(place, "onError"), self.report)
        if failed:
            own["transitions"]["error"] = self.elsewhere(node, failed, extra)
        return own

    def hearing(
        self, node: Node, heard: Sequence[str], events: dict[str, list[tuple[Node, Any]]], extra: States
    ) -> dict[str, Any]:
        if len(heard) == 1:
            action, ways = self.wait_for(node, heard[0], events[heard[0]], node.name, extra)
            return {"name": node.name, "action": action, "transitions": {"success": _target(ways)} if ways else {}}
        branches, onward = [], []
        variable = self.fresh(_word(f"{node.name}_event"))
        for event in heard:
            name = self.fresh(f"{node.name}_{_word(event)}")
            noting = self.fresh(f"{name}_came")
            action, ways = self.wait_for(node, event, events[event], name, extra)
            states = [
                {"name": name, "action": action, "transitions": {"success": noting}},
                {"name": noting, "action": {"kind": "set", "values": {variable: event}}},
            ]
            branches.append({"name": event, "block": {"initial_state": name, "states": states}})
            came = f'{variable} == "{_quoted(event)}"'
            onward += [{**way, "when": f"{came} and ({way['when']})" if "when" in way else came} for way in ways]
        own = {"name": node.name, "action": {"kind": "parallel", "branches": branches, "join": "any"}}
        return {**own, "transitions": {"success": onward} if onward else {}}

    def wait_for(
        self, node: Node, event: str, written: Sequence[tuple[Node, Any]], name: str, extra: States
    ) -> tuple[dict[str, Any], States]:
        """A wait for one event, and where it leads on."""
        place = within(node.place, f'"{shortened(event, 40)}"')
        arrows = [arrow for source, value in written for arrow in arrows_of(source, value, place, self.report)]
        action: dict[str, Any] = {"kind": "wait_for", "event": event}
        if len(arrows) == 1 and arrows[0].guard is not None:
            action["when"] = arrows[0].guard
            arrows = [Arrow(arrows[0].target, None, arrows[0].actions)]
        ways = self.ways(node, arrows, extra)
        if not arrows:
            ways = [{"to": node.name}]  # nothing comes of the event, so it goes on waiting
        elif all(arrow.guard is not None for arrow in arrows):
            ways.append({"to": node.name})
            self.report.default(place, f"its conditions see the event as {name}, and without one it waits again")
        return action, ways

    def waiting(self, node: Node, events: dict[str, list[tuple[Node, Any]]], extra: States) -> States:
        """One wait, or several in a row where the earlier ones lead on only under conditions."""
        made: States = []
        past: float | str = 0
        for delay, arrows in self.delays(node):
            if made and all("when" in way for way in _ways(made[-1])) and not isinstance(delay, str | None):
                name = self.fresh(f"{node.name}_after")
                made[-1]["transitions"] = {"success": [*_ways(made[-1]), {"to": name}]}
            elif made:
                self.report.lost(node.place, "a later delay that never comes, or whose length is not known")
                break
            else:
                name = node.name
            seconds = delay if isinstance(delay, str) or isinstance(past, str) else delay - past
            past = delay
            wait = {"service": "internal", "method": "wait", "params": {"seconds": seconds}}
            made.append({"name": name, "action": wait, "transitions": self.success(node, arrows, extra)})
            self.listen(made[-1], node, events, extra)
            self.dead_end(node, arrows)
        self.described(made[0], node)
        return made

    def delays(self, node: Node) -> list[tuple[float | str, list[Arrow]]]:
        """What is written under `after`, shortest first; a delay that is only named is a variable."""
        found: list[tuple[float | str, list[Arrow]]] = []
        for key, value in an_object(node.data.get("after") or {}, within(node.place, "after")).items():
            place = within(node.place, f"after {shortened(key, 40)}")
            arrows = arrows_of(node, value, place, self.report)
            try:
                milliseconds = float(key)
            except ValueError:
                self.report.default(place, f"how long that is, is the variable {_word(key)}, in seconds")
                found.append((f"${{{_word(key)}}}", arrows))
                continue
            if not 0 <= milliseconds <= 1e15:
                raise wrong(place, "it must be a number of milliseconds from 0 on")
            found.append((milliseconds / 1000, arrows))
        return sorted(found, key=lambda pair: (isinstance(pair[0], str), 0 if isinstance(pair[0], str) else pair[0]))

    def limit(self, own: dict[str, Any], node: Node, extra: States) -> None:
        """The time that a step may take."""
        delays = self.delays(node)
        for _ in delays[1:]:
            self.report.lost(node.place, "a second delay beside what it does meanwhile")
        for delay, arrows in delays[:1]:
            if isinstance(delay, str):
                self.report.lost(node.place, "a delay that is only named, beside what it does meanwhile")
            elif arrows:
                own["timeout_seconds"] = delay
                own.setdefault("transitions", {})["timeout"] = self.elsewhere(node, arrows, extra)

    def listen(self, own: dict[str, Any], node: Node, events: dict[str, list[tuple[Node, Any]]], extra: States) -> None:
        """A cancel edge; every other event is lost on a step that is busy."""
        for event, written in events.items():
            place = within(node.place, f'"{shortened(event, 40)}"')
            if event != CANCEL:
                self.report.lost(place, "a step that is busy, or that waits for a time, hears no events")
                continue
            arrows = [arrow for source, value in written for arrow in arrows_of(source, value, place, self.report)]
            if arrows:
                own.setdefault("transitions", {})[CANCEL] = self.elsewhere(node, arrows, extra)

    def described(self, own: dict[str, Any], node: Node) -> dict[str, Any]:
        text = text_in(node.data, "description", node.place)
        if node.parent is not None and text is not None and len(text) <= MAX_TEXT:
            own["description"] = text
        return own

    def dead_end(self, node: Node, arrows: Sequence[Arrow]) -> None:
        if not arrows:
            self.report.default(node.place, "nothing leads on from it, so the path ends there")

    # Ways

    def lead(self, chain: States, transitions: dict[str, Any], extra: States) -> None:
        if chain and transitions:
            chain[-1].setdefault("transitions", {}).update(transitions)
        if chain and chain[-1]["action"].get("kind") == "goto":
            chain[-1].pop("transitions", None)

    def success(self, node: Node, arrows: Sequence[Arrow], extra: States) -> dict[str, Any]:
        """The edge for success: none where the path ends."""
        ways = self.ways(node, arrows, extra)
        if ways and all("when" in way for way in ways) and not any(arrow.target.ends for arrow in arrows):
            self.report.default(node.place, "if none of its conditions holds, the run ends there")
        return {"success": _target(ways)} if ways else {}

    def elsewhere(self, node: Node, arrows: Sequence[Arrow], extra: States) -> Any:
        """The target of an edge that has to lead somewhere."""
        ways = self.ways(node, arrows, extra)
        if not ways or (all("when" in way for way in ways) and arrows[-1].guard is None):
            ways.append({"to": self.end(extra)})
        return _target(ways)

    def ways(self, node: Node, arrows: Sequence[Arrow], extra: States) -> States:
        """Ways in order, up to the first without a guard; an unguarded one to where a path ends is none."""
        made: States = []
        for arrow in arrows:
            if arrow.target.ends and arrow.guard is None and not arrow.actions:
                break
            to = self.end(extra) if arrow.target.ends else self.entry(arrow.target)
            made.append({"to": self.on_the_way(node, arrow, to, extra)})
            if arrow.guard is None:
                break
            made[-1]["when"] = arrow.guard
        return made

    def on_the_way(self, node: Node, arrow: Arrow, to: str, extra: States) -> str:
        """Where an arrow leads first: to what is done on the way, if there is anything."""
        place = within(node.place, "actions")
        actions = [action for written in arrow.actions if (action := self.action(written, place)) is not None]
        for action in reversed(actions):
            name = self.fresh(f"{node.name}_then")
            extra.append({"name": name, "action": action, "transitions": {"success": to}})
            to = name
        return to

    def end(self, extra: States) -> str:
        name = self.fresh("end")
        extra.append({"name": name, "action": {"kind": "stop"}})
        return name


_NOTHING: Final = {"kind": "transform", "formula": "true"}
"""What a state does that only has ways on."""


def _rests(node: Node) -> bool:
    """Whether a node waits for something."""
    if node.kind == "parallel":
        return True
    if node.kind != "atomic":
        return False
    heard = any(event not in (CANCEL, "*") for event in _events(node))
    return bool(node.data.get("invoke") or node.data.get("after") or heard)


def _events(node: Node) -> dict[str, list[tuple[Node, Any]]]:
    """Events that a node hears, its own and those of the nodes around it, each with where it is written."""
    found: dict[str, list[tuple[Node, Any]]] = {}
    source: Node | None = node
    while source is not None:
        for event, value in _own_events(source).items():
            found.setdefault(event, []).extend(value)
        source = source.parent if source is not node.block else None
    return found


def _own_events(node: Node) -> dict[str, list[tuple[Node, Any]]]:
    written = an_object(node.data.get("on") or {}, within(node.place, "on"))
    return {event: [(node, value)] for event, value in written.items()}


def _ways(state: dict[str, Any]) -> States:
    target = state.get("transitions", {}).get("success", [])
    return [{"to": target}] if isinstance(target, str) else list(target)


def _target(ways: States) -> Any:
    return ways[0]["to"] if ways and "when" not in ways[0] else ways


def _word(text: str) -> str:
    word = "".join(character if character.isalnum() or character == "_" else "_" for character in text)
    return word if word[:1].isalpha() or word[:1] == "_" else f"_{word}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
