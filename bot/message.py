"""What people say and what they are told: one shape for the terminal, Twitch and Discord.

A front end turns what it receives into a `Message` and shows each `Reply`; it shares nothing else with the rest. This
module knows no platform library and no workflow.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from engine.execution import Person

Platform: TypeAlias = Literal["twitch", "discord"]
Role: TypeAlias = Literal["broadcaster", "moderator", "vip", "subscriber", "viewer"]
ReplyKind: TypeAlias = Literal["done", "question", "refusal", "answer"]

ROLES: Final[tuple[Role, ...]] = ("broadcaster", "moderator", "vip", "subscriber", "viewer")

# A threaded answer on Twitch begins with the bot's name. The prefix may stand alone: then the text is empty.
_ADDRESSED: Final = re.compile(r"\s*(?:@\S{1,40}\s+)?!(?:workflow|wf)(?:\s+|$)", re.IGNORECASE)
_MENTION: Final = re.compile(r"\s*@\S{1,40}\s+")
_NAME: Final = re.compile(r"[^\s\x00-\x1f\x7f]{1,64}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was said; focus and open questions belong to a person in a place.

    Attributes:
        platform: Its limits, markdown and meaning of "here" are that platform's.
        channel: Name without `#`; empty for the Twitch chat, which has one.
        id: The platform's own id of it, where there is one: names change, and two channels may share one.
        guild: The id of the Discord server it is in.
    """

    platform: Platform = "twitch"
    channel: str = ""
    id: str = ""
    guild: str = ""

    @property
    def takes_files(self) -> bool:
        """Whether an answer there may have a file with it."""
        return bool(self.guild)

    @property
    def key(self) -> str:
        """One word for it, fit to store."""
        return f"{self.platform}:{self.id or self.channel}"


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person typed.

    Attributes:
        id: The platform's own id of it.
        text: As typed, line breaks included.
        author: Who, with the roles held in that place; a viewer without any holds none.
        at: UTC seconds since 1970.
        reply_to: Id of the message it answers, where the platform knows.
    """

    id: str
    text: str
    author: Person
    place: Place
    at: float
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One message back.

    Attributes:
        kind: done = something was changed, started or stopped; question = an answer is waited for; refusal = nothing was
            done; answer = what was asked to be told.
        text: What is shown, already fit for the place it goes to.
        canonical: What was understood, in words the bot itself would accept there; None where there is nothing to repeat.
        workflow: Id of the workflow it is about.
        revision: That workflow's revision after it.
        file: Name and content of a file that goes with it, where the place takes files.
        whole: Name and content of a file that holds all of it, where this shows only a part; each part has it.
    """

    kind: ReplyKind
    text: str
    canonical: str | None = None
    workflow: str | None = None
    revision: int | None = None
    file: tuple[str, str] | None = None
    whole: tuple[str, str] | None = None


def instruction_in(text: str) -> str | None:
    """What follows `!workflow` or `!wf`, byte for byte, or None if the text is not addressed to the bot so."""
    match = _ADDRESSED.match(text)
    return text[match.end() :] if match is not None else None


def without_mention(text: str) -> str:
    """A text without the `@name` that a platform puts before an answer in a thread."""
    match = _MENTION.match(text)
    return text[match.end() :] if match is not None else text


def is_name(text: str) -> bool:
    """Whether a person can be called that: one word, not endless."""
    return _NAME.fullmatch(text) is not None


def roles_of(role: Role) -> tuple[str, ...]:
    """The roles a person holds; everyone may do what a viewer may."""
    return () if role == "viewer" else (role,)


def role_of(person: Person) -> Role:
    """The highest role a person holds."""
    return next((role for role in ROLES if role in person.roles), "viewer")
