"""A text as a code that survives chats, and back: packed, in letters that nobody alters, with a sum that tells damage.

`sc1.BODY.SUM`: the number is the version of the form, the body is the packed text, the sum is of both. What a code holds is
no concern of this module; that a small code may unpack to something huge is.
"""

import base64
import binascii
import hashlib
import re
import zlib
from typing import Final

from engine.errors import EngineError

LONGEST: Final = 40_000
"""Characters that a code may have."""
MOST_BYTES: Final = 200_000
"""Bytes that it may unpack to."""
_VERSION: Final = "sc1"
_ANY: Final = re.compile(r"sc\d{1,3}\.", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(?P<version>sc\d{1,3})\.(?P<body>[A-Za-z0-9_-]+)\.(?P<sum>[A-Za-z0-9_-]{8})")
_BLANKS: Final = re.compile(r"[\s\u200b\u200d\u2060\ufeff\U000e0000]+")
_AROUND: Final = "` \t\r\n"
"""Chats show it in a block of its own, and files end with a line break."""

_KNOWN: Final = (
    b"workflow description tags version 1. 2. 3. 4. 5. 6. 7. 8. 9. 10. never reached: then stop go to step otherwise if set "
    b"the title to set the category to turn on turn off start stop streaming recording time out ban because shout out wait "
    b"until someone types times: at the same time: repeat for each in the list collect for at most once per user cooldown per "
    b"user minutes hours only while live one at a time let moderators vips subscribers run it when someone follows when "
    b"someone subscribes when someone gifts subs when someone cheers at least bits when someone redeems when someone chats "
    b"for the first time when a raid of more than viewers comes in when the stream starts when the stream ends every minutes "
    b'at 19:00 send to #channel on Discord post create a clip switch to scene "Starting Soon" "BRB" "Main" show hide source '
    b'play "airhorn" add 1 to the counter ${results. ${event. ${config. ${viewers} ${bits} ${months} ${message} ${count} '
    b'wait 10 seconds wait 5 minutes say "welcome ${user}! thank you for the when someone types ! workflow "'
)
"""What many workflows have in common, so that short ones fit into a chat message. It is a part of `sc1` and never changes."""


class BadCode(EngineError):
    """A code that cannot be read; the text says why, for people."""


def code_of(text: str) -> str:
    """A text as a code.

    Raises:
        BadCode: It is too long for one.
    """
    if len(content := text.encode()) > MOST_BYTES:
        raise BadCode(f"That has {len(content):,} bytes; a share code holds {MOST_BYTES:,}")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _KNOWN)
    body = _letters(packer.compress(content) + packer.flush())
    code = f"{_VERSION}.{body}.{_sum(body)}"
    if len(code) > LONGEST:
        raise BadCode(f"The share code would have {len(code):,} characters; {LONGEST:,} are the most")
    return code


def is_code(text: str) -> bool:
    """Whether a text is meant as a code, be it whole or not."""
    return _ANY.match(text.lstrip(_AROUND)) is not None


def text_in(code: str) -> str:
    """The text in a code.

    Raises:
        BadCode: It is none, is damaged, or holds too much.
    """
    code = _BLANKS.sub("", code.strip(_AROUND))
    if len(code) > LONGEST:
        raise BadCode(f"That has {len(code):,} characters; a share code has {LONGEST:,} at most")
    match = _WHOLE.fullmatch(code)
    if match is not None and match["version"] != _VERSION:
        raise BadCode(f"That share code is of a newer kind ({match['version']}); this Showcaller reads {_VERSION}")
    if match is None or _sum(match["body"]) != match["sum"]:
        raise BadCode("That share code is damaged: a part is missing or altered. Copy it again, all of it")
    try:
        packed = base64.b64decode(match["body"] + "=" * (-len(match["body"]) % 4), b"-_", validate=True)
        unpacker = zlib.decompressobj(-15, _KNOWN)
        content = unpacker.decompress(packed, MOST_BYTES + 1)
        whole = unpacker.eof and not unpacker.unused_data
        if len(content) > MOST_BYTES:
            raise BadCode(f"That share code holds more than {MOST_BYTES:,} bytes; no workflow does")
        if not whole:
            raise BadCode("That share code is damaged: what is in it has no end")
        return content.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        raise BadCode("That share code is damaged: what is in it cannot be read") from None


def _letters(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _sum(body: str) -> str:
    """Eight letters; they tell damage, and nothing of who made it."""
    return _letters(hashlib.sha256(f"{_VERSION}.{body}".encode()).digest()[:6])
