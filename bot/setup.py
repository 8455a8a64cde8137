"""The guided set-up: asks for what the bot needs to be on a platform, tries each thing at once, and lets everything be skipped.

It talks over a `Console` and keeps settings and tokens; what a platform needs is known by the platform's own modules.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from bot import config
from bot.app import stored
from bot.bench import Bench, Console, Step
from bot.config import COMMUNITY, DataFolder
from bot.discord.options import options_of
from bot.discord.sign_in import Application, TokenRefused, looked_up
from bot.obs.connection import NoObs
from bot.obs.errors import ObsError
from bot.obs.options import HOST, PORT, Options, address_in
from bot.obs.options import options_of as options_of_obs
from bot.obs.platform import PASSWORD, tried
from bot.platforms import DISCORD
from bot.setup_community import helpers_on_twitch, home
from bot.tokens import Token, TokenFile
from bot.twitch.client import BOT, BROADCASTER
from bot.twitch.platform import CLIENT_ID, servers_of
from bot.twitch.sign_in import BOT_SCOPES, BROADCASTER_SCOPES, Code, SignIn, SignInFailed

REGISTER: Final = (
    "Twitch wants every bot to be registered, once, in a browser:",
    "  1. Open https://dev.twitch.tv/console/apps/create",
    "  2. Any name; OAuth redirect: http://localhost; category: Chat Bot; client type: Public.",
    "  3. Copy the client id that it shows. It is no secret.",
)


PORTAL: Final = (
    "  1. Open https://discord.com/developers/applications and make a new application.",
    "  2. Under Bot, switch on Message Content Intent and Server Members Intent, and reset the token.",
    "  3. Copy the token. It is a secret: it is not shown here.",
)


SERVER: Final = (
    "  1. In OBS open Tools, WebSocket Server Settings, and switch the server on.",
    "  2. Show Connect Info tells port and password. OBS has to be open now, so that I can try them.",
)


async def set_up(folder: DataFolder, console: Console, only: str | None = None) -> None:
    """Go through all steps, or through those of one platform.

    Raises:
        StoreError: The bot is running, or the folder cannot be used.
        TokensUnreadable: The tokens that are there cannot be understood.
    """
    async with stored(folder, read_only=False) as store:
        tokens = TokenFile.open(folder.path)
        bench = Bench(console, store, tokens, config.settings_from(await store.config(COMMUNITY)))
        for name, steps in STEPS.items():
            if only in (None, name):
                for step in steps:
                    await step(bench)
    console.say("That was all. Start the bot with: showcaller run")


# Twitch ------------------------------------------------------------------------------------------------------------------------


async def _application(bench: Bench) -> None:
    """Which application the bot is, for Twitch."""
    known = bench.settings.values.get(CLIENT_ID)
    if known:
        bench.console.say(f"Twitch: the client id is {known}.")
    else:
        for line in REGISTER:
            bench.console.say(line)
    while given := (await bench.console.ask(f"Client id (Enter to {'keep it' if known else 'skip'})")).strip():
        try:
            await SignIn(given, servers_of(bench.settings), BOT_SCOPES).begin()
        except SignInFailed as error:
            bench.console.say(str(error))
            continue
        await bench.keep(CLIENT_ID, given)
        bench.console.say("Twitch knows it.")
        return


async def _bot_account(bench: Bench) -> None:
    """The account that speaks."""
    await _account(
        bench,
        BOT,
        BOT_SCOPES,
        "the account that is to speak in the chat. A bot of its own is best; make it a moderator with /mod NAME",
    )


async def _broadcaster(bench: Bench) -> None:
    """The streamer's account."""
    await _account(
        bench,
        BROADCASTER,
        BROADCASTER_SCOPES,
        "the streamer's account, for what only the streamer may do: rewards, polls, raids, the title",
    )


async def _account(bench: Bench, key: str, scopes: tuple[str, ...], who: str) -> None:
    console, client_id = bench.console, bench.settings.values.get(CLIENT_ID)
    if not client_id:
        return
    known = bench.tokens.tokens.get(key)
    if known is not None:
        missing = sorted(set(scopes).difference(known.scopes))
        state = f"not granted: {', '.join(missing)}" if missing else "everything is granted"
        console.say(f"Signed in as {known.login} ({state}).")
    if not await console.confirm(f"Sign in {'again ' if known else ''}with {who}?"):
        return
    sign_in = SignIn(str(client_id), servers_of(bench.settings), scopes)

    async def finish(code: Code) -> None:
        token = await sign_in.finish(code)
        bench.tokens.put(key, token)
        console.say(f"Signed in as {token.login}.")
        other = bench.tokens.tokens.get(BROADCASTER if key == BOT else BOT)
        if other is not None and other.user_id == token.user_id:
            console.say("That is the same account as the other one; it does for both.")

    try:
        code = await sign_in.begin()
        bench.tokens.remember(code.device)
        console.say(f"In a browser that is signed in to Twitch as that account, open {code.address}")
        console.say(f"and confirm the code {code.typed}. I wait; Ctrl-C skips this step.")
        if not await console.unless_skipped(finish(code)):
            console.say("Skipped.")
    except SignInFailed as error:
        console.say(str(error))


# Discord -----------------------------------------------------------------------------------------------------------------------


async def _discord(bench: Bench) -> None:
    """The bot's token, what it may hear, and its way into the server."""
    console, known = bench.console, bench.tokens.tokens.get(DISCORD)
    console.say(f"Discord: signed in as {known.login}." if known else "Discord:")
    if not known:
        for line in PORTAL:
            console.say(line)
    while given := (await console.ask_hidden(f"Token (Enter to {'keep it' if known else 'skip'})")).strip():
        bench.tokens.remember(given)
        try:
            found = await looked_up(given, options_of(bench.settings.values).api_base)
        except TokenRefused as error:
            console.say(str(error))
            continue
        bench.tokens.put(DISCORD, Token(given, login=found.name))
        console.say(f"Signed in as {found.name}.")
        await _intents(bench, found)
        console.say(f"Ask it into your server with: {found.invite}")
        return


async def _intents(bench: Bench, found: Application) -> None:
    """What it may hear: what is switched off in the portal is done without, as Discord would refuse the bot otherwise."""
    switches = {
        "discord.message_content": ("Message Content Intent", found.content, "it hears commands and mentions only"),
        "discord.members": ("Server Members Intent", found.members, "it hears nobody join or leave"),
    }
    for key, (name, on, otherwise) in switches.items():
        await bench.keep(key, "on" if on else "off")
        if not on:
            bench.console.say(
                f"{name} is off, so {otherwise}. Switch it on in the portal (Bot) and do this step again."
            )


# OBS ---------------------------------------------------------------------------------------------------------------------------


async def _obs(bench: Bench) -> None:
    """Where OBS is, and its password."""
    console, options = bench.console, options_of_obs(bench.settings.values)
    known = PASSWORD in bench.tokens.tokens or PORT in bench.settings.values
    console.say(f"OBS: at {options.host}:{options.port}." if known else "OBS:")
    if not known:
        for line in SERVER:
            console.say(line)
    if not await console.confirm(f"Connect to OBS{' anew' if known else ''}?"):
        return
    while True:
        typed = (await console.ask(f"Address (Enter for {options.host}:{options.port})")).strip()
        address = address_in(typed) if typed else (options.host, options.port)
        if address is None:
            console.say("That is no address; it is one like 192.168.1.5:4455.")
            continue
        password = (await console.ask_hidden("Password (Enter if there is none)")).strip()
        bench.tokens.remember(password)
        try:
            console.say(await tried(Options(*address), password))
        except (ObsError, NoObs) as error:
            console.say(f"{error}." if isinstance(error, ObsError) else f"OBS cannot be used there: {error}.")
            if await console.confirm("Try again?"):
                continue
            return
        await bench.keep(HOST, address[0])
        await bench.keep(PORT, str(address[1]))
        bench.tokens.put(PASSWORD, Token(password))
        return


STEPS: Final[dict[str, Sequence[Step]]] = {
    "twitch": (_application, _bot_account, _broadcaster, helpers_on_twitch),
    "discord": (_discord, home),
    "obs": (_obs,),
}


# A real terminal ---------------------------------------------------------------------------------------------------------------


class Terminal:
    """A person at a terminal."""

    def say(self, line: str) -> None:
        """Show a line."""
        import typer

        typer.echo(line)

    async def ask(self, question: str) -> str:
        """Ask for a line."""
        return await self._asked(question, hidden=False)

    async def ask_hidden(self, question: str) -> str:
        """Ask for a line that nobody may see."""
        return await self._asked(question, hidden=True)

    async def _asked(self, question: str, *, hidden: bool) -> str:
        from prompt_toolkit import PromptSession

        try:
            return await PromptSession[str]().prompt_async(f"{question}: ", is_password=hidden)
        except (EOFError, KeyboardInterrupt):
            return ""

    async def confirm(self, question: str) -> bool:
        """Ask for yes or no."""
        return (await self.ask(f"{question} [y/N]")).strip().casefold() in ("y", "yes", "j", "ja")

    async def unless_skipped(self, work: Awaitable[None]) -> bool:
        """Let something end unless Ctrl-C comes."""
        import signal

        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(task.cancel))
        try:
            await asyncio.wait({task})
        finally:
            signal.signal(signal.SIGINT, before)
            if not task.done():
                task.cancel()
        if task.cancelled():
            return False
        task.result()
        return True
