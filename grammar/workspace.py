"""What a sentence is read against: the workflows there are, the one in focus, and the live names of the stream.

A snapshot, made by the bot for one message. The grammar keeps nothing of it but caches keyed by its contents.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from engine.model import Definition
from grammar.words import fold


@dataclass(frozen=True, slots=True)
class LiveNames:
    """Names that exist on the stream right now. An unknown name is taken too, if it is quoted.

    Attributes:
        counters: Those of the community that its workflows are about.
    """

    scenes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()
    rewards: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """One workflow as a sentence sees it."""

    definition: Definition
    revision: int = 1
    enabled: bool = True
    running: bool = False


@dataclass(frozen=True)
class Workspace:
    """Everything a sentence may refer to.

    Attributes:
        workflows: By id.
        focus: Id of the workflow this person talked about last in this channel; "it" and a bare step mean this one.
        step: Name of the step of it that was talked about last; "it" means this one where a step is meant.
        names: Live names.
        variables: Variables known beside those of events, such as config keys.
        templates: Names of workflows that come with the bot.
        counting: Those of the counters among the live names that only the sentence itself counts.
        platform: Where the sentence was typed; "say" means Twitch chat everywhere unless Discord is named.
    """

    workflows: Mapping[str, WorkflowView] = field(default_factory=dict)
    focus: str | None = None
    names: LiveNames = LiveNames()
    variables: frozenset[str] = frozenset()
    platform: Literal["twitch", "discord"] = "twitch"
    step: str | None = None
    templates: tuple[str, ...] = ()
    counting: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, WorkflowView]:
        """Each workflow by its folded id and name; an id wins over a name, the first over the next."""
        found: dict[str, WorkflowView] = {}
        for view in self.workflows.values():
            found.setdefault(fold(view.definition.id), view)
        for view in self.workflows.values():
            found.setdefault(fold(view.definition.name), view)
        return found

    def has_id(self, folded: str) -> bool:
        """Whether a workflow has this id; ids that differ in case or blanks alone are the same."""
        view = self.by_name.get(folded)
        return view is not None and fold(view.definition.id) == folded
