"""Conversations of a moderator in a hurry, with mistakes, typed into the real program.

Each file in `transcripts/` is one conversation, written before the program could hold it. A line says what is typed and
what must come back:

    in         what is typed                       cli      a file command, run while nobody chats
    kind       of the one reply (or a list of      exit     its exit code
               kinds that are all right)           save     name of a file that keeps its output
    has        phrases in what is said             restart  "end", "term" or "kill": the program ends and starts again
    lacks      phrases that must not be there      actions  all attempts handed to services, in order; none if left out,
    canonical  the reply's canonical words                  "any" if they do not matter
    reply      "none" where silence is right       workflow, revision, as, role, platform: as in the reply

`{data}` and `{tmp}` in a file command are the folder of test data and a fresh folder.

A conversation with `[[model]]` tables has a server of language models, `{models}` in a line is its address: asked about what
was `typed` it `says` that, and NONE to anything else.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.chat import ANSWER_WITHIN, ROOT, Chat, Gone, Turn, command
from tests.servers.models import Asked, ModelServer, says

FOLDER = ROOT / "tests" / "transcripts"
ANSWER_KEYS = {"in", "as", "role", "platform", "replies", "actions"}
REPLY_KEYS = {"kind", "text", "canonical", "workflow", "revision"}
ACTION_KEYS = {
    "effect", "service", "method", "params", "workflow", "execution", "state", "outcome", "simulated",
}  # fmt: skip
KINDS = {"done", "question", "refusal", "answer"}
OUTCOMES = {"done", "error", "timeout", "unknown"}
LIMITS = {"twitch": 500, "discord": 2000}
LINE_KEYS = {
    "in", "cli", "restart", "kind", "has", "lacks", "canonical", "reply", "actions", "workflow", "revision",
    "as", "role", "platform", "exit", "save",
}  # fmt: skip

Line = Mapping[str, Any]


def _load(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


# What every answer must be -------------------------------------------------------------------------------------------


def _shape(answer: Mapping[str, Any]) -> Iterator[str]:
    if set(answer) != ANSWER_KEYS:
        yield f"keys of the object are {sorted(answer)}"
        return
    for reply in answer["replies"]:
        yield from _reply_shape(reply, answer["platform"])
    for action in answer["actions"]:
        if set(action) != ACTION_KEYS:
            yield f"keys of an action are {sorted(action)}"
        elif action["outcome"] not in OUTCOMES or not action["effect"] or not action["execution"]:
            yield f"an action without effect, execution or outcome: {action}"


def _reply_shape(reply: Mapping[str, Any], platform: str) -> Iterator[str]:
    if set(reply) != REPLY_KEYS:
        yield f"keys of a reply are {sorted(reply)}"
        return
    text, canonical = reply["text"], reply["canonical"]
    if reply["kind"] not in KINDS:
        yield f"a reply of kind {reply['kind']!r}"
    if not text.strip():
        yield "an empty reply"
    if len(text) > LIMITS.get(platform, 500):
        yield f"a reply of {len(text)} characters on {platform}"
    if text.startswith(("!", "/")):
        yield f"a reply that begins like a command: {text!r}"
    if "Traceback" in text or "Error(" in text:
        yield f"a reply for programmers: {text!r}"
    if canonical and reply["kind"] == "done" and len(canonical) < 300 and canonical not in text:
        yield f"the text does not hold its canonical words {canonical!r}: {text!r}"


# What this line must come to -----------------------------------------------------------------------------------------


def _words(line: Line, text: str) -> Iterator[str]:
    for phrase in line.get("has", ()):
        if phrase not in text:
            yield f"does not say {phrase!r}"
    for phrase in line.get("lacks", ()):
        if phrase in text:
            yield f"says {phrase!r}"


def _replies(line: Line, turn: Turn) -> Iterator[str]:
    if line.get("reply") == "none":
        if turn.replies:
            yield "should have said nothing"
        return
    yield from _words(line, turn.text)
    if "kind" not in line:
        if "refusal" in turn.kinds:
            yield "was refused"
        return
    wanted = [line["kind"]] if isinstance(line["kind"], str) else line["kind"]
    main = next((reply for reply in turn.replies if reply["kind"] in wanted), None)
    if main is None:
        yield f"should be {' or '.join(wanted)}, is {', '.join(turn.kinds) or 'silence'}"
        return
    for key in ("canonical", "workflow", "revision"):
        if key in line and main[key] != line[key]:
            yield f"{key} should be {line[key]!r}, is {main[key]!r}"


def _speaker(line: Line, turn: Turn) -> Iterator[str]:
    for key in ("as", "role", "platform"):
        if key in line and turn.answer[key] != line[key]:
            yield f"{key} should be {line[key]!r}, is {turn.answer[key]!r}"


def _actions(line: Line, turn: Turn) -> Iterator[str]:
    wanted = line.get("actions", [])
    if wanted == "any":
        return
    names = [f"{action['service']}.{action['method']}" for action in turn.actions]
    if names != [action["do"] for action in wanted]:
        yield f"did {', '.join(names) or 'nothing'} instead of {', '.join(a['do'] for a in wanted) or 'nothing'}"
        return
    for number, (want, got) in enumerate(zip(wanted, turn.actions, strict=True), 1):
        expected = {"outcome": "done", "simulated": True, **{k: v for k, v in want.items() if k != "do"}}
        for key, value in expected.items():
            if got[key] != value:
                yield f"action {number} ({want['do']}): {key} should be {value!r}, is {got[key]!r}"


# The conversation ----------------------------------------------------------------------------------------------------


class Stage:
    """One conversation: the program comes up when a line needs it and goes down for file commands."""

    def __init__(self, stack: ExitStack, home: Path, models: ModelServer | None = None) -> None:
        self.stack, self.home, self.data, self.models = stack, home, home / "data", models
        self.chat: Chat | None = None
        self.story: list[str] = []
        self.problems = 0
        self.effects: Counter[str] = Counter()

    def play(self, line: Line) -> None:
        if unknown := set(line) - LINE_KEYS:
            raise AssertionError(f"a transcript's line has no {sorted(unknown)}")
        if "cli" in line:
            self._command(line)
        elif "restart" in line:
            self._end(line["restart"])
        else:
            self._say(line)

    def _say(self, line: Line) -> None:
        if self.chat is None:
            self.chat = self.stack.enter_context(Chat(self.data))
        if self.models is None:
            turn = self.chat.say(line["in"])
        else:  # what asks models is loaded when it is first asked
            line = {**line, "in": line["in"].replace("{models}", self.models.url)}
            turn = self.chat.say(line["in"], within=4 * ANSWER_WITHIN)
        told = [f"     <- {reply['kind']}: {reply['text']}" for reply in turn.replies]
        did = [
            f"     ** {a['service']}.{a['method']} {a['params']} [{a['state']}] {a['outcome']}" for a in turn.actions
        ]
        problems = [
            *(problem for between in turn.between for problem in _shape(between)),
            *(f"between the lines: {between['actions']}" for between in turn.between if between["actions"]),
            *_shape(turn.answer),
            *_replies(line, turn),
            *_speaker(line, turn),
            *_actions(line, turn),
            *self._twice(turn),
        ]
        if turn.answer.get("in") != line["in"]:
            problems.append(f"'in' is {turn.answer.get('in')!r}")
        self._tell(f"  -> {line['in']}", told + did, problems)

    def _twice(self, turn: Turn) -> Iterator[str]:
        for action in turn.actions:
            self.effects[action["effect"]] += 1
            if self.effects[action["effect"]] > 1:
                yield f"the effect {action['effect']} was handed over twice"

    def _command(self, line: Line) -> None:
        self._end("end")
        arguments = [part.format(data=ROOT / "tests" / "data", tmp=self.home) for part in line["cli"]]
        ran = command(*arguments, data=self.data)
        if "save" in line:
            (self.home / line["save"]).write_text(ran.stdout, encoding="utf-8")
        said = ran.stdout + ran.stderr
        problems = list(_words(line, said))
        if ran.returncode != line["exit"]:
            problems.append(f"exit code {ran.returncode}")
        if "Traceback" in said:
            problems.append("a traceback")
        self._tell(f"  $ {' '.join(arguments)}", [f"     {row}" for row in said.splitlines()], problems)

    def _end(self, how: str) -> None:
        chat, self.chat = self.chat, None
        if chat is None:
            return
        code = {"end": chat.end, "term": chat.term, "kill": chat.kill}[how]()
        problems = [] if how == "kill" or code == 0 else [f"exit code {code}"]
        if "Traceback" in chat.stderr:
            problems.append(f"a traceback:\n{chat.stderr}")
        self._tell(f"  ({how})", [], problems)

    def _tell(self, head: str, rows: list[str], problems: list[str]) -> None:
        self.problems += len(problems)
        self.story += [head, *rows, *(f"  !! {problem}" for problem in problems)]

    def finish(self) -> None:
        self._end("end")


def _models(stack: ExitStack, script: Sequence[Mapping[str, str]]) -> ModelServer | None:
    """A server that says what the conversation has it say."""
    if not script:
        return None
    known = {each["typed"]: each["says"] for each in script}

    def answer(asked: Asked) -> None:
        typed = asked.asked["messages"][-1]["content"].rpartition("TYPED: ")[2]
        says(known.get(typed, "NONE"))(asked)

    return stack.enter_context(ModelServer(answer))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_conversation_goes_as_it_was_written(path: Path, tmp_path: Path) -> None:
    script = _load(path)
    with ExitStack() as stack:
        stage = Stage(stack, tmp_path, _models(stack, script.get("model", ())))
        try:
            for line in script["line"]:
                stage.play(line)
            stage.finish()
        except Gone as gone:
            stage.problems += 1
            stage.story.append(f"  !! {gone}")
        if stage.problems:
            pytest.fail("\n".join((f"{script['title']}: {stage.problems} things differ", *stage.story)), pytrace=False)


def test_there_are_at_least_ten_conversations() -> None:
    assert len(list(FOLDER.glob("*.toml"))) >= 10
