"""How long a sentence takes, typical and worst.

    uv run python tests/benchmarks/grammar.py [--quick]

p50 and p99 are over single calls of `Language.understand` (text to instruction) on varied sentences, the cache of live
names warm, the rest as in chat. The worst message is searched for: messages of at most 500 characters are put together
from dangerous fragments and the slowest are changed further. build_s is the time to make a `Language` in a new process.
CPU time throughout. The last line is one JSON object.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.config import tables_folder
from bot.services.declared import DECLARATIONS
from engine.model import Call, Definition, State, Trigger, Wait
from grammar.language import Language
from grammar.workspace import LiveNames, WorkflowView, Workspace

LONGEST = 500
SENTENCES = (
    'when someone raids with more than 5 viewers, say "welcome ${user}!", wait 10 seconds, then shout them out',
    "in raid make the wait half a minute",
    'when someone types !lurk say "${user} is lurking, enjoy the snacks"',
    "creat welcom when sombody folows say hii",
    "in  riad add wiat 5 secs",
    "change the frist wait to 1m30",
    "raid v2: step 2 wait 10 seconds -> wait 30 seconds",
    "show raid",
    "list",
    "undo",
    "status",
    "why raid",
    "run raid with raid_target=foo",
    "remove step 2",
    "move the shoutout to the top",
    "in raid after the anouncement wiat 30 secs",
    'create brb: switch scene to BRB, hide webcam, say "back in 5", wait 5 minutes, switch to gameplay and show webcam',
    "whenever i get raided by 10+ viewers: shoutout the raider",
    "on sub play airhorn",
    'when anyone gifts 5 or more subs, play the airhorn sound and say "${user} is a legend"',
    'create golive when the stream starts post "we are live!" in #announcements, wait 5 min and say lets gooo',
    "shout out whoever raids us",
    "at 8pm every friday say game night",
    "every 30 min say follow me on bsky",
    'replace step 2 with "say 30 seconds to go" and wait 15s',
    "make the wait 10 seconds longer",
    "rename raid to outro raid",
    "disable raid",
    "delete raid",
    "stop everything",
    "frobnicate the raid",
    "in raid remove step 9",
    "add a wait",
    "then wait 5 minutes and say thanks and see you all next week",
    "swap step 1 and step 3",
    "export raid as text",
    "help",
    "make it better",
    "carry on if the shoutout fails",
    "step 1 should say welcome in ${user}, grab a seat",
)
FRAGMENTS = (
    "say ", "say and ", "and ", "then ", ", ", "wait ", "wiat ", "zzzq ", "announcemnt ", "in raid ", "in riad ", "raid ", "step ", "2 ", "1m30 ",
    "when someone raids ", "when ", "if ", "more than ", "5 viewers ", "5 or more ", "before ", "after ", "the second wait ", "(", ")", "((", '"', '"x" ',
    "{", '{"a":', "[", "${user} ", "#general ", "!lurk ", "a=b ", "· ", "-> ", "1:30 ", "twenty and four hours and ", "half a ", "to ", "with ", "create ",
    "post x in ", "in discord ", "shout out ", "switch to ", "BRB ", "every ", "friday and ", "on ", "at ", "please ", "ok ", "x ", "sombody ", "folows ",
    "move ", "remove ", "replace ", "change ", "it ", "all ", "undo ", "yes ", "run ", "delete ", "if (a) go to step \"x\", ", "(then stop; ", "; ", "'", "\\",
)  # fmt: skip


def workspace() -> Workspace:
    say = Call(service="twitch", method="send_chat_message", params={"message": "welcome raiders"})
    shout = Call(service="twitch", method="send_shoutout", params={"user": "${user}"})
    states = (
        State(name="say", action=say, transitions={"success": "wait"}),
        State(name="wait", action=Wait(seconds=10), transitions={"success": "shoutout"}),
        State(name="shoutout", action=shout, transitions={"success": "wait_2"}),
        State(name="wait_2", action=Wait(seconds=20)),
    )
    made = {
        name: WorkflowView(
            Definition(id=name, name=name, initial_state="say", states=states, triggers=(Trigger(on="raid.received"),))
        )
        for name in ("raid", "go_live", "hydrate", "follow_thanks")
    }
    live = LiveNames(
        scenes=("BRB", "Hype", "Gameplay", "Just Chatting", "Starting Soon"),
        sources=("webcam", "mic"),
        sounds=("airhorn", "ding"),
        rewards=("Hydrate",),
        channels=("general", "announcements", "mods"),
    )
    return Workspace(workflows=made, focus="raid", names=live)


def timed(language: Language, text: str, place: Workspace) -> float:
    """CPU milliseconds of one call, as long as it takes the first time."""
    begun = time.process_time_ns()
    language.understand(text, place)
    return (time.process_time_ns() - begun) / 1e6


def typical(language: Language, place: Workspace, rounds: int) -> list[float]:
    language.understand("list", place)
    return [timed(language, text, place) for _ in range(rounds) for text in SENTENCES]


def worst(language: Language, place: Workspace, seconds: float, chance: random.Random) -> tuple[float, str]:
    """The slowest message found: the best of a population is changed over and over, and measured three times."""
    found: list[tuple[float, str]] = [
        (timed(language, (fragment * LONGEST)[:LONGEST], place), (fragment * LONGEST)[:LONGEST])
        for fragment in FRAGMENTS
    ]
    found.extend((timed(language, (text * 20)[:LONGEST], place), (text * 20)[:LONGEST]) for text in SENTENCES)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found.sort(reverse=True)
        del found[30:]
        message = changed(chance.choice(found)[1], chance)
        cost = timed(language, message, place)
        if cost > found[-1][0]:
            # The least of three: what the machine does meanwhile is not the message's fault.
            found.append((min(cost, *(fresh(language, message, place) for _ in range(2))), message))
    return max(found)


def fresh(language: Language, text: str, place: Workspace) -> float:
    """Measured anew, with another message in between."""
    language.understand("list", place)
    return timed(language, text, place)


def changed(message: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(message) + 1)
        length = chance.randint(0, 40)
        match chance.randrange(4):
            case 0:
                message = message[:at] + chance.choice(FRAGMENTS) + message[at:]
            case 1:
                message = message[:at] + message[at + length :]
            case 2:
                message = message[:at] + message[at : at + length] * chance.randint(2, 8) + message[at + length :]
            case _:
                message = message[:at] + chance.choice(FRAGMENTS) * chance.randint(2, 30) + message[at:]
    return message[:LONGEST]


def build_seconds(rounds: int) -> float:
    code = (
        "import time, bot.services.declared as s, grammar.language as l;"
        "t = time.process_time(); l.Language(s.DECLARATIONS); print(time.process_time() - t)"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
        for _ in range(rounds)
    ]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 40 seconds")
    parser.add_argument("--show", action="store_true", help="print the worst message found")
    arguments = parser.parse_args()
    language, place = Language(DECLARATIONS, tables_folder()), workspace()
    times = sorted(typical(language, place, 20 if arguments.quick else 100))
    hostile, message = worst(language, place, 12 if arguments.quick else 120, random.Random(7))
    figures = {
        "p50_ms": statistics.median(times),
        "p99_ms": times[int(len(times) * 0.99)],
        "hostile_ms": hostile,
        "build_s": build_seconds(3 if arguments.quick else 7),
    }
    for words, name in (
        ("a typical sentence, text to instruction, ms", "p50_ms"),
        ("99 of 100 are quicker than, ms", "p99_ms"),
        ("worst message of 500 characters found, ms", "hostile_ms"),
        ("building the language, s", "build_s"),
    ):
        print(f"{words:48}{figures[name]:>10.3f}")
    if arguments.show:
        print(repr(message))
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
