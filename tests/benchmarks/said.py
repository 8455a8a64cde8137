"""What another process says, line by line, for as long as one is willing to listen."""

import select
import subprocess
import time


class Silent(Exception):
    """Nothing was said in time, or never will be; the text is what it complained of."""


def line_of(process: "subprocess.Popen[str]", seconds: float) -> str:
    """The next line.

    Raises:
        Silent: There is none; the process has been killed.
    """
    assert process.stdout is not None
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and select.select([process.stdout], [], [], left)[0]:
        line = process.stdout.readline()
        if line:
            return line
        process.kill()
        said = process.stderr.read().strip().splitlines() if process.stderr is not None else []
        raise Silent(said[-1] if said else "it ended without a word")
    process.kill()
    raise Silent(f"it said nothing for {seconds:.0f} seconds")
