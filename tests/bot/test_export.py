"""Exports are cut so that the messages, put together, are the export again."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from bot.instructions.files import as_lines, cut_json
from bot.replies import in_one_line, quoted

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=20), inner, max_size=6),
    max_leaves=40,
)


@given(values)
@example(["!" * 200, "a, b" * 60, "\\\\" * 70])
def test_json_is_cut_into_messages_that_are_the_json_again(value: object) -> None:
    text = json.dumps(["x", value], ensure_ascii=False, separators=(",", ":"))
    found = cut_json(text, 100)
    assert "".join(found) == text
    assert all(0 < len(message) <= 100 for message in found)


def test_a_message_of_json_does_not_begin_like_a_command() -> None:
    text = json.dumps(["word !go /me . ..." * 40])
    assert not [message for message in cut_json(text, 100) if message.startswith(("!", "/", ".", " "))]


@example(['say "a: · b"', "never reached:", "stop"])
@given(st.lists(st.text(max_size=40).map(lambda text: f"say {quoted(text)}"), min_size=1, max_size=6))
def test_the_file_form_in_one_line_has_its_lines_again(steps: list[str]) -> None:
    lines = ['workflow "x"', *(f"{number}. {step}" for number, step in enumerate(steps, 1))]
    assert as_lines(in_one_line("\n".join(lines))).split("\n") == lines
