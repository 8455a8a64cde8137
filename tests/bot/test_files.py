"""The commands beside the chat: each does its one thing or says in a line why not, also while a bot is running."""

import json
import shutil
from pathlib import Path

import pytest

from tests.chat import ROOT, Chat, command

STREAM = ROOT / "tests" / "data" / "stream_start.json"
RAID = ROOT / "tests" / "data" / "raid_workflow.json"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def done(*arguments: str, data: Path) -> str:
    ran = command(*arguments, data=data)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout


def refused(*arguments: str, data: Path) -> str:
    ran = command(*arguments, data=data)
    assert ran.returncode != 0, ran.stdout
    assert 1 <= len(ran.stderr.splitlines()) <= 2, ran.stderr
    assert "Traceback" not in ran.stderr
    return ran.stderr


def test_before_anything_was_kept_there_is_nothing_to_list_and_no_folder_is_made(data: Path) -> None:
    assert done("workflows", "list", data=data) == "No workflows yet.\n"
    assert '"raid"' in refused("workflows", "export", "raid", data=data)
    assert "back up" in refused("backup", data=data)
    assert not data.exists()


def test_a_workflow_goes_in_and_comes_out_the_same_as_json(data: Path, tmp_path: Path) -> None:
    said = done("workflows", "import", str(RAID), data=data)
    assert "raid_workflow v1" in said
    listed = done("workflows", "list", data=data)
    assert listed.startswith("raid_workflow v1: ")
    out = tmp_path / "out.json"
    out.write_text(done("workflows", "export", "raid_workflow", "--format", "json", data=data), encoding="utf-8")
    assert json.loads(out.read_text(encoding="utf-8"))["id"] == "raid_workflow"
    done("workflows", "import", str(out), data=tmp_path / "other")
    again = done("workflows", "export", "raid_workflow", "--format", "json", data=tmp_path / "other")
    assert again == out.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [STREAM, RAID], ids=["stream_start", "raid_workflow"])
def test_a_workflow_goes_in_and_comes_out_the_same_as_sentences(file: Path, data: Path, tmp_path: Path) -> None:
    done("workflows", "import", str(file), data=data)
    text = tmp_path / "it.workflow"
    text.write_text(done("workflows", "export", file.stem, data=data), encoding="utf-8")
    assert "can run" in done("workflows", "validate", str(text), data=data)
    done("workflows", "import", str(text), data=tmp_path / "other")
    assert exported(file.stem, "text", data) == exported(file.stem, "text", tmp_path / "other")
    # The order of a step's edges means nothing, so the texts may differ where the values do not.
    assert json.loads(exported(file.stem, "json", data)) == json.loads(exported(file.stem, "json", tmp_path / "other"))


def exported(name: str, form: str, data: Path) -> str:
    return done("workflows", "export", name, "--format", form, data=data)


def test_importing_again_makes_the_next_version_which_can_be_undone_in_chat(data: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    assert "raid_workflow v2" in done("workflows", "import", str(RAID), data=data)
    with Chat(data) as chat:
        assert "done" in chat.say("!workflow undo raid_workflow").kinds


def test_a_workflow_is_found_by_its_name_in_any_case(data: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    assert "raid_workflow" in done("workflows", "export", "channel RAID workflow", data=data)


def test_beside_a_running_bot_one_can_read_and_back_up_but_not_write(data: Path, tmp_path: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    copy = tmp_path / "copy.db"
    with Chat(data) as chat:
        chat.say("/config greeting hi")
        assert "raid_workflow" in done("workflows", "list", data=data)
        done("workflows", "export", "raid_workflow", data=data)
        assert str(copy) in done("backup", str(copy), data=data)
        for arguments in (["workflows", "import", str(STREAM)], ["restore", str(copy)], ["chat", "--json"]):
            told = refused(*arguments, data=data)
            assert "running" in told
            assert "say it there" in told
        assert "greeting = hi" in chat.say("/config list").text
    assert "stream_start" not in done("workflows", "list", data=data)


def test_a_backup_brings_everything_back_and_keeps_what_it_replaces(data: Path, tmp_path: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    told = done("backup", data=data)
    [copy] = (data / "backups").iterdir()
    assert str(copy) in told
    assert copy.stat().st_mode & 0o077 == 0
    shutil.move(copy, tmp_path / "copy.db")
    done("workflows", "import", str(STREAM), data=data)
    assert "replaced" in done("restore", str(tmp_path / "copy.db"), data=data)
    listed = done("workflows", "list", data=data)
    assert "raid_workflow" in listed
    assert "stream_start" not in listed


def test_a_backup_never_overwrites(data: Path, tmp_path: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    taken = tmp_path / "taken"
    taken.write_text("mine", encoding="utf-8")
    assert "taken" in refused("backup", str(taken), data=data)
    assert taken.read_text(encoding="utf-8") == "mine"


def test_what_is_no_backup_is_not_restored(data: Path, tmp_path: Path) -> None:
    done("workflows", "import", str(RAID), data=data)
    wrong = tmp_path / "wrong.db"
    wrong.write_text("hello", encoding="utf-8")
    for file in (wrong, tmp_path / "nowhere.db"):
        assert file.name in refused("restore", str(file), data=data)
    assert "raid_workflow" in done("workflows", "list", data=data)


def test_a_workflow_that_cannot_run_is_judged_and_not_imported(data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    workflow = json.loads(RAID.read_text(encoding="utf-8"))
    workflow["states"][0]["transitions"]["success"] = "nowhere_to_go"
    broken.write_text(json.dumps(workflow), encoding="utf-8")
    ran = command("workflows", "validate", str(broken), data=data)
    assert ran.returncode == 1
    assert "nowhere_to_go" in ran.stdout
    assert "broken.json" in ran.stderr
    assert "nowhere_to_go" in refused("workflows", "import", str(broken), data=data)
    assert not data.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["workflows", "frobnicate"],
        ["workflows", "export"],
        ["chat", "--role", "king"],
        ["chat", "--as", "two words"],
    ],
)
def test_a_wrong_command_line_is_told_without_a_traceback(arguments: list[str], data: Path) -> None:
    ran = command(*arguments, data=data)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert not data.exists()


SEQUENCE = ROOT / "tests" / "data" / "formats" / "stream_start_sequence.json"
YAML = "name: Greeting\nsteps:\n  - {id: hello, type: twitch.send_chat_message, config: {message: hi}, mood: 1}\n"


def test_a_list_of_steps_goes_in_and_comes_out_in_every_form_that_can_say_it(data: Path, tmp_path: Path) -> None:
    assert "stream_start_sequence v1" in done("workflows", "import", str(SEQUENCE), data=data)
    name = "stream_start_sequence"
    assert json.loads(exported(name, "steps", data)) == json.loads(SEQUENCE.read_text(encoding="utf-8"))
    ours = exported(name, "json", data)
    for form, suffix in (("steps", "json"), ("yaml", "yaml"), ("xstate", "json")):
        file = tmp_path / f"{form}.{suffix}"
        file.write_text(exported(name, form, data), encoding="utf-8")
        done("workflows", "import", str(file), data=tmp_path / form)
        assert exported(name, "json", tmp_path / form) == ours
    told = refused("workflows", "export", name, "--format", "dag", data=data)
    assert told == "It cannot be written as a graph of nodes: it is not one step of branches.\n"


def test_an_import_tells_what_was_chosen_and_what_was_lost(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "greeting.yaml"
    file.write_text(YAML, encoding="utf-8")
    for command_ in ("validate", "import"):
        said = done("workflows", command_, str(file), data=data)
        assert 'not carried over: step 1 ("hello"): "mood" means nothing to me and was left out.' in said
        assert 'taken as: it has no "id"; it is called greeting.' in said


def test_the_service_of_words_that_name_none_can_be_said(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "stopping.js"
    file.write_text("steps: [ { id: 'off', action: 'stop_streaming', delay: 0 } ] // all of it", encoding="utf-8")
    assert 'there is no service "custom"' in refused("workflows", "import", str(file), data=data)
    assert "Imported stopping v1" in done("workflows", "import", str(file), "--service", "obs", data=data)
    assert json.loads(exported("stopping", "json", data))["states"][0]["action"]["service"] == "obs"
    assert json.loads(exported("stopping", "delays", data))["steps"][0]["action"] == "obs.stop_streaming"


def test_yaml_that_cannot_be_read_is_told_with_its_place(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("name: a\nsteps: [", encoding="utf-8")
    assert "broken.yaml: This is not YAML" in refused("workflows", "validate", str(file), data=data)


def test_chat_imports_other_forms_and_tells_in_short_what_was_chosen(data: Path) -> None:
    with Chat(data) as chat:
        said = chat.say(
            "!workflow import {name: 'Hi', steps: [{id: 'a', action: 'twitch.send_chat_message', message: 'hi', x: 1}]}"
        )
        assert "takes message" in said.text
        said = chat.say("!workflow import {name: 'Hi', steps: [{id: 'a', action: 'obs.stop_streaming'}], owner: 'me'}")
        assert 'Not carried over: "owner" means nothing to me and was left out.' in said.text
        assert "I chose" in said.text
        assert "Imported Hi (v1)" in said.text
