"""What help can be asked about, as data: names, one sentence, and sentences that might be said.

The sentences are made for a workflow of the asker; whoever shows them tries each and leaves out what does not work there.
The one thing that may not be in here is a sentence that starts, stops or deletes something of somebody else by being tried.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to get help on.

    Attributes:
        names: What it is called; the first is shown.
        about: One sentence, without its end.
        examples: Sentences in the order they are worth showing; `{}` is a workflow's name, `{last}` its last step's number.
    """

    names: tuple[str, ...]
    about: str
    examples: tuple[str, ...]


TOPICS: Final = (
    Topic(
        ("create", "new", "make", "creating", "workflows", "workflow", "begin", "beginning"),
        "A workflow begins with what starts it, or with a name",
        (
            'when someone raids, say "welcome ${user}!", wait 10 seconds, then shout them out',
            'create lurk when someone types !lurk say "${user} is lurking"',
            'create outro: say "bye" · wait 5 seconds · switch to scene "End"',
        ),
    ),
    Topic(
        (
            "edit",
            "change",
            "changing",
            "editing",
            "steps",
            "step",
            "add",
            "remove",
            "move",
            "insert",
            "replace",
            "swap",
            "text",
            "texts",
            "message",
            "messages",
        ),
        "Steps are named by number, kind or content",
        (
            'in {} add say "thank you" at the end',
            "in {} add wait 5 seconds before step {last}",
            'in {} replace step {last} with say "bye"',
            "in {} move step {last} to the start",
            "in {} remove step {last}",
        ),
    ),
    Topic(
        (
            "waits",
            "wait",
            "waiting",
            "durations",
            "duration",
            "time",
            "delay",
            "delays",
            "seconds",
            "minutes",
            "countdown",
            "timer",
        ),
        "A wait goes on through restarts",
        (
            "in {} add wait 5 minutes",
            "in {} make the wait 10 seconds longer",
            "in {} change the wait to 1m30s",
            "skip the wait in {}",
            "in {} wait until someone types !go for 5 minutes",
            "status",
        ),
    ),
    Topic(
        ("triggers", "trigger", "when", "events", "event", "start", "starting", "command", "commands", "chat command"),
        "Raids, follows, subs, gifts, cheers, rewards, chat commands, the stream's start and end can start a workflow",
        (
            "in {} also when someone follows",
            "in {} only when a raid comes in",
            "in {} no longer when someone follows",
            'create clap when someone redeems "Hydrate" say "cheers!"',
            'when someone types !discord say "join us"',
            'create big when a raid of more than 50 viewers comes in say "wow"',
        ),
    ),
    Topic(
        (
            "schedules",
            "schedule",
            "scheduled",
            "daily",
            "every",
            "clock",
            "cron",
            "weekly",
            "hourly",
            "repeat every",
            "plan",
            "agenda",
        ),
        "The clock can start a workflow",
        (
            'every 30 minutes say "drink some water"',
            'every friday at 19:00 post "game night in an hour" in #general',
            "in {} also every day at 19:00",
            "run {} in 20 minutes",
            "what is scheduled today",
        ),
    ),
    Topic(
        ("conditions", "condition", "if", "guards", "guard", "only if", "else", "branches", "branch"),
        "A trigger can have a condition, and so can steps",
        (
            'in {} if there are more than 50 viewers say "big raid!"',
            "in {} only if there are more than 5 viewers",
            'create big when a raid of more than 50 viewers comes in say "wow"',
            'when a cheer of at least 100 bits comes in say "wow"',
            'when someone types !hi if the user is a moderator say "hi boss"',
        ),
    ),
    Topic(
        ("loops", "loop", "repeat", "repeats", "again", "times", "parallel", "at the same time", "each"),
        "Steps can be repeated, or happen at the same time",
        (
            'in {} repeat 3 times: say "hype" · wait 2 seconds',
            'create chant: repeat 3 times: say "hype"',
            'in {} add play "airhorn" and switch to scene "Main" at the same time',
            "in {} repeat step {last} 3 times",
        ),
    ),
    Topic(
        ("cooldown", "cooldowns", "cd", "limits", "limit", "rate", "spam", "once", "rate limit"),
        "A cooldown keeps a workflow from starting too often",
        (
            "in {} cooldown 30 seconds",
            "in {} cooldown 30 seconds per user",
            "in {} at most 3 times per hour",
            "in {} only once per user",
            "in {} no cooldown",
            'in {} policy {"cooldown": {"seconds": 30}}',
        ),
    ),
    Topic(
        (
            "permissions",
            "permission",
            "rights",
            "who",
            "allow",
            "mods",
            "moderators",
            "only mods",
            "roles",
            "vips",
            "subs only",
            "access",
        ),
        "Moderators may run workflows by hand; triggers say themselves whom they listen to",
        (
            "in {} only mods can run it",
            "allow mods to run {}",
            'in {} policy {"may_run": ["moderator"]}',
        ),
    ),
    Topic(
        ("queue", "queued", "one at a time", "mode", "modes", "runs at once", "overlap", "restart"),
        "When a workflow starts while it runs, the new run waits, is left out, or goes on beside it",
        (
            "in {} one at a time",
            "in {} queue them",
            "in {} restart if it runs already",
            'in {} policy {"mode": "queued"}',
        ),
    ),
    Topic(
        (
            "variables",
            "variable",
            "placeholders",
            "placeholder",
            "names in texts",
            "values",
            "what can i use",
            "user",
            "${user}",
            "arguments",
        ),
        "In texts ${user} is whom it is about; a raid brings ${viewers}, a cheer ${bits}, a command ${arguments} and ${target}, gifts ${count}; "
        "${date}, ${time} and ${clock} are always there, and what a run is given by name",
        (
            'when someone raids say "${user} brings ${viewers} friends"',
            'when someone types !so say "go and see ${arguments}"',
            "run {} with target=ninja",
            'in {} add say "hello ${user|default "you"}"',
        ),
    ),
    Topic(
        ("counters", "counter", "count", "counting", "counts", "deaths", "death counter", "wins", "tally"),
        "A counter stays, for all workflows and after the stream; in texts {deaths} is what it stands at",
        (
            'when someone types !death add 1 to deaths and say "deaths: {deaths}"',
            "when someone types !reset reset deaths",
            "in {} add 1 to wins",
            "in {} take 1 from lives",
            "when someone types !deaths say how many deaths",
            'when someone types !hug add 1 to the hugs counter of {target} and say "{hugs} hugs"',
            "how many deaths",
            "list counters",
        ),
    ),
    Topic(
        ("run", "running", "status", "start by hand", "control"),
        "Run it by hand, now or later, and see where it stands",
        ("run {}", "run {} in 20 minutes", "run {} at 19:00", "run {} with target=ninja", "status", "test {}"),
    ),
    Topic(
        ("stop", "cancel", "pause", "resume", "end", "halt", "abort"),
        "Stop ends at once, cancel lets it clean up, pause freezes the time that is left",
        ("pause {}", "resume {}", "cancel {}", "stop {}", "stop everything"),
    ),
    Topic(
        ("skip", "extend", "retry", "later", "runs", "shorten", "try again"),
        "What runs can be hurried, held up and tried again; the workflow stays as it is written",
        (
            "skip the wait in {}",
            "extend the running wait of {} by 30 seconds",
            "retry {}",
            "list runs of {}",
            "what is scheduled today",
        ),
    ),
    Topic(
        (
            "errors",
            "error",
            "fails",
            "failing",
            "failure",
            "if it fails",
            "retries",
            "time limit",
            "timeout",
            "on error",
        ),
        "Say what happens when a step fails; without that the run ends there",
        (
            "in {} step {last} retry 3 times",
            "in {} keep going even if step {last} fails",
            "in {} if step {last} fails go to step 1",
            "in {} give up after 10 minutes",
            "test {} if step {last} fails",
        ),
    ),
    Topic(
        ("test", "tests", "trying", "backtest", "simulate", "dry run", "preview", "try"),
        "Ask what would happen; nothing is done",
        ("test {}", "test {} when someone follows with user=ann", "test {} if step {last} fails", "backtest {}"),
    ),
    Topic(
        (
            "undo",
            "redo",
            "history",
            "diff",
            "versions",
            "version",
            "mistake",
            "mistakes",
            "oops",
            "back",
            "corrections",
        ),
        "Every change is a version and can be taken back; a wrong one is put right with: no, the other one",
        ("undo", "redo", "history {}", "diff {}", "undo 2 {}"),
    ),
    Topic(
        ("why", "show", "list", "look", "questions", "ask", "see", "find", "logs", "log"),
        "Ask what there is and why something happened",
        ("list", "show {}", "why {}", "status", "list runs of {}"),
    ),
    Topic(
        ("names", "name", "rename", "delete", "enable", "disable", "switch", "turn off", "turn on", "copy"),
        "Deleting asks first and can be undone",
        ("rename {} to greeting", "disable {}", "enable {}", "copy {} to greeting", "delete workflow {}"),
    ),
    Topic(
        ("files", "file", "export", "import", "share", "sharing", "backup", "templates", "template"),
        "A workflow can be printed and read in again",
        ("export {} as text", "export {} as json", "share {}"),
    ),
    Topic(
        ("obs", "scene", "scenes", "source", "sources", "record", "recording", "mute", "camera"),
        "Scenes, sources and recordings are steps like any other",
        (
            'in {} add switch to scene "BRB"',
            'in {} add hide "webcam"',
            "in {} add start recording",
            'when someone redeems "Hydrate" switch to scene "Close up"',
        ),
    ),
    Topic(
        ("overlay", "alerts", "alert", "images", "image", "picture"),
        "The overlay shows and plays what workflows say, as a browser source in OBS",
        (
            'in {} add show the text "hello" for 10 seconds',
            'when someone follows show the alert "welcome ${user}"',
            "in {} add show a countdown of 5 minutes",
        ),
    ),
    Topic(
        ("web", "webhook", "webhooks", "http", "url", "api", "fetch"),
        "Workflows ask web addresses, which the streamer has to write, and are started by webhooks",
        (
            'in {} add fetch "https://api.example.com/weather"',
            'when a webhook comes in say "something came in"',
        ),
    ),
    Topic(
        ("discord", "post", "channel", "channels", "announce", "announcement"),
        "To say something in Discord, name a channel",
        ('in {} add post "we are live" in #general', 'when the stream starts post "live!" in #announcements'),
    ),
)

LISTED: Final = (
    "create", "edit", "waits", "triggers", "schedules", "conditions", "loops", "cooldown", "permissions", "variables", "counters", "run",
    "stop", "errors", "test", "undo", "why", "names", "files",
)  # fmt: skip
"""What the overview names; the others are found when asked for."""
