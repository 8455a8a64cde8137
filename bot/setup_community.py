"""The set-up's questions about a community: which server is its home, who has a say, and where the bot tells what.

Whose word counts is never found out by looking: whoever invites a bot somewhere would have one. Each question can be skipped,
and what is named is looked up at once and kept with its number, as names change hands.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

from bot.bench import Bench
from bot.config import is_off
from bot.discord.looking import Inside, Thing, inside, member, servers
from bot.discord.options import options_of
from bot.discord.sign_in import TokenRefused
from bot.named import written
from bot.platforms import DISCORD
from bot.replies import clipped, listed
from bot.twitch.client import BOT, BROADCASTER
from bot.twitch.platform import CLIENT_ID, servers_of
from bot.twitch.sign_in import people

HOME: Final = "discord.guilds"
STREAMER: Final = "discord.people.broadcaster"
POSTS: Final = "discord.channel"
MODERATORS: Final = "discord.mod_channel"
ROLES: Final = "discord.roles.moderator"
HELPERS: Final = "{}.people.moderator"
EDITS: Final = "{}.edits"
NOBODY: Final = "none"
_MOST_LISTED: Final = 20

LookedUp: TypeAlias = Callable[[str], Awaitable[Thing | None]]


async def helpers_on_twitch(bench: Bench) -> None:
    """Who counts as a moderator without being one on Twitch."""
    token = bench.tokens.tokens.get(BOT) or bench.tokens.tokens.get(BROADCASTER)
    client_id = bench.settings.values.get(CLIENT_ID)
    if token is None or not client_id:
        return

    async def found(name: str) -> Thing | None:
        login = name.removeprefix("@").casefold()
        known = await people(token, str(client_id), servers_of(bench.settings), (login,))
        if known is None:
            bench.console.say(f"Twitch cannot be asked who {login} is, so the name alone counts.")
            return Thing("", login)
        return Thing(known[login], login) if login in known else None

    await _named(
        bench,
        HELPERS.format("twitch"),
        "Who else may change workflows, without being a moderator on Twitch? Names, with commas",
        found,
    )


async def home(bench: Bench) -> None:
    """Which Discord server is home, and what is what in it."""
    token = bench.tokens.tokens.get(DISCORD)
    if token is None:
        return
    base = options_of(bench.settings.values).api_base
    try:
        server = await _server(bench, token.access, base)
        if server is None:
            bench.console.say("Until you say which server is yours I listen to nobody on Discord.")
            return
        await _people(bench, token.access, base, server, await inside(token.access, base, server.id))
    except TokenRefused as error:
        bench.console.say(str(error))


async def _server(bench: Bench, token: str, base: str) -> Thing | None:
    there = await servers(token, base)
    if not there:
        await bench.console.ask("I am in no server yet. Ask me into yours with that link, then press Enter")
        there = await servers(token, base)
    known = next((each for each in there if int(each.id) in options_of(bench.settings.values).guilds), None)
    for number, each in enumerate(there, 1):
        bench.console.say(f"  {number}. {each.name} ({each.id})")
    numbered = {str(number): each for number, each in enumerate(there, 1)}
    while there:
        question = f"Which server is yours? Its number (Enter to {_otherwise(None if known is None else known.name)})"
        typed = (await bench.console.ask(question)).strip()
        if not typed:
            break
        if (chosen := numbered.get(typed.rstrip("."))) is not None:
            await bench.keep(HOME, chosen.id)
            return chosen
    return known


async def _people(bench: Bench, token: str, base: str, server: Thing, there: Inside) -> None:
    async def somebody(name: str) -> Thing | None:
        return await member(token, base, server.id, name)

    async def channel(name: str) -> Thing | None:
        return _by_name(bench, there.channels, name.removeprefix("#"))

    async def role(name: str) -> Thing | None:
        return _by_name(bench, there.roles, name.removeprefix("@"))

    await _named(
        bench,
        STREAMER,
        f"Who are you in {server.name}? Your name there; it belongs to {there.owner.name}",
        somebody,
        otherwise=f"be {there.owner.name}",
    )
    await _named(bench, POSTS, "In which channel do workflows post if they name none?", channel)
    await _named(bench, MODERATORS, "In which channel do moderators read what I have to tell?", channel)
    await _named(bench, ROLES, "Which roles are moderators, beside who may manage the server? With commas", role)
    await _named(
        bench,
        HELPERS.format("discord"),
        "Who else may change workflows, without such a role? Names, with commas",
        somebody,
    )
    if bench.settings.values.get(MODERATORS):
        await _offered(bench, EDITS.format("discord"), "Tell the moderators' channel what is changed from Twitch?")
    if bench.settings.values.get(CLIENT_ID):
        await _offered(bench, EDITS.format("twitch"), "Tell the Twitch chat what is changed from Discord?")


async def _named(bench: Bench, key: str, question: str, look_up: LookedUp, *, otherwise: str = "skip") -> None:
    """Ask for what a setting names, until there is all of it or nothing is said."""
    known = str(bench.settings.values.get(key) or "")
    way_out = f"Enter to {_otherwise(known, otherwise)}" + (f", {NOBODY} to take it back" if known else "")
    while typed := (await bench.console.ask(f"{question} ({way_out})")).strip():
        if typed.casefold() == NOBODY:
            await bench.keep(key, "")
            return
        names = [name.strip() for name in typed.split(",") if name.strip()]
        found = {name: await look_up(name) for name in names}
        there = [written(each.name, each.id) if each.id else each.name for each in found.values() if each is not None]
        if names and len(there) == len(found):
            await bench.keep(key, ", ".join(there))
            bench.console.say(f"Kept: {', '.join(there)}")
            return
        missing = [clipped(name, 40) for name, each in found.items() if each is None]
        bench.console.say(f"I do not find {listed(missing) or 'a name in that'}.")


async def _offered(bench: Bench, key: str, question: str) -> None:
    """Ask whether to switch something on that is off."""
    known = bench.settings.values.get(key)
    if (known is None or is_off(known)) and await bench.console.confirm(question):
        await bench.keep(key, "on")


def _otherwise(known: str | None, otherwise: str = "skip") -> str:
    return f"keep {known}" if known else otherwise


def _by_name(bench: Bench, things: Sequence[Thing], name: str) -> Thing | None:
    """The one that is called so, or has that number; where several are, that has to be said by number."""
    called = [each for each in things if name == each.id or name.casefold() == each.name.casefold()]
    if len(called) > 1:
        bench.console.say(f"Several are called {name}: say its number, {' or '.join(each.id for each in called)}.")
    elif not called:
        bench.console.say(f"There are {listed([each.name for each in things[:_MOST_LISTED]]) or 'none'}.")
    return called[0] if len(called) == 1 else None
