"""What a community keeps, in memory: a cache of its rows in the store, and the tree in which templates find it.

It takes changed rows and decides nothing about them. `DataView` is all that a change may read.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from engine.data.entries import Entry, read, shown
from engine.ports import DataRecord
from engine.storable import size_of

USERS: Final = "users"
"""The branch of the tree that holds people's own data: `data.users.<name>.<key>`."""


class DataView(Protocol):
    """What is kept of one community, to be read."""

    @property
    def community(self) -> str:
        """Whose it is."""
        ...

    @property
    def size(self) -> int:
        """Bytes of all rows together."""
        ...

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def entry(self, owner: str, key: str) -> Entry | None:
        """What is kept under a name; owner "" is the community itself."""
        ...

    def size_of(self, owner: str, key: str) -> int:
        """Bytes of one row; 0 if there is none."""
        ...

    def keys_of(self, owner: str) -> tuple[str, ...]:
        """The names under which an owner keeps something."""
        ...


class Kept:
    """The rows of one community.

    Attributes:
        tree: For templates and guards: plain values by key, people's own under `users`. The same dictionary for ever.
    """

    def __init__(self, community: str, records: Iterable[DataRecord] = ()) -> None:
        self.community = community
        self.size = 0
        self.tree: dict[str, Any] = {}
        self._entries: dict[str, dict[str, tuple[Entry, int]]] = {}
        self._count = 0
        self.take(records)

    def __len__(self) -> int:
        return self._count

    def entry(self, owner: str, key: str) -> Entry | None:
        """What is kept under a name; owner "" is the community itself."""
        found = self._entries.get(owner, {}).get(key)
        return None if found is None else found[0]

    def size_of(self, owner: str, key: str) -> int:
        """Bytes of one row; 0 if there is none."""
        found = self._entries.get(owner, {}).get(key)
        return 0 if found is None else found[1]

    def keys_of(self, owner: str) -> tuple[str, ...]:
        """The names under which an owner keeps something."""
        return tuple(self._entries.get(owner, ()))

    def fill(self, records: Iterable[DataRecord]) -> None:
        """Hold what the store says, and nothing else.

        Raises:
            StoreCorrupt: A row is none of ours.
        """
        fresh = Kept(self.community, records)
        self.size, self._entries, self._count = fresh.size, fresh._entries, fresh._count
        self.tree.clear()
        self.tree.update(fresh.tree)

    def take(self, records: Iterable[DataRecord]) -> None:
        """Hold changed rows, in their order.

        Raises:
            StoreCorrupt: A row is none of ours.
        """
        for record in records:
            self._remove(record.owner, record.key)
            if record.value is not None:
                self._put(record)

    def copy(self) -> "Kept":
        """The same rows, to be changed without consequence: for a dry run."""
        other = Kept(self.community)
        other.size, other._count = self.size, self._count
        other._entries = {owner: dict(entries) for owner, entries in self._entries.items()}
        other.tree = dict(self.tree)
        if USERS in other.tree:
            other.tree[USERS] = dict(other.tree[USERS])
        return other

    def _put(self, record: DataRecord) -> None:
        entry, size = read(record.value), size_of(record.value) or 0
        self._entries.setdefault(record.owner, {})[record.key] = entry, size
        self._count += 1
        self.size += size
        if record.owner == "":
            self.tree[record.key] = shown(entry)
            return
        # A person's branch is made anew, never changed: whoever holds the old one keeps what it was.
        people = self.tree.setdefault(USERS, {})
        people[record.owner] = {**people.get(record.owner, {}), record.key: shown(entry)}

    def _remove(self, owner: str, key: str) -> None:
        entries = self._entries.get(owner, {})
        found = entries.pop(key, None)
        if found is None:
            return
        self._count -= 1
        self.size -= found[1]
        if owner == "":
            del self.tree[key]
        else:
            people = self.tree[USERS]
            people[owner] = {name: value for name, value in people[owner].items() if name != key}
        if not entries:
            del self._entries[owner]
            if owner != "":
                del self.tree[USERS][owner]
                if not self.tree[USERS]:
                    del self.tree[USERS]
