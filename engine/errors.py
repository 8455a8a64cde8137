"""What can go wrong in the engine, one class per thing the reader of the message can do about it."""


class EngineError(Exception):
    """Base of every error the engine raises on purpose; its text is fit to be shown to a chat user."""


class ExpressionError(EngineError):
    """A formula or template that cannot be read; the writer has to change it.

    Attributes:
        at: Offset in characters where reading stopped.
    """

    def __init__(self, message: str, *, text: str, at: int) -> None:
        shown = text if len(text) <= 80 else text[:77] + "..."
        super().__init__(f'{message} in "{shown}"' if shown else message)
        self.at = at


class DefinitionError(EngineError):
    """A workflow that cannot be loaded; the message names the place and what is wrong there."""


class NotExpressible(EngineError):
    """A workflow says something that the form it should be written in has no words for; take another form."""


class EditError(EngineError):
    """An edit that does not fit the workflow it was made for."""


class StoreError(EngineError):
    """The store could not do what was asked; nothing of it happened."""


class StoreBusy(StoreError):
    """Another process writes to this data folder; say it to that bot, or stop it first."""


class StoreUnwritable(StoreError):
    """Disk full or read-only; the change was not made and can be tried again once there is room."""


class StoreTooNew(StoreError):
    """The database was written by a newer version; upgrade, nothing was touched."""


class StoreCorrupt(StoreError):
    """The database does not pass its integrity check; restore a backup."""


class StoreMissing(StoreError):
    """There is no database where one was to be read; nothing has been stored there yet."""


class RevisionMoved(StoreError):
    """A workflow was changed by someone else since the caller read it."""


class EvaluationError(Exception):
    """A formula or template that cannot be worked out with the values at hand.

    Attributes:
        reason: One sentence for a chat user; it names variables as words, never as a raw placeholder.
        variable: The variable that is missing, if that is the reason.
    """

    def __init__(self, reason: str, variable: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.variable = variable
