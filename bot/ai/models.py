"""Which models there are, what is known of each, and which of them are asked: from settings to frozen values. Pure.

A model is what its settings say: where its server is, how that calls it, the name of its key, and what it is good for. It is
asked for by what is needed; of those that fit the first is asked, and the next one if that does not answer.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from bot.ai.budget import USUAL, Limits
from bot.config import Settings
from engine.secrets import Secret

MOST: Final = 5
"""So many models are asked at most for one answer."""
LONGEST_ANSWER: Final = 450
"""Characters that fit into one chat message with a few words around them."""
_UNDER: Final = "ai.model."
_KNOWN: Final = frozenset({"url", "name", "key", "properties", "window"})
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,39}")
EXAMPLE: Final = "/config ai.model.local.url http://127.0.0.1:11434/v1 and /config ai.model.local.name llama3.2"


class NotUsable(Exception):
    """There is no model for it; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked.

    Attributes:
        name: As in settings.
        url: The base address of its server, in the way of OpenAI.
        called: How that server calls it.
        key: Shows who asks; None if the server wants none.
        properties: What it is good for, in the broadcaster's words.
        window: Tokens that question and answer may have together; 0 = as many as are asked for.
    """

    name: str
    url: str
    called: str
    key: Secret | None = None
    properties: frozenset[str] = frozenset()
    window: int = 0

    @property
    def described(self) -> str:
        """`local (fast, german)`."""
        return f"{self.name} ({', '.join(sorted(self.properties))})" if self.properties else self.name


@dataclass(frozen=True, slots=True)
class Options:
    """What is set for asking models.

    Attributes:
        models: In the order in which they are asked.
        within: Seconds a model may take.
        longest: Characters an answer may have.
        limits: What a day of the community may cost.
        blocked: Words and phrases that no answer may have.
        links: Whether answers may have web addresses in them.
        rewords: Whether a model is asked what somebody meant whom the bot did not understand.
    """

    models: tuple[Model, ...] = ()
    within: float = 15.0
    longest: int = LONGEST_ANSWER
    limits: Limits = USUAL
    blocked: tuple[str, ...] = ()
    links: bool = False
    rewords: bool = False


def options_of(settings: Settings) -> Options:
    """What settings say; what does not fit counts as not set.

    Raises:
        NotUsable: A model is set in a way in which it cannot be asked.
    """
    usual, values = Options(), settings.values
    return Options(
        _models(settings),
        _number(values, "ai.timeout", usual.within, most=60),
        int(_number(values, "ai.longest", usual.longest, most=LONGEST_ANSWER)),
        Limits(
            int(_number(values, "ai.requests_a_day", usual.limits.requests)),
            int(_number(values, "ai.tokens_a_day", usual.limits.tokens)),
        ),
        tuple(words_of(values.get("ai.blocked"))),
        values.get("ai.links") in (True, "on", "yes"),
        rewords(settings),
    )


def rewords(settings: Settings) -> bool:
    """Whether a model is asked what somebody meant; asked at every refusal, so it looks at nothing else."""
    return settings.values.get("ai.understand") in (True, "on", "yes")


def _models(settings: Settings) -> tuple[Model, ...]:
    keys = [key for key in (*settings.values, *settings.secrets) if key.startswith(_UNDER)]
    found = sorted({key.removeprefix(_UNDER).partition(".")[0] for key in keys})
    order = words_of(settings.values.get("ai.models")) or found
    if unknown := [name for name in order if name not in found]:
        raise NotUsable(f'"{unknown[0][:40]}" of ai.models is not set up. Do it with: {EXAMPLE}')
    return tuple(_model(settings, name) for name in order)


def _model(settings: Settings, name: str) -> Model:
    prefix = f"{_UNDER}{name}."
    values = {key.removeprefix(prefix): value for key, value in settings.values.items() if key.startswith(prefix)}
    if not _NAME.fullmatch(name) or (unknown := set(values) - _KNOWN):
        raise NotUsable(f"{prefix}{min(unknown) if _NAME.fullmatch(name) else ''} is no setting of a model")
    if "key" in values:
        raise NotUsable(f"{prefix}key must be a secret: /config secret {prefix}key ...")
    url = str(values.get("url", "")).rstrip("/")
    _check(url, prefix)
    key = settings.secrets.get(f"{prefix}key")
    return Model(
        name,
        url,
        str(values.get("name", name)),
        None if key is None else Secret(f"{prefix}key", key),
        frozenset(word.casefold() for word in words_of(values.get("properties"))),
        int(_number(values, "window", 0)),
    )


def _check(url: str, prefix: str) -> None:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        fits = False
    if not fits:
        raise NotUsable(f"{prefix}url must be the address of a server, such as http://127.0.0.1:11434/v1")


def chosen(models: Collection[Model], needs: Collection[str], tokens: int) -> tuple[Model, ...]:
    """The models that have what is needed and room for so many tokens, in their order.

    Raises:
        NotUsable: There is none.
    """
    if not models:
        raise NotUsable(f"No language model is set up yet. Do it with: {EXAMPLE}")
    wanted = {word.casefold() for word in needs}
    fitting = [model for model in models if wanted <= model.properties]
    if not fitting:
        known = ", ".join(model.described for model in models)
        raise NotUsable(f"no model is set up as {' and '.join(sorted(wanted))}; there are: {known}")
    roomy = [model for model in fitting if not model.window or model.window >= tokens]
    if not roomy:
        raise NotUsable(f"that is too long for {', '.join(model.name for model in fitting)}: about {tokens:,} tokens")
    return tuple(roomy[:MOST])


def words_of(value: object) -> list[str]:
    """A setting or param that lists words, separated by commas."""
    listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else ()
    return [word for each in listed if (word := str(each).strip())]


def _number(values: Mapping[str, Any], key: str, usual: float, most: float = 1e9) -> float:
    value = values.get(key)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e9
    return min(float(value), most) if fits else usual  # type: ignore[arg-type]  # mypy does not follow `fits`
