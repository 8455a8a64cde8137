"""Drives the real command line from tests: a chat through its pipe, one line in and one object out, and the file commands.

Nothing of the product is imported here; what a test sees is what a person's terminal or a script sees.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-m", "bot")
ANSWER_WITHIN = 30.0

Reply = dict[str, Any]


def environment() -> dict[str, str]:
    """The caller's environment without anything that would lead the program to somebody's real data."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SHOWCALLER_")}
    return {**kept, "PYTHONUTF8": "1"}


def command(*arguments: str, data: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    where = () if data is None else ("--data", str(data))
    return subprocess.run(
        [*PROGRAM, *arguments, *where],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        cwd=ROOT,
        env=environment(),
        check=False,
    )


@dataclass(frozen=True)
class Turn:
    """What one line came to."""

    line: str
    answer: dict[str, Any]
    between: tuple[dict[str, Any], ...] = ()

    @property
    def replies(self) -> list[Reply]:
        """All replies."""
        return list(self.answer["replies"])

    @property
    def actions(self) -> list[dict[str, Any]]:
        """All attempts handed to services."""
        return list(self.answer["actions"])

    @property
    def text(self) -> str:
        """Everything said, one reply a line."""
        return "\n".join(reply["text"] for reply in self.replies)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the replies."""
        return [reply["kind"] for reply in self.replies]


class Gone(AssertionError):
    """The program ended, or answered with something else than an object."""


@dataclass
class Chat:
    """One running `showcaller chat --json`."""

    data: Path
    options: tuple[str, ...] = ("--virtual-time",)
    process: "subprocess.Popen[str]" = field(init=False)
    _out: "queue.Queue[str | None]" = field(init=False, default_factory=queue.Queue)
    _err: list[str] = field(init=False, default_factory=list)
    _readers: list[threading.Thread] = field(init=False, default_factory=list)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [*PROGRAM, "chat", "--json", *self.options, "--data", str(self.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=environment(),
        )
        for target in (self._read_out, self._read_err):
            reader = threading.Thread(target=target, daemon=True)
            reader.start()
            self._readers.append(reader)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            if kind is None:
                self.end()
            else:
                self.kill()
        self._join()

    def _read_out(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._out.put(line)
        self._out.put(None)

    def _read_err(self) -> None:
        assert self.process.stderr is not None
        self._err.extend(self.process.stderr)

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(ANSWER_WITHIN)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()

    @property
    def stderr(self) -> str:
        """What was written beside the replies so far."""
        return "".join(self._err)

    def say(self, line: str, within: float = ANSWER_WITHIN) -> Turn:
        """Send a line and wait for its object; what happened between lines is kept beside it."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Gone(f"the program has ended before {line[:200]!r}\n{self.stderr}") from None
        between: list[dict[str, Any]] = []
        while True:
            answer = self._next(line, within)
            if answer["in"] is None:
                between.append(answer)
            else:
                return Turn(line, answer, tuple(between))

    def _next(self, line: str, within: float) -> dict[str, Any]:
        try:
            raw = self._out.get(timeout=within)
        except queue.Empty:
            raise Gone(f"no answer within {within:g} s to {line[:200]!r}\n{self.stderr}") from None
        if raw is None:
            self.process.wait(ANSWER_WITHIN)
            raise Gone(f"the program ended with {self.process.returncode} at {line[:200]!r}\n{self.stderr}")
        try:
            answer = json.loads(raw)
        except ValueError:
            raise Gone(f"not an object: {raw!r}\n{self.stderr}") from None
        assert isinstance(answer, dict), raw
        return answer

    def end(self) -> int:
        """Close the input, as a pipe does, and return the exit code."""
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait(ANSWER_WITHIN)

    def term(self) -> int:
        """End it as a service supervisor does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(ANSWER_WITHIN)

    def kill(self) -> int:
        """End it as a power cut does."""
        self.process.kill()
        return self.process.wait(ANSWER_WITHIN)
