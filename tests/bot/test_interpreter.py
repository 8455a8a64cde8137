"""How the interpreter stands while the bot opens and serves; asked of another one, since it is set for a whole process."""

import subprocess
import sys

ASKED = """
import gc, sys
from bot.interpreter import opening

def stands():
    print(gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold()[0] > 700, sys.getswitchinterval() < 0.005)

stands()
try:
    with opening():
        stands()
        raise OSError("it cannot be opened")
except OSError:
    stands()
"""


def test_nothing_is_searched_while_it_opens_and_it_serves_from_then_on_whatever_came_of_that() -> None:
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True).stdout
    before, meanwhile, afterwards = told.splitlines()
    assert before == "True False False False"
    assert meanwhile == "False False False True"
    assert afterwards == "True True True True"
