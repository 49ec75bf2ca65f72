"""OpenTelemetryInterceptor: the context goes along with calls, and spans of workflows have a length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

import chimera.worker
from chimera import workflow
from chimera.contrib.opentelemetry._carrier import HasHeaders, with_text
from chimera.contrib.opentelemetry._context import attached_context
from chimera.contrib.opentelemetry._spans import TracingInterceptorBase, span_around
from chimera.contrib.opentelemetry._tracer_provider import ReplaySafeTracerProvider

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes

    import chimera.activity
    from chimera.api.common.v1 import Payload


class OpenTelemetryInterceptor(TracingInterceptorBase):
    """Carries the current context to workflows and activities; `OpenTelemetryPlugin` brings it.

    Spans are made by the program with OpenTelemetry's own calls, in workflow code, too, over a global provider of
    `create_tracer_provider`. With `add_temporal_spans` those of the calls themselves are made as well.
    """

    def __init__(self, add_temporal_spans: bool = False) -> None:
        """Without spans of the calls, unless asked for."""
        self._add_temporal_spans = add_temporal_spans

    def workflow_interceptor_class(
        self, input: chimera.worker.WorkflowInterceptorClassInput
    ) -> type[chimera.worker.WorkflowInboundInterceptor]:
        """For workflows.

        Raises:
            ValueError: The global tracer provider is not one of `create_tracer_provider`.
        """
        if not isinstance(trace.get_tracer_provider(), ReplaySafeTracerProvider):
            raise ValueError(
                "When using OpenTelemetryPlugin, the global trace provider must be a ReplaySafeTracerProvider, or "
                "spans of workflows would be made anew in each replay: set one of create_tracer_provider, first of all"
            )
        return type("_WorkflowTracing", (_WorkflowLink,), {"_tracing": self})

    def _span(self, name: str, kind: SpanKind, attributes: Attributes) -> AbstractContextManager[None]:
        if not self._add_temporal_spans:
            return nullcontext()
        return span_around(trace.get_tracer(__name__), name, kind, attributes)

    def _workflow_span(self, name: str, kind: SpanKind) -> AbstractContextManager[None]:
        info = workflow.info()
        return self._span(name, kind, {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id})

    def _started_by(self, headers: Mapping[str, Payload]) -> Context:
        return self._context_of(headers) or Context()

    def _activity_context(self, headers: Mapping[str, Payload]) -> Context | None:
        return self._started_by(headers)

    def _activity_attributes(self, info: chimera.activity.Info) -> dict[str, str]:
        return {
            "temporalWorkflowID": info.workflow_id or "",
            "temporalRunID": info.workflow_run_id or "",
            "temporalActivityID": info.activity_id,
        }


class _WorkflowLink(chimera.worker.WorkflowInboundInterceptor):
    _tracing: OpenTelemetryInterceptor

    def init(self, outbound: chimera.worker.WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowCalls(outbound, self._tracing))

    @contextmanager
    def _around(self, name: str, input: HasHeaders) -> Iterator[None]:
        context = self._tracing._started_by(input.headers)
        with attached_context(context), self._tracing._workflow_span(name, SpanKind.SERVER):
            yield

    async def execute_workflow(self, input: chimera.worker.ExecuteWorkflowInput) -> Any:
        with self._around(f"RunWorkflow:{workflow.info().workflow_type}", input):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: chimera.worker.HandleSignalInput) -> None:
        with self._around(f"HandleSignal:{input.signal}", input):
            await super().handle_signal(input)

    async def handle_query(self, input: chimera.worker.HandleQueryInput) -> Any:
        with self._around(f"HandleQuery:{input.query}", input):
            return await super().handle_query(input)

    def handle_update_validator(self, input: chimera.worker.HandleUpdateInput) -> None:
        with self._around(f"ValidateUpdate:{input.update}", input):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: chimera.worker.HandleUpdateInput) -> Any:
        with self._around(f"HandleUpdate:{input.update}", input):
            return await super().handle_update_handler(input)


class _WorkflowCalls(chimera.worker.WorkflowOutboundInterceptor):
    def __init__(self, next: chimera.worker.WorkflowOutboundInterceptor, tracing: OpenTelemetryInterceptor) -> None:
        super().__init__(next)
        self._tracing = tracing

    @contextmanager
    def _around(self, name: str, input: HasHeaders, kind: SpanKind = SpanKind.CLIENT) -> Iterator[None]:
        with self._tracing._workflow_span(name, kind):
            input.headers = self._tracing._with_context(input.headers)
            yield

    def continue_as_new(self, input: chimera.worker.ContinueAsNewInput) -> NoReturn:
        input.headers = self._tracing._with_context(input.headers)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: chimera.worker.SignalChildWorkflowInput) -> None:
        with self._around(f"SignalChildWorkflow:{input.signal}", input, SpanKind.SERVER):
            await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: chimera.worker.SignalExternalWorkflowInput) -> None:
        with self._around(f"SignalExternalWorkflow:{input.signal}", input):
            await super().signal_external_workflow(input)

    def start_activity(self, input: chimera.worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        with self._around(f"StartActivity:{input.activity}", input):
            return super().start_activity(input)

    def start_local_activity(self, input: chimera.worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        with self._around(f"StartActivity:{input.activity}", input):
            return super().start_local_activity(input)

    async def start_child_workflow(
        self, input: chimera.worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        with self._around(f"StartChildWorkflow:{input.workflow}", input):
            return await super().start_child_workflow(input)

    async def start_nexus_operation(
        self, input: chimera.worker.StartNexusOperationInput[Any, Any]
    ) -> workflow.NexusOperationHandle[Any]:
        name = f"StartNexusOperation:{input.service}/{input.operation_name}"
        with self._tracing._workflow_span(name, SpanKind.CLIENT):
            input.headers = with_text(input.headers, self._tracing._carrier())
            return await super().start_nexus_operation(input)
