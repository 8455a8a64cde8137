"""Words that the language keeps for itself: verbs of its own sentences, and what joins them.

They are words and no more: what a sentence that begins so means is told by the files of the grammar.
"""

from typing import Final

from grammar import names

EDIT_VERBS: Final = frozenset({"wait", "add", "remove", "delete", "move", "replace", "swap", "insert", "run", "change"})
OWN_VERBS: Final = frozenset(
    [
        "wait",
        "pause",
        "hold",
        "sleep",
        "delay",
        "stop",
        "end",
        "do",
        "go",
        "add",
        "when",
        "if",
        "unless",
        "repeat",
        "collect",
        "run",
        "emit",
        "set",
    ]
)
CONNECTORS: Final = frozenset(
    [
        "then",
        "and",
        "plus",
        "also",
        "after",
        "afterwards",
        "next",
        "finally",
        "lastly",
        "or",
        "every",
        "each",
        "if",
        "on",
        "at",
        "when",
        "whenever",
        "with",
        "that",
        "which",
        "called",
        "named",
        "from",
        "where",
        "starts",
        "it",
        "should",
        "new",
        "one",
        "a",
        "an",
    ]
)
OWN_WORDS: Final = (EDIT_VERBS | OWN_VERBS | CONNECTORS | names.ALONE) - {"set"}
"""Words that begin or join sentences of the language itself; what a service's sentence begins with must be none of them."""
