"""What a sentence says, before anyone has looked what there is: references, places, values and commands as typed.

`grammar.build_instructions` makes these from a parse; `grammar.resolve` turns them into an instruction against a
workspace. Nothing here knows a workflow, and no name in here is known to exist.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import JsonValue

from engine.formulas import Formula
from engine.model import Policy, Retry, Role, Trigger
from grammar.drafts import Draft
from grammar.instruction import Past, Sort
from grammar.rules import Rule

# Which step ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Numbered:
    """`step 2`."""

    number: int


@dataclass(frozen=True, slots=True)
class Nested:
    """`step 3.1`: the first of the steps inside step 3, counted through all its blocks."""

    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """`the wait`, `the discord post`: steps that do one of these deeds.

    Attributes:
        words: As typed, for questions and refusals.
        keys: Action kinds (`wait`) and methods (`twitch.send_chat_message`); empty = any step.
        wider: What it is a word for as well, where no step does one of those: an announcement is a message, too.
        plural: Whether all of them are meant: `the waits`.
    """

    words: str
    keys: frozenset[str] = frozenset()
    wider: frozenset[str] = frozenset()
    plural: bool = False


@dataclass(frozen=True, slots=True)
class OfKind:
    """`the wait`, `the second wait` (2), `the last step` (-1), `all the waits` (every), `the 10 second wait`, `the longer wait`.

    Where `it` is set, that one of them is meant that was talked about last, if one was: `say it 3 times`.
    """

    kind: Kind
    ordinal: int | None = None
    every: bool = False
    seconds: float | None = None
    content: str | None = None
    extreme: Literal["longest", "shortest"] | None = None
    it: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """`step "handle_error"`, or a bare name of a step."""

    name: str


@dataclass(frozen=True, slots=True)
class Saying:
    """`the line that says ok back`."""

    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """`steps 4 to 6`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Several:
    """`steps 2, 4`, `the wait and the scene`."""

    parts: tuple["Reference", ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """`everything after the wait`, `everything from step 3 on`, `everything but the waits`: outermost steps."""

    where: Literal["after", "before", "from", "between", "but"]
    references: tuple["Reference", ...]


@dataclass(frozen=True, slots=True)
class Near:
    """`the wait after the hype scene`: of the steps that are meant the one right there."""

    reference: "Reference"
    where: Literal["before", "after"]
    other: "Reference"


@dataclass(frozen=True, slots=True)
class It:
    """`it`, `that step`."""


Reference: TypeAlias = Numbered | Nested | OfKind | Called | Saying | Span | Several | Rest | Near | It


@dataclass(frozen=True, slots=True)
class Position:
    """Where a step goes: before or after one, between two, at an end, under a number, or one place up or down."""

    where: Literal["before", "after", "between", "start", "end", "number", "up", "down"]
    references: tuple[Reference, ...] = ()
    number: int | None = None


# What a step is changed to -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duration:
    """`20 seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class By:
    """`10 seconds longer` (seconds), `double` (factor 2), `half as long` (factor 0.5), `longer` (neither)."""

    seconds: float | None = None
    factor: float | None = None
    direction: Literal["longer", "shorter"] = "longer"


@dataclass(frozen=True, slots=True)
class Words:
    """A text, a name or a number, as typed; `quoted` if in quotes.

    Attributes:
        type: What it was recognised as: a live scene, a channel, or just a text.
        number: What a number comes to, however it is written.
        unit: What it counts, if that was said: the event's own measure (`1000 bits`).
    """

    text: str
    quoted: bool = False
    type: Literal["text", "number", "scene", "source", "sound", "reward", "role", "channel", "service", "user"] = "text"
    number: float | None = None
    unit: str | None = None


Value: TypeAlias = Duration | By | Words


# Edits -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Add:
    """Put steps in; at the end if nothing says where."""

    steps: tuple[Draft, ...]
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Take steps out.

    Attributes:
        reference: Those that go.
        keep: What was said to stay, as a check; a place among those of the same kind, or steps.
        rest: Whether that was said to be all that stays.
    """

    reference: Reference
    keep: "Reference | None" = None
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Shift:
    """Move a step."""

    reference: Reference
    position: Position


@dataclass(frozen=True, slots=True)
class Exchange:
    """Let two steps change places."""

    both: Reference


@dataclass(frozen=True, slots=True)
class Trade:
    """`swap hype and gameplay`: what two steps show changes places; if only one is shown, the other may be meant instead."""

    first: Words
    second: Words


@dataclass(frozen=True, slots=True)
class Order:
    """`first the scene, then the welcome`."""

    first: Reference
    second: Reference


@dataclass(frozen=True, slots=True)
class Substitute:
    """Put steps in the place of one, or of several.

    Attributes:
        reference: Those that go.
        steps: What comes.
        changes: Whether one step of the same sort only changes what is done there: `instead of "hi" say "yo"`.
    """

    reference: Reference
    steps: tuple[Draft, ...]
    changes: bool = False


@dataclass(frozen=True, slots=True)
class Become:
    """`step 2 wait 10 seconds -> wait 30 seconds`: the same step does something else than before.

    Attributes:
        reference: The step.
        steps: What it does then.
        before: What it does now, if that was said as a step.
        old: What it has now, if that was said: `step 2 should wait 20 seconds, not 30`.
        is_open: Whether it may as well be one more step: `last step: say bye`.
    """

    reference: Reference
    steps: tuple[Draft, ...]
    before: tuple[Draft, ...] = ()
    old: Value | Reference | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Contrast:
    """`switch to BRB instead of ending`: the step that does it with the old value does it with the new one.

    The old one may also be a step that goes (`instead of the wait`), or not be told (`wait 20 seconds instead`).
    """

    steps: tuple[Draft, ...]
    old: Value | Reference | None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """`raid should wait a minute`: one step more, or what a step like that does instead."""

    steps: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class About:
    """`the wait is too long, ...`: what the next edit calls it; or the value it changes, `500 is too low, ...`."""

    reference: Reference
    old: Value | None = None


@dataclass(frozen=True, slots=True)
class Wrap:
    """`only do step 2 if viewers > 50`, `repeat steps 2 to 4 three times`, `do steps 2 and 3 at the same time`.

    Attributes:
        reference: The steps that go into a block, as they are.
        when: The condition of the block, if it is a choice.
        times: How often, if it is a loop.
        holds: While what holds, if it is a loop.
        beside: Whether each step is a branch.
    """

    reference: Reference
    when: Formula | None = None
    times: int | str | None = None
    holds: Formula | None = None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Alter:
    """`change the wait to 20 seconds`, `step 1 should say hi`.

    Attributes:
        reference: The step.
        value: What one of its values becomes.
        param: Which one, if that was said.
        old: What it was before, if that was said; only a step with that value is meant.
        part: The words of its text that are replaced, if it is not all of it.
        listed: Whether it comes to what is listed there, or goes from it.
        direction: Whether the value must come to more or less than before, if that was said: `shorten the wait to 5s`.
    """

    reference: Reference
    value: Value
    param: str | None = None
    old: Value | Reference | None = None
    part: str | None = None
    listed: Literal["more", "less"] | None = None
    direction: Literal["longer", "shorter"] | None = None


@dataclass(frozen=True, slots=True)
class Liken:
    """`make the first wait as long as the second`."""

    reference: Reference
    other: Reference


@dataclass(frozen=True, slots=True)
class Retell:
    """`announce it instead`, `post the first message in #clips too`: the text of a step said in another way.

    Attributes:
        reference: The step that says it now.
        deed: What says it then, if that was said.
        place: The channel it goes to then, or the service.
        mode: In the place of the step, or after it as well; None if that was not said.
        old: How it was said before, if that was said.
        title: What stands above the text then, if that was said.
    """

    reference: Reference
    deed: Kind | None = None
    place: Words | None = None
    mode: Literal["instead", "too"] | None = "instead"
    old: Value | Reference | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a step leads on an event; no ways = nowhere."""

    reference: Reference
    event: str
    ways: tuple[tuple[Formula | None, Reference], ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """`step 2 time limit 10 seconds`; None lifts it."""

    reference: Reference
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Again:
    """`step 2 retry 3 times`; None = not."""

    reference: Reference
    retry: Retry | None


@dataclass(frozen=True, slots=True)
class CarryOn:
    """`step 2 carry on if it fails`, or not."""

    reference: Reference
    critical: bool


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a workflow: these too, only these, these no longer, or at times that were said without a word for which.

    Attributes:
        limits: Whether the words could as well limit how often others start it: `raid once an hour`.
        once: Whether they could as well mean one run: `raid at 20:00`.
        factor: How many times as long it is from one to the next as now, if it is `scaled`: `twice as often` is a half.
        old: What was complained of before, if anything was: `20 is too often, make it every 45 minutes`.
        before: What it is in the place of, if that was said, where it is an `other` command, reward or emoji.
        instead: Whether it was said to be in the place of something.
    """

    mode: Literal["add", "only", "remove", "timed", "scaled", "other"]
    triggers: tuple[Trigger, ...] = ()
    limits: bool = False
    once: bool = False
    factor: float = 1.0
    old: Value | None = None
    before: Trigger | None = None
    instead: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """What has to hold for a workflow to start: `only when viewers >= 5`, `not on sundays`.

    Attributes:
        condition: None = no condition any more.
        days: Weekdays, Sunday 0, if it is about those.
        only: Whether it is on those days only, or on all others.
        lines: How many chat lines there have to be before a clock starts it again, if it is about those.
    """

    condition: Formula | None = None
    days: frozenset[int] | None = None
    only: bool = False
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Retime:
    """`make it 5pm`, `game night is on saturdays now, 9pm`: another time of day or other days of a schedule that is there.

    Attributes:
        minutes: After midnight, if a time was said.
        half_open: Whether the half of the day was not said, so that the time that is there tells it.
        weekdays: As cron says them, if days were said.
        about: The step by which the workflow is meant, if it was named so.
        before: The weekdays as they are, if that was said.
        was: The time as it is, if that was said; the half of the day does not matter.
    """

    minutes: int | None = None
    half_open: bool = False
    weekdays: str | None = None
    about: Reference | None = None
    before: str | None = None
    was: float | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """`subs are fine too`: people for whom a rule or a condition that is there shall make no difference."""

    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class MoreDays:
    """`and saturdays`: the days of a schedule that is there, and these."""

    days: frozenset[int]


@dataclass(frozen=True, slots=True)
class Forget:
    """What no longer starts a workflow, by the name of its event; None = the only one there is, or all of them."""

    event: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """What is said of a variable.

    Attributes:
        whole: Whether it is all that is declared of it, or comes to what is there.
        needed: Whether it was only said that it is needed, by a name that may be none: `it needs a hug`.
        gone: Whether it is declared no longer.
    """

    name: str
    fields: dict[str, JsonValue] = field(default_factory=dict)
    whole: bool = True
    needed: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """A line of the heading: name, description, tags, policy, variable, on_error, time limit."""

    what: Literal[
        "name",
        "description",
        "version",
        "tags",
        "tag",
        "untag",
        "policy",
        "rule",
        "variable",
        "on_error",
        "timeout",
        "rounds",
        "start",
    ]
    value: "str | tuple[str, ...] | Policy | Rule | Declared | Reference | float | None"


@dataclass(frozen=True, slots=True)
class Catch:
    """What is done when a step fails, or any.

    Attributes:
        steps: What is done; at least one.
        reference: Which step; None = any that says nothing itself.
        event: On what else than a failure.
        goes_on: Whether it then goes on where it would have gone, as far as that was said.
        new: Whether these very steps are meant, as the bot says them.
    """

    steps: tuple[Draft, ...]
    reference: Reference | None = None
    event: str = "error"
    goes_on: bool | None = None
    new: bool = False


EditSyntax: TypeAlias = (
    Add
    | Drop
    | Shift
    | Exchange
    | Trade
    | Order
    | Substitute
    | Become
    | Contrast
    | Wrap
    | Wish
    | About
    | Alter
    | Liken
    | Retell
    | Lead
    | Bound
    | Again
    | CarryOn
    | Start
    | Head
    | Catch
    | Hold
    | Forget
    | MoreDays
    | Retime
    | Welcome
)


# Commands ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edits:
    """Changes to one workflow; that in focus if none is named."""

    edits: tuple[EditSyntax, ...]
    workflow: str | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """Changes to several workflows in one message."""

    changes: tuple[Edits, ...]


@dataclass(frozen=True, slots=True)
class New:
    """Make a workflow.

    Attributes:
        guessed: Whether its step is taken for a text that nobody said was one, so that it has to be asked about.
        subject: What was said to have to do it, which may be a workflow: `raid should wait a minute`.
    """

    name: str | None
    triggers: tuple[Trigger, ...] = ()
    steps: tuple[Draft, ...] = ()
    quoted: bool = False
    guessed: bool = False
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A verb and workflows: `delete`, `enable`, `stop`, `show` ...

    Attributes:
        verb: What is to be done.
        workflows: As typed.
        extra: A number, format, topic or filter.
        everything: Whether all are meant.
    """

    verb: str
    workflows: tuple[str, ...] = ()
    extra: str | int | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class RunCommand:
    """`run raid with raid_target=foo`, `run raid in 20 minutes`, `run raid at 19:00`."""

    workflow: str | None
    arguments: dict[str, JsonValue] = field(default_factory=dict)
    after: float | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class SkipCommand:
    """`skip the wait in raid`, `skip step 3 of raid`."""

    workflow: str | None
    step: Reference | None = None


@dataclass(frozen=True, slots=True)
class ExtendCommand:
    """`extend the running wait of raid by 30 seconds`; less than nothing shortens it."""

    workflow: str | None
    seconds: float
    step: Reference | None = None


@dataclass(frozen=True, slots=True)
class RetryCommand:
    """`retry raid with x=1`."""

    workflow: str | None
    arguments: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DryRunCommand:
    """`test raid when a raid comes in with viewers=50 if step 2 fails`.

    Attributes:
        later: Each as seconds, event and fields.
    """

    workflow: str | None
    event: str | None = None
    arguments: dict[str, JsonValue] = field(default_factory=dict)
    failing: Reference | None = None
    later: tuple[tuple[float, str, dict[str, JsonValue]], ...] = ()


@dataclass(frozen=True, slots=True)
class CopyCommand:
    """`copy raid as outro`, `copy it to !outro`."""

    workflow: str | None
    name: str | None
    quoted: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class CountCommand:
    """`how many deaths`, `counters`."""

    counter: str | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class CounterWish:
    """`set up a death counter`, `i want to count follows` (event), `make a counter` (nothing said)."""

    counter: str | None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateCommand:
    """`create welcome from template raid`."""

    template: str
    name: str | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class SortCommand:
    """`list timers`, `turn on all redeems`; what is wanted of them: a list, or on, or off."""

    sort: Sort
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class RestoreCommand:
    """`put raid back to how it was yesterday`."""

    workflow: str | None
    to: int | Past


@dataclass(frozen=True, slots=True)
class DiffCommand:
    """`diff raid since yesterday`, `compare raid v1 with v3`."""

    workflow: str | None
    since: int | Past | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class SupposeCommand:
    """`what would happen if someone gifts 10 subs`."""

    event: str
    arguments: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BacktestCommand:
    """`backtest raid v3 over 1 day`."""

    workflow: str | None
    version: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RenameCommand:
    """`rename raid to "outro raid"`."""

    workflow: str | None
    name: str


Command: TypeAlias = (
    Edits
    | Together
    | New
    | Named
    | RunCommand
    | DryRunCommand
    | BacktestCommand
    | SkipCommand
    | ExtendCommand
    | RetryCommand
    | RenameCommand
    | CopyCommand
    | TemplateCommand
    | CountCommand
    | CounterWish
    | SortCommand
    | RestoreCommand
    | DiffCommand
    | SupposeCommand
)
