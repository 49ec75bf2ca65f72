"""Errors and small enums of workflow code."""

from __future__ import annotations

from enum import Enum, IntEnum

import chimera.exceptions


class NondeterminismError(chimera.exceptions.TemporalError):
    """Code and history disagree, or code did what would make them disagree."""

    def __init__(self, message: str) -> None:
        """`message` says what differs."""
        super().__init__(message)
        self.message = message


class ReadOnlyContextError(chimera.exceptions.TemporalError):
    """A query or validator tried to change something."""

    def __init__(self, message: str) -> None:
        """`message` says what was tried."""
        super().__init__(message)
        self.message = message


class NotInWorkflowError(chimera.exceptions.TemporalError):
    """A function of workflow code was called by other code."""

    def __init__(self, *args: object) -> None:
        self.message = "Not in workflow event loop"
        super().__init__(self.message)


class ContinueAsNewError(BaseException):
    """Ends a run that goes on as a new one. Raised by `continue_as_new`, never made by users."""

    def __init__(self, *args: object) -> None:
        """Refuses to be made by users."""
        if type(self) is ContinueAsNewError:
            raise RuntimeError("Cannot instantiate ContinueAsNewError directly")
        super().__init__(*args)


class VersioningIntent(Enum):
    """Whether what is started must run on a build that is compatible with this one."""

    COMPATIBLE = 1
    DEFAULT = 2


class ContinueAsNewVersioningBehavior(IntEnum):
    """Which worker deployment version the new run begins on."""

    UNSPECIFIED = 0
    AUTO_UPGRADE = 1
    USE_RAMPING_VERSION = 2
