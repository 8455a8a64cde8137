"""Starts the command line."""

import sys


def main() -> None:
    """The command `showcaller`."""
    try:
        from bot.cli import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
