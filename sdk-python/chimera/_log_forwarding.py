"""The core's log, and that of native libraries, as records of a Python logger."""

from __future__ import annotations

import logging
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera._telemetry import LogForwardingConfig

_PATIENCE_AT_EXIT = 0.5  # A handler of a user may block.

# By the core's numbers: trace, debug, info, warn, error.
_LEVELS = [logging.DEBUG - 5, logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR]


@dataclass(frozen=True)
class CoreLog:
    """What the core said; a forwarded record has it as `temporal_log`."""

    level: int
    target: str
    message: str
    fields: dict[str, str]
    time: float
    """Seconds since the epoch."""


def forwarder(config: LogForwardingConfig) -> Callable[..., None]:
    """What makes a record of each line of the core."""

    def forward(level: int, target: str, message: str, fields: dict[str, str], time: float) -> None:
        if target.partition("::")[0] == "worker":
            target = f"temporalio_sdk_core::{target}"  # As the official core says; filters and handlers know it.
        log = CoreLog(_LEVELS[level], target, message, fields, time)
        if not config.logger.isEnabledFor(log.level):
            return
        name = config.logger.name
        if config.append_target_to_name:
            name += f"-sdk_core::{target}"
        if config.prepend_target_on_message:
            message = f"[sdk_core::{target}] {message}"
        if config.append_log_fields_to_message:
            message += f" {fields}"
        extra = {"temporal_log": log}
        record = config.logger.makeRecord(name, log.level, "(core)", 0, message, (), None, "(core)", extra)
        if config.overwrite_log_record_time:
            record.created = time
            record.msecs = (time - int(time)) * 1000
        config.logger.handle(record)

    return forward


def serve(queue: Any) -> Callable[[], None]:
    """Starts the thread that takes what the core leaves in the queue; the result ends it."""
    ended = threading.Event()

    def run() -> None:
        ready = select.poll()
        ready.register(queue.fileno(), select.POLLIN)
        while not ended.is_set():
            ready.poll()
            for callback, args in queue.take():
                try:
                    callback(*args)
                except Exception:
                    logging.getLogger(__name__).exception("A log handler failed")

    thread = threading.Thread(target=run, name="chimera_log", daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        os.eventfd_write(queue.fileno(), 1)
        thread.join(_PATIENCE_AT_EXIT)

    return end
