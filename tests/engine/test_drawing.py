"""Who is drawn when a `collect` is over, over all that chance may be."""

from collections import Counter
from itertools import permutations

from engine.machine.hearing import MAX_DRAWN, drawn_from

FINE = 60_000


def entries(**weights: float) -> list[dict[str, object]]:
    return [{"user": name, "text": "", "weight": weight} for name, weight in weights.items()]


def shares(weights: dict[str, float]) -> Counter[tuple[str, ...]]:
    """How often each order comes, over numbers that lie evenly."""
    people = entries(**weights)
    return Counter(tuple(drawn_from(people, (number + 0.5) / FINE)) for number in range(FINE))


def test_each_order_of_equals_is_as_likely_as_any_other() -> None:
    found = shares({"ann": 1, "bob": 1, "cleo": 1})

    assert set(found) == set(permutations(("ann", "bob", "cleo")))
    assert all(abs(times - FINE / 6) < FINE / 1_000 for times in found.values())


def test_who_weighs_twice_as_much_is_first_twice_as_often_and_the_rest_are_drawn_among_themselves() -> None:
    found = shares({"sub": 2, "ann": 1, "bob": 1})
    likely = {("sub", "ann", "bob"): 1 / 4, ("sub", "bob", "ann"): 1 / 4, ("ann", "sub", "bob"): 1 / 6}
    likely |= {("ann", "bob", "sub"): 1 / 12, ("bob", "sub", "ann"): 1 / 6, ("bob", "ann", "sub"): 1 / 12}

    assert all(abs(found[order] / FINE - share) < 0.001 for order, share in likely.items())


def test_nobody_is_drawn_twice_however_often_they_joined_and_no_more_than_chance_can_tell_apart() -> None:
    people = [{"user": f"viewer{number % 40}", "text": "", "weight": 1.0} for number in range(400)]

    for number in range(200):
        found = drawn_from(people, number / 200)
        assert len(found) == len(set(found)) == MAX_DRAWN


def test_a_number_that_rounding_brings_to_the_very_end_draws_somebody() -> None:
    assert drawn_from(entries(ann=0.1, bob=0.2), 1.0 - 2**-53) == ["bob", "ann"]
