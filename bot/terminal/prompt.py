"""The prompt for people: history, completion, several lines by Alt-Enter. What happens meanwhile is shown above it."""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, TextIO, cast

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import StdoutProxy

from bot.config import NAME_KINDS, DataFolder, masked
from bot.drive import USAGE
from bot.message import ROLES, role_of
from bot.services.declared import DECLARATIONS
from bot.services.simulated import SERVICES
from bot.terminal.pipe import Typed
from bot.terminal.session import Session

WELCOME: Final = (
    "Showcaller. What you type is chat; talk to the bot with !workflow, such as\n"
    '  !workflow when someone raids, say "welcome ${user}!", wait 10 seconds, then shout them out\n'
    "and let things happen: /raid ninja 50. More: !workflow help, /help. Ctrl-D leaves; everything is kept.\n"
)


async def prompted(stack: AsyncExitStack, session: Session, folder: DataFolder) -> AsyncIterator[Typed]:
    """Every line a person enters."""
    os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")  # a question to the terminal that many cannot answer
    sys.stdout.write(WELCOME + "\n")
    sys.stdout.flush()
    prompt: PromptSession[str] = PromptSession(
        history=_history(folder.typed),
        completer=_Completer(session),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=False,
        key_bindings=_keys(),
        multiline=False,
        enable_history_search=True,
    )
    stack.enter_context(_above_the_prompt())
    line = _Line(prompt, session)
    while (text := await line()) is not None:
        yield Typed(text, text)


@contextlib.contextmanager
def _above_the_prompt() -> Iterator[None]:
    """Let what is written while a person types stand above the line being typed."""
    terminal = sys.stdout
    with StdoutProxy(sleep_between_writes=0, raw=True) as proxy:
        sys.stdout = cast("TextIO", proxy)
        try:
            yield
        finally:
            sys.stdout = terminal


class _Line:
    """Asks for one line at a time."""

    def __init__(self, prompt: "PromptSession[str]", session: Session) -> None:
        self._prompt = prompt
        self._session = session

    async def __call__(self) -> str | None:
        """The next line, or None if the person leaves."""
        try:
            return await self._prompt.prompt_async(self._who, handle_sigint=False)
        except (EOFError, KeyboardInterrupt):
            return None

    def _who(self) -> str:
        person, place = self._session.person, self._session.place
        where = f", discord #{place.channel}" if place.platform == "discord" else ""
        return f"{person.name} ({role_of(person)}{where})> "


class _Typed(FileHistory):
    """The prompt's history, without what was typed as a secret."""

    def store_string(self, string: str) -> None:
        """Keep a line for the next start."""
        if masked(string) == string:
            with contextlib.suppress(OSError):
                super().store_string(string)


def _history(path: Path) -> History:
    try:
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return _Typed(str(path))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class _Completer(Completer):
    """What could come next: for lines that drive from their usage, for the bot's from its language."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Every word that fits where the cursor is."""
        text = document.text_before_cursor
        last = text.rsplit(" ", 1)[-1]
        for word in self._words(text, last):
            yield Completion(word, -len(last))

    def _words(self, text: str, last: str) -> Iterable[str]:
        if text.startswith("/"):
            return _beginning(last, _drive_words(text))
        if " " not in text:
            return _beginning(last, ("!workflow", "!wf")) if text.startswith("!") else ()
        return self._session.complete(text)


def _beginning(typed: str, words: Iterable[str]) -> Iterable[str]:
    return (word for word in words if word.casefold().startswith(typed.casefold()))


def _drive_words(text: str) -> Iterable[str]:
    match text.split(" "):
        case [_]:
            return tuple(f"/{name}" for name in USAGE)
        case ["/as", _, _]:
            return ROLES
        case ["/as", _, _, _]:
            return ("twitch", "discord")
        case ["/live", _]:
            return ("on", "off")
        case ["/names", _]:
            return NAME_KINDS
        case ["/fail", _]:
            return tuple(method.key for method in DECLARATIONS if method.service in SERVICES)
        case ["/fail", _, _]:
            return ("error", "timeout", "unknown", "off")
        case ["/advance", _]:
            return ("until",)
        case ["/config", _]:
            return ("timezone", "secret", "list")
        case _:
            return ()
