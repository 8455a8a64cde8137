"""What can be asked of web addresses. Whoever writes such a step lets the bot speak to strangers, so it is the broadcaster's.

A key or token is a secret setting named in `token`; it never stands in the address, the headers or the body.
"""

from typing import Final

from engine.declare import Method, Param

SERVICE: Final = "http"

_URL: Final = Param("url", slot="url")
_BODY: Final = Param("body", "any", required=False)
_COMMON: Final = (
    Param("path", required=False),
    Param("query", "any", required=False),
    Param("headers", "any", required=False),
    Param("token", required=False, secret=True),
    Param("token_in", required=False, default="bearer"),
)

METHODS: Final = (
    Method(
        SERVICE,
        "get",
        (_URL, *_COMMON),
        (
            "fetch {url}",
            "fetch {path} from {url}",
            "(fetch|get|read|call) the (url|web page|web address) {url}",
            "(get|load|request) {url}",
        ),
        verb="fetch",
        noun=("web call", "fetch"),
        repeatable=True,
        right="broadcaster",
    ),
    Method(
        SERVICE,
        "post",
        (_URL, _BODY, *_COMMON),
        (
            "call the webhook {url}",
            "call the webhook {url} with {body}",
            "(call|trigger|ping) [the|a] webhook {url}",
            "(call|trigger|ping) [the|a] webhook {url} with {body}",
        ),
        verb="webhook",
        noun=("webhook", "webhook call"),
        right="broadcaster",
    ),
    Method(
        SERVICE,
        "put",
        (_URL, _BODY, *_COMMON),
        ("http put {body} to {url}",),
        verb="put",
        repeatable=True,
        right="broadcaster",
    ),
    Method(
        SERVICE,
        "delete",
        (_URL, *_COMMON),
        ("http delete {url}",),
        verb="http_delete",
        repeatable=True,
        right="broadcaster",
    ),
)
