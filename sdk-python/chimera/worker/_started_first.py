"""What child workflows and Nexus operations have in common: they start, and later they end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chimera._border import Completed

if TYPE_CHECKING:
    import chimera.converter as converter
    from chimera.worker._run import Run


class StartedFirst:
    """Part of a handle. `start` gets the answer to the start, `future` the end of what was started.

    What does not start ends by that: then `start` has the error, and `future` nothing to say.
    """

    _run: Run
    start: asyncio.Future[Any]
    future: asyncio.Future[Any]
    payloads: converter.PayloadConverter
    failures: converter.FailureConverter

    def _fail(self, error: BaseException) -> None:
        if self.start.done():
            self.future.set_exception(error)
        else:
            self.start.set_exception(error)
            self.future.set_result(None)

    def _end(self, result: Any, result_type: type | None) -> None:
        run = self._run
        if isinstance(result, Completed):
            self.future.set_result(run.decode_result(result.result, result_type, self.payloads))
        else:
            self._fail(run.decode_failure(result.failure, self.failures, self.payloads))
