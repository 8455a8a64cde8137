"""Promises of the reader and writer of formulas and templates."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExpressionError
from engine.expressions import depth_of, format_formula, has_placeholder, parse_formula, parse_template
from engine.formulas import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_INTEGER,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    Filter,
    Formula,
    IsEmpty,
    IsOneOf,
    Literal,
    Negate,
    Not,
    Or,
    Placeholder,
    Template,
    TextTest,
    Variable,
)
from tests.effort import calls_of

WORDS = ["viewers", "user.name", "and", "not", "is", "empty", "Or", "true", "round", "sum.x", "étage", "x1", "contains"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.one_of(st.integers(-MAX_INTEGER, MAX_INTEGER), st.floats(allow_nan=False, allow_infinity=False))
LEAVES = st.one_of(
    st.builds(Literal, st.one_of(TEXT, NUMBERS, st.booleans(), st.none())), st.builds(Variable, st.sampled_from(WORDS))
)


def _is_number(formula: Formula) -> bool:
    return (
        isinstance(formula, Literal) and isinstance(formula.value, int | float) and not isinstance(formula.value, bool)
    )


def _grown(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    some = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Compare, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(TextTest, st.sampled_from(["contains", "starts with", "ends with", "matches"]), inner, inner),
        st.builds(IsOneOf, inner, some),
        st.builds(IsEmpty, inner),
        st.builds(Between, inner, inner, inner),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Not, inner),
        st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "/", "%"]), inner, inner),
        st.builds(Negate, inner.filter(lambda formula: not _is_number(formula))),
        st.builds(Call, st.sampled_from(sorted(FUNCTIONS)), some),
    )


FORMULAS = st.recursive(LEAVES, _grown, max_leaves=12).filter(
    lambda formula: depth_of(formula) <= MAX_DEPTH and len(format_formula(formula)) <= 4_000
)


@settings(max_examples=400, deadline=None)
@given(FORMULAS)
def test_what_is_written_is_read_back_the_same(formula: Formula) -> None:
    assert parse_formula(format_formula(formula)) == formula


@pytest.mark.parametrize(
    "wrap",
    [
        Not,
        Negate,
        IsEmpty,
        lambda inner: Arithmetic("-", Literal(1), inner),
        lambda inner: Arithmetic("-", inner, Literal(1)),
        lambda inner: Compare("==", Not(inner), Variable("x")),
        lambda inner: Call("abs", (Not(inner),)),
        lambda inner: Negate(Or((inner, Not(inner)))) if depth_of(inner) < 5 else Negate(Or((Variable("x"), inner))),
        lambda inner: IsOneOf(Not(inner), ()),
        lambda inner: And((Or((Variable("a"), inner)), Variable("b"))),
    ],
)
def test_the_deepest_formula_allowed_is_read_back_and_one_level_more_is_refused(wrap) -> None:
    formula: Formula = Variable("x")
    while depth_of(wrap(formula)) <= MAX_DEPTH:
        formula = wrap(formula)
    assert parse_formula(format_formula(formula)) == formula
    with pytest.raises(ExpressionError, match="nested more than 32 deep"):
        parse_formula(format_formula(wrap(formula)))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("viewers > 5", Compare(">", Variable("viewers"), Literal(5))),
        ("a = 1", Compare("==", Variable("a"), Literal(1))),
        ("a is not 1", Compare("!=", Variable("a"), Literal(1))),
        ("a is not empty", Not(IsEmpty(Variable("a")))),
        ("a not contains 'b'".replace("'", '"'), Not(TextTest("contains", Variable("a"), Literal("b")))),
        ("a Between 1 AND 2", Between(Variable("a"), Literal(1), Literal(2))),
        ("${ not }", Variable("not")),
        ("1 - 2 - 3", Arithmetic("-", Arithmetic("-", Literal(1), Literal(2)), Literal(3))),
        ("-5", Literal(-5)),
        ('"a\\n\\"\\\\"', Literal('a\n"\\')),
        ("a or b and not c", Or((Variable("a"), And((Variable("b"), Not(Variable("c"))))))),
    ],
)
def test_formulas_mean_what_they_look_like(text: str, formula: Formula) -> None:
    assert parse_formula(text) == formula


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early"),
        ("   ", "ends too early"),
        ("viewers >", "ends too early"),
        ("(a", 'I expected "\\)"'),
        ("a b", 'did not expect "b"'),
        ("a is one", 'I expected "of"'),
        ("a not b", "after"),
        ("and", 'did not expect "and"'),
        ('"abc', "cannot read"),
        ("a & b", "cannot read"),
        ("\0", "cannot read"),
        ("🎉", "cannot read"),
        ("9" * 30, "too large"),
        ("1e999", "too large"),
        ("a" * 10_000, "4000 characters"),
        ("(" * 1_000 + "a" + ")" * 1_000, "nested more than 32 deep"),
        ("not " * 900 + "a", "nested more than 32 deep"),
        ("-" * 3_000 + "a", "nested more than 32 deep"),
        ("+".join("a" * 1_900), "nested more than 32 deep"),
        ("abs(" * 700 + "a" + ")" * 700, "nested more than 32 deep"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence_at_once(text: str, said: str) -> None:
    def read() -> None:
        with pytest.raises(ExpressionError, match=said) as caught:
            parse_formula(text)
        assert len(str(caught.value)) < 300

    assert calls_of(read) < 500 + 40 * len(text)


@given(st.text(max_size=60))
def test_no_text_makes_the_readers_raise_anything_else(text: str) -> None:
    for read in (parse_formula, parse_template):
        with contextlib.suppress(ExpressionError):
            read(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("hi", ("hi",)),
        ("${user}", (Placeholder("user"),)),
        ("a ${ user.name } b", ("a ", Placeholder("user.name"), " b")),
        ("$${user}", ("${user}",)),
        ("$5 {x} $", ("$5 {x} $",)),
        ('${x|default "}"|upper}', (Placeholder("x", (Filter("default", "}"), Filter("upper"))),)),
        ("${x|truncate 5}", (Placeholder("x", (Filter("truncate", 5),)),)),
        ("${a}${b}", (Placeholder("a"), Placeholder("b"))),
        ("\0🎉${x}", ("\0🎉", Placeholder("x"))),
    ],
)
def test_templates_are_texts_with_placeholders(text: str, parts: tuple[str | Placeholder, ...]) -> None:
    assert parse_template(text) == Template(parts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${", "not closed"),
        ("a ${user b", "not closed"),
        ("${}", "needs a name"),
        ("${1x}", "needs a name"),
        ("${x|shout}", 'no filter "shout"'),
        ("${x|}", "cannot read"),
        ("${x y}", "cannot read"),
        ("${" * 1_000, "not closed"),
        ("x" * 10_000 + "${y}", "4000 characters"),
    ],
)
def test_a_malformed_template_is_told(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        parse_template(text)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text", ['${"' * 1_300, "${a" * 1_300, '${x|default "' * 300, "${x" + "|upper" * 600, "$" * 4_000, "${a}" * 1_000]
)
def test_the_worst_template_is_read_in_no_time(text: str) -> None:
    def read() -> None:
        with contextlib.suppress(ExpressionError):
            parse_template(text)

    assert calls_of(read) < 500 + 10 * len(text)


def test_a_text_without_placeholder_needs_no_work() -> None:
    assert not has_placeholder("$5 for {x}")
    assert has_placeholder("$${x}")
