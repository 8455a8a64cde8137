"""What the words of a sentence could be, and what is not even looked for."""

from functools import cache
from pathlib import Path

import pytest

from bot.services.declared import DECLARATIONS
from grammar.driver import Driver
from grammar.lattice import _SCANNERS, BY_FORM, LOOKUP_WORK, OPENING, QUOTABLE, Lattice, read_words, vocabulary_of
from grammar.lexicon import LiveLexicon

DATA = Path(__file__).parents[1] / "data"
SCANNED = QUOTABLE.union(_SCANNERS)
LIVE = LiveLexicon()
ODD = (
    "every last friday of the month at half past seven in the evening",
    "on the 25th of december, yearly on the 1st, monthly on the last day",
    "½ hour, an hour and a half, a couple of minutes, three quarters of an hour, twentyfive sec",
    "midnight, noon, midday, mon-fri, weekends, 2026-11-27, Europe/Berlin, 🚩 flag",
    'create x (x_y): do obs.set_text with {"a": [1]} and k=v "a", "b" or "c" (viewers > 5) [wait_2] #mods @me !go 3.1 ${x} {y}',
)


@cache
def driver() -> Driver:
    return Driver(DECLARATIONS)


def lattice_of(text: str) -> Lattice:
    lexicon = driver().lexicon
    return Lattice(text, read_words(text, 240), lexicon, vocabulary_of(lexicon), LIVE, driver().phrases.continues)


def column(file: str, number: int) -> list[str]:
    rows = (DATA / file).read_text(encoding="utf-8").splitlines()[1:]
    return [row.split("\t")[number] for row in rows]


@pytest.mark.parametrize(
    "sentences",
    [column("utterances/dev.tsv", 2), column("corpora/durations.tsv", 1), ODD],
    ids=["as people ask", "lengths of time", "odd ones"],
)
def test_what_is_passed_over_for_a_words_form_would_not_have_been_found(sentences: list[str]) -> None:
    found, missed = 0, []
    for text in sentences:
        lattice = lattice_of(text)
        for place, word in enumerate(lattice.words):
            form = lattice.form(place)
            for terminal in SCANNED:
                edges = lattice.scanned(place, terminal)
                found += bool(edges)
                if edges and terminal not in BY_FORM[form]:
                    missed.append((terminal, word.text, text))
    assert not missed
    assert found > 100


def test_every_form_is_met_in_the_odd_ones() -> None:
    met = {lattice.form(place) for lattice in map(lattice_of, ODD) for place in range(len(lattice.words))}
    assert met == BY_FORM.keys()
    assert OPENING in met


def test_unknown_words_are_looked_up_only_where_somebody_asks() -> None:
    """A text may be full of them; nobody corrects a text, and each look-up goes through all that is known."""
    lattice = lattice_of("say hi vexzanko shodanvex lamezanpol sconds")
    lattice.place(0)
    assert lattice.work < 2 * LOOKUP_WORK, "of these only the last may be a unit with a slip"
    assert lattice.nearest(2) == ()
    assert lattice.nearest(5)[0][0] in ("second", "seconds")


def test_what_words_of_the_lexicon_may_be_is_the_same_in_every_sentence() -> None:
    first, second = lattice_of("stop everything"), lattice_of("please stop everything")
    assert first.exact(0)
    assert all(one is other for one, other in zip(first.exact(0), second.exact(1), strict=True))
