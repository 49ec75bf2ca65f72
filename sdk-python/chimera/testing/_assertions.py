"""In a test a failed assertion shall fail the workflow, not its task again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import chimera.client
import chimera.worker
from chimera.exceptions import ApplicationError


@contextmanager
def _as_application_error() -> Iterator[None]:
    try:
        yield
    except AssertionError as err:
        raise ApplicationError(str(err), type="AssertionError", non_retryable=True).with_traceback(
            err.__traceback__
        ) from None


class _AssertionInbound(chimera.worker.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: chimera.worker.ExecuteWorkflowInput) -> Any:
        with _as_application_error():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: chimera.worker.HandleSignalInput) -> None:
        with _as_application_error():
            await super().handle_signal(input)


class AssertionErrorInterceptor(chimera.client.Interceptor, chimera.worker.Interceptor):
    """Given to the environment's client; its workers get it from there."""

    def workflow_interceptor_class(
        self, input: chimera.worker.WorkflowInterceptorClassInput
    ) -> type[chimera.worker.WorkflowInboundInterceptor] | None:
        return _AssertionInbound
