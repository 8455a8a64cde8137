"""The guided set-up with a real OBS: its password is tried before it is kept, and is shown nowhere."""

from pathlib import Path

import pytest

from bot.config import COMMUNITY, DataFolder, settings_from
from bot.obs.options import HOST, PORT, address_in, options_of
from bot.obs.platform import PASSWORD
from bot.setup import set_up
from bot.tokens import FILE, TokenFile
from storage.sqlite import SQLiteStore
from tests.obs import studio as real
from tests.obs.studio import Studio


class Person:
    """Somebody at the keyboard who types these answers, and nothing more after them."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.seen: list[str] = []

    def say(self, line: str) -> None:
        self.seen.append(line)

    async def ask(self, question: str) -> str:
        self.seen.append(question)
        return self.answers.pop(0) if self.answers else ""

    ask_hidden = ask

    async def confirm(self, question: str) -> bool:
        return await self.ask(question) == "y"

    async def unless_skipped(self, work: object) -> bool:
        raise AssertionError("nothing here takes long")


@pytest.mark.obs
async def test_a_password_is_tried_before_it_is_kept(studio: Studio, tmp_path: Path):
    if not studio.runs:
        studio.start()
    folder, address = DataFolder(tmp_path), f"127.0.0.1:{studio.port}"
    person = Person("y", address, "wrong-one", "y", address, real.PASSWORD)

    await set_up(folder, person, "obs")

    assert "OBS does not take the password." in person.seen
    assert any(line.endswith("answers; it has 5 scenes.") for line in person.seen)
    assert not [line for line in person.seen if "wrong-one" in line or real.PASSWORD in line]
    assert TokenFile.open(tmp_path).tokens[PASSWORD].access == real.PASSWORD
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    async with await SQLiteStore.open(folder.database, read_only=True) as store:
        values = settings_from(await store.config(COMMUNITY)).values
    assert (values[HOST], options_of(values).port) == ("127.0.0.1", studio.port)
    assert PASSWORD not in values


ADDRESSES = [
    ("localhost:4455", ("localhost", 4455)),
    ("ws://192.168.1.5:4456/", ("192.168.1.5", 4456)),
    ("4460", ("localhost", 4460)),
    ("studio.lan", ("studio.lan", 4455)),
    ("[::1]:4455", ("::1", 4455)),
    ("::1", ("::1", 4455)),
    ("host:0", None),
    ("host:port", None),
    ("a b", None),
    ("http://x/y", None),
    ("", None),
]


@pytest.mark.parametrize(("typed", "expected"), ADDRESSES)
def test_addresses_are_read_as_people_type_them(typed: str, expected: tuple[str, int] | None):
    assert address_in(typed) == expected


def test_settings_that_cannot_be_read_count_as_not_set():
    assert options_of({HOST: "", PORT: "many"}).url == "ws://localhost:4455"
    assert options_of({HOST: "::1", PORT: 4456.0}).url == "ws://[::1]:4456"
