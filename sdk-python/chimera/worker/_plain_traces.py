"""Tracebacks in the log of workflow code, without the marks below each line.

For those marks Python parses every line; 3.11 and 3.12 cannot do that in two threads at once
(SystemError: AST constructor recursion depth mismatch), and workflow code has a thread of its own.
Other versions log as ever.
"""

from __future__ import annotations

import logging
import sys
from types import TracebackType

_CANNOT_PARSE_IN_TWO_THREADS = (3, 11) <= sys.version_info < (3, 13)


def without_columns(trace: TracebackType | None) -> TracebackType | None:
    """The same frames and lines. Nobody knows any more which part of a line it was."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    plain: TracebackType | None = None
    for entry in reversed(entries):
        plain = TracebackType(plain, entry.tb_frame, -1, entry.tb_lineno)
    return plain


class PlainTraces(logging.Filter):
    """Takes the columns out of records' errors and their causes. Lets all records pass.

    Out of the errors themselves, so that whichever handler or formatter shows them does it its way.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[1] is None:
            return True
        kind, error, trace = record.exc_info
        seen: set[int] = set()
        left: list[BaseException | None] = [error]
        while left:
            each = left.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            each.__traceback__ = without_columns(each.__traceback__)
            left += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
        record.exc_info = (kind, error, without_columns(trace))
        return True


def install() -> None:
    """For what is logged by workflow code, and by what runs it."""
    if not _CANNOT_PARSE_IN_TWO_THREADS:
        return
    for name in ("worker._workflow", "worker._workflow_instance", "workflow"):
        logging.getLogger(f"temporalio.{name}").addFilter(_FILTER)


_FILTER = PlainTraces()
