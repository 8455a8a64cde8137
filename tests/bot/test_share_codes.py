"""A share code brings a text through any chat, tells when it did not, and unpacks to nothing huge."""

import base64
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import share_codes, templates
from bot.share_codes import LONGEST, MOST_BYTES, BadCode, code_of, is_code, text_in

RAID = 'workflow "raid"\nwhen a raid comes in\n\n1. say "welcome ${user}"\n2. wait 10 seconds\n3. shout out ${user}'
CODE = "sc1.Q7BAsabEhRyFsNji4gKWCdjsU-IClhRo7uQClhyIjAhVCAA.RXGIKI_p"
"""That text's code on the day the form was made."""


def forged(content: bytes, *, packed: bool = True) -> str:
    """A code with a right sum around anything."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    inner = packer.compress(content) + packer.flush() if packed else content
    body = base64.urlsafe_b64encode(inner).rstrip(b"=").decode()
    return f"sc1.{body}.{share_codes._sum(body)}"


@given(st.text())
def test_what_comes_out_is_what_went_in(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    code = code_of(text)
    assert text_in(code) == text
    assert is_code(code)


def test_a_code_of_the_first_day_is_read_for_ever() -> None:
    assert text_in(CODE) == RAID


def test_blanks_that_chats_put_into_it_do_no_harm() -> None:
    for typed in (f"  {CODE[:20]}\n{CODE[20:40]} \u200b{CODE[40:]}\U000e0000 ", f"`{CODE}`", f"```\n{CODE}\n```"):
        assert is_code(typed)
        assert text_in(typed) == RAID


@pytest.mark.parametrize("name", templates.names())
def test_every_template_fits_into_one_chat_message(name: str) -> None:
    assert len("!workflow import " + code_of(templates.text(name))) <= 500


DAMAGE: dict[str, Callable[[str], str]] = {
    "a letter is missing": lambda code: code[:10] + code[11:],
    "a letter is another one": lambda code: code[:10] + ("A" if code[10] != "A" else "B") + code[11:],
    "its end is missing": lambda code: code[:-12],
    "its sum is missing": lambda code: code.rpartition(".")[0],
    "its case is lost": str.lower,
    "it is there twice": lambda code: code + code,
    "it has words behind it": lambda code: code + " thanks!",
    "it is empty": lambda _: "sc1..",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_code_is_said_to_be_damaged(damage: str) -> None:
    with pytest.raises(BadCode, match="damaged"):
        text_in(DAMAGE[damage](CODE))


@given(st.integers(4, len(CODE) - 1), st.sampled_from("ABCxyz019-_."))
def test_no_single_letter_is_altered_unseen(at: int, letter: str) -> None:
    altered = CODE[:at] + letter + CODE[at + 1 :]
    if altered != CODE:
        with pytest.raises(BadCode):
            text_in(altered)


def test_a_code_that_unpacks_to_something_huge_is_refused_before_it_has() -> None:
    bomb = forged(b"0" * 20_000_000)
    assert len(bomb) <= LONGEST
    tracemalloc.start()
    with pytest.raises(BadCode, match="holds more than 200,000 bytes"):
        text_in(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * MOST_BYTES
    assert text_in(forged(b"0" * MOST_BYTES)) == "0" * MOST_BYTES


@pytest.mark.parametrize(
    "code",
    [forged(b"\xff\xfe"), forged(b"nothing packed", packed=False), forged(b"", packed=False), forged(b"x")[:-9] + "A"],
)
def test_what_is_no_packed_text_is_said_to_be_damaged(code: str) -> None:
    with pytest.raises(BadCode, match="damaged"):
        text_in(code)


def test_one_that_goes_on_behind_its_end_is_damaged() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = packer.compress(b"x") + packer.flush()
    with pytest.raises(BadCode, match="damaged"):
        text_in(forged(whole + b"more", packed=False))
    with pytest.raises(BadCode, match="damaged"):
        text_in(forged(whole[:-1], packed=False))


def test_a_code_of_a_newer_kind_is_said_to_be_newer() -> None:
    with pytest.raises(BadCode, match=r"newer kind \(sc2\)"):
        text_in("sc2" + CODE[3:])


def test_neither_text_nor_code_is_endless() -> None:
    with pytest.raises(BadCode, match="200,000"):
        code_of("x" * (MOST_BYTES + 1))
    with pytest.raises(BadCode, match="40,000 at most"):
        text_in("sc1." + "A" * LONGEST + ".12345678")


@pytest.mark.parametrize("text", ["", "sc", "scene", "sc1", '{"sc1.": 1}', 'workflow "sc1.x"', "disc1.x"])
def test_other_texts_are_no_codes(text: str) -> None:
    assert not is_code(text)
