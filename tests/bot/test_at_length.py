"""What is too long for where it was asked for: all of it goes elsewhere, its beginning stays, and neither is lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.at_length import asked_words, at_length, beginning
from bot.message import Message, Place, Reply
from bot.replies import Saying, fit, replies
from engine.execution import Person

FILE = ("raid.txt", "all of it\n")
MODS = "#mods on Discord"


def asked(*roles: str) -> Message:
    return Message("1", "!wf  history raid", Person("Mo", "twitch", roles), Place("twitch"), 0.0)


class Mods:
    """A channel that takes files, or does not."""

    def __init__(self, *, is_there: bool = True) -> None:
        self.is_there = is_there
        self.posts: list[tuple[str, str, tuple[str, str]]] = []

    async def __call__(self, platform: str, sentence: str, file: tuple[str, str]) -> str | None:
        self.posts.append((platform, sentence, file))
        return MODS if self.is_there else None


def long_answer() -> list[Reply]:
    return [Reply("answer", f"v{number} mo edit: “x” · v0 mo create: “y”", whole=FILE) for number in (2, 1)]


async def test_all_of_it_is_posted_once_with_who_asked_for_what_and_the_asker_is_told_where() -> None:
    mods = Mods()
    note = Reply("answer", "before")

    found = await at_length(asked("moderator"), [note, *long_answer()], mods)

    assert mods.posts == [("twitch", "Mo asked on Twitch: !wf history raid", FILE)]
    assert [reply.text for reply in found] == [
        "before",
        f"v2 mo edit: “x” · v0 mo create: “y” All of it is in {MODS}.",
    ]


async def test_where_it_cannot_be_posted_it_stays_as_it_is() -> None:
    assert await at_length(asked("moderator"), long_answer(), Mods(is_there=False)) == long_answer()


async def test_what_strangers_are_answered_is_posted_nowhere() -> None:
    mods = Mods()

    assert await at_length(asked("vip"), long_answer(), mods) == long_answer()
    assert mods.posts == []


def test_a_refusal_for_want_of_room_is_none_any_more_once_there_is_room() -> None:
    told = beginning(Reply("refusal", "That needs more than 6 messages here.", whole=FILE), MODS, "twitch")

    assert (told.kind, told.text) == ("answer", f"All of it is in {MODS}.")


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=700), min_size=1), st.text(max_size=120))
def test_the_beginning_fits_and_ends_with_where_the_rest_is(lines: Sequence[str], where: str) -> None:
    (reply, *_) = replies("answer", Saying("raid: ", "\n".join(lines)), "twitch")
    told = beginning(reply, where, "twitch").text

    assert len(told) <= 500
    assert told.endswith(".")
    assert "All of it is in" in told


def test_what_was_asked_is_told_in_one_line() -> None:
    assert "\n" not in asked_words(asked()) + asked_words(Message("1", "!wf a:\nb", Person("mo"), Place(), 0.0))


@given(
    st.text(st.characters(codec="utf-8"), max_size=700),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=600), max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=300),
)
def test_there_is_more_to_an_answer_exactly_where_a_part_of_it_is_not_shown(
    head: str, lines: Sequence[str], tail: str
) -> None:
    found = replies("answer", Saying(head, "\n".join(lines), tail), "twitch")
    words = [fit(word, "twitch") for word in f"{head} {' '.join(lines)} {tail}".split()]
    shown = "".join("".join(reply.text for reply in found).split())

    if all(reply.whole is None for reply in found):
        assert all("".join(word.split()).removeprefix("Here:").strip("·.") in shown for word in words)
    else:
        assert {reply.whole for reply in found} == {("answer.txt", f"{head}{''.join(chr(10).join(lines))}{tail}\n")}


@pytest.mark.parametrize(("kind", "is_posted"), [("answer", True), ("done", False), ("question", False)])
def test_only_what_was_asked_to_be_told_is_posted(kind: str, is_posted: bool) -> None:
    found = replies(kind, Saying("Done: ", " · ".join(["say hello"] * 200)), "twitch")  # type: ignore[arg-type]

    assert any(reply.whole for reply in found) is is_posted
