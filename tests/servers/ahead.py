"""`showcaller` on a machine of another time: `python -m tests.servers.ahead SECONDS run ...`.

A bot that was gone for a week finds itself a week later. Tests that kill one have no week, so the machine that it comes back on
says that one has passed: so many seconds more than the monotonic clock, which nobody sets, shows. Nothing else about the
program differs.
"""

import sys
import time

AHEAD = float(sys.argv.pop(1))


def now() -> float:
    """What the clock of this machine shows."""
    return AHEAD + time.monotonic()


if __name__ == "__main__":
    time.time = now
    from bot.__main__ import main

    main()
