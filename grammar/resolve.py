"""From what a sentence says to what it means here: an instruction, or the question or refusal it comes to instead.

References are looked up in the workflow as it is after the edits before them; nothing is chosen that was not said. A
piece that is missing and a reference that fits twice become questions, whose options are whole sentences this bot
accepts. This module reads no words and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, Literal, assert_never, cast

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
    SetVersion,
    SwapSteps,
    apply,
    touched,
)
from engine.errors import EditError
from engine.events import canonical
from engine.model import Action, Definition, Policy, State, Stop, Target, Trigger, Way, all_states
from engine.names import verb
from grammar import headings, names, starts
from grammar.afterwards import after, together
from grammar.altering import altered, had
from grammar.drafts import Draft, MissingPiece, linked, loose, named_in, placeholder, recognise, variables_of
from grammar.instruction import (
    Agenda,
    Answer,
    Backtest,
    Change,
    Control,
    Copy,
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
    Undo,
    Why,
)
from grammar.references import (
    Unclear,
    Unsettled,
    Within,
    all_of,
    both,
    candidates,
    exactly,
    key,
    moved_place,
    names_beside,
    nearest,
    number_of,
    one_of,
    only,
    overview,
    place,
    refuse,
)
from grammar.rules import Rule, ruled
from grammar.say_parts import say_formula
from grammar.syntax import (
    About,
    Add,
    Again,
    Alter,
    BacktestCommand,
    Become,
    Bound,
    By,
    CarryOn,
    Catch,
    Command,
    Contrast,
    CopyCommand,
    Declared,
    DiffCommand,
    Drop,
    DryRunCommand,
    Duration,
    Edits,
    EditSyntax,
    Exchange,
    ExtendCommand,
    Forget,
    Head,
    Hold,
    It,
    Kind,
    Lead,
    Named,
    Nested,
    New,
    OfKind,
    Reference,
    RenameCommand,
    RestoreCommand,
    RetryCommand,
    RunCommand,
    Shift,
    SkipCommand,
    SortCommand,
    Start,
    Substitute,
    SupposeCommand,
    TemplateCommand,
    Together,
    Wish,
    Words,
    Wrap,
)
from grammar.wishes import too_vague
from grammar.words import fold
from grammar.workspace import WorkflowView, Workspace
from grammar.wrapping import wrapped

MAX_OPTIONS: Final = 9
ASK_STEPS: Final = "What should it do?"


@dataclass(frozen=True, slots=True)
class Telling:
    """The words the resolver needs for its questions; handed in, because saying stands above it."""

    instruction: Callable[[Instruction, Workspace], str]
    step: Callable[[Definition, State], str]


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves commands of one message against one workspace."""

    workspace: Workspace
    declarations: Declarations
    say: Telling
    sentence: str

    def resolve(self, command: Command) -> Instruction:
        """What a command means here.

        Raises:
            Unsettled: It has to be asked about or refused.
        """
        try:
            return self._settled(command)
        except Unclear as unclear:
            options, question = self._which(command, unclear)
            if isinstance(unclear.reference, It) and len(options) == 1 and not _is_mere_words(command):
                return options[0]
            raise Unsettled(question) from None
        except MissingPiece as missing:
            raise Unsettled(
                Question(missing.question, gap=missing.gap(self.sentence), verbatim=missing.verbatim)
            ) from None
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
                return Rename(own, names.checked(command.name, self.workspace, quoted=True, own=own))
            case CopyCommand():
                return Copy(self._id(command.workflow), self._new_name(command.name or "", quoted=command.quoted))
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
            case Named():
                return self._named(command)
            case _:
                assert_never(command)

    def _which(self, command: Command, unclear: Unclear) -> tuple[list[Instruction], Question]:
        """What is meant with each of the steps that fit, and the question between them in whole sentences."""
        options: dict[str, str] = {}
        instructions: list[Instruction] = []
        for exact, told in zip(unclear.exact, unclear.told, strict=True):
            try:
                meant = self._settled(_with(command, unclear.reference, exact))
            except (Unclear, Unsettled, MissingPiece, EditError):
                continue
            said = self.say.instruction(meant, self.workspace)
            if said not in options:
                options[said] = told
                instructions.append(meant)
        shown, hints = tuple(options)[:MAX_OPTIONS], tuple(options.values())[:MAX_OPTIONS]
        return instructions, Question(f"Which one do you mean? {', '.join(unclear.told)}", shown, hints=hints)

    # Workflows -----------------------------------------------------------------------------------------------------------

    def _view(self, typed: str | None) -> WorkflowView:
        if typed is None:
            return names.focused(self.workspace, self.sentence)
        return names.find(typed, self.workspace)

    def _id(self, typed: str | None) -> str:
        return self._view(typed).definition.id

    def _create(self, new: New) -> Create:
        if new.name is not None:
            name = names.checked(new.name, self.workspace, quoted=new.quoted)
        else:
            name = names.made_up(self._stem(new), self.workspace)
        if not new.steps and new.name is not None and names.is_plainly_said(new.name, self.sentence):
            new = replace(new, steps=(Draft(State(name="stop", action=Stop()), named=True),))
        if not new.steps:
            asked = ASK_STEPS if new.name is None else f"What should {names.quoted_name(name)} do?"
            raise MissingPiece(asked, joint=":")
        known = variables_of(new.triggers, self.workspace.variables)
        states = linked(new.steps, known, self.declarations)
        definition = Definition(
            id=names.slug(name, self.workspace.has_id),
            name=name,
            initial_state=states[0].name,
            states=states,
            triggers=new.triggers,
        )
        return Create(definition, named=new.name is not None)

    def _stem(self, new: New) -> str:
        if new.triggers:
            return names.stem_of(new.triggers[0])
        return verb(new.steps[0].state.action, self.declarations) if new.steps else "workflow"

    def _new_name(self, name: str, *, quoted: bool) -> str:
        return names.checked(name, self.workspace, quoted=quoted)

    def _from_template(self, command: TemplateCommand) -> FromTemplate:
        known = self.workspace.templates
        template = next((each for each in known if fold(each) == fold(command.template)), None)
        if template is None:
            near = nearest(command.template, known)
            hint = f'Did you mean "{near[0]}"?' if near else f"There are {', '.join(known)}." if known else ""
            raise refuse(f'There is no template "{command.template}". {hint}', *near)
        if command.name is None:
            return FromTemplate(template, names.made_up(template, self.workspace))
        return FromTemplate(template, self._new_name(command.name, quoted=command.quoted))

    def _sorted(self, command: SortCommand) -> ListWorkflows | SwitchAll:
        sort = command.sort
        tags = {fold(tag): tag for view in self.workspace.workflows.values() for tag in view.definition.tags}
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
            edits = self._edits(syntax, self._within(definition, it))
            for edit in edits:
                definition = apply(definition, edit)
                made.append(edit)
            it = touched(edits, definition) or it
        if definition == view.definition:
            raise refuse(f"{names.quoted_name(definition.name)} is like that already.")
        return Change(view.definition.id, tuple(made))

    def _within(self, definition: Definition, it: str | None = None) -> Within:
        it = it or (self.workspace.step if definition.id == self.workspace.focus else None)
        return Within(
            definition, names.quoted_name(definition.name), lambda state: self.say.step(definition, state), it
        )

    def _together(self, command: Together) -> Instruction:
        """Changes of several workflows; those of one are one version."""
        made: list[Instruction] = []
        workspace = self.workspace
        for changes in command.changes:
            made.append(replace(self, workspace=workspace).resolve(changes))
            workspace = after(made[-1], workspace)
        return together(made)

    def _edits(self, syntax: EditSyntax, within: Within) -> tuple[Edit, ...]:  # noqa: C901  one line for each
        definition = within.definition
        match syntax:
            case Add(position=None) if names.is_blank(definition) and syntax.steps:
                only = definition.states[0].name
                return (ReplaceStep(only, self._loose(syntax.steps, definition, without=only)),)
            case Add():
                if (inside := self._beside_nested(syntax, within)) is not None:
                    return (inside,)
                at = place(syntax.position, within)
                return (InsertSteps(at, self._loose(syntax.steps, definition)),)
            case Drop():
                return (self._drop(syntax, within),)
            case Shift():
                return (self._move(syntax, within),)
            case Exchange():
                first, second = both(syntax.both, within)
                return (SwapSteps(first.name, second.name),)
            case Substitute():
                old = one_of(syntax.reference, within)
                return (ReplaceStep(old.name, self._loose(syntax.steps, definition, without=old.name)),)
            case Become():
                return self._become(syntax, within)
            case Contrast():
                return self._contrast(syntax, within)
            case Wrap():
                return wrapped(syntax, within, self.declarations)
            case Wish():
                return self._wish(syntax, within)
            case About():
                raise AssertionError("it is only what the next edit is about")
            case Alter():
                return self._alter(syntax, within)
            case Start():
                return self._start(syntax, definition)
            case Head():
                return (self._head(syntax, within),)
            case Catch():
                return self._catch(syntax, within)
            case Hold():
                return (self._hold(syntax, within),)
            case Forget():
                return (self._forget(syntax, within),)
            case Lead() | Bound() | Again() | CarryOn():
                return tuple(self._option(syntax, state, within) for state in all_of(syntax.reference, within))
            case _:
                assert_never(syntax)

    def _beside_nested(self, syntax: Add, within: Within) -> ReplaceStep | None:
        """Steps before or after one that stands inside another: they take its place together with it."""
        position = syntax.position
        if (
            position is None
            or position.where not in ("before", "after")
            or not isinstance(position.references[0], Nested)
        ):
            return None
        old = one_of(position.references[0], within)
        edges = {event: target for event, target in old.transitions.items() if event != "success"}
        kept = old.model_copy(update={"transitions": edges})
        new = self._loose(syntax.steps, within.definition)
        return ReplaceStep(old.name, (kept, *new) if position.where == "after" else (*new, kept))

    def _loose(self, steps: tuple[Draft, ...], definition: Definition, without: str | None = None) -> tuple[State, ...]:
        if not steps:
            raise MissingPiece(ASK_STEPS)
        return loose(steps, self._known(definition), names_beside(definition, without), self.declarations)

    def _move(self, syntax: Shift, within: Within) -> MoveStep:
        state = one_of(syntax.reference, within)
        number = number_of(within.definition, state.name)
        if number is None:
            raise refuse(f'Step "{state.name}" stands inside another step; I can move only the outer ones.')
        return MoveStep(state.name, moved_place(number, syntax.position, within))

    def _become(self, syntax: Become, within: Within) -> tuple[Edit, ...]:
        state = one_of(syntax.reference, within)
        if len(syntax.steps) > 1:
            return (ReplaceStep(state.name, self._loose(syntax.steps, within.definition, without=state.name)),)
        new = self._in_its_place(syntax.steps, state, within)
        if syntax.before and self._in_its_place(syntax.before, state, within) != state.action:
            raise refuse(f"{within.name} has another step there by now: {within.describe(state)}.")
        return (SetAction(state.name, new),)

    def _in_its_place(self, steps: tuple[Draft, ...], state: State, within: Within) -> Action:
        """What a step does that keeps its name."""
        if not steps:
            raise MissingPiece(ASK_STEPS)
        definition = within.definition
        known = self._known(definition)
        first = replace(steps[0], named=True, state=steps[0].state.model_copy(update={"name": state.name}))
        return loose((first,), known, names_beside(definition, state.name), self.declarations)[0].action

    def _contrast(self, syntax: Contrast, within: Within) -> tuple[Edit, ...]:
        """The step that is like the new ones but for the old value does that now; a step that is named as old goes."""
        new = self._loose(syntax.steps, within.definition)
        like = OfKind(Kind("step like that", frozenset({key(new[0].action)})))
        if syntax.old is None:
            return self._instead(one_of(like, within), syntax.steps, within)
        if not isinstance(syntax.old, Duration | By | Words):
            return self._instead(one_of(syntax.old, within), syntax.steps, within)
        same = had(self._of_kind(like, within), syntax.old, new[0].action)
        found = same or had(tuple(all_states(within.definition.states)), syntax.old, new[0].action)
        if not found:
            raise refuse(f"{within.name} has no step with that. {overview(within)}")
        return self._instead(only(found, like, within), syntax.steps, within)

    @staticmethod
    def _of_kind(kind: OfKind, within: Within) -> tuple[State, ...]:
        return tuple(state for state in all_states(within.definition.states) if key(state.action) in kind.kind.keys)

    def _instead(self, state: State, steps: tuple[Draft, ...], within: Within) -> tuple[Edit, ...]:
        return self._become(Become(exactly(state, within.definition), steps), within)

    def _drop(self, syntax: Drop, within: Within) -> RemoveSteps:
        going = all_of(syntax.reference, within)
        kept = {state.name for state in all_of(syntax.keep, within)} if syntax.keep is not None else set()
        if kept & {state.name for state in going}:
            raise refuse(f"It cannot both go and stay. {overview(within)}")
        return RemoveSteps(tuple(state.name for state in going))

    def _wish(self, syntax: Wish, within: Within) -> tuple[Edit, ...]:
        """One more step, unless there is one like it: then it is asked which is meant."""
        made = self._edits(Add(syntax.steps), within)
        like = OfKind(Kind("step like that", frozenset({key(syntax.steps[0].state.action)})))
        same = self._of_kind(like, within)
        if not same:
            return made
        ways = [self._instead(state, syntax.steps, within) for state in same[: MAX_OPTIONS - 1]]
        meant = [Change(within.definition.id, edits) for edits in (*ways, made)]
        options = tuple(self.say.instruction(each, self.workspace) for each in meant)
        raise Unsettled(
            Question(f"Instead of what it does now, or as one more step? {', or: '.join(options)}", options)
        )

    def _sure_of_it(self, syntax: Alter, edits: tuple[Edit, ...], within: Within) -> tuple[Edit, ...]:
        """`it should be named x` may be about the workflow: where no step was talked about, words alone are asked about."""
        loose_words = (
            isinstance(syntax.value, Words) and syntax.value.type in ("text", "number") and not syntax.value.quoted
        )
        if not isinstance(syntax.reference, It) or within.it is not None or not loose_words:
            return edits
        said = self.say.instruction(Change(within.definition.id, edits), self.workspace)
        raise Unsettled(Question(f"Do you mean a step? Then it means: {said}", (said,)))

    def _alter(self, syntax: Alter, within: Within) -> tuple[Edit, ...]:
        """Steps with another value; words that sound like a wish and no text are asked about first."""
        definition = within.definition
        made = tuple(
            SetAction(state.name, self._altered(state, syntax, definition)) for state in self._meant(syntax, within)
        )
        said = syntax.value
        if isinstance(said, Words) and not said.quoted and said.type == "text" and _is_like_a_wish(said.text):
            meant = self.say.instruction(Change(definition.id, made), self.workspace)
            raise Unsettled(Question(f'Is "{said.text}" what it should say? Then it means: {meant}', (meant,)))
        return self._sure_of_it(syntax, made, within)

    def _altered(self, state: State, syntax: Alter, definition: Definition) -> Action:
        value = syntax.value
        if isinstance(value, Words):
            value = replace(value, text=recognise(value.text, self._known(definition)))
        return altered(state, replace(syntax, value=value), self.workspace, self.declarations)

    def _known(self, definition: Definition) -> frozenset[str]:
        """The variables that a text here may mean without `$`, those of its other texts too."""
        named = {*definition.variables, *self.workspace.variables, *named_in(definition.states)}
        return variables_of(definition.triggers, named)

    def _meant(self, syntax: Alter, within: Within) -> tuple[State, ...]:
        """The steps that are to be altered; where an old value was said, only one that has it."""
        if syntax.old is None:
            return all_of(syntax.reference, within)
        fitting = candidates(syntax.reference, within)
        if isinstance(syntax.old, Duration | By | Words):
            found = had(fitting, syntax.old, None)
        else:
            others = {state.name for state in all_of(syntax.old, within)}
            found = tuple(state for state in fitting if state.name in others)
        if not found:
            shown = f"Step {number_of(within.definition, fitting[0].name)} is" if len(fitting) == 1 else "No step is"
            raise refuse(f"{shown} not like that in {within.name}. {overview(within)}")
        return (only(found, syntax.reference, within),)

    def _start(self, syntax: Start, definition: Definition) -> tuple[Edit, ...]:
        match syntax.mode:
            case "only":
                return (SetTriggers(syntax.triggers),)
            case "add":
                return tuple(AddTrigger(trigger) for trigger in syntax.triggers)
            case "remove":
                return tuple(RemoveTrigger(self._own(trigger, definition)) for trigger in syntax.triggers)
            case _:
                assert_never(syntax.mode)

    def _hold(self, syntax: Hold, within: Within) -> Edit:
        """The triggers that are there, under a condition, or without any."""
        triggers = within.definition.triggers
        if not triggers:
            raise self._by_hand(syntax, within)
        if syntax.days is not None:
            changed = starts.on_days(triggers, syntax.days, only=syntax.only)
            if changed is None:
                raise refuse(f"Then {within.name} would never start. To switch it off: disable {within.name}")
            return SetTriggers(changed)
        if syntax.condition is None:
            return SetTriggers(starts.without_conditions(triggers))
        return SetTriggers(starts.with_condition(triggers, syntax.condition))

    def _by_hand(self, syntax: Hold, within: Within) -> Unsettled:
        """Nothing starts it by itself, so that it can only be checked first."""
        if syntax.condition is None:
            return refuse(f"{within.name} starts only by hand. Say when it starts: in {within.name} also when ...")
        first = f"in {within.name} add as step 1 unless {say_formula(syntax.condition)} stop"
        return Unsettled(
            Question(f"{within.name} starts only by hand. Should it check that first? Then it means: {first}", (first,))
        )

    def _forget(self, syntax: Forget, within: Within) -> Edit:
        triggers = within.definition.triggers
        fitting = [each for each in triggers if syntax.event is None or canonical(each.on) == syntax.event]
        if not fitting:
            raise refuse(f"Nothing like that starts {within.name}. To see what does: show {within.name}")
        if len(fitting) == 1:
            return RemoveTrigger(fitting[0])
        if syntax.everything:
            return SetTriggers(())
        made = [Change(within.definition.id, (RemoveTrigger(each),)) for each in fitting]
        options = tuple(self.say.instruction(each, self.workspace) for each in made[:MAX_OPTIONS])
        raise Unsettled(Question(f"{len(fitting)} things start {within.name}. Which one should not any more?", options))

    def _own(self, trigger: Trigger, definition: Definition) -> Trigger:
        """The workflow's trigger that is meant: that very one, or the only one on that event."""
        if trigger in definition.triggers:
            return trigger
        same = [own for own in definition.triggers if own.on == trigger.on]
        if len(same) == 1 and trigger.when is None:
            return same[0]
        return trigger

    def _head(self, syntax: Head, within: Within) -> Edit:  # noqa: C901  one line each
        value: Any = syntax.value
        definition = within.definition
        match syntax.what:
            case "name":
                return SetName(names.checked(value, self.workspace, quoted=True, own=definition.id))
            case "description":
                return SetDescription(value)
            case "version":
                return SetVersion(value)
            case "tags":
                return SetTags(value)
            case "tag":
                return SetTags((*definition.tags, *(tag for tag in value if tag not in definition.tags)))
            case "untag":
                return SetTags(headings.untagged(definition, value, within.name))
            case "policy":
                return SetPolicy(cast("Policy", value))
            case "rule":
                return SetPolicy(self._ruled(within, cast("Rule", value)))
            case "variable":
                return self._variable(cast("Declared", value), within)
            case "on_error":
                return SetOnError(None if value is None else one_of(cast("Reference", value), within).name)
            case "timeout":
                return SetTimeout(value)
            case "rounds":
                return SetMaxRounds(value)
            case "start":
                return SetStart(one_of(cast("Reference", value), within).name)
            case _:
                assert_never(syntax.what)

    def _variable(self, said: Declared, within: Within) -> Edit:
        edit = headings.variable(said, within.definition)
        if said.needed and not headings.is_used(said.name, within.definition):
            meant = self.say.instruction(Change(within.definition.id, (edit,)), self.workspace)
            raise Unsettled(Question(f'Is "{said.name}" what a run must be given? Then it means: {meant}', (meant,)))
        return edit

    def _catch(self, syntax: Catch, within: Within) -> tuple[Edit, ...]:
        """Steps that are done when something fails, or the jump that does it."""
        definition = within.definition
        state = self._caught(syntax, within)
        following = None if state is None else state.transitions.get("success")
        steps = syntax.steps
        if state is not None and following is None and syntax.goes_on is False:
            # After the last step nothing follows either way; that it ends there was said and stays.
            steps = (*steps, Draft(State(name=placeholder("stop"), action=Stop())))
        states = self._loose(steps, definition)
        if syntax.goes_on and state is None:
            raise refuse(
                'Only what a single step leads to can go on after it, such as: if step 1 fails say "oops" and carry on'
            )
        if following is None or syntax.new or syntax.goes_on is False:
            return (Handle(states, None if state is None else state.name, syntax.event),)
        going_on = Handle(headings.leading_on(states, following), state.name if state else None, syntax.event)
        if syntax.goes_on:
            return (going_on,)
        return self._stops_or_goes_on(Handle(states, going_on.step, syntax.event), going_on, within)

    def _caught(self, syntax: Catch, within: Within) -> State | None:
        """The step whose failure is meant; None for that of any.

        "If it fails" is said of the step of this message, else of the workflow; of a step that was talked about before it
        may be said just as well.
        """
        if syntax.reference is None:
            return None
        if not isinstance(syntax.reference, It) or len(within.definition.states) == 1:
            return one_of(syntax.reference, within)
        if within.it is None:
            return None
        step = one_of(syntax.reference, within)
        if within.it != self.workspace.step:
            return step
        number = number_of(within.definition, step.name)
        if number is None:
            return step
        rest = self.sentence.partition(" fails ")[2] or 'say "oops"'
        options = (f"in {within.name} if step {number} fails {rest}", f"in {within.name} if anything fails {rest}")
        raise Unsettled(Question(f"If step {number} fails, or any step of {within.name}?", options))

    def _stops_or_goes_on(self, stops: Handle, goes_on: Handle, within: Within) -> tuple[Edit, ...]:
        """What follows what is done about a failed step was not said, and both are likely."""
        meant = [Change(within.definition.id, (edit,)) for edit in (stops, goes_on)]
        options = tuple(self.say.instruction(each, self.workspace) for each in meant)
        raise Unsettled(Question("Should it stop after that, or carry on with the next step?", options))

    def _ruled(self, within: Within, rule: Rule) -> Policy:
        """The policy after a rule; whose right is to go must have been named as having it."""
        policy = ruled(within.definition.policy, rule)
        if policy is not None:
            return policy
        raise refuse(f"{within.name} does not name them as those who may. Say who may, such as: only mods can run it")

    def _option(self, syntax: Lead | Bound | Again | CarryOn, state: State, within: Within) -> Edit:
        match syntax:
            case Lead():
                return SetTransition(state.name, syntax.event, _target(syntax, within))
            case Bound():
                return SetStepTimeout(state.name, syntax.seconds)
            case Again():
                return SetRetry(state.name, syntax.retry)
            case CarryOn():
                return SetCritical(state.name, syntax.critical)
            case _:
                assert_never(syntax)

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
                raise Unsettled(too_vague(self._view(first), self.say.step))
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
        if not self.workspace.workflows:
            raise refuse("There are no workflows to delete.")
        return Delete(tuple(view.definition.id for view in self.workspace.workflows.values()))

    def _query(self, command: Named, first: str | None, number: int | None) -> Instruction:
        known = self._id(first) if first else None
        match command.verb:
            case "status":
                return Status(known if command.extra != "it" else self._going_on(Status, "Which one?"))
            case "why":
                return Why(known)
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
                return Placeholders(known or self.workspace.focus)
            case "export":
                return Export(known or self._id(None), cast("Any", command.extra or "text"))
            case other:
                raise AssertionError(other)

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
        running = [view for view in self.workspace.workflows.values() if view.running]
        if len(running) == 1:
            return running[0].definition.id
        if self.workspace.focus in {view.definition.id for view in running} or not running:
            return self.workspace.focus
        called = [names.quoted_name(view.definition.name) for view in running]
        each = [meant(view.definition.id) for view in running[: MAX_OPTIONS - len(more)]]
        options = tuple(self.say.instruction(option, self.workspace) for option in (*each, *more))
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


def _is_mere_words(command: Command) -> bool:
    """Whether a step is to say what was typed without quotes: `that has to be false` is likelier talk."""
    values = [edit.value for edit in command.edits if isinstance(edit, Alter)] if isinstance(command, Edits) else []
    return any(isinstance(value, Words) and value.type in ("text", "number") and not value.quoted for value in values)


_WISHES: Final = frozenset(
    {"only", "no", "not", "never", "always", "start", "run", "stop", "work", "begin", "happen", "come", "go", "end"}
)


def _is_like_a_wish(text: str) -> bool:
    """Whether words after "should" are rather about what happens than a text: `it should only work while live`."""
    first = text.split(maxsplit=1)[:1]
    return bool(first) and first[0].casefold() in _WISHES


def _target(lead: Lead, within: Within) -> Target | None:
    if not lead.ways:
        return None
    if len(lead.ways) == 1 and lead.ways[0][0] is None:
        return one_of(lead.ways[0][1], within).name
    return tuple(Way(when=guard, to=one_of(to, within).name) for guard, to in lead.ways)


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
