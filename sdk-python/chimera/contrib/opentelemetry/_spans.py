"""Spans as long as a call: of clients, activities and handlers of Nexus operations, for both interceptors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

import chimera.activity
import chimera.client
import chimera.worker
from chimera.contrib.opentelemetry._carrier import Propagation, with_text
from chimera.contrib.opentelemetry._context import attached_context
from chimera.exceptions import ApplicationError, ApplicationErrorCategory

if TYPE_CHECKING:
    from collections.abc import Mapping

    import nexusrpc.handler
    from opentelemetry.context import Context
    from opentelemetry.util.types import Attributes

    from chimera.api.common.v1 import Payload


@contextmanager
def span_around(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Attributes, context: Context | None = None
) -> Iterator[None]:
    """A current span for the block, an error if the block raises; what is benign is only noted."""
    with tracer.start_as_current_span(
        name, context=context, kind=kind, attributes=attributes, set_status_on_exception=False
    ) as span:
        try:
            yield
        except Exception as error:
            if not (isinstance(error, ApplicationError) and error.category == ApplicationErrorCategory.BENIGN):
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise


class Tracing(Propagation):
    """What the links below ask of their interceptor."""

    _sets_nexus_headers = False

    def _span(self, name: str, kind: SpanKind, attributes: Attributes) -> AbstractContextManager[None]:
        """A span for the block, whose parent is the current one."""
        raise NotImplementedError

    def _activity_context(self, headers: Mapping[str, Payload]) -> Context | None:
        """Of who started it; None: the current one."""
        return self._context_of(headers)

    def _activity_attributes(self, info: chimera.activity.Info) -> dict[str, str]:
        raise NotImplementedError

    def _client_span(self, name: str, **attributes: str) -> AbstractContextManager[None]:
        return self._span(name, SpanKind.CLIENT, attributes)


class ClientLink(chimera.client.OutboundInterceptor):
    """Around the calls that reach code."""

    def __init__(self, next: chimera.client.OutboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    async def start_workflow(self, input: chimera.client.StartWorkflowInput) -> Any:
        call = "SignalWithStartWorkflow" if input.start_signal else "StartWorkflow"
        with self._tracing._client_span(f"{call}:{input.workflow}", temporalWorkflowID=input.id):
            input.headers = self._tracing._with_context(input.headers)
            return await super().start_workflow(input)

    async def query_workflow(self, input: chimera.client.QueryWorkflowInput) -> Any:
        with self._tracing._client_span(f"QueryWorkflow:{input.query}", temporalWorkflowID=input.id):
            input.headers = self._tracing._with_context(input.headers)
            return await super().query_workflow(input)

    async def signal_workflow(self, input: chimera.client.SignalWorkflowInput) -> None:
        with self._tracing._client_span(f"SignalWorkflow:{input.signal}", temporalWorkflowID=input.id):
            input.headers = self._tracing._with_context(input.headers)
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: chimera.client.StartWorkflowUpdateInput) -> Any:
        with self._tracing._client_span(f"StartWorkflowUpdate:{input.update}", temporalWorkflowID=input.id):
            input.headers = self._tracing._with_context(input.headers)
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(self, input: chimera.client.StartWorkflowUpdateWithStartInput) -> Any:
        start, update = input.start_workflow_input, input.update_workflow_input
        attributes = {"temporalWorkflowID": start.id}
        if update.update_id is not None:
            attributes["temporalUpdateID"] = update.update_id
        with self._tracing._client_span(f"StartUpdateWithStartWorkflow:{start.workflow}", **attributes):
            start.headers = self._tracing._with_context(start.headers)
            update.headers = self._tracing._with_context(update.headers)
            return await super().start_update_with_start_workflow(input)

    async def start_activity(self, input: chimera.client.StartActivityInput) -> Any:
        attributes = {"temporalActivityID": input.id, "temporalActivityType": input.activity_type}
        with self._tracing._client_span(f"StartActivity:{input.activity_type}", **attributes):
            input.headers = self._tracing._with_context(input.headers)
            return await super().start_activity(input)


class ActivityLink(chimera.worker.ActivityInboundInterceptor):
    """Around an attempt."""

    def __init__(self, next: chimera.worker.ActivityInboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    async def execute_activity(self, input: chimera.worker.ExecuteActivityInput) -> Any:
        info = chimera.activity.info()
        attributes = self._tracing._activity_attributes(info)
        with (
            attached_context(self._tracing._activity_context(input.headers)),
            self._tracing._span(f"RunActivity:{info.activity_type}", SpanKind.SERVER, attributes),
        ):
            return await super().execute_activity(input)


class NexusLink(chimera.worker.NexusOperationInboundInterceptor):
    """Around the handlers of an operation. The headers of Nexus are the carrier themselves."""

    def __init__(self, next: chimera.worker.NexusOperationInboundInterceptor, tracing: Tracing) -> None:
        super().__init__(next)
        self._tracing = tracing

    @contextmanager
    def _around(self, handler: str, input: Any) -> Iterator[None]:
        tracing, ctx = self._tracing, input.ctx
        name = f"Run{handler}NexusOperationHandler:{ctx.service}/{ctx.operation}"
        with (
            attached_context(tracing.text_map_propagator.extract(ctx.headers)),
            tracing._span(name, SpanKind.SERVER, {}),
        ):
            if tracing._sets_nexus_headers:
                input.ctx = dataclasses.replace(ctx, headers=with_text(ctx.headers, tracing._carrier()))
            yield

    async def execute_nexus_operation_start(
        self, input: chimera.worker.ExecuteNexusOperationStartInput
    ) -> nexusrpc.handler.StartOperationResultSync[Any] | nexusrpc.handler.StartOperationResultAsync:
        with self._around("Start", input):
            return await super().execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(self, input: chimera.worker.ExecuteNexusOperationCancelInput) -> None:
        with self._around("Cancel", input):
            await super().execute_nexus_operation_cancel(input)


class TracingInterceptorBase(Tracing, chimera.client.Interceptor, chimera.worker.Interceptor):
    """Links around a client's calls, activities and handlers of operations; those of workflows differ."""

    def intercept_client(self, next: chimera.client.OutboundInterceptor) -> chimera.client.OutboundInterceptor:
        """Around starts, signals, queries and updates."""
        return ClientLink(next, self)

    def intercept_activity(
        self, next: chimera.worker.ActivityInboundInterceptor
    ) -> chimera.worker.ActivityInboundInterceptor:
        """Around each attempt."""
        return ActivityLink(next, self)

    def intercept_nexus_operation(
        self, next: chimera.worker.NexusOperationInboundInterceptor
    ) -> chimera.worker.NexusOperationInboundInterceptor:
        """Around the handlers."""
        return NexusLink(next, self)
