"""One writing process per database: a lock file beside it, let go by the system when its holder dies."""

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from storage.failures import busy, in_words


def lock_path(database: Path) -> Path:
    """Where the lock of a database is."""
    return database.with_name(database.name + ".lock")


def hold(database: Path) -> BaseFileLock:
    """Take the lock at once or not at all; release it with `.release()`.

    Raises:
        StoreBusy: Another process, or another store in this one, writes to the database.
        StoreUnwritable: The lock file cannot be made.
    """
    lock = FileLock(lock_path(database), timeout=0, mode=0o600, thread_local=False)
    with in_words(database):
        try:
            lock.acquire()
        except Timeout:
            raise busy(database) from None
    return lock
