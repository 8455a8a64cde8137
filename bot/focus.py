"""What each person talked about and did last in each place: a workflow, perhaps one step of it, and in which words. Stored, so a restart forgets nothing."""

from collections.abc import Iterator, Mapping
from typing import Final

from bot.message import Message
from bot.open_questions import asker_of
from engine.ports import ConfigRecord

_WORKFLOW: Final = "focus."
_STEP: Final = "focus_step."
_DEED: Final = "last_deed."


class Focus:
    """What "it" is, of one community."""

    def __init__(self, community: str) -> None:
        self._community = community
        self._workflows: dict[str, str] = {}
        self._steps: dict[str, str] = {}
        self._deeds: dict[str, str] = {}

    def load(self, settings: Mapping[str, ConfigRecord]) -> None:
        """Take up what was stored."""
        self._workflows = _kept(settings, _WORKFLOW)
        self._steps = _kept(settings, _STEP)
        self._deeds = _kept(settings, _DEED)

    def key(self, message: Message) -> str:
        """One word for a person in a place."""
        return f"{message.place.key}.{asker_of(message.author)}"

    def workflow(self, message: Message) -> str | None:
        """Id of the workflow this person talked about last there."""
        return self._workflows.get(self.key(message)) or None

    def step(self, message: Message) -> str | None:
        """Name of the step of it, if it was about one."""
        return self._steps.get(self.key(message)) or None

    def deed(self, message: Message) -> str:
        """What this person did last there, in canonical words; nothing if they have done nothing yet."""
        return self._deeds.get(self.key(message), "")

    def remember(self, message: Message, deed: str) -> Iterator[ConfigRecord]:
        """Remember what they did now; what has to be stored of it."""
        key = self.key(message)
        if self._deeds.get(key) != deed:
            self._deeds[key] = deed
            yield ConfigRecord(self._community, f"{_DEED}{key}", deed)

    def record(self, message: Message, workflow: str) -> ConfigRecord | None:
        """What stores that they talk about this workflow, if that is not stored yet."""
        key = self.key(message)
        if self._workflows.get(key) == workflow:
            return None
        return ConfigRecord(self._community, f"{_WORKFLOW}{key}", workflow)

    def turn_to(self, message: Message, workflow: str | None, step: str | None) -> Iterator[ConfigRecord]:
        """Remember what they talk about now; what has to be stored of it."""
        key = self.key(message)
        if workflow is not None and self._workflows.get(key) != workflow:
            self._workflows[key] = workflow
            yield ConfigRecord(self._community, f"{_WORKFLOW}{key}", workflow)
        if workflow is not None and self._steps.get(key, "") != (step or ""):
            self._steps[key] = step or ""
            yield ConfigRecord(self._community, f"{_STEP}{key}", step or "")


def _kept(settings: Mapping[str, ConfigRecord], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): str(record.value) for key, record in settings.items() if key.startswith(prefix)}
