"""What people add to an instruction for the others in the chat: `skip this wait, we're ready`, `stop raid, wrong day lol`.

Pure, and no meaning is known here: it only tells where a sentence may end before a remark. What is left is never carried
out unasked, since words were passed over to come to it.
"""

import re
from typing import Final

_BEGINNING: Final = re.compile(
    r"""\s*[,;.!–—-]+\s*(?=(
        i|i'?m|i'?ll|i'?d|i'?ve|we|we'?re|we'?ll|we'?ve|they|they'?re|he|he'?s|she|she'?s|you|u|ur|you'?re|my|our|chat(?:'s)?
        |that'?s|thats|it'?s|there'?s|because|bc|cause|cuz|coz|cos|since|wrong|too|nobody|every(?:one|body)|people|ppl
    )\b[^,;]*\Z)""",
    re.IGNORECASE | re.VERBOSE,
)


_NO_COMMA: Final = re.compile(
    r"""\s+(?=(
        because|bc|cause|cuz|coz|cos|since|in[ ]case|so[ ](?:people|ppl|they|chat|everyone|that[ ]people)[ ]can
        |(?:people|ppl|they|viewers|everyone|chat)[ ](?:are|r|is|keep|keeps|find|finds|hate|hates|dont|don't|get|gets|always)
        |(?:they|we|you|ur)(?:'?re)?[ ](?:are|r|keep|already)|they'?re|we'?re|i'?m
        |(?:it'?s|its|thats|that'?s)[ ](?:pointless|useless|way|too|so|annoying|boring|silly|dumb|confusing|not|really|kinda|just)
    )\b[^,;]*\Z)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Where a remark begins without a comma; only words that hardly go on with an instruction."""


def before_remark(sentence: str) -> str | None:
    """The sentence without the remark at its end; None if none begins there, or but a word would be left: `no, that's wrong`."""
    if '"' in sentence:
        return None  # what is quoted may be a text that goes on
    found = _BEGINNING.search(sentence) or _NO_COMMA.search(sentence)
    return sentence[: found.start()] if found is not None and " " in sentence[: found.start()].strip() else None
