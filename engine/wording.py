"""How sentences count and shorten, so that all of them do it alike. It knows no values, only numbers and texts."""


def counted(count: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shortened(text: str, length: int) -> str:
    """The text, or its beginning if it is longer than that."""
    return text if len(text) <= length else text[: length - 3] + "..."


def in_seconds(seconds: float) -> str:
    """`1 second`, `2.5 seconds`."""
    return "1 second" if seconds == 1 else f"{seconds:g} seconds"
