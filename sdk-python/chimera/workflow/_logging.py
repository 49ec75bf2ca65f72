"""The workflow logger, silent in replay, and `unsafe`: how code can look behind the scenes."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from enum import Flag, auto
from typing import Any

from chimera.workflow._info import current_update_info
from chimera.workflow._runtime import current, maybe_current


class SandboxImportNotificationPolicy(Flag):
    """What the sandbox says about imports. Without a sandbox: nothing."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


_thread = threading.local()


@contextmanager
def _set_on_thread(name: str, value: Any) -> Iterator[None]:
    before = getattr(_thread, name, None)
    setattr(_thread, name, value)
    try:
        yield None
    finally:
        setattr(_thread, name, before)


class unsafe:
    """Functions that most workflow code must not need. Not to be instantiated."""

    def __init__(self) -> None:
        """Refuses."""
        raise NotImplementedError

    @staticmethod
    def in_sandbox() -> bool:
        """Whether code runs in a sandbox: never in this version."""
        return False

    @staticmethod
    def is_replaying() -> bool:
        """Whether history is replayed, a query's answer included."""
        return current().is_replaying

    @staticmethod
    def is_replaying_history_events() -> bool:
        """Whether history is replayed, and not only to answer a query or validate an update."""
        return current().is_replaying_history_events

    @staticmethod
    def is_read_only() -> bool:
        """Whether code must change nothing: queries, validators."""
        return current().loop.read_only

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether `sandbox_unrestricted` is on."""
        return bool(getattr(_thread, "unrestricted", None))

    @staticmethod
    def sandbox_unrestricted() -> Any:
        """Context manager: no restrictions of the sandbox."""
        return _set_on_thread("unrestricted", True)

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether `imports_passed_through` is on."""
        return bool(getattr(_thread, "passed_through", None))

    @staticmethod
    def imports_passed_through() -> Any:
        """Context manager: imports give the sandbox the modules of the worker."""
        return _set_on_thread("passed_through", True)

    @staticmethod
    def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
        """What `sandbox_import_notification_policy` has set."""
        return getattr(_thread, "import_policy", None)

    @staticmethod
    def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Any:
        """Context manager: another policy for imports."""
        return _set_on_thread("import_policy", policy)


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]  # No generic class before 3.11.
    """Adds the workflow to messages and records, and says nothing that was said before replay."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        """The attributes say what is added."""
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False
        self.disable_sandbox = False

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add what the attributes ask for; the caller's own extra wins."""
        run = maybe_current()
        update = current_update_info()
        details = {**(run.logger_details if run else {})}
        details.update(update._logger_details if update else {})
        extra: dict[str, Any] = {}
        if details and self.workflow_info_on_extra:
            extra["temporal_workflow"] = details
        if run and self.full_workflow_info_on_extra:
            extra["workflow_info"] = run.info
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        if details and self.workflow_info_on_message:
            msg = f"{msg} ({details})"
        return msg, kwargs

    def log(self, level: int, msg: object, *args: Any, stacklevel: int = 1, **kwargs: Any) -> None:
        """Log as called by the caller, not from here. 3.10 counts a frame less."""
        if sys.version_info < (3, 11) and stacklevel == 1:
            stacklevel += 1
        super().log(level, msg, *args, stacklevel=stacklevel + 1, **kwargs)

    def isEnabledFor(self, level: int) -> bool:
        """Not while history is replayed, unless `log_during_replay`."""
        if not self.log_during_replay:
            run = maybe_current()
            if run and run.is_replaying_history_events:
                return False
        return super().isEnabledFor(level)

    @property
    def base_logger(self) -> logging.Logger:
        """The logger behind; it does not know about workflows."""
        return self.logger

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """Log outside of the sandbox, which there is none of in this version."""
        self.disable_sandbox = value


logger = LoggerAdapter(logging.getLogger("temporalio.workflow"), None)
"""Logger of workflow code."""
