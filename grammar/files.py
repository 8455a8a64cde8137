"""The file form of a workflow, read line by line: `read(say(definition)) == definition`, exactly.

Each line is one sentence of the same grammar as chat. A mistake is answered with its line, what could not be read and
what may stand there. People may leave the numbers of steps out; then the lines' order counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from pydantic import ValidationError

from engine.convert import mistake
from engine.errors import DefinitionError
from engine.model import MAX_STATES, Definition, Policy, State, Trigger, VariableDeclaration
from grammar import build_heading, build_policies
from grammar.beginnings import Beginnings
from grammar.build_steps import StepBuilder
from grammar.drafts import Draft, linked
from grammar.driver import FILE_LINE, Driver, Parsed, Stuck
from grammar.layout import Line, sentences
from grammar.leaves import NotBuilt
from grammar.lexicon import LiveLexicon
from grammar.rules import Permitted, Rule, Ruled, with_fields
from grammar.say_steps import default_id
from grammar.tree import Node

MAX_LINES: Final = 1_000
MAX_CHARACTERS: Final = 4_000_000
_NUMBER: Final = re.compile(r"\s*(\d{1,4})\.\s+")
_EXPECTED_SHOWN: Final = 4


class FileError(DefinitionError):
    """A file that cannot be read as a workflow.

    Attributes:
        line: Which line, counted from 1; 0 for the file as a whole.
        reason: What is wrong there.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class _Draft:
    """What the lines so far say."""

    head: dict[str, Any] = field(default_factory=dict)
    triggers: list[Trigger] = field(default_factory=list)
    variables: dict[str, VariableDeclaration] = field(default_factory=dict)
    start: str | None = None
    steps: list[tuple[int, int | None, Node]] = field(default_factory=list)
    policy: dict[str, Any] = field(default_factory=dict)

    def rule(self, rule: Rule) -> None:
        """Note a rule of the policy."""
        match rule:
            case Ruled(fields=fields):
                self.say(fields)
            case Permitted(right=right, roles=roles):
                self.say({right: roles})
            case _:
                assert_never(rule)

    def say(self, fields: Mapping[str, Any]) -> None:
        """Note fields of the policy, none of them twice."""
        for name, value in fields.items():
            _once(self.policy, name, value)


def looks_like_file(text: str) -> bool:
    """Whether a text begins as the file form does."""
    first = next((line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")), "")
    return re.match(r'\s*workflow\s*["“„]', first, re.IGNORECASE) is not None


def read_definition(text: str, driver: Driver, live: LiveLexicon | None = None) -> Definition:
    """Read a workflow from its file form.

    Args:
        text: The whole file.
        driver: The parser.
        live: Live names, for files that people wrote without quotes.

    Raises:
        FileError: A line cannot be read, or the lines do not make a workflow.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > MAX_LINES or len(text) > MAX_CHARACTERS:
        raise FileError(0, f"a workflow file may have {MAX_LINES} lines; this one has {len(lines)}")
    draft = _Draft()
    names = live if live is not None else LiveLexicon()
    written = [
        Line.of(number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    begins = Beginnings(driver, names, FILE_LINE)
    for line in sentences(written, begins):
        try:
            _read_line(line.text, line.number, draft, driver, names)
        except NotBuilt as reason:
            raise FileError(line.number, str(reason)) from None
    return _definition(draft, driver)


def _read_line(line: str, number: int, draft: _Draft, driver: Driver, live: LiveLexicon) -> None:
    numbered = _NUMBER.match(line)
    if numbered is not None:
        tree = _parsed(line[numbered.end() :], number, driver, live, "step_line")
        draft.steps.append((number, int(numbered.group(1)), tree))
        return
    outcome = driver.parse(line, live, "header_line", FILE_LINE)
    if isinstance(outcome, Parsed):
        _read_header(outcome.best.tree, draft, driver)
        return
    step = driver.parse(line, live, "step_line", FILE_LINE)
    if isinstance(step, Stuck):
        raise FileError(number, _explain(line, outcome if outcome.at >= step.at else step, driver))
    draft.steps.append((number, None, step.best.tree))


def _parsed(line: str, number: int, driver: Driver, live: LiveLexicon, start: str) -> Node:
    outcome = driver.parse(line, live, start, FILE_LINE)
    if isinstance(outcome, Stuck):
        raise FileError(number, _explain(line, outcome, driver))
    return outcome.best.tree


def _explain(line: str, stuck: Stuck, driver: Driver) -> str:
    if stuck.reason != "syntax":
        return f"this line is {stuck.reason}"
    after = line.strip()[: stuck.at].strip()
    words = sorted(
        {driver.lexicon.first_phrase[term] for term in stuck.expected if term in driver.lexicon.first_phrase}
    )
    hint = f"; here may stand {', '.join(words[:_EXPECTED_SHOWN])}" if words else ""
    what = f'I cannot read "{stuck.word[:40]}"' if stuck.word is not None else "something is missing at the end"
    return f'{what} after "{after[-40:]}"{hint}' if after else f"{what}{hint}"


# Lines of the heading ----------------------------------------------------------------------------------------------------


def _read_header(tree: Node, draft: _Draft, driver: Driver) -> None:  # noqa: C901  one line per heading
    head = tree if tree.rule.startswith("head_") else tree.nodes()[0]
    texts = [str(leaf.value) for leaf in head.leaves() if leaf.type == "STRING"]
    match head.rule:
        case "head_workflow":
            written = head.leaf("IDENTIFIER")
            _once(draft.head, "name", texts[0])
            draft.head["id"] = str(written.value) if written is not None else default_id(texts[0])
        case "head_description" | "head_version":
            _once(draft.head, head.rule.removeprefix("head_"), texts[0])
        case "head_tags":
            _once(draft.head, "tags", tuple(texts))
        case "head_trigger":
            draft.triggers.append(StepBuilder(driver.phrases.by_rule).trigger(head.nodes("trigger")[0]))
        case "head_variable":
            said = build_heading.declared(head.nodes()[0])
            _once(draft.variables, said.name, build_heading.declaration(said, None))
        case "head_policy":
            draft.say(_validated(Policy, _json(head)).model_dump(exclude_unset=True))
        case "head_rule":
            draft.rule(build_policies.rule(head.nodes()[0]))
        case "head_on_error":
            _once(draft.head, "on_error", texts[0])
        case "head_time_limit":
            _once(draft.head, "timeout_seconds", _only(head, "DURATION"))
        case "head_rounds":
            _once(draft.head, "max_loop_iterations", _only(head, "NUMBER"))
        case "head_start":
            draft.start = texts[0]
        case "head_never_reached":
            pass
        case other:
            raise AssertionError(f"steps.lark has no heading {other}")


def _once(said: dict[str, Any], name: str, value: Any) -> None:
    if name in said:
        raise NotBuilt(f'"{name}" is said twice')
    said[name] = value


def _only(node: Node, terminal: str) -> Any:
    leaf = node.leaf(terminal)
    return leaf.value if leaf is not None else None


def _json(node: Node) -> Any:
    return _only(node, "JSON")


def _validated(model: Any, value: Any) -> Any:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise NotBuilt(mistake(error)) from None


# The steps together ------------------------------------------------------------------------------------------------------


def _definition(draft: _Draft, driver: Driver) -> Definition:
    if "name" not in draft.head:
        raise FileError(0, 'a workflow file begins with its name: workflow "my workflow"')
    if not draft.steps:
        raise FileError(0, f'"{draft.head["name"]}" has no steps yet; write one, such as: 1. say "hi"')
    if len(draft.steps) > MAX_STATES:
        raise FileError(0, f"a workflow may have {MAX_STATES} steps; this one has {len(draft.steps)}")
    states = _states(_in_order(draft.steps), driver)
    try:
        return Definition(
            **draft.head,
            states=states,
            initial_state=draft.start if draft.start is not None else states[0].name,
            triggers=tuple(draft.triggers),
            policy=with_fields(Policy(), draft.policy),
            variables=draft.variables,
        )
    except ValidationError as error:
        raise FileError(0, mistake(error)) from None


def _in_order(steps: list[tuple[int, int | None, Node]]) -> list[tuple[int, Node]]:
    """The steps by their numbers, which must be 1 to n; or as written if none is numbered."""
    if all(place is None for _, place, _ in steps):
        return [(line, tree) for line, _, tree in steps]
    by_place: dict[int, tuple[int, Node]] = {}
    for line, place, tree in steps:
        if place is None:
            raise FileError(line, "this step has no number, but others have")
        if place in by_place:
            raise FileError(line, f"step {place} is written twice")
        by_place[place] = (line, tree)
    for place in range(1, len(steps) + 1):
        if place not in by_place:
            raise FileError(0, f"step {place} is missing")
    return [by_place[place] for place in sorted(by_place)]


def _states(steps: list[tuple[int, Node]], driver: Driver) -> tuple[State, ...]:
    unplaced = linked(_built(steps, StepBuilder(driver.phrases.by_rule, str)), None, driver.declarations)
    names = [state.name for state in unplaced]

    def name_of(number: int) -> str:
        if 1 <= number <= len(names):
            return names[number - 1]
        raise NotBuilt(f"there is no step {number}; the last one is {len(names)}")

    return linked(_built(steps, StepBuilder(driver.phrases.by_rule, name_of)), None, driver.declarations)


def _built(steps: list[tuple[int, Node]], builder: StepBuilder) -> tuple[Draft, ...]:
    return tuple(_build(tree, line, builder) for line, tree in steps)


def _build(tree: Node, line: int, builder: StepBuilder) -> Draft:
    step = tree if tree.rule == "step" else tree.nodes("step")[0]
    try:
        return builder.step(step)
    except NotBuilt as reason:
        raise FileError(line, str(reason)) from None
