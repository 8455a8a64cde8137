"""Promises of YAML as text: only what JSON could say, no surprises, and no text of a few lines that fills the memory."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.yaml_text import read_yaml, write_yaml
from engine.errors import DefinitionError
from tests.strategies import texts

WORDS = st.sampled_from(
    (
        "on",
        "no",
        "yes",
        "true",
        "null",
        "~",
        "12:30",
        "2026-11-20",
        "1e5",
        "1.5e5",
        "0o17",
        "0x1F",
        "1_000",
        "0777",
        "=",
        ".5",
        "-",
        "5",
        "+5",
    )
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**18), 10**18),
        st.floats(allow_nan=False, allow_infinity=False),
        texts(),
        WORDS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts(12), inner, max_size=4)),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1, 1.0 and true are not."""
    return json.dumps(one) == json.dumps(other)


@given(VALUES)
def test_what_is_written_is_read_as_the_same_values(value: Any) -> None:
    assert same(read_yaml(write_yaml(value)), value)


def test_a_word_is_what_was_typed() -> None:
    text = "on: off\nno: yes\ntime: 12:30\nday: 2026-11-20\nversion: 1.10.2\nhex: 0x1F\nq: '5'\nn: 5\nf: -1.5\ne: ~\nb: true"
    assert same(
        read_yaml(text),
        {"on": "off", "no": "yes", "time": "12:30", "day": "2026-11-20", "version": "1.10.2", "hex": "0x1F"}
        | {"q": "5", "n": 5, "f": -1.5, "e": None, "b": True},
    )


def test_anchors_stand_for_what_they_name() -> None:
    assert read_yaml("a: &x [1, &y two]\nb: *x\nc: *y") == {"a": [1, "two"], "b": [1, "two"], "c": "two"}


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{number + 1}: &a{number + 1} [{','.join([f'*a{number}'] * 9)}]\n" for number in range(12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "There is nothing in it"),
        ("# only a comment", "There is nothing in it"),
        ("--- a\n--- b", "more than one document"),
        (BOMB, "unfolds to more than 50,000 values in line"),
        ("a: &a " + "x" * 60_000 + "\nb: [" + "*a," * 1_000 + "]", "unfolds to more than 50,000 values in line 2"),
        ("&a [*a]", "nothing is called *a in line 1, column 5"),
        ("a: *b", "nothing is called *b in line 1, column 4"),
        ("a: !!python/object/apply:os.system [x]", 'the tag "tag:yaml.org,2002:python/object/apply:os" in line 1'),
        ("a: !thing x", 'the tag "!thing" in line 1, column 4'),
        ("a: 1\nb: 2\na: 3", '"a" stands twice in one object in line 3, column 1'),
        ("? [a]\n: b", "a key must be a word in line 1, column 3"),
        ("null: b", "a key must be a word in line 1, column 1"),
        ("- " * 200 + "a", "nested more than 64 deep in line 1, column 129"),
        ("[" * 100_000, "nest"),
        ("a: [b\nc: d", "This is not YAML: did not find expected ',' or ']' in line 2"),
        ("a: b: c", "This is not YAML: mapping values are not allowed in this context in line 1, column 5"),
        ("a: \x00", "holds a character that YAML does not allow"),
        ("a: \ud800", "holds half a character"),
        ('a: "\\ud800"', "in line 1"),
        ("x" * 200_001, "200,000 is the most"),
    ],
)
def test_what_is_no_yaml_to_use_is_told_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_yaml(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(st.text(alphabet="a: -[]{},&*!|>'\"\n\t#?%@0.", max_size=40))
def test_no_text_makes_reading_raise_anything_else(text: str) -> None:
    try:
        json.dumps(read_yaml(text))
    except DefinitionError as error:
        assert "\n" not in str(error)  # noqa: PT017
