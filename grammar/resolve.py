"""From what a sentence says to what it means here: an instruction, or the question or refusal it comes to instead.

References are looked up in the workflow as it is after the edits before them; nothing is chosen that was not said. A
piece that is missing and a reference that fits twice become questions, whose options are whole sentences this bot
accepts. What one edit comes to is for `grammar.resolve_edits`. This module reads no words and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, assert_never, cast

from engine.edits import Edit, apply, touched
from engine.errors import EditError
from engine.model import Definition, State, Stop, Wait
from engine.names import verb
from grammar import names, wishes
from grammar.afterwards import after, together
from grammar.altering import is_sure
from grammar.context import ASK_STEPS, MAX_OPTIONS, Context
from grammar.counters import named
from grammar.drafts import Draft, MissingPiece, linked, variables_of
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
    Question,
    Redo,
    Refusal,
    Rename,
    Restore,
    RetryRun,
    RunWorkflow,
    SetEnabled,
    Several,
    Show,
    Skip,
    Sort,
    Status,
    Suppose,
    SwitchAll,
    TakeBack,
    Tell,
    Undo,
    Why,
)
from grammar.pointed import pointed_at
from grammar.references import Unclear, Unsettled, Within, nearest, one_of, overview, refuse
from grammar.resolve_edits import edits_of
from grammar.retelling import text_of
from grammar.syntax import (
    About,
    Alter,
    BacktestCommand,
    Command,
    CopyCommand,
    CountCommand,
    CounterWish,
    DiffCommand,
    DryRunCommand,
    Edits,
    ExtendCommand,
    It,
    Named,
    New,
    Reference,
    RenameCommand,
    RestoreCommand,
    RetryCommand,
    RunCommand,
    SkipCommand,
    SortCommand,
    SupposeCommand,
    TemplateCommand,
    Together,
)
from grammar.wishes import too_vague
from grammar.words import fold
from grammar.workspace import WorkflowView


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves commands of one message against one workspace."""

    """Resolves commands of one message.

    Attributes:
        context: What they are resolved in.
    """

    context: Context

    def resolve(self, command: Command) -> Instruction:
        """What a command means here.

        Raises:
            Unsettled: It has to be asked about or refused.
        """
        try:
            return self._settled(command)
        except names.NotSaidWhich as unsaid:
            raise Unsettled(self._in_each(command, unsaid.answer)) from None
        except Unclear as unclear:
            options, missing, question = self._which(command, unclear)
            if isinstance(unclear.reference, It) and not question.options and len(missing) == 1:
                raise self._asked(missing[0]) from None
            sure = len(options) == len(question.options) == 1
            if isinstance(unclear.reference, It) and sure and self._are_values_sure(command):
                return options[0]
            raise Unsettled(question, tuple(options)) from None
        except MissingPiece as piece:
            raise self._asked(piece) from None
        except EditError as error:
            words = str(error)
            raise refuse(f"I cannot do that: {words}.") from None

    def _settled(self, command: Command) -> Instruction:  # noqa: C901  one line each
        match command:
            case Edits():
                return self._change(command)
            case Together():
                return self._together(command)
            case New():
                return self._create(command)
            case RunCommand():
                return RunWorkflow(self._id(command.workflow), command.arguments, command.after, command.at)
            case DryRunCommand():
                return self._dry_run(command)
            case BacktestCommand():
                return self._backtest(command)
            case SkipCommand():
                going_on = self._waiting(command.workflow, Skip)
                return Skip(going_on, self._resting(going_on, command.step))
            case ExtendCommand():
                return self._extend(command)
            case RetryCommand():
                return RetryRun(self._id(command.workflow) if command.workflow else None, command.arguments)
            case RenameCommand():
                view = self._view(command.workflow)
                own = view.definition.id
                return Rename(own, names.checked(command.name, self.context.workspace, quoted=True, own=own))
            case CopyCommand():
                copied = self._new_name(command.name or "", quoted=command.quoted)
                return Copy(self._id(command.workflow), copied, command.command)
            case TemplateCommand():
                return self._from_template(command)
            case SortCommand():
                return self._sorted(command)
            case RestoreCommand():
                return Restore(self._id(command.workflow), self._past(command.workflow, command.to))
            case DiffCommand():
                since = None if command.since is None else self._past(command.workflow, command.since)
                return Diff(self._id(command.workflow), since, command.until)
            case SupposeCommand():
                return Suppose(command.event, command.arguments)
            case CountCommand():
                return Counters(self._counter(command))
            case CounterWish():
                raise Unsettled(wishes.counting(command, self.context.workspace))
            case Named():
                return self._named(command)
            case _:
                assert_never(command)

    def _in_each(self, command: Command, asked: Question | Refusal) -> Question | Refusal:
        """The question which workflow is meant, with what it would come to in each where that is clear."""
        options: list[str] = []
        views = self.context.workspace.workflows.values()
        for view, as_typed in zip(views, asked.options if isinstance(asked, Question) else (), strict=False):
            there = replace(self.context, workspace=replace(self.context.workspace, focus=view.definition.id))
            try:
                meant = Resolver(there).resolve(command)
            except Unsettled:
                options.append(as_typed)
            else:
                options.append(self.context.say.instruction(meant, self.context.workspace))
        return replace(asked, options=tuple(options)) if isinstance(asked, Question) else asked

    def _are_values_sure(self, command: Command) -> bool:
        """Whether what a step is to have is no mere words without quotes: `that has to be false` is likelier talk."""
        values = [edit.value for edit in command.edits if isinstance(edit, Alter)] if isinstance(command, Edits) else []
        return all(is_sure(value, self.context.workspace) for value in values)

    def _asked(self, missing: MissingPiece) -> Unsettled:
        gap = missing.gap(self.context.sentence)
        return Unsettled(Question(missing.question, gap=gap, verbatim=missing.verbatim))

    def _which(self, command: Command, unclear: Unclear) -> tuple[list[Instruction], list[MissingPiece], Question]:
        """What is meant with each of the steps that fit, what it lacks with some, and the question between them in whole sentences."""
        options: dict[str, str] = {}
        instructions: list[Instruction] = []
        lacking: dict[str, MissingPiece] = {}
        for exact, told in zip(unclear.exact, unclear.told, strict=True):
            try:
                meant = self._settled(_with(command, unclear.reference, exact))
            except Unsettled as asked:
                more = asked.answer.options if isinstance(asked.answer, Question) else ()
                options |= dict.fromkeys(more, told)
                continue
            except MissingPiece as missing:
                lacking[told] = missing
                continue
            except (Unclear, EditError):
                continue
            said = self.context.say.instruction(meant, self.context.workspace)
            if said not in options:
                options[said] = told
                instructions.append(meant)
        shown, hints = tuple(options)[:MAX_OPTIONS], tuple(options.values())[:MAX_OPTIONS]
        fitting = {*options.values(), *lacking}
        likely = [each for each in unclear.told if each in fitting or not fitting]
        question = Question(f"Which one do you mean? {', '.join(likely)}", shown, hints=hints)
        return instructions, list(lacking.values()), question

    # Workflows -----------------------------------------------------------------------------------------------------------

    def _view(self, typed: str | None) -> WorkflowView:
        if typed is None:
            return names.focused(self.context.workspace, self.context.sentence)
        return names.find(typed, self.context.workspace)

    def _id(self, typed: str | None) -> str:
        return self._view(typed).definition.id

    def _create(self, new: New) -> Create:
        if new.subject is not None and names.lookup(new.subject, self.context.workspace) is not None:
            raise refuse(
                f'"{new.subject}" is a workflow. To do something when that happens, say: when {new.subject} ...'
            )
        if new.name is not None:
            name = names.checked(new.name, self.context.workspace, quoted=new.quoted)
        else:
            name = names.made_up(self._stem(new), self.context.workspace)
        if not new.steps and new.name is not None and names.is_plainly_said(new.name, self.context.sentence):
            new = replace(new, steps=(Draft(State(name="stop", action=Stop()), named=True),))
        if not new.steps:
            asked = ASK_STEPS if new.name is None else f"What should {names.quoted_name(name)} do?"
            raise MissingPiece(asked, joint=":")
        known = variables_of(new.triggers, self.context.workspace.variables)
        states = linked(new.steps, known, self.context.declarations, self.context.counts(), new.triggers)
        definition = Definition(
            id=names.slug(name, self.context.workspace.has_id),
            name=name,
            initial_state=states[0].name,
            states=states,
            triggers=new.triggers,
        )
        made = Create(definition, named=new.name is not None)
        if new.guessed:
            meant = self.context.say.instruction(made, self.context.workspace)
            raise Unsettled(Question(f"Should it say that? Then it means: {meant}", (meant,)))
        return made

    def _stem(self, new: New) -> str:
        if new.triggers:
            return names.stem_of(new.triggers[0])
        return verb(new.steps[0].state.action, self.context.declarations) if new.steps else "workflow"

    def _new_name(self, name: str, *, quoted: bool) -> str:
        return names.checked(name, self.context.workspace, quoted=quoted)

    def _from_template(self, command: TemplateCommand) -> FromTemplate:
        known = self.context.workspace.templates
        template = next((each for each in known if fold(each) == fold(command.template)), None)
        if template is None:
            near = nearest(command.template, known)
            hint = f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(known)}." if known else ""
            raise refuse(f'There is no template "{command.template}". {hint}', *near)
        if command.name is None:
            return FromTemplate(template, names.made_up(template, self.context.workspace))
        return FromTemplate(template, self._new_name(command.name, quoted=command.quoted))

    def _counter(self, command: CountCommand) -> str | None:
        """The counter that is asked about, as it is called; one that nothing counts may be kept all the same."""
        if command.counter is None:
            return None
        known = named(command.counter, self.context.workspace.names.counters)
        return command.counter if command.quoted or known is None else known

    def _sorted(self, command: SortCommand) -> ListWorkflows | SwitchAll:
        sort = command.sort
        tags = {fold(tag): tag for view in self.context.workspace.workflows.values() for tag in view.definition.tags}
        if sort.tag is not None and fold(sort.tag) not in tags:
            has = f"there are {', '.join(sorted(tags.values())[:8])}" if tags else "no workflow has one yet"
            raise refuse(f'No workflow is tagged "{sort.tag}"; {has}. To tag one: tag raid as {sort.tag}')
        if command.enabled is None:
            return ListWorkflows(sort)
        return SwitchAll(command.enabled, sort)

    def _past(self, typed: str | None, to: int | Past) -> int | Past:
        view = self._view(typed)
        if isinstance(to, int) and not 1 <= to <= view.revision:
            called = names.quoted_name(view.definition.name)
            raise refuse(f"There is no v{to} of {called}; the last one is v{view.revision}.")
        return to

    # Edits ---------------------------------------------------------------------------------------------------------------

    def _change(self, command: Edits) -> Change:
        view = self._view(command.workflow)
        definition = view.definition
        made: list[Edit] = []
        it: str | None = None
        for syntax in command.edits:
            if isinstance(syntax, About):
                it = one_of(syntax.reference, self._within(definition, it)).name
                continue
            edits = edits_of(syntax, self._within(definition, it), self.context)
            for edit in edits:
                definition = apply(definition, edit)
                made.append(edit)
            it = touched(edits, definition) or it
        if not made and it is not None:
            raise _wanted(definition.state(it), self.context)
        if definition == view.definition:
            there = overview(self._within(definition))
            raise refuse(f"{names.quoted_name(definition.name)} is like that already. {there}")
        return Change(view.definition.id, tuple(made))

    def _within(self, definition: Definition, it: str | None = None) -> Within:
        it = it or (self.context.workspace.step if definition.id == self.context.workspace.focus else None)
        return Within(
            definition, names.quoted_name(definition.name), lambda state: self.context.say.step(definition, state), it
        )

    def _together(self, command: Together) -> Instruction:
        """Changes of several workflows; those of one are one version."""
        made: list[Instruction] = []
        workspace = self.context.workspace
        for changes in command.changes:
            made.append(Resolver(replace(self.context, workspace=workspace)).resolve(changes))
            workspace = after(made[-1], workspace)
        return together(made)

    # Everything that is a verb and names ---------------------------------------------------------------------------------

    def _named(self, command: Named) -> Instruction:  # noqa: C901  one line per verb
        first = command.workflows[0] if command.workflows else None
        number = command.extra if isinstance(command.extra, int) else None
        match command.verb:
            case "stop" | "cancel" | "pause" | "resume":
                return self._control(command, first)
            case "delete":
                return self._delete(command)
            case "enable" | "disable":
                named = tuple(SetEnabled(self._id(each), command.verb == "enable") for each in command.workflows[1:])
                switched = SetEnabled(self._id(first), command.verb == "enable")
                return Several((switched, *named)) if named else switched
            case "undo":
                return Undo(self._id(first) if first else None, number or 1)
            case "take back":
                return TakeBack(self._id(first), cast("int", self._past(first, number or 0)))
            case "redo":
                return Redo(self._id(first) if first else None, number or 1)
            case "list":
                return ListWorkflows(Sort(cast("Any", command.extra)))
            case "templates":
                return ListTemplates()
            case "help":
                return Help(cast("str | None", command.extra))
            case "import":
                return Import(str(command.extra or ""))
            case "yes" | "no":
                return Answer(command.verb == "yes")
            case "move runs":
                return self._move_runs(first, number)
            case "vague":
                raise Unsettled(too_vague(self._view(first), self.context.say.step))
            case _:
                return self._query(command, first, number)

    def _dry_run(self, command: DryRunCommand) -> DryRun:
        view = self._view(command.workflow)
        failing = None
        if command.failing is not None:
            failing = one_of(command.failing, self._within(view.definition)).name
        later = tuple(LaterEvent(*each) for each in command.later)
        return DryRun(view.definition.id, command.event, command.arguments, failing, later)

    def _backtest(self, command: BacktestCommand) -> Backtest:
        view = self._view(command.workflow)
        if command.version is not None and not 1 <= command.version <= view.revision:
            called = names.quoted_name(view.definition.name)
            raise refuse(f"There is no v{command.version} of {called}; the last one is v{view.revision}.")
        return Backtest(view.definition.id, command.version, command.seconds)

    def _move_runs(self, typed: str | None, version: int | None) -> MoveRuns:
        view = self._view(typed)
        if version not in (None, view.revision):
            called = names.quoted_name(view.definition.name)
            raise refuse(f"Runs of {called} can be moved to its current version only, which is v{view.revision}.")
        return MoveRuns(view.definition.id)

    def _delete(self, command: Named) -> Delete:
        if not command.everything:
            return Delete(tuple(self._id(name) for name in command.workflows) or (self._id(None),))
        if not self.context.workspace.workflows:
            raise refuse("There are no workflows to delete.")
        return Delete(tuple(view.definition.id for view in self.context.workspace.workflows.values()))

    def _query(self, command: Named, first: str | None, number: int | None) -> Instruction:  # noqa: C901  one line each
        known = self._asked_about(first) if first else None
        match command.verb:
            case "status":
                return Status(known if command.extra != "it" else self._going_on(Status, "Which one?"))
            case "why":
                return Why(known)
            case "starts" | "length" | "rights":
                return Tell(known or self._id(None), cast("Any", command.verb))
            case "agenda":
                return Agenda()
            case "runs":
                return ListRuns(known)
            case "show":
                return Show(known or self._id(None), page=number or 1)
            case "show step":
                shown = self._view(first)
                count = len(shown.definition.states)
                if number is None or not 1 <= number <= count:
                    called = names.quoted_name(shown.definition.name)
                    raise refuse(f"There is no step {number}: {called} has {count}.")
                return Show(shown.definition.id, step=number)
            case "history":
                return History(known or self._id(None))
            case "placeholders":
                return Placeholders(known or self.context.workspace.focus)
            case "share":
                return Export(known or self._id(None), "code")
            case "export":
                return Export(known or self._id(None), cast("Any", command.extra or "text"))
            case other:
                raise AssertionError(other)

    def _asked_about(self, typed: str) -> str:
        """The workflow that a question is about: by name, or by what starts it or is in its steps, if it is just one."""
        workspace = self.context.workspace
        if names.lookup(typed, workspace) is not None or not workspace.workflows:
            return self._id(typed)
        there = [view.definition for view in workspace.workflows.values()]
        found = pointed_at(typed, there, self.context.say.trigger, self._said_in)
        if found is None:
            return self._id(None)
        if not found:
            return self._id(typed)
        if len(found) > 1:
            called = [names.quoted_name(each.name) for each in found[:MAX_OPTIONS]]
            options = tuple(self.context.sentence.replace(typed, each) for each in called)
            raise Unsettled(Question(f"Which one: {', '.join(called)}?", options))
        return found[0].id

    def _said_in(self, definition: Definition) -> str:
        return " ".join(self.context.say.step(definition, state) for state in definition.states)

    def _control(self, command: Named, typed: str | None) -> Control:
        verb = cast('Literal["stop", "cancel", "pause", "resume"]', command.verb)
        if command.everything:
            return Control(verb, None)
        if typed is not None:
            return Control(verb, self._id(typed))
        going_on = self._going_on(lambda id: Control(verb, id), f"Which one should I {verb}?", Control(verb, None))
        if going_on is None and command.extra == "it":
            raise refuse(f'Nothing runs, so there is no "it" to {verb}.')
        return Control(verb, going_on)

    def _going_on(self, meant: Callable[[str], Instruction], asked: str, *more: Instruction) -> str | None:
        """The workflow that runs, where none is named; None if nothing runs and none is in focus."""
        running = [view for view in self.context.workspace.workflows.values() if view.running]
        if len(running) == 1:
            return running[0].definition.id
        if self.context.workspace.focus in {view.definition.id for view in running} or not running:
            return self.context.workspace.focus
        called = [names.quoted_name(view.definition.name) for view in running]
        each = [meant(view.definition.id) for view in running[: MAX_OPTIONS - len(more)]]
        options = tuple(self.context.say.instruction(option, self.context.workspace) for option in (*each, *more))
        raise Unsettled(Question(f"{asked} {', '.join(called)} are running.", options))

    def _waiting(self, typed: str | None, meant: Callable[[str], Instruction]) -> str | None:
        """The workflow whose wait is meant."""
        return self._id(typed) if typed is not None else self._going_on(meant, "In which one?")

    def _resting(self, workflow: str | None, step: Reference | None) -> str | None:
        """The step that is meant, by name; none where the wait is meant that would end first."""
        if step is None:
            return None
        return one_of(step, self._within(self._view(workflow).definition)).name

    def _extend(self, command: ExtendCommand) -> Extend:
        going_on = self._waiting(command.workflow, lambda id: Extend(command.seconds, id))
        return Extend(command.seconds, going_on, self._resting(going_on, command.step))


def _wanted(state: State, context: Context) -> MissingPiece:
    """What to ask of a step that was only complained of."""
    if isinstance(state.action, Wait):
        return MissingPiece("How long should it be?", joint=", make it")
    if text_of(state.action, context.declarations) is not None:
        return MissingPiece("What should it say?", joint=", make it", verbatim=True)
    return MissingPiece("What should it be instead?", joint=", make it")


def _with(value: Any, old: Reference, new: Reference) -> Any:
    """The same syntax with one reference in another's place."""
    if value is old:
        return new
    if isinstance(value, tuple):
        return tuple(_with(each, old, new) for each in value)
    if is_dataclass(value) and not isinstance(value, type) and type(value).__module__ == "grammar.syntax":
        changed = {field.name: _with(getattr(value, field.name), old, new) for field in fields(value)}
        return replace(value, **changed)
    return value
