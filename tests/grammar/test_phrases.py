"""Sentences of services: the table knows their shapes only, and still each phrase is read with its own words alone."""

from pathlib import Path
from typing import cast

import pytest

from bot.services.declared import DECLARATIONS
from engine.declare import Declarations, Method, Param
from engine.model import Call
from grammar.build_steps import StepBuilder
from grammar.drafts import linked
from grammar.driver import Driver, Parsed, Stuck
from grammar.lexicon import LiveLexicon, Node
from grammar.live import LiveWords, _deeds, _nouns
from grammar.phrases import grammar_of
from grammar.words import keys
from grammar.workspace import Workspace

WHAT, WHERE, LEVEL, WHO = Param("what", "text"), Param("where", "text"), Param("level", "number"), Param("who", "user")


def methods(*phrases: tuple[str, ...], params: tuple[Param, ...] = (WHAT, WHERE, LEVEL, WHO)) -> Declarations:
    return Declarations([Method("plug", f"m{place}", params, given) for place, given in enumerate(phrases)])


def called(driver: Driver, text: str) -> tuple[str, dict[str, object]] | None:
    outcome = driver.parse(text, LiveLexicon(), "step_line")
    if isinstance(outcome, Stuck):
        return None
    (state,) = linked(StepBuilder(driver.phrases.by_rule).steps(outcome.best.tree), None, driver.declarations)
    assert isinstance(state.action, Call)
    return state.action.method, dict(state.action.params)


def test_a_plugin_with_fifty_methods_hardly_grows_the_table() -> None:
    many = [
        Method(
            "plug",
            f"m{number}",
            (WHAT, LEVEL, WHO),
            (f"verb{number} {{what}} by {{level}}", f"(do|make) thing{number} {{what}} onto{number} {{level}}", f"tell{number} {{who}}"),
            noun=(f"noun{number}",),
        )
        for number in range(50)
    ]  # fmt: skip
    plain, grown = Driver(DECLARATIONS).table_size, Driver(Declarations((*DECLARATIONS, *many))).table_size
    assert grown[0] - plain[0] < 10
    assert grown[1] - plain[1] < 0.01 * plain[1]


def test_phrases_of_one_shape_are_one_alternative() -> None:
    grammar = grammar_of(methods(("paint {what} in {where}",), ("hang {what} beside {where}",), ("sing {what}",)))
    assert list(grammar.shapes.values()) == [("_SAID", "TEXT", "_SAID_ON", "TEXT"), ("_SAID", "TEXT")]


def test_the_words_of_one_phrase_do_not_go_on_with_those_of_another() -> None:
    driver = Driver(
        methods(("paint {who} by {level}",), ("hang {who} beside {level}",), ("hang {who} up",), ("greet {who}",))
    )
    assert called(driver, "greet @ann") == ("m3", {"who": "ann"})
    assert called(driver, "paint @ann by 5") == ("m0", {"who": "ann", "level": 5})
    assert called(driver, "hang @ann beside 5") == ("m1", {"who": "ann", "level": 5})
    assert called(driver, "hang @ann up") == ("m2", {"who": "ann"})
    for text in ("paint @ann beside 5", "hang @ann by 5", "paint @ann up", "paint @ann", "hang @ann", "greet @ann up"):
        assert called(driver, text) is None


def test_phrases_may_share_their_beginning() -> None:
    driver = Driver(methods(("show {who}",), ("show {who} for {level}",), ("show {who} for {level} times",)))
    assert called(driver, "show @ann") == ("m0", {"who": "ann"})
    assert called(driver, "show @ann for 5") == ("m1", {"who": "ann", "level": 5})
    assert called(driver, "show @ann for 5 times") == ("m2", {"who": "ann", "level": 5})


def test_words_between_slots_may_be_left_out_and_slots_may_come_first() -> None:
    driver = Driver(methods(("give {who} [to] {level}",), ("{who} gets {level}",)))
    assert called(driver, "give @ann to 5") == called(driver, "give @ann 5") == ("m0", {"who": "ann", "level": 5})
    assert called(driver, "@ann gets 5") == ("m1", {"who": "ann", "level": 5})
    assert called(driver, "@ann to 5") is None


def test_the_words_of_a_later_stretch_do_not_stand_in_an_earlier_one() -> None:
    three = (Param("a", "user"), Param("b", "user"), Param("c", "user"))
    driver = Driver(methods(("link {a} to {b} with {c}",), params=three))
    assert called(driver, "link @a to @b with @c") == ("m0", {"a": "a", "b": "b", "c": "c"})
    assert called(driver, "link @a with @b to @c") is None


def test_of_two_that_claim_a_sentence_the_one_declared_first_has_it() -> None:
    driver = Driver(methods(("(wave|nod) at {who}",), ("(wave|bow) at {who}",)))
    assert called(driver, "wave at @ann") == called(driver, "nod at @ann") == ("m0", {"who": "ann"})
    assert called(driver, "bow at @ann") == ("m1", {"who": "ann"})


def test_a_text_ends_only_before_words_of_its_own_phrase() -> None:
    driver = Driver(methods(("put {what} into {where} gently",), ("sing {what}",)))
    assert called(driver, "sing la la into the dark gently") == ("m1", {"what": "la la into the dark gently"})
    assert called(driver, 'put the cat into "the box" gently') == ("m0", {"what": "the cat", "where": "the box"})


def test_what_could_have_come_is_told_in_words_of_the_phrases_that_are_left() -> None:
    driver = Driver(methods(("paint {who} by {level}",), ("hang {who} beside {level}",)))
    outcome = driver.parse("paint @ann !", LiveLexicon(), "step_line")
    assert isinstance(outcome, Stuck)
    assert {driver.lexicon.first_phrase.get(name) for name in outcome.expected} == {"by"}
    outcome = driver.parse("§", LiveLexicon(), "step_line")
    assert isinstance(outcome, Stuck)
    assert {"paint", "hang", "wait"} <= {driver.lexicon.first_phrase.get(name) for name in outcome.expected}


@pytest.mark.parametrize("count", [7, 8])
def test_a_phrase_has_seven_slots_at_most(count: int) -> None:
    params = tuple(Param(f"p{number}", "user") for number in range(count))
    declared = Method("plug", "long", params, ("link " + " and ".join(f"{{p{number}}}" for number in range(count)),))
    if count == 8:
        with pytest.raises(ValueError, match="8 slots; 7 are the most"):
            grammar_of(Declarations((declared,)))
        return
    spoken = "link " + " and ".join(f"@u{number}" for number in range(count))
    assert called(Driver(Declarations((declared,))), spoken) == ("long", {f"p{n}": f"u{n}" for n in range(count)})


def test_all_readings_of_a_call_are_of_phrases_that_have_its_words() -> None:
    driver = Driver(methods(("tell {what}",), ("tell {who}",), ("tell {who} {what}",)))
    outcome = driver.parse("tell @ann", LiveLexicon(), "step_line")
    assert isinstance(outcome, Parsed)
    assert {reading.tree.nodes("step")[0].nodes()[0].rule for reading in outcome.readings} <= {"call_0", "call_1"}


def test_what_is_made_of_phrases_is_kept_and_no_wording_is_made_again(tmp_path: Path) -> None:
    made = grammar_of(DECLARATIONS, tmp_path)
    read = grammar_of(DECLARATIONS, tmp_path)
    assert read == made
    assert not any("words" in vars(phrase) for phrase in read.by_rule.values())
    assert grammar_of(methods(("sing {what}",)), tmp_path).entries == (("_SAID", 0, "sing"),)


def test_words_for_steps_are_kept_and_read_back_the_same(tmp_path: Path) -> None:
    phrases = grammar_of(DECLARATIONS).own
    made, read = (LiveWords(DECLARATIONS, phrases, tmp_path).of(Workspace()) for _ in range(2))
    for terminal, words, kind in (*_nouns(DECLARATIONS), *_deeds(phrases)):
        for lexicon in (made, read):
            first, *others = keys(words)
            places = list(lexicon.begun(first))
            for word in others:
                places = [cast("Node", place.get(word)) for place in places if place.get(word) is not None]
            assert any((terminal, kind, 0.0) in place.entries for place in places)
