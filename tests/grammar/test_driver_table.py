"""What is used of Lark beyond its public interface: if a new version changes it, these say so."""

from typing import Any, cast

from lark import Lark
from lark.parsers.lalr_analysis import Shift

from grammar.driver import _NoLexer, _table_of


def small() -> Lark:
    return Lark(
        "%declare A B _C\nstart: a* B\na: A _C | A",
        parser="lalr",
        lexer=_NoLexer,
        start=["start"],
        maybe_placeholders=False,
    )


def test_larks_table_has_states_of_actions_by_symbol() -> None:
    table = cast("Any", small()).parser.parser._parse_table
    assert set(table.start_states) == set(table.end_states) == {"start"}
    for row in table.states.values():
        for symbol, (action, argument) in row.items():
            assert isinstance(symbol, str)
            if action is Shift:
                assert isinstance(argument, int)
            else:
                assert len(argument.expansion) >= 0
                assert isinstance(str(argument.origin.name), str)


def test_walking_our_copy_of_the_table_accepts_what_lark_accepts() -> None:
    lark = small()
    rows, starts, ends = _table_of(lark)

    def accepts(terminals: list[str]) -> bool:
        stack = [starts["start"]]
        for terminal in [*terminals, "$END"]:
            while True:
                if stack[-1] == ends["start"]:
                    return True
                action = rows[stack[-1]].get(terminal)
                if action is None:
                    return False
                state, length, rule = action
                if length < 0:
                    stack.append(state)
                    break
                del stack[len(stack) - length :]
                stack.append(rows[stack[-1]][rule][0])
        return stack[-1] == ends["start"]

    assert accepts(["B"])
    assert accepts(["A", "_C", "A", "B"])
    assert not accepts(["A", "_C"])
    assert not accepts(["_C", "B"])
