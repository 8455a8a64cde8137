"""How long a person waits before the first word, and how much memory the terminal takes. Best of several: machines are noisy."""

import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.chat import PROGRAM, ROOT, command, environment

pytestmark = pytest.mark.slow

PROMPT = ">"
ROUNDS = 5
MOST = 3.5
"""So many times as long as loading the libraries that a start needs, whatever the machine: a quiet one takes about 0.4 s."""

LIBRARIES = "import aiosqlite, filelock, lark, orjson, prompt_toolkit.shortcuts, pydantic, rapidfuzz, re2, typer"


def libraries() -> float:
    """Seconds to start Python and load what a start of the bot needs of others."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - began


def first_prompt(data: Path) -> tuple[float, int]:
    """Seconds from the start to the first prompt, and the peak of resident memory in bytes after a first sentence."""
    began = time.perf_counter()
    terminal = pexpect.spawn(
        PROGRAM[0],
        [*PROGRAM[1:], "chat", "--data", str(data)],
        env={**environment(), "TERM": "xterm-256color"},
        cwd=str(ROOT),
        encoding="utf-8",
        timeout=20,
        dimensions=(40, 200),
    )
    try:
        terminal.expect_exact(PROMPT)
        seconds = time.perf_counter() - began
        terminal.send("!workflow when someone follows say hi\r")
        terminal.expect_exact("Created")
        status = Path(f"/proc/{terminal.pid}/status").read_text(encoding="ascii")
        peak = next(int(row.split()[1]) * 1024 for row in status.splitlines() if row.startswith("VmHWM"))
        terminal.send("/quit\r")
        terminal.expect(pexpect.EOF)
        terminal.wait()
    finally:
        terminal.close(force=True)
    return seconds, peak


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_first_prompt_comes_soon_after_the_libraries_are_loaded_and_in_100_megabytes(tmp_path: Path) -> None:
    measured, loading = [], []
    for number in range(ROUNDS):  # in turns, so that a busy machine slows both
        loading.append(libraries())
        measured.append(first_prompt(tmp_path / str(number)))
    yardstick = min(loading)
    seconds = min(seconds for seconds, _ in measured)
    peak = max(peak for _, peak in measured)
    print(f"the libraries alone {yardstick:.2f} s, {seconds / yardstick:.1f} times that:")
    print(f"first prompt {seconds:.2f} s (all: {', '.join(f'{s:.2f}' for s, _ in measured)}), peak {peak / 1e6:.0f} MB")
    assert seconds < MOST * yardstick
    assert peak <= 100e6


def test_help_comes_within_two_fifths_of_a_second() -> None:
    def once() -> float:
        began = time.perf_counter()
        ran = command("--help")
        assert ran.returncode == 0
        assert "chat" in ran.stdout
        return time.perf_counter() - began

    seconds = min(once() for _ in range(ROUNDS))
    print(f"--help {seconds:.2f} s")
    assert seconds < 0.4


PLATFORMS = {
    "aiohttp", "discord", "graphlay", "httpx2", "lark", "openai", "prometheus_client", "pydantic_ai", "resvg_py", "twitchio", "yaml",
}  # fmt: skip
"""What only those need who are on the air, draw, read YAML, or have no table of the language yet."""


@pytest.mark.parametrize(
    ("arguments", "typed", "unneeded"),
    [
        (["--help"], "", {*PLATFORMS, "aiosqlite", "prompt_toolkit", "pydantic", "rapidfuzz", "re2"}),
        (["chat"], "!workflow when someone follows say hi\n", PLATFORMS),
    ],
)
def test_a_start_loads_none_of_the_libraries_that_it_does_not_need(
    arguments: list[str], typed: str, unneeded: set[str], tmp_path: Path
) -> None:
    data = [] if arguments == ["--help"] else ["--data", str(tmp_path)]
    command(*arguments, *data, stdin=typed)  # the table of the language is made here, if nobody has made it before
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", *PROGRAM[1:], *arguments, *data],
        input=typed,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=True,
    )
    loaded = {row.rpartition("|")[2].strip().partition(".")[0] for row in ran.stderr.splitlines()}
    assert "bot" in loaded
    assert not loaded & unneeded
