"""Errors sorted by who must act. The sentence says where, what, why, and what to do."""

from datetime import timedelta


class ReconcilerError(Exception):
    """Anything that we raise ourselves."""


class RetryLaterError(ReconcilerError):
    """Nobody must act: what is asked for is not possible yet.

    `after` is how long to wait at least before the next look.
    """

    def __init__(self, message: str, *, after: timedelta = timedelta(0)) -> None:
        super().__init__(message)
        self.after = after


class ConflictError(ReconcilerError):
    """An operator must act: a thing of that name exists and is not ours. It is never changed."""


class ChangedError(ReconcilerError):
    """Nobody must act: the world is not what the plan rested on; the next pass plans again."""


class InvalidError(ReconcilerError):
    """The author must act: AWS will never take this."""


class ForbiddenCallError(ReconcilerError):
    """A programmer must act: the call is not on the allow-list, or carries what it may not carry."""


class DeadlineError(ReconcilerError):
    """Nobody must act: the pass took too long, so no further call is sent. The next pass goes on."""


class WrongAccountError(ReconcilerError):
    """An operator must act: the credentials lead to another account than the Target names."""
