"""A runner on either store, for tests of what both must do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.ports import Store
from storage.sqlite import SQLiteStore
from tests.fakes import Bench
from tests.fakes_store import MemoryStore


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = MemoryStore() if request.param == "memory" else await SQLiteStore.open(tmp_path / "bot.db")
    yield opened
    await opened.close()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    opened = await Bench(store).open()
    yield opened
    await opened.runner.close()
