"""What an answer of Twitch means for a step: an error by a short name, in a sentence, and whether trying again may help. Pure."""

from engine.execution import Failed, Result, Unknown

GRANT = "Grant it with: showcaller setup twitch."


def not_granted(scopes: tuple[str, ...]) -> Failed:
    """No account may do it."""
    return Failed("missing_scope", f"Twitch has not granted me {' and '.join(scopes)}. {GRANT}")


def unavailable() -> Failed:
    """There is no connection; nothing was asked."""
    return Failed("unavailable", "Twitch cannot be reached at the moment.", retryable=True)


def no_answer(*, repeatable: bool) -> Result:
    """It was asked, and no answer came."""
    if repeatable:
        return Failed("timeout", "Twitch did not answer.", retryable=True)
    return Unknown("Twitch did not answer, so nobody can say whether it was done")


def refusal(status: int, message: str, *, repeatable: bool) -> Result:
    """What an error status means for what was asked."""
    said = message.strip().rstrip(".")
    lower = said.casefold()
    if status == 401:
        missing = lower.removeprefix("missing scope:").strip() if lower.startswith("missing scope") else ""
        if missing:
            return not_granted((missing,))
        return Failed(
            "not_signed_in", "Twitch no longer accepts my sign-in. Sign in again with: showcaller setup twitch."
        )
    if status == 429:
        return Failed("rate_limited", f"Twitch takes no more of that for now{_quoted(said)}.", retryable=True)
    if status == 503:
        return Failed("unavailable", "Twitch cannot do that at the moment.", retryable=True)
    if status >= 500:
        if repeatable:
            return Failed("unavailable", "Twitch broke on it.", retryable=True)
        return Unknown("Twitch broke on it, so nobody can say whether it was done")
    if "not live" in lower or "offline" in lower or "not streaming" in lower or "must be live" in lower:
        return Failed("not_live", f"That works only while the stream is live{_quoted(said)}.")
    if status == 404:
        return Failed("not_found", f"Twitch does not find it{_quoted(said)}.")
    if status == 403:
        return Failed("forbidden", f"Twitch does not allow it{_quoted(said)}.")
    return Failed("rejected", f"Twitch does not accept it{_quoted(said)}.")


def not_sent(code: str, message: str) -> Failed:
    """A message that Twitch took and did not show."""
    return Failed("rejected", f"Twitch did not show the message{_quoted(message or code)}.")


def _quoted(said: str) -> str:
    return f": {said[:200]}" if said else ""
