"""Which message of Discord is meant in a workflow that is there, and what of a reaction or a status is changed."""

import pytest

from grammar.instruction import Refusal, Understood
from tests.grammar.test_cases import language, workspace_with

IDEAS = 'workflow "ideas"\nwhen someone writes in #ideas\n1. react with "👍"'
LIVE = (
    'workflow "live"\nwhen the stream starts\n1. post "we are on" in #live\n2. set the discord status to "streaming"\n'
    '3. say "hi all"'
)
BOTH = 'workflow "both"\nwhen a raid comes in\n1. if viewers > 5 (post "a" in #x) otherwise (post "b" in #x)'
COMMAND = 'workflow "faq"\nwhen someone types !faq in discord\n1. wait 5 seconds'


@pytest.mark.parametrize(
    ("file", "say", "canonical"),
    [
        (IDEAS, "also pin it", 'ideas v2: add as step 2 pin the discord message "${message_id}"'),
        (IDEAS, "change the reaction to 🎉", 'ideas v2: step 1 react with "👍" -> react with "🎉"'),
        (LIVE, "also pin it", 'live v2: add as step 4 pin the discord message "${post.message_id}"'),
        (
            LIVE,
            "delete that post after an hour",
            'live v2: add as step 4 wait 1 hour · delete the discord message "${post.message_id}"',
        ),
        (LIVE, "remove the post", "live v2: remove step 1"),
        (
            LIVE,
            'change the activity to "gaming"',
            'live v2: step 2 set the discord status to "streaming" -> set the discord status to "gaming"',
        ),
        (COMMAND, 'also reply "read it"', 'faq v2: add as step 2 reply "read it" in discord'),
        (COMMAND, "time them out for 60 seconds", "faq v2: add as step 2 time out ${user} in discord for 1 minute"),
    ],
)
def test_a_change_means_this(file: str, say: str, canonical: str) -> None:
    workspace = workspace_with(file)
    answer = language().understand(say, workspace)
    assert isinstance(answer, Understood), answer
    assert language().say(answer.instruction, workspace) == canonical
    again = language().understand(canonical, workspace)
    assert isinstance(again, Understood)
    assert again.instruction == answer.instruction


def test_one_of_several_posts_is_not_guessed() -> None:
    answer = language().understand("also pin it", workspace_with(BOTH))
    assert isinstance(answer, Refusal)
    assert "which message" in answer.text
