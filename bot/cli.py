"""The command line. Everything heavy is imported by the command that needs it, so that help is there at once."""

import contextlib
import io
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.config import DataFolder

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


Source = Annotated[Path, typer.Argument(help="A workflow as sentences, as JSON in any known form, or as YAML.")]
Service = Annotated[
    str | None,
    typer.Option("--service", metavar="NAME", help="The service asked to do what the file names no service for."),
]


class RoleName(StrEnum):
    """Roles as options."""

    broadcaster = "broadcaster"
    moderator = "moderator"
    vip = "vip"
    subscriber = "subscriber"
    viewer = "viewer"


class PlatformName(StrEnum):
    """Platforms that can be set up."""

    twitch = "twitch"
    discord = "discord"
    obs = "obs"


class FileFormat(StrEnum):
    """How a workflow is written to a file."""

    text = "text"
    json = "json"
    steps = "steps"
    dag = "dag"
    delays = "delays"
    yaml = "yaml"
    xstate = "xstate"


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
    from bot.message import is_name

    if not is_name(name):
        raise typer.BadParameter("a name is one word of at most 64 characters", param_hint="--as")
    _leave_well()
    folder = data_folder(data)
    with _in_words(folder):
        import asyncio

        folder.make()
        log_file = log_to(folder.log)
        from bot.terminal.chat import Options, chat

        asyncio.run(chat(Options(folder, name, role.value, virtual_time, json), log_file))


@app.command()
def run(data: Data = None) -> None:
    """Run the bot on every platform that is set up, until Ctrl-C or SIGTERM."""
    from bot.config import data_folder
    from bot.log import log_to

    _leave_well()
    folder = data_folder(data)
    with _in_words(folder):
        import asyncio

        folder.make()
        log_file = log_to(folder.log)
        from bot.live import printed
        from bot.live import run as run_live

        asyncio.run(run_live(folder, log_file, printed))


@app.command()
def setup(
    platform: Annotated[PlatformName | None, typer.Argument(help="Only this one; default: all of them.")] = None,
    data: Data = None,
) -> None:
    """Sign the bot in, step by step. Every step can be skipped and done again later."""

    async def work(folder: "DataFolder") -> None:
        from bot.setup import Terminal, set_up

        folder.make()
        await set_up(folder, Terminal(), None if platform is None else platform.value)

    _work(data, work)


@app.command()
def overlay(
    on: Annotated[bool, typer.Option("--on", help="Switch it on for the next start.")] = False, data: Data = None
) -> None:
    """The link by which OBS shows the overlay. It is a key: keep it to yourself."""

    async def work(folder: "DataFolder") -> None:
        from bot.web.link import switch_on, told

        folder.make()
        if on:
            await switch_on(folder)
        _say(*await told(folder))

    _work(data, work)


def _leave_well() -> None:
    """Until the chat listens to signals itself, nothing has begun that could be lost: leave at once, as if it had ended."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), leave)


@app.command()
def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to; default: a dated file in the data folder.")] = None,
    data: Data = None,
) -> None:
    """Copy everything into one file. Works while the bot runs."""

    async def work(folder: "DataFolder") -> None:
        from bot.files import back_up

        _say(await back_up(folder, file, datetime.now().astimezone()))

    _work(data, work)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `showcaller backup` made.")], data: Data = None
) -> None:
    """Put a backup in the place of everything there is; what was there is kept beside it."""

    async def work(folder: "DataFolder") -> None:
        from bot.files import put_back

        _say(await put_back(folder, file))

    _work(data, work)


@app.command()
def runs(
    workflow: Annotated[str | None, typer.Argument(help="Its id or name; default: all of them.")] = None,
    data: Data = None,
) -> None:
    """The latest runs, newest first. Works while the bot runs."""

    async def work(folder: "DataFolder") -> None:
        from bot.past import list_runs

        _say(*await list_runs(folder, workflow))

    _work(data, work)


@app.command()
def trace(
    run: Annotated[str, typer.Argument(help="Its id, the beginning of it, or a workflow for its last run.")],
    json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    data: Data = None,
) -> None:
    """What one run went through, step by step. Works while the bot runs."""

    async def work(folder: "DataFolder") -> None:
        from bot.past import trace as traced

        _say(*await traced(folder, run, as_object=json))

    _work(data, work)


@app.command()
def forget(name: Annotated[str, typer.Argument(help="As it is shown in chat.")], data: Data = None) -> None:
    """Take a person out of everything that happened: events about them, and their name wherever it stands."""

    async def work(folder: "DataFolder") -> None:
        from bot.past import forget_person

        _say(*await forget_person(folder, name))

    _work(data, work)


@workflows.command("list")
def list_(data: Data = None) -> None:
    """Every workflow in a line."""

    async def work(folder: "DataFolder") -> None:
        from bot.files import list_workflows

        _say(*await list_workflows(folder))

    _work(data, work)


@workflows.command("import")
def import_(file: Source, service: Service = None, data: Data = None) -> None:
    """Keep the workflow in a file; one of the same id gets a new version. Tells what was chosen and what was lost."""

    async def work(folder: "DataFolder") -> None:
        from bot.files import import_workflow

        _say(*await import_workflow(folder, file, service))

    _work(data, work)


@workflows.command()
def export(
    name: Annotated[str, typer.Argument(help="Its id or name.")],
    form: Annotated[
        FileFormat, typer.Option("--format", help="Sentences, our JSON, or a form that others read.")
    ] = FileFormat.text,
    data: Data = None,
) -> None:
    """Write a workflow to stdout so that any bot can import it, or in another form if that can say it."""

    async def work(folder: "DataFolder") -> None:
        from bot.files import export_workflow

        _say((await export_workflow(folder, name, form.value)).removesuffix("\n"))

    _work(data, work)


@workflows.command()
def edit(name: Annotated[str, typer.Argument(help="Its id or name.")], data: Data = None) -> None:
    """Open a workflow in your editor ($VISUAL, $EDITOR) and keep it as one version. Not while the bot runs: say it there."""

    async def work(folder: "DataFolder") -> None:
        from bot import editing
        from bot.app import equipment

        equipped = equipment()
        draft = await editing.opened(folder, name, equipped)
        edited = folder.path / "edited"
        edited.mkdir(exist_ok=True, mode=0o700)
        file = edited / f"{draft.definition.id}.workflow"
        definition = editing.edited(draft, file, equipped, editing.open_editor, editing.go_on)
        _say(*(["Nothing changed."] if definition is None else await editing.kept(folder, draft, definition, equipped)))
        file.unlink(missing_ok=True)

    _work(data, work)


@workflows.command()
def validate(file: Source, service: Service = None, data: Data = None) -> None:
    """Say what is wrong with a workflow in a file; exit code 1 if it cannot run so."""

    async def work(_: "DataFolder") -> None:
        from bot.files import validate as judged

        said, wrong = judged(file, service)
        _say(*said)
        if wrong is not None:
            _fail(wrong)

    _work(data, work)


@workflows.command("test")
def try_out(
    name: Annotated[str, typer.Argument(help="Its id or name.")],
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="What the start brings, or fields of the event."),
    ] = None,
    event: Annotated[str | None, typer.Option(help="Try it with this event; default: run by hand.")] = None,
    user: Annotated[str | None, typer.Option(help="Whom it is about.")] = None,
    fail: Annotated[list[str] | None, typer.Option(metavar="STEP", help="A step that fails.")] = None,
    then: Annotated[
        list[str] | None, typer.Option(metavar="EVENT", help='What happens meanwhile, as "5m follow user=bob".')
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    data: Data = None,
) -> None:
    """Say what a workflow would do, without doing it. Works while the bot runs."""

    async def work(folder: "DataFolder") -> None:
        from bot.beforehand import Trial
        from bot.beforehand import try_out as tried_out

        trial = Trial(name, given or (), event, user, fail or (), then or ())
        _say(*await tried_out(folder, trial, as_object=json))

    _work(data, work)


@workflows.command()
def backtest(
    name: Annotated[str, typer.Argument(help="Its id or name.")],
    version: Annotated[int | None, typer.Option(min=1, help="Which version; default: the current one.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="How far back, as 24h.")] = "24h",
    json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    data: Data = None,
) -> None:
    """Say what a workflow would have done with what has happened. Works while the bot runs."""

    async def work(folder: "DataFolder") -> None:
        from bot.beforehand import backtest as backtested

        _say(*await backtested(folder, name, version, since, as_object=json))

    _work(data, work)


def _work(data: Path | None, work: "Callable[[DataFolder], Coroutine[None, None, None]]") -> None:
    """Run one command to its end on the data folder."""
    import asyncio

    from bot.config import data_folder
    from bot.log import log_to

    folder = data_folder(data)
    with _in_words(folder):
        log_to(folder.log)
        asyncio.run(work(folder))


def _say(*lines: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()


@contextlib.contextmanager
def _in_words(folder: "DataFolder") -> Iterator[None]:
    """Let every failure be one line on stderr and an exit code, with the rest in the log."""
    from bot.log import log_to
    from engine.errors import EngineError

    try:
        yield
    except EngineError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}")
    except Exception as error:
        with contextlib.suppress(OSError):
            folder.make()
            log_to(folder.log)
        logging.getLogger(__name__).exception("the command broke")
        _fail(f"That went wrong inside showcaller ({type(error).__name__}). What happened is in {folder.log}.")


def _fail(sentence: str) -> None:
    if sys.stderr is not None:  # started without one
        sys.stderr.write(sentence + "\n")
    raise SystemExit(1)
