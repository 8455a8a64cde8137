"""Starts the command line."""

import os
import sys


def main() -> None:
    """The command `showcaller`."""
    _hold_standard_streams()
    try:
        from bot.cli import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _hold_standard_streams() -> None:
    """See to it that descriptors 0, 1 and 2 are streams: a database that got one of them would be read as what is typed."""
    taken = os.open(os.devnull, os.O_RDWR)
    while taken <= 2:
        taken = os.dup(taken)
    os.close(taken)


if __name__ == "__main__":
    main()
