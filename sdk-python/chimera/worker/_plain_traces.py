"""Tracebacks in the log of workflow code, without the marks below each line.

For those marks Python parses every line; 3.11 and 3.12 cannot do that in two threads at once
(SystemError: AST constructor recursion depth mismatch), and workflow code has a thread of its own.
"""

from __future__ import annotations

import logging
import traceback


def format_trace(error: BaseException) -> str:
    """The error with its causes, as the log shows it."""
    whole = traceback.TracebackException(type(error), error, error.__traceback__)
    seen: set[int] = set()
    left: list[traceback.TracebackException | None] = [whole]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        for frame in each.stack:
            if hasattr(frame, "colno"):
                frame.colno = frame.end_colno = None
        left += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]
    return "".join(whole.format()).rstrip("\n")


class PlainTraces(logging.Filter):
    """Gives records their text, so that no handler has to make it. Lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not record.exc_text:
            record.exc_text = format_trace(error)
        return True


def install() -> None:
    """For what is logged by workflow code, and by what runs it."""
    for name in ("worker._workflow", "worker._workflow_instance", "workflow"):
        logging.getLogger(f"temporalio.{name}").addFilter(_FILTER)


_FILTER = PlainTraces()
