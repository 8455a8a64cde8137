"""The command line. Everything heavy is imported by the command that needs it, so that help is there at once."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="showcaller",
    help="A Twitch and Discord bot whose workflows are written, changed and run by talking to it in chat.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
workflows = typer.Typer(help="Workflows as files.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(workflows, name="workflows")

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Where everything is kept; also SHOWCALLER_DATA. Default: this system's place."
    ),
]


class RoleName(StrEnum):
    """Roles as options."""

    broadcaster = "broadcaster"
    moderator = "moderator"
    vip = "vip"
    subscriber = "subscriber"
    viewer = "viewer"


class FileFormat(StrEnum):
    """How a workflow is written to a file."""

    text = "text"
    json = "json"


@app.command()
def chat(
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Who types.")] = "streamer",
    role: Annotated[RoleName, typer.Option(help="In which role.")] = RoleName.broadcaster,
    virtual_time: Annotated[
        bool, typer.Option("--virtual-time", help="Time stands still until /advance moves it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each line of input.")] = False,
    data: Data = None,
) -> None:
    """Talk to the bot in this terminal, or through a pipe: one message per line. No account needed."""
    from bot.config import data_folder
    from bot.log import log_to

    folder = data_folder(data)
    with _in_words(folder.log):
        import asyncio

        folder.make()
        log_file = log_to(folder.log)
        from bot.terminal.chat import Options, chat

        asyncio.run(chat(Options(folder, name, role.value, virtual_time, json), log_file))


@contextlib.contextmanager
def _in_words(log: Path) -> Iterator[None]:
    """Let every failure be one line on stderr and an exit code, with the rest in the log."""
    from engine.errors import EngineError

    try:
        yield
    except EngineError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
    except Exception as error:
        logging.getLogger(__name__).exception("the command broke")
        _fail(f"That went wrong inside showcaller ({type(error).__name__}). What happened is in {log}.")


def _fail(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    raise SystemExit(1)
