"""Instructions in canonical words: `understand(say(i)) == i` in the same workspace, for every instruction.

The words are those of docs/language.md. Steps, triggers and files are said by their own modules; this one says what is
done with them. It reads nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Final, assert_never

from pydantic import JsonValue

from engine.declare import Declarations
from engine.edits import (
    AddTrigger,
    Edit,
    Handle,
    InsertSteps,
    MoveStep,
    RemoveSteps,
    RemoveTrigger,
    ReplaceStep,
    SetAction,
    SetCritical,
    SetDescription,
    SetMaxRounds,
    SetName,
    SetOnError,
    SetPolicy,
    SetRetry,
    SetStart,
    SetStepTimeout,
    SetTags,
    SetTimeout,
    SetTransition,
    SetTriggers,
    SetVariable,
    SetVersion,
    SwapSteps,
    apply,
)
from engine.errors import EditError
from engine.expressions import quote
from engine.model import Definition, State, Trigger, all_states, blocks
from engine.names import fresh
from grammar.afterwards import after
from grammar.drafts import escaped, map_state_texts
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
    Undo,
    Why,
)
from grammar.names import quoted_name, slug
from grammar.references import names_beside, number_of, path_of
from grammar.say_manage import say_past, say_sort
from grammar.say_policies import say_new_policy
from grammar.say_steps import (
    Named,
    in_words,
    say_action,
    say_definition,
    say_duration,
    say_json,
    say_retry,
    say_state,
    say_state_name,
    say_states,
    say_target,
    say_trigger,
)
from grammar.say_variables import say_variable
from grammar.workspace import Workspace

_DOT: Final = " · "
AND_THEN: Final = " ; and then "
"""Nothing else is said so; with a mere "and" the next one could be read as a step."""
_IN_ONE_MESSAGE: Final = frozenset({"id", "name", "initial_state", "states", "triggers"})
_EVENT_WORDS: Final[Mapping[str, str]] = {
    "success": "on success",
    "error": "if it fails",
    "timeout": "on timeout",
    "cancel": "on cancel",
    "unknown": "on unknown",
}


class Sayer:
    """Says instructions and definitions.

    Args:
        declarations: Whose phrases are used.
        verbs: Words that begin or join steps; a new workflow of such a name is written in quotes.
    """

    def __init__(self, declarations: Declarations, verbs: frozenset[str]) -> None:
        self._declarations = declarations
        self._verbs = verbs

    # Definitions -----------------------------------------------------------------------------------------------------------

    def trigger(self, trigger: Trigger) -> str:
        """`when a raid comes in`."""
        return say_trigger(trigger)

    def step(self, definition: Definition, state: State) -> str:
        """What a step does, without options."""
        return say_action(_typed(state, self._declarations).action, self._declarations)

    def file(self, definition: Definition) -> str:
        """The file form."""
        return say_definition(definition, self._declarations)

    def _numbered(self, states: Iterable[State]) -> str:
        said = say_states([_typed(state, self._declarations) for state in states], self._declarations)
        return _DOT.join(f"{n} {step}" for n, step in enumerate(said, 1))

    # Instructions ----------------------------------------------------------------------------------------------------------

    def instruction(self, instruction: Instruction, workspace: Workspace) -> str:  # noqa: C901  one line each
        """An instruction in words that mean it in this workspace."""
        match instruction:
            case Create():
                return self._create(instruction)
            case Change():
                return self._change(instruction, workspace)
            case Several():
                return self._several(instruction, workspace)
            case Rename():
                return f"rename {_name(instruction.workflow, workspace)} to {quote(instruction.name)}"
            case Delete():
                several = "workflows" if len(instruction.workflows) > 1 else "workflow"
                return f"delete {several} {', '.join(_name(each, workspace) for each in instruction.workflows)}"
            case SetEnabled():
                return f"{'enable' if instruction.enabled else 'disable'} {_name(instruction.workflow, workspace)}"
            case RunWorkflow() | DryRun() | Backtest() | MoveRuns():
                return _runs(instruction, workspace)
            case Copy():
                started = "" if instruction.command is None else f" started by {instruction.command}"
                return f"copy {_name(instruction.workflow, workspace)} as {quote(instruction.name)}{started}"
            case FromTemplate():
                return f"create {quote(instruction.name)} from template {quote(instruction.template)}"
            case SwitchAll():
                return _join(
                    "enable" if instruction.enabled else "disable", "all workflows", say_sort(instruction.sort) or None
                )
            case TakeBack():
                return f"undo v{instruction.version} of {_name(instruction.workflow, workspace)}"
            case Restore():
                return f"restore {_name(instruction.workflow, workspace)} to {say_past(instruction.to)}"
            case Control():
                whom = "everything" if instruction.workflow is None else _name(instruction.workflow, workspace)
                return f"{instruction.verb} {whom}"
            case Skip() | Extend() | RetryRun():
                return _of_a_run(instruction, workspace)
            case Import():
                return f"import {instruction.source}"
            case Help():
                return _join("help", instruction.topic)
            case Answer():
                return "yes" if instruction.yes else "no"
            case ListTemplates():
                return "templates"
            case Suppose():
                happening = _happening(instruction.event, instruction.arguments)
                return _join("what if", str(happening[0]).removeprefix("when "), happening[1])
            case NotYet():
                return instruction.what
            case _:
                return _query(instruction, workspace)

    def _several(self, several: Several, workspace: Workspace) -> str:
        """One after the other, each in the words that it has as things stand then."""
        said = []
        for each in several.instructions:
            said.append(self.instruction(each, workspace))
            workspace = after(each, workspace)
        return AND_THEN.join(said)

    def _create(self, create: Create) -> str:
        definition = create.definition
        if not _is_plain(definition):
            return self.file(definition)
        steps = self._numbered(definition.states)
        triggers = " or ".join(self.trigger(trigger) for trigger in definition.triggers)
        if not create.named and triggers:
            return f"{_capital(triggers)}: {steps}"
        verbal = definition.name.casefold() in self._verbs
        name = quote(definition.name) if verbal else quoted_name(definition.name)
        return f"Create {name}: {f'{triggers}: ' if triggers else ''}{steps}"

    def _change(self, change: Change, workspace: Workspace) -> str:
        view = workspace.workflows[change.workflow]
        definition = view.definition
        said: list[str] = []
        for edit in change.edits:
            said.append(self.edit(edit, definition))
            try:
                definition = apply(definition, edit)
            except EditError:
                break
        return f"{quoted_name(view.definition.name)} v{view.revision + 1}: {'; '.join(said)}"

    def edit(self, edit: Edit, definition: Definition) -> str:
        """One edit of a definition as it is before it."""
        match edit:
            case InsertSteps():
                return f"add as step {edit.at} {self._loose(edit.states, definition)}"
            case RemoveSteps():
                return _remove(edit, definition)
            case MoveStep():
                return f"move {_ref(edit.name, definition)} to be step {edit.at}"
            case SwapSteps():
                return f"swap {_ref(edit.first, definition)} and {_ref(edit.second, definition)}"
            case SetAction():
                old = _state(edit.name, definition)
                new = old.model_copy(update={"action": edit.action})
                taken = names_beside(definition, edit.name) | {edit.name}
                arrow = f"{self._action(old, taken)} -> {self._action(new, taken)}"
                return f"{_ref(edit.name, definition)} {arrow}"
            case ReplaceStep():
                steps = self._loose(edit.states, definition, without=edit.name)
                return f"replace {_ref(edit.name, definition)} with {steps}"
            case SetTransition() | SetStepTimeout() | SetRetry() | SetCritical():
                return f"{_ref(edit.name, definition)} {_option(edit, definition)}"
            case AddTrigger() | RemoveTrigger() | SetTriggers():
                return self._triggers(edit)
            case Handle():
                event = _EVENT_WORDS.get(edit.event) or f"on {quote(edit.event)}"
                when = "on error" if edit.step is None else f"{_ref(edit.step, definition)} {event}"
                return f"{when}: {self._loose(edit.states, definition)}"
            case _:
                return _heading(edit, definition)

    def _loose(self, states: tuple[State, ...], definition: Definition, without: str | None = None) -> str:
        """States with their names where those are not the ones they would be given here.

        They are linked when they are put in: only what each says itself is said.
        """
        named = self._named(states, names_beside(definition, without))
        return _DOT.join(
            say_state(_typed(state, self._declarations), None, self._declarations, named) for state in states
        )

    def _named(self, states: tuple[State, ...], taken: frozenset[str]) -> Named:
        """The steps, however deep, whose names are not those they would be given beside the taken ones."""
        used = set(taken)
        named: set[str] = set()
        for state in all_states(states):
            if state.name != fresh(state.action, used, self._declarations):
                named.add(state.name)
            used.add(state.name)
        return lambda state: state.name in named

    def _action(self, state: State, taken: frozenset[str]) -> str:
        """What a step does, with the names of the steps inside it that are not the usual ones."""
        inside = tuple(each for block in blocks(state.action) for each in block.states)
        named = self._named(inside, taken)
        return say_action(_typed(state, self._declarations).action, self._declarations, named)

    def _triggers(self, edit: AddTrigger | RemoveTrigger | SetTriggers) -> str:
        match edit:
            case AddTrigger():
                return f"also {self.trigger(edit.trigger)}"
            case RemoveTrigger():
                return f"no longer {self.trigger(edit.trigger)}"
            case SetTriggers():
                return f"only {' or '.join(map(self.trigger, edit.triggers)) or 'by hand'}"
            case _:
                assert_never(edit)


def _typed(state: State, declarations: Declarations) -> State:
    """A step whose texts, when read as typed ones, are what they are; those of JSON are never read so."""
    return map_state_texts(state, escaped, lambda each: in_words(each.action, declarations))


def _is_plain(definition: Definition) -> bool:
    """Whether triggers and steps are all there is."""
    said = definition.model_dump(exclude_defaults=True, include=set(Definition.model_fields) - _IN_ONE_MESSAGE)
    first = definition.initial_state == definition.states[0].name and definition.id == slug(definition.name)
    return first and not said


def _of_a_run(instruction: Skip | Extend | RetryRun, workspace: Workspace) -> str:
    """What is wished of a run, not of the workflow."""
    workflow = instruction.workflow
    name = None if workflow is None else _name(workflow, workspace)
    match instruction:
        case RetryRun(arguments=arguments):
            return _join("retry", name, _given(arguments))
        case Skip(state=str(state)):
            return _join("skip", _resting(state, workflow, workspace), name and f"of {name}")
        case Skip():
            return _join("skip the wait", name and f"in {name}")
        case Extend(seconds=seconds, state=state):
            verb = "extend" if seconds >= 0 else "shorten"
            what = "wait" if state is None else _resting(state, workflow, workspace)
            return _join(f"{verb} the running", what, name and f"of {name}", f"by {say_duration(abs(seconds))}")
        case _:
            assert_never(instruction)


def _resting(state: str, workflow: str | None, workspace: Workspace) -> str:
    view = None if workflow is None else workspace.workflows.get(workflow)
    outer = view is not None and number_of(view.definition, state) is not None
    return _ref(state, view.definition) if view is not None and outer else f"step {quote(state)}"


def _given(arguments: Mapping[str, JsonValue]) -> str | None:
    if not arguments:
        return None
    return f"with {' '.join(_argument(name, value) for name, value in arguments.items())}"


def _query(  # noqa: C901  one line each
    query: Status
    | ListWorkflows
    | Placeholders
    | Counters
    | Show
    | Why
    | Tell
    | Agenda
    | ListRuns
    | History
    | Diff
    | Undo
    | Redo
    | Export,
    workspace: Workspace,
) -> str:
    name = None
    if not isinstance(query, ListWorkflows | Agenda | Counters) and query.workflow is not None:
        name = _name(query.workflow, workspace)
    match query:
        case Status():
            return _join("status", name)
        case ListWorkflows():
            return _join("list", say_sort(query.sort) or None)
        case Placeholders():
            return _join("placeholders", name and f"of {name}")
        case Counters(counter=counter):
            return "list counters" if counter is None else f"show the {quote(counter)} counter"
        case Show():
            if query.step is not None:
                return f"show step {query.step} of {name}"
            return _join("show", name, query.page if query.page > 1 else None)
        case Why():
            return _join("why", name)
        case Tell(aspect="starts"):
            return f"what starts {name}"
        case Tell(aspect="length"):
            return f"how long does {name} take"
        case Tell():
            return f"who may run {name}"
        case Agenda():
            return "what is scheduled today"
        case ListRuns():
            return _join("list runs", name and f"of {name}")
        case History():
            return _join("history", name)
        case Diff():
            since = None if query.since is None else f"since {say_past(query.since)}"
            return _join("diff", name, since, None if query.until is None else f"until v{query.until}")
        case Undo():
            return _join("undo", query.count if query.count > 1 else None, name)
        case Redo():
            return _join("redo", query.count if query.count > 1 else None, name)
        case Export(format="code"):
            return f"share {name}"
        case Export():
            return f"export {name} as {query.format}"
        case _:
            assert_never(query)


def _remove(edit: RemoveSteps, definition: Definition) -> str:
    numbers = [number_of(definition, name) for name in edit.names]
    if len(numbers) > 1 and all(number is not None for number in numbers):
        return f"remove steps {', '.join(map(str, numbers))}"
    return f"remove {' and '.join(_ref(name, definition) for name in edit.names)}"


def _option(edit: SetTransition | SetStepTimeout | SetRetry | SetCritical, definition: Definition) -> str:
    match edit:
        case SetTransition():
            event = _EVENT_WORDS.get(edit.event) or f"on {quote(edit.event)}"
            return f"{event} {'nowhere' if edit.target is None else say_target(edit.target)}"
        case SetStepTimeout():
            return "no time limit" if edit.seconds is None else f"time limit {say_duration(edit.seconds)}"
        case SetRetry():
            return "no retry" if edit.retry is None else say_retry(edit.retry)
        case SetCritical():
            return "stop if it fails" if edit.critical else "carry on if it fails"
        case _:
            assert_never(edit)


def _heading(
    edit: SetName
    | SetDescription
    | SetTags
    | SetPolicy
    | SetVariable
    | SetOnError
    | SetVersion
    | SetStart
    | SetMaxRounds
    | SetTimeout,
    definition: Definition,
) -> str:
    match edit:
        case SetName():
            return f"name {quote(edit.name)}"
        case SetDescription():
            return "no description" if edit.description is None else f"description {quote(edit.description)}"
        case SetTags():
            return f"tags {', '.join(map(quote, edit.tags))}" if edit.tags else "no tags"
        case SetPolicy():
            return say_new_policy(definition.policy, edit.policy)
        case SetVariable():
            if edit.declaration is None:
                return f"no variable {quote(edit.name)}"
            return say_variable(edit.name, edit.declaration)
        case SetOnError():
            return f"on error {'nowhere' if edit.to is None else f'go to {say_state_name(edit.to)}'}"
        case SetVersion():
            return "no version" if edit.version is None else f"version {quote(edit.version)}"
        case SetStart():
            return f"start at {_ref(edit.name, definition)}"
        case SetMaxRounds():
            return "the usual number of rounds" if edit.count is None else f"at most {edit.count} rounds"
        case SetTimeout():
            return "never give up" if edit.seconds is None else f"give up after {say_duration(edit.seconds)}"
        case _:
            assert_never(edit)


def _state(name: str, definition: Definition) -> State:
    return definition.state(name)


def _ref(name: str, definition: Definition) -> str:
    path = path_of(definition, name)
    return f"step {quote(name)}" if path is None else f"step {path}"


def _name(workflow: str, workspace: Workspace) -> str:
    view = workspace.workflows.get(workflow)
    return quoted_name(view.definition.name if view is not None else workflow)


def _runs(instruction: RunWorkflow | DryRun | Backtest | MoveRuns, workspace: Workspace) -> str:
    match instruction:
        case RunWorkflow():
            when = None if instruction.after is None else f"in {say_duration(instruction.after)}"
            when = when if instruction.at is None else f"at {instruction.at}"
            return _join("run", _name(instruction.workflow, workspace), when, _given(instruction.arguments))
        case DryRun():
            return _dry_run(instruction, workspace)
        case Backtest():
            version = None if instruction.version is None else f"v{instruction.version}"
            over = None if instruction.seconds is None else f"over {say_duration(instruction.seconds)}"
            return _join("backtest", _name(instruction.workflow, workspace), version, over)
        case MoveRuns():
            return f"move runs of {_name(instruction.workflow, workspace)} to the new version"
        case _:
            assert_never(instruction)


def _dry_run(dry_run: DryRun, workspace: Workspace) -> str:
    view = workspace.workflows[dry_run.workflow]
    fails = None if dry_run.failing is None else f"if {_ref(dry_run.failing, view.definition)} fails"
    later = [
        f"then {say_duration(each.seconds)} later {_join(*_happening(each.event, each.arguments))}"
        for each in dry_run.later
    ]
    happening = _happening(dry_run.event, dry_run.arguments)
    return _join("test", _name(dry_run.workflow, workspace), *happening, fails, *later)


def _happening(event: str | None, arguments: Mapping[str, JsonValue]) -> tuple[str | None, str | None]:
    given = " ".join(_argument(name, value) for name, value in arguments.items())
    return None if event is None else say_trigger(Trigger(on=event)), f"with {given}" if given else None


def _argument(name: str, value: JsonValue) -> str:
    text = value if isinstance(value, str) else say_json(value)
    plain = isinstance(value, str) and text and not any(mark in text for mark in ' "\\,=<>') and text.isprintable()
    return f"{name}={text if plain else quote(text)}"


def _join(*parts: object) -> str:
    return " ".join(str(part) for part in parts if part is not None)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
