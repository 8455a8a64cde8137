"""The log file: what a line says it is about, as text and as objects, without a secret in either."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.log import asked_form, log_to
from engine.logged import FIELDS, about
from tests.fakes import Bench, RecordingService, say, workflow
from tests.fakes_store import MemoryStore
from tests.storage.records import effect, execution, waiting

log = logging.getLogger("x")


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The root logger as it was, whatever a test does to it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_one_object_that_says_what_it_is_about(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "json")
    log.warning("two\nlines of %s", "text", extra=about(effect()))
    [entry] = objects(tmp_path / "log")
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "WARNING",
        "logger": "x",
        "message": "two\nlines of text",
        "execution": "e1",
        "workflow": "raid",
        "community": "main",
        "effect": "e1/main/say/1",
        "step": "say",
    }


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "json")
    log.info("plain")
    log.info("a run", extra=about(execution()))
    log.info("a run in a step", extra=about(waiting()))
    plain, run, step = objects(tmp_path / "log")
    assert not set(FIELDS) & set(plain)
    assert "step" not in run
    assert step["step"] == "wait"


def test_as_text_it_stands_at_the_end_of_the_first_line(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "text")
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("broke", extra=about(waiting()))
    log.info("plain")
    first, *_, last = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert first.endswith("ERROR x: broke [execution=e1 workflow=raid community=main step=wait]")
    assert last.endswith("INFO x: plain")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("secret", ["hunter22", 'quo"te\\d', "zwei\nZeilen", "schlüssel"])
def test_a_secret_is_nowhere_whatever_it_is_made_of(tmp_path: Path, form: Any, secret: str) -> None:
    log_to(tmp_path / "log", form).secrets = lambda: [secret]
    try:
        raise ValueError(f"{secret} was wrong")
    except ValueError:
        log.exception("the key is %s", secret, extra={"step": f"with {secret}", "execution": "e1"})
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert secret not in written
    assert json.dumps(secret)[1:-1] not in written
    assert json.dumps(secret, ensure_ascii=False)[1:-1] not in written
    assert "the key is ***" in written
    assert "with ***" in written
    assert "ValueError: *** was wrong" in written


def test_an_object_is_one_line_of_json_whatever_a_viewer_wrote(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "json")
    log.info("%s", 'a"b\\c\x00\x85\u2028\ud800')
    log.info("next")
    lines = (tmp_path / "log").read_text(encoding="utf-8").split("\n")
    assert len(lines) == 3
    assert json.loads(lines[0])["message"] == 'a"b\\c\x00\x85\u2028\ud800'


def test_the_environment_chooses_the_form_and_text_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SHOWCALLER_LOG", raising=False)
    assert asked_form() == "text"
    monkeypatch.setenv("SHOWCALLER_LOG", "JSON")
    log_to(tmp_path / "log")
    log.info("hello")
    assert objects(tmp_path / "log")[0]["message"] == "hello"


def test_the_log_grows_to_three_files_of_five_million_bytes_and_no_more(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "json")
    for _ in range(700):
        log.info("%s", "x" * 31_000)
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 3
    assert max(sizes) <= 5_000_000


async def test_what_the_engine_logs_about_a_run_carries_its_id(tmp_path: Path) -> None:
    log_to(tmp_path / "log", "json")
    service = RecordingService()
    service.answer("say", RuntimeError("the socket broke"))
    bench = await Bench(MemoryStore(), service=service).open(workflow("raid", say("hello", "hi")))
    run = await bench.run("raid")
    entries = [entry for entry in objects(tmp_path / "log") if entry["logger"] == "engine.performer"]
    assert [(entry["execution"], entry["workflow"], entry["step"]) for entry in entries] == [(run.id, "raid", "hello")]
    assert "the socket broke" in entries[0]["exception"]
    await bench.runner.close()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("POST /oauth2/token?refresh_token=abc&client_id=x", "POST /oauth2/token?refresh_token=***&client_id=x"),
        ("device_code=abc&scopes=y", "device_code=***&scopes=y"),
        ("{'type': 2, 'token': 'abc', 'version': 1}", "{'type': 2, 'token': '***', 'version': 1}"),
        ("POST /api/v10/interactions/123/abc/callback", "POST /api/v10/interactions/123/***/callback"),
        ("POST /api/v10/webhooks/123/abc?wait=1", "POST /api/v10/webhooks/123/***?wait=1"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("closed with code: 4009, status_code=200", "closed with code: 4009, status_code=200"),
        ("the tokens in tokens.json: two", "the tokens in tokens.json: two"),
    ],
)
def test_what_stands_where_libraries_put_secrets_is_struck_out_unknown_or_not(
    tmp_path: Path, written: str, kept: str
) -> None:
    log_to(tmp_path / "log", "text")
    log.warning("%s", written)
    assert (tmp_path / "log").read_text(encoding="utf-8").rstrip("\n").endswith(f"x: {kept}")
