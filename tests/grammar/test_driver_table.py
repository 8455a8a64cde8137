"""The parser's table is the one that Lark makes of the same grammar, and makes the trees that Lark makes."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, Token
from lark.exceptions import GrammarError
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

from bot.services.declared import DECLARATIONS
from grammar.driver import grammar_text
from grammar.kept import FILES
from grammar.lalr import END, Automaton, GrammarConflict, Production, automaton_of
from grammar.phrases import grammar_of
from grammar.table import Table, table_of
from grammar.tree import Leaf, Node

SMALL = """
%declare A B _C D
start: a* B _tail?
     | D start? -> again
a: A _C | A
?one: a | D D
_tail: one one
other: one+ [B]
"""


class _NoLexer(Lexer):
    """Lark asks for a lexer; here words come one by one."""

    def __init__(self, conf: object) -> None:
        del conf

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        del lexer_state, parser_state
        return iter(())


@cache
def small() -> tuple[Lark, Table]:
    return by_lark(SMALL, ["start", "other"]), table_of(SMALL, ["start", "other"])


def by_lark(text: str, starts: list[str]) -> Lark:
    return Lark(text, parser="lalr", lexer=_NoLexer, start=starts, maybe_placeholders=False)


def by_us(lark: Lark, starts: list[str]) -> tuple[list[Production], Automaton]:
    productions = [
        Production(str(rule.origin.name), tuple(part.name for part in rule.expansion)) for rule in lark.rules
    ]
    return productions, automaton_of(productions, starts)


@pytest.mark.parametrize(
    ("text", "starts"),
    [(SMALL, ["start", "other"]), grammar_text(None, grammar_of(DECLARATIONS))],
    ids=["small", "the language"],
)
def test_our_table_is_larks_state_by_state(text: str, starts: list[str]) -> None:
    lark = by_lark(text, starts)
    productions, ours = by_us(lark, starts)
    theirs = cast("Any", lark).parser.parser._parse_table
    same = {theirs.start_states[start]: ours.starts[start] for start in starts}
    waiting = list(same)
    for state in waiting:
        own = ours.states[same[state]]
        ends = {before: productions[rule] for rule, terminals in own.reduces for before in terminals}
        moves = own.shifts | own.gotos
        told = theirs.states[state]
        assert {str(symbol) for symbol in told} == ends.keys() | moves.keys()
        for symbol, (action, argument) in told.items():
            if action is Shift:
                if argument not in same:
                    same[argument] = moves[symbol]
                    waiting.append(argument)
                assert same[argument] == moves[symbol]
            else:
                assert ends[symbol] == (str(argument.origin.name), tuple(part.name for part in argument.expansion))
    assert len(same) == len(ours.states) == len(theirs.states)
    assert {start: same[state] for start, state in theirs.end_states.items()} == ours.ends


def larks_tree(lark: Lark, start: str, leaves: list[Leaf]) -> Any:
    parser = cast("Any", lark.parse_interactive(start=start))
    for leaf in leaves:
        parser.feed_token(Token(leaf.type, leaf.text))
    return parser.feed_eof()


def shown(tree: Any) -> Any:
    if isinstance(tree, Node):
        return (tree.rule, [shown(child) for child in tree.children])
    if isinstance(tree, Leaf):
        return tree.text
    return str(tree) if isinstance(tree, Token) else (str(tree.data), [shown(child) for child in tree.children])


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "_C", "D"]), max_size=7), st.sampled_from(["start", "other"]))
def test_trees_are_made_as_lark_makes_them(words: list[str], start: str) -> None:
    lark, table = small()
    leaves = [Leaf(word, word, f"{word}{place}", place, place + 1) for place, word in enumerate(words)]
    try:
        expected = larks_tree(lark, start, leaves)
    except Exception:  # noqa: BLE001  whatever Lark says, these words are no sentence
        with pytest.raises(KeyError):
            table.tree(start, leaves)
        return
    assert shown(table.tree(start, leaves)) == shown(expected)


def test_rules_that_end_alike_are_an_error_that_names_them() -> None:
    ambiguous = "%declare A\nstart: x | y\nx: A\ny: A"
    with pytest.raises(GrammarConflict, match=r"x: A  \(before \$END\)\n  y: A"):
        table_of(ambiguous, ["start"])
    with pytest.raises(GrammarError):
        by_lark(ambiguous, ["start"])


def test_a_rule_may_be_empty() -> None:
    table = table_of("%declare A B\nstart: x A y\nx: B?\ny: x A", ["start"])
    tree = table.tree("start", [Leaf("A", None, "1", 0, 1), Leaf("A", None, "2", 1, 2)])
    assert shown(tree) == ("start", [("x", []), "1", ("y", [("x", []), "2"])])


# Keeping -----------------------------------------------------------------------------------------------------------------


def test_a_table_is_made_once_and_read_back_the_same(tmp_path: Path) -> None:
    made = table_of(SMALL, ["start"], tmp_path)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    assert table_of(SMALL, ["start"], tmp_path) == made == table_of(SMALL, ["start"])
    assert kept.stat().st_mtime_ns == written


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"rules": []}', b"\x80\x04K\x01."])
def test_a_table_that_cannot_be_read_is_made_anew(tmp_path: Path, broken: bytes) -> None:
    made = table_of(SMALL, ["start"], tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(broken)
    assert table_of(SMALL, ["start"], tmp_path) == made
    assert json.loads(kept.read_bytes())["starts"] == {"start": 0}


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    assert table_of(SMALL, ["start"], tmp_path / "nowhere").starts == {"start": 0}


def test_old_tables_go(tmp_path: Path) -> None:
    for number in range(FILES + 3):
        table_of(f"%declare A B\nstart: {'A ' * (number + 1)}", ["start"], tmp_path)
    assert len(list(tmp_path.iterdir())) == FILES


def test_words_that_are_no_sentence_have_no_tree() -> None:
    with pytest.raises(KeyError):
        table_of(SMALL, ["start"]).tree("start", [Leaf(END, None, "", 0, 0)])
