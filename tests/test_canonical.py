"""The bot's own words, typed back where it said them, mean what it took the person's words to mean.

Each conversation of `transcripts/` is held twice, side by side: once as it was typed, once with every instruction in
the canonical words of its reply. Every reply, every action and every revision that was ever saved must be the same.
A correction takes back and makes anew, which is two versions of which its words say the second: it stays as it was typed.
"""

import json
import re
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chat import ROOT, Chat, Turn, command

FOLDER = ROOT / "tests" / "transcripts"
CALLS = ("!workflow ", "!wf ")


def _canonical(turn: Turn, asked: str | None) -> str | None:
    """The words to type instead of a line; None if the line is no instruction, or asks, or answers a question.

    A question may come of a guess at a mistyped word, which its canonical words do not hold any more.
    """
    if not turn.line.lower().lstrip().startswith(CALLS) or "question" in turn.kinds:
        return None
    said = [reply["canonical"] for reply in turn.replies if reply["canonical"]]
    return said[0] if said and said[0] != asked else None


_AN_ID: Final = re.compile(r"(?<![0-9a-z])[0-9a-f]{12,16}(?![0-9a-z])")
"""What a simulated platform calls a message or a clip: each of two programs draws its own."""


def _told(turn: Turn) -> Any:
    return json.loads(_AN_ID.sub("id", json.dumps(_as_told(turn), sort_keys=True)))


def _as_told(turn: Turn) -> list[Any]:
    return [
        [(reply["kind"], reply["canonical"], reply["workflow"], reply["revision"]) for reply in turn.replies[:1]],
        [(act["service"], act["method"], act["params"], act["state"], act["outcome"]) for act in turn.actions],
    ]


def _body(body: str) -> dict[str, Any]:
    """What a revision is, without what was typed and when."""
    revision = json.loads(body)
    return {key: revision[key] for key in ("definition", "author", "step_authors")}


def _saved(data: Path) -> list[tuple[str, int, Any]]:
    """Every revision of every workflow, as kept."""
    with closing(sqlite3.connect(data / "showcaller.db")) as database:
        rows = database.execute("SELECT workflow, number, body FROM revisions ORDER BY workflow, number")
        return [(workflow, number, _body(body)) for workflow, number, body in rows]


class _Pair:
    """Two programs on two files, in the same conversation."""

    def __init__(self, stack: ExitStack, home: Path) -> None:
        self.stack, self.home = stack, home
        self.folders = (home / "typed", home / "canonical")
        self.chats: tuple[Chat, Chat] | None = None
        self.asked: str | None = None
        self.compared = 0
        self.revisions: dict[str, int] = {}

    def play(self, line: Mapping[str, Any]) -> Iterator[str]:
        if "cli" in line:
            self._command(line)
        elif "restart" in line:
            self._end(line["restart"])
        else:
            yield from self._say(line["in"])

    def _is_correction(self, turn: Turn) -> bool:
        """Whether two versions were made of a workflow at once."""
        jumped = False
        for reply in turn.replies:
            workflow, revision = reply["workflow"], reply["revision"]
            if workflow is not None and revision is not None:
                jumped = jumped or (workflow in self.revisions and revision > self.revisions[workflow] + 1)
                self.revisions[workflow] = revision
        return jumped

    def _say(self, line: str) -> Iterator[str]:
        if self.chats is None:
            first, second = (self.stack.enter_context(Chat(folder)) for folder in self.folders)
            self.chats = (first, second)
        turn = self.chats[0].say(line)
        words = None if self._is_correction(turn) else _canonical(turn, self.asked)
        # A line break inside a message is written \n in a pipe.
        again = line if words is None else "!workflow " + words.replace("\n", "\\n")
        back = self.chats[1].say(again)
        self.compared += words is not None
        question = [reply["canonical"] for reply in turn.replies if reply["kind"] == "question"]
        self.asked = question[0] if question else self.asked
        if _told(turn) != _told(back):
            yield f"{line!r} came to {_told(turn)}\n  and {again!r} to {_told(back)}: {back.text}"

    def _command(self, line: Mapping[str, Any]) -> None:
        self._end("end")
        for folder in self.folders:
            parts = [
                part.format(data=ROOT / "tests" / "data", tmp=folder.parent / f"{folder.name}-files")
                for part in line["cli"]
            ]
            ran = command(*parts, data=folder)
            if "save" in line:
                kept = folder.parent / f"{folder.name}-files"
                kept.mkdir(exist_ok=True)
                (kept / line["save"]).write_text(ran.stdout, encoding="utf-8")

    def _end(self, how: str) -> None:
        chats, self.chats = self.chats, None
        for chat in chats or ():
            {"end": chat.end, "term": chat.term, "kill": chat.kill}[how]()

    def finish(self) -> Iterator[str]:
        self._end("end")
        typed, canonical = (_saved(folder) for folder in self.folders)
        if len(typed) != len(canonical):
            yield f"{len(typed)} revisions were saved, and {len(canonical)}"
        yield from (f"saved was {one}\n  and {two}" for one, two in zip(typed, canonical, strict=False) if one != two)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_canonical_words_typed_back_in_their_place_mean_the_same(path: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        pair = _Pair(stack, tmp_path)
        problems = [problem for line in tomllib.loads(path.read_text("utf-8"))["line"] for problem in pair.play(line)]
        problems += pair.finish()
    assert not problems, "\n".join(problems)
    assert pair.compared, "nothing was said that could be typed back"
