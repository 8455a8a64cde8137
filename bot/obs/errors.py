"""What can go wrong with OBS, as types; each text is a sentence for people.

Whether it is certain that nothing was done decides what comes next: what is certain is a failure, of the rest the state
is read again once OBS is back.
"""

from typing import Final

from engine.execution import Failed

_NO_SUCH: Final = frozenset({600, 601, 602, 603, 604, 605, 606})


class ObsError(Exception):
    """What was asked did not come about.

    Attributes:
        error: One word for it, which `retry` can name.
        retryable: Whether trying again may help.
        certain: Whether it is certain that OBS did not do it.
    """

    error = "refused"
    retryable = False
    certain = True

    @property
    def failed(self) -> Failed:
        """As the result of an effect."""
        return Failed(self.error, str(self), retryable=self.retryable)


class Unavailable(ObsError):
    """OBS was not there to be asked."""

    error = "not_connected"
    retryable = True

    def __init__(self, text: str = "OBS is not running, or I cannot reach it") -> None:
        super().__init__(text)


class Lost(Unavailable):
    """The connection ended while something was asked."""

    certain = False

    def __init__(self) -> None:
        super().__init__("the connection to OBS was lost while that was under way")


class TimedOut(ObsError):
    """It did not answer in time."""

    error = "timeout"
    retryable = True
    certain = False

    def __init__(self, request: str, seconds: float) -> None:
        super().__init__(f"OBS did not answer within {seconds:g} seconds ({request})")


class NotReady(ObsError):
    """It is busy with itself, as when it switches its scene collection."""

    error = "not_ready"
    retryable = True

    def __init__(self) -> None:
        super().__init__("OBS is busy: it is switching its scene collection, or closing")


class RequestFailed(ObsError):
    """It refused a request.

    Attributes:
        code: OBS's number for the reason.
    """

    def __init__(self, request: str, code: int, comment: str | None) -> None:
        reason = " ".join((comment or "").split())[:200].rstrip(".")
        super().__init__(f"OBS refused {request}: {reason or f'its code is {code}'}")
        self.code = code
        self.error = "too_old" if code == 204 else "not_found" if code in _NO_SUCH else "refused"


class Unfit(ObsError):
    """What was asked cannot be right, by what OBS has: no such scene, no text source, too long."""

    def __init__(self, error: str, text: str) -> None:
        super().__init__(text)
        self.error = error


class OutputFailed(ObsError):
    """OBS took the request, but what should have started or ended did not."""

    error = "output_failed"
    retryable = True


class NotSeen(ObsError):
    """OBS took the request, but its state did not become what was asked for."""

    error = "not_done"
    retryable = True

    def __init__(self, why_not: str) -> None:
        super().__init__(f"OBS said yes, but {why_not}")


class AuthFailed(ObsError):
    """It does not take the password."""

    error = "wrong_password"

    def __init__(self) -> None:
        super().__init__("OBS does not take the password")
