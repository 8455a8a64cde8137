"""What the tests of `ai` share."""

from collections.abc import Iterator

import pytest

from tests.servers.models import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as made:
        yield made
