"""The example plugin, installed as an author's package is, and used as a person uses it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chat import ROOT, Chat, command, environment

EXAMPLE = ROOT / "tests" / "data" / "example_plugin"

BROKEN = """
from bot.plugins import PluginService, method
print("I am being loaded")
class Broken(PluginService):
    name = "broken"
    @method(phrases=("mend {it}",))
    async def mend(self) -> None: ...
"""


def uv() -> str:
    """The installer."""
    ours = ROOT / ".uv" / "bin" / "uv"
    found = os.environ.get("UV") or shutil.which("uv") or (str(ours) if ours.exists() else None)
    if found is None:
        pytest.skip("there is no uv to install the plugin with")
    return found


def install(source: Path, target: Path) -> None:
    """Install a package into a folder, from nothing but what is here."""
    ran = subprocess.run(
        [uv(), "pip", "install", "--offline", "--no-deps", "--no-config", "--target", str(target), str(source)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**environment(), "VIRTUAL_ENV": sys.prefix},
        check=False,
    )
    if ran.returncode and "offline" in ran.stderr.lower():
        pytest.skip(f"the plugin cannot be built without the network here: {ran.stderr[-300:]}")
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The author's checkout."""
    return shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("author") / "showcaller-lamp")


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the example is installed."""
    target = tmp_path_factory.mktemp("installed")
    install(package, target)
    return target


@pytest.fixture
def beside(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every program that is started find the example."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(installed), str(ROOT))))
    return installed


def test_it_is_installed_with_its_entry_point(installed: Path) -> None:
    [points] = installed.glob("showcaller_lamp-*.dist-info/entry_points.txt")
    assert "[showcaller.services]" in points.read_text(encoding="utf-8")


@pytest.mark.usefixtures("beside")
def test_its_sentence_is_typed_runs_and_its_result_is_used_in_a_later_step(tmp_path: Path) -> None:
    with Chat(tmp_path) as bot:
        made = bot.say('!workflow when someone raids dim the lamp desk to 20, then say "it was at ${dim.before}"')
        assert made.kinds == ["done"], made.text
        assert '1 dim "desk" to 20 · 2 say "it was at ${dim.before}"' in made.text

        raided = bot.say("/raid ninja 50")
        assert [(action["service"], action["outcome"], action["simulated"]) for action in raided.actions] == [
            ("lamp", "done", False),
            ("twitch", "done", True),
        ]
        assert raided.actions[1]["params"] == {"message": "it was at 100"}

        shown = bot.say("!workflow show raid")
        assert 'dim "desk" to 20' in shown.text
        assert bot.say('!workflow replace the dimming with dim "moon" to 5').kinds == ["done"]
        failed = bot.say("/raid ninja 50")
        assert [action["outcome"] for action in failed.actions] == ["error"]
        assert 'there is no lamp "moon"; those there are: desk, ceiling' in failed.text


@pytest.mark.usefixtures("beside")
def test_its_event_starts_workflows_after_a_restart_too(tmp_path: Path) -> None:
    with Chat(tmp_path) as bot:
        made = bot.say('!workflow when a lamp is switched say "${lamp} is ${state}"')
        assert "When a lamp is switched: 1 say" in made.text
        assert bot.say("!workflow create dark: darken desk").kinds == ["done"]
    with Chat(tmp_path) as bot:
        ran = bot.say("!workflow run dark")
        assert [action["params"].get("message") for action in ran.actions] == [None, "desk is off"]


@pytest.mark.usefixtures("beside")
def test_people_see_its_deeds_in_words(tmp_path: Path) -> None:
    ran = command("chat", "--virtual-time", data=tmp_path, stdin="!wf create d: dim desk to 5\n!wf run d\n")
    assert '  lamp: dim "desk" to 5' in ran.stdout.splitlines()
    exported = command("workflows", "export", "d", data=tmp_path).stdout
    (tmp_path / "d.workflow").write_text(exported, encoding="utf-8")
    judged = command("workflows", "validate", str(tmp_path / "d.workflow"), data=tmp_path)
    assert (judged.returncode, judged.stderr) == (0, "")


@pytest.mark.usefixtures("beside")
def test_a_workflow_of_a_plugin_that_is_gone_is_kept_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("chat", "--virtual-time", data=tmp_path, stdin="!wf create d: dim desk to 5\n")
    monkeypatch.delenv("PYTHONPATH")
    with Chat(tmp_path) as bot:
        assert 'do lamp.dim with {"lamp": "desk", "level": 5}' in bot.say("!wf show d").text
        ran = bot.say("!wf run d")
        assert ran.actions == []
        assert "lamp" in ran.text


@pytest.mark.usefixtures("beside")
def test_a_broken_plugin_is_told_at_start_and_the_bot_works(
    tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "broken_lamp.py").write_text(BROKEN, encoding="utf-8")
    info = other / "broken_lamp-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-lamp\nVersion: 0.1\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[showcaller.services]\nbroken = broken_lamp:Broken\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(other), str(installed), str(ROOT))))
    told = (
        "The plugin \"broken\" of broken-lamp 0.1 was left out: broken.mend has no param 'it', but a phrase names it."
    )

    with Chat(tmp_path / "data") as bot:
        turn = bot.say("!wf create d: dim desk to 5")
        assert turn.kinds == ["done"]
        said = [reply["text"] for answer in turn.between for reply in answer["replies"]]
        assert said == [told]
    assert bot.stderr == ""
    (tmp_path / "d.workflow").write_text('workflow "d"\n1. dim "desk" to 5\n', encoding="utf-8")
    judged = command("workflows", "validate", str(tmp_path / "d.workflow"))
    assert judged.stdout.splitlines()[0] == told


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("runner", [("pytest", "-q", "-p", "no:cacheprovider"), ("unittest", "tests/test_lamp.py")])
def test_its_own_tests_run_where_it_is_installed(package: Path, runner: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", *runner],
        cwd=package,
        env={**environment(), "PYTHONPATH": os.environ["PYTHONPATH"]},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 passed" in ran.stdout or "Ran 4 tests" in ran.stderr


def test_it_uses_public_names_only() -> None:
    import bot.plugins
    import bot.testkit

    imported: set[tuple[str, str]] = set()
    for path in EXAMPLE.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("from bot", "from engine", "from grammar", "from storage")):
                module, _, names = line.removeprefix("from ").partition(" import ")
                imported |= {(module, name.strip()) for name in names.split(",")}
    assert {module for module, _ in imported} == {"bot.plugins", "bot.testkit"}
    for module, name in imported:
        assert name in (bot.plugins.__all__ if module == "bot.plugins" else bot.testkit.__all__), name
