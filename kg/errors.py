"""What can go wrong, as sentences that say what, where and what to do.

::

    KGError (exit status 1)
    ├── UsageError (2)      the call, the configuration or a data file is malformed
    │   └── NotAcceptable   an answer cannot be written in any of the media types asked for
    ├── ReadError (1)       an input cannot be read
    │   └── NoInput (4)     there is no such file or folder
    ├── ChecksFailed (3)    a check found problems, or records were skipped
    ├── NotFound (4)        nothing is called that; names the nearest
    └── TimedOut (5)        the work was stopped at its time limit
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class KGError(Exception):
    """The root of all errors that kg raises on purpose."""

    exit_status: ClassVar[int] = 1


class UsageError(KGError):
    """The call, the configuration or a data file is malformed."""

    exit_status = 2


class NotAcceptable(UsageError):
    """An answer cannot be written in any of the media types asked for."""


class ReadError(KGError):
    """An input cannot be read."""


class NoInput(ReadError):
    """There is no such file or folder."""

    exit_status = 4


class ChecksFailed(KGError):
    """A check found problems."""

    exit_status = 3


class NotFound(KGError):
    """Nothing is called that."""

    exit_status = 4

    def __init__(self, message: str, *, nearest: Iterable[str] = ()) -> None:
        super().__init__(message)
        #: What is called something like it; said after the message.
        self.nearest = tuple(nearest)

    def __str__(self) -> str:
        hint = f"; the nearest are: {', '.join(self.nearest)}" if self.nearest else ""
        return f"{super().__str__()}{hint}"


class TimedOut(KGError):
    """The work was stopped at its time limit."""

    exit_status = 5
