"""Lines from a pipe: cut, decoded and bounded, whatever the pieces they arrive in."""

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.terminal.pipe import MAX_LINE, Typed, lines_of, typed


async def read(content: bytes) -> list[Typed]:
    ours, theirs = os.pipe()

    def write() -> None:
        try:
            os.write(theirs, content)
        finally:
            os.close(theirs)

    writing = asyncio.get_running_loop().run_in_executor(None, write)
    try:
        lines = [line async for line in lines_of(ours)]
    finally:
        await writing
        os.close(ours)
    return lines


async def test_every_line_comes_in_order_and_the_last_needs_no_end() -> None:
    assert [line.text for line in await read(b"one\n\ntwo\r\n  three")] == ["one", "", "two", "  three"]


async def test_what_ends_in_a_line_break_has_no_empty_line_after_it() -> None:
    assert [line.text for line in await read(b"one\n")] == ["one"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\nb", "a\nb"),
        (r"\n\n", "\n\n"),
        (r"a\\nb", r"a\\nb"),
        (r"a\\\nb", "a\\\\\nb"),
        (r"a\tb \"c\"", r"a\tb \"c\""),
        ("ends in \\", "ends in \\"),
    ],
)
def test_a_written_line_break_is_one_and_every_other_backslash_stays(raw: str, text: str) -> None:
    assert typed(raw) == Typed(raw, text)


async def test_bytes_that_are_no_text_become_marks() -> None:
    [line] = await read(b"a\xff\xfeb\n")
    assert line.text == "a��b"


async def test_a_line_beyond_all_measure_is_dropped_and_the_next_one_is_whole() -> None:
    [long, next_one] = await read(b"x" * (3 * MAX_LINE) + b"\nhello\n")
    assert long.too_long
    assert len(long.raw) == MAX_LINE
    assert next_one == Typed("hello", "hello")


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\\", codec="utf-8"), min_size=1), max_size=5))
async def test_no_text_is_changed_on_the_way(lines: list[str]) -> None:
    assert [line.text for line in await read("\n".join(lines).encode())] == lines
